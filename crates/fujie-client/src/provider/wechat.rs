//! WeChat: website sign-in by QR code, inside the app, and mini-programs (open.weixin.qq.com).
//!
//! Owns the records and the meaning of WeChat's error codes. What departs from RFC 6749: other parameter names, the
//! secret in the query of a GET, JSON labelled `text/plain`, failures with status 200, no
//! `token_type`, refusal told by silence.

use super::oauth2::{get, oauth2, pairs, refusals, texts};
use super::{
    CallbackRule, ClientAuthentication, Denial, ErrorShape, IdentityRule, Pkce, Provider, Refusal, StateAlphabet,
    StateRule, TokenPlacement,
};

/// The preset for website applications.
pub fn wechat() -> Provider {
    let page = "https://open.weixin.qq.com/connect/qrconnect";
    let standard = oauth2("wechat", page, "https://api.weixin.qq.com/sns/oauth2/access_token", "");
    Provider {
        authorization_parameters: pairs(AUTHORIZATION_PARAMETERS),
        authorization_fragment: Some("wechat_redirect".into()),
        languages: pairs(&[("zh", "cn"), ("en", "en")]),
        scope: texts(&["snsapi_login"]),
        scope_separator: ",".into(),
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 128 },
        pkce: Pkce::None,
        callback: CallbackRule { denials: vec![Denial::StateWithoutCode], ..standard.callback },
        client_authentication: ClientAuthentication::InTemplates,
        token: get("https://api.weixin.qq.com/sns/oauth2/access_token", TOKEN_PARAMETERS),
        refresh: Some(get("https://api.weixin.qq.com/sns/oauth2/refresh_token", REFRESH_PARAMETERS)),
        check: Some(get("https://api.weixin.qq.com/sns/auth", &[TOKEN, OPENID])),
        user: Some(get("https://api.weixin.qq.com/sns/userinfo", &[TOKEN, OPENID, ("lang", "zh_CN")])),
        errors: ErrorShape {
            code: texts(&["errcode"]),
            message: texts(&["errmsg"]),
            refusals: refusals(REFUSALS),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["openid"]),
            token_subject: Some("openid".into()),
            union_subject: Some("unionid".into()),
            nickname: texts(&["nickname"]),
            avatar_url: texts(&["headimgurl"]),
            provisional: Some("is_snapshotuser".into()),
            ..standard.identity
        },
        base_url: "https://api.weixin.qq.com".into(),
        token_placement: TokenPlacement::Query { name: "access_token".into() },
        ..standard
    }
}

/// The preset for official accounts, inside the WeChat app. With `snsapi_base` instead of
/// `snsapi_userinfo` nobody is asked and only the openid is told: then `user` must be null.
pub fn wechat_in_app() -> Provider {
    Provider {
        authorization_endpoint: "https://open.weixin.qq.com/connect/oauth2/authorize".into(),
        scope: texts(&["snsapi_userinfo"]),
        languages: Vec::new(),
        ..wechat()
    }
}

/// The preset for mini-programs: there is no page, the code comes from `wx.login` on the phone.
/// Read it with [`crate::Registration::read_code`]. No access token exists; its place is taken by
/// the session key, which never leaves the server.
pub fn wechat_mini_program() -> Provider {
    let exchange = [
        ("appid", "{client_id}"),
        ("secret", "{client_secret}"),
        ("js_code", "{code}"),
        ("grant_type", "authorization_code"),
    ];
    let website = wechat();
    Provider {
        authorization_endpoint: String::new(),
        authorization_parameters: Vec::new(),
        authorization_fragment: None,
        scope: Vec::new(),
        token: get("https://api.weixin.qq.com/sns/jscode2session", &exchange),
        refresh: None,
        check: None,
        user: None,
        token_fields: super::TokenFields { access_token: "session_key".into(), ..website.token_fields },
        ..website
    }
}

const TOKEN: (&str, &str) = ("access_token", "{access_token}");
const OPENID: (&str, &str) = ("openid", "{subject}");

/// The order is the one that the in-app page insists on.
const AUTHORIZATION_PARAMETERS: &[(&str, &str)] = &[
    ("appid", "{client_id}"),
    ("redirect_uri", "{redirect_uri}"),
    ("response_type", "{response_type}"),
    ("scope", "{scope}"),
    ("state", "{state}"),
    ("lang", "{language}"),
];

const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("appid", "{client_id}"),
    ("secret", "{client_secret}"),
    ("code", "{code}"),
    ("grant_type", "authorization_code"),
];

/// The secret is not sent: nobody asks for it.
const REFRESH_PARAMETERS: &[(&str, &str)] =
    &[("appid", "{client_id}"), ("grant_type", "refresh_token"), ("refresh_token", "{refresh_token}")];

/// 40001 says "wrong secret" at the token endpoint and "wrong access token" elsewhere; 40029 is
/// what the refresh endpoint may say of a refresh token. The endpoint decides, not this table.
const REFUSALS: &[(i32, Refusal)] = &[
    (-1, Refusal::Busy),
    (40001, Refusal::AccessToken),
    (40002, Refusal::Request),
    (40003, Refusal::AccessToken),
    (40013, Refusal::Credentials),
    (40014, Refusal::AccessToken),
    (40029, Refusal::Code),
    (40030, Refusal::RefreshToken),
    (40066, Refusal::Request),
    (40125, Refusal::Credentials),
    (40163, Refusal::CodeUsed),
    (40226, Refusal::Account),
    (40243, Refusal::Credentials),
    (41001, Refusal::Request),
    (41002, Refusal::Request),
    (41003, Refusal::Request),
    (41004, Refusal::Request),
    (41008, Refusal::Request),
    (41009, Refusal::Request),
    (42001, Refusal::AccessToken),
    (42002, Refusal::RefreshToken),
    (42003, Refusal::Code),
    (42007, Refusal::RefreshToken),
    (43001, Refusal::Request),
    (43002, Refusal::Request),
    (43003, Refusal::Request),
    (45009, Refusal::RateLimit),
    (45011, Refusal::RateLimit),
    (48001, Refusal::Permission),
    (48004, Refusal::Permission),
    (50001, Refusal::Permission),
    (50002, Refusal::Account),
];
