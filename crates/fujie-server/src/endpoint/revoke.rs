//! The revocation endpoint (RFC 7009).

use fujie_core::{
    grant::EndedWhy,
    token::{
        error::TokenError,
        introspect::Presented,
        revoke::{self, Revocation},
    },
};
use http::StatusCode;

use super::token::{authenticate, failed, refuse};
use crate::{
    http::{Request, Response, error, for_any_origin, json_text},
    server::Server,
};

/// POST.
pub async fn post(server: &Server, request: &Request) -> Response {
    let response = match decide(server, request).await {
        Ok(response) => response,
        Err(cause) => refuse(&cause),
    };
    for_any_origin(response)
}

async fn decide(server: &Server, request: &Request) -> Result<Response, TokenError> {
    let now = server.now();
    let snapshot = server.snapshot();
    let parameters = request.form()?;
    let caller = authenticate(request, &parameters, &snapshot)?;
    let token = parameters.text("token").ok_or(TokenError::Missing("token"))?;
    let presented = Presented::read(token, &snapshot.ring);
    let grant = match presented.grant() {
        Some(grant) => server.store.grant(grant).await.map_err(failed)?,
        None => None,
    };
    match revoke::decide(&presented, grant.as_ref(), &caller) {
        Ok(Revocation::Grant(grant)) => {
            server.store.end_grant(grant, EndedWhy::Revoked, now).await.map_err(failed)?;
        }
        Ok(Revocation::Token(token, until)) => {
            let whose = (grant.map(|grant| grant.account), caller.client().id.clone());
            server.store.revoke_token(token, until, whose, now).await.map_err(failed)?;
        }
        Ok(Revocation::Nothing) => {}
        Err(cause) => return Ok(error(&cause)),
    }
    Ok(json_text(StatusCode::OK, "{}"))
}
