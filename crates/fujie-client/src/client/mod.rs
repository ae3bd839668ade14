//! We, as somebody's client: the one door to everything that this crate does over the network.
//!
//! Owns the order of the calls of a sign-in, what is sent a second time and what never, and what
//! is kept between calls (the application's own token). What requests say and what answers mean
//! is the registration's.

mod grant;
mod openid;
#[cfg(feature = "session")]
mod session;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use fujie_core::random::{SystemRandom, bytes};
use fujie_core::time::{Lifetime, Timestamp};
use serde_json::Value;

pub use grant::{Device, Polled};

use crate::cookie::{self, Cookie, CookieKey};
use crate::embedded::Embedded;
use crate::error::{Endpoint, ProviderError};
use crate::flow::{self, Ask, Attempt, Callback, SignedIn};
use crate::openid::dpop::{DpopKey, Nonces};
use crate::provider::{Provider, RecordError};
use crate::registration::Registration;
use crate::request::Request;
use crate::token::Tokens;
use crate::transport::{Response, Transport, TransportError};

/// An application's own token is replaced when it ends within this span.
const APPLICATION_TOKEN_MARGIN: Lifetime = Lifetime::from_seconds(60);

/// A clock: milliseconds since the epoch, as [`Timestamp`].
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// We, as the client of one provider. It is cheap to share behind an [`Arc`]; one serves a whole
/// process. Everything it does is a method: no type parameters, no type of an HTTP library.
pub struct Client {
    registration: Registration,
    transport: Arc<dyn Transport>,
    cookie_key: CookieKey,
    clock: Clock,
    application: Mutex<Option<Tokens>>,
    keys: Mutex<Option<openid::Keys>>,
    dpop: Option<DpopKey>,
    dpop_nonces: Mutex<Nonces>,
}

/// Where to send the browser, and the cookie to set before.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// The authorization URL, for a redirect or a link.
    pub url: String,
    /// The sealed attempt. Set it with the same answer that names the URL.
    pub cookie: Cookie,
}

impl fmt::Debug for Begun {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Begun").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this provider over the transport of this build: reqwest, or ureq in a build
    /// without it, which holds up the thread that polls: there use [`crate::blocking::Client`].
    ///
    /// # Errors
    /// [`crate::SetupError::Record`] as [`Registration::new`] has it, [`crate::SetupError::Transport`] when TLS cannot
    /// be set up.
    #[cfg(any(feature = "reqwest", feature = "ureq"))]
    pub fn new(
        provider: Provider,
        client_id: impl Into<String>,
        credential: impl Into<crate::Credential>,
    ) -> Result<Self, crate::SetupError> {
        let transport = crate::transport::default_transport().map_err(crate::SetupError::Transport)?;
        Ok(Self::over(transport, Registration::new(provider, client_id, credential)?)?)
    }

    /// A client of this preset, from the process's environment ([`Registration::from_env`]).
    ///
    /// # Errors
    /// As [`Registration::from_env`] and [`Client::new`].
    #[cfg(any(feature = "reqwest", feature = "ureq"))]
    pub fn from_env(preset: &str) -> Result<Self, crate::SetupError> {
        let transport = crate::transport::default_transport().map_err(crate::SetupError::Transport)?;
        Ok(Self::over(transport, Registration::from_env(preset)?)?)
    }

    /// A client over a transport of the caller's.
    ///
    /// # Errors
    /// [`RecordError::Text`] when the cryptographic library is unusable.
    pub fn over(transport: Arc<dyn Transport>, registration: Registration) -> Result<Self, RecordError> {
        let key = CookieKey::new(&bytes(&mut SystemRandom)).map_err(|error| RecordError::Text(error.to_string()))?;
        let clock = Arc::new(crate::transport::system_clock);
        Ok(Self {
            registration,
            transport,
            cookie_key: key,
            clock,
            application: Mutex::new(None),
            keys: Mutex::new(None),
            dpop: None,
            dpop_nonces: Mutex::default(),
        })
    }

