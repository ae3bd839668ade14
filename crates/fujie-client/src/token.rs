//! Tokens: exchanging a code, refreshing, asking whether an access token is good.
//!
//! Owns these requests and what we believe of their answers (RFC 6749 §5, §6, as far as the
//! provider keeps to it). Sending, storing and deciding when to refresh are the caller's.

use std::fmt;
use std::time::Duration;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{Endpoint, ProviderError};
use crate::flow::Callback;
use crate::provider::TokenMethod;
use crate::request::Request;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::transport::Response;

/// What a provider gave us to act for a person. `Debug` shows neither tokens nor the person.
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if one was given.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, if that was said. It counts from when the answer was asked
    /// for, so it is never later than the provider's own idea.
    pub expires_at: Option<Timestamp>,
    /// What the token is good for: never more than was asked for.
    pub scope: Vec<String>,
    /// Whom the token is about, where the token answer says so.
    pub subject: Option<String>,
    /// The identifier shared among applications, where the token answer says so.
    pub union_subject: Option<String>,
    /// Whether the visitor has no real account.
    pub provisional: bool,
}

impl Client {
    /// The request that redeems the code (RFC 6749 §4.1.3). Send it once: whatever becomes of
    /// it, the code may be spent.
    ///
    /// # Errors
    /// [`ProviderError::OtherClient`] when the callback was read by another client: its code
    /// must not meet this one's secret.
    pub fn exchange_request(&self, callback: &Callback) -> Result<Request, ProviderError> {
        if callback.provider != self.provider.id || callback.app != self.client_id {
            return Err(ProviderError::OtherClient);
        }
        let names = &self.provider.parameters;
        let mut parameters = vec![
            (names.client_id.as_str(), self.client_id.as_str()),
            (names.client_secret.as_str(), self.client_secret.expose()),
            ("code", callback.code.expose()),
            ("grant_type", "authorization_code"),
        ];
        if self.provider.token_sends_redirect_uri {
            parameters.push(("redirect_uri", &callback.redirect_uri));
        }
        if let Some(verifier) = &callback.code_verifier {
            parameters.push(("code_verifier", verifier.expose()));
        }
        Ok(self.token_request(&self.provider.token_endpoint, &parameters))
    }

    /// Reads the answer to [`Self::exchange_request`]. `now` is when the request was sent, or
    /// earlier.
    ///
    /// # Errors
    /// The provider's refusal by cause, or what is missing from the answer.
    pub fn read_tokens(
        &self,
        callback: &Callback,
        response: &Response,
        now: Timestamp,
    ) -> Result<Tokens, ProviderError> {
        let known = vec![self.client_secret.expose(), callback.code.expose()];
        self.tokens(Endpoint::Token, response, known, now)
    }

    /// The request for a fresh access token (RFC 6749 §6). Some providers let a refresh token
    /// work once: send it once, and from one place at a time.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when there is no refresh token or no place to send it.
    pub fn refresh_request(&self, tokens: &Tokens) -> Result<Request, ProviderError> {
        let endpoint = self.provider.refresh_endpoint.as_deref();
        let endpoint = endpoint.ok_or(ProviderError::NotOffered("refresh endpoint"))?;
        let refresh_token = tokens.refresh_token.as_ref();
        let refresh_token = refresh_token.ok_or(ProviderError::NotOffered("refresh token"))?;
        let names = &self.provider.parameters;
        let mut parameters = vec![(names.client_id.as_str(), self.client_id.as_str())];
        if self.provider.refresh_sends_secret {
            parameters.push((names.client_secret.as_str(), self.client_secret.expose()));
        }
        parameters.push(("grant_type", "refresh_token"));
        parameters.push(("refresh_token", refresh_token.expose()));
        Ok(self.token_request(endpoint, &parameters))
    }

