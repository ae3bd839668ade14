//! Webhooks of a repository: made, found again, changed, tried and removed.

use serde_json::{Value, json};

use super::{Ask, Github, path};
use crate::client::Client;
use crate::error::ProviderError;
use crate::request::Method;
use crate::secret::Secret;
use crate::token::Tokens;

/// A webhook to be made. GitHub then posts these events to `url`, signed with `secret`.
#[derive(Debug)]
pub struct Hook<'a> {
    /// Where deliveries go.
    pub url: &'a str,
    /// Event names, for example `push` and `issues`; `*` is all of them.
    pub events: &'a [&'a str],
    /// What deliveries are signed with; without it anybody may forge one.
    pub secret: Option<&'a Secret>,
}

/// Why GitHub does not do what was asked of a hook, as far as a person can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookFault {
    /// The token is over: the person must sign in again.
    TokenOver,
    /// No such repository or hook, the person does not administer it, or the token lacks the scope: GitHub does not
    /// tell these apart.
    Hidden,
    /// There is a hook with this address and these events.
    Exists,
    /// GitHub does not call such an address: it is on this machine or in a private network.
    AddressRefused,
    /// The repository has as many hooks as it may.
    TooMany,
    /// The person's requests are limited for a while.
    RateLimited,
    /// GitHub was not reached or did not answer; what was asked may have been done.
    Silent,
    /// Anything else.
    Other,
}

impl HookFault {
    /// The cause of an error of these calls.
    pub fn of(error: &ProviderError) -> Self {
        let says = |words: &str| {
            let message = error.evidence().and_then(|evidence| evidence.message.as_deref());
            message.is_some_and(|message| message.contains(words))
        };
        match error {
            ProviderError::AccessTokenRefused(_) => Self::TokenOver,
            ProviderError::NotPermitted(_) | ProviderError::NotOffered(_) | ProviderError::Redirected(_) => {
                Self::Hidden
            }
            ProviderError::RequestRefused(_) if says("already exists") => Self::Exists,
            ProviderError::RequestRefused(_) if says("reachable over the public") || says("localhost") => {
                Self::AddressRefused
            }
            ProviderError::RequestRefused(_) if says("more than") => Self::TooMany,
            ProviderError::RateLimited(_) => Self::RateLimited,
            ProviderError::Unreachable { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Interrupted { .. }
            | ProviderError::Busy(_) => Self::Silent,
            _ => Self::Other,
        }
    }
}

impl Client {
    /// Creates a webhook on the repository `owner/name` and brings GitHub's description of it.
    /// The tokens need the scope `write:repo_hook`, `repo` or `public_repo`.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when that is no repository's name,
    /// [`ProviderError::RequestRefused`] when the hook exists already or its address is refused,
    /// [`ProviderError::NotPermitted`] when the repository is missing or may not be
    /// changed: GitHub does not tell these apart.
    pub async fn create_hook(
        &self,
        tokens: &Tokens,
        repository: &str,
        hook: &Hook<'_>,
    ) -> Result<Value, ProviderError> {
        self.github(tokens).create(repository, hook).await
    }
}

impl Github<'_> {
    /// Creates a hook and brings its number. As [`Client::create_hook`].
    ///
    /// # Errors
    /// The same.
    pub async fn create_hook(&self, repository: &str, hook: &Hook<'_>) -> Result<u64, ProviderError> {
        let made = self.create(repository, hook).await?;
        made.get("id").and_then(Value::as_u64).ok_or_else(|| self.odd("the hook has no id"))
    }

    async fn create(&self, repository: &str, hook: &Hook<'_>) -> Result<Value, ProviderError> {
        let own = format!("/repos/{}/hooks", path(repository)?);
        let mut body = described(hook);
        if let Some(body) = body.as_object_mut() {
            body.insert("name".to_owned(), "web".into());
        }
        let secret = hook.secret.map(Secret::expose);
        let told = self.call(Ask { body: Some(body), secret, ..Ask::new(Method::Post, &own) }).await?;
        if told.value.get("url").is_none_or(|url| !url.is_string()) {
            return Err(self.odd("the hook has no url"));
        }
        Ok(told.value)
    }

    /// The number of the hook that delivers to `url`, if the repository has one. Scope `read:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn find_hook(&self, repository: &str, url: &str) -> Result<Option<u64>, ProviderError> {
        let own = format!("/repos/{}/hooks", path(repository)?);
        let is_it = |hook: &Value| {
            let is_same = hook.pointer("/config/url").and_then(Value::as_str) == Some(url);
            hook.get("id").and_then(Value::as_u64).filter(|_| is_same)
        };
        // One event has at most 20 hooks on github.com and 250 on Enterprise Server.
        for page in ["1", "2", "3"] {
            let query = [("per_page", "100"), ("page", page)];
            let told = self.call(Ask { query: &query, ..Ask::new(Method::Get, &own) }).await?;
            let found = told.items(is_it).ok_or_else(|| self.odd("the hooks are not a list"))?;
            if let Some(id) = found.first() {
                return Ok(Some(*id));
            }
            if told.next("page").is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Makes a hook what it is described as, and switches it on. Scope `write:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn change_hook(&self, repository: &str, id: u64, hook: &Hook<'_>) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{id}", path(repository)?);
        let (body, secret) = (Some(described(hook)), hook.secret.map(Secret::expose));
        self.call(Ask { body, secret, ..Ask::new(Method::Patch, &own) }).await.map(drop)
    }

    /// Changes what a hook's deliveries are signed with, and nothing else. Scope `write:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn change_hook_secret(&self, repository: &str, id: u64, secret: &Secret) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{id}/config", path(repository)?);
        let (body, secret) = (Some(json!({ "secret": secret.expose() })), Some(secret.expose()));
        self.call(Ask { body, secret, ..Ask::new(Method::Patch, &own) }).await.map(drop)
    }

    /// Switches a hook off: it delivers nothing. Scope `write:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn disable_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{id}", path(repository)?);
        let body = Some(json!({ "active": false }));
        self.call(Ask { body, ..Ask::new(Method::Patch, &own) }).await.map(drop)
    }

    /// Removes a hook. Scope `admin:repo_hook`, or `repo`, or `public_repo`: `write:repo_hook` does not do.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn remove_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{id}", path(repository)?);
        self.call(Ask::new(Method::Delete, &own)).await.map(drop)
    }

    /// Whether there is such a hook, as far as the token sees. Scope `read:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`], but a hook that is hidden is none.
    pub async fn has_hook(&self, repository: &str, id: u64) -> Result<bool, ProviderError> {
        let own = format!("/repos/{}/hooks/{id}", path(repository)?);
        match self.call(Ask::new(Method::Get, &own)).await {
            Ok(_) => Ok(true),
            Err(ProviderError::NotPermitted(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has a hook deliver a `ping`. Scope `write:repo_hook`.
    ///
    /// # Errors
    /// As [`Client::create_hook`].
    pub async fn ping_hook(&self, repository: &str, id: u64) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{id}/pings", path(repository)?);
        self.call(Ask { body: Some(json!({})), ..Ask::new(Method::Post, &own) }).await.map(drop)
    }
}

fn described(hook: &Hook<'_>) -> Value {
    let mut config = json!({"url": hook.url, "content_type": "json", "insecure_ssl": "0"});
    if let (Some(secret), Some(config)) = (hook.secret, config.as_object_mut()) {
        config.insert("secret".to_owned(), secret.expose().into());
    }
    json!({"active": true, "events": hook.events, "config": config})
}
