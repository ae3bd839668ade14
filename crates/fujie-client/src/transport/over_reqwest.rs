//! The transport over reqwest and rustls.
//!
//! Owns the settings that keep a secret where it was sent: no redirects, no referrer, no proxy
//! from the environment, no second sending. There is no way to switch certificate checks off.

use std::future::Future;
use std::pin::Pin;

use ::reqwest::{Client, ClientBuilder, Error, redirect, retry};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::{Limits, RESPONSE_BODY_MAX, RESPONSE_HEADERS, Response, Transport, TransportError};
use crate::request::{Method, Request};

/// Sends with reqwest, on a tokio runtime. One is enough for all providers; it keeps
/// connections alive between requests. It trusts what the operating system trusts.
///
/// `HTTP_PROXY` and its siblings are ignored: a proxy that nobody chose for this purpose would
/// see who signs in. Answers are not decompressed, so a small answer cannot grow.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// A transport with the usual [`Limits`].
    ///
    /// When the process has not chosen a cryptography provider for rustls, this chooses aws-lc
    /// for it; one that was installed before is used as it is.
    ///
    /// # Errors
    /// [`TransportError::Unusable`] when TLS cannot be set up on this host.
    pub fn new() -> Result<Self, TransportError> {
        Self::with_limits(Limits::default())
    }

    /// A transport with other limits.
    ///
    /// # Errors
    /// As [`ReqwestTransport::new`].
    pub fn with_limits(limits: Limits) -> Result<Self, TransportError> {
        Self::build(limits, |client| client)
    }

    /// A transport that `change` had a word in.
    pub(super) fn build(
        limits: Limits,
        change: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, TransportError> {
        if CryptoProvider::get_default().is_none() {
            // Losing this race means that somebody else has just installed one, which serves.
            let _installed_meanwhile = aws_lc_rs::default_provider().install_default();
        }
        let client = Client::builder()
            .user_agent(concat!("fujie-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            // Features that somebody else in the build wants, `session` among them, switch these on.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .no_proxy();
        let client = change(client).build();
        let client = client.map_err(|error| TransportError::Unusable(Box::new(error.without_url())))?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let mut outgoing = match request.method() {
            Method::Get => self.client.get(request.url()),
            Method::Post => self.client.post(request.url()),
            Method::Delete => self.client.delete(request.url()),
            Method::Patch => self.client.patch(request.url()),
        };
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        if let Some(body) = request.body() {
            outgoing = outgoing.body(body.to_vec());
        }
        let mut incoming = outgoing.send().await.map_err(fault)?;
        let kept = RESPONSE_HEADERS.iter().filter_map(|name| {
            let value = incoming.headers().get(*name)?;
            Some((name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        });
        let mut response = Response { status: incoming.status().as_u16(), headers: kept.collect(), body: Vec::new() };
        while let Some(chunk) = incoming.chunk().await.map_err(fault)? {
            if response.body.len().saturating_add(chunk.len()) > RESPONSE_BODY_MAX {
                return Err(TransportError::TooLarge);
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }
}

/// The cause of reqwest's error. The URL is taken out first: its query holds the secret.
fn fault(error: Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::Unreachable(Box::new(error))
    } else if error.is_timeout() {
        TransportError::Timeout
    } else if error.is_builder() {
        TransportError::Unusable(Box::new(error))
    } else {
        TransportError::Interrupted(Box::new(error))
    }
}
