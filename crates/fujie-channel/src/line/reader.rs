//! Bytes to lines: the limit of a line, UTF-8, and the unfinished line at the end.
//!
//! Holds no memory while no line is unfinished, which is nearly always and on nearly every connection.

use std::ops::ControlFlow;

/// Takes bytes as they come and gives lines.
#[derive(Debug)]
pub struct Reader {
    /// The beginning of a line; after a pause, everything that was not looked at yet.
    held: Vec<u8>,
    limit: u32,
    is_paused: bool,
}

/// Why no more lines can be read from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than the limit without a line feed.
    #[error("the line is too long")]
    LineTooLong,
    /// A line is not UTF-8 (RFC 3629).
    #[error("the line is not UTF-8")]
    NotUtf8,
}

impl Reader {
    /// A reader of lines of at most `limit` bytes, the line feed not counted.
    pub fn new(limit: u32) -> Self {
        Self { held: Vec::new(), limit, is_paused: false }
    }

    /// Takes `chunk` and hands every whole line to `each`, in order, with its line feed.
    ///
    /// When `each` breaks, the rest is kept until [`Reader::resume`]. After a fault nothing more is to be read.
    pub fn read(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        if self.is_paused {
            self.held.extend_from_slice(chunk);
            return self.resume(each);
        }
        if self.held.is_empty() {
            return self.consume(chunk, each);
        }
        let Some(end) = chunk.iter().position(|byte| *byte == b'\n') else {
            self.hold(chunk)?;
            return Ok(ControlFlow::Continue(()));
        };
        self.check(self.held.len() + end)?;
        let (end, rest) = chunk.split_at_checked(end + 1).unwrap_or_default();
        let mut line = std::mem::take(&mut self.held);
        line.extend_from_slice(end);
        match each(text(&line)?) {
            ControlFlow::Continue(()) => self.consume(rest, each),
            ControlFlow::Break(()) => Ok(self.pause(rest)),
        }
    }

    /// Goes on with what was kept when `each` broke.
    pub fn resume(&mut self, each: impl FnMut(&str) -> ControlFlow<()>) -> Result<ControlFlow<()>, Fault> {
        if !std::mem::take(&mut self.is_paused) {
            return Ok(ControlFlow::Continue(()));
        }
        let held = std::mem::take(&mut self.held);
        self.consume(&held, each)
    }

    /// Is there something kept that [`Reader::resume`] has not looked at?
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// The unfinished line, when the peer has ended: `asyncio`'s `readline` gives it as if it were whole.
    pub fn finish(&mut self, mut each: impl FnMut(&str) -> ControlFlow<()>) -> Result<ControlFlow<()>, Fault> {
        let line = std::mem::take(&mut self.held);
        if line.is_empty() { Ok(ControlFlow::Continue(())) } else { Ok(each(text(&line)?)) }
    }

    fn consume(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (whole, unfinished) = bytes.split_at_checked(end).unwrap_or_default();
        let text = text_before_fault(whole);
        let mut left = text;
        while let Some((line, rest)) = split_line(left) {
            let line_feed = 1;
            self.check(line.len() - line_feed)?;
            left = rest;
            if each(line).is_break() {
                return Ok(self.pause(bytes.get(text.len() - left.len()..).unwrap_or_default()));
            }
        }
        if text.len() < whole.len() {
            let line = whole.get(text.len() - left.len()..).unwrap_or_default().split(|byte| *byte == b'\n').next();
            self.check(line.map_or(0, <[u8]>::len))?;
            return Err(Fault::NotUtf8);
        }
        self.hold(unfinished)?;
        Ok(ControlFlow::Continue(()))
    }

    fn pause(&mut self, rest: &[u8]) -> ControlFlow<()> {
        self.held.extend_from_slice(rest);
        self.is_paused = true;
        ControlFlow::Break(())
    }

    fn hold(&mut self, beginning: &[u8]) -> Result<(), Fault> {
        self.check(self.held.len() + beginning.len())?;
        self.held.extend_from_slice(beginning);
        Ok(())
    }

    fn check(&self, length: usize) -> Result<(), Fault> {
        if length > self.limit as usize { Err(Fault::LineTooLong) } else { Ok(()) }
    }
}

/// As much of `bytes` as is UTF-8. All lines are looked at together: one by one, short ones would cost more to check than
/// to answer.
fn text_before_fault(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_else(|_| bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid()))
}

/// The first line with its line feed, and what follows.
fn split_line(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| byte == b'\n')?;
    text.split_at_checked(end + 1)
}

fn text(line: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(line).or(Err(Fault::NotUtf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 8;

    /// The lines of `chunks`, and how it ended. `pause` is after how many lines each handing over breaks.
    fn lines(chunks: &[&[u8]], pause: usize) -> (Vec<String>, Result<(), Fault>) {
        let (mut reader, mut lines) = (Reader::new(LIMIT), Vec::new());
        let outcome = (|| {
            for chunk in chunks {
                let mut seen = 0;
                let mut each = |line: &str| {
                    lines.push(line.to_owned());
                    seen += 1;
                    if seen % pause == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let mut flow = reader.read(chunk, &mut each)?;
                while flow.is_break() {
                    flow = reader.resume(&mut each)?;
                }
                assert!(!reader.is_paused());
            }
            let _ = reader.finish(|line| {
                lines.push(line.to_owned());
                ControlFlow::Continue(())
            })?;
            Ok(())
        })();
        (lines, outcome)
    }

    /// However the bytes are cut, and whenever the reader is paused, the lines are the same.
    fn check(bytes: &[u8], expected: &[&str], outcome: Result<(), Fault>) {
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                for pause in [1, 2, usize::MAX] {
                    let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    let (lines, end) = lines(&chunks, pause);
                    assert_eq!((lines.as_slice(), end), (&expected.map_owned()[..], outcome), "{chunks:?}");
                }
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(lines(&single, 1), (expected.map_owned(), outcome));
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|line| (*line).to_owned()).collect()
        }
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        check(b"", &[], Ok(()));
        check(b"a\n\nbc\r\n", &["a\n", "\n", "bc\r\n"], Ok(()));
        check("你好\n\0\n".as_bytes(), &["你好\n", "\0\n"], Ok(()));
        check(b"a\nping", &["a\n", "ping"], Ok(()));
    }

    #[test]
    fn a_line_of_the_limit_is_read_and_a_longer_one_ends_it() {
        check(b"12345678\nx\n", &["12345678\n", "x\n"], Ok(()));
        check(b"12345678", &["12345678"], Ok(()));
        check(b"a\n123456789", &["a\n"], Err(Fault::LineTooLong));
        check(b"123456789\n", &[], Err(Fault::LineTooLong));
        check(b"a\n\xff23456789\n", &["a\n"], Err(Fault::LineTooLong));
        check(b"a\n123456789\n\xff\n", &["a\n"], Err(Fault::LineTooLong));
    }

    #[test]
    fn a_line_that_is_not_utf_8_ends_it_after_those_before() {
        check(b"a\n\xff\xfe\nb\n", &["a\n"], Err(Fault::NotUtf8));
        check(b"\xe4\xbd\n", &[], Err(Fault::NotUtf8));
        check(b"a\n\xe4\xbd", &["a\n"], Err(Fault::NotUtf8));
    }

    #[test]
    fn nothing_is_held_between_lines() {
        let mut reader = Reader::new(LIMIT);
        let _ = reader.read(b"half", |_| ControlFlow::Continue(())).unwrap();
        assert!(reader.held.capacity() > 0);
        let _ = reader.read(b"\n", |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(reader.held.capacity(), 0);
    }
}
