//! GitHub (github.com, or an Enterprise Server): OAuth apps and GitHub Apps acting for a person. What departs from RFC
//! 6749: failures with status 200 and names of its own, JSON only when asked for, scopes asked
//! with spaces and answered with commas, a numeric subject, an API without `error` fields.

use super::oauth2::{bearer_get, oauth2, pairs, refusals, texts};
use super::{
    AnswerFormat, Call, CallMethod, CallbackRule, ClientAuthentication, ErrorShape, IdentityRule, Provider, Refusal,
};

/// Where the API is, and the path that takes its place on a host of one's own: Enterprise Server
/// has no second one.
pub(super) const API: &str = "https://api.github.com";
pub(super) const ENTERPRISE_API: &str = "/api/v3";

/// The preset, for github.com; [`Provider::at_host`] makes it one for an Enterprise Server, which
/// needs an `id` of its own too, because its people are other people. The subject is the numeric id: a login may be renamed and taken by somebody else.
pub fn github() -> Provider {
    let page = "https://github.com/login/oauth/authorize";
    let token = "https://github.com/login/oauth/access_token";
    let user = "https://api.github.com/user";
    let standard = oauth2("github", page, token, user);
    let headers = [
        ("authorization", "Bearer {access_token}"),
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
    ];
    Provider {
        callback: CallbackRule {
            // Sent since 2026; Enterprise Server may not send it.
            issuer: Some("https://github.com/login/oauth".into()),
            ..standard.callback
        },
        client_authentication: ClientAuthentication::ClientSecretPost,
        user: Some(Call { headers: pairs(&headers), ..bearer_get(user) }),
        revocation: Some(revocation()),
        device_authorization_endpoint: Some("https://github.com/login/device/code".into()),
        errors: ErrorShape {
            message: texts(&["error_description", "errors.0.message", "message"]),
            refusals: standard.errors.refusals.into_iter().chain(refusals(REFUSALS)).collect(),
            ..standard.errors
        },
        identity: IdentityRule {
            subject: texts(&["id"]),
            is_per_application: false,
            nickname: texts(&["name", "login"]),
            avatar_url: texts(&["avatar_url"]),
            ..standard.identity
        },
        base_url: API.into(),
        ..standard
    }
}

/// Ends one access token and the refresh token beside it; only the application itself may ask.
fn revocation() -> Call {
    let headers = [
        ("authorization", "Basic {basic_credentials}"),
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
    ];
    Call {
        endpoint: "https://api.github.com/applications/{client_id}/token".into(),
        method: CallMethod::DeleteJson,
        parameters: pairs(&[("access_token", "{access_token}")]),
        headers: pairs(&headers),
        answer: AnswerFormat::Json,
        within: None,
        is_application: false,
    }
}

const REFUSALS: &[(&str, Refusal)] = &[
    ("incorrect_client_credentials", Refusal::Credentials),
    ("Not Found", Refusal::Credentials),
    ("redirect_uri_mismatch", Refusal::Request),
    ("bad_verification_code", Refusal::Code),
    ("bad_refresh_token", Refusal::RefreshToken),
    ("unverified_user_email", Refusal::Account),
    ("application_suspended", Refusal::Permission),
    ("device_flow_disabled", Refusal::Permission),
    ("incorrect_device_code", Refusal::Code),
];
