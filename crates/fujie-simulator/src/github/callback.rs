//! Registered callback URLs, and which `redirect_uri` each of them admits.
//!
//! The rule of 2026-08-03: up to ten per app, each with a wildcard flag. Off means the same text;
//! on means the rule that all OAuth apps had before. Errors are written by `login::authorize`.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An app has at most so many callback URLs.
pub(crate) const CALLBACKS_MAX: usize = 10;

/// A callback URL of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The URL as it was registered; http, https and schemes of one's own.
    pub url: String,
    /// Admits subdomains and subdirectories too, as every OAuth app made before 2026-08-03 does.
    /// Off: the same text only. On loopback, any port is admitted either way.
    #[serde(default = "yes")]
    pub wildcard: bool,
}

impl Callback {
    /// A callback URL under the classic rule: subdomains and subdirectories are admitted.
    pub fn wildcard(url: &str) -> Self {
        Self { url: url.to_owned(), wildcard: true }
    }

    /// A callback URL that admits itself alone.
    pub fn exact(url: &str) -> Self {
        Self { url: url.to_owned(), wildcard: false }
    }

    /// Whether a `redirect_uri` may be used.
    pub(crate) fn admits(&self, redirect_uri: &str) -> bool {
        if !self.wildcard && self.url == redirect_uri {
            return true;
        }
        let (Ok(mut registered), Ok(mut requested)) = (Url::parse(&self.url), Url::parse(redirect_uri)) else {
            return false;
        };
        // A name before `@` is how one host is dressed up as another.
        if !requested.username().is_empty() || requested.password().is_some() {
            return false;
        }
        if is_loopback(&registered) && is_loopback(&requested) {
            // Setting a port fails only where a URL can have none.
            let _without_port = (registered.set_port(None), requested.set_port(None));
        }
        if !self.wildcard {
            return is_loopback(&registered) && registered == requested;
        }
        registered.scheme() == requested.scheme()
            && is_host_within(&requested, &registered)
            && registered.port_or_known_default() == requested.port_or_known_default()
            && is_path_within(requested.path(), registered.path())
    }
}

fn yes() -> bool {
    true
}

/// The literal addresses and the name; a name that merely resolves to loopback is a host like any.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn is_host_within(requested: &Url, registered: &Url) -> bool {
    match (requested.host_str(), registered.host_str()) {
        (Some(requested), Some(registered)) => requested
            .strip_suffix(registered)
            .is_some_and(|below| below.is_empty() || (below.ends_with('.') && below.len() > 1)),
        (None, None) => true,
        _ => false,
    }
}

fn is_path_within(requested: &str, registered: &str) -> bool {
    let below = requested.strip_prefix(registered.trim_end_matches('/'));
    below.is_some_and(|below| below.is_empty() || below.starts_with('/')) || requested == registered
}

#[cfg(test)]
mod tests {
    use super::Callback;

    fn check(callback: &Callback, cases: &[(&str, bool)]) {
        for (redirect_uri, expected) in cases {
            assert_eq!(callback.admits(redirect_uri), *expected, "{} {redirect_uri}", callback.url);
        }
    }

    #[test]
    fn a_wildcard_admits_subdomains_and_subdirectories() {
        check(
            &Callback::wildcard("http://example.com/path"),
            &[
                ("http://example.com/path", true),
                ("http://example.com/path?next=1", true),
                ("http://example.com/path/subdir/other", true),
                ("http://oauth.example.com/path", true),
                ("http://oauth.example.com/path/subdir/other", true),
                ("http://example.com/bar", false),
                ("http://example.com/", false),
                ("http://example.com/pathology", false),
                ("http://example.com/path/../bar", false),
                ("http://example.com/path/%2e%2e/bar", false),
                ("http://example.com:8080/path", false),
                ("http://oauth.example.com:8080/path", false),
                ("http://example.org", false),
                ("http://badexample.com/path", false),
                ("http://example.com@evil.test/path", false),
                ("http://user@example.com/path", false),
                ("https://example.com/path", false),
                ("/path", false),
            ],
        );
        check(
            &Callback::wildcard("https://example.com"),
            &[
                ("https://example.com/any/thing", true),
                ("https://example.com", true),
                ("https://example.com:443/", true),
            ],
        );
        check(&Callback::wildcard("my-app://back"), &[("my-app://back", true), ("my-app://other", false)]);
    }

    #[test]
    fn without_the_wildcard_the_text_must_be_the_same() {
        check(
            &Callback::exact("https://example.com/path"),
            &[
                ("https://example.com/path", true),
                ("https://example.com/path/", false),
                ("https://example.com/path?x=1", false),
                ("https://example.com:443/path", false),
                ("https://EXAMPLE.com/path", false),
                ("https://oauth.example.com/path", false),
            ],
        );
    }

    #[test]
    fn on_loopback_every_port_is_admitted() {
        for callback in [Callback::exact("http://127.0.0.1/path"), Callback::wildcard("http://127.0.0.1/path")] {
            check(
                &callback,
                &[
                    ("http://127.0.0.1:1234/path", true),
                    ("http://127.0.0.1:1234/other", false),
                    ("http://localhost:1234/path", false),
                    ("http://127.0.0.1.evil.test:1234/path", false),
                ],
            );
        }
        check(&Callback::exact("http://localhost:3000/back"), &[("http://localhost:4000/back", true)]);
        check(&Callback::exact("http://[::1]/back"), &[("http://[::1]:4000/back", true)]);
    }
}
