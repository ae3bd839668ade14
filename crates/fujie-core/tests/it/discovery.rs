//! Server metadata (RFC 8414, OpenID Connect Discovery 1.0): what is advertised is alive, what is off is absent.

use fujie_core::{
    client::{Client, GrantType, PkcePolicy, Registry},
    discovery::metadata,
    jose::jws::Algorithm,
};
use serde_json::{Value, json};

use crate::house::{ISSUER, clients};

/// The document for the clients that remain after `change`.
fn document(change: impl FnMut(&mut Client)) -> Value {
    let mut clients = clients();
    clients.iter_mut().for_each(change);
    serde_json::from_str(&metadata(ISSUER, &Registry::new(clients), &[Algorithm::Es256, Algorithm::EdDsa], None))
        .unwrap()
}

fn safe(client: &mut Client) {
    client.grant_types.retain(|own| ![GrantType::Implicit, GrantType::Password].contains(own));
    client.pkce = PkcePolicy::Required;
}

#[test]
fn the_document_says_exactly_this_by_default() {
    let expected = json!({
        "issuer": "https://id.example",
        "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token",
        "userinfo_endpoint": "https://id.example/userinfo",
        "jwks_uri": "https://id.example/jwks",
        "introspection_endpoint": "https://id.example/introspect",
        "revocation_endpoint": "https://id.example/revoke",
        "end_session_endpoint": "https://id.example/sign-out",
        "scopes_supported": ["openid", "profile", "offline_access", "read", "write", "open"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "name",
            "nickname", "preferred_username", "picture"],
        "ui_locales_supported": ["en", "zh-CN"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    assert_eq!(document(safe), expected);
}

#[test]
fn a_legacy_grant_is_named_only_while_an_enabled_client_has_it() {
    let on = document(|_| {});
    assert_eq!(on["response_types_supported"], json!(["code", "token"]));
    assert_eq!(
        on["grant_types_supported"],
        json!(["authorization_code", "implicit", "password", "client_credentials", "refresh_token"])
    );
    assert_eq!(on["code_challenge_methods_supported"], json!(["S256", "plain"]));
    let off = document(|client| client.is_disabled |= client.id == "legacy");
    let safe = document(safe);
    for name in ["response_types_supported", "grant_types_supported", "code_challenge_methods_supported"] {
        assert_eq!(off[name], safe[name], "{name}");
    }
}

#[test]
fn the_scopes_of_a_disabled_api_are_absent() {
    let document = document(|client| client.is_disabled |= client.id == "vault");
    assert_eq!(document["scopes_supported"], json!(["openid", "profile", "offline_access", "read", "write"]));
}

#[test]
fn empty_lists_are_absent() {
    // RFC 8414 §3.2: claims that return no elements are omitted.
    let text = metadata(ISSUER, &Registry::new(Vec::new()), &[], None);
    let document: Value = serde_json::from_str(&text).unwrap();
    let empty: Vec<_> = document.as_object().unwrap().iter().filter(|(_, value)| **value == json!([])).collect();
    assert!(empty.is_empty(), "{empty:?}");
}
