//! JWS and JWK (RFC 7515, 7517, 7518, 7638, 8037) over the cryptographic library, with keys parsed once.
//!
//! `jws` and `jwk` are our own keys, to sign with and to publish; `verifying_key` and `jwks` are other people's, to
//! believe by.

pub mod json;
pub mod jwk;
pub mod jwks;
pub mod jws;
pub mod verifying_key;
