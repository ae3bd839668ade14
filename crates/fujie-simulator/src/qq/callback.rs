//! The callback addresses registered in QQ's console, and what they admit.
//!
//! Rule of today: scheme, host and path must equal one registered address, the query is free, and there is no port.
//! Before about 2018 the host alone was compared.

use crate::redirect_uri::{LOOPBACK, is_of_this_machine};
use serde::{Deserialize, Serialize};
use url::Url;

/// The console takes this many characters.
const LENGTH_MAX: usize = 1024;
/// Where codes of an app may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Callback {
    /// `127.0.0.1`, `[::1]` and `localhost` at every port and path: `*loopback*` in the control API. The real console
    /// takes neither ports nor localhost, but a program on a laptop has nothing else.
    Loopback,
    /// What was typed into the console: addresses with their scheme, separated by `;`.
    Registered(Vec<Url>),
}

/// What of a redirect URI is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackRule {
    /// Scheme, host and path, without a port or a `#`: today.
    Path,
    /// The host alone: before about 2018.
    Host,
}

impl Callback {
    /// Reads the console's field.
    ///
    /// # Errors
    /// Why the console refuses it: no scheme, a port, localhost, a `#`, or more than 1024 characters.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == LOOPBACK {
            return Ok(Self::Loopback);
        }
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("callbacks have at most {LENGTH_MAX} characters"));
        }
        text.split(';').map(|one| address(one.trim())).collect::<Result<_, _>>().map(Self::Registered)
    }

    /// Whether a redirect URI may be used.
    pub(crate) fn admits(&self, redirect_uri: &str, rule: CallbackRule) -> bool {
        let Ok(asked) = Url::parse(redirect_uri) else {
            return false;
        };
        let (Some(host), "http" | "https") = (asked.host_str(), asked.scheme()) else {
            return false;
        };
        match (self, rule) {
            (Self::Loopback, _) => is_of_this_machine(&asked),
            (Self::Registered(known), CallbackRule::Host) => known.iter().any(|one| one.host_str() == Some(host)),
            (Self::Registered(known), CallbackRule::Path) => {
                let is_bare = asked.port().is_none() && asked.fragment().is_none() && asked.username().is_empty();
                let is_same = |one: &Url| {
                    one.scheme() == asked.scheme() && one.host_str() == Some(host) && one.path() == asked.path()
                };
                is_bare && known.iter().any(is_same)
            }
        }
    }
}

fn address(text: &str) -> Result<Url, String> {
    let parsed = Url::parse(text).map_err(|error| format!("{text}: {error}"))?;
    let is_plain = matches!(parsed.scheme(), "http" | "https") && parsed.port().is_none() && !text.contains('#');
    if is_plain && parsed.host_str().is_some_and(|host| host != "localhost") {
        Ok(parsed)
    } else {
        Err(format!("{text}: the console takes http or https, without port, localhost or #"))
    }
}

impl TryFrom<String> for Callback {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Callback> for String {
    fn from(callback: Callback) -> Self {
        match callback {
            Callback::Loopback => LOOPBACK.to_owned(),
            Callback::Registered(known) => known.iter().map(Url::as_str).collect::<Vec<_>>().join(";"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Callback, CallbackRule};

    #[test]
    fn scheme_host_and_path_must_be_equal_and_the_query_is_free() {
        let callback = Callback::parse("https://a.example/back;http://b.example/x/").unwrap();
        let cases = [
            ("https://a.example/back", true),
            ("https://a.example/back?next=1", true),
            ("https://A.example:443/back", true),
            ("http://a.example/back", false),
            ("https://a.example/back/", false),
            ("https://a.example/Back", false),
            ("https://a.example:8443/back", false),
            ("https://a.example/back#x", false),
            ("https://a.example.evil.test/back", false),
            ("https://me@a.example/back", false),
            ("http://b.example/x/", true),
            ("http://b.example/x", false),
            ("not an address", false),
        ];
        for (uri, expected) in cases {
            assert_eq!(callback.admits(uri, CallbackRule::Path), expected, "{uri}");
        }
        assert!(callback.admits("http://a.example:81/any#where", CallbackRule::Host));
        assert!(!callback.admits("http://www.a.example/", CallbackRule::Host));
    }

    #[test]
    fn loopback_is_open_at_every_port_and_nothing_else_is() {
        for (uri, expected) in [
            ("http://127.0.0.1:54321/back", true),
            ("http://localhost/", true),
            ("http://[::1]:9/", true),
            ("http://127.0.0.1.evil.test/", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(Callback::Loopback.admits(uri, CallbackRule::Path), expected, "{uri}");
        }
    }

    #[test]
    fn the_console_refuses_ports_localhost_fragments_and_bare_hosts() {
        let long = format!("https://a.example/{}", "x".repeat(1024));
        for text in ["https://a.example:8443/", "http://localhost/", "https://a.example/#x", "a.example", &long, ""] {
            assert!(Callback::parse(text).is_err(), "{text}");
        }
        assert_eq!(String::from(Callback::parse("*loopback*").unwrap()), "*loopback*");
    }
}
