//! Tokens: exchanging a code, refreshing, asking whether an access token is good, ending it.
//!
//! Owns these requests and what we believe of their answers (RFC 6749 §5, §6, as far as the
//! provider keeps to it). Sending, storing and deciding when to refresh are the caller's.

use std::fmt;

use fujie_core::random::Random;
use fujie_core::time::{Lifetime, Timestamp};
use serde_json::Value;

use crate::answer::Answer;
use crate::error::{Endpoint, ProviderError};
use crate::flow::Callback;
use crate::provider::{AnswerFormat, Call, Values};
use crate::registration::Registration;
use crate::request::Request;
use crate::secret::Secret;
use crate::transport::Response;

/// What a provider gave us to act for a person. `Debug` shows neither tokens nor the person.
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if one was given.
    pub refresh_token: Option<Secret>,
    /// The ID token, if one was given (OpenID Connect Core §3.1.3.3). It is checked by whoever
    /// finishes the sign-in.
    pub id_token: Option<Secret>,
    /// How the access token is carried, as the provider says: `Bearer`, `DPoP` (RFC 9449 §5);
    /// many say nothing.
    pub token_type: Option<String>,
    /// When the access token ends, if that was said. It counts from when the answer was asked
    /// for, so it is never later than the provider's own idea.
    pub expires_at: Option<Timestamp>,
    /// What the token is good for, as the provider says; what was asked for if it says nothing
    /// (RFC 6749 §5.1).
    pub scope: Vec<String>,
    /// What was asked for and not granted. It is no error: people may untick.
    pub scope_missing: Vec<String>,
    /// Whom the token is about, where that is known.
    pub subject: Option<String>,
    /// The identifier shared among applications, where that is known.
    pub union_subject: Option<String>,
    /// Whether the visitor has no real account.
    pub provisional: bool,
    /// Where the code was sent; some providers ask for it again at a refresh.
    pub redirect_uri: Option<String>,
}

