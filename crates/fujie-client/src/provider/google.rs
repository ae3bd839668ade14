//! Google (accounts.google.com), by record; discovery gives the same. What departs from OpenID
//! Connect: the scope `profile` has an address for a name, and comes back by it.

use super::oauth2::{oauth2, pairs, post_form, texts};
use super::{CallbackRule, ClientAuthentication, IdTokenRule, IdentityRule, Provider};

/// The preset. For a refresh token add `access_type=offline` with
/// [`Provider::with_authorization_parameter`].
pub fn google() -> Provider {
    let standard = oauth2(
        "google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://openidconnect.googleapis.com/v1/userinfo",
    );
    let parameters = pairs(&[("hl", "{language}")]);
    Provider {
        authorization_parameters: [standard.authorization_parameters, parameters].concat(),
        languages: pairs(&[("zh", "zh-CN"), ("en", "en")]),
        scope: texts(&["openid", "https://www.googleapis.com/auth/userinfo.profile"]),
        callback: CallbackRule { issuer: Some("https://accounts.google.com".into()), ..standard.callback },
        client_authentication: ClientAuthentication::ClientSecretPost,
        revocation: Some(post_form("https://oauth2.googleapis.com/revoke", &[("token", "{access_token}")])),
        device_authorization_endpoint: Some("https://oauth2.googleapis.com/device/code".into()),
        identity: IdentityRule { is_per_application: false, nickname: texts(&["name"]), ..standard.identity },
        id_token: Some(IdTokenRule {
            issuer: "https://accounts.google.com".into(),
            jwks_uri: "https://www.googleapis.com/oauth2/v3/certs".into(),
            algorithms: texts(&["RS256"]),
            subject: texts(&["sub"]),
        }),
        base_url: "https://www.googleapis.com".into(),
        ..standard
    }
}
