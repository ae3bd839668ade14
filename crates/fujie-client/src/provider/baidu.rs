//! Baidu (openapi.baidu.com). What departs from RFC 6749: no `token_type`, tokens in the query,
//! the API's own error fields with status 200.

use super::oauth2::{get, oauth2, refusals, texts};
use super::{ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider, Refusal, TokenPlacement};

/// The preset.
pub fn baidu() -> Provider {
    let user = "https://openapi.baidu.com/rest/2.0/passport/users/getInfo";
    let standard = oauth2(
        "baidu",
        "https://openapi.baidu.com/oauth/2.0/authorize",
        "https://openapi.baidu.com/oauth/2.0/token",
        user,
    );
    Provider {
        scope: texts(&["basic"]),
        pkce: Pkce::None,
        client_authentication: ClientAuthentication::ClientSecretPost,
        user: Some(get(user, &[("access_token", "{access_token}")])),
        errors: ErrorShape {
            code: texts(&["error", "error_code"]),
            message: texts(&["error_description", "error_msg"]),
            refusals: standard.errors.refusals.into_iter().chain(refusals(REFUSALS)).collect(),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["openid"]),
            union_subject: Some("unionid".into()),
            nickname: texts(&["username"]),
            // `portrait` is the end of an address and no address.
            avatar_url: Vec::new(),
            ..standard.identity
        },
        base_url: "https://openapi.baidu.com".into(),
        token_placement: TokenPlacement::Query { name: "access_token".into() },
        ..standard
    }
}

const REFUSALS: &[(&str, Refusal)] = &[
    ("expired_token", Refusal::Grant),
    ("redirect_uri_mismatch", Refusal::Request),
    ("2", Refusal::Busy),
    ("4", Refusal::RateLimit),
    ("6", Refusal::Permission),
    ("17", Refusal::RateLimit),
    ("100", Refusal::Request),
    ("110", Refusal::AccessToken),
    ("111", Refusal::AccessToken),
];
