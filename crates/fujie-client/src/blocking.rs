//! The client for programs without an async runtime: the same methods, and the calling thread waits.
//!
//! Owns the waiting, which is nothing but a parked thread. What is done in which order is the async
//! client's, and nothing of it is repeated here.

mod github;

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

pub use github::Github;

use fujie_core::time::Timestamp;
use serde_json::Value;

use crate::client::{self, Begun, Clock, Device, Polled};
use crate::cookie::{Cookie, CookieKey};
use crate::embedded::Embedded;
#[cfg(feature = "ureq")]
use crate::environment::SetupError;
use crate::error::ProviderError;
use crate::flow::{Ask, Begin, Callback, SignedIn};
use crate::github::Hook;
use crate::identity::Identity;
use crate::openid::dpop::DpopKey;
use crate::openid::token_exchange;
use crate::provider::{Provider, RecordError};
#[cfg(feature = "ureq")]
use crate::registration::Credential;
use crate::registration::Registration;
use crate::request::Request;
use crate::secret::Secret;
use crate::token::Tokens;
#[cfg(feature = "ureq")]
use crate::transport::UreqTransport;
use crate::transport::{Response, Transport, TransportError};

/// [`crate::Client`] without async. It is cheap to share behind an [`Arc`]; each thread that calls
/// it waits by itself, up to six times the limit of the transport.
///
/// ```no_run
/// # #[cfg(feature = "ureq")]
/// # fn sign_in(callback_url: &str, cookie_header: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use fujie_client::{Secret, blocking::Client, provider};
///
/// let client = Client::new(provider::wechat(), "wx0123456789abcdef", Secret::new("the AppSecret"))?;
/// let begun = client.begin("https://app.example/callback")?;
/// // Set begun.cookie.set_cookie(), send the browser to begun.url. When it comes back:
/// let signed_in = client.finish(callback_url, cookie_header)?;
/// # Ok(())
/// # }
/// ```
///
/// It needs no runtime and finds none: it takes a plain function, never a [`Transport`], so that
/// one which needs tokio cannot end up here. On a thread of an async executor do not call it:
/// every task of that thread would wait too. There use [`crate::Client`].
#[derive(Debug)]
pub struct Client(client::Client);

