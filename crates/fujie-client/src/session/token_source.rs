//! Tokens that are always fresh: kept in a store, refreshed in time, once for all who ask.
//!
//! Owns when to refresh, and that it happens once across threads and processes. How a provider is
//! asked is [`Renew`]'s; where tokens lie is [`TokenStore`]'s.
//!
//! The order is: take the turn within the process, take the store's lock, read again, refresh,
//! save, tell `on_change`, release. It runs to its end even when the caller gives up waiting. A
//! crash after the provider has answered and before the save is done loses the new tokens: where
//! refresh tokens work once, the person must then sign in again. The window is one write to disk;
//! no order of steps closes it, for the provider and the disk cannot commit together.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::ProviderError;
use crate::secret::Secret;
use crate::token::Tokens;
use crate::token_store::{Locked, StoreError, StoredTokens, TokenStore};
use fujie_core::time::Timestamp;

/// A token is refreshed this long before its end, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(60);
/// How long another process may hold the store's lock: several refreshes long.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// Between two looks at a lock that somebody else holds: at first, and at most.
const LOCK_PAUSE_MIN: Duration = Duration::from_millis(5);
const LOCK_PAUSE_MAX: Duration = Duration::from_millis(100);

/// Asks the provider for fresh tokens. It must ask once, and not in vain: an error that is not a
/// refusal should mean that the refresh token still works.
pub trait Renew: Send + Sync {
    /// Sends the refresh token and brings what came, complete: what the answer leaves out is
    /// taken over from `tokens`.
    fn refresh<'a>(&'a self, tokens: &'a Tokens) -> Renewing<'a>;
}

/// What [`Renew::refresh`] returns.
pub type Renewing<'a> = Pin<Box<dyn Future<Output = Result<Tokens, ProviderError>> + Send + 'a>>;

/// Why there is no fresh token. Cheap to clone: all who waited get the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing is kept under this name: nobody has signed in.
    #[error("nobody has signed in")]
    NotSignedIn,
    /// The tokens have ended, and the provider gives no more for them. They are still in the
    /// store: removing them is the caller's decision.
    #[error("the person must sign in again")]
    SignInAgain(#[source] Option<Arc<ProviderError>>),
    /// The provider could not be asked, or could not answer. The refresh token may still work.
    #[error("the tokens could not be refreshed")]
    NotRefreshed(#[source] Arc<ProviderError>),
    /// The store cannot be read or locked.
    #[error("the tokens cannot be read")]
    Store(#[source] Arc<StoreError>),
    /// The provider gave fresh tokens, and the store did not take them. They are here, and
    /// nowhere else: save them, or the person may have to sign in again.
    #[error("the fresh tokens could not be saved")]
    NotSaved {
        /// The fresh tokens.
        tokens: Arc<Tokens>,
        /// What the store says.
        source: Arc<StoreError>,
    },
    /// Another process has been refreshing for more than 30 seconds.
    #[error("another process holds the lock of the tokens")]
    Busy,
    /// The runtime ended during the refresh, or `on_change` or the store panicked.
    #[error("the refresh did not come to its end")]
    Aborted,
}

impl TokenError {
    /// What to do next, for whoever reads the log.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "let the person sign in",
            Self::SignInAgain(_) => "let the person sign in again, then save the new tokens",
            Self::NotRefreshed(_) => "try again in a minute; the tokens are unchanged",
            Self::Store(error) | Self::NotSaved { source: error, .. } => error.next_step(),
            Self::Busy => "see whether another process of this program hangs",
            Self::Aborted => "try again; if the provider refuses, let the person sign in again",
        }
    }
}

/// Somebody's tokens, kept fresh. Clones share the same turn and the same store.
#[derive(Clone)]
pub struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn TokenStore>,
    name: String,
    renew: Arc<dyn Renew>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    on_change: Option<OnChange>,
    turn: Arc<Mutex<Turn>>,
    /// Refreshes that have come to an end, well or not.
    finished: AtomicU64,
}

type OnChange = Box<dyn Fn(&Tokens) + Send + Sync>;

/// What the last refresh left to those who waited for it.
#[derive(Default)]
struct Turn {
    outcome: Option<Outcome>,
    /// A refresh token that the provider refused for good: it is not sent again.
    refused: Option<Secret>,
}

type Outcome = Result<Arc<Tokens>, TokenError>;

/// Why a refresh is wanted.
enum Cause {
    /// The access token ends soon, or has ended.
    Ending,
    /// A server refused this access token, whatever its end is said to be.
    Refused(Secret),
}

impl TokenSource {
    /// The tokens that are kept under `name`, refreshed by `renew`. `clock` is the program's.
    pub fn new(
        store: Arc<dyn TokenStore>,
        name: impl Into<String>,
        renew: Arc<dyn Renew>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::build(store, name.into(), renew, Box::new(clock), None)
    }

    /// As [`TokenSource::new`], and `on_change` is told of every fresh set of tokens once they are
    /// saved. It is called while the lock is held: it must be short and must not ask this source.
    pub fn with_on_change(
        store: Arc<dyn TokenStore>,
        name: impl Into<String>,
        renew: Arc<dyn Renew>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        on_change: impl Fn(&Tokens) + Send + Sync + 'static,
    ) -> Self {
        Self::build(store, name.into(), renew, Box::new(clock), Some(Box::new(on_change)))
    }

    fn build(
        store: Arc<dyn TokenStore>,
        name: String,
        renew: Arc<dyn Renew>,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
        on_change: Option<OnChange>,
    ) -> Self {
        let (turn, finished) = (Arc::default(), AtomicU64::new(0));
        Self { inner: Arc::new(Inner { store, name, renew, clock, on_change, turn, finished }) }
    }

