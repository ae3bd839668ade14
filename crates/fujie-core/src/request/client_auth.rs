//! Client authentication at the endpoints that clients call (RFC 6749 §2.3): basic, post, none.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::parameters::Parameters;
use crate::{
    client::{Client, Registry},
    error::{ErrorCode, WireError},
    grant::ClientAuth,
    secret::{Digest, Kind},
};

/// Why a client is not authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    /// No `client_id` by any method.
    #[error("client authentication is missing: send client_id, with client_secret for a confidential client")]
    Missing,
    /// Two methods in one request (RFC 6749 §2.3).
    #[error("use one client authentication method only, the Authorization header or the body")]
    TwoMethods,
    /// The Authorization header is not Basic with a UTF-8 `client_id:client_secret`.
    #[error("the Authorization header is not well-formed Basic authentication")]
    Header,
    /// Unknown client, disabled client, wrong secret: the caller is not told which.
    #[error("client authentication failed")]
    Failed {
        /// The Authorization header was used, so the answer carries `WWW-Authenticate` (RFC 6749 §5.2).
        by_header: bool,
    },
}

impl ClientAuthError {
    /// Must the answer carry `WWW-Authenticate: Basic`?
    pub const fn challenges_basic(&self) -> bool {
        matches!(self, Self::Header | Self::Failed { by_header: true })
    }
}

impl WireError for ClientAuthError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::TwoMethods => ErrorCode::InvalidRequest,
            Self::Missing | Self::Header | Self::Failed { .. } => ErrorCode::InvalidClient,
        }
    }
}

/// The fact that this client is who it says. For a public client: that it exists and named itself.
#[derive(Debug)]
#[must_use = "an authenticated client is what a grant is decided for"]
pub struct ClientAuthenticated {
    client: Arc<Client>,
    method: ClientAuth,
}

impl ClientAuthenticated {
    /// The client.
    pub const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// How it proved it.
    pub const fn method(&self) -> ClientAuth {
        self.method
    }
}

/// Authenticates the client of a request from its `Authorization` header (if any) and its body.
pub fn authenticate(
    registry: &Registry,
    authorization: Option<&str>,
    body: &Parameters,
) -> Result<ClientAuthenticated, ClientAuthError> {
    let (id, secret, by_header) = match authorization {
        Some(header) => {
            let (id, secret) = basic(header).ok_or(ClientAuthError::Header)?;
            let another = body.text("client_id").is_some_and(|other| other != id);
            if body.text("client_secret").is_some() || another {
                return Err(ClientAuthError::TwoMethods);
            }
            (id, Some(secret), true)
        }
        None => {
            let id = body.text("client_id").ok_or(ClientAuthError::Missing)?;
            (id.to_owned(), body.text("client_secret").map(str::to_owned), false)
        }
    };
    let secret = secret.filter(|secret| !secret.is_empty());
    let failed = ClientAuthError::Failed { by_header };
    // The digest is made before the lookup is judged, so that an unknown client takes the same way.
    let digest = secret.as_deref().map(|secret| Digest::of_token(Kind::ClientSecret, secret));
    let client = registry.client(&id).ok_or_else(|| failed.clone())?;
    let method = match (client.is_public, digest) {
        (true, None) => ClientAuth::None,
        (false, Some(Some(digest))) if client.secrets.iter().any(|own| own.matches(&digest)) => ClientAuth::Secret,
        _ => return Err(failed),
    };
    Ok(ClientAuthenticated { client: Arc::clone(client), method })
}

/// `client_id` and `client_secret` of a Basic header, each form-urlencoded first (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 2000 {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| -> Option<String> {
        let pair = [b"v=".as_slice(), text.as_bytes()].concat();
        Parameters::parse(&pair).ok().map(|read| read.text("v").unwrap_or_default().to_owned())
    };
    (!id.contains('&') && !secret.contains('&')).then_some(())?;
    Some((plain(id)?, plain(secret)?))
}
