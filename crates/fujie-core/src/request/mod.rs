//! What clients ask, parsed strictly.

pub mod authorize;
pub mod client_auth;
pub mod parameters;
pub mod pkce;
pub mod redirect_uri;
pub mod response_mode;
pub mod scope;
