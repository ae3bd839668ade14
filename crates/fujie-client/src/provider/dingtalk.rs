//! DingTalk (login.dingtalk.com). What departs from RFC 6749: JSON requests in camel case, the
//! code as `authCode`, the token in a header of its own, error codes as dotted words.

use super::oauth2::{call, get, oauth2, pairs, refusals, texts};
use super::{
    Call, CallMethod, CallbackRule, ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider, Refusal,
    TokenFields, TokenPlacement,
};

/// The preset. `openId` is the subject within the application, `unionId` that among all
/// applications of one developer.
pub fn dingtalk() -> Provider {
    let token = "https://api.dingtalk.com/v1.0/oauth2/userAccessToken";
    let user = "https://api.dingtalk.com/v1.0/contact/users/me";
    let standard = oauth2("dingtalk", "https://login.dingtalk.com/oauth2/auth", token, user);
    Provider {
        authorization_parameters: [standard.authorization_parameters, pairs(&[("prompt", "consent")])].concat(),
        scope: texts(&["openid"]),
        pkce: Pkce::None,
        callback: CallbackRule { code: texts(&["authCode", "code"]), ..standard.callback },
        client_authentication: ClientAuthentication::InTemplates,
        token: call(token, CallMethod::PostJson, TOKEN_PARAMETERS),
        refresh: Some(call(token, CallMethod::PostJson, REFRESH_PARAMETERS)),
        user: Some(Call { headers: pairs(&[("x-acs-dingtalk-access-token", "{access_token}")]), ..get(user, &[]) }),
        token_fields: TokenFields {
            access_token: "accessToken".into(),
            refresh_token: "refreshToken".into(),
            expires_in: "expireIn".into(),
            ..standard.token_fields
        },
        errors: ErrorShape {
            code: texts(&["code"]),
            message: texts(&["message"]),
            refusals: refusals(REFUSALS),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["openId"]),
            union_subject: Some("unionId".into()),
            nickname: texts(&["nick"]),
            avatar_url: texts(&["avatarUrl"]),
            ..standard.identity
        },
        base_url: "https://api.dingtalk.com/v1.0/".into(),
        token_placement: TokenPlacement::Header { name: "x-acs-dingtalk-access-token".into(), prefix: String::new() },
        ..standard
    }
}

const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("clientId", "{client_id}"),
    ("clientSecret", "{client_secret}"),
    ("code", "{code}"),
    ("grantType", "authorization_code"),
];

const REFRESH_PARAMETERS: &[(&str, &str)] = &[
    ("clientId", "{client_id}"),
    ("clientSecret", "{client_secret}"),
    ("refreshToken", "{refresh_token}"),
    ("grantType", "refresh_token"),
];

const REFUSALS: &[(&str, Refusal)] = &[
    ("invalidParameter.authCode.notFound", Refusal::Code),
    ("invalidParameter.refreshToken.notFound", Refusal::RefreshToken),
    ("invalidClientIdOrSecret", Refusal::Credentials),
    ("InvalidAuthentication", Refusal::AccessToken),
    ("Forbidden.AccessDenied.AccessTokenPermissionDenied", Refusal::Permission),
    ("Forbidden.AccessDenied.QpsLimitForApi", Refusal::RateLimit),
    ("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", Refusal::RateLimit),
    ("Throttling.Api", Refusal::RateLimit),
    ("ServiceUnavailable", Refusal::Busy),
];
