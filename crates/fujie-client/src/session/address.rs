//! Where a session's requests go, and to whom a secret may be shown.
//!
//! Owns the base URL, what is relative to it, and the two questions that guard a token: is this
//! the base's own origin (RFC 6454 §4), and is the way there private?

use url::Url;

use super::Error;
use crate::provider::is_loopback;
use crate::request::with_query;

/// The URL that a session is about. Its origin is the session's home: tokens, credentials and
/// cookies go there and nowhere else.
#[derive(Clone)]
pub(super) struct Base {
    /// Without a slash at its end.
    prefix: String,
    home: Url,
}

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let home = web(text)?;
        if home.query().is_some() || home.fragment().is_some() {
            return Err(Error::BadUrl("has a query or fragment, which a base URL cannot have"));
        }
        Ok(Self { prefix: home.as_str().trim_end_matches('/').to_owned(), home })
    }

    /// A path, with or without a slash before it, stands behind the base; a whole URL stands for
    /// itself.
    pub(super) fn address(&self, target: &str, query: &[(String, String)]) -> Result<Url, Error> {
        let scheme = target.split_once("://").map(|(scheme, _)| scheme);
        let is_whole = scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let mut url = match target.strip_prefix('/').unwrap_or(target) {
            _ if is_whole => web(target)?,
            path if path.is_empty() || path.starts_with('?') => web(&format!("{}{path}", self.prefix))?,
            path => web(&format!("{}/{path}", self.prefix))?,
        };
        url.set_fragment(None);
        if query.is_empty() {
            return Ok(url);
        }
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        web(&with_query(url.as_str(), &query))
    }

    /// Whether this is the base's scheme, host and port.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        self.home.origin() == url.origin()
    }

    /// Whether nobody between us and the home can read along.
    pub(super) fn is_private(&self) -> bool {
        self.home.scheme() == "https" || is_loopback(&self.home)
    }

    pub(super) fn host(&self) -> &str {
        self.home.host_str().unwrap_or_default()
    }
}

/// The method, and the URL without what may be secret in it: for errors.
pub(super) fn place(method: &str, url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    format!("{method} {shown}")
}

fn web(text: &str) -> Result<Url, Error> {
    // The parser's error says no more than that; the text itself may hold a token.
    let url = Url::parse(text.trim()).ok().ok_or(Error::BadUrl("is not a URL such as https://api.example/v1"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::BadUrl("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::BadUrl("holds a user name or password; give them to the session's builder instead"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, target: &str, expected: &str) {
        let url = Base::parse(base).unwrap().address(target, &[]).unwrap();
        assert_eq!(url.as_str(), expected, "{base} and {target}");
    }

    #[test]
    fn a_path_stands_behind_the_base() {
        check("https://a.example", "user", "https://a.example/user");
        check("https://a.example/", "/user", "https://a.example/user");
        check("https://a.example/v1", "user", "https://a.example/v1/user");
        check("https://a.example/v1/", "/user?x=1", "https://a.example/v1/user?x=1");
        check("https://a.example/v1", "", "https://a.example/v1");
        check("https://a.example/v1", "?x=1", "https://a.example/v1?x=1");
        check("https://a.example", "repos/a:b/c#d", "https://a.example/repos/a:b/c");
        check("https://a.example/v1", "https://b.example/c", "https://b.example/c");
        check("https://a.example", "cb?to=https://b.example/", "https://a.example/cb?to=https://b.example/");
    }

    #[test]
    fn a_path_cannot_name_another_host() {
        for target in ["//b.example/x", "/\\b.example", "@b.example", ":80@b.example/", "\t//b.example", ".b.example"] {
            let url = Base::parse("https://a.example").unwrap().address(target, &[]).unwrap();
            assert_eq!(url.host_str(), Some("a.example"), "{target}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        let mailto = "mailto:a@example.com";
        for text in ["", "a.example", "https://", "ftp://a.example", mailto, "https://u:p@a.example", "http://[::1"] {
            assert!(matches!(Base::parse(text), Err(Error::BadUrl(_))), "{text}");
        }
        assert!(matches!(Base::parse("https://a.example/?x"), Err(Error::BadUrl(_))));
        let base = Base::parse("https://a.example").unwrap();
        assert!(matches!(base.address("ftp://a.example/x", &[]), Err(Error::BadUrl(_))));
    }

    #[test]
    fn home_is_scheme_host_and_port() {
        let base = Base::parse("https://a.example/v1").unwrap();
        let is_home = |text: &str| base.is_home(&Url::parse(text).unwrap());
        assert!(is_home("https://a.example/other") && is_home("https://A.example:443/"));
        assert!(!is_home("http://a.example/v1"));
        assert!(!is_home("https://a.example:444/v1"));
        assert!(!is_home("https://b.a.example/v1"));
    }
}
