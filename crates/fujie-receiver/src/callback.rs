//! The callback of an authorization server (RFC 6749 §4.1.2): what makes a request the one that is waited for.
//!
//! Only the right authority and path with the right `state` complete a sign-in (RFC 8252 §7.3, §8.10). Everything else
//! that a browser or a stranger sends gets a [`Refusal`], so that a listener can answer it and go on waiting. No I/O
//! here. Whether the code is genuine, or the issuer the right one (RFC 9207), only the token request can tell.

use std::fmt;

use crate::{
    query,
    request::{Fault, Head},
};

/// Longest content of a form post, in bytes.
pub const FORM_LENGTH_MAX: usize = 16 * 1024;

/// What the redirect URI promised. `Debug` hides the state.
#[derive(Clone)]
pub struct Expected {
    /// Authority of the redirect URI, for example `127.0.0.1:8000`.
    pub authority: String,
    /// Path of the redirect URI, for example `/getcode`.
    pub path: String,
    /// The `state` that was sent; `None` only for a provider that returns none.
    pub state: Option<String>,
    /// Whether the answer may come as a form post (OAuth 2.0 Form Post Response Mode).
    pub is_form_post: bool,
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expected(http://{}{})", self.authority, self.path)
    }
}

/// The parameters of a callback. `Debug` shows names only.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    parameters: Vec<(String, String)>,
}

impl Callback {
    /// The callback that these parameters are, when they bring the `state`; where they came from is judged elsewhere.
    pub(crate) fn accept(parameters: &str, state: Option<&str>) -> Result<Callback, Refusal> {
        let callback = Callback { parameters: query::parse(parameters).ok_or(Refusal::Parameters)? };
        if let Some(state) = state {
            if !callback.value("state").map_or(false, |sent| is_equal(sent, state)) {
                return Err(Refusal::State);
            }
        }
        let has_error = callback.value("error").map_or(false, |error| !error.is_empty());
        match callback.value("code") {
            // Without a state to vouch for it, an empty visit is nobody's denial.
            None if !has_error && state.is_none() => Err(Refusal::Empty),
            Some("") if !has_error => Err(Refusal::Empty),
            // A code is printable ASCII (RFC 6749 appendix A.11); scripts read it as one line.
            Some(code) if !code.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => Err(Refusal::Parameters),
            _ => Ok(callback),
        }
    }

    /// The authorization code, or the error that the server reports (RFC 6749 §4.1.2.1). An answer with neither is
    /// `access_denied`: that is how WeChat says no.
    pub fn code(&self) -> Result<&str, &str> {
        match (self.value("error").filter(|error| !error.is_empty()), self.value("code")) {
            (Some(error), _) => Err(error),
            (None, Some(code)) => Ok(code),
            (None, None) => Err("access_denied"),
        }
    }

    /// The value of a parameter, decoded.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All parameters, decoded, in the order they came in.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parameters.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a request is not the callback. Waiting goes on. The order is how far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not HTTP/1, or in a form that is not read here.
    Malformed,
    /// It was not finished in time.
    TimedOut,
    /// Its target is longer than is read.
    TargetTooLong,
    /// Its headers are longer than is read.
    HeadersTooLarge,
    /// It is for another host: perhaps another site speaks, through DNS rebinding.
    Host,
    /// Its path is another.
    Path,
    /// Its method is another.
    Method,
    /// Its content is not a form of known, modest length.
    Form,
    /// A parameter stands twice, or is not readable.
    Parameters,
    /// Its `state` is missing or another.
    State,
    /// It has neither code nor error.
    Empty,
}

impl Refusal {
    /// The HTTP status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Path => 404,
            Refusal::Method => 405,
            Refusal::TimedOut => 408,
            Refusal::TargetTooLong => 414,
            Refusal::Host => 421,
            Refusal::HeadersTooLarge => 431,
            Refusal::Malformed | Refusal::Form | Refusal::Parameters | Refusal::State | Refusal::Empty => 400,
        }
    }
}

