//! A session as it is described, and what of a description is refused.
//!
//! Owns the settings and their defaults. There is no setting that switches certificate checks
//! off, and none that lets a secret travel in the clear.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Proxy, redirect, retry};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::address::Base;
use super::cookie::Jar;
use super::credentials::{Credentials, sensitive};
use super::{Error, Inner, Limits, Proxies, Session, Token, TokenPlacement, TokenSource, netrc};
use crate::secret::Secret;

/// A session before it is built. Every setting has a safe default.
pub struct Builder {
    base_url: String,
    token: Token,
    placement: TokenPlacement,
    prover: Option<Arc<crate::Client>>,
    login: Login,
    keeps_cookies: bool,
    headers: Vec<(String, String)>,
    root_certificates: Vec<u8>,
    proxies: Proxies,
    limits: Limits,
}

/// Where user name and password come from.
enum Login {
    None,
    Basic(String, Secret),
    Digest(String, Secret),
    Netrc(Option<PathBuf>),
}

impl Builder {
    pub(super) fn new(base_url: String) -> Self {
        Self {
            base_url,
            token: Token::None,
            placement: TokenPlacement::Bearer,
            prover: None,
            login: Login::None,
            keeps_cookies: true,
            headers: Vec::new(),
            root_certificates: Vec::new(),
            proxies: Proxies::none(),
            limits: Limits::default(),
        }
    }

    /// Sends this access token, which nobody refreshes.
    #[must_use]
    pub fn access_token(mut self, token: Secret) -> Self {
        self.token = Token::Fixed(token);
        self
    }

    /// Asks the caller for the access token before every request; without one the request goes
    /// out bare.
    #[must_use]
    pub fn token_getter(mut self, getter: impl Fn() -> Option<Secret> + Send + Sync + 'static) -> Self {
        self.token = Token::Getter(Arc::new(getter));
        self
    }

    /// Sends the access token of this source. One that the server refuses with 401 is refreshed
    /// once, and the request is sent once more if its body can be.
    #[must_use]
    pub fn tokens(mut self, source: TokenSource) -> Self {
        self.token = Token::Source(source);
        self
    }

    /// Where the access token stands. `Authorization: Bearer` by default.
    #[must_use]
    pub fn placement(mut self, placement: TokenPlacement) -> Self {
        self.placement = placement;
        self
    }

    /// Proves the key of this client, wherever a token is bound to one.
    pub(crate) fn prover(mut self, client: Arc<crate::Client>) -> Self {
        self.prover = Some(client);
        self
    }

    /// Says who we are by Basic authentication, with every request.
    #[must_use]
    pub fn basic(mut self, user_name: impl Into<String>, password: Secret) -> Self {
        self.login = Login::Basic(user_name.into(), password);
        self
    }

    /// Says who we are by Digest authentication, when the server asks. It never answers a demand
    /// for Basic, which would show the password.
    #[must_use]
    pub fn digest(mut self, user_name: impl Into<String>, password: Secret) -> Self {
        self.login = Login::Digest(user_name.into(), password);
        self
    }

    /// Basic authentication with what the person's `.netrc` says about the host: the file that
    /// `NETRC` names, which must exist, else the one in the home folder. No file there, or nothing
    /// about the host, means no authentication.
    #[must_use]
    pub fn netrc(mut self) -> Self {
        self.login = Login::Netrc(None);
        self
    }

    /// As [`Builder::netrc`], from this file, which must exist.
    #[must_use]
    pub fn netrc_at(mut self, path: impl Into<PathBuf>) -> Self {
        self.login = Login::Netrc(Some(path.into()));
        self
    }

    /// Keeps no cookies.
    #[must_use]
    pub fn without_cookies(mut self) -> Self {
        self.keeps_cookies = false;
        self
    }

    /// Sends this header with every request to the base URL's origin.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Trusts these root certificates besides those of the operating system: one or more in PEM.
    #[must_use]
    pub fn root_certificates_pem(mut self, pem: &[u8]) -> Self {
        self.root_certificates.extend_from_slice(pem);
        self.root_certificates.push(b'\n');
        self
    }

