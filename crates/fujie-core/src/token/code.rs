//! Authorization codes (RFC 6749 §4.1.2): sealed facts of the request, bound to one client and one grant.

use super::{
    key_ring::KeyRing,
    record::{Reader, Writer},
};
use crate::{
    id::Id,
    random::Random,
    request::pkce::Challenge,
    secret::{Kind, sha256},
    time::Timestamp,
};

/// What a code remembers of its authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The grant born with it.
    pub grant: Id,
    /// The only client that can redeem it.
    pub client: String,
    /// SHA-256 of the redirect URI it was sent to.
    pub redirect_uri: [u8; 32],
    /// The request named the redirect URI, so the token request must too (§4.1.3).
    pub redirect_uri_sent: bool,
    /// What the verifier must fit.
    pub challenge: Option<Challenge>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// When the browser session ends: a grant without `offline_access` ends with it.
    pub session_expires_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Code {
    /// Seals it. `None` when no key serves.
    pub fn write(&self, ring: &KeyRing, random: &mut dyn Random) -> Option<String> {
        let writer = Writer::default()
            .byte(1)
            .fixed(self.grant.as_bytes())
            .text(&self.client)
            .fixed(&self.redirect_uri)
            .byte(u8::from(self.redirect_uri_sent))
            .text(self.nonce.as_deref().unwrap_or_default())
            .i64(self.session_expires_at.millis())
            .i64(self.issued_at.millis())
            .i64(self.expires_at.millis());
        let writer = match &self.challenge {
            None => writer.byte(0),
            Some(Challenge::S256(digest)) => writer.byte(1).fixed(digest),
            Some(Challenge::Plain(text)) => writer.byte(2).text(text),
        };
        ring.seal(Kind::AuthorizationCode, &writer.finish(), self.issued_at, random)
    }

    /// Opens a code that we sealed. It does not say whether it was redeemed: the grant's row does.
    pub fn read(text: &str, ring: &KeyRing) -> Option<Self> {
        let record = ring.open(Kind::AuthorizationCode, text)?;
        let mut reader = Reader::new(&record);
        (reader.byte()? == 1).then_some(())?;
        let grant = Id::from_bytes(reader.array()?);
        let client = reader.text()?.to_owned();
        let redirect_uri = reader.array()?;
        let redirect_uri_sent = reader.byte()? == 1;
        let nonce = Some(reader.text()?.to_owned()).filter(|nonce| !nonce.is_empty());
        let session_expires_at = Timestamp::from_millis(reader.i64()?);
        let issued_at = Timestamp::from_millis(reader.i64()?);
        let expires_at = Timestamp::from_millis(reader.i64()?);
        let challenge = match reader.byte()? {
            0 => None,
            1 => Some(Challenge::S256(reader.array()?)),
            2 => Some(Challenge::Plain(reader.text()?.to_owned())),
            _ => return None,
        };
        reader.end()?;
        Some(Self {
            grant,
            client,
            redirect_uri,
            redirect_uri_sent,
            challenge,
            nonce,
            session_expires_at,
            issued_at,
            expires_at,
        })
    }

    /// Is `requested` (from the token request) the redirect URI of the authorization request?
    pub fn admits_redirect_uri(&self, requested: Option<&str>) -> bool {
        match requested {
            Some(uri) => sha256(uri.as_bytes()) == self.redirect_uri,
            None => !self.redirect_uri_sent,
        }
    }
}
