//! What an issuer says about itself (OpenID Connect Discovery 1.0 §4), and its keys, kept for a resource server.
//!
//! Deliberately not here: tokens. Whoever has a key and a token verifies it with [`super::jwt`].

use anyhow::Context as _;
use fujie_core::time::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    http::{Answer, Http, Request},
    jwt::{Jwks, Key},
};

/// Endpoints of an issuer. All of them are needed here, so one that is missing is an error.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    /// The issuer itself, exactly as it is configured.
    pub issuer: String,
    /// RFC 6749 §3.1.
    pub authorization_endpoint: String,
    /// RFC 6749 §3.2.
    pub token_endpoint: String,
    /// OpenID Connect Core 1.0 §5.3.
    pub userinfo_endpoint: String,
    /// RFC 7517.
    pub jwks_uri: String,
    /// RFC 7662.
    pub introspection_endpoint: String,
    /// RFC 7009.
    pub revocation_endpoint: String,
    /// OpenID Connect RP-Initiated Logout 1.0.
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    /// RFC 9207 §3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Where the document of `issuer` is.
    pub fn request(issuer: &str) -> Request {
        Request { url: format!("{issuer}/.well-known/openid-configuration"), authorization: None, form: None }
    }

    /// Reads the document. One that names another issuer is refused (Discovery §4.3).
    pub fn read(issuer: &str, answer: &Answer) -> anyhow::Result<Self> {
        anyhow::ensure!(answer.status == 200, "discovery answered {}", answer.status);
        let metadata: Self =
            serde_json::from_slice(&answer.body).context("discovery is not the document it should be")?;
        anyhow::ensure!(metadata.issuer == issuer, "discovery names another issuer");
        Ok(metadata)
    }
}

/// The keys of an issuer, fetched when they are first needed and again when a token names one that is not known.
pub struct KnownIssuer {
    issuer: String,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    metadata: Metadata,
    jwks: Jwks,
    fetched_at: Timestamp,
}

impl KnownIssuer {
    /// Nothing is fetched yet.
    pub fn new(issuer: String) -> Self {
        Self { issuer, known: Mutex::new(None) }
    }

    /// Its name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key named `kid`, and the endpoints. An unknown name makes us ask again, but not within
    /// [`REFETCH_SECONDS`]: otherwise anybody with an invented `kid` could make us ask as often as they like.
    pub async fn key(&self, kid: &str, http: &Http, now: Timestamp) -> anyhow::Result<(Option<Key>, Metadata)> {
        let mut known = self.known.lock().await;
        let current = match known.take() {
            Some(old) if old.jwks.key(kid).is_some() || now.millis_since(old.fetched_at) < REFETCH_SECONDS * 1000 => {
                old
            }
            old => match self.fetch(http, now).await {
                Ok(fresh) => fresh,
                Err(error) => {
                    *known = old;
                    return Err(error);
                }
            },
        };
        let answer = (current.jwks.key(kid).cloned(), current.metadata.clone());
        *known = Some(current);
        Ok(answer)
    }

    async fn fetch(&self, http: &Http, now: Timestamp) -> anyhow::Result<Known> {
        let metadata = Metadata::read(&self.issuer, &http.send(&Metadata::request(&self.issuer)).await?)?;
        let request = Request { url: metadata.jwks_uri.clone(), authorization: None, form: None };
        let answer = http.send(&request).await?;
        let jwks = Jwks::parse(&answer.body).filter(|_| answer.status == 200).context("the issuer shows no keys")?;
        Ok(Known { metadata, jwks, fetched_at: now })
    }
}

const REFETCH_SECONDS: i64 = 30;
