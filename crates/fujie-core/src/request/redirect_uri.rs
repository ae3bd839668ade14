//! Redirect URIs (RFC 6749 §3.1.2, RFC 9700 §2.1, RFC 8252 §7.3): registered, requested, matched.
//!
//! Registered and requested URIs are different types; only [`RegisteredUri::admits`] compares them.

use std::fmt;

use url::{Host, Url};

/// A redirect URI as registered: parsed, absolute, without fragment and without credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredUri {
    text: String,
    /// For http on a loopback IP literal: the text before and after the port, which may differ (RFC 8252 §7.3).
    loopback: Option<(String, String)>,
    scheme: String,
}

/// Why a URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// It is not an absolute URI as written.
    #[error("not an absolute URI; write it as https://app.example/callback")]
    NotAbsolute,
    /// It has a `#fragment` (RFC 6749 §3.1.2).
    #[error("a redirect URI must not have a fragment (#)")]
    Fragment,
    /// It has `user@` in it.
    #[error("a redirect URI must not have a user name or password in it")]
    Credentials,
    /// Plain http on a host that is not this machine (RFC 9700 §2.6).
    #[error("plain http is only allowed on 127.0.0.1, [::1] and localhost; use https")]
    PlainHttp,
    /// A scheme that runs or shows content instead of handing over.
    #[error(
        "this scheme cannot receive a redirect; use https, http on loopback, or a private scheme with a dot such as com.example.app"
    )]
    Scheme,
    /// Control characters, spaces, backslashes or non-ASCII; or not in its normal spelling.
    #[error(
        "write the URI in its plain spelling: ASCII, no spaces, no backslash, no control characters, no . or .. segments"
    )]
    Spelling,
    /// Longer than 2,000 characters.
    #[error("a redirect URI may have at most 2,000 characters")]
    Length,
}

impl RegisteredUri {
    /// Checks `text` and takes it as it is: matching is exact, so nothing is normalised.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > 2000 {
            return Err(RedirectUriError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(RedirectUriError::Spelling);
        }
        let url = Url::parse(text).ok().ok_or(RedirectUriError::NotAbsolute)?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let scheme = url.scheme().to_owned();
        if !text.starts_with(&format!("{scheme}:")) {
            return Err(RedirectUriError::Spelling);
        }
        let loopback = match scheme.as_str() {
            "https" | "http" => Self::check_web(text, &url)?,
            private if private.contains('.') && !text.contains('@') => None,
            _ => return Err(RedirectUriError::Scheme),
        };
        Ok(Self { text: text.to_owned(), loopback, scheme })
    }

    fn check_web(text: &str, url: &Url) -> Result<Option<(String, String)>, RedirectUriError> {
        let authority = text.split_once("://").map(|(_, rest)| rest).ok_or(RedirectUriError::NotAbsolute)?;
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(RedirectUriError::Credentials);
        }
        // What a browser would make of it must be what is written, or two readers could disagree.
        let plain = without_default_port(text, authority, url);
        if url.as_str() != plain && url.as_str() != format!("{plain}/") {
            return Err(RedirectUriError::Spelling);
        }
        if url.scheme() == "https" {
            return Ok(None);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) if address.octets() == [127, 0, 0, 1] => true,
            Some(Host::Ipv6(address)) if address.is_loopback() => true,
            Some(Host::Domain("localhost")) => false,
            _ => return Err(RedirectUriError::PlainHttp),
        };
        Ok(literal.then(|| split_port(text)).flatten())
    }

    /// The text as registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Is its scheme https?
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Does this registration admit `requested`? Byte for byte, except that any port is admitted on a loopback IP
    /// literal over http (RFC 8252 §7.3).
    pub fn admits(&self, requested: &RequestedUri) -> bool {
        if self.text == requested.0 {
            return true;
        }
        match (&self.loopback, split_port(&requested.0)) {
            (Some(own), Some(theirs)) => *own == theirs,
            _ => false,
        }
    }

    /// What a Content Security Policy names to allow a form to end here: an origin, or `scheme:`.
    pub fn origin(&self) -> String {
        origin_of(&self.text)
    }
}

impl fmt::Debug for RegisteredUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// A redirect URI as an authorization request names it. Nothing may be sent to it before a registration admits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedUri(String);

impl RequestedUri {
    /// Takes the text of the request.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text of the request.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part in which it differs from `registered`, for the error page.
    pub fn difference(&self, registered: &RegisteredUri) -> Option<Difference> {
        let (ours, theirs) = (parts(&registered.text), parts(&self.0));
        ours.into_iter().zip(theirs).find(|((_, a), (_, b))| a != b).map(|((part, a), (_, b))| Difference {
            part,
            registered: a,
            requested: b,
        })
    }
}

/// Where a requested redirect URI leaves a registered one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `scheme`, `host`, `port`, `path`, `query` or `fragment`.
    pub part: &'static str,
    /// That part as registered.
    pub registered: String,
    /// That part as requested.
    pub requested: String,
}

