//! The discovery document (OpenID Connect Discovery §3) and the JWK set it names.

use super::config::{AuthMethod, CallbackIss};
use super::device;
use super::house::Manners;
use super::id_token::STRANGE_ISSUER;
use super::world::{Object, World};
use crate::call::Call;
use crate::control::Refusal;
use crate::simulation::Simulation;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn document<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let world = simulation.world();
    Json(Value::Object(members(&world, M::PATHS.tenant_in(call.path())))).into_response()
}

fn members<M: Manners>(world: &World<M>, tenant: &str) -> Object {
    let (switches, paths) = (&world.switches, M::PATHS);
    let issuer = M::issuer(&world.base_url, tenant, switches).discovered;
    let issuer = if switches.discovery_of_another_issuer { STRANGE_ISSUER.to_owned() } else { issuer };
    let mut grant_types = vec!["authorization_code", "refresh_token", "client_credentials"];
    grant_types.extend(switches.password_grant.then_some("password"));
    grant_types.extend(paths.device_authorization.map(|_path| device::GRANT_TYPE));
    let challenges: &[&str] = if switches.pkce_plain { &["S256", "plain"] } else { &["S256"] };
    let mut members = Object::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("issuer", json!(issuer));
    put("authorization_endpoint", json!(world.url(paths.authorize, tenant)));
    put("token_endpoint", json!(world.url(paths.token, tenant)));
    put("jwks_uri", json!(world.url(paths.jwks, tenant)));
    for (name, path) in [
        ("userinfo_endpoint", paths.userinfo),
        ("revocation_endpoint", paths.revoke),
        ("device_authorization_endpoint", paths.device_authorization),
        ("pushed_authorization_request_endpoint", paths.pushed_authorization_request),
        ("end_session_endpoint", paths.end_session),
    ] {
        if let Some(path) = path {
            put(name, json!(world.url(path, tenant)));
        }
    }
    put("scopes_supported", json!(M::SCOPES));
    put("response_types_supported", json!(M::RULES.response_types));
    put("response_modes_supported", json!(["query", "fragment", "form_post"]));
    put("grant_types_supported", json!(grant_types));
    put("subject_types_supported", json!(["public"]));
    put("id_token_signing_alg_values_supported", json!(["RS256", "ES256"]));
    put("token_endpoint_auth_methods_supported", json!(switches.token_endpoint_auth_methods));
    if switches.token_endpoint_auth_methods.contains(&AuthMethod::PrivateKeyJwt) {
        put("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", "ES256"]));
    }
    if paths.pushed_authorization_request.is_some() {
        put("require_pushed_authorization_requests", json!(switches.pushed_requests_required));
    }
    if M::BINDS_TOKENS {
        put("dpop_signing_alg_values_supported", json!(["ES256"]));
    }
    put("code_challenge_methods_supported", json!(challenges));
    put(
        "claims_supported",
        json!(["sub", "name", "nickname", "preferred_username", "picture", "email", "email_verified"]),
    );
    put("prompt_values_supported", json!(["none", "login", "consent", "select_account"]));
    let is_iss_promised = M::SENDS_ISS || switches.callback_iss == CallbackIss::Wrong;
    put("authorization_response_iss_parameter_supported", json!(is_iss_promised));
    put("request_parameter_supported", json!(false));
    put("request_uri_parameter_supported", json!(false));
    members
}

pub(crate) async fn jwks<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>) -> Response {
    Json(simulation.world().keys.jwks()).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    #[serde(default)]
    drop_old: bool,
}

/// `POST /_simulate/keys`: signs with new keys from now on. The old ones stay in the JWK set,
/// unless `{"drop_old": true}`. Answers with the set.
pub(crate) async fn rotate<M: Manners>(
    State(simulation): State<Arc<Simulation<World<M>>>>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let RotateBody { drop_old } = serde_json::from_slice(body)?;
    let fresh = super::key_ring::KeyRing::generate()?;
    let mut world = simulation.world();
    world.keys.rotate(fresh, !drop_old);
    Ok(Json(world.keys.jwks()).into_response())
}
