//! A provider that keeps to OpenID Connect, from its own description (OpenID Connect Discovery §3).

use aws_lc_rs::digest::{SHA256, digest};

use super::oauth2::{bearer_get, oauth2, post_form, texts};
use super::{CallbackRule, ClientAuthentication, IdTokenRule, IdentityRule, Provider};
use crate::openid::metadata::Metadata;

/// Characters of an id that come from the issuer's address.
const ID_WORDS_MAX: usize = 48;

/// The record that follows from a provider's metadata, asking for `openid profile`. The identity
/// is issuer and `sub`: the record's id is made of the issuer. Without keys or an authorization
/// endpoint in the metadata only grants without a person work.
pub fn openid(metadata: &Metadata) -> Provider {
    let issuer = metadata.issuer.as_str();
    let page = metadata.authorization_endpoint.as_deref().unwrap_or_default();
    let standard = oauth2(&openid_id(issuer), page, &metadata.token_endpoint, "");
    let algorithms = &metadata.id_token_signing_algorithms;
    Provider {
        scope: texts(&["openid", "profile"]),
        callback: CallbackRule {
            issuer: (!metadata.issuer.is_template()).then(|| issuer.to_owned()),
            issuer_required: metadata.authorization_response_iss_parameter_supported,
            ..standard.callback
        },
        client_authentication: authentication(&metadata.token_endpoint_auth_methods_supported),
        user: metadata.userinfo_endpoint.as_deref().map(bearer_get),
        revocation: metadata
            .revocation_endpoint
            .as_deref()
            .map(|endpoint| post_form(endpoint, &[("token", "{access_token}"), ("token_type_hint", "access_token")])),
        device_authorization_endpoint: metadata.device_authorization_endpoint.clone(),
        pushed_authorization_request_endpoint: metadata.pushed_authorization_request_endpoint.clone(),
        pushed_authorization_request_required: metadata.require_pushed_authorization_requests,
        identity: IdentityRule { subject: texts(&["sub"]), is_per_application: false, ..standard.identity },
        id_token: metadata.jwks_uri.as_ref().map(|jwks_uri| IdTokenRule {
            issuer: issuer.to_owned(),
            jwks_uri: jwks_uri.clone(),
            algorithms: algorithms.iter().map(|algorithm| algorithm.as_str().to_owned()).collect(),
            subject: texts(&["sub"]),
        }),
        ..standard
    }
}

/// The first that the provider offers, the standard's default first; a client with a key, or
/// without a secret, changes it.
fn authentication(offered: &[String]) -> ClientAuthentication {
    let offers = |method: &str| offered.iter().any(|known| known == method);
    match () {
        () if offered.is_empty() || offers("client_secret_basic") => ClientAuthentication::ClientSecretBasic,
        () if offers("client_secret_post") => ClientAuthentication::ClientSecretPost,
        () if offers("private_key_jwt") => ClientAuthentication::PrivateKeyJwt,
        () => ClientAuthentication::None,
    }
}

/// The id of the record that is made for this issuer: words of its address for people, and a part
/// of its digest, so that no two are alike.
pub fn openid_id(issuer: &str) -> String {
    let address = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let word = |character: char| if character.is_ascii_alphanumeric() || character == '.' { character } else { '-' };
    let words: String = address.to_ascii_lowercase().chars().take(ID_WORDS_MAX).map(word).collect();
    let digest: String =
        digest(&SHA256, issuer.as_bytes()).as_ref().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{digest}", words.trim_matches('-'))
}
