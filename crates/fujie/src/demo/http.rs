//! Outgoing HTTP of the demo's programs: to loopback alone, without redirects or proxies, with limits of size and time.
//!
//! Deliberately not here: what is sent. A request is a value; the caller builds it and may draw it.

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::secret::Secret;
use reqwest::{
    Client,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    redirect,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use url::form_urlencoded;

/// Sends requests.
#[derive(Clone, Debug)]
pub struct Http(Client);

/// A request, not yet sent.
#[derive(Debug)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// `Authorization`, whole.
    pub authorization: Option<Secret>,
    /// A body of `application/x-www-form-urlencoded`; its presence makes the request a POST.
    pub form: Option<Secret>,
}

impl Request {
    /// Method and path, as people write them: `POST /token`.
    pub fn head(&self) -> String {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        let path = url::Url::parse(&self.url).map(|url| url.path().to_owned()).unwrap_or_default();
        format!("{method} {path}")
    }
}

/// An answer that has wholly arrived.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `WWW-Authenticate`, when it was sent and is text.
    pub www_authenticate: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

impl Http {
    /// A client. rustls wants a cryptography provider even where nothing is encrypted, so one is chosen for the
    /// process if nobody has.
    pub fn new() -> anyhow::Result<Self> {
        if CryptoProvider::get_default().is_none() {
            // Losing this race means that somebody else has just installed one, which serves.
            let _installed_meanwhile = aws_lc_rs::default_provider().install_default();
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self(client))
    }

    /// Sends `request` and reads the whole answer. The error never names the URL.
    pub async fn send(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut outgoing = match &request.form {
            Some(form) => self
                .0
                .post(&request.url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose().to_owned()),
            None => self.0.get(&request.url),
        };
        if let Some(authorization) = &request.authorization {
            outgoing = outgoing.header(AUTHORIZATION, authorization.expose());
        }
        let mut incoming = outgoing.send().await.map_err(reqwest::Error::without_url)?;
        let www_authenticate = incoming.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let mut answer = Answer {
            status: incoming.status().as_u16(),
            www_authenticate: www_authenticate.map(str::to_owned),
            body: Vec::new(),
        };
        while let Some(chunk) = incoming.chunk().await.map_err(reqwest::Error::without_url)? {
            anyhow::ensure!(answer.body.len().saturating_add(chunk.len()) <= BODY_MAX, "the answer is too long");
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

/// `client_secret_basic` (RFC 6749 §2.3.1): both parts form-encoded before they are joined.
pub fn basic(client_id: &str, client_secret: &Secret) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encode(client_id), encode(client_secret.expose())));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}

/// `Bearer` (RFC 6750 §2.1).
pub fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// A form body.
pub fn form(pairs: &[(&str, &str)]) -> Secret {
    Secret::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// On loopback an answer that takes longer is not coming.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing that these programs read is longer, in bytes.
const BODY_MAX: usize = 256 * 1024;
