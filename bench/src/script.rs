//! What each connection does: the requests of every row, as a client, an API or a browser would send them.
//!
//! Tokens are in a pool: whoever needs one takes the oldest, and puts back what came of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::{request::parameters::encode, secret::sha256};

use crate::{
    seed::{Credentials, REDIRECT_URI},
    wire::Wire,
};

/// Tokens, or cookies, that connections share.
#[derive(Clone, Debug, Default)]
pub struct Pool(Arc<Mutex<VecDeque<String>>>);

impl Pool {
    /// A pool of these.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(Mutex::new(texts.into_iter().collect())))
    }

    /// A pool of the same texts that goes its own way.
    fn parted(&self) -> Self {
        Self::new(self.lock().iter().cloned())
    }

    fn take(&self) -> Result<String> {
        self.lock().pop_front().context("there are fewer tokens than connections")
    }

    fn put(&self, text: String) {
        self.lock().push_back(text);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One kind of load.
#[derive(Clone, Debug)]
pub enum Script {
    /// The same request again and again.
    Same(Arc<str>),
    /// Introspection, of one token of the pool after the other.
    Introspect {
        /// The request up to its token, without a length.
        caller: Arc<Caller>,
        /// Access tokens.
        pool: Pool,
    },
    /// Refreshing, each token's successor being used when its turn comes again.
    Refresh {
        /// The client.
        caller: Arc<Caller>,
        /// Refresh tokens.
        pool: Pool,
    },
    /// The whole code flow: authorize with session and remembered consent, token, userinfo.
    CodeFlow {
        /// The client.
        caller: Arc<Caller>,
        /// The authorization request, up to its cookies.
        authorize: Arc<str>,
        /// Cookies of browsers that are signed in.
        pool: Pool,
    },
}

/// A client as it speaks to us.
#[derive(Debug)]
pub struct Caller {
    host: String,
    /// Its `Authorization` header, for a confidential client.
    authorization: String,
    /// Its `client_id` in the body, for a public one.
    client_id: String,
}

impl Caller {
    /// `client` speaking to the server at `host`.
    pub fn new(host: &str, client: &Credentials) -> Self {
        let (authorization, client_id) = match &client.secret {
            Some(secret) => {
                let pair = STANDARD.encode(format!("{}:{}", encode(&client.id), encode(secret)));
                (format!("Authorization: Basic {pair}\r\n"), String::new())
            }
            None => (String::new(), format!("&client_id={}", client.id)),
        };
        Self { host: host.to_owned(), authorization, client_id }
    }

    fn post(&self, path: &str, form: &str) -> String {
        let Self { host, authorization, client_id } = self;
        let length = form.len() + client_id.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Accept: application/json\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}{client_id}"
        )
    }
}

impl Script {
    /// GET of a document.
    pub fn document(host: &str, path: &str) -> Self {
        Self::Same(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\r\n").into())
    }

    /// RFC 6749 §4.4.
    pub fn client_credentials(host: &str, client: &Credentials, scope: &str) -> Self {
        let form = format!("grant_type=client_credentials&scope={scope}");
        Self::Same(Caller::new(host, client).post("/token", &form).into())
    }

    /// RFC 7662.
    pub fn introspect(host: &str, api: &Credentials, pool: Pool) -> Self {
        Self::Introspect { caller: Arc::new(Caller::new(host, api)), pool }
    }

    /// RFC 6749 §6.
    pub fn refresh(host: &str, client: &Credentials, pool: Pool) -> Self {
        Self::Refresh { caller: Arc::new(Caller::new(host, client)), pool }
    }

    /// RFC 6749 §4.1 with PKCE, OpenID Connect Core 1.0 §3.1, §5.3.
    pub fn code_flow(host: &str, client: &Credentials, scope: &str, pool: Pool) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
        let authorize = format!(
            "GET /authorize?response_type=code&client_id={}&redirect_uri={}&scope={}&state={STATE}&nonce={NONCE}\
             &code_challenge={challenge}&code_challenge_method=S256 HTTP/1.1\r\nHost: {host}\r\n\
             Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
             Accept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
             Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: cross-site\r\nCookie: ",
            client.id,
            encode(REDIRECT_URI),
            encode(scope),
        );
        Self::CodeFlow { caller: Arc::new(Caller::new(host, client)), authorize: authorize.into(), pool }
    }

    /// The same script with a pool of its own, for the bare server: what comes of its tokens is no good elsewhere.
    pub fn parted(&self) -> Self {
        let mut own = self.clone();
        match &mut own {
            Self::Same(_) => {}
            Self::Introspect { pool, .. } | Self::Refresh { pool, .. } | Self::CodeFlow { pool, .. } => {
                *pool = pool.parted();
            }
        }
        own
    }

    /// Does it once.
    pub async fn unit(&self, wire: &mut Wire) -> Result<()> {
        match self {
            Self::Same(request) => wire.exchange(request, 200).await.map(drop),
            Self::Introspect { caller, pool } => {
                let token = pool.take()?;
                let request = caller.post("/introspect", &format!("token={token}"));
                pool.put(token);
                let answer = wire.exchange(&request, 200).await?;
                answer.body.starts_with(r#"{"active":true"#).then_some(()).context("the token is not active")
            }
            Self::Refresh { caller, pool } => {
                let form = format!("grant_type=refresh_token&refresh_token={}", pool.take()?);
                let answer = wire.exchange(&caller.post("/token", &form), 200).await?;
                pool.put(answer.member("refresh_token").context("no refresh_token")?.to_owned());
                Ok(())
            }
            Self::CodeFlow { caller, authorize, pool } => {
                let cookies = pool.take()?;
                code_flow(wire, caller, &format!("{authorize}{cookies}\r\n\r\n")).await?;
                pool.put(cookies);
                Ok(())
            }
        }
    }
}

async fn code_flow(wire: &mut Wire, caller: &Caller, authorize: &str) -> Result<()> {
    let answer = wire.exchange(authorize, 303).await?;
    let location = answer.header("location").context("no location")?;
    let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
    let code = code.with_context(|| format!("no code: {}", location.split('=').next().unwrap_or_default()))?;
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        encode(REDIRECT_URI)
    );
    let answer = wire.exchange(&caller.post("/token", &form), 200).await?;
    answer.member("id_token").context("no id_token")?;
    let token = answer.member("access_token").context("no access_token")?;
    let userinfo = format!(
        "GET /userinfo HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n\r\n",
        caller.host
    );
    let answer = wire.exchange(&userinfo, 200).await?;
    answer.member("sub").context("no sub").map(drop)
}

/// PKCE's verifier: the same in every flow, since only the server's work is measured.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const STATE: &str = "af0ifjsldkj-af0ifjsldkj-af0ifjsldkj";
const NONCE: &str = "n-0S6_WzA2Mj-n-0S6_WzA2Mj";
