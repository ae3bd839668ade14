//! Feishu (accounts.feishu.cn). What departs from RFC 6749: JSON requests, a numeric `code` of 0
//! beside the standard's fields, the person inside `data`. Lark is the same at `larksuite.com`.

use super::oauth2::{bearer_get, call, oauth2, refusals, texts};
use super::{Call, CallMethod, ClientAuthentication, ErrorShape, IdentityRule, Provider, Refusal};

/// The preset, for tokens of the second version. A refresh token is given for the scope
/// `offline_access` alone.
pub fn feishu() -> Provider {
    let token = "https://open.feishu.cn/open-apis/authen/v2/oauth/token";
    let user = "https://open.feishu.cn/open-apis/authen/v1/user_info";
    let page = "https://accounts.feishu.cn/open-apis/authen/v1/authorize";
    let standard = oauth2("feishu", page, token, user);
    Provider {
        client_authentication: ClientAuthentication::InTemplates,
        token: call(token, CallMethod::PostJson, TOKEN_PARAMETERS),
        refresh: Some(call(token, CallMethod::PostJson, REFRESH_PARAMETERS)),
        user: Some(Call { within: Some("data".into()), ..bearer_get(user) }),
        errors: ErrorShape {
            code: texts(&["code", "error"]),
            message: texts(&["error_description", "msg"]),
            refusals: standard.errors.refusals.into_iter().chain(refusals(REFUSALS)).collect(),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["open_id"]),
            union_subject: Some("union_id".into()),
            nickname: texts(&["name", "en_name"]),
            avatar_url: texts(&["avatar_url"]),
            ..standard.identity
        },
        base_url: "https://open.feishu.cn/open-apis/".into(),
        ..standard
    }
}

const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("grant_type", "authorization_code"),
    ("client_id", "{client_id}"),
    ("client_secret", "{client_secret}"),
    ("code", "{code}"),
    ("redirect_uri", "{redirect_uri}"),
    ("code_verifier", "{code_verifier}"),
];

const REFRESH_PARAMETERS: &[(&str, &str)] = &[
    ("grant_type", "refresh_token"),
    ("client_id", "{client_id}"),
    ("client_secret", "{client_secret}"),
    ("refresh_token", "{refresh_token}"),
];

const REFUSALS: &[(i32, Refusal)] = &[
    (20002, Refusal::Credentials),
    (20003, Refusal::Code),
    (20004, Refusal::Code),
    (20005, Refusal::AccessToken),
    (20008, Refusal::Account),
    (20010, Refusal::Permission),
    (20024, Refusal::Grant),
    (20026, Refusal::RefreshToken),
    (20036, Refusal::Request),
    (20037, Refusal::RefreshToken),
    (20049, Refusal::Request),
    (20050, Refusal::Busy),
    (20065, Refusal::CodeUsed),
    (20071, Refusal::Request),
    (20073, Refusal::RefreshToken),
];