impl Refusal {
    /// Why, as the end of a sentence.
    pub(crate) fn in_english(self) -> &'static str {
        match self {
            Refusal::Malformed => "it was not HTTP/1",
            Refusal::TimedOut => "it was not finished in time",
            Refusal::TargetTooLong => "its URL is too long",
            Refusal::HeadersTooLarge => "its headers are too long",
            Refusal::Host => "it was for another host",
            Refusal::Path => "it was for another path",
            Refusal::Method => "its method is another",
            Refusal::Form => "its form has no proper type or length",
            Refusal::Parameters => "a parameter stands twice or cannot be read",
            Refusal::State => "its state is missing or another",
            Refusal::Empty => "it has neither code nor error",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_english())
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::RequestLine | Fault::Field | Fault::Framing => Refusal::Malformed,
            Fault::RequestLineTooLong => Refusal::TargetTooLong,
            Fault::HeadersTooLarge => Refusal::HeadersTooLarge,
        }
    }
}

/// What a request head asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// The browser's wish for an icon: there is none.
    Favicon,
    /// A look that must change nothing (RFC 9110 §9.3.2), at parameters in the query.
    Look(&'a str),
    /// The callback, with its parameters in the query.
    Query(&'a str),
    /// The callback, with its parameters in content of this many bytes.
    Form(usize),
}

impl Expected {
    /// What a request head asks for, as far as the head can tell.
    pub fn read<'a>(&self, head: &Head<'a>) -> Result<Request<'a>, Refusal> {
        // HTTP/1.0 may leave out Host; no browser does, so a page of another site cannot.
        if !head.host.map_or(true, |host| self.is_own(host)) || !head.target_authority.map_or(true, |a| self.is_own(a))
        {
            return Err(Refusal::Host);
        }
        let is_look = head.method == "HEAD";
        match head.method {
            "GET" | "HEAD" if head.path == "/favicon.ico" && self.path != head.path => Ok(Request::Favicon),
            "OPTIONS" => Err(Refusal::Method),
            _ if head.path != self.path => Err(Refusal::Path),
            _ if is_look => Ok(Request::Look(head.query)),
            "GET" => Ok(Request::Query(head.query)),
            "POST" if self.is_form_post => form_length(head).map(Request::Form).ok_or(Refusal::Form),
            _ => Err(Refusal::Method),
        }
    }

    /// The methods that are answered at the path, as `Allow` lists them (RFC 9110 §10.2.1).
    pub fn methods(&self) -> &'static str {
        match self.is_form_post {
            true => "GET, HEAD, POST",
            false => "GET, HEAD",
        }
    }

    /// The callback, when these parameters are the ones that are waited for.
    pub fn accept(&self, parameters: &str) -> Result<Callback, Refusal> {
        Callback::accept(parameters, self.state.as_deref())
    }

    /// The callback in a URL that a person pasted, by the same rules.
    pub fn accept_url(&self, url: &str) -> Result<Callback, Refusal> {
        let url = url.trim();
        let rest = url.strip_prefix("http://").ok_or(Refusal::Malformed)?;
        let url = rest.split('#').next().unwrap_or_default();
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (authority, path) = base.split_at(base.find('/').unwrap_or(base.len()));
        if !self.is_own(authority) {
            return Err(Refusal::Host);
        }
        if path != self.path {
            return Err(Refusal::Path);
        }
        self.accept(parameters)
    }

    /// Whether this is the redirect URI's authority, with or without the port that http means anyway.
    fn is_own(&self, authority: &str) -> bool {
        authority.eq_ignore_ascii_case(&self.authority)
            || self.authority.strip_suffix(":80").map_or(false, |host| authority.eq_ignore_ascii_case(host))
    }
}

fn form_length(head: &Head<'_>) -> Option<usize> {
    let content_type = head.content_type?.split(';').next()?.trim();
    let length = usize::try_from(head.content_length?).ok()?;
    let is_form = content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    // A query beside the form would be a second place to read parameters from.
    Some(length).filter(|length| is_form && *length <= FORM_LENGTH_MAX && head.query.is_empty())
}

