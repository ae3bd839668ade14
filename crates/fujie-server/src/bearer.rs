//! Bearer tokens at the protected resources of this server (RFC 6750): read from the header, their facts loaded, and
//! what is answered when they do not do. Whether they do is judged in core.

use fujie_core::{
    account::Account,
    error::WireError,
    grant::Grant,
    token::{
        access_token::AccessToken,
        bearer::{BearerError, Facts},
    },
};
use fujie_store::StoreError;
use http::{StatusCode, header};

use crate::{
    http::{Request, Response, error, status, with_header},
    server::Server,
};

/// A token that somebody holds, with all that is known of it.
pub(crate) struct Held {
    token: Option<AccessToken>,
    grant: Option<Grant>,
    is_revoked: bool,
    account: Option<Account>,
}

impl Held {
    /// Reads `text` and loads what it points to.
    pub async fn load(server: &Server, text: &str) -> Result<Self, StoreError> {
        let mut held = Self { token: None, grant: None, is_revoked: false, account: None };
        let Some(token) = AccessToken::read(text, &server.snapshot().ring) else { return Ok(held) };
        match token.grant {
            None => held.is_revoked = server.store.is_revoked(token.id).await?,
            Some(grant) => {
                if let Some((grant, is_revoked)) = server.store.grant_and_revoked(grant, token.id).await? {
                    held.account = server.store.account(grant.account).await?;
                    (held.grant, held.is_revoked) = (Some(grant), is_revoked);
                }
            }
        }
        held.token = Some(token);
        Ok(held)
    }

    /// What `judge` says to it. What is no token of ours is refused.
    pub fn judge<'a, T>(
        &'a self,
        judge: impl FnOnce(&'a AccessToken, Facts<'a>) -> Result<T, BearerError>,
    ) -> Result<T, BearerError> {
        let token = self.token.as_ref().ok_or(BearerError::Token)?;
        let facts = Facts { grant: self.grant.as_ref(), is_revoked: self.is_revoked, account: self.account.as_ref() };
        judge(token, facts)
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn of_header(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header(header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The answer to a request without a token: no error code either (RFC 6750 §3.1).
pub(crate) fn challenge_without_token() -> Response {
    with_header(status(StatusCode::UNAUTHORIZED), header::WWW_AUTHENTICATE, "Bearer realm=\"fujie\"")
}

/// The answer to a request whose token does not do, with the scope that would (RFC 6750 §3).
pub(crate) fn challenge(cause: &impl WireError, scope: Option<&str>) -> Response {
    let mut value = format!(
        "Bearer realm=\"fujie\", error=\"{}\", error_description=\"{}\"",
        cause.code().as_str(),
        cause.error_description()
    );
    if let Some(scope) = scope {
        value.push_str(&format!(", scope=\"{scope}\""));
    }
    with_header(error(cause), header::WWW_AUTHENTICATE, &value)
}