/// A Content Security Policy source for `uri`: `scheme://host:port`, or `scheme:` for a private scheme.
pub fn origin_of(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

/// `text` as a browser writes it: without the port that its scheme has anyway. Nothing else may differ.
fn without_default_port(text: &str, authority: &str, url: &Url) -> String {
    let default = if url.scheme() == "https" { ":443" } else { ":80" };
    match authority.strip_suffix(default) {
        Some(host) => text.replacen(authority, host, 1),
        None => text.to_owned(),
    }
}

/// `http://127.0.0.1:PORT/rest` as (`http://127.0.0.1`, `/rest`); `None` for anything but http on a loopback literal.
fn split_port(text: &str) -> Option<(String, String)> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| text.starts_with(host))?;
    let rest = text.get(host.len()..)?;
    let (port, tail) = match rest.strip_prefix(':') {
        Some(after) => after.split_at(after.find(['/', '?']).unwrap_or(after.len())),
        None => ("80", rest),
    };
    // One spelling for each port that can be listened on: no sign, no leading zero, not 0.
    let is_port = !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
    (is_port && (tail.is_empty() || tail.starts_with(['/', '?']))).then(|| (host.to_owned(), tail.to_owned()))
}

fn parts(text: &str) -> [(&'static str, String); 6] {
    let (before_fragment, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (before_query, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let (scheme, rest) = before_query.split_once("://").unwrap_or(("", before_query));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    [
        ("scheme", scheme.to_owned()),
        ("host", host.to_owned()),
        ("port", port.to_owned()),
        ("path", path.to_owned()),
        ("query", query.to_owned()),
        ("fragment", fragment.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_takes_what_can_receive_and_refuses_the_rest() {
        let cases: &[(&str, Result<(), RedirectUriError>)] = &[
            ("https://app.example/cb", Ok(())),
            ("https://app.example", Ok(())),
            ("https://app.example/cb?x=1", Ok(())),
            ("http://127.0.0.1/cb", Ok(())),
            ("http://[::1]:8000/cb", Ok(())),
            ("http://localhost:3000/cb", Ok(())),
            ("com.example.app:/cb", Ok(())),
            ("http://app.example/cb", Err(RedirectUriError::PlainHttp)),
            ("http://localhost.evil.test/cb", Err(RedirectUriError::PlainHttp)),
            ("http://127.0.0.1.evil.test/cb", Err(RedirectUriError::PlainHttp)),
            ("https://good@evil.test/cb", Err(RedirectUriError::Credentials)),
            ("https://app.example/cb#x", Err(RedirectUriError::Fragment)),
            ("javascript:alert(1)", Err(RedirectUriError::Scheme)),
            ("JAVASCRIPT:alert(1)", Err(RedirectUriError::Spelling)),
            ("data:text/html,x", Err(RedirectUriError::Scheme)),
            ("https://app.example\\@evil.test/", Err(RedirectUriError::Spelling)),
            ("https://app.example/a/../b", Err(RedirectUriError::Spelling)),
            ("https://app.example/c b", Err(RedirectUriError::Spelling)),
            ("/cb", Err(RedirectUriError::NotAbsolute)),
            ("//evil.test/cb", Err(RedirectUriError::NotAbsolute)),
        ];
        for (text, expected) in cases {
            assert_eq!(RegisteredUri::parse(text).map(|_| ()), *expected, "{text}");
        }
    }

    #[test]
    fn matching_is_exact_but_for_the_port_of_a_loopback_literal() {
        let check = |registered: &str, requested: &str| {
            RegisteredUri::parse(registered).unwrap().admits(&RequestedUri::new(requested))
        };
        assert!(check("https://app.example/cb", "https://app.example/cb"));
        assert!(check("http://127.0.0.1/cb", "http://127.0.0.1:54321/cb"));
        assert!(check("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"));
        assert!(check("http://[::1]/cb", "http://[::1]:9/cb"));
        for (registered, requested) in [
            ("https://app.example/cb", "https://app.example/cb/"),
            ("https://app.example/cb", "https://app.example/cb?x=1"),
            ("https://app.example/cb", "https://app.example:444/cb"),
            ("https://app.example/cb", "https://app.example/cb/../evil"),
            ("https://app.example/cb", "https://app.example/cb;x"),
            ("https://app.example/cb", "HTTPS://app.example/cb"),
            ("https://app.example/cb", "https://app.example@evil.test/cb"),
            ("https://app.example/cb", "https://evil.test/cb"),
            ("http://localhost/cb", "http://localhost:3/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.test/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.test/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:4/cb"),
            ("http://127.0.0.1/cb", "http://[::1]:4/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:4/cb#x"),
        ] {
            assert!(!check(registered, requested), "{registered} must not admit {requested}");
        }
    }

    #[test]
    fn the_error_page_can_name_what_differs() {
        let registered = RegisteredUri::parse("https://app.example:8443/cb").unwrap();
        let difference = RequestedUri::new("https://app.example/cb").difference(&registered).unwrap();
        assert_eq!(
            (difference.part, difference.registered.as_str(), difference.requested.as_str()),
            ("port", "8443", "")
        );
    }
}
