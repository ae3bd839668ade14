//! A configured address that stands for the provider's hosts: what it may be.

use serde::{Deserialize, Deserializer};
use url::{Origin, Url};

/// Reads one: `http` or `https`, a host, perhaps a port; a slash at its end is nothing.
///
/// # Errors
/// The text says what is wrong, and begins with the name of the key.
pub(crate) fn parse(text: &str) -> Result<Origin, String> {
    let Ok(url) = Url::parse(text) else {
        return Err(format!("base_url is no URL; write one such as {EXAMPLE}"));
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("base_url is neither http nor https; write one such as {EXAMPLE}"));
    }
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("base_url has more than scheme, host and port; write one such as {EXAMPLE}"));
    }
    Ok(url.origin())
}

/// Of a file: without a slash at its end.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let origin = parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
    Ok(Some(origin.ascii_serialization()))
}

const EXAMPLE: &str = "http://192.168.1.20:9300";

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn it_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, expected) in [
            ("http://simulator:9300", Some("http://simulator:9300")),
            ("https://sign-in.example/", Some("https://sign-in.example")),
            ("http://[::1]:9300/", Some("http://[::1]:9300")),
            ("not a url", None),
            ("simulator:9300", None),
            ("ftp://x", None),
            ("http://", None),
            ("http://x/path", None),
            ("http://x//", None),
            ("http://x/?q", None),
            ("http://x/#f", None),
            ("http://u:p@x", None),
        ] {
            let read = parse(text).map(|origin| origin.ascii_serialization());
            assert_eq!(read.as_deref().ok(), expected, "{text}");
            assert!(read.is_ok() || read.is_err_and(|fault| fault.starts_with("base_url ")), "{text}");
        }
    }
}
