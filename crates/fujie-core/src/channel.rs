//! The channel's own API: built in, so that no row has to be made for it. Its tokens are opaque, since only this server
//! reads them.

use std::collections::BTreeMap;

use crate::{
    client::{Api, Client, PkcePolicy, TokenForm},
    jose::jws::Algorithm,
    request::scope::Scope,
    time::Lifetime,
};

/// Allows to receive the events of topics that one is a member of.
pub const READ: &str = "channel:read";
/// Allows to post events to topics that one is a member of.
pub const WRITE: &str = "channel:write";
/// The `client_id` that it has in the registry. Ids that are made are longer.
pub const CLIENT_ID: &str = "fujie-channel";

/// Paths below the issuer.
pub mod path {
    /// The line protocol over WebSocket (RFC 6455).
    pub const SOCKET: &str = "/channel";
    /// A topic's events, as a template (RFC 6570).
    pub const EVENTS: &str = "/topics/{topic}/events";
}

/// The identifier of the API (RFC 8707 §2): the audience of its tokens.
pub fn resource(issuer: &str) -> String {
    format!("{issuer}/channel")
}

/// The API as it stands in the registry. It has no secret and no grant: nobody can act as it.
pub fn api(issuer: &str) -> Client {
    let words =
        |en: &str, zh: &str| BTreeMap::from([("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())]);
    let api = Api {
        resource: resource(issuer),
        scope: [READ, WRITE].into_iter().collect(),
        scope_words: BTreeMap::from([
            (READ.to_owned(), words("Receive the events of topics you are a member of", "接收你所加入话题的消息")),
            (WRITE.to_owned(), words("Post to topics you are a member of", "在你加入的话题中发布消息")),
        ]),
        token: TokenForm::Opaque,
    };
    Client {
        id: CLIENT_ID.to_owned(),
        name: "Fujie".to_owned(),
        epoch: 0,
        is_disabled: false,
        is_public: false,
        secrets: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: Vec::new(),
        scope: Scope::default(),
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: Lifetime::from_seconds(0),
        access_token_lifetime: None,
        id_token_alg: Algorithm::Es256,
        api: Some(api),
    }
}
