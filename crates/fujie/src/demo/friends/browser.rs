//! The browsers that visit: what each has under way, who is signed in there, and the walk that is drawn.
//!
//! A browser is known by a cookie of 256 random bits, renewed at sign-in. All of this is lost when the demo ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, header};
use fujie_core::{secret::Secret, time::Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use super::{answer::Contact, random};
use crate::demo::{issuer::Metadata, walk::Walk};

/// What is known of one browser. Its lock is held while its request is served, so that two presses of a button are
/// served one after the other.
#[derive(Default)]
pub(super) struct Browser {
    /// What happened.
    pub(super) walk: Walk,
    /// A sign-in that is under way.
    pub(super) pending: Option<Pending>,
    /// Who is signed in.
    pub(super) signed_in: Option<SignedIn>,
}

/// A sign-in from the redirect to the callback.
pub(super) struct Pending {
    /// `state`.
    pub(super) state: Secret,
    /// `nonce`.
    pub(super) nonce: Secret,
    /// `code_verifier`.
    pub(super) verifier: Secret,
    /// The endpoints, as discovered for this sign-in.
    pub(super) metadata: Metadata,
}

/// A person and the tokens.
pub(super) struct SignedIn {
    /// `sub`.
    pub(super) sub: String,
    /// The name to show.
    pub(super) nickname: String,
    /// For the contacts API.
    pub(super) access_token: Secret,
    /// For new access tokens.
    pub(super) refresh_token: Option<Secret>,
    /// The contacts, or nothing when they were refused.
    pub(super) contacts: Option<Vec<Contact>>,
    /// The endpoints.
    pub(super) metadata: Metadata,
}

/// A browser that several requests may hold.
pub(super) type Shared = Arc<AsyncMutex<Browser>>;

/// All browsers by the value of their cookie.
#[derive(Default)]
pub(super) struct Browsers(Mutex<HashMap<String, Seen>>);

struct Seen {
    browser: Shared,
    at: Timestamp,
}

impl Browsers {
    /// The browser that sent `headers`, if its cookie is known.
    pub(super) fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<Shared> {
        let id = cookie(headers, COOKIE)?;
        let mut browsers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = browsers.get_mut(id)?;
        seen.at = now;
        Some(Arc::clone(&seen.browser))
    }

    /// A browser without a past, and its cookie. The one that has been away longest makes room.
    pub(super) fn admit(&self, now: Timestamp) -> Option<(Shared, HeaderValue)> {
        let browser = Shared::default();
        Some((Arc::clone(&browser), self.insert(Seen { browser, at: now })?))
    }

    /// Another cookie for the same browser. The old one is worth nothing from now on, so whoever planted it before
    /// the sign-in has nothing after it.
    pub(super) fn renew(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let id = cookie(headers, COOKIE)?;
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id)?;
        self.insert(seen)
    }

    fn insert(&self, seen: Seen) -> Option<HeaderValue> {
        let id = random()?;
        let mut browsers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if browsers.len() >= BROWSERS_MAX
            && let Some(oldest) = browsers.iter().min_by_key(|(_, seen)| seen.at).map(|(id, _)| id.clone())
        {
            browsers.remove(&oldest);
        }
        browsers.insert(id.expose().to_owned(), seen);
        set_cookie(COOKIE, id.expose())
    }
}

/// The value of cookie `name`.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// `Set-Cookie` for the whole application: hidden from scripts, not sent with what other sites ask for.
pub(super) fn set_cookie(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")).ok()
}

/// Cookies ignore ports: the name keeps the demo's programs apart.
const COOKIE: &str = "friends_browser";

const BROWSERS_MAX: usize = 500;
