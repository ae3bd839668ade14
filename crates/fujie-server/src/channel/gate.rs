//! The gate of the line protocol and of WebSocket: the same judgement as everywhere ([`super::access`]).

use std::sync::{Arc, Weak};

use fujie_channel::gate::{Gate, Refusal};
use fujie_core::{channel::READ, secret::Secret, token::bearer::BearerError};

use super::access::{Denied, Visitor, of_token};
use crate::{
    place::{Place, Places},
    server::Server,
};

/// Asks this server, as long as it is there.
pub(crate) struct ServerGate {
    pub server: Weak<Server>,
    /// Where whom it lets in takes a place.
    pub places: Arc<Places>,
}

/// A visitor with a place of its own.
pub(crate) struct Reader {
    pub visitor: Visitor,
    pub place: Arc<Place>,
}

impl Gate for ServerGate {
    type Pass = Reader;

    async fn admit(&self, token: &Secret, earlier: Option<&Reader>) -> Result<Reader, Refusal> {
        let server = self.server.upgrade().ok_or(Refusal::Unavailable)?;
        let visitor = of_token(&server, token, READ).await.map_err(refusal)?;
        let place = match earlier.filter(|earlier| earlier.visitor.member == visitor.member) {
            Some(earlier) => Arc::clone(&earlier.place),
            None => Arc::new(self.places.reader(&visitor.member).ok_or(Refusal::Unavailable)?),
        };
        Ok(Reader { visitor, place })
    }

    async fn may_read(&self, pass: &Reader, topic: &str) -> Result<(), Refusal> {
        let server = self.server.upgrade().ok_or(Refusal::Unavailable)?;
        let visitor = &pass.visitor;
        // Between two judgements a token may have ended by itself.
        if visitor.expires_at <= server.now() {
            return Err(Refusal::InvalidToken);
        }
        visitor.belongs_to(&server, topic).await.map_err(refusal)
    }
}

fn refusal(denied: Denied) -> Refusal {
    match denied {
        Denied::Token(BearerError::Scope(_)) => Refusal::InsufficientScope,
        Denied::Token(BearerError::Token) | Denied::Session => Refusal::InvalidToken,
        Denied::NotMember => Refusal::AccessDenied,
        Denied::Store(error) => {
            tracing::error!(%error, "the store failed");
            Refusal::Unavailable
        }
    }
}
