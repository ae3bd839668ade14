//! The gate of the line protocol and of WebSocket: the same judgement as everywhere ([`super::access`]).

use std::sync::Weak;

use fujie_channel::gate::{Gate, Refusal};
use fujie_core::{channel::READ, secret::Secret, token::bearer::BearerError};

use super::access::{Denied, Visitor, of_token};
use crate::server::Server;

/// Asks this server, as long as it is there.
pub(crate) struct ServerGate(pub Weak<Server>);

impl Gate for ServerGate {
    type Pass = Visitor;

    async fn admit(&self, token: &Secret) -> Result<Visitor, Refusal> {
        let server = self.0.upgrade().ok_or(Refusal::Unavailable)?;
        of_token(&server, token, READ).await.map_err(refusal)
    }

    async fn may_read(&self, pass: &Visitor, topic: &str) -> Result<(), Refusal> {
        let server = self.0.upgrade().ok_or(Refusal::Unavailable)?;
        // Between two judgements a token may have ended by itself.
        if pass.expires_at <= server.now() {
            return Err(Refusal::InvalidToken);
        }
        pass.belongs_to(&server, topic).await.map(drop).map_err(refusal)
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
