//! The decisions of `fujie-core` told as stories, one module per decision. The set-up words are in `house`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod access_token;
mod attack;
mod authorization_code;
mod authorize;
mod authorize_next;
mod channel;
mod client_auth;
mod client_credentials;
mod discovery;
mod error;
mod house;
mod id_token;
mod implicit;
mod introspect;
mod jose;
mod key_ring;
mod logout;
mod password;
mod redirect_uri;
mod refresh_token;
mod revoke;
mod seal;
mod userinfo;
