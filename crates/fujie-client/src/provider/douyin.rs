//! Douyin (open.douyin.com). What departs from RFC 6749: `client_key`, everything inside `data`,
//! failures with status 200, numbers that may be strings.

use super::oauth2::{get, oauth2, pairs, post_form, refusals, texts};
use super::{Call, ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider, Refusal, TokenPlacement};

/// The preset. `open_id` is the subject within the application, `union_id` that among all
/// applications of one developer.
pub fn douyin() -> Provider {
    let page = "https://open.douyin.com/platform/oauth/connect";
    let token = "https://open.douyin.com/oauth/access_token/";
    let user = "https://open.douyin.com/oauth/userinfo/";
    let standard = oauth2("douyin", page, token, user);
    let in_data = |call: Call| Call { within: Some("data".into()), ..call };
    Provider {
        authorization_parameters: pairs(&[
            ("client_key", "{client_id}"),
            ("response_type", "{response_type}"),
            ("scope", "{scope}"),
            ("redirect_uri", "{redirect_uri}"),
            ("state", "{state}"),
        ]),
        scope: texts(&["user_info"]),
        scope_separator: ",".into(),
        pkce: Pkce::None,
        client_authentication: ClientAuthentication::InTemplates,
        token: in_data(post_form(token, TOKEN_PARAMETERS)),
        refresh: Some(in_data(post_form("https://open.douyin.com/oauth/refresh_token/", REFRESH_PARAMETERS))),
        user: Some(in_data(get(user, &[("access_token", "{access_token}"), ("open_id", "{subject}")]))),
        errors: ErrorShape {
            code: texts(&["data.error_code"]),
            message: texts(&["data.description"]),
            refusals: refusals(REFUSALS),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["open_id"]),
            token_subject: Some("open_id".into()),
            union_subject: Some("union_id".into()),
            nickname: texts(&["nickname"]),
            avatar_url: texts(&["avatar"]),
            ..standard.identity
        },
        base_url: "https://open.douyin.com".into(),
        token_placement: TokenPlacement::Query { name: "access_token".into() },
        ..standard
    }
}

const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("client_key", "{client_id}"),
    ("client_secret", "{client_secret}"),
    ("code", "{code}"),
    ("grant_type", "authorization_code"),
];

/// The secret is not sent: nobody asks for it.
const REFRESH_PARAMETERS: &[(&str, &str)] =
    &[("client_key", "{client_id}"), ("grant_type", "refresh_token"), ("refresh_token", "{refresh_token}")];

const REFUSALS: &[(i32, Refusal)] = &[
    (10002, Refusal::Request),
    (10003, Refusal::Credentials),
    (10007, Refusal::Code),
    (10008, Refusal::AccessToken),
    (10010, Refusal::RefreshToken),
    (10013, Refusal::Credentials),
    (10020, Refusal::RateLimit),
    (2100004, Refusal::Busy),
    (2100005, Refusal::Request),
    (2190002, Refusal::AccessToken),
    (2190008, Refusal::AccessToken),
];
