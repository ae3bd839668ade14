//! A sign-in from the link to the identity: begin, read the callback, finish (RFC 6749 §4.1).
//!
//! Owns the authorization URL, the judgement of a callback, and the order of the calls that
//! follow. It keeps nothing: the caller seals the attempt in a cookie of the browser that began,
//! because a state that is merely random does not say whose browser came back.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::error::{Endpoint, ProviderError};
use crate::excerpt::scrub;
use crate::identity::Identity;
use crate::provider::{Denial, Pkce, StateAlphabet, address_fault};
use crate::random::Random;
use crate::request::{Request, encode_value, with_query, without_query};
use crate::secret::{Secret, is_equal};
use crate::time::Timestamp;
use crate::token::Tokens;
use crate::transport::{Response, Transport, TransportError};

/// How long a person may take between the link and the callback.
const ATTEMPT_LIFETIME: Duration = Duration::from_secs(600);
/// How far the clock may have been set back since the attempt began.
const CLOCK_BACKWARDS_MAX: Duration = Duration::from_secs(60);
/// Bytes of a callback's query, at most.
const CALLBACK_LENGTH_MAX: usize = 8 * 1024;
/// Parameters of a callback, at most.
const CALLBACK_PARAMETERS_MAX: usize = 32;
/// Bytes of a code, at most.
const CODE_LENGTH_MAX: usize = 2048;
/// Bytes of a redirect URI, at most.
const REDIRECT_URI_LENGTH_MAX: usize = 1024;
/// Characters of a state that an attempt may hold, at least: 128 bits in base64url.
const STATE_LENGTH_MIN: usize = 21;

/// Where to send the browser, and what to remember of it.
pub struct Begin {
    /// The authorization URL, for a redirect or a link.
    pub url: String,
    /// To be sealed in a cookie of this browser.
    pub attempt: Attempt,
}

/// What one browser has begun. Plain data: whoever can read it can finish the sign-in in that
/// browser's place, whoever can change it can plant one. Seal it, and let it be used once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The provider's id.
    pub provider: String,
    /// The client id, so that a code never meets another application's secret.
    pub app: String,
    /// The state that the callback must carry.
    pub state: String,
    /// The PKCE verifier (RFC 7636 §4.1), where the provider knows PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verifier: Option<String>,
    /// Where the callback was asked to go.
    pub redirect_uri: String,
    /// When it began.
    pub created_at: Timestamp,
}

/// A callback that was judged good. It is spent by [`Client::finish`].
#[derive(Debug)]
pub struct Callback {
    pub(crate) provider: String,
    pub(crate) app: String,
    pub(crate) code: Secret,
    pub(crate) code_verifier: Option<Secret>,
    pub(crate) redirect_uri: String,
}

/// Who signed in, and what the provider gave us to act for them.
#[derive(Debug)]
pub struct SignedIn {
    /// The person.
    pub identity: Identity,
    /// The tokens. They belong on the server, sealed, or nowhere.
    pub tokens: Tokens,
}

impl Client {
    /// Begins a sign-in. `redirect_uri` goes out exactly as given; it is https, or http on
    /// loopback, and has neither a fragment (some providers write the code into it) nor a
    /// parameter that the provider will add. The caller must register it with the provider.
    ///
    /// # Errors
    /// [`ProviderError::RedirectUriUnusable`].
    pub fn begin(&self, redirect_uri: &str, random: &mut dyn Random, now: Timestamp) -> Result<Begin, ProviderError> {
        self.begin_in(redirect_uri, None, random, now)
    }