impl Registration {
    /// The request that redeems the code (RFC 6749 §4.1.3). Send it once: whatever becomes of
    /// it, the code may be spent.
    ///
    /// # Errors
    /// [`ProviderError::OtherClient`] when the callback was read by another registration: its
    /// code must not meet this one's secret.
    pub fn exchange_request(
        &self,
        callback: &Callback,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Request, ProviderError> {
        self.is_ours(callback)?;
        let values = self.callback_values(callback);
        self.authenticated_request(&self.provider.token, values, random, now)
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
        let mut known = vec![self.known_secret(), callback.code.expose()];
        known.extend(callback.code_verifier.as_ref().map(Secret::expose));
        let mut tokens = self.tokens(Endpoint::Token, &self.provider.token, response, known, now)?;
        tokens.redirect_uri = Some(callback.redirect_uri.clone()).filter(|uri| !uri.is_empty());
        Ok(tokens)
    }

    /// The request for a fresh access token (RFC 6749 §6). Some providers let a refresh token
    /// work once: send it once, and from one place at a time.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when there is no refresh token or no place to send it.
    pub fn refresh_request(
        &self,
        tokens: &Tokens,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Request, ProviderError> {
        let call = self.provider.refresh.as_ref().ok_or(ProviderError::NotOffered("refresh endpoint"))?;
        if tokens.refresh_token.is_none() {
            return Err(ProviderError::NotOffered("refresh token"));
        }
        self.authenticated_request(call, self.token_values(tokens), random, now)
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
        let call = self.provider.refresh.as_ref().ok_or(ProviderError::NotOffered("refresh endpoint"))?;
        let known = self.known(tokens);
        let mut refreshed = self.tokens(Endpoint::Refresh, call, response, known.clone(), now)?;
        let is_other = |new: &Option<String>, old: &Option<String>| new.is_some() && old.is_some() && new != old;
        if is_other(&refreshed.subject, &tokens.subject) || is_other(&refreshed.union_subject, &tokens.union_subject) {
            let answer = Answer::read(&self.provider, Endpoint::Refresh, call, response, known)?;
            return Err(answer.mismatch("the subject"));
        }
        // An answer without a scope means that nothing changed (RFC 6749 §6).
        let answer = Answer::read(&self.provider, Endpoint::Refresh, call, response, known)?;
        if answer.scope(&self.provider.token_fields.scope)?.is_none() {
            refreshed.scope.clone_from(&tokens.scope);
            refreshed.scope_missing.clone_from(&tokens.scope_missing);
        }
        if refreshed.refresh_token.is_none() {
            refreshed.refresh_token = tokens.refresh_token.as_ref().map(Secret::duplicate);
        }
        refreshed.subject = refreshed.subject.or_else(|| tokens.subject.clone());
        refreshed.union_subject = refreshed.union_subject.or_else(|| tokens.union_subject.clone());
        refreshed.token_type = refreshed.token_type.or_else(|| tokens.token_type.clone());
        refreshed.provisional |= tokens.provisional;
        refreshed.redirect_uri.clone_from(&tokens.redirect_uri);
        Ok(refreshed)
    }

    /// The request that asks whether the access token is good.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider has no such endpoint.
    pub fn check_request(&self, tokens: &Tokens, now: Timestamp) -> Result<Request, ProviderError> {
        let call = self.provider.check.as_ref().ok_or(ProviderError::NotOffered("check endpoint"))?;
        Ok(self.request(call, self.token_values(tokens), now))
    }

    /// Reads the answer to [`Self::check_request`]: `Ok` says that the token is good now, and
    /// brings what else was said of it.
    ///
    /// # Errors
    /// [`ProviderError::AccessTokenRefused`] when it is not; otherwise another cause.
    pub fn read_check(&self, tokens: &Tokens, response: &Response) -> Result<Value, ProviderError> {
        let call = self.provider.check.as_ref().ok_or(ProviderError::NotOffered("check endpoint"))?;
        let answer = Answer::read(&self.provider, Endpoint::Check, call, response, self.known(tokens))?;
        // Success is said, not left out: an empty object from somewhere else is no success.
        answer.success_said()?;
        self.is_for_us(&answer)?;
        Ok(answer.into_value())
    }

    /// The request that ends the access token (RFC 7009 §2.1).
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider has no such endpoint.
    pub fn revocation_request(
        &self,
        tokens: &Tokens,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Request, ProviderError> {
        let call = self.provider.revocation.as_ref().ok_or(ProviderError::NotOffered("revocation endpoint"))?;
        self.authenticated_request(call, self.token_values(tokens), random, now)
    }

    /// Reads the answer to [`Self::revocation_request`]. An empty body with status 200 is the
    /// usual one (RFC 7009 §2.2).
    ///
    /// # Errors
    /// The provider's refusal by cause.
    pub fn read_revocation(&self, tokens: &Tokens, response: &Response) -> Result<(), ProviderError> {
        let call = self.provider.revocation.as_ref().ok_or(ProviderError::NotOffered("revocation endpoint"))?;
        if (200..300).contains(&response.status) && response.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        Answer::read(&self.provider, Endpoint::Revocation, call, response, self.known(tokens)).map(drop)
    }

    /// The tokens that a callback of the implicit grant carries (RFC 6749 §4.2.2).
    pub(crate) fn implicit_tokens(&self, callback: &Callback, now: Timestamp) -> Result<Tokens, ProviderError> {
        self.is_ours(callback)?;
        self.offers_implicit()?;
        let fragment = callback.implicit.as_ref().ok_or(ProviderError::CallbackUnreadable("it has no tokens"))?;
        let call = Call { answer: AnswerFormat::Form, within: None, ..self.provider.token.clone() };
        let response = Response::new(200, None, fragment.expose());
        self.tokens(Endpoint::Token, &call, &response, vec![fragment.expose()], now)
    }

    /// A token that is not bound to us by a check of its audience may be anybody's: another site's
    /// operator could bring the token that a person gave to that site.
    pub(crate) fn offers_implicit(&self) -> Result<(), ProviderError> {
        let is_bound = self.provider.subject.is_some() && self.provider.identity.subject_audience.is_some();
        is_bound.then_some(()).ok_or(ProviderError::NotOffered("a way to see for whom an access token was issued"))
    }

    pub(crate) fn is_ours(&self, callback: &Callback) -> Result<(), ProviderError> {
        let is_ours = callback.provider == self.provider.id && callback.app == self.client_id;
        is_ours.then_some(()).ok_or(ProviderError::OtherClient)
    }

    pub(crate) fn callback_values<'a>(&'a self, callback: &'a Callback) -> Values<'a> {
        let mut values = self.values();
        values.set("code", callback.code.expose());
        values.set("redirect_uri", &callback.redirect_uri);
        values.set_if("code_verifier", callback.code_verifier.as_ref().map(Secret::expose));
        values
    }

    pub(crate) fn token_values<'a>(&'a self, tokens: &'a Tokens) -> Values<'a> {
        let mut values = self.values();
        values.set("access_token", tokens.access_token.expose());
        values.set_if("refresh_token", tokens.refresh_token.as_ref().map(Secret::expose));
        values.set_if("subject", tokens.subject.as_deref());
        values.set_if("redirect_uri", tokens.redirect_uri.as_deref());
        values
    }

    /// What an answer about these tokens may repeat and a log must not.
    pub(crate) fn known<'a>(&'a self, tokens: &'a Tokens) -> Vec<&'a str> {
        let mut known = vec![self.known_secret(), tokens.access_token.expose()];
        known.extend(tokens.refresh_token.as_ref().map(Secret::expose));
        known.extend(tokens.subject.as_deref());
        known.extend(tokens.union_subject.as_deref());
        known
    }

    /// Tokens from an answer of the token endpoint, whatever the grant was.
    pub(crate) fn tokens(
        &self,
        endpoint: Endpoint,
        call: &Call,
        response: &Response,
        known: Vec<&str>,
        now: Timestamp,
    ) -> Result<Tokens, ProviderError> {
        let (rule, fields) = (&self.provider.identity, &self.provider.token_fields);
        let answer = Answer::read(&self.provider, endpoint, call, response, known)?;
        let access_token = Secret::new(answer.required(&fields.access_token)?);
        let lifetime = answer.seconds(&fields.expires_in)?.map(Lifetime::from_seconds);
        let is_person = !call.is_application;
        let subject = match &rule.token_subject {
            // A refresh need not say again who it is: Weibo's does not.
            Some(field) if endpoint == Endpoint::Refresh && answer.field(field).is_none() => None,
            Some(field) if is_person => Some(answer.subject(std::slice::from_ref(field))?),
            _ => None,
        };
        let granted = answer.scope(&fields.scope)?;
        let asked = &self.provider.scope;
        let refresh_token = answer.optional(&fields.refresh_token)?.map(Secret::new);
        // `offline_access` is answered by the refresh token itself (OpenID Connect Core §11).
        let is_given = |scope: &String| scope == "offline_access" && refresh_token.is_some();
        let is_missing =
            |scope: &&String| granted.as_ref().is_some_and(|granted| !granted.contains(scope)) && !is_given(scope);
        let scope_missing = asked.iter().filter(is_missing).cloned().collect();
        Ok(Tokens {
            access_token,
            refresh_token,
            id_token: answer.optional("id_token")?.map(Secret::new),
            token_type: answer.optional("token_type")?.map(str::to_owned),
            expires_at: lifetime.map(|lifetime| now + lifetime),
            scope_missing,
            scope: granted.unwrap_or_else(|| asked.clone()),
            subject,
            union_subject: answer.union_subject()?,
            provisional: answer.is_set(rule.provisional.as_deref()),
            redirect_uri: None,
        })
    }
}

impl Tokens {
    /// An access token alone, of which nothing else is known.
    pub fn bare(access_token: Secret) -> Self {
        Self {
            access_token,
            refresh_token: None,
            id_token: None,
            token_type: None,
            expires_at: None,
            scope: Vec::new(),
            scope_missing: Vec::new(),
            subject: None,
            union_subject: None,
            provisional: false,
            redirect_uri: None,
        }
    }

    /// A second copy, for the few places that keep one.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            access_token: self.access_token.duplicate(),
            refresh_token: self.refresh_token.as_ref().map(Secret::duplicate),
            id_token: self.id_token.as_ref().map(Secret::duplicate),
            token_type: self.token_type.clone(),
            expires_at: self.expires_at,
            scope: self.scope.clone(),
            scope_missing: self.scope_missing.clone(),
            subject: self.subject.clone(),
            union_subject: self.union_subject.clone(),
            provisional: self.provisional,
            redirect_uri: self.redirect_uri.clone(),
        }
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
