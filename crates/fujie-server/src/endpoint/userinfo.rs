//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3), a protected resource (RFC 6750).

use fujie_core::{
    error::{ErrorCode, WireError},
    token::{access_token::AccessToken, error::TokenError},
    userinfo::{self, Facts, Userinfo, UserinfoError},
};
use fujie_store::StoreError;
use http::{StatusCode, header};

use crate::{
    http::{Request, Response, error, for_any_origin, json, status, with_header},
    server::Server,
};

/// Two ways of sending a token in one request (RFC 6750 §2).
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("send the access token in one way only, the Authorization header or the body")]
struct TwoWays;

impl WireError for TwoWays {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

/// GET and POST.
pub async fn answer(server: &Server, request: &Request) -> Response {
    for_any_origin(judge(server, request).await)
}

async fn judge(server: &Server, request: &Request) -> Response {
    let by_header = bearer(request);
    let form = match request.form() {
        Ok(form) => form,
        Err(cause) => {
            let cause = TokenError::Parameters(cause);
            return challenge(error(&cause), &cause);
        }
    };
    let token = match (by_header, form.text("access_token")) {
        (Some(_), Some(_)) => return challenge(error(&TwoWays), &TwoWays),
        (Some(token), None) => token,
        (None, Some(token)) => token,
        // No token was sent: no error code either (RFC 6750 §3.1).
        (None, None) => {
            return with_header(status(StatusCode::UNAUTHORIZED), header::WWW_AUTHENTICATE, "Bearer realm=\"fujie\"");
        }
    };
    match load(server, token).await {
        Ok(Ok(userinfo)) => json(StatusCode::OK, &userinfo),
        Ok(Err(cause)) => challenge(error(&cause), &cause),
        Err(cause) => error(&super::token::failed(cause)),
    }
}

async fn load(server: &Server, text: &str) -> Result<Result<Userinfo, UserinfoError>, StoreError> {
    let now = server.now();
    let snapshot = server.snapshot();
    let Some(token) = AccessToken::read(text, &snapshot.ring) else {
        return Ok(Err(UserinfoError::Token));
    };
    let Some(grant) = token.grant else {
        let is_over = !token.is_current(&snapshot.registry, now) || server.store.is_revoked(token.id).await?;
        return Ok(Err(if is_over { UserinfoError::Token } else { UserinfoError::Scope }));
    };
    let found = server.store.grant_and_revoked(grant, token.id).await?;
    let account = match &found {
        Some((grant, _)) => server.store.account(grant.account).await?,
        None => None,
    };
    let facts = Facts {
        grant: found.as_ref().map(|(grant, _)| grant),
        is_revoked: found.as_ref().is_some_and(|(_, is_revoked)| *is_revoked),
        account: account.as_ref(),
    };
    Ok(userinfo::decide(&token, facts, &snapshot.registry, server.issuer(), now))
}

/// The token of an `Authorization: Bearer` header.
fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header(header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn challenge(response: Response, cause: &impl WireError) -> Response {
    let value = format!(
        "Bearer realm=\"fujie\", error=\"{}\", error_description=\"{}\"",
        cause.code().as_str(),
        cause.error_description()
    );
    with_header(response, header::WWW_AUTHENTICATE, &value)
}
