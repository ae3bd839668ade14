//! Redirect URIs: which of them an app may use, and how an answer is put onto one.
//!
//! The exact comparison of RFC 9700 §2.1; providers that compare domains do so themselves.

use url::{Url, form_urlencoded};

/// The entry that admits every http URL of this machine, at every port. Real consoles have no
/// such thing, but a program on a laptop changes its port.
pub(crate) const LOOPBACK: &str = "*loopback*";

/// Whether one of the registered entries is this URI.
pub(crate) fn admits(registered: &[String], redirect_uri: &str) -> bool {
    registered.iter().any(|entry| if entry == LOOPBACK { is_loopback(redirect_uri) } else { entry == redirect_uri })
}

fn is_loopback(redirect_uri: &str) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else {
        return false;
    };
    is_of_this_machine(&url) && url.fragment().is_none() && url.username().is_empty()
}

/// Whether a browser of this machine ends here: what every provider's demo app admits, at every port.
pub(crate) fn is_of_this_machine(url: &Url) -> bool {
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    is_here && matches!(url.scheme(), "http" | "https")
}

/// The parameters as a form, in their order.
pub(crate) fn encoded(parameters: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The URI with parameters behind its query; what stands there stays as it is.
pub(crate) fn with_query(redirect_uri: &str, parameters: &[(&str, String)]) -> String {
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", encoded(parameters))
}

#[cfg(test)]
mod tests {
    use super::{LOOPBACK, admits, with_query};

    #[test]
    fn a_redirect_uri_is_compared_exactly_or_is_of_this_machine() {
        let exact = "https://app.example/back?x=1";
        for (registered, sent, expected) in [
            (exact, exact, true),
            (exact, "https://app.example/back?x=1&y=2", false),
            (exact, "https://APP.example/back?x=1", false),
            (LOOPBACK, "http://127.0.0.1:5123/back", true),
            (LOOPBACK, "http://localhost/", true),
            (LOOPBACK, "http://[::1]:9/", true),
            (LOOPBACK, "http://localhost.evil.test/", false),
            (LOOPBACK, "http://localhost@evil.test/", false),
            (LOOPBACK, "http://x@localhost/", false),
            (LOOPBACK, "http://localhost/#f", false),
            (LOOPBACK, "javascript://localhost/%0aalert(1)", false),
            (LOOPBACK, LOOPBACK, false),
        ] {
            assert_eq!(admits(&[registered.to_owned()], sent), expected, "{registered} {sent}");
        }
    }

    #[test]
    fn an_answer_stands_behind_the_query_that_is_there() {
        let parameters = [("code", "a b".to_owned()), ("state", "&".to_owned())];
        assert_eq!(with_query("http://h/", &parameters), "http://h/?code=a+b&state=%26");
        assert_eq!(with_query("http://h/?k=%20", &parameters), "http://h/?k=%20&code=a+b&state=%26");
    }
}
