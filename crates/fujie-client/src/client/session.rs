//! A person's API of the provider, from a client that has signed them in (feature `session`).

use std::sync::Arc;

use super::Client;
use crate::session::{Builder, Renew, Renewing, Session, TokenSource};
use crate::token::Tokens;
use crate::token_store::{MemoryStore, StoreError, StoredTokens, TokenStore};

impl Renew for Client {
    fn refresh<'a>(&'a self, tokens: &'a Tokens) -> Renewing<'a> {
        Box::pin(Client::refresh(self, tokens))
    }
}

impl Client {
    /// A session for these tokens, relative to the provider's API, carrying the token as the
    /// provider wants it; a bound one goes with a proof of this client's key (RFC 9449 §7). They are refreshed in memory and forgotten with the session.
    ///
    /// # Errors
    /// [`StoreError`] when the tokens cannot be kept.
    pub fn session(self: &Arc<Self>, tokens: &Tokens) -> Result<Builder, StoreError> {
        let store = Arc::new(MemoryStore::new());
        store.save("session", &StoredTokens::new(tokens))?;
        Ok(self.session_in(store, "session"))
    }

    /// A session for the tokens that a store keeps under this name: refreshed once across threads
    /// and processes, and saved.
    pub fn session_in(self: &Arc<Self>, store: Arc<dyn TokenStore>, name: &str) -> Builder {
        let (renew, clock) = (Arc::clone(self), Arc::clone(self));
        let source = TokenSource::new(store, name, renew, move || clock.now());
        let provider = self.provider();
        let builder = Session::builder(provider.base_url.as_str()).tokens(source);
        builder.placement(provider.token_placement.clone()).prover(Arc::clone(self))
    }
}
