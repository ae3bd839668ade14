//! JWS and JWK (RFC 7515, 7517, 7518, 8037) over the cryptographic library, with keys parsed once.

pub mod jwk;
pub mod jws;
