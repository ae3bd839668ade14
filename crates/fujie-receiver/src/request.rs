//! The head of one HTTP/1 request (RFC 9112 §3, §5), as a pure function over bytes.
//!
//! It takes the strict reading wherever the standard leaves a choice, because that is where two readers disagree:
//! CRLF alone ends a line, no folded line, no space before a colon, no `Transfer-Encoding`, one `Content-Length`, one
//! `Host`. It does not read content and does not know what the request is for.

/// Longest line that is read, in bytes without its CRLF: the request line, or one field.
pub const LINE_LENGTH_MAX: usize = 8 * 1024;
/// Longest header section that is read, in bytes.
pub const HEADERS_LENGTH_MAX: usize = 16 * 1024;
/// Longest head: an empty line before it, the request line, and the header section.
pub const HEAD_LENGTH_MAX: usize = 2 + LINE_LENGTH_MAX + 2 + HEADERS_LENGTH_MAX;
/// Most fields in a header section.
pub const FIELDS_MAX: usize = 100;

/// The version a client speaks. A later minor version is answered like 1.1 (RFC 9110 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0, in which `Host` may be missing.
    Http10,
    /// HTTP/1.1, in which it may not.
    Http11,
}

/// What stands in a request head. It borrows from the bytes that were read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method, in the case it was sent in.
    pub method: &'a str,
    /// The authority of an absolute-form target (RFC 9112 §3.2.2).
    pub target_authority: Option<&'a str>,
    /// The path, not decoded; `*` for the asterisk form.
    pub path: &'a str,
    /// What stands behind the first `?`, not decoded.
    pub query: &'a str,
    /// The version.
    pub version: Version,
    /// The `Host` field.
    pub host: Option<&'a str>,
    /// The `Content-Type` field.
    pub content_type: Option<&'a str>,
    /// The `Content-Length` field.
    pub content_length: Option<u64>,
}

/// Why bytes are no request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request line is not one.
    RequestLine,
    /// The request line is longer than [`LINE_LENGTH_MAX`].
    RequestLineTooLong,
    /// A field line is not one, or stands twice where it may stand once.
    Field,
    /// The header section is longer than [`HEADERS_LENGTH_MAX`], or has too many fields.
    HeadersTooLarge,
    /// The length of the content is not said in the one way that is read here.
    Framing,
}

/// Reads a head from the first bytes of a connection: the head and its length, or `None` while it is unfinished.
pub fn parse(bytes: &[u8]) -> Result<Option<(Head<'_>, usize)>, Fault> {
    let mut lines = Lines { bytes, at: 0 };
    let mut request_line = lines.next(LINE_LENGTH_MAX, Fault::RequestLine, Fault::RequestLineTooLong)?;
    if request_line == Some("") {
        // One empty line before a request is forgiven (RFC 9112 §2.2).
        request_line = lines.next(LINE_LENGTH_MAX, Fault::RequestLine, Fault::RequestLineTooLong)?;
    }
    let mut head = match request_line {
        Some(line) => parse_request_line(line).ok_or(Fault::RequestLine)?,
        None => return Ok(None),
    };
    let (start, mut count, mut is_encoded) = (lines.at, 0, false);
    loop {
        // Room is kept for this line's CRLF and the empty line.
        let left = HEADERS_LENGTH_MAX.saturating_sub(lines.at - start + 4).min(LINE_LENGTH_MAX);
        let line = match lines.next(left, Fault::Field, Fault::HeadersTooLarge)? {
            None => return Ok(None),
            Some("") => break,
            Some(line) => line,
        };
        count += 1;
        if count > FIELDS_MAX {
            return Err(Fault::HeadersTooLarge);
        }
        let (name, value) = parse_field(line).ok_or(Fault::Field)?;
        is_encoded |= name.eq_ignore_ascii_case("transfer-encoding");
        take_field(&mut head, name, value)?;
    }
    if is_encoded {
        // Alone it would be chunked content, which no callback needs; with Content-Length it is an attack (§6.1).
        return Err(Fault::Framing);
    }
    if head.version == Version::Http11 && head.host.is_none() {
        return Err(Fault::Field);
    }
    Ok(Some((head, lines.at)))
}

/// Walks over lines that end with CRLF.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its CRLF, or `None` while it is unfinished. What already cannot become a line is a fault.
    fn next(&mut self, length_max: usize, fault: Fault, too_long: Fault) -> Result<Option<&'a str>, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte != b'\t' && (*byte < b' ' || *byte == 0x7f));
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if line.len() > length_max {
            return Err(too_long);
        }
        // Bytes above ASCII mean nothing in any field that is read here, so UTF-8 is all that is let in.
        match end.map(|end| (rest.get(end), rest.get(end + 1))) {
            None | Some((Some(b'\r'), None)) => Ok(None),
            Some((Some(b'\r'), Some(b'\n'))) => {
                self.at += line.len() + 2;
                std::str::from_utf8(line).map(Some).or(Err(fault))
            }
            Some(_) => Err(fault),
        }
    }
}

