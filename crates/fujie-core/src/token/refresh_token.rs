//! Refresh tokens: grant ‖ generation ‖ key id ‖ HMAC-SHA-256. The same fields always spell the same token, so that
//! a repeated request can be answered with the same successor.

use aws_lc_rs::hmac;

use super::{
    key_ring::KeyRing,
    record::{Reader, Writer},
};
use crate::{id::Id, secret::Kind, time::Timestamp};

/// A refresh token whose MAC was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its grant.
    pub grant: Id,
    /// Its generation; the grant's row says which one is valid.
    pub generation: u32,
}

impl RefreshToken {
    /// Spells it with the key that served at `at` (the time of the rotation that made it). `None` when none did.
    pub fn write(&self, at: Timestamp, ring: &KeyRing) -> Option<String> {
        let (id, key) = ring.refresh(at)?;
        let fields = self.fields(id);
        let tag = hmac::sign(key, &message(&fields));
        Some(Kind::RefreshToken.spell(&[fields.as_slice(), tag.as_ref()].concat()))
    }

    /// Reads a token that one of our keys made.
    pub fn read(text: &str, ring: &KeyRing) -> Option<Self> {
        let body = Kind::RefreshToken.read(text)?;
        let (fields, tag) = body.split_at_checked(24)?;
        let mut reader = Reader::new(fields);
        let token = Self { grant: Id::from_bytes(reader.array()?), generation: reader.u32()? };
        let key = ring.refresh_by_id(reader.u32()?)?;
        hmac::verify(key, &message(fields), tag).ok().map(|()| token)
    }

    fn fields(&self, key: u32) -> Vec<u8> {
        Writer::default().fixed(self.grant.as_bytes()).u32(self.generation).u32(key).finish()
    }
}

fn message(fields: &[u8]) -> Vec<u8> {
    [Kind::RefreshToken.prefix().as_bytes(), fields].concat()
}
