//! Server metadata (RFC 8414, OpenID Connect Discovery 1.0). What is advertised is alive, and what is not is absent.

use serde::Serialize;

use crate::{
    channel,
    client::{GrantType, Registry},
    jose::jws::Algorithm,
    request::response_mode::ResponseMode,
};

/// Paths of the endpoints below the issuer.
pub mod path {
    /// RFC 6749 §3.1.
    pub const AUTHORIZE: &str = "/authorize";
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/token";
    /// RFC 7662.
    pub const INTROSPECT: &str = "/introspect";
    /// RFC 7009.
    pub const REVOKE: &str = "/revoke";
    /// OpenID Connect Core 1.0 §5.3.
    pub const USERINFO: &str = "/userinfo";
    /// RFC 7517.
    pub const JWKS: &str = "/jwks";
    /// OpenID Connect RP-Initiated Logout 1.0.
    pub const SIGN_OUT: &str = "/sign-out";
    /// OpenID Connect Discovery 1.0 §4.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// RFC 8414 §3.
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
}

#[derive(Serialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: Vec<&'static str>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    subject_types_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    code_challenge_methods_supported: Vec<&'static str>,
    claims_supported: [&'static str; 13],
    ui_locales_supported: [&'static str; 2],
    prompt_values_supported: [&'static str; 4],
    authorization_response_iss_parameter_supported: bool,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    #[serde(flatten)]
    channel: Option<ChannelMetadata>,
}

/// Members of our own (RFC 8414 §2 allows more): where the channel is.
#[derive(Serialize)]
struct ChannelMetadata {
    channel_event_endpoint: String,
    channel_socket_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_line_endpoint: Option<String>,
}

const AUTH_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// The metadata document as JSON text. Legacy grants are named only while some client has them switched on; `line` is
/// where the line protocol is spoken.
pub fn metadata(issuer: &str, registry: &Registry, algorithms: &[Algorithm], line: Option<&str>) -> String {
    let at = |path: &str| format!("{issuer}{path}");
    let is_on = |grant_type| registry.all().any(|client| !client.is_disabled && client.may_use(grant_type));
    let always = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let plain =
        registry.all().any(|client| !client.is_disabled && client.pkce == crate::client::PkcePolicy::PlainAllowed);
    let metadata = Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at(path::AUTHORIZE),
        token_endpoint: at(path::TOKEN),
        userinfo_endpoint: at(path::USERINFO),
        jwks_uri: at(path::JWKS),
        introspection_endpoint: at(path::INTROSPECT),
        revocation_endpoint: at(path::REVOKE),
        end_session_endpoint: at(path::SIGN_OUT),
        scopes_supported: scopes(registry),
        response_types_supported: std::iter::once("code")
            .chain(is_on(GrantType::Implicit).then_some("token"))
            .collect(),
        response_modes_supported: ResponseMode::ALL.into_iter().map(ResponseMode::as_str).collect(),
        grant_types_supported: GrantType::ALL
            .into_iter()
            .filter(|grant_type| always.contains(grant_type) || is_on(*grant_type))
            .map(GrantType::as_str)
            .collect(),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: algorithms.iter().map(|algorithm| algorithm.as_str()).collect(),
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        code_challenge_methods_supported: std::iter::once("S256").chain(plain.then_some("plain")).collect(),
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "amr",
            "at_hash",
            "name",
            "nickname",
            "preferred_username",
            "picture",
        ],
        ui_locales_supported: ["en", "zh-CN"],
        prompt_values_supported: ["none", "login", "consent", "select_account"],
        authorization_response_iss_parameter_supported: true,
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        channel: registry.api(&channel::resource(issuer)).map(|_| channel_metadata(issuer, line)),
    };
    serde_json::to_string(&metadata).unwrap_or_default()
}

fn channel_metadata(issuer: &str, line: Option<&str>) -> ChannelMetadata {
    let authority = issuer.strip_prefix("http");
    ChannelMetadata {
        channel_event_endpoint: format!("{issuer}{}", channel::path::EVENTS),
        channel_socket_endpoint: format!("ws{}{}", authority.unwrap_or_default(), channel::path::SOCKET),
        channel_line_endpoint: line.map(str::to_owned),
    }
}

fn scopes(registry: &Registry) -> Vec<String> {
    let mut scopes: Vec<String> = ["openid", "profile", "offline_access"].map(str::to_owned).to_vec();
    for api in registry.apis() {
        for token in api.scope.tokens().filter(|token| !scopes.iter().any(|own| own == token)).collect::<Vec<_>>() {
            scopes.push(token.to_owned());
        }
    }
    scopes
}
