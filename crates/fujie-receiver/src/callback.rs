//! The callback of an authorization server (RFC 6749 §4.1.2) as one HTTP request head, judged strictly (RFC 8252 §7.3).
//!
//! Only the right path with the right `state` completes a sign-in. Everything else a browser or a stranger sends is
//! told apart, so that a listener can answer it and go on waiting.

use std::fmt;

/// Longest request head that is read, in bytes.
pub const HEAD_LENGTH_MAX: usize = 16 * 1024;

/// What the redirect URI promised.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// Path of the redirect URI, for example `/getcode`.
    pub path: &'a str,
    /// Authority of the redirect URI, for example `127.0.0.1:8000`.
    pub authority: &'a str,
    /// The `state` that was sent; `None` only for a provider that returns none.
    pub state: Option<&'a str>,
}

/// The parameters of a callback. `Debug` shows names only.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    parameters: Vec<(String, String)>,
}

impl Callback {
    /// The value of a parameter, decoded.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The authorization code, or the error that the server reports (RFC 6749 §4.1.2.1).
    pub fn code(&self) -> Result<&str, &str> {
        match (self.value("error"), self.value("code")) {
            (None, Some(code)) => Ok(code),
            (Some(error), _) => Err(error),
            (None, None) => Err("access_denied"),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parameters.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a request is not the callback. The number is the HTTP status to answer it with; waiting goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The head is not HTTP/1.x, too long, or not finished.
    Malformed,
    /// Another method than GET.
    Method,
    /// Another path.
    Path,
    /// The `Host` is not the redirect URI's authority: another site speaks through DNS rebinding.
    Host,
    /// A parameter stands twice, or is not UTF-8.
    Parameters,
    /// The `state` is missing or another one.
    State,
}

impl Refusal {
    /// The HTTP status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Malformed | Refusal::Parameters | Refusal::State => 400,
            Refusal::Path => 404,
            Refusal::Method => 405,
            Refusal::Host => 421,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Malformed => "not an HTTP/1 request",
            Refusal::Method => "another method",
            Refusal::Path => "another path",
            Refusal::Host => "another host",
            Refusal::Parameters => "unusable parameters",
            Refusal::State => "another state",
        })
    }
}

/// Judges a request head: request line and headers, up to and with the empty line.
pub fn judge(head: &[u8], expected: &Expected<'_>) -> Result<Callback, Refusal> {
    if head.len() > HEAD_LENGTH_MAX || !head.ends_with(b"\r\n\r\n") {
        return Err(Refusal::Malformed);
    }
    let text = std::str::from_utf8(head).or(Err(Refusal::Malformed))?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (method, target) = match (method, target, version, words.next()) {
        (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) => (method, target),
        _ => return Err(Refusal::Malformed),
    };
    let mut hosts = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim());
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.eq_ignore_ascii_case(expected.authority) => {}
        _ => return Err(Refusal::Host),
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != expected.path {
        return Err(Refusal::Path);
    }
    if method != "GET" {
        return Err(Refusal::Method);
    }
    let callback = Callback { parameters: parameters(query).ok_or(Refusal::Parameters)? };
    match expected.state {
        Some(state) if !callback.value("state").map_or(false, |sent| is_equal(sent, state)) => Err(Refusal::State),
        _ => Ok(callback),
    }
}

/// Compares without stopping at the first difference.
fn is_equal(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

fn parameters(query: &str) -> Option<Vec<(String, String)>> {
    let mut list: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if list.iter().any(|(own, _)| *own == name) {
            return None;
        }
        list.push((name, value));
    }
    Some(list)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected<'_> = Expected { path: "/getcode", authority: "127.0.0.1:8000", state: Some("s1") };

    fn check(line: &str) -> Result<String, Refusal> {
        let head = format!("{}\r\nHost: 127.0.0.1:8000\r\n\r\n", line);
        judge(head.as_bytes(), &EXPECTED).map(|callback| callback.code().unwrap_or("error").to_owned())
    }

    #[test]
    fn only_the_right_path_with_the_right_state_completes() {
        assert_eq!(check("GET /getcode?code=c%201&state=s1 HTTP/1.1"), Ok("c 1".into()));
        assert_eq!(check("GET /getcode?error=access_denied&state=s1 HTTP/1.0"), Ok("error".into()));
        assert_eq!(check("GET /getcode?code=c&state=s2 HTTP/1.1"), Err(Refusal::State));
        assert_eq!(check("GET /getcode?code=c HTTP/1.1"), Err(Refusal::State));
        assert_eq!(check("GET /favicon.ico HTTP/1.1"), Err(Refusal::Path));
        assert_eq!(check("HEAD /getcode?code=c&state=s1 HTTP/1.1"), Err(Refusal::Method));
        assert_eq!(check("OPTIONS /getcode HTTP/1.1"), Err(Refusal::Method));
        assert_eq!(check("GET /getcode?code=a&code=b&state=s1 HTTP/1.1"), Err(Refusal::Parameters));
        assert_eq!(check("GET /getcode?code=%ff&state=s1 HTTP/1.1"), Err(Refusal::Parameters));
        assert_eq!(check("GET /getcode"), Err(Refusal::Malformed));
    }

    #[test]
    fn another_host_is_refused() {
        let head = b"GET /getcode?code=c&state=s1 HTTP/1.1\r\nHost: evil.test\r\n\r\n";
        assert_eq!(judge(head, &EXPECTED), Err(Refusal::Host));
        let none = b"GET /getcode?code=c&state=s1 HTTP/1.1\r\n\r\n";
        assert_eq!(judge(none, &EXPECTED), Err(Refusal::Host));
    }
}
