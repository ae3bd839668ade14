//! Sign-out asked for by a client (OpenID Connect RP-Initiated Logout 1.0).

use serde::Deserialize;

use crate::{
    client::Registry,
    request::{
        parameters::{Parameters, encode},
        redirect_uri::RequestedUri,
    },
    token::key_ring::KeyRing,
};

/// A sign-out request as far as it could be proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The name of the client that asks, when it named itself.
    pub client_name: Option<String>,
    /// Where to go afterwards, `state` included: only a registered URI of a client that is proven by its ID token or
    /// named by the request.
    pub location: Option<String>,
    /// Whose session the ID token was about; the person with that `sub` need not be asked.
    pub subject: Option<String>,
}

/// What an ID token of ours says about a session, however old it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Hint {
    iss: String,
    /// The person.
    pub sub: String,
    /// The client it was issued to.
    pub aud: String,
}

/// Reads an `id_token_hint`. It authenticates nobody: an expired one still says who was meant.
pub fn hint(text: &str, ring: &KeyRing) -> Option<Hint> {
    let hint: Hint = serde_json::from_slice(&ring.verify(text, "JWT")?).ok()?;
    (hint.iss == ring.realm().issuer).then_some(hint)
}

/// Reads a sign-out request. An unproven part is as if it had not been sent; nothing is redirected to it.
pub fn read(parameters: &Parameters, registry: &Registry, ring: &KeyRing) -> LogoutRequest {
    // An expired ID token still proves who asks (§2).
    let hint = parameters.text("id_token_hint").and_then(|text| hint(text, ring));
    let named = parameters.text("client_id");
    if let (Some(hint), Some(named)) = (&hint, named)
        && hint.aud != named
    {
        return LogoutRequest::default();
    }
    let Some(client) = hint.as_ref().map(|hint| hint.aud.as_str()).or(named).and_then(|id| registry.client(id)) else {
        return LogoutRequest::default();
    };
    let location = parameters
        .text("post_logout_redirect_uri")
        .map(RequestedUri::new)
        .filter(|uri| client.post_logout_redirect_uris.iter().any(|own| own.admits(uri)))
        .map(|uri| match parameters.text("state") {
            None => uri.as_str().to_owned(),
            Some(state) => {
                let separator = if uri.as_str().contains('?') { '&' } else { '?' };
                format!("{}{separator}state={}", uri.as_str(), encode(state))
            }
        });
    LogoutRequest { client_name: Some(client.name.clone()), location, subject: hint.map(|hint| hint.sub) }
}
