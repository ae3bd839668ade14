//! Where a redirect leads, and what may go there.
//!
//! Owns the method rules (RFC 9110 §15.4, as browsers keep them) and the refusals. Following is
//! the session's loop; it takes tokens, credentials and cookies along only at home.

use reqwest::Method;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LOCATION, RANGE, USER_AGENT,
};
use url::Url;

use super::Error;
use super::address::place;

/// Headers that a stranger may see. Any other may hold a secret.
const HARMLESS: [HeaderName; 7] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE, USER_AGENT];

/// The next step of a request that was redirected.
pub(super) struct Hop {
    pub url: Url,
    pub method: Method,
    /// Whether the body goes along; the method became GET when not.
    pub keeps_body: bool,
}

/// The way an answer points, if it is a redirect. `has_body` says whether the request had one.
pub(super) fn next(
    method: &Method,
    url: &Url,
    status: u16,
    headers: &HeaderMap,
    has_body: bool,
) -> Result<Option<Hop>, Error> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let refused = |what| Error::RedirectRefused { place: place(method.as_str(), url), what };
    // Servers write UTF-8 into this header, whatever the standard says.
    let location = std::str::from_utf8(location.as_bytes()).ok();
    let target = location.and_then(|location| url.join(location).ok());
    let mut target = target.ok_or_else(|| refused("names no URL"))?;
    target.set_fragment(None);
    match (url.scheme(), target.scheme()) {
        ("http", "http" | "https") | ("https", "https") => {}
        ("https", "http") => return Err(refused("leads from https to http, where others can read along")),
        _ => return Err(refused("leads to what is neither http nor https")),
    }
    if !target.username().is_empty() || target.password().is_some() {
        return Err(refused("brings a user name or password of its own"));
    }
    let becomes_get = match status {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    };
    if has_body && !becomes_get && target.origin() != url.origin() {
        return Err(refused("asks to send the body to another server"));
    }
    let method = if becomes_get { Method::GET } else { method.clone() };
    Ok(Some(Hop { url: target, method, keeps_body: !becomes_get }))
}

/// The headers that go along to a stranger.
pub(super) fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The headers that go along when the body does not.
pub(super) fn bodiless(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LANGUAGE);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, from: &str, status: u16, to: &str, has_body: bool) -> Result<Option<Hop>, Error> {
        let headers = HeaderMap::from_iter([(LOCATION, to.parse().unwrap())]);
        next(&method, &Url::parse(from).unwrap(), status, &headers, has_body)
    }

    fn check(method: Method, status: u16, expected: Method, keeps_body: bool) {
        let hop = hop(method.clone(), "https://a.example/x", status, "/y", true).unwrap().unwrap();
        assert_eq!((&hop.method, hop.keeps_body), (&expected, keeps_body), "{status} {method}");
        assert_eq!(hop.url.as_str(), "https://a.example/y");
    }

    #[test]
    fn the_status_decides_about_the_method() {
        for status in [301, 302] {
            check(Method::POST, status, Method::GET, false);
            check(Method::PUT, status, Method::PUT, true);
        }
        check(Method::POST, 303, Method::GET, false);
        check(Method::DELETE, 303, Method::GET, false);
        check(Method::HEAD, 303, Method::HEAD, true);
        for status in [307, 308] {
            check(Method::POST, status, Method::POST, true);
        }
    }

    #[test]
    fn what_is_no_redirect_is_an_answer() {
        for status in [200, 300, 304, 305, 306, 400] {
            assert!(hop(Method::GET, "https://a.example/", status, "/y", false).unwrap().is_none(), "{status}");
        }
        let url = Url::parse("https://a.example/").unwrap();
        assert!(next(&Method::GET, &url, 302, &HeaderMap::new(), false).unwrap().is_none());
    }

    #[test]
    fn a_dangerous_redirect_is_refused() {
        let refused = |from: &str, to: &str, has_body| {
            let outcome = hop(Method::PUT, from, 307, to, has_body);
            assert!(matches!(outcome, Err(Error::RedirectRefused { .. })), "{from} {to}");
        };
        refused("https://a.example/", "http://a.example/", false);
        refused("https://a.example/", "file:///etc/passwd", false);
        refused("http://a.example/", "javascript:alert(1)", false);
        refused("https://a.example/", "https://u:p@a.example/", false);
        refused("https://a.example/", "https://[", false);
        refused("https://a.example/", "https://b.example/", true);
        assert!(hop(Method::PUT, "https://a.example/", 307, "https://b.example/", false).unwrap().is_some());
    }
}
