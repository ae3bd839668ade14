//! Request parameters: `application/x-www-form-urlencoded` read strictly (RFC 6749 §3.1, §3.2, appendix B).
//!
//! A parameter sent without a value is absent, an unknown one is ignored, a repeated one is refused.

use std::borrow::Cow;

/// At most this many parameters in a request.
const COUNT_MAX: usize = 100;

/// Parameters that may stand more than once (RFC 8707 §2).
const REPEATABLE: [&str; 1] = ["resource"];

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

/// A request whose parameters cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// More than one hundred.
    #[error("the request has more than 100 parameters")]
    TooMany,
    /// A `%` without two hexadecimal digits.
    #[error("the request has a broken percent-encoding")]
    Encoding,
    /// Bytes that are not UTF-8.
    #[error("the request has a parameter that is not UTF-8")]
    Utf8,
    /// A parameter stands twice.
    #[error("the parameter {0} is repeated")]
    Repeated(String),
}

impl Parameters {
    /// Reads a query string or a form body.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParameterError> {
        let mut list: Vec<(String, String)> = Vec::with_capacity(8);
        for pair in encoded.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if list.len() == COUNT_MAX {
                return Err(ParameterError::TooMany);
            }
            if !REPEATABLE.contains(&name.as_str()) && list.iter().any(|(own, _)| *own == name) {
                return Err(ParameterError::Repeated(printable(&name)));
            }
            list.push((name, value));
        }
        Ok(Self(list))
    }

    /// The value of `name`, unless it is absent or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of `name` that is not empty.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, value)| own == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The first parameter among `names` whose value has a control character (NUL, CR, LF, …).
    pub fn with_control<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.all(name).any(|value| value.chars().any(char::is_control)))
    }
}

fn decode(encoded: &[u8]) -> Result<String, ParameterError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>().ok_or(ParameterError::Encoding)?;
                bytes.push(hex(digits[0])? << 4 | hex(digits[1])?);
                rest = tail;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).or(Err(ParameterError::Utf8))
}

fn hex(digit: u8) -> Result<u8, ParameterError> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(ParameterError::Encoding)
}

/// At most 40 printable ASCII characters of a name that came from outside.
fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(40).collect()
}

/// Percent-encodes `text` for a query or form value, everything but the unreserved characters (RFC 3986 §2.3).
pub fn encode(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_strictly() {
        let read = |text: &str| Parameters::parse(text.as_bytes()).map(|p| p.text("a").map(str::to_owned));
        assert_eq!(read("a=1&b=2"), Ok(Some("1".into())));
        assert_eq!(read("a=x+y%20z"), Ok(Some("x y z".into())));
        assert_eq!(read("a="), Ok(None), "without a value it is absent");
        assert_eq!(read("a=%E5%B0%8F"), Ok(Some("小".into())));
        assert_eq!(read("a=1&a=2"), Err(ParameterError::Repeated("a".into())));
        assert_eq!(read("a=1&%61=2"), Err(ParameterError::Repeated("a".into())));
        assert_eq!(read("a=%"), Err(ParameterError::Encoding));
        assert_eq!(read("a=%+1"), Err(ParameterError::Encoding));
        assert_eq!(read("a=%ff"), Err(ParameterError::Utf8));
        assert_eq!(read(&"x=1&".repeat(2)), Err(ParameterError::Repeated("x".into())));
        let many: String = (0..101).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(read(&many), Err(ParameterError::TooMany));
        assert_eq!(Parameters::parse(b"resource=x&resource=y").unwrap().all("resource").count(), 2);
    }

    #[test]
    fn encoding_is_undone_by_reading() {
        let text = "a b&c=d/é\r\n小🌟+%";
        let pair = format!("a={}", encode(text));
        assert_eq!(Parameters::parse(pair.as_bytes()).unwrap().text("a"), Some(text));
    }
}