    /// As [`Client::begin`], with the provider's page in this language (BCP 47, for example `zh-CN`) if the provider
    /// can be told and knows it.
    ///
    /// # Errors
    /// [`ProviderError::RedirectUriUnusable`].
    pub fn begin_in(
        &self,
        redirect_uri: &str,
        language: Option<&str>,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Begin, ProviderError> {
        if let Some(fault) = redirect_uri_fault(redirect_uri) {
            return Err(ProviderError::RedirectUriUnusable(fault));
        }
        let attempt = Attempt {
            provider: self.provider.id.clone(),
            app: self.client_id.clone(),
            state: self.new_state(random),
            code_verifier: match self.provider.pkce {
                Pkce::None => None,
                Pkce::S256 => Some(base64url(random, 32)),
            },
            redirect_uri: redirect_uri.to_owned(),
            created_at: now,
        };
        Ok(Begin { url: self.authorization_url(&attempt, language), attempt })
    }

    /// Judges a callback by the query it came with, without the question mark. The caller must
    /// have opened `attempt` from this browser's own cookie, and must spend it whatever the
    /// outcome.
    ///
    /// # Errors
    /// [`ProviderError::Denied`] when the person refused; otherwise the check that failed.
    pub fn read_callback(&self, attempt: &Attempt, query: &str, now: Timestamp) -> Result<Callback, ProviderError> {
        let query = Query::parse(query)?;
        if attempt.provider != self.provider.id || attempt.app != self.client_id {
            return Err(ProviderError::OtherClient);
        }
        // The state goes first: without it, nothing in the callback is anybody's word.
        let state = query.value("state").ok_or(ProviderError::StateMissing)?;
        if attempt.state.len() < STATE_LENGTH_MIN || !is_equal(state, &attempt.state) {
            return Err(ProviderError::StateMismatch);
        }
        if self.provider.issuer.is_some() && query.value("iss") != self.provider.issuer.as_deref() {
            return Err(ProviderError::IssuerMismatch);
        }
        if now >= attempt.created_at.plus(ATTEMPT_LIFETIME) || attempt.created_at > now.plus(CLOCK_BACKWARDS_MAX) {
            return Err(ProviderError::Expired);
        }
        let code = self.code(&query)?;
        Ok(Callback {
            provider: attempt.provider.clone(),
            app: attempt.app.clone(),
            code: Secret::new(code),
            code_verifier: attempt.code_verifier.clone().map(Secret::new),
            redirect_uri: attempt.redirect_uri.clone(),
        })
    }

    /// Exchanges the code and asks who it is. The exchange is sent once and never again; the
    /// user request is sent a second time when the provider was unreachable, broke off or was
    /// busy. With [`crate::ReqwestTransport`] this takes at most three times its `total`.
    ///
    /// # Errors
    /// Any cause from the network on; [`ProviderError::Provisional`] for a visitor without a
    /// real account.
    pub async fn finish(
        &self,
        transport: &dyn Transport,
        callback: Callback,
        now: Timestamp,
    ) -> Result<SignedIn, ProviderError> {
        let request = self.exchange_request(&callback)?;
        let response = send(transport, Endpoint::Token, request).await?;
        let tokens = self.read_tokens(&callback, &response, now)?;
        drop(callback);
        if tokens.provisional {
            return Err(ProviderError::Provisional);
        }
        let identity = match self.ask_user(transport, &tokens).await {
            Err(error) if is_passing(&error) => self.ask_user(transport, &tokens).await?,
            outcome => outcome?,
        };
        if identity.provisional {
            return Err(ProviderError::Provisional);
        }
        Ok(SignedIn { identity, tokens })
    }

    async fn ask_user(&self, transport: &dyn Transport, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let response = send(transport, Endpoint::User, self.user_request(tokens)).await?;
        self.read_user(tokens, &response)
    }

    fn new_state(&self, random: &mut dyn Random) -> String {
        let rule = self.provider.state;
        match rule.alphabet {
            StateAlphabet::Base64url => base64url(random, rule.bytes()),
            StateAlphabet::Hex => {
                let mut bytes = Zeroizing::new(vec![0; rule.bytes()]);
                random.fill(&mut bytes);
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }
    }

    /// The order is the one that WeChat's in-app page insists on; nobody else minds.
    fn authorization_url(&self, attempt: &Attempt, language: Option<&str>) -> String {
        let provider = &self.provider;
        let scope = provider.scope.join(&provider.scope_separator);
        let challenge =
            attempt.code_verifier.as_ref().map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
        let mut parameters = vec![
            (provider.parameters.client_id.as_str(), self.client_id.as_str()),
            ("redirect_uri", &attempt.redirect_uri),
            ("response_type", "code"),
            ("scope", &scope),
            ("state", &attempt.state),
        ];
        parameters.retain(|(name, value)| *name != "scope" || !value.is_empty());
        if let Some(challenge) = &challenge {
            parameters.push(("code_challenge", challenge));
            parameters.push(("code_challenge_method", "S256"));
        }
        for (name, value) in &provider.authorization_parameters {
            parameters.push((name, value));
        }
        let subtag = language.and_then(|tag| tag.split('-').next()).unwrap_or_default().to_ascii_lowercase();
        if let Some(rule) = &provider.language
            && let Some((_, value)) = rule.values.iter().find(|(own, _)| *own == subtag)
        {
            parameters.push((&rule.name, value));
        }
        let mut url = with_query(&provider.authorization_endpoint, &parameters);
        if let Some(fragment) = &provider.authorization_fragment {
            url.push('#');
            url.push_str(&encode_value(fragment));
        }
        url
    }

    fn code(&self, query: &Query) -> Result<String, ProviderError> {
        match query.value("error") {
            Some("access_denied") => return Err(ProviderError::Denied),
            Some(error) => {
                let known = [self.client_secret.expose()];
                return Err(ProviderError::AuthorizationRefused(scrub(error, &known)));
            }
            None => {}
        }
        let code = query.value("code");
        for denial in &self.provider.denials {
            let is_denied = match denial {
                Denial::StateWithoutCode => code.is_none(),
                Denial::Parameter(name) => query.value(name).is_some_and(|value| value != "0"),
            };
            if is_denied {
                return Err(ProviderError::Denied);
            }
        }
        let code = code.ok_or(ProviderError::CallbackUnreadable("it has no code"))?;
        // RFC 6749 appendix A.11: printable ASCII.
        let is_code = code.len() <= CODE_LENGTH_MAX && code.bytes().all(|b| b.is_ascii_graphic());
        if !is_code {
            return Err(ProviderError::CallbackUnreadable("its code is too long or not printable"));
        }
        Ok(code.to_owned())
    }
}

impl fmt::Debug for Begin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Begin").field("url", &without_query(&self.url)).field("attempt", &self.attempt).finish()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Attempt")
            .field("provider", &self.provider)
            .field("app", &self.app)
            .field("redirect_uri", &without_query(&self.redirect_uri))
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// The decoded parameters of a callback, each once. Names that mean nothing to us are ignored
/// (RFC 6749 §4.1.2), but not when they come twice.
struct Query(Vec<(String, Zeroizing<String>)>);

impl Query {
    fn parse(query: &str) -> Result<Self, ProviderError> {
        if query.len() > CALLBACK_LENGTH_MAX {
            return Err(ProviderError::CallbackUnreadable("it is too long"));
        }
        let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.len() >= CALLBACK_PARAMETERS_MAX {
                return Err(ProviderError::CallbackUnreadable("it has too many parameters"));
            }
            if parameters.iter().any(|(earlier, _)| *earlier == name) {
                return Err(ProviderError::DuplicateParameter);
            }
            parameters.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(parameters))
    }

