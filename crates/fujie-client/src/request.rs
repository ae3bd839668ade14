//! An outgoing HTTP request as a value, and how its parameters are written.
//!
//! Owns encoding (`application/x-www-form-urlencoded`, RFC 6749 appendix B) and keeping what is
//! sent out of sight. Sending is the transport's.

use std::fmt;

use serde_json::{Map, Value};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroize;

use crate::provider::CallMethod;

/// The methods that providers ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Everything stands in the query.
    Get,
    /// Parameters stand in a body, or in the query where a provider wants it so.
    Post,
    /// Parameters stand in a body.
    Delete,
    /// What is to be changed stands in a body (RFC 5789).
    Patch,
}

/// A request to be sent once, as it stands. Its query, headers and body may hold secrets: `Debug`
/// shows none of them, and all are zeroed when it is dropped. A transport must not log the URL,
/// follow redirects, or send the request a second time.
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request with these parameters where the method wants them.
    pub(crate) fn new<N: AsRef<str>, V: AsRef<str>>(endpoint: &str, method: CallMethod, parameters: &[(N, V)]) -> Self {
        let url = match method {
            CallMethod::Get | CallMethod::PostQuery => with_query(endpoint, parameters),
            CallMethod::PostForm | CallMethod::PostJson | CallMethod::DeleteJson => endpoint.to_owned(),
        };
        let body = match method {
            CallMethod::Get => None,
            CallMethod::PostQuery => Some((Vec::new(), None)),
            CallMethod::PostForm => Some((encode(parameters).into_bytes(), Some("application/x-www-form-urlencoded"))),
            CallMethod::PostJson | CallMethod::DeleteJson => Some((json(parameters), Some("application/json"))),
        };
        let method = match method {
            CallMethod::Get => Method::Get,
            CallMethod::PostForm | CallMethod::PostQuery | CallMethod::PostJson => Method::Post,
            CallMethod::DeleteJson => Method::Delete,
        };
        let mut request = Self { method, url, headers: Vec::new(), body: None };
        request.set_header("accept", "application/json");
        if let Some((body, content_type)) = body {
            request.body = Some(body);
            if let Some(content_type) = content_type {
                request.set_header("content-type", content_type);
            }
        }
        request
    }

    /// A POST of `body` as it stands. The names of the headers are in lower case.
    pub fn post(url: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { method: Method::Post, url: url.to_owned(), headers, body: Some(body) }
    }

    /// Another method for the same.
    pub(crate) fn set_method(&mut self, method: Method) {
        self.method = method;
    }

    /// Sets a header in place of an earlier one of that name, which is in lower case.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Replaces the body by a JSON value.
    pub(crate) fn set_json(&mut self, value: &Value) {
        self.set_header("content-type", "application/json");
        self.body = Some(value.to_string().into_bytes());
    }

    /// A second copy, for a request that may be made anew.
    pub(crate) fn duplicate(&self) -> Self {
        let Self { method, url, headers, body } = self;
        Self { method: *method, url: url.clone(), headers: headers.clone(), body: body.clone() }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The whole URL. Its query may hold the client's secret: send it, never show it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Header names in lower case, with their values, which may be secret.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body, if there is one.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &without_query(&self.url))
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.url.zeroize();
        self.body.zeroize();
        for (_, value) in &mut self.headers {
            value.zeroize();
        }
    }
}

/// The endpoint with parameters behind it. An endpoint may already have a query.
pub(crate) fn with_query<N: AsRef<str>, V: AsRef<str>>(endpoint: &str, parameters: &[(N, V)]) -> String {
    if parameters.is_empty() {
        return endpoint.to_owned();
    }
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

fn encode<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    let mut encoded = String::new();
    for (name, value) in parameters {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encoded.push_str(&encode_value(name.as_ref()));
        encoded.push('=');
        encoded.push_str(&encode_value(value.as_ref()));
    }
    encoded
}

fn json<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> Vec<u8> {
    let object: Map<String, Value> =
        parameters.iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().into())).collect();
    Value::Object(object).to_string().into_bytes()
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
        let form = Request::new("https://p/x", CallMethod::PostForm, &parameters);
        assert_eq!(form.body(), Some(encoded.as_bytes()));
        let query = Request::new("https://p/x", CallMethod::PostQuery, &parameters);
        assert_eq!((query.url(), query.body()), (format!("https://p/x?{encoded}").as_str(), Some(&[][..])));
        let json = Request::new("https://p/x", CallMethod::PostJson, &parameters);
        assert_eq!(json.body(), Some(r#"{"a":"1 +&=/中","b":""}"#.as_bytes()));
    }

    #[test]
    fn a_request_does_not_show_its_query_headers_or_body() {
        for method in [CallMethod::Get, CallMethod::PostForm, CallMethod::PostQuery, CallMethod::PostJson] {
            let mut request = Request::new("https://p/x", method, &[("secret", "canary")]);
            request.set_header("authorization", "Bearer canary");
            let shown = format!("{request:?}");
            assert!(shown.contains("https://p/x") && !shown.contains("canary"), "{shown}");
        }
    }
}