/// Compares without stopping at the first difference.
fn is_equal(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request;

    fn expected() -> Expected {
        let (authority, path) = ("127.0.0.1:8000".to_owned(), "/getcode".to_owned());
        Expected { authority, path, state: Some("s1".to_owned()), is_form_post: false }
    }

    fn without_state() -> Expected {
        Expected { state: None, ..expected() }
    }

    /// Reads a head and accepts its query: the code, or `Err(Ok(error))`, or why it was refused.
    fn check(expected: &Expected, head: &str) -> Result<String, Result<String, Refusal>> {
        let text = format!("{}\r\n\r\n", head);
        let (head, _) = request::parse(text.as_bytes()).map_err(|fault| Err(fault.into()))?.unwrap();
        match expected.read(&head).map_err(Err)? {
            Request::Query(query) => {
                let callback = expected.accept(query).map_err(Err)?;
                callback.code().map(str::to_owned).map_err(|error| Ok(error.to_owned()))
            }
            Request::Look(_) => Ok("a look".to_owned()),
            Request::Favicon => Ok("no icon".to_owned()),
            Request::Form(length) => Ok(format!("a form of {}", length)),
        }
    }

    fn get(target: &str) -> Result<String, Result<String, Refusal>> {
        check(&expected(), &format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:8000", target))
    }

    fn error(text: &str) -> Result<String, Result<String, Refusal>> {
        Err(Ok(text.to_owned()))
    }

    #[test]
    fn only_the_right_path_with_the_right_state_completes() {
        assert_eq!(get("/getcode?code=c%201&state=s1"), Ok("c 1".into()));
        assert_eq!(get("http://127.0.0.1:8000/getcode?code=c&state=s1"), Ok("c".into()));
        assert_eq!(get("/getcode?code=c&state=s2"), Err(Err(Refusal::State)));
        assert_eq!(get("/getcode?code=c&state=s"), Err(Err(Refusal::State)));
        assert_eq!(get("/getcode?code=c"), Err(Err(Refusal::State)));
        assert_eq!(get("/getcode"), Err(Err(Refusal::State)));
        assert_eq!(get("/getcode/?code=c&state=s1"), Err(Err(Refusal::Path)));
        assert_eq!(get("/get%63ode?code=c&state=s1"), Err(Err(Refusal::Path)));
        assert_eq!(get("/?code=c&state=s1"), Err(Err(Refusal::Path)));
        assert_eq!(get("/favicon.ico"), Ok("no icon".into()));
        assert_eq!(get("/getcode?code=a&code=b&state=s1"), Err(Err(Refusal::Parameters)));
        assert_eq!(get("/getcode?code=a&state=s1&state=s1"), Err(Err(Refusal::Parameters)));
        assert_eq!(get("/getcode?code=%ff&state=s1"), Err(Err(Refusal::Parameters)));
        assert_eq!(get("/getcode?code=a%0ab&state=s1"), Err(Err(Refusal::Parameters)));
        assert_eq!(get("/getcode?code=&state=s1"), Err(Err(Refusal::Empty)));
    }

    #[test]
    fn a_denial_counts_with_the_right_state_only() {
        assert_eq!(get("/getcode?error=access_denied&state=s1"), error("access_denied"));
        assert_eq!(get("/getcode?error=server_error&code=c&state=s1"), error("server_error"));
        assert_eq!(get("/getcode?state=s1"), error("access_denied"));
        assert_eq!(get("/getcode?error=&code=c&state=s1"), Ok("c".into()));
        assert_eq!(get("/getcode?error=access_denied&state=s2"), Err(Err(Refusal::State)));
        assert_eq!(get("/getcode?error=access_denied"), Err(Err(Refusal::State)));
    }

    #[test]
    fn without_a_state_a_code_or_an_error_must_come() {
        let get = |target: &str| check(&without_state(), &format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:8000", target));
        assert_eq!(get("/getcode?code=something"), Ok("something".into()));
        assert_eq!(get("/getcode?code=something&state=whatever"), Ok("something".into()));
        assert_eq!(get("/getcode?error=access_denied"), error("access_denied"));
        assert_eq!(get("/getcode"), Err(Err(Refusal::Empty)));
        assert_eq!(get("/getcode?state=s1"), Err(Err(Refusal::Empty)));
    }

    #[test]
    fn another_host_is_refused_before_anything_else() {
        let with = |line: &str, host: &str| check(&expected(), &format!("{}\r\n{}", line, host));
        for host in ["evil.test", "127.0.0.1", "127.0.0.1:8001", "localhost:8000", "127.0.0.1:8000@evil.test", ""] {
            let host = format!("Host: {}", host);
            assert_eq!(with("GET /getcode?code=c&state=s1 HTTP/1.1", &host), Err(Err(Refusal::Host)), "{}", host);
            assert_eq!(with("GET /favicon.ico HTTP/1.1", &host), Err(Err(Refusal::Host)), "{}", host);
            assert_eq!(with("OPTIONS /getcode HTTP/1.1", &host), Err(Err(Refusal::Host)), "{}", host);
        }
        let absolute = "GET http://evil.test/getcode?code=c&state=s1 HTTP/1.1";
        assert_eq!(with(absolute, "Host: 127.0.0.1:8000"), Err(Err(Refusal::Host)));
        let own = "GET http://127.0.0.1:8000/getcode?code=c&state=s1 HTTP/1.1";
        assert_eq!(with(own, "Host: evil.test"), Err(Err(Refusal::Host)));
        assert_eq!(with("GET /getcode?code=c&state=s1 HTTP/1.0", "A: b"), Ok("c".into()));
        let on_80 = Expected { authority: "LocalHost:80".into(), ..expected() };
        assert_eq!(check(&on_80, "GET /getcode?code=c&state=s1 HTTP/1.1\r\nHost: localhost"), Ok("c".into()));
    }

    #[test]
    fn another_method_completes_nothing() {
        let method = |method: &str, expected: &Expected, more: &str| {
            let line = format!("{} /getcode?code=c&state=s1 HTTP/1.1\r\nHost: 127.0.0.1:8000{}", method, more);
            check(expected, &line)
        };
        assert_eq!(method("HEAD", &expected(), ""), Ok("a look".into()));
        for other in ["OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "PRI"] {
            assert_eq!(method(other, &expected(), ""), Err(Err(Refusal::Method)), "{}", other);
        }
        let options = "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:8000";
        assert_eq!(check(&expected(), options), Err(Err(Refusal::Method)));
    }

    #[test]
    fn a_form_is_read_when_asked_for_and_of_known_length() {
        let wanted = Expected { is_form_post: true, ..expected() };
        let post = |target: &str, fields: &str| {
            check(&wanted, &format!("POST {} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{}", target, fields))
        };
        let form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: ";
        assert_eq!(post("/getcode", &format!("{}16384", form)), Ok("a form of 16384".into()));
        assert_eq!(post("/getcode", &format!("{}16385", form)), Err(Err(Refusal::Form)));
        assert_eq!(post("/getcode?code=c", &format!("{}9", form)), Err(Err(Refusal::Form)));
        assert_eq!(post("/getcode", "Content-Type: text/plain\r\nContent-Length: 9"), Err(Err(Refusal::Form)));
        assert_eq!(post("/getcode", "Content-Type: application/x-www-form-urlencoded"), Err(Err(Refusal::Form)));
    }

    #[test]
    fn a_pasted_url_is_judged_by_the_same_rules() {
        let paste = |url: &str| expected().accept_url(url).map(|callback| callback.code().unwrap().to_owned());
        assert_eq!(paste(" http://127.0.0.1:8000/getcode?code=c&state=s1#_=_\n"), Ok("c".into()));
        assert_eq!(paste("http://127.0.0.1:8000/getcode?code=c&state=s2"), Err(Refusal::State));
        assert_eq!(paste("http://127.0.0.1:8000/getcode#code=c&state=s1"), Err(Refusal::State));
        assert_eq!(paste("http://127.0.0.1:8001/getcode?code=c&state=s1"), Err(Refusal::Host));
        assert_eq!(paste("http://evil.test/getcode?code=c&state=s1"), Err(Refusal::Host));
        assert_eq!(paste("http://127.0.0.1:8000/?code=c&state=s1"), Err(Refusal::Path));
        assert_eq!(paste("http://127.0.0.1:8000?code=c&state=s1"), Err(Refusal::Path));
        assert_eq!(paste("https://127.0.0.1:8000/getcode?code=c&state=s1"), Err(Refusal::Malformed));
        assert_eq!(paste("code=c&state=s1"), Err(Refusal::Malformed));
        assert_eq!(paste(""), Err(Refusal::Malformed));
    }

    #[test]
    fn debug_shows_neither_code_nor_state() {
        let expected = Expected { state: Some("sesame".into()), ..expected() };
        let callback = expected.accept("code=c0de&state=sesame").unwrap();
        let text = format!("{:?} {:?}", callback, expected);
        assert_eq!(text, r#"["code", "state"] Expected(http://127.0.0.1:8000/getcode)"#);
    }
}
