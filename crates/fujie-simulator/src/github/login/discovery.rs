//! The discovery document of RFC 8414, at the address with the issuer's path at its end.
//!
//! Exactly the members of the real one, in its order; the root forms are 404.

use crate::github::world::Simulation;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    service_documentation: &'static str,
    code_challenge_methods_supported: [&'static str; 1],
    device_authorization_endpoint: String,
    authorization_response_iss_parameter_supported: bool,
    scopes_supported: [&'static str; 1],
}

pub(crate) async fn document(State(simulation): State<Arc<Simulation>>) -> Response {
    let base_url = simulation.base_url();
    let document = Document {
        issuer: simulation.world().issuer(),
        authorization_endpoint: format!("{base_url}/login/oauth/authorize"),
        token_endpoint: format!("{base_url}/login/oauth/access_token"),
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        service_documentation: "https://docs.github.com/apps/creating-github-apps/registering-a-github-app/registering-a-github-app",
        code_challenge_methods_supported: ["S256"],
        device_authorization_endpoint: format!("{base_url}/login/device/code"),
        authorization_response_iss_parameter_supported: true,
        scopes_supported: ["offline_access"],
    };
    Json(document).into_response()
}
