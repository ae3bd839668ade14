//! WeCom, enterprise WeChat (login.work.weixin.qq.com). What departs from RFC 6749: there is no
//! token of the person; the application's own token and the code together name the member.

use super::oauth2::{get, oauth2, pairs, refusals, texts};
use super::{
    Call, CallbackRule, ClientAuthentication, Denial, ErrorShape, IdentityRule, Pkce, Provider, Refusal, StateAlphabet,
    StateRule, TokenPlacement,
};

/// The preset. The client id is the corpid and a member's `userid` is unique within it. The
/// agent must be added: `{"authorization_parameters": [ … ["agentid", "1000002"] … ]}`, or call
/// [`Provider::with_authorization_parameter`].
pub fn wecom() -> Provider {
    let page = "https://login.work.weixin.qq.com/wwlogin/sso/login";
    let token = "https://qyapi.weixin.qq.com/cgi-bin/gettoken";
    let user = "https://qyapi.weixin.qq.com/cgi-bin/auth/getuserinfo";
    let standard = oauth2("wecom", page, token, user);
    Provider {
        authorization_parameters: pairs(&[
            ("login_type", "CorpApp"),
            ("appid", "{client_id}"),
            ("redirect_uri", "{redirect_uri}"),
            ("state", "{state}"),
            ("lang", "{language}"),
        ]),
        languages: pairs(&[("zh", "zh"), ("en", "en")]),
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 128 },
        pkce: Pkce::None,
        callback: CallbackRule { denials: vec![Denial::StateWithoutCode], ..standard.callback },
        client_authentication: ClientAuthentication::InTemplates,
        token: Call {
            is_application: true,
            ..get(token, &[("corpid", "{client_id}"), ("corpsecret", "{client_secret}")])
        },
        refresh: None,
        user: Some(get(user, &[("access_token", "{access_token}"), ("code", "{code}")])),
        errors: ErrorShape {
            code: texts(&["errcode"]),
            message: texts(&["errmsg"]),
            refusals: refusals(REFUSALS),
            ..standard.errors
        },
        identity: IdentityRule {
            // The older path spells it with a capital.
            subject: texts(&["userid", "UserId"]),
            nickname: Vec::new(),
            avatar_url: Vec::new(),
            ..standard.identity
        },
        base_url: "https://qyapi.weixin.qq.com/cgi-bin/".into(),
        token_placement: TokenPlacement::Query { name: "access_token".into() },
        ..standard
    }
}

const REFUSALS: &[(i32, Refusal)] = &[
    (-1, Refusal::Busy),
    (40001, Refusal::Credentials),
    (40013, Refusal::Credentials),
    (40014, Refusal::AccessToken),
    (40029, Refusal::Code),
    (42001, Refusal::AccessToken),
    (45009, Refusal::RateLimit),
    (50001, Refusal::Request),
    (60020, Refusal::Permission),
];
