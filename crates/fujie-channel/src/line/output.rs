//! What waits to be written to one peer. Holds no memory while nothing waits.

use std::{
    collections::VecDeque,
    io::{IoSlice, Write as _},
};

use bytes::{Buf as _, Bytes};

use super::{Reply, echo};
use crate::event::Event;

/// Lines on their way out: short ones together, events shared with everybody else who is sent them.
#[derive(Debug, Default)]
pub struct Output {
    /// What comes first.
    queue: VecDeque<Bytes>,
    queued: usize,
    /// Short lines after that.
    open: Vec<u8>,
}

impl Output {
    /// Appends `reply` as a line.
    pub fn push(&mut self, reply: Reply<'_>) {
        // Writing to memory cannot fail.
        let _ = writeln!(self.open, "{reply}");
    }

    /// Appends an event as a line. Its bytes are not copied.
    pub fn push_event(&mut self, event: &Event) {
        self.close();
        for bytes in [Bytes::from_static(b"event "), event.line.clone(), Bytes::from_static(b"\n")] {
            self.queued += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    /// Appends the echo mode's answer to `line`.
    pub(crate) fn push_echo(&mut self, line: &str) {
        echo(line, &mut self.open);
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.queued + self.open.len()
    }

    /// Does nothing wait?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first waiting bytes, as many as there is room for in `slices`; how many slices it became.
    pub(crate) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let open = Some(self.open.as_slice()).filter(|open| !open.is_empty());
        let waiting = self.queue.iter().map(|bytes| &bytes[..]).chain(open);
        slices.iter_mut().zip(waiting).map(|(slice, bytes)| *slice = IoSlice::new(bytes)).count()
    }

    /// The first `written` bytes are gone.
    pub(crate) fn advance(&mut self, written: usize) {
        if written >= self.len() {
            *self = Self::default();
            return;
        }
        if written > self.queued {
            self.close();
        }
        self.queued -= written;
        let mut left = written;
        while let Some(first) = self.queue.front_mut().filter(|_| left > 0) {
            if first.len() > left {
                first.advance(left);
                return;
            }
            left -= first.len();
            self.queue.pop_front();
        }
    }

    /// Takes every waiting line, without line feeds: for a transport that has messages of its own, as WebSocket does.
    pub fn take_lines(&mut self) -> Vec<Bytes> {
        self.close();
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        for bytes in std::mem::take(self).queue {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
                if piece.ends_with(b"\n") {
                    lines.push(std::mem::take(&mut line).into());
                }
            }
        }
        lines
    }

    /// Puts the short lines into the queue.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.queued += self.open.len();
            self.queue.push_back(std::mem::take(&mut self.open).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> Output {
        let mut output = Output::default();
        output.push(Reply::Pong);
        output.push(Reply::Subscribed { topic: "t", from: 1 });
        for id in 2..4 {
            output.push_event(&Event { id, topic: "t".into(), line: format!("{{\"id\":\"{id}\"}}").into() });
        }
        output.push(Reply::Bye);
        output
    }

    const WIRE: &str = "pong\nok subscribe t 1\nevent {\"id\":\"2\"}\nevent {\"id\":\"3\"}\nbye\n";

    #[test]
    fn what_is_written_is_the_same_however_much_the_peer_takes_at_once() {
        for (take, slots) in [(1, 1), (2, 3), (3, 16), (7, 2), (1000, 16)] {
            let (mut output, mut wire) = (output(), Vec::new());
            while !output.is_empty() {
                let mut slices = [IoSlice::new(&[]); 16];
                let filled = output.fill(&mut slices[..slots]);
                let bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).take(take).collect();
                assert!(!bytes.is_empty());
                output.advance(bytes.len());
                wire.extend(bytes);
                assert_eq!(output.len(), WIRE.len() - wire.len());
            }
            assert_eq!(std::str::from_utf8(&wire).unwrap(), WIRE);
            assert_eq!((output.queue.capacity(), output.open.capacity()), (0, 0));
        }
    }

    #[test]
    fn lines_are_taken_whole() {
        let lines = output().take_lines();
        assert_eq!(lines, WIRE.lines().collect::<Vec<_>>());
    }
}
