//! The introspection endpoint (RFC 7662).

use fujie_core::{
    grant::ClientAuth,
    request::client_auth::ClientAuthError,
    token::{
        error::TokenError,
        introspect::{self, Introspection, Presented},
    },
};
use http::StatusCode;

use super::token::{authenticate, failed, refuse};
use crate::{
    http::{Request, Response, json},
    server::Server,
};

/// POST.
pub async fn post(server: &Server, request: &Request) -> Response {
    match decide(server, request).await {
        Ok(introspection) => json(StatusCode::OK, &introspection),
        Err(cause) => refuse(&cause),
    }
}

async fn decide(server: &Server, request: &Request) -> Result<Introspection, TokenError> {
    let now = server.now();
    let snapshot = server.snapshot();
    let parameters = request.form()?;
    let caller = authenticate(request, &parameters, &snapshot)?;
    // A public client proves nothing, so it is told nothing (§2.1).
    if caller.method() == ClientAuth::None {
        return Err(ClientAuthError::Failed { by_header: false }.into());
    }
    let token = parameters.text("token").ok_or(TokenError::Missing("token"))?;
    let presented = Presented::read(token, &snapshot.ring);
    let (grant, is_revoked) = match (presented.grant(), presented.token_id()) {
        (Some(grant), Some(token)) => {
            let found = server.store.grant_and_revoked(grant, token).await.map_err(failed)?;
            found.map_or((None, false), |(grant, is_revoked)| (Some(grant), is_revoked))
        }
        (Some(grant), None) => (server.store.grant(grant).await.map_err(failed)?, false),
        (None, Some(token)) => (None, server.store.is_revoked(token).await.map_err(failed)?),
        (None, None) => (None, false),
    };
    Ok(introspect::decide(&presented, grant.as_ref(), is_revoked, &caller, &snapshot.registry, server.issuer(), now))
}
