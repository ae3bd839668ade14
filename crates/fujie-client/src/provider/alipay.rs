//! Alipay (openauth.alipay.com). What departs from RFC 6749: one gateway for everything, each
//! request signed with the application's RSA key, each answer inside an object named after the
//! call.

use super::oauth2::{get, oauth2, pairs, post_form, refusals, texts};
use super::{
    Call, CallbackRule, ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider, Refusal, StateAlphabet,
    StateRule, TokenPlacement,
};

const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";

/// The preset. Its credential is [`crate::Credential::Rsa2`]. The subject is `open_id`, which new
/// applications get; an older one changes `identity` to `user_id` and keeps it for ever.
pub fn alipay() -> Provider {
    let page = "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm";
    let standard = oauth2("alipay", page, GATEWAY, "");
    let token = |parameters: &[(&str, &str)]| Call {
        within: Some("alipay_system_oauth_token_response".into()),
        ..post_form(GATEWAY, &signed("alipay.system.oauth.token", parameters))
    };
    Provider {
        authorization_parameters: pairs(&[
            ("app_id", "{client_id}"),
            ("scope", "{scope}"),
            ("redirect_uri", "{redirect_uri}"),
            ("state", "{state}"),
        ]),
        scope: texts(&["auth_user"]),
        scope_separator: ",".into(),
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 100 },
        pkce: Pkce::None,
        callback: CallbackRule { code: texts(&["auth_code"]), ..standard.callback },
        client_authentication: ClientAuthentication::InTemplates,
        token: token(&[("grant_type", "authorization_code"), ("code", "{code}")]),
        refresh: Some(token(&[("grant_type", "refresh_token"), ("refresh_token", "{refresh_token}")])),
        user: Some(Call {
            within: Some("alipay_user_info_share_response".into()),
            ..get(GATEWAY, &signed("alipay.user.info.share", &[("auth_token", "{access_token}")]))
        }),
        errors: ErrorShape {
            code: texts(&[
                "error_response.sub_code",
                "error_response.code",
                "alipay_system_oauth_token_response.sub_code",
                "alipay_system_oauth_token_response.code",
                "alipay_user_info_share_response.sub_code",
                "alipay_user_info_share_response.code",
            ]),
            success: texts(&["", "0", "10000"]),
            message: texts(&[
                "error_response.sub_msg",
                "alipay_system_oauth_token_response.sub_msg",
                "alipay_user_info_share_response.sub_msg",
            ]),
            refusals: refusals(REFUSALS),
        },
        identity: IdentityRule {
            subject: texts(&["open_id"]),
            token_subject: Some("open_id".into()),
            nickname: texts(&["nick_name"]),
            avatar_url: texts(&["avatar"]),
            ..standard.identity
        },
        base_url: "https://openapi.alipay.com".into(),
        token_placement: TokenPlacement::Query { name: "auth_token".into() },
        ..standard
    }
}

/// What every call of the gateway carries, its own parameters and the signature over all.
fn signed<'a>(method: &'a str, own: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = vec![
        ("app_id", "{client_id}"),
        ("method", method),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", "{china_time}"),
        ("version", "1.0"),
    ];
    parameters.extend(own);
    parameters.push(("sign", "{rsa2_signature}"));
    parameters
}

const REFUSALS: &[(&str, Refusal)] = &[
    ("isv.code-invalid", Refusal::Code),
    ("isv.refresh-token-invalid", Refusal::RefreshToken),
    ("isv.refresh-token-time-out", Refusal::RefreshToken),
    ("isv.invalid-signature", Refusal::Credentials),
    ("isv.invalid-app-id", Refusal::Credentials),
    ("isv.missing-signature-key", Refusal::Credentials),
    ("aop.invalid-auth-token", Refusal::AccessToken),
    ("aop.auth-token-time-out", Refusal::AccessToken),
    ("isv.app-call-limited", Refusal::RateLimit),
    ("isv.insufficient-isv-permissions", Refusal::Permission),
    ("isp.unknow-error", Refusal::Busy),
    ("20000", Refusal::Busy),
    ("20001", Refusal::AccessToken),
    ("40001", Refusal::Request),
    ("40002", Refusal::Request),
    ("40006", Refusal::Permission),
];
