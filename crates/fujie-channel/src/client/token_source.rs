//! Where a client's tokens come from.

use std::error::Error;

use fujie_core::secret::Secret;

/// Gives tokens for a channel: access tokens for the audience `{issuer}/channel` with the scope `channel:read`.
///
/// A function that takes [`Need`] and gives a future is one.
pub trait TokenSource: Send + 'static {
    /// A token.
    fn token(&mut self, need: Need) -> impl Future<Output = Result<Secret, TokenError>> + Send;
}

impl<F, T> TokenSource for F
where
    F: FnMut(Need) -> T + Send + 'static,
    T: Future<Output = Result<Secret, TokenError>> + Send,
{
    fn token(&mut self, need: Need) -> impl Future<Output = Result<Secret, TokenError>> + Send {
        self(need)
    }
}

/// Which token is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Any that should still be good.
    Any,
    /// Another one: the last was refused.
    Another,
}

/// There is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// None can be had now: it is asked for again.
    #[error("no token can be had now")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// None will be had: somebody has to sign in.
    #[error("there is no token")]
    Gone(#[source] Box<dyn Error + Send + Sync>),
}
