//! A provider that keeps to RFC 6749: what all other records start from.

use std::collections::BTreeMap;

use super::{
    AnswerFormat, Call, CallMethod, CallbackRule, ClientAuthentication, ErrorShape, IdentityRule, Pkce, Provider,
    Refusal, StateAlphabet, StateRule, TokenFields, TokenPlacement,
};

/// A record for any OAuth 2.0 provider: code flow with PKCE, form requests, JSON answers, Bearer
/// tokens, the subject in the field `sub` of the user answer, the client authenticated by
/// `client_secret_basic`. Change what differs with [`Provider::with`].
///
/// `id` is the name under which identities are kept; the other three are absolute https
/// addresses. `user_endpoint` may be empty for a client that only wants tokens.
pub fn oauth2(id: &str, authorization_endpoint: &str, token_endpoint: &str, user_endpoint: &str) -> Provider {
    let user = (!user_endpoint.is_empty()).then(|| bearer_get(user_endpoint));
    let base_url = if user_endpoint.is_empty() { token_endpoint } else { user_endpoint };
    Provider {
        id: id.into(),
        authorization_endpoint: authorization_endpoint.into(),
        authorization_parameters: pairs(&[
            ("client_id", "{client_id}"),
            ("redirect_uri", "{redirect_uri}"),
            ("response_type", "{response_type}"),
            ("scope", "{scope}"),
            ("state", "{state}"),
            ("nonce", "{nonce}"),
            ("code_challenge", "{code_challenge}"),
            ("code_challenge_method", "{code_challenge_method}"),
        ]),
        authorization_fragment: None,
        languages: Vec::new(),
        scope: Vec::new(),
        scope_separator: " ".into(),
        state: StateRule { alphabet: StateAlphabet::Base64url, length_max: 128 },
        pkce: Pkce::S256,
        callback: CallbackRule {
            code: vec!["code".into()],
            denials: Vec::new(),
            issuer: None,
            issuer_required: false,
            user: None,
        },
        client_authentication: ClientAuthentication::ClientSecretBasic,
        token: post_form(token_endpoint, TOKEN_PARAMETERS),
        refresh: Some(post_form(token_endpoint, REFRESH_PARAMETERS)),
        check: None,
        subject: None,
        user,
        revocation: None,
        device_authorization_endpoint: None,
        pushed_authorization_request_endpoint: None,
        pushed_authorization_request_required: false,
        token_fields: TokenFields {
            access_token: "access_token".into(),
            refresh_token: "refresh_token".into(),
            expires_in: "expires_in".into(),
            scope: "scope".into(),
        },
        errors: standard_errors(),
        identity: IdentityRule {
            subject: vec!["sub".into()],
            token_subject: None,
            subject_audience: None,
            is_per_application: true,
            union_subject: None,
            nickname: vec!["name".into(), "preferred_username".into()],
            avatar_url: vec!["picture".into()],
            provisional: None,
        },
        id_token: None,
        base_url: origin(base_url).into(),
        token_placement: TokenPlacement::Bearer,
    }
}

/// RFC 6749 §4.1.3 and RFC 7636 §4.5.
pub(super) const TOKEN_PARAMETERS: &[(&str, &str)] = &[
    ("grant_type", "authorization_code"),
    ("code", "{code}"),
    ("redirect_uri", "{redirect_uri}"),
    ("code_verifier", "{code_verifier}"),
];

/// RFC 6749 §6.
pub(super) const REFRESH_PARAMETERS: &[(&str, &str)] =
    &[("grant_type", "refresh_token"), ("refresh_token", "{refresh_token}")];

pub(super) fn post_form(endpoint: &str, parameters: &[(&str, &str)]) -> Call {
    call(endpoint, CallMethod::PostForm, parameters)
}

pub(super) fn get(endpoint: &str, parameters: &[(&str, &str)]) -> Call {
    call(endpoint, CallMethod::Get, parameters)
}

pub(super) fn bearer_get(endpoint: &str) -> Call {
    Call { headers: pairs(&[("authorization", "Bearer {access_token}")]), ..get(endpoint, &[]) }
}

pub(super) fn call(endpoint: &str, method: CallMethod, parameters: &[(&str, &str)]) -> Call {
    Call {
        endpoint: endpoint.into(),
        method,
        parameters: pairs(parameters),
        headers: Vec::new(),
        answer: AnswerFormat::Json,
        within: None,
        is_application: false,
    }
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}

pub(super) fn refusals<T: ToString>(table: &[(T, Refusal)]) -> BTreeMap<String, Refusal> {
    table.iter().map(|(code, refusal)| (code.to_string(), *refusal)).collect()
}

/// RFC 6749 §5.2, RFC 6750 §3.1 and RFC 7009 §2.2.1.
pub(super) fn standard_errors() -> ErrorShape {
    ErrorShape {
        code: texts(&["error"]),
        success: texts(&["", "0"]),
        message: texts(&["error_description", "message"]),
        refusals: refusals(STANDARD_REFUSALS),
    }
}

const STANDARD_REFUSALS: &[(&str, Refusal)] = &[
    ("invalid_request", Refusal::Request),
    ("invalid_client", Refusal::Credentials),
    ("invalid_grant", Refusal::Grant),
    ("unauthorized_client", Refusal::Permission),
    ("unsupported_grant_type", Refusal::Request),
    ("invalid_scope", Refusal::Permission),
    ("access_denied", Refusal::Denied),
    ("invalid_token", Refusal::AccessToken),
    ("insufficient_scope", Refusal::Permission),
    ("unsupported_token_type", Refusal::Request),
    ("invalid_dpop_proof", Refusal::Request),
    ("server_error", Refusal::Busy),
    ("temporarily_unavailable", Refusal::Busy),
    ("slow_down", Refusal::RateLimit),
];

/// Scheme and host of an absolute URL.
fn origin(address: &str) -> &str {
    let Some(start) = address.find("://").map(|at| at + 3) else {
        return address;
    };
    let end = address.get(start..).and_then(|rest| rest.find(['/', '?'])).map_or(address.len(), |at| start + at);
    address.get(..end).unwrap_or(address)
}
