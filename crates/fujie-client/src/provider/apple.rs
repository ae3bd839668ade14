//! Apple (appleid.apple.com). What departs from OpenID Connect: the secret is a token that we
//! sign, the callback is a POST from another site, and the name comes once and never again.

use super::oauth2::{oauth2, pairs, post_form, texts};
use super::{CallbackRule, ClientAuthentication, Denial, IdTokenRule, IdentityRule, Pkce, Provider, TokenPlacement};

/// The preset. Its credential is [`crate::Credential::Apple`].
pub fn apple() -> Provider {
    let standard =
        oauth2("apple", "https://appleid.apple.com/auth/authorize", "https://appleid.apple.com/auth/token", "");
    Provider {
        authorization_parameters: [standard.authorization_parameters, pairs(&[("response_mode", "form_post")])]
            .concat(),
        scope: texts(&["name"]),
        pkce: Pkce::None,
        callback: CallbackRule {
            denials: vec![Denial::Error("user_cancelled_authorize".into())],
            user: Some("user".into()),
            ..standard.callback
        },
        client_authentication: ClientAuthentication::ClientSecretPost,
        revocation: Some(post_form("https://appleid.apple.com/auth/revoke", &[("token", "{access_token}")])),
        identity: IdentityRule {
            subject: Vec::new(),
            nickname: texts(&["name.firstName name.lastName"]),
            avatar_url: Vec::new(),
            ..standard.identity
        },
        id_token: Some(IdTokenRule {
            issuer: "https://appleid.apple.com".into(),
            jwks_uri: "https://appleid.apple.com/auth/keys".into(),
            algorithms: texts(&["RS256"]),
            subject: texts(&["sub"]),
        }),
        base_url: "https://appleid.apple.com".into(),
        token_placement: TokenPlacement::Bearer,
        ..standard
    }
}