/// `method SP request-target SP HTTP-version`, with nothing else between (RFC 9112 §3).
fn parse_request_line(line: &str) -> Option<Head<'_>> {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !is_token(method) || !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return None;
    }
    let version = match version.strip_prefix("HTTP/1.")?.as_bytes() {
        [b'0'] => Version::Http10,
        [b'1'..=b'9'] => Version::Http11,
        _ => return None,
    };
    let (target_authority, target) = match split_absolute(target) {
        Some((authority, rest)) => (Some(authority), rest),
        None => (None, target),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_form_known = path.starts_with('/') || (path.is_empty() && target_authority.is_some()) || target == "*";
    let path = if path.is_empty() { "/" } else { path };
    let (host, content_type, content_length) = (None, None, None);
    let head = Head { method, target_authority, path, query, version, host, content_type, content_length };
    Some(head).filter(|_| is_form_known)
}

/// `http://authority/path?query` into authority and the rest.
fn split_absolute(target: &str) -> Option<(&str, &str)> {
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
    let rest = target.get(scheme.len()..)?;
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

/// `field-name ":" OWS field-value OWS` (RFC 9112 §5). A folded line has no name and is refused by that.
fn parse_field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    Some((name, value.trim_matches(|c| c == ' ' || c == '\t'))).filter(|_| is_token(name))
}

fn take_field<'a>(head: &mut Head<'a>, name: &str, value: &'a str) -> Result<(), Fault> {
    if name.eq_ignore_ascii_case("host") {
        set_once(&mut head.host, value, Fault::Field)
    } else if name.eq_ignore_ascii_case("content-type") {
        set_once(&mut head.content_type, value, Fault::Field)
    } else if name.eq_ignore_ascii_case("content-length") {
        let is_number = (1..=18).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        let length = value.parse().ok().filter(|_| is_number).ok_or(Fault::Framing)?;
        set_once(&mut head.content_length, length, Fault::Framing)
    } else {
        Ok(())
    }
}