    /// Reads the answer to [`Self::refresh_request`]. What the answer leaves out stays as it
    /// was; the person must be the same.
    ///
    /// # Errors
    /// The provider's refusal by cause, what is missing, or [`ProviderError::SubjectMismatch`].
    pub fn read_refreshed(
        &self,
        tokens: &Tokens,
        response: &Response,
        now: Timestamp,
    ) -> Result<Tokens, ProviderError> {
        let known = self.known(tokens);
        let mut refreshed = self.tokens(Endpoint::Refresh, response, known.clone(), now)?;
        let is_other = |new: &Option<String>, old: &Option<String>| new.is_some() && old.is_some() && new != old;
        if is_other(&refreshed.subject, &tokens.subject) || is_other(&refreshed.union_subject, &tokens.union_subject) {
            let answer = Answer::read(&self.provider, Endpoint::Refresh, response, known)?;
            return Err(answer.mismatch(&self.provider.identity.subject));
        }
        refreshed.scope.retain(|scope| tokens.scope.contains(scope));
        if refreshed.refresh_token.is_none() {
            refreshed.refresh_token = tokens.refresh_token.as_ref().map(Secret::duplicate);
        }
        refreshed.subject = refreshed.subject.or_else(|| tokens.subject.clone());
        refreshed.union_subject = refreshed.union_subject.or_else(|| tokens.union_subject.clone());
        Ok(refreshed)
    }

    /// The request that asks whether the access token is good.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider has no such endpoint.
    pub fn check_request(&self, tokens: &Tokens) -> Result<Request, ProviderError> {
        let endpoint = self.provider.check_endpoint.as_deref();
        let endpoint = endpoint.ok_or(ProviderError::NotOffered("check endpoint"))?;
        Ok(Request::query(endpoint, &self.token_parameters(tokens)))
    }

    /// Reads the answer to [`Self::check_request`]: `Ok` says that the token is good now.
    ///
    /// # Errors
    /// [`ProviderError::AccessTokenRefused`] when it is not; otherwise another cause.
    pub fn read_check(&self, tokens: &Tokens, response: &Response) -> Result<(), ProviderError> {
        let answer = Answer::read(&self.provider, Endpoint::Check, response, self.known(tokens))?;
        // Success is said, not left out: an empty object from somewhere else is no success.
        answer.success_said()
    }

    /// The parameters by which a request names the token and its subject.
    pub(crate) fn token_parameters<'a>(&'a self, tokens: &'a Tokens) -> Vec<(&'a str, &'a str)> {
        let mut parameters = vec![("access_token", tokens.access_token.expose())];
        if let (Some(name), Some(subject)) = (&self.provider.parameters.subject, &tokens.subject) {
            parameters.push((name, subject));
        }
        parameters
    }

    /// What an answer about these tokens may repeat and a log must not.
    pub(crate) fn known<'a>(&'a self, tokens: &'a Tokens) -> Vec<&'a str> {
        let mut known = vec![self.client_secret.expose(), tokens.access_token.expose()];
        known.extend(tokens.refresh_token.as_ref().map(Secret::expose));
        known.extend(tokens.subject.as_deref());
        known.extend(tokens.union_subject.as_deref());
        known
    }

    fn token_request(&self, endpoint: &str, parameters: &[(&str, &str)]) -> Request {
        match self.provider.token_method {
            TokenMethod::GetQuery => Request::query(endpoint, parameters),
            TokenMethod::PostForm => Request::form(endpoint, parameters),
        }
    }

    fn tokens(
        &self,
        endpoint: Endpoint,
        response: &Response,
        known: Vec<&str>,
        now: Timestamp,
    ) -> Result<Tokens, ProviderError> {
        let rule = &self.provider.identity;
        let answer = Answer::read(&self.provider, endpoint, response, known)?;
        let access_token = Secret::new(answer.required("access_token")?);
        let lifetime = answer.seconds("expires_in")?.map(|s| Duration::from_secs(s.into()));
        let subject = if rule.token_names_subject { Some(answer.subject(&rule.subject)?.to_owned()) } else { None };
        Ok(Tokens {
            access_token,
            refresh_token: answer.optional("refresh_token")?.map(Secret::new),
            expires_at: lifetime.map(|lifetime| now.plus(lifetime)),
            scope: self.effective_scope(answer.scope()?),
            subject,
            union_subject: answer.union_subject()?.map(str::to_owned),
            provisional: answer.is_set(rule.provisional.as_deref()),
        })
    }

    /// No answer about scope means what was asked for (RFC 6749 §5.1); an answer never means
    /// more than that.
    fn effective_scope(&self, granted: Option<&str>) -> Vec<String> {
        let requested = &self.provider.scope;
        let Some(granted) = granted else {
            return requested.clone();
        };
        let granted: Vec<&str> = granted.split(self.provider.scope_separator.as_str()).map(str::trim).collect();
        requested.iter().filter(|scope| granted.contains(&scope.as_str())).cloned().collect()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokens")
            .field("expires_at", &self.expires_at)
            .field("scope", &self.scope)
            .field("provisional", &self.provisional)
            .finish_non_exhaustive()
    }
}
