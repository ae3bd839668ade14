//! WeChat, website sign-in by QR code (open.weixin.qq.com).
//!
//! Owns the record and the meaning of WeChat's error codes. Sign-in inside the WeChat app and
//! mini-programs are other records. What departs from RFC 6749: other parameter names, the
//! secret in the query of a GET, JSON labelled `text/plain`, failures with status 200, no
//! `token_type`, refusal told by silence.

use super::{
    AnswerFormat, Denial, ErrorShape, IdentityRule, LanguageParameter, ParameterNames, Pkce, Provider, Refusal,
    StateAlphabet, StateRule, TokenMethod,
};

/// The preset for website applications.
pub fn wechat() -> Provider {
    Provider {
        id: "wechat".into(),
        authorization_endpoint: "https://open.weixin.qq.com/connect/qrconnect".into(),
        token_endpoint: "https://api.weixin.qq.com/sns/oauth2/access_token".into(),
        refresh_endpoint: Some("https://api.weixin.qq.com/sns/oauth2/refresh_token".into()),
        check_endpoint: Some("https://api.weixin.qq.com/sns/auth".into()),
        user_endpoint: "https://api.weixin.qq.com/sns/userinfo".into(),
        parameters: ParameterNames {
            client_id: "appid".into(),
            client_secret: "secret".into(),
            subject: Some("openid".into()),
        },
        token_method: TokenMethod::GetQuery,
        token_sends_redirect_uri: false,
        refresh_sends_secret: false,
        scope: vec!["snsapi_login".into()],
        scope_separator: ",".into(),
        authorization_parameters: Vec::new(),
        language: Some(LanguageParameter {
            name: "lang".into(),
            values: vec![("zh".into(), "cn".into()), ("en".into(), "en".into())],
        }),
        authorization_fragment: Some("wechat_redirect".into()),
        user_parameters: vec![("lang".into(), "zh_CN".into())],
        answer: AnswerFormat::Json,
        errors: ErrorShape {
            code: "errcode".into(),
            message: "errmsg".into(),
            refusals: REFUSALS.iter().map(|(code, refusal)| (code.to_string(), *refusal)).collect(),
        },
        identity: IdentityRule {
            subject: "openid".into(),
            token_names_subject: true,
            union_subject: Some("unionid".into()),
            nickname: Some("nickname".into()),
            avatar_url: Some("headimgurl".into()),
            provisional: Some("is_snapshotuser".into()),
        },
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 128 },
        pkce: Pkce::None,
        issuer: None,
        denials: vec![Denial::StateWithoutCode],
    }
}

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