    /// Tokens that are good for another minute, or for ever if their end was never said. At most
    /// one refresh is under way at a time; whoever asks meanwhile gets its outcome. A lifetime
    /// of a minute or less means a refresh for every call.
    ///
    /// # Errors
    /// [`TokenError`]. When a refresh fails for now, tokens that have not quite ended are given.
    pub async fn fresh_tokens(&self) -> Result<Arc<Tokens>, TokenError> {
        let tokens = self.inner.load().await?;
        if self.inner.is_ending(&tokens) { self.renewed(Cause::Ending).await } else { Ok(Arc::new(tokens)) }
    }

    /// Tokens with another access token than this one, which a server refused although it had not ended: another
    /// caller's, or refreshed now.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn instead_of(&self, refused: &Secret) -> Result<Arc<Tokens>, TokenError> {
        self.renewed(Cause::Refused(refused.duplicate())).await
    }

    async fn renewed(&self, cause: Cause) -> Outcome {
        let earlier = self.inner.finished.load(Ordering::SeqCst);
        let turn = Arc::clone(&self.inner.turn).lock_owned().await;
        if self.inner.finished.load(Ordering::SeqCst) != earlier
            && let Some(outcome) = turn.outcome.as_ref().filter(|outcome| cause.is_met_by(outcome))
        {
            return outcome.clone();
        }
        let inner = Arc::clone(&self.inner);
        // A task of its own: a caller that gives up must not lose tokens that are on their way.
        tokio::spawn(inner.take_turn(turn, cause)).await.unwrap_or(Err(TokenError::Aborted))
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TokenSource").field("store", &self.inner.store.description()).finish_non_exhaustive()
    }
}

impl Cause {
    /// Whether what another caller's refresh brought is what this one waits for.
    fn is_met_by(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Refused(refused), Ok(tokens)) => tokens.access_token != *refused,
            _ => true,
        }
    }
}

impl Inner {
    async fn take_turn(self: Arc<Self>, mut turn: OwnedMutexGuard<Turn>, cause: Cause) -> Outcome {
        let outcome = self.renew(&mut turn.refused, &cause).await;
        turn.outcome = Some(outcome.clone());
        self.finished.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    async fn renew(&self, refused: &mut Option<Secret>, cause: &Cause) -> Outcome {
        let _locked = self.lock().await?;
        // Another process may have refreshed while we waited.
        let tokens = self.load().await?;
        let is_due = match cause {
            Cause::Ending => self.is_ending(&tokens),
            Cause::Refused(access_token) => tokens.access_token == *access_token,
        };
        if !is_due {
            return Ok(Arc::new(tokens));
        }
        let is_usable = matches!(cause, Cause::Ending) && !self.has_ended(&tokens);
        let Some(refresh_token) = &tokens.refresh_token else {
            return if is_usable { Ok(Arc::new(tokens)) } else { Err(TokenError::SignInAgain(None)) };
        };
        if refused.as_ref() == Some(refresh_token) {
            return Err(TokenError::SignInAgain(None));
        }
        match self.renew.refresh(&tokens).await {
            Ok(fresh) => self.keep(fresh).await,
            Err(error) if is_final(&error) => {
                *refused = Some(refresh_token.duplicate());
                Err(TokenError::SignInAgain(Some(Arc::new(error))))
            }
            Err(_) if is_usable => Ok(Arc::new(tokens)),
            Err(error) => Err(TokenError::NotRefreshed(Arc::new(error))),
        }
    }

    async fn keep(&self, fresh: Tokens) -> Outcome {
        let record = StoredTokens::new(&fresh);
        let fresh = Arc::new(fresh);
        let (store, name) = (Arc::clone(&self.store), self.name.clone());
        match blocking(move || store.save(&name, &record)).await {
            Ok(()) => {}
            Err(TokenError::Store(source)) => return Err(TokenError::NotSaved { tokens: fresh, source }),
            Err(error) => return Err(error),
        }
        if let Some(on_change) = &self.on_change {
            on_change(&fresh);
        }
        Ok(fresh)
    }

    async fn load(&self) -> Result<Tokens, TokenError> {
        let (store, name) = (Arc::clone(&self.store), self.name.clone());
        let record = blocking(move || store.load(&name)).await?;
        record.map(StoredTokens::into_tokens).ok_or(TokenError::NotSignedIn)
    }

    async fn lock(&self) -> Result<Locked, TokenError> {
        let waiting = async {
            let mut pause = LOCK_PAUSE_MIN;
            loop {
                let (store, name) = (Arc::clone(&self.store), self.name.clone());
                if let Some(locked) = blocking(move || store.try_lock(&name)).await? {
                    return Ok(locked);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LOCK_PAUSE_MAX);
            }
        };
        tokio::time::timeout(LOCK_WAIT, waiting).await.unwrap_or(Err(TokenError::Busy))
    }

    fn is_ending(&self, tokens: &Tokens) -> bool {
        tokens.expires_at.is_some_and(|end| end <= (self.clock)() + MARGIN)
    }

    fn has_ended(&self, tokens: &Tokens) -> bool {
        tokens.expires_at.is_some_and(|end| end <= (self.clock)())
    }
}

/// Whether the same refresh token will never do again (`invalid_grant`, RFC 6749 §5.2).
fn is_final(error: &ProviderError) -> bool {
    matches!(error, ProviderError::RefreshTokenRefused(_) | ProviderError::NotOffered(_))
}

/// Stores may wait for disks and people: not on the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, TokenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| TokenError::Store(Arc::new(error))),
        Err(_) => Err(TokenError::Aborted),
    }
}