impl Client {
    /// A client of this provider over ureq.
    ///
    /// # Errors
    /// As [`crate::Client::new`].
    #[cfg(feature = "ureq")]
    pub fn new(
        provider: Provider,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Result<Self, SetupError> {
        Ok(Self::over_ureq(ureq()?, Registration::new(provider, client_id, credential)?)?)
    }

    /// As [`crate::Client::from_env`], over ureq.
    ///
    /// # Errors
    /// The same.
    #[cfg(feature = "ureq")]
    pub fn from_env(preset: &str) -> Result<Self, SetupError> {
        Ok(Self::over_ureq(ureq()?, Registration::from_env(preset)?)?)
    }

    /// As [`crate::Client::discover`], over ureq.
    ///
    /// # Errors
    /// The same.
    #[cfg(feature = "ureq")]
    pub fn discover(
        issuer: &str,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Result<Self, ProviderError> {
        let unusable = |error: &dyn std::error::Error| ProviderError::Discovery(error.to_string());
        let transport = ureq().map_err(|error| unusable(&error))?;
        let registration = wait(Registration::discover(&transport, issuer, client_id, credential))?;
        Self::over_ureq(transport, registration).map_err(|error| unusable(&error))
    }

    #[cfg(feature = "ureq")]
    fn over_ureq(transport: UreqTransport, registration: Registration) -> Result<Self, RecordError> {
        Ok(Self(client::Client::over(Arc::new(transport), registration)?))
    }

    /// A client over a function that sends a request once and brings the whole answer, by the rules
    /// of [`Transport::send`]. `UreqTransport::exchange` is one.
    ///
    /// # Errors
    /// As [`crate::Client::over`].
    pub fn over(
        exchange: impl Fn(&Request) -> Result<Response, TransportError> + Send + Sync + 'static,
        registration: Registration,
    ) -> Result<Self, RecordError> {
        Ok(Self(client::Client::over(Arc::new(Exchange(exchange)), registration)?))
    }

    /// As [`crate::Client::with_cookie_key`].
    #[must_use]
    pub fn with_cookie_key(self, key: CookieKey) -> Self {
        Self(self.0.with_cookie_key(key))
    }

    /// As [`crate::Client::with_clock`].
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self(self.0.with_clock(clock))
    }

    /// As [`crate::Client::with_scope`].
    #[must_use]
    pub fn with_scope(self, scope: &[&str]) -> Self {
        Self(self.0.with_scope(scope))
    }

    /// As [`crate::Client::with_dpop`].
    #[must_use]
    pub fn with_dpop(self, key: DpopKey) -> Self {
        Self(self.0.with_dpop(key))
    }

    /// As [`crate::Client::registration`].
    pub fn registration(&self) -> &Registration {
        self.0.registration()
    }

    /// As [`crate::Client::provider`].
    pub fn provider(&self) -> &Provider {
        self.0.provider()
    }

    /// As [`crate::Client::now`].
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// As [`crate::Client::begin`].
    ///
    /// # Errors
    /// The same.
    pub fn begin(&self, redirect_uri: &str) -> Result<Begun, ProviderError> {
        self.0.begin(redirect_uri)
    }

    /// As [`crate::Client::begin_with`].
    ///
    /// # Errors
    /// The same.
    pub fn begin_with(&self, redirect_uri: &str, ask: &Ask<'_>) -> Result<Begun, ProviderError> {
        self.0.begin_with(redirect_uri, ask)
    }

    /// As [`crate::Client::begin_embedded`].
    ///
    /// # Errors
    /// The same.
    pub fn begin_embedded(
        &self,
        redirect_uri: &str,
        id: &str,
        self_redirect: bool,
    ) -> Result<(Embedded, Cookie), ProviderError> {
        self.0.begin_embedded(redirect_uri, id, self_redirect)
    }

    /// As [`crate::Client::begin_pushed`].
    ///
    /// # Errors
    /// The same.
    pub fn begin_pushed(&self, redirect_uri: &str, ask: &Ask<'_>) -> Result<Begun, ProviderError> {
        wait(self.0.begin_pushed(redirect_uri, ask))
    }

    /// As [`crate::Client::begin_unsealed`].
    ///
    /// # Errors
    /// The same.
    pub fn begin_unsealed(&self, redirect_uri: &str, ask: &Ask<'_>, now: Timestamp) -> Result<Begin, ProviderError> {
        wait(self.0.begin_unsealed(redirect_uri, ask, now))
    }

    /// As [`crate::Client::finish`].
    ///
    /// # Errors
    /// The same.
    pub fn finish(&self, callback: &str, cookie: &str) -> Result<SignedIn, ProviderError> {
        wait(self.0.finish(callback, cookie))
    }

    /// As [`crate::Client::clear_cookies`].
    pub fn clear_cookies(&self, callback: &str, cookie: &str) -> Vec<String> {
        self.0.clear_cookies(callback, cookie)
    }

    /// As [`crate::Client::redeem`].
    ///
    /// # Errors
    /// The same.
    pub fn redeem(&self, callback: Callback) -> Result<SignedIn, ProviderError> {
        wait(self.0.redeem(callback))
    }

    /// As [`crate::Client::user`].
    ///
    /// # Errors
    /// The same.
    pub fn user(&self, tokens: &Tokens) -> Result<Identity, ProviderError> {
        wait(self.0.user(tokens))
    }

    /// As [`crate::Client::refresh`].
    ///
    /// # Errors
    /// The same.
    pub fn refresh(&self, tokens: &Tokens) -> Result<Tokens, ProviderError> {
        wait(self.0.refresh(tokens))
    }

    /// As [`crate::Client::check`].
    ///
    /// # Errors
    /// The same.
    pub fn check(&self, tokens: &Tokens) -> Result<Value, ProviderError> {
        wait(self.0.check(tokens))
    }

    /// As [`crate::Client::revoke`].
    ///
    /// # Errors
    /// The same.
    pub fn revoke(&self, tokens: &Tokens) -> Result<(), ProviderError> {
        wait(self.0.revoke(tokens))
    }

    /// As [`crate::Client::client_credentials`].
    ///
    /// # Errors
    /// The same.
    pub fn client_credentials(&self, scope: &[&str]) -> Result<Tokens, ProviderError> {
        wait(self.0.client_credentials(scope))
    }

    /// As [`crate::Client::password`].
    ///
    /// # Errors
    /// The same.
    pub fn password(&self, username: &str, password: &Secret, scope: &[&str]) -> Result<Tokens, ProviderError> {
        wait(self.0.password(username, password, scope))
    }

    /// As [`crate::Client::exchange`].
    ///
    /// # Errors
    /// The same.
    pub fn exchange(&self, exchange: &token_exchange::Exchange<'_>) -> Result<Tokens, ProviderError> {
        wait(self.0.exchange(exchange))
    }

    /// As [`crate::Client::begin_device`].
    ///
    /// # Errors
    /// The same.
    pub fn begin_device(&self) -> Result<Device, ProviderError> {
        wait(self.0.begin_device())
    }

    /// As [`crate::Client::poll_device`]; to wait between two questions is the caller's here too.
    ///
    /// # Errors
    /// The same.
    pub fn poll_device(&self, device: &mut Device) -> Result<Polled, ProviderError> {
        wait(self.0.poll_device(device))
    }

    /// As [`crate::Client::create_hook`].
    ///
    /// # Errors
    /// The same.
    pub fn create_hook(&self, tokens: &Tokens, repository: &str, hook: &Hook<'_>) -> Result<Value, ProviderError> {
        wait(self.0.create_hook(tokens, repository, hook))
    }

    /// As [`crate::Client::github`].
    pub fn github<'a>(&'a self, tokens: &'a Tokens) -> Github<'a> {
        Github(self.0.github(tokens))
    }
}

impl Provider {
    /// As [`Provider::discover`], over a function as [`Client::over`] takes it.
    ///
    /// # Errors
    /// The same.
    pub fn discover_blocking(
        exchange: impl Fn(&Request) -> Result<Response, TransportError> + Send + Sync,
        issuer: &str,
    ) -> Result<Self, ProviderError> {
        wait(Self::discover(&Exchange(exchange), issuer))
    }
}

/// The transport of this client.
#[cfg(feature = "ureq")]
fn ureq() -> Result<UreqTransport, SetupError> {
    UreqTransport::new().map_err(SetupError::Transport)
}

/// A plain function as a transport.
struct Exchange<F>(F);

impl<F: Fn(&Request) -> Result<Response, TransportError> + Send + Sync> Transport for Exchange<F> {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        Box::pin(async move { (self.0)(&request) })
    }
}

impl<F> fmt::Debug for Exchange<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Exchange")
    }
}

/// Drives a future to its end on this thread, which sleeps until it is woken.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
        // A wake-up that comes between the poll and this is kept, and one without cause only polls again.
        thread::park();
    }
}

/// The thread that waits.
struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_thread_waits_until_it_is_woken_from_another() {
        let done = Arc::new(AtomicBool::new(false));
        let mut is_begun = false;
        let polls = wait(poll_fn(|context| {
            if done.load(Ordering::Acquire) {
                return Poll::Ready("woken");
            }
            if !is_begun {
                is_begun = true;
                let (waker, done) = (context.waker().clone(), Arc::clone(&done));
                thread::spawn(move || {
                    done.store(true, Ordering::Release);
                    waker.wake();
                });
            }
            Poll::Pending
        }));
        assert_eq!(polls, "woken");
    }
}
