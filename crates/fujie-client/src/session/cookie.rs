//! The cookies of one session (RFC 6265).
//!
//! Owns how many are kept and to whom they are shown: the session's home and nobody else. What a
//! `Set-Cookie` means is the library's.

use std::sync::{Mutex, PoisonError};

use cookie_store::CookieStore;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// Cookies kept in one session, at most (RFC 6265 §6.1 asks for 50 per domain).
const COOKIES_MAX: usize = 180;
/// Bytes of one `Set-Cookie`, at most (RFC 6265 §6.1).
const COOKIE_LENGTH_MAX: usize = 4096;

/// A jar. The session asks it for its home alone.
#[derive(Default)]
pub(super) struct Jar(Mutex<CookieStore>);

impl Jar {
    /// Keeps what an answer from this URL sets. What is too long or too many is left out, as a
    /// browser does.
    pub(super) fn keep(&self, url: &Url, headers: &HeaderMap) {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for header in headers.get_all(SET_COOKIE) {
            let Ok(text) = std::str::from_utf8(header.as_bytes()) else {
                continue;
            };
            if text.len() <= COOKIE_LENGTH_MAX && store.iter_any().count() < COOKIES_MAX {
                // A cookie that is refused, for a domain that is not the server's, is no fault of ours.
                drop(store.parse(text, url));
            }
        }
    }

    /// The `Cookie` header for this URL.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Forgets all cookies.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
