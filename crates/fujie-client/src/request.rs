//! An outgoing HTTP request as a value, and how its parameters are written.
//!
//! Owns encoding (`application/x-www-form-urlencoded`, RFC 6749 appendix B) and keeping what is
//! sent out of sight. Sending is the transport's.

use std::fmt;

use url::form_urlencoded::byte_serialize;
use zeroize::Zeroize;

/// The two methods that providers ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Everything stands in the query.
    Get,
    /// Parameters stand in a form body.
    Post,
}

/// A request to be sent once, as it stands. Its query and body may hold secrets: `Debug` shows
/// neither, and both are zeroed when it is dropped. A transport must not log the URL, follow
/// redirects, or send the request a second time.
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A GET with the parameters behind the endpoint.
    pub(crate) fn query(endpoint: &str, parameters: &[(&str, &str)]) -> Self {
        Self {
            method: Method::Get,
            url: with_query(endpoint, parameters),
            headers: vec![("accept", "application/json")],
            body: None,
        }
    }

    /// A POST with the parameters in a form body.
    pub(crate) fn form(endpoint: &str, parameters: &[(&str, &str)]) -> Self {
        Self {
            method: Method::Post,
            url: endpoint.to_owned(),
            headers: vec![("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")],
            body: Some(encode(parameters).into_bytes()),
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The whole URL. Its query may hold the client's secret: send it, never show it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Header names in lower case, with their values.
    pub fn headers(&self) -> &[(&'static str, &'static str)] {
        &self.headers
    }

    /// The body of a POST.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &without_query(&self.url))
            .field("body", &self.body.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.url.zeroize();
        self.body.zeroize();
    }
}

/// The endpoint with parameters behind it. An endpoint may already have a query.
pub(crate) fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let join = match endpoint.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{endpoint}{join}{}", encode(parameters))
}

/// The part of a URL that may be shown.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// One value, percent-encoded. A space becomes `%20`, which the form rules and the URL rules
/// read alike; a `+` would be a plus sign to some providers.
pub(crate) fn encode_value(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

fn encode(parameters: &[(&str, &str)]) -> String {
    let mut encoded = String::new();
    for (name, value) in parameters {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encoded.push_str(&encode_value(name));
        encoded.push('=');
        encoded.push_str(&encode_value(value));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_joined_and_encoded() {
        let parameters = [("a", "1 +&=/中"), ("b", "")];
        let encoded = "a=1%20%2B%26%3D%2F%E4%B8%AD&b=";
        assert_eq!(with_query("https://p/x", &parameters), format!("https://p/x?{encoded}"));
        assert_eq!(with_query("https://p/x?y=1", &parameters), format!("https://p/x?y=1&{encoded}"));
        assert_eq!(with_query("https://p/x?", &parameters), format!("https://p/x?{encoded}"));
        assert_eq!(Request::form("https://p/x", &parameters).body(), Some(encoded.as_bytes()));
    }

    #[test]
    fn a_request_does_not_show_its_query_or_body() {
        let get = format!("{:?}", Request::query("https://p/x", &[("secret", "canary")]));
        let post = format!("{:?}", Request::form("https://p/x", &[("secret", "canary")]));
        assert!(get.contains("https://p/x") && !get.contains("canary"), "{get}");
        assert!(post.contains("https://p/x") && !post.contains("canary"), "{post}");
    }
}
