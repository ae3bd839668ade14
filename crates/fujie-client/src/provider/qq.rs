//! QQ (connect.qq.com). What departs from RFC 6749: the token request is a GET, its answer form
//! text and its failures JavaScript; another call says whom the token is about; the user call
//! wants the application's id a second time.

use super::oauth2::{get, oauth2, refusals, texts};
use super::{
    AnswerFormat, Call, CallbackRule, ClientAuthentication, Denial, ErrorShape, IdentityRule, Pkce, Provider, Refusal,
    StateAlphabet, StateRule, TokenPlacement,
};

/// The preset. `/oauth2.0/me` is asked for the unionid; an application without that right has
/// the record changed: `{"subject": {"parameters": [["access_token", "{access_token}"]]}}`.
pub fn qq() -> Provider {
    let page = "https://graph.qq.com/oauth2.0/authorize";
    let standard = oauth2("qq", page, "https://graph.qq.com/oauth2.0/token", "");
    let jsonp =
        |endpoint: &str, parameters: &[(&str, &str)]| Call { answer: AnswerFormat::Jsonp, ..get(endpoint, parameters) };
    Provider {
        scope: texts(&["get_user_info"]),
        scope_separator: ",".into(),
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 128 },
        pkce: Pkce::None,
        callback: CallbackRule { denials: vec![Denial::Parameter("usercancel".into())], ..standard.callback },
        client_authentication: ClientAuthentication::InTemplates,
        token: Call { answer: AnswerFormat::Form, ..get("https://graph.qq.com/oauth2.0/token", TOKEN_PARAMETERS) },
        refresh: Some(Call {
            answer: AnswerFormat::Form,
            ..get("https://graph.qq.com/oauth2.0/token", REFRESH_PARAMETERS)
        }),
        subject: Some(jsonp(
            "https://graph.qq.com/oauth2.0/me",
            &[("access_token", "{access_token}"), ("unionid", "1")],
        )),
        user: Some(get("https://graph.qq.com/user/get_user_info", USER_PARAMETERS)),
        errors: ErrorShape {
            code: texts(&["error", "ret", "code"]),
            message: texts(&["error_description", "msg"]),
            refusals: refusals(REFUSALS),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["openid"]),
            token_subject: None,
            subject_audience: Some("client_id".into()),
            is_per_application: true,
            union_subject: Some("unionid".into()),
            nickname: texts(&["nickname"]),
            avatar_url: texts(&["figureurl_qq_2", "figureurl_qq_1", "figureurl_2"]),
            provisional: None,
        },
        base_url: "https://graph.qq.com".into(),
        token_placement: TokenPlacement::Query { name: "access_token".into() },
        ..standard
    }
}

const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("grant_type", "authorization_code"),
    ("client_id", "{client_id}"),
    ("client_secret", "{client_secret}"),
    ("code", "{code}"),
    ("redirect_uri", "{redirect_uri}"),
];

const REFRESH_PARAMETERS: &[(&str, &str)] = &[
    ("grant_type", "refresh_token"),
    ("client_id", "{client_id}"),
    ("client_secret", "{client_secret}"),
    ("refresh_token", "{refresh_token}"),
];

const USER_PARAMETERS: &[(&str, &str)] =
    &[("access_token", "{access_token}"), ("oauth_consumer_key", "{client_id}"), ("openid", "{subject}")];

/// Codes of the token and subject endpoints, then those of the API (`ret`).
const REFUSALS: &[(i32, Refusal)] = &[
    (100000, Refusal::Request),
    (100001, Refusal::Credentials),
    (100002, Refusal::Credentials),
    (100003, Refusal::Request),
    (100004, Refusal::Request),
    (100005, Refusal::Request),
    (100006, Refusal::Request),
    (100007, Refusal::AccessToken),
    (100008, Refusal::Credentials),
    (100009, Refusal::Credentials),
    (100010, Refusal::Request),
    (100011, Refusal::Permission),
    (100012, Refusal::Request),
    (100013, Refusal::AccessToken),
    (100014, Refusal::AccessToken),
    (100015, Refusal::AccessToken),
    (100016, Refusal::AccessToken),
    (100017, Refusal::Busy),
    (100018, Refusal::Busy),
    (100019, Refusal::Code),
    (100020, Refusal::CodeUsed),
    (100021, Refusal::RefreshToken),
    (100022, Refusal::Busy),
    (100023, Refusal::Busy),
    (100024, Refusal::Busy),
    (100025, Refusal::Busy),
    (100026, Refusal::Busy),
    (100027, Refusal::Busy),
    (100028, Refusal::Request),
    (100029, Refusal::Request),
    (100030, Refusal::Permission),
    (100031, Refusal::Permission),
    (100048, Refusal::Permission),
    (1, Refusal::Request),
    (2, Refusal::Permission),
    (1000, Refusal::Request),
    (1001, Refusal::Busy),
    (1002, Refusal::AccessToken),
    (1003, Refusal::Account),
    (1006, Refusal::Account),
    (-1, Refusal::Request),
    (-2, Refusal::Credentials),
    (-3, Refusal::Permission),
    (-4, Refusal::Permission),
    (-5, Refusal::Credentials),
    (-6, Refusal::RateLimit),
    (-7, Refusal::Request),
    (-8, Refusal::Account),
    (-9, Refusal::Request),
    (-20, Refusal::Permission),
    (-21, Refusal::AccessToken),
    (-22, Refusal::AccessToken),
    (-23, Refusal::AccessToken),
    (-24, Refusal::AccessToken),
    (-58, Refusal::Busy),
    (-60, Refusal::Busy),
];