    /// Goes through these proxies.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Waits, follows and reads that much.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The session.
    ///
    /// When the process has not chosen a cryptography provider for rustls, this chooses aws-lc
    /// for it.
    ///
    /// # Errors
    /// [`Error::BadUrl`] when the base URL is none; [`Error::Setup`] when a secret would travel
    /// over plain http, when two things claim the `Authorization` header, when a certificate or
    /// the `.netrc` is unreadable, or when TLS cannot be set up on this host.
    pub fn build(self) -> Result<Session, Error> {
        let base = Base::parse(&self.base_url)?;
        let http = self.client()?;
        let credentials = match self.login {
            Login::None => Credentials::None,
            Login::Basic(user_name, password) => Credentials::basic(&user_name, &password)?,
            Login::Digest(user_name, password) => Credentials::digest(&user_name, password),
            Login::Netrc(path) => from_netrc(path, base.host())?,
        };
        let has_credentials = !matches!(credentials, Credentials::None);
        let has_token = !matches!(self.token, Token::None);
        if (has_token || has_credentials) && !base.is_private() {
            return Err(fault("would send a secret over plain http"));
        }
        if has_token && has_credentials && claims_authorization(&self.placement) {
            return Err(fault("has a token and a password for the same Authorization header"));
        }
        let inner = Inner {
            base,
            http,
            proxies: self.proxies,
            token: self.token,
            placement: self.placement,
            prover: self.prover,
            credentials,
            cookies: self.keeps_cookies.then(Jar::default),
            headers: header_map(&self.headers)?,
            limits: self.limits,
        };
        Ok(Session { inner: Arc::new(inner) })
    }

    fn client(&self) -> Result<Client, Error> {
        if CryptoProvider::get_default().is_none() {
            // Losing this race means that somebody else has just installed one, which serves.
            let _installed_meanwhile = aws_lc_rs::default_provider().install_default();
        }
        let unusable =
            |what| move |error: reqwest::Error| Error::Setup { what, source: Some(error.without_url().into()) };
        let certificates = Certificate::from_pem_bundle(&self.root_certificates);
        let certificates = certificates.map_err(unusable("has root certificates that are not PEM"))?;
        if certificates.is_empty() && !self.root_certificates.is_empty() {
            return Err(fault("has root certificates that are not PEM"));
        }
        let proxies = self.proxies.clone();
        let builder = Client::builder()
            .user_agent(concat!("fujie-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect)
            // Redirects are followed by the session, which knows what may go along.
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_proxy()
            .proxy(Proxy::custom(move |url| proxies.proxy_for(url).cloned()));
        let builder = if certificates.is_empty() { builder } else { builder.tls_certs_merge(certificates) };
        builder.build().map_err(unusable("cannot set TLS up"))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Builder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn from_netrc(path: Option<PathBuf>, host: &str) -> Result<Credentials, Error> {
    let Some(path) = path.or_else(netrc::usual_path) else {
        return Ok(Credentials::None);
    };
    match netrc::read(&path, host)? {
        Some(entry) => Credentials::basic(&entry.login, &entry.password),
        None => Ok(Credentials::None),
    }
}

fn claims_authorization(placement: &TokenPlacement) -> bool {
    match placement {
        TokenPlacement::Bearer => true,
        TokenPlacement::Header { name, .. } => name.eq_ignore_ascii_case(AUTHORIZATION.as_str()),
        TokenPlacement::Query { .. } => false,
    }
}

/// Headers that the caller names. None of them is shown by `Debug`: any may be a key.
pub(super) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let (name, value) = header_pair(name, value)?;
        map.insert(name, value);
    }
    Ok(map)
}

pub(super) fn header_pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok();
    Ok((name.ok_or(Error::BadRequest("has a header name that is none"))?, sensitive(value)?))
}

fn fault(what: &'static str) -> Error {
    Error::Setup { what, source: None }
}