    /// A parameter without a value counts as absent (RFC 6749 §3.1).
    fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

fn redirect_uri_fault(redirect_uri: &str) -> Option<&'static str> {
    if redirect_uri.len() > REDIRECT_URI_LENGTH_MAX {
        return Some("is too long");
    }
    if let Some(fault) = address_fault(redirect_uri) {
        return Some(fault);
    }
    let (_, query) = redirect_uri.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| matches!(name.as_ref(), "code" | "state" | "error" | "iss"))
        .then_some("must not contain a parameter that the provider adds")
}

fn base64url(random: &mut dyn Random, length: usize) -> String {
    let mut bytes = Zeroizing::new(vec![0; length]);
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(&*bytes)
}

async fn send(transport: &dyn Transport, endpoint: Endpoint, request: Request) -> Result<Response, ProviderError> {
    transport.send(request).await.map_err(|source| match source {
        TransportError::Timeout => ProviderError::Timeout { endpoint, source },
        TransportError::TooLarge => ProviderError::TooLarge { endpoint },
        TransportError::Interrupted(_) => ProviderError::Interrupted { endpoint, source },
        TransportError::Unreachable(_) | TransportError::Unusable(_) => ProviderError::Unreachable { endpoint, source },
    })
}

/// Whether a read may be tried once more at once. A timeout may not: the person waits already.
fn is_passing(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Unreachable { .. } | ProviderError::Interrupted { .. } | ProviderError::Busy(_))
}
