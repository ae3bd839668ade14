//! The line protocol: UTF-8 lines with a heartbeat, as a connection that is kept open needs it.
//!
//! Owns its grammar, without I/O: how bytes become lines ([`Reader`]), what a peer may say ([`Command`]), what it is
//! told ([`Reply`]), and the echo mode's answers. Who says what when is [`crate::session`]'s; sockets and clocks are
//! [`crate::serve`]'s.

mod command;
mod output;
mod quote;
mod reader;
mod reply;

use std::time::Duration;

pub use command::{Command, Malformed};
pub use output::Output;
pub(crate) use quote::{Address, Quoted};
pub use reader::{Fault, Reader};
pub use reply::{ErrorCode, Reply};

/// A peer that is silent for so long is cut off.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a peer is told before it is cut off for silence.
pub const IDLE_MESSAGE: &str = "超时断开连接";

/// The longest line a server reads, in bytes, without its line feed.
pub const LINE_LENGTH_MAX: usize = 4096;

/// `line` without the white space around it, as Python's `str.strip` sees it: what Unicode calls white space, as in
/// Rust's `trim`, and also the four separators U+001C to U+001F, which Rust leaves.
pub fn strip(line: &str) -> &str {
    // Most lines are plain, up to their line feed.
    let bare = line.strip_suffix('\n').unwrap_or(line);
    match bare.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] => bare,
        _ => line.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)),
    }
}

/// Appends the answer to one line, with its line feed: `pong` to `ping`, and in echo mode every other line after
/// `from server: `. White space around the line does not count.
fn echo(line: &str, answers: &mut Vec<u8>) {
    let line = strip(line);
    if line == "ping" {
        return answers.extend_from_slice(b"pong\n");
    }
    let length = ECHO_PREFIX.len() + line.len() + 1;
    if answers.capacity() - answers.len() < length {
        answers.reserve(length.max(ANSWERS_LENGTH));
    }
    answers.extend_from_slice(ECHO_PREFIX);
    answers.extend_from_slice(line.as_bytes());
    answers.push(b'\n');
}

const ECHO_PREFIX: &[u8] = b"from server: ";
/// Room that is made for answers at once, so that many short ones do not make it again and again.
const ANSWERS_LENGTH: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> String {
        let mut answers = Vec::new();
        echo(line, &mut answers);
        String::from_utf8(answers).unwrap()
    }

    #[test]
    fn a_ping_is_answered_and_everything_else_is_echoed() {
        for (line, expected) in [
            ("ping\n", "pong\n"),
            ("  ping \r\n", "pong\n"),
            ("\u{3000}ping\u{85}\n", "pong\n"),
            ("\u{1c}\u{1d}ping\u{1e}\u{1f}\n", "pong\n"),
            ("ping", "pong\n"),
            ("Ping\n", "from server: Ping\n"),
            ("pings\n", "from server: pings\n"),
            ("\u{feff}ping\n", "from server: \u{feff}ping\n"),
            ("Hello World!\n", "from server: Hello World!\n"),
            (" a  b\t\n", "from server: a  b\n"),
            ("\n", "from server: \n"),
            ("a\0b\n", "from server: a\0b\n"),
            ("a\rb\n", "from server: a\rb\n"),
            ("你好 🌟\n", "from server: 你好 🌟\n"),
        ] {
            assert_eq!(answer(line), expected, "{line:?}");
        }
    }

    /// Every character that this Python knows: its number, how much of it `strip` leaves, and how it is quoted.
    const OF_PYTHON: &str = r#"
import sys, unicodedata
sys.stdout.reconfigure(encoding="utf-8")
for c in map(chr, range(0x110000)):
    if unicodedata.category(c) not in ("Cn", "Cs"):
        print(f"{ord(c):x} {len(c.strip())} {c!r}")
"#;

    #[test]
    fn every_character_is_stripped_and_quoted_as_in_python() {
        let python = std::process::Command::new("python3").args(["-c", OF_PYTHON]).output();
        let python = String::from_utf8(python.expect("this test needs python3").stdout).unwrap();
        let mut count = 0;
        for line in python.split_terminator('\n') {
            let number = line.split(' ').next().unwrap();
            let c = char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap().to_string();
            assert_eq!(format!("{number} {} {}", strip(&c).chars().count(), Quoted(&c)), line);
            count += 1;
        }
        assert!(count > 270_000, "{count} characters");
    }
}
