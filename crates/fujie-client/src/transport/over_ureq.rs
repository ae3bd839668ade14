//! The transport over ureq and rustls, without a runtime.
//!
//! Owns the settings that keep a secret where it was sent: no redirects, no proxy from the
//! environment, no second sending, no log of what goes over the wire. There is no way to switch
//! certificate checks off. Driving it without a runtime is [`crate::blocking`]'s.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::Read as _;
use std::pin::Pin;
use std::sync::Arc;

use ::ureq::config::Config;
use ::ureq::http::{self, Uri};
use ::ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ::ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ::ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, NextTimeout};
use ::ureq::{Agent, Body, Error as UreqError, Timeout};
use log::Level;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use url::Url;

use super::{Limits, RESPONSE_BODY_MAX, RESPONSE_HEADERS, Response, Transport, TransportError};
use crate::request::{Method, Request};

/// Where ureq writes down every byte, or the whole URL, for a logger that takes trace messages.
const TELLTALES: [&str; 2] = ["ureq::util", "ureq_proto::util"];

/// Sends with ureq, on the thread that asks. One is enough for all providers; it keeps
/// connections alive between requests.
///
/// As a [`Transport`] it does the whole exchange when its future is polled for the first time: an
/// async executor stands still meanwhile, up to the limit. [`crate::blocking::Client`] is what it
/// is for.
///
/// It trusts what the operating system trusts, as the transport over reqwest does.
///
/// `HTTP_PROXY` and its siblings are ignored, and answers are not decompressed. With a logger that
/// takes ureq's trace messages nothing is sent, because these hold the secrets.
#[derive(Clone, Debug)]
pub struct UreqTransport {
    agent: Agent,
}

impl UreqTransport {
    /// A transport with the usual [`Limits`].
    ///
    /// It uses the cryptography provider that the process has chosen for rustls, else aws-lc.
    ///
    /// # Errors
    /// [`TransportError::Unusable`] when TLS cannot be set up on this host; today it always can.
    pub fn new() -> Result<Self, TransportError> {
        Self::with_limits(Limits::default())
    }

    /// A transport with other limits. That to connect holds for the lookup of the name by itself,
    /// and then for the connection.
    ///
    /// # Errors
    /// As [`UreqTransport::new`].
    pub fn with_limits(limits: Limits) -> Result<Self, TransportError> {
        let cryptography = CryptoProvider::get_default().cloned();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(cryptography.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider())))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .user_agent(concat!("fujie-client/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_global(Some(limits.total))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        let agent =
            Agent::with_parts(config, Opening(DefaultConnector::default()), Opening(DefaultResolver::default()));
        Ok(Self { agent })
    }

    /// Sends the request once and brings the whole answer, on this thread.
    ///
    /// # Errors
    /// Why there is none.
    pub fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        if TELLTALES.iter().any(|target| log::log_enabled!(target: *target, Level::Trace)) {
            return Err(TransportError::Unusable("the logger takes trace messages of ureq, which hold secrets".into()));
        }
        let incoming = self.run(request)?;
        let kept = RESPONSE_HEADERS.iter().filter_map(|name| {
            let value = incoming.headers().get(*name)?;
            Some(((*name).to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        });
        let mut response = Response { status: incoming.status().as_u16(), headers: kept.collect(), body: Vec::new() };
        // One byte more than is allowed tells a body that is too long from one that just fits.
        let mut body = incoming.into_body().into_reader().take(RESPONSE_BODY_MAX as u64 + 1);
        body.read_to_end(&mut response.body).map_err(|error| fault(error.into()))?;
        if response.body.len() > RESPONSE_BODY_MAX {
            return Err(TransportError::TooLarge);
        }
        Ok(response)
    }

    fn run(&self, request: &Request) -> Result<http::Response<Body>, TransportError> {
        // The records were judged by this parser: what is sent goes where it says, and nowhere else.
        let url = Url::parse(request.url()).map_err(|error| TransportError::Unusable(Box::new(error)))?;
        let mut outgoing = http::Request::builder().uri(url.as_str()).method(match request.method() {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
            Method::Patch => http::Method::PATCH,
        });
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        let unusable = |error: http::Error| TransportError::Unusable(Box::new(error));
        match request.body() {
            None => self.agent.run(outgoing.body(()).map_err(unusable)?),
            Some(body) => self.agent.run(outgoing.body(body).map_err(unusable)?),
        }
        .map_err(fault)
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        Box::pin(async move { self.exchange(&request) })
    }
}

/// The cause of ureq's error. Those that repeat the URL are left out: its query holds the secret.
fn fault(error: UreqError) -> TransportError {
    match error {
        UreqError::Other(cause) if cause.is::<Unopened>() => TransportError::Unreachable(cause),
        UreqError::Timeout(_) => TransportError::Timeout,
        UreqError::BadUri(_) | UreqError::RequireHttpsOnly(_) => {
            TransportError::Unusable("a URL without a host".into())
        }
        UreqError::Http(error) => TransportError::Unusable(Box::new(error)),
        error => TransportError::Interrupted(Box::new(error)),
    }
}

/// A step that comes before anything is sent. ureq's errors do not tell: a connection that breaks
/// is the same to them in a handshake and in an answer.
#[derive(Debug)]
struct Opening<T>(T);

impl Resolver for Opening<DefaultResolver> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, UreqError> {
        self.0.resolve(uri, config, timeout).map_err(unopened)
    }
}

impl Connector for Opening<DefaultConnector> {
    type Out = <DefaultConnector as Connector>::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Self::Out>, UreqError> {
        self.0.connect(details, chained).map_err(unopened)
    }
}

/// The whole time may be up here too, which is no fault of the connection.
fn unopened(error: UreqError) -> UreqError {
    match error {
        UreqError::Timeout(Timeout::Global) => error,
        error => UreqError::Other(Box::new(Unopened(error))),
    }
}

/// What failed before anything was sent.
#[derive(Debug)]
struct Unopened(UreqError);

impl fmt::Display for Unopened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for Unopened {}
