//! What the standards promise to clients, kept as it is said: RFC 6749, 6750, 7009, 7662, 8414, 8707, 9068, 9207 and
//! OpenID Connect.

mod authorize;
mod discovery;
mod grant_type;
mod header;
mod key;
mod language;
mod limit;
mod logout;
mod resource;
mod revocation;
mod setup;
mod token;
