//! Who signed in, as the provider says it.
//!
//! Owns the user request and what we believe of its answer. Which account of ours that is, is
//! the broker's question: a nickname never answers it.

use std::fmt;

use serde_json::Value;
use url::Url;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{Endpoint, ProviderError};
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
pub struct Identity {
    /// The provider's id.
    pub provider: String,
    /// Our client id there: subjects of two applications have nothing to do with each other.
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

impl Client {
    /// The request that asks who the token is about.
    pub fn user_request(&self, tokens: &Tokens) -> Request {
        let mut parameters = self.token_parameters(tokens);
        for (name, value) in &self.provider.user_parameters {
            parameters.push((name, value));
        }
        Request::query(&self.provider.user_endpoint, &parameters)
    }

    /// Reads the answer to [`Self::user_request`]. It must be about the person of the tokens.
    ///
    /// # Errors
    /// The provider's refusal by cause, [`ProviderError::SubjectMissing`], or
    /// [`ProviderError::SubjectMismatch`].
    pub fn read_user(&self, tokens: &Tokens, response: &Response) -> Result<Identity, ProviderError> {
        let rule = &self.provider.identity;
        let answer = Answer::read(&self.provider, Endpoint::User, response, self.known(tokens))?;
        let subject = answer.subject(&rule.subject)?.to_owned();
        if tokens.subject.as_ref().is_some_and(|known| *known != subject) {
            return Err(answer.mismatch(&rule.subject));
        }
        let union_subject = answer.union_subject()?.map(str::to_owned);
        let union_subject = match (&tokens.union_subject, union_subject) {
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
            nickname: answer.shown(rule.nickname.as_deref()).and_then(nickname),
            avatar_url: answer.shown(rule.avatar_url.as_deref()).and_then(avatar_url),
            provisional: tokens.provisional || answer.is_set(rule.provisional.as_deref()),
            raw: answer.into_value(),
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