    /// This client sealing attempts with a key that other processes share, or that outlives this
    /// one. Without it a random key is made, and attempts end with the process.
    #[must_use]
    pub fn with_cookie_key(mut self, key: CookieKey) -> Self {
        self.cookie_key = key;
        self
    }

    /// This client with another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// This client asking for other scopes.
    #[must_use]
    pub fn with_scope(mut self, scope: &[&str]) -> Self {
        self.registration.provider = self.registration.provider.with_scope(scope);
        self
    }

    /// This client binding its tokens to a key (RFC 9449), where the provider knows how.
    #[must_use]
    pub fn with_dpop(mut self, key: DpopKey) -> Self {
        self.dpop = Some(key);
        self
    }

    /// The registration: everything that needs no network.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// The record in use.
    pub fn provider(&self) -> &Provider {
        self.registration.provider()
    }

    /// What this client says the time is.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Begins a sign-in: send the browser to `url` and set `cookie`. `redirect_uri` is where the
    /// provider sends it back; it is https, http on loopback or of a private-use scheme with a dot (RFC 8252 §7.1), and
    /// registered with the provider.
    ///
    /// # Errors
    /// [`ProviderError::RedirectUriUnusable`].
    pub fn begin(&self, redirect_uri: &str) -> Result<Begun, ProviderError> {
        self.begin_with(redirect_uri, &Ask::default())
    }

    /// As [`Client::begin`], with a language, or with tokens in the callback itself.
    ///
    /// # Errors
    /// As [`Client::begin`].
    pub fn begin_with(&self, redirect_uri: &str, ask: &Ask<'_>) -> Result<Begun, ProviderError> {
        if self.provider().pushed_authorization_request_required {
            return Err(ProviderError::NotOffered("requests that were not pushed; begin with begin_pushed"));
        }
        let begin = self.registration.begin(redirect_uri, ask, &mut SystemRandom, self.now())?;
        Ok(Begun { url: begin.url, cookie: self.seal(&begin.attempt, false)? })
    }

    /// Begins a sign-in inside the element `id` of one's own page, with WeChat's script. With
    /// `self_redirect` the frame alone comes to the redirect URI, else the whole window.
    ///
    /// # Errors
    /// [`ProviderError::RedirectUriUnusable`]; [`ProviderError::NotOffered`] for other providers.
    pub fn begin_embedded(
        &self,
        redirect_uri: &str,
        id: &str,
        self_redirect: bool,
    ) -> Result<(Embedded, Cookie), ProviderError> {
        let (embedded, attempt) =
            self.registration.begin_embedded(redirect_uri, id, self_redirect, &mut SystemRandom, self.now())?;
        Ok((embedded, self.seal(&attempt, self_redirect)?))
    }

    /// Finishes a sign-in. `callback` is what the browser came with: the whole URL, its query, a
    /// URL with a fragment, or the body of a POST. `cookie` is the cookie's value or the whole
    /// `Cookie` header. A front end may have carried the callback to a back end: only the
    /// cookie decides whose sign-in it is.
    ///
    /// # Errors
    /// [`ProviderError::Denied`] when the person refused, [`ProviderError::CookieUnusable`] in
    /// another browser, otherwise the check that failed.
    pub async fn finish(&self, callback: &str, cookie: &str) -> Result<SignedIn, ProviderError> {
        let attempts = cookie::open(&self.cookie_key, cookie)?;
        let mut outcome = Err(ProviderError::CookieUnusable);
        for attempt in attempts {
            outcome = self.registration.read_callback(&attempt, callback, self.now());
            // Another tab's attempt; this one's cookie is further on.
            if !matches!(outcome, Err(ProviderError::StateMismatch | ProviderError::OtherClient)) {
                break;
            }
        }
        self.redeem(outcome?).await
    }

    /// The values of `Set-Cookie` headers, one each, for the answer to a callback, whatever came of
    /// it: they take back its attempt, and the oldest where the browser carries more than eight.
    /// Other tabs' attempts stay. With an empty `callback` they only do the latter, for the answer
    /// that begins a sign-in. `cookie` is the whole `Cookie` header; what this client's key does
    /// not open is left alone, and ends by itself.
    pub fn clear_cookies(&self, callback: &str, cookie: &str) -> Vec<String> {
        cookie::clear(&self.cookie_key, cookie, flow::state_of(callback).as_deref())
    }

