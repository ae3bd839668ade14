//! One connection: one request read against a deadline, one answer, and an orderly end (RFC 9112 §9.6).
//!
//! It closes after the first request, so nothing that follows in the same connection is ever taken for one.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use super::room::Room;
use crate::{
    callback::{Callback, Refusal, Request},
    deadline::Deadline,
    page, request,
};

/// Longest time from a connection to the end of its request.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest time to wait for the other side to close, once it was answered.
pub const DRAIN_TIME_MAX: Duration = Duration::from_millis(200);

/// Serves a connection to its end.
pub(super) fn serve(room: &Room, id: u64, stream: &TcpStream) {
    let mut connection =
        Connection { room, id, stream, bytes: Vec::new(), deadline: Deadline::after(REQUEST_TIME_MAX) };
    let answer = match connection.judge() {
        Ok(answer) => answer,
        Err(Stop::Gone) => return,
        Err(Stop::Refused(refusal)) => connection.refuse(refusal, false),
    };
    send(stream, &answer);
}

struct Connection<'a> {
    room: &'a Room,
    id: u64,
    stream: &'a TcpStream,
    bytes: Vec<u8>,
    deadline: Deadline,
}

/// Why there is no request.
enum Stop {
    /// Nobody is there to be answered, or nobody asked.
    Gone,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl Connection<'_> {
    /// Reads the request and makes the answer; the callback ends the wait.
    fn judge(&mut self) -> Result<Vec<u8>, Stop> {
        while request::parse(&self.bytes).map_err(Refusal::from)?.is_none() {
            self.read()?;
        }
        let (head, length) = request::parse(&self.bytes).map_err(Refusal::from)?.ok_or(Stop::Gone)?;
        let is_head = head.method == "HEAD";
        let expected = &self.room.expected;
        let accepted = match expected.read(&head) {
            Ok(Request::Favicon) => {
                self.room.answer(self.id, None);
                return Ok(self.response(204, "", is_head));
            }
            Ok(Request::Look(query)) => {
                return Ok(match expected.accept(query) {
                    Ok(callback) => {
                        self.room.answer(self.id, None);
                        self.response(200, self.page(&callback), true)
                    }
                    Err(refusal) => self.refuse(refusal, true),
                });
            }
            Ok(Request::Query(query)) => expected.accept(query),
            Ok(Request::Form(content_length)) => {
                while self.bytes.len() < length + content_length {
                    self.read()?;
                }
                let content = self.bytes.get(length..length + content_length).unwrap_or_default();
                std::str::from_utf8(content).or(Err(Refusal::Parameters)).and_then(|form| expected.accept(form))
            }
            Err(refusal) => return Ok(self.refuse(refusal, is_head)),
        };
        match accepted {
            Ok(callback) => {
                let answer = self.response(200, self.page(&callback), false);
                Some(answer).filter(|_| self.room.complete(self.id, callback)).ok_or(Stop::Gone)
            }
            Err(refusal) => Ok(self.refuse(refusal, false)),
        }
    }

    fn page(&self, callback: &Callback) -> &str {
        match callback.code() {
            Ok(_) => &self.room.page.received,
            Err(_) => &self.room.page.denied,
        }
    }

    fn refuse(&self, refusal: Refusal, is_head: bool) -> Vec<u8> {
        self.room.answer(self.id, Some(refusal));
        self.response(refusal.status(), &page::refused(self.room.language, refusal), is_head)
    }

    fn response(&self, status: u16, body: &str, is_head: bool) -> Vec<u8> {
        page::response(status, self.room.expected.methods(), body, is_head)
    }

    /// Reads what comes next, until the deadline of the whole request.
    fn read(&mut self) -> Result<(), Stop> {
        let is_silent = self.bytes.is_empty();
        let late = || if is_silent { Stop::Gone } else { Stop::Refused(Refusal::TimedOut) };
        let mut part = [0; PART_LENGTH];
        match read_until(self.stream, self.deadline, &mut part) {
            Ok(0) => Err(Stop::Gone),
            Ok(length) => {
                if is_silent {
                    self.room.speak(self.id);
                }
                self.bytes.extend_from_slice(part.get(..length).unwrap_or_default());
                Ok(())
            }
            Err(error) if is_late(&error) => Err(late()),
            Err(_) => Err(Stop::Gone),
        }
    }
}

/// Sends an answer, half-closes and waits shortly for the other side to close: closing while something is unread would
/// reset the connection and take the page away with it. Whoever does not want the page does not get it.
fn send(mut stream: &TcpStream, answer: &[u8]) {
    let sent = stream.set_write_timeout(Some(WRITE_TIME_MAX)).and_then(|()| stream.write_all(answer));
    if sent.and_then(|()| stream.shutdown(Shutdown::Write)).is_err() {
        return;
    }
    let (deadline, mut part) = (Deadline::after(DRAIN_TIME_MAX), [0; PART_LENGTH]);
    while matches!(read_until(stream, deadline, &mut part), Ok(length) if length > 0) {}
}

/// One read that ends by a deadline, whatever trickles in before it.
fn read_until(mut stream: &TcpStream, deadline: Deadline, part: &mut [u8]) -> io::Result<usize> {
    loop {
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        stream.set_read_timeout(Some(left.max(READ_TIME_MIN)))?;
        match stream.read(part) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Unix says that it would block where Windows says that it timed out.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

const PART_LENGTH: usize = 4 * 1024;
const WRITE_TIME_MAX: Duration = Duration::from_secs(1);
/// A shorter read timeout would be rounded down to none on some systems.
const READ_TIME_MIN: Duration = Duration::from_millis(1);
