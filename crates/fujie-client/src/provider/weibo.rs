//! Weibo (open.weibo.com). What departs from RFC 6749: no `token_type` and no `scope` in the token
//! answer, the subject in it as `uid`, tokens carried as `OAuth2`, a second, numeric error code.

use super::oauth2::{TOKEN_PARAMETERS, call, get, oauth2, pairs, post_form, refusals, texts};
use super::{
    Call, CallMethod, ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider, Refusal, StateAlphabet,
    StateRule, TokenPlacement,
};

/// The preset. Refresh works for mobile and partner applications alone: others get no refresh token.
pub fn weibo() -> Provider {
    let page = "https://api.weibo.com/oauth2/authorize";
    let token = "https://api.weibo.com/oauth2/access_token";
    let user = "https://api.weibo.com/2/users/show.json";
    let standard = oauth2("weibo", page, token, user);
    let parameters: Vec<_> = pairs(&[("language", "{language}")]);
    Provider {
        authorization_parameters: [standard.authorization_parameters, parameters].concat(),
        languages: pairs(&[("en", "en")]),
        scope_separator: ",".into(),
        state: StateRule { alphabet: StateAlphabet::Hex, length_max: 128 },
        pkce: Pkce::None,
        client_authentication: ClientAuthentication::ClientSecretPost,
        token: post_form(token, TOKEN_PARAMETERS),
        refresh: Some(post_form(token, REFRESH_PARAMETERS)),
        check: Some(call(
            "https://api.weibo.com/oauth2/get_token_info",
            CallMethod::PostForm,
            &[("access_token", "{access_token}")],
        )),
        user: Some(Call { headers: pairs(&[TOKEN_HEADER]), ..get(user, &[("uid", "{subject}")]) }),
        revocation: Some(post_form("https://api.weibo.com/oauth2/revokeoauth2", &[("access_token", "{access_token}")])),
        errors: ErrorShape {
            code: texts(&["error_code", "error"]),
            message: texts(&["error_description", "error"]),
            refusals: standard.errors.refusals.into_iter().chain(refusals(REFUSALS)).collect(),
            ..standard.errors
        },
        identity: IdentityRule {
            // `id` is a number of up to 64 bits; `idstr` is the same as text.
            subject: texts(&["idstr", "id"]),
            token_subject: Some("uid".into()),
            subject_audience: Some("appkey".into()),
            is_per_application: false,
            nickname: texts(&["screen_name", "name"]),
            avatar_url: texts(&["avatar_large", "profile_image_url"]),
            ..standard.identity
        },
        base_url: "https://api.weibo.com/2/".into(),
        token_placement: TokenPlacement::Header { name: "authorization".into(), prefix: "OAuth2 ".into() },
        ..standard
    }
}

const TOKEN_HEADER: (&str, &str) = ("authorization", "OAuth2 {access_token}");

/// `redirect_uri` is asked for here too; Weibo compares it with the registered one.
const REFRESH_PARAMETERS: &[(&str, &str)] =
    &[("grant_type", "refresh_token"), ("redirect_uri", "{redirect_uri}"), ("refresh_token", "{refresh_token}")];

const REFUSALS: &[(i32, Refusal)] = &[
    (21301, Refusal::AccessToken),
    (21314, Refusal::AccessToken),
    (21315, Refusal::AccessToken),
    (21316, Refusal::AccessToken),
    (21317, Refusal::AccessToken),
    (21319, Refusal::AccessToken),
    (21321, Refusal::Permission),
    (21322, Refusal::Request),
    (21323, Refusal::Request),
    (21324, Refusal::Credentials),
    (21325, Refusal::Grant),
    (21326, Refusal::Permission),
    (21327, Refusal::AccessToken),
    (21328, Refusal::Request),
    (21329, Refusal::Request),
    (21330, Refusal::Denied),
    (21331, Refusal::Busy),
    (21332, Refusal::AccessToken),
    (21333, Refusal::Busy),
    (21334, Refusal::Account),
    (21335, Refusal::Permission),
    (21336, Refusal::Permission),
    (21337, Refusal::Permission),
    (21338, Refusal::Permission),
    (10001, Refusal::Busy),
    (10002, Refusal::Busy),
    (10003, Refusal::Busy),
    (10004, Refusal::RateLimit),
    (10005, Refusal::Permission),
    (10006, Refusal::Credentials),
    (10007, Refusal::Request),
    (10008, Refusal::Request),
    (10009, Refusal::Busy),
    (10010, Refusal::Busy),
    (10011, Refusal::Busy),
    (10012, Refusal::Request),
    (10013, Refusal::Account),
    (10014, Refusal::Permission),
    (10016, Refusal::Request),
    (10017, Refusal::Request),
    (10018, Refusal::Request),
    (10020, Refusal::Request),
    (10021, Refusal::Request),
    (10022, Refusal::RateLimit),
    (10023, Refusal::RateLimit),
    (10024, Refusal::RateLimit),
    (20003, Refusal::Account),
];
