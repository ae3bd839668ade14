//! A user name and a password, shown by Basic (RFC 7617) or Digest (RFC 7616) authentication.
//!
//! Owns which of the two is used: the caller's choice, never the server's. A server that asks for
//! Basic gets no answer from a session that was told Digest. The arithmetic is the library's.

use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use http_auth::{DigestClient, PasswordParams, parse_challenges};
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use url::{Position, Url};

use super::Error;
use crate::secret::Secret;

/// How a session says who it is, besides its token.
pub(super) enum Credentials {
    None,
    Basic(HeaderValue),
    Digest(Digest),
}

impl Credentials {
    pub(super) fn basic(user_name: &str, password: &Secret) -> Result<Self, Error> {
        if user_name.contains(':') {
            return Err(Error::Setup { what: "has a user name with a colon, which Basic cannot say", source: None });
        }
        let pair = zeroize::Zeroizing::new(format!("{user_name}:{}", password.expose()));
        let value = format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()));
        Ok(Self::Basic(sensitive(&value)?))
    }

    pub(super) fn digest(user_name: &str, password: Secret) -> Self {
        Self::Digest(Digest { user_name: user_name.to_owned(), password, challenge: Mutex::default() })
    }

    /// The `Authorization` header, as far as it can be known: Digest needs a challenge first.
    pub(super) fn header(&self, method: &str, url: &Url) -> Result<Option<HeaderValue>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Basic(value) => Ok(Some(value.clone())),
            Self::Digest(digest) => digest.answer(method, url),
        }
    }

    /// Takes the server's challenge, and says whether another try makes sense.
    pub(super) fn is_challenged_by(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Digest(digest) => digest.take_challenge(headers),
            _ => false,
        }
    }
}

/// Digest authentication: the last challenge answers later requests too, each counted.
pub(super) struct Digest {
    user_name: String,
    password: Secret,
    challenge: Mutex<Option<DigestClient>>,
}

impl Digest {
    fn answer(&self, method: &str, url: &Url) -> Result<Option<HeaderValue>, Error> {
        let mut challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(challenge) = challenge.as_mut() else {
            return Ok(None);
        };
        let uri = url.as_str().get(url[..Position::BeforePath].len()..url[..Position::AfterQuery].len());
        let answer = challenge.respond(&PasswordParams {
            username: &self.user_name,
            password: self.password.expose(),
            uri: uri.unwrap_or("/"),
            method,
            // Integrity of the body (`auth-int`) is not offered: next to nobody asks for it alone.
            body: None,
        });
        let answer = answer.map_err(|said| Error::Setup {
            what: "cannot answer the server's Digest challenge",
            source: Some(said.into()),
        })?;
        sensitive(&answer).map(Some)
    }

    fn take_challenge(&self, headers: &HeaderMap) -> bool {
        let mut offers: Vec<DigestClient> = Vec::new();
        for header in headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()) {
            let challenges = parse_challenges(header).unwrap_or_default();
            let digests = challenges.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case("digest"));
            offers.extend(digests.filter_map(|challenge| DigestClient::try_from(challenge).ok()));
        }
        // The server's first offer is its favourite (RFC 7616 §3.7); MD5 only when there is no other.
        let strong = |offer: &DigestClient| offer.algorithm() != http_auth::digest::Algorithm::Md5;
        let at = offers.iter().position(strong).unwrap_or(0);
        let chosen = if at < offers.len() { Some(offers.swap_remove(at)) } else { None };
        let is_answerable = chosen.is_some();
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = chosen;
        is_answerable
    }
}

/// A header value that is not shown by `Debug`.
pub(super) fn sensitive(value: &str) -> Result<HeaderValue, Error> {
    let value = HeaderValue::from_str(value).ok();
    let mut value = value.ok_or(Error::BadRequest("has a header value with control characters"))?;
    value.set_sensitive(true);
    Ok(value)
}