    /// Redeems a callback and asks who it is. The exchange is sent once and never again; the
    /// questions behind it are sent a second time when the provider was unreachable, broke off or
    /// was busy. With the transports of this crate it takes at most six times their limit.
    ///
    /// # Errors
    /// Any cause from the network on; [`ProviderError::Provisional`] for a visitor without a
    /// real account.
    pub async fn redeem(&self, callback: Callback) -> Result<SignedIn, ProviderError> {
        let mut tokens = self.tokens_of(&callback).await?;
        if tokens.provisional {
            return Err(ProviderError::Provisional);
        }
        if self.provider().subject.is_some() {
            self.ask_subject(&mut tokens).await?;
        }
        let claims = self.verify_id_token(&mut tokens, Some(&callback)).await?;
        let identity = match self.registration.user_request(&tokens, Some(&callback), self.now()) {
            None => {
                let described = about(claims, callback.user.as_ref().map(|person| &person.0));
                self.registration.identity_of(&tokens, Some(&described))?
            }
            Some(first) => match self.ask_user(&tokens, first).await {
                Err(error) if is_passing(&error) || self.is_applications_end(&error) => {
                    if self.is_applications_end(&error) {
                        self.forget_application_token(&tokens);
                        tokens = self.tokens_of(&callback).await?;
                    }
                    let again = self.registration.user_request(&tokens, Some(&callback), self.now());
                    self.ask_user(&tokens, again.ok_or(error)?).await?
                }
                outcome => outcome?,
            },
        };
        if identity.provisional {
            return Err(ProviderError::Provisional);
        }
        Ok(SignedIn { identity, tokens })
    }

    /// Asks the provider who the tokens are about, again.
    ///
    /// # Errors
    /// [`ProviderError::AccessTokenRefused`] when the token is over; [`ProviderError::NotOffered`]
    /// when the provider has no such place.
    pub async fn user(&self, tokens: &Tokens) -> Result<crate::Identity, ProviderError> {
        let request = self.registration.user_request(tokens, None, self.now());
        self.ask_user(tokens, request.ok_or(ProviderError::NotOffered("user endpoint"))?).await
    }

    /// Makes fresh tokens of old ones. The old ones may be dead from now on: keep the new ones.
    ///
    /// # Errors
    /// [`ProviderError::RefreshTokenRefused`] when the person has to sign in again.
    pub async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, ProviderError> {
        let now = self.now();
        let request = || self.registration.refresh_request(tokens, &mut SystemRandom, now);
        let response = self.send_proved(Endpoint::Refresh, request).await?;
        let mut refreshed = self.registration.read_refreshed(tokens, &response, now)?;
        if refreshed.id_token.is_some() {
            self.verify_id_token(&mut refreshed, None).await?;
        }
        Ok(refreshed)
    }

    /// Asks whether the access token is good: WeChat's `/sns/auth`, Weibo's `get_token_info`.
    /// What else the provider says of it comes back.
    ///
    /// # Errors
    /// [`ProviderError::AccessTokenRefused`] when it is not good.
    pub async fn check(&self, tokens: &Tokens) -> Result<Value, ProviderError> {
        let request = self.registration.check_request(tokens, self.now())?;
        let response = self.send(Endpoint::Check, request).await?;
        self.registration.read_check(tokens, &response)
    }

    /// Ends the tokens at the provider (RFC 7009).
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider has no such place; then forgetting them is
    /// all that can be done.
    pub async fn revoke(&self, tokens: &Tokens) -> Result<(), ProviderError> {
        let request = self.registration.revocation_request(tokens, &mut SystemRandom, self.now())?;
        let response = self.send(Endpoint::Revocation, request).await?;
        self.registration.read_revocation(tokens, &response)
    }

