//! Who signed in, as the provider says it.
//!
//! Owns the user request and what we believe of its answer. Which account of ours that is, is
//! the broker's question: a nickname never answers it.

use std::fmt;

use fujie_core::time::Timestamp;
use serde_json::Value;
use url::Url;

use crate::answer::{Answer, shown, subject};
use crate::error::{Endpoint, ProviderError};
use crate::flow::Callback;
use crate::registration::Registration;
use crate::request::Request;
use crate::token::Tokens;
use crate::transport::Response;

/// Characters of a nickname, at most; the rest is cut off.
const NICKNAME_LENGTH_MAX: usize = 64;
/// Bytes of a picture's address, at most; a longer one counts as absent.
const AVATAR_URL_LENGTH_MAX: usize = 2048;

/// A person as one provider knows them. `provider`, `app` and `subject` together are the key;
/// `union_subject` is a second one among applications of one owner. All else is for show.
/// `Debug` shows none of the person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The provider's id.
    pub provider: String,
    /// Our client id there. Where the record says that subjects are per application, those of two
    /// applications have nothing to do with each other.
    pub app: String,
    /// The person, 1 to 255 characters.
    pub subject: String,
    /// The person among all applications of one owner, if the provider said so.
    pub union_subject: Option<String>,
    /// A name to show: at most 64 characters, none of them a control character. Escape it.
    pub nickname: Option<String>,
    /// An http(s) address of a picture at the provider.
    pub avatar_url: Option<String>,
    /// Whether the visitor has no real account; no account of ours may come of it.
    pub provisional: bool,
    /// The whole user answer, at most 256 KiB. It holds no token.
    pub raw: Value,
}

impl Registration {
    /// The request that asks whom the token is about, where the provider has a place of its own
    /// for it (QQ). It comes before the user request.
    pub fn subject_request(&self, tokens: &Tokens, now: Timestamp) -> Option<Request> {
        Some(self.request(self.provider.subject.as_ref()?, self.token_values(tokens), now))
    }

    /// Reads the answer to [`Self::subject_request`] into the tokens. A token that was issued to
    /// another application is refused: somebody else's website could have got it.
    ///
    /// # Errors
    /// The provider's refusal by cause, [`ProviderError::SubjectMissing`],
    /// [`ProviderError::SubjectMismatch`], or [`ProviderError::OtherAudience`].
    pub fn read_subject(&self, tokens: &mut Tokens, response: &Response) -> Result<(), ProviderError> {
        let call = self.provider.subject.as_ref().ok_or(ProviderError::NotOffered("subject endpoint"))?;
        let answer = Answer::read(&self.provider, Endpoint::Subject, call, response, self.known(tokens))?;
        answer.success_said()?;
        self.is_for_us(&answer)?;
        let fields = &self.provider.identity.subject;
        let named = answer.subject(fields)?;
        if tokens.subject.as_ref().is_some_and(|known| *known != named) {
            return Err(answer.mismatch(&fields.join(" or ")));
        }
        let union_subject = answer.union_subject()?;
        tokens.union_subject = union_subject.or(tokens.union_subject.take());
        tokens.subject = Some(named);
        Ok(())
    }

    /// Whether the token was issued to us, where the answer says for whom.
    pub(crate) fn is_for_us(&self, answer: &Answer<'_>) -> Result<(), ProviderError> {
        match &self.provider.identity.subject_audience {
            Some(field) if answer.field(field).and_then(subject).as_deref() != Some(&self.client_id) => {
                Err(answer.other_audience())
            }
            _ => Ok(()),
        }
    }

    /// The request that asks who the token is about, where the provider has such a place.
    /// `callback` is what the tokens came of: one provider wants its code once more.
    pub fn user_request(&self, tokens: &Tokens, callback: Option<&Callback>, now: Timestamp) -> Option<Request> {
        let mut values = self.token_values(tokens);
        values.set_if("code", callback.map(|callback| callback.code.expose()));
        Some(self.request(self.provider.user.as_ref()?, values, now))
    }

    /// Reads the answer to [`Self::user_request`]. It must be about the person of the tokens.
    ///
    /// # Errors
    /// The provider's refusal by cause, [`ProviderError::SubjectMissing`], or
    /// [`ProviderError::SubjectMismatch`].
    pub fn read_user(&self, tokens: &Tokens, response: &Response) -> Result<Identity, ProviderError> {
        let rule = &self.provider.identity;
        let call = self.provider.user.as_ref().ok_or(ProviderError::NotOffered("user endpoint"))?;
        let answer = Answer::read(&self.provider, Endpoint::User, call, response, self.known(tokens))?;
        answer.success_said()?;
        // Where another answer has named the person, this one need not.
        let is_told = !rule.subject.is_empty() && self.provider.subject.is_none();
        let subject = match (rule.subject.as_slice(), &tokens.subject) {
            (_, Some(known)) if !is_told => known.clone(),
            (fields, known) => {
                let told = answer.subject(fields)?;
                if known.as_ref().is_some_and(|known| *known != told) {
                    return Err(answer.mismatch(&fields.join(" or ")));
                }
                told
            }
        };
        let union_subject = match (&tokens.union_subject, answer.union_subject()?) {
            (Some(known), Some(told)) if *known != told => {
                return Err(answer.mismatch(rule.union_subject.as_deref().unwrap_or_default()));
            }
            (known, told) => told.or_else(|| known.clone()),
        };
        Ok(Identity {
            provider: self.provider.id.clone(),
            app: self.client_id.clone(),
            subject,
            union_subject,
            nickname: answer.shown(&rule.nickname).and_then(|text| nickname(&text)),
            avatar_url: answer.shown(&rule.avatar_url).and_then(|text| avatar_url(&text)),
            provisional: tokens.provisional || answer.is_set(rule.provisional.as_deref()),
            raw: answer.into_value(),
        })
    }

    /// The identity where nobody describes the person: what tokens, ID token and callback say.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when none of them names a subject.
    pub fn identity_of(&self, tokens: &Tokens, claims: Option<&Value>) -> Result<Identity, ProviderError> {
        let rule = &self.provider.identity;
        let claim = |field: &str| field.split('.').try_fold(claims?, |value, name| value.get(name))?.as_str();
        Ok(Identity {
            provider: self.provider.id.clone(),
            app: self.client_id.clone(),
            subject: tokens.subject.clone().ok_or(ProviderError::NotOffered("subject"))?,
            union_subject: tokens.union_subject.clone(),
            nickname: shown(&rule.nickname, claim).and_then(|text| nickname(&text)),
            avatar_url: shown(&rule.avatar_url, claim).and_then(|text| avatar_url(&text)),
            provisional: tokens.provisional,
            raw: claims.cloned().unwrap_or_default(),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Identity")
            .field("provider", &self.provider)
            .field("app", &self.app)
            .field("provisional", &self.provisional)
            .finish_non_exhaustive()
    }
}

fn nickname(text: &str) -> Option<String> {
    let visible = text.chars().filter(|character| !character.is_control());
    let nickname: String = visible.take(NICKNAME_LENGTH_MAX).collect();
    Some(nickname.trim().to_owned()).filter(|nickname| !nickname.is_empty())
}

fn avatar_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= AVATAR_URL_LENGTH_MAX)?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}
