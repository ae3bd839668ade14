//! Texts and addresses as Python prints them, for an echo server that logs what the asyncio one logs.

use std::{
    fmt::{self, Write as _},
    net::SocketAddr,
};

/// A text between quotes, with escapes, as Python's `repr` gives it.
///
/// Nothing that moves a terminal's cursor is left as it is. Characters that a version of Python does not know yet are
/// printed here all the same.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') { '"' } else { '\'' };
        f.write_char(quote)?;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                _ if c == quote => write!(f, "\\{c}")?,
                ' '..='~' => f.write_char(c)?,
                _ if is_printable(c) => f.write_char(c)?,
                _ => match u32::from(c) {
                    code @ 0..=0xff => write!(f, "\\x{code:02x}")?,
                    code @ 0x100..=0xffff => write!(f, "\\u{code:04x}")?,
                    code => write!(f, "\\U{code:08x}")?,
                },
            }
        }
        f.write_char(quote)
    }
}

/// Rust escapes for debugging what is not printable, all white space but the plain one among it, as Python does; and what
/// combines with a letter, where there is none before it, which Python prints.
fn is_printable(c: char) -> bool {
    c.escape_debug().eq([c]) || String::from_iter(['a', c]).escape_debug().nth(1) == Some(c)
}

/// An address as Python's `socket` gives it: `('127.0.0.1', 8885)`, and `('::1', 8885, 0, 0)`.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub SocketAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SocketAddr::V4(address) => write!(f, "('{}', {})", address.ip(), address.port()),
            SocketAddr::V6(address) => {
                let (flow, scope) = (address.flowinfo(), address.scope_id());
                write!(f, "('{}', {}, {flow}, {scope})", address.ip(), address.port())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_as_python_quotes_it() {
        for (text, expected) in [
            ("Hello World!\n", r"'Hello World!\n'"),
            ("你好 🌟", "'你好 🌟'"),
            ("❤\u{fe0f} e\u{301} की \u{301}", "'❤\u{fe0f} e\u{301} की \u{301}'"),
            ("it's", r#""it's""#),
            (r#"it's "so""#, r#"'it\'s "so"'"#),
            ("a\\b\r\t", r"'a\\b\r\t'"),
            ("\0\u{1b}[2J\u{7f}\u{85}\u{a0}", r"'\x00\x1b[2J\x7f\x85\xa0'"),
            ("\u{3000}\u{2028}\u{200b}", r"'\u3000\u2028\u200b'"),
            ("\u{e0001}", r"'\U000e0001'"),
        ] {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }

    #[test]
    fn an_address_is_a_tuple() {
        assert_eq!(Address("127.0.0.1:5".parse().unwrap()).to_string(), "('127.0.0.1', 5)");
        assert_eq!(Address("[::1]:5".parse().unwrap()).to_string(), "('::1', 5, 0, 0)");
    }
}