    /// The tokens that a callback brings or is worth.
    async fn tokens_of(&self, callback: &Callback) -> Result<Tokens, ProviderError> {
        if callback.implicit.is_some() {
            return self.registration.implicit_tokens(callback, self.now());
        }
        if self.provider().token.is_application {
            return self.application_token(callback).await;
        }
        let now = self.now();
        let request = || self.registration.exchange_request(callback, &mut SystemRandom, now);
        let response = self.send_proved(Endpoint::Token, request).await?;
        self.registration.read_tokens(callback, &response, now)
    }

    /// The token of our application, kept for everybody until shortly before it ends.
    async fn application_token(&self, callback: &Callback) -> Result<Tokens, ProviderError> {
        let now = self.now();
        let is_fresh = |tokens: &&Tokens| tokens.expires_at.is_some_and(|end| now + APPLICATION_TOKEN_MARGIN < end);
        let kept = {
            let kept = self.application.lock().unwrap_or_else(PoisonError::into_inner);
            kept.as_ref().filter(is_fresh).map(Tokens::duplicate)
        };
        if let Some(tokens) = kept {
            return Ok(tokens);
        }
        let request = self.registration.exchange_request(callback, &mut SystemRandom, now)?;
        let response = self.send(Endpoint::Token, request).await?;
        let tokens = self.registration.read_tokens(callback, &response, now)?;
        *self.application.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.duplicate());
        Ok(tokens)
    }

    /// Whether the provider ended our application's token before its time. The code is not spent by that.
    fn is_applications_end(&self, error: &ProviderError) -> bool {
        self.provider().token.is_application && matches!(error, ProviderError::AccessTokenRefused(_))
    }

    /// Forgets the application's token, unless another sign-in has put a newer one in its place.
    fn forget_application_token(&self, refused: &Tokens) {
        let mut kept = self.application.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|kept| kept.access_token == refused.access_token) {
            *kept = None;
        }
    }

    async fn ask_subject(&self, tokens: &mut Tokens) -> Result<(), ProviderError> {
        for is_last in [false, true] {
            let Some(request) = self.registration.subject_request(tokens, self.now()) else {
                return Ok(());
            };
            let outcome = match self.send(Endpoint::Subject, request).await {
                Ok(response) => self.registration.read_subject(tokens, &response),
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if is_passing(&error) && !is_last => {}
                outcome => return outcome,
            }
        }
        Ok(())
    }

    async fn ask_user(&self, tokens: &Tokens, request: Request) -> Result<crate::Identity, ProviderError> {
        let response = self.send_bound(Endpoint::User, tokens, request).await?;
        self.registration.read_user(tokens, &response)
    }

    fn seal(&self, attempt: &Attempt, is_framed: bool) -> Result<Cookie, ProviderError> {
        let is_post = self.provider().authorization_parameters.iter().any(|(_, value)| value == "form_post");
        Cookie::seal(&self.cookie_key, attempt, is_post || is_framed, &mut SystemRandom)
    }

    pub(crate) async fn send(&self, endpoint: Endpoint, request: Request) -> Result<Response, ProviderError> {
        sent(self.transport.as_ref(), endpoint, request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("registration", &self.registration).finish_non_exhaustive()
    }
}

async fn sent(transport: &dyn Transport, endpoint: Endpoint, request: Request) -> Result<Response, ProviderError> {
    transport.send(request).await.map_err(|source| match source {
        TransportError::Timeout => ProviderError::Timeout { endpoint, source },
        TransportError::TooLarge => ProviderError::TooLarge { endpoint },
        TransportError::Interrupted(_) => ProviderError::Interrupted { endpoint, source },
        TransportError::Unreachable(_) | TransportError::NotAdmitted => ProviderError::Unreachable { endpoint, source },
        TransportError::Unusable(_) => ProviderError::TransportUnusable { endpoint, source },
    })
}

/// What ID token and callback say about the person; the callback's words are for show alone.
fn about(claims: Option<Value>, user: Option<&Value>) -> Value {
    let mut described = user.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(claims)) = claims {
        described.extend(claims);
    }
    Value::Object(described)
}

/// Whether a question may be asked once more at once. A timeout may not: the person waits already.
fn is_passing(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Unreachable { .. } | ProviderError::Interrupted { .. } | ProviderError::Busy(_))
}
