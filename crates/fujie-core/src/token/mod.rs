//! Tokens: how each is spelled, sealed, signed, read back, asked about and revoked.

pub mod access_token;
pub mod at_rest;
pub mod bearer;
pub mod code;
pub mod draft;
pub mod error;
pub mod id_token;
pub mod introspect;
pub mod key_ring;
pub mod record;
pub mod refresh_token;
pub mod revoke;
pub mod seal;