fn set_once<T>(place: &mut Option<T>, value: T, fault: Fault) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(fault),
    }
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(head: &str) -> Option<Fault> {
        parse(head.as_bytes()).err()
    }

    #[test]
    fn a_head_is_read_whole_and_never_before_it_ends() {
        let text = "GET /getcode?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nA:\t b \r\n\r\n";
        let (head, length) = parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!((head.method, head.path, head.query), ("GET", "/getcode", "code=c&state=s"));
        assert_eq!((head.host, head.version, length), (Some("127.0.0.1:8000"), Version::Http11, text.len()));
        for end in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..end]).err(), None, "{} bytes", end);
            assert!(parse(&text.as_bytes()[..end]).unwrap().is_none(), "{} bytes", end);
        }
        let pipelined = format!("{}GET / HTTP/1.1\r\n", text);
        assert_eq!(parse(pipelined.as_bytes()).unwrap().unwrap().1, length);
    }

    #[test]
    fn every_form_of_a_target_is_told_apart() {
        let target = |target: &str| {
            let head = format!("GET {} HTTP/1.0\r\n\r\n", target);
            parse(head.as_bytes()).map(|head| {
                let (head, _) = head.unwrap();
                (head.target_authority.map(str::to_owned), head.path.to_owned(), head.query.to_owned())
            })
        };
        let expect = |authority: Option<&str>, path: &str, query: &str| {
            Ok((authority.map(str::to_owned), path.to_owned(), query.to_owned()))
        };
        assert_eq!(target("/a?b?c"), expect(None, "/a", "b?c"));
        assert_eq!(target("http://h:1/a?b"), expect(Some("h:1"), "/a", "b"));
        assert_eq!(target("HTTP://h:1?b"), expect(Some("h:1"), "/", "b"));
        assert_eq!(target("http://h:1@evil/"), expect(Some("h:1@evil"), "/", ""));
        assert_eq!(target("*"), expect(None, "*", ""));
        for bad in ["", "a", "h:1", "https://h/", "?b", "*?b", "/a#b", "/\u{e9}", "/a\tb", "\\a"] {
            assert_eq!(target(bad), Err(Fault::RequestLine), "{}", bad);
        }
    }

    #[test]
    fn no_smuggling_form_is_read() {
        let with = |fields: &str| fault(&format!("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n\r\n", fields));
        assert_eq!(with("Content-Length: 3"), None);
        assert_eq!(with("Content-Length: 3\r\nTransfer-Encoding: chunked"), Some(Fault::Framing));
        assert_eq!(with("Transfer-Encoding: chunked"), Some(Fault::Framing));
        assert_eq!(with("Content-Length: 3\r\nContent-Length: 3"), Some(Fault::Framing));
        for length in ["", "+3", "-3", "3, 3", "0x3", "3 3", "99999999999999999999"] {
            assert_eq!(with(&format!("Content-Length: {}", length)), Some(Fault::Framing), "{}", length);
        }
        assert_eq!(with("A: b\r\n folded"), Some(Fault::Field));
        assert_eq!(with("A : b"), Some(Fault::Field));
        assert_eq!(with(": b"), Some(Fault::Field));
        assert_eq!(with("A"), Some(Fault::Field));
        assert_eq!(with("A: b\rC: d"), Some(Fault::Field));
        assert_eq!(with("A: b\nC: d"), Some(Fault::Field));
        assert_eq!(with("A: b\0"), Some(Fault::Field));
        assert_eq!(with("Host: h"), Some(Fault::Field));
        assert_eq!(fault("GET / HTTP/1.1\r\n\r\n"), Some(Fault::Field));
    }

    #[test]
    fn a_request_line_is_one_or_is_refused() {
        for bad in [
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET / HTTP/1.10",
            "GET / http/1.1",
            "G(T / HTTP/1.1",
            "GET / HTTP/1.1\n",
            "\r\n\r\nGET / HTTP/1.1",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(fault(&format!("{}\r\n", bad)), Some(Fault::RequestLine), "{:?}", bad);
        }
        assert_eq!(fault("\r\nGET / HTTP/1.0\r\n\r\n"), None);
        // Said as soon as it is known, not when the line ends.
        assert_eq!(fault("\u{16}\u{3}\u{1}"), Some(Fault::RequestLine));
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let line = |length: usize| format!("GET /{} HTTP/1.0", "a".repeat(length - "GET / HTTP/1.0".len()));
        assert_eq!(fault(&format!("{}\r\n\r\n", line(LINE_LENGTH_MAX))), None);
        assert_eq!(fault(&format!("{}\r\n\r\n", line(LINE_LENGTH_MAX + 1))), Some(Fault::RequestLineTooLong));
        assert_eq!(fault(&"a".repeat(200_000)), Some(Fault::RequestLineTooLong));

        // Two long fields, and one that fills the section up to its last empty line.
        let head = |last: usize| {
            let long = format!("A:{}\r\n", "a".repeat(LINE_LENGTH_MAX - 2));
            format!("{}\r\n{}B:{}\r\n\r\n", line(LINE_LENGTH_MAX), long, "b".repeat(last))
        };
        let last = HEADERS_LENGTH_MAX - (LINE_LENGTH_MAX + 2) - "B:\r\n\r\n".len();
        assert_eq!(fault(&head(last)), None);
        assert_eq!(head(last).len(), HEAD_LENGTH_MAX - 2);
        assert_eq!(fault(&head(last + 1)), Some(Fault::HeadersTooLarge));

        let fields = |count: usize| format!("GET / HTTP/1.0\r\n{}\r\n", "a:\r\n".repeat(count));
        assert_eq!(fault(&fields(FIELDS_MAX)), None);
        assert_eq!(fault(&fields(FIELDS_MAX + 1)), Some(Fault::HeadersTooLarge));
    }

    /// Numbers that look random and are the same on every run (xorshift64*).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_change_its_mind() {
        let mut dice = Dice(0x5eed);
        let pieces: [&[u8]; 20] = [
            b"GET ",
            b"POST ",
            b"/",
            b"http://",
            b"?",
            b" ",
            b"HTTP/1.1",
            b"HTTP/1.0",
            b"\r\n",
            b"\r\n\r\n",
            b"\r",
            b"\n",
            b"Host: h",
            b"Content-Length: ",
            b"7",
            b"Transfer-Encoding: x",
            b":",
            b"\t",
            b"\xff",
            b"a",
        ];
        let (mut whole, mut refused) = (0, 0);
        for round in 0..60_000 {
            let mut bytes = if round % 3 == 0 { b"GET /a HTTP/1.0\r\n".to_vec() } else { Vec::new() };
            for _ in 0..dice.below(24) {
                match dice.below(8) {
                    0 => bytes.push(dice.below(256) as u8),
                    _ => bytes.extend_from_slice(pieces[dice.below(pieces.len())]),
                }
            }
            let all = parse(&bytes);
            match all {
                Ok(Some((_, length))) => {
                    assert!(length <= bytes.len() && bytes[..length].ends_with(b"\r\n\r\n"), "{:?}", bytes);
                    whole += 1;
                }
                Ok(None) => {}
                Err(_) => refused += 1,
            }
            // A part is unfinished, or says what the whole says.
            let part = parse(&bytes[..dice.below(bytes.len() + 1)]);
            assert!(matches!(part, Ok(None)) || part == all, "{:?}", bytes);
        }
        assert!(whole > 1_000 && refused > 1_000, "{} whole, {} refused: the dice are bad", whole, refused);
    }
}
