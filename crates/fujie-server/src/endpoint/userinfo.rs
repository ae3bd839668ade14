//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3), a protected resource (RFC 6750).

use fujie_core::{
    error::{ErrorCode, WireError},
    token::error::TokenError,
    userinfo,
};
use http::StatusCode;

use crate::bearer::{Held, challenge, challenge_without_token, of_header};
use crate::{
    http::{Request, Response, error, for_any_origin, json},
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
    let by_header = of_header(request);
    let form = match request.form() {
        Ok(form) => form,
        Err(cause) => {
            return challenge(&TokenError::Parameters(cause), None);
        }
    };
    let token = match (by_header, form.text("access_token")) {
        (Some(_), Some(_)) => return challenge(&TwoWays, None),
        (Some(token), None) => token,
        (None, Some(token)) => token,
        (None, None) => return challenge_without_token(),
    };
    let held = match Held::load(server, token).await {
        Ok(held) => held,
        Err(cause) => return error(&super::token::failed(cause)),
    };
    match held.judge(|token, facts| {
        userinfo::decide(token, facts, &server.snapshot().registry, server.issuer(), server.now())
    }) {
        Ok(userinfo) => json(StatusCode::OK, &userinfo),
        Err(cause) => challenge(&cause, cause.scope()),
    }
}
