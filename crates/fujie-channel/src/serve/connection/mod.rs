//! One connection: reading, answering, events and deadlines at the same time, in one future without a buffer.
//!
//! What is read goes through the stack and never across a wait, so an idle connection is a socket, two instants and one
//! timer. The timer is not moved when a line comes: it looks at the instants when it fires.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::SocketAddr,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;

use super::{Limits, STOP_TIMEOUT, stop::Stop};
use crate::line::{ErrorCode, Fault, LINE_LENGTH_MAX, Output, Reader, Reply};

/// Read from the socket at once.
const CHUNK: usize = 16 * 1024;
/// While more than this waits to be written, a peer's lines are not read.
const OUTPUT_MAX: usize = 64 * 1024;
/// Pieces written to the socket at once.
const SLICES: usize = 32;
/// A peer that was told why it is cut off, and still sends, is listened to for so long: otherwise its system would throw
/// the reason away unread.
const LINGER: Duration = Duration::from_secs(1);
/// And so much of what it sends is thrown away, at most.
const LINGER_MAX: usize = 1024 * 1024;

/// What is said on a connection. Answers keep the order of the lines.
pub(super) trait Conversation: Send + 'static {
    /// Takes one line. Breaks when all is said.
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()>;

    /// The peer's bytes are no lines.
    fn fault(&mut self, fault: Fault, output: &mut Output);

    /// Must no line be handed over now?
    fn is_asking(&self) -> bool {
        false
    }

    /// Has the peer said who it is, where it must?
    fn is_admitted(&self) -> bool {
        true
    }

    /// Ready when something was put in the output. Breaks when all is said.
    fn poll_next(&mut self, _: &mut Context<'_>, _: &mut Output) -> Poll<ControlFlow<()>> {
        Poll::Pending
    }

    /// The connection has begun.
    fn began(&self, _: SocketAddr) {}

    /// The connection is over.
    fn ended(&self, end: &End, peer: SocketAddr);
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the peer closed it")]
    Closed,
    #[error("the peer was silent")]
    Idle,
    #[error("the peer did not say who it is")]
    Unadmitted,
    #[error("{0}")]
    Fault(Fault),
    #[error("all was said")]
    Over,
    #[error("the server stops")]
    Stopped,
    #[error("the peer does not read")]
    Stalled,
    #[error("{0}")]
    Broken(#[from] io::Error),
}

/// A connection's bytes.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Throws away what the system still holds for a peer that does not read.
    fn abandon(&self);
}

impl Transport for TcpStream {
    fn abandon(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!(%error, "SO_LINGER");
        }
    }
}

impl Transport for TlsStream<TcpStream> {
    fn abandon(&self) {
        self.get_ref().0.abandon();
    }
}

/// A connection while it lives.
pub(super) struct Connection<'a, S, C> {
    stream: S,
    conversation: C,
    limits: &'a Limits,
    reader: Reader,
    output: Output,
    began_at: Instant,
    last_line_at: Instant,
    /// Since when the peer has taken nothing of the output.
    stalled_since: Option<Instant>,
    /// TLS may hold written bytes back until it is flushed.
    is_unflushed: bool,
    leaving: Option<Leaving>,
}

/// A connection on its way out: nothing more is read or said.
struct Leaving {
    end: End,
    until: Instant,
    /// The output is written and the sending side closed: what the peer still sends is thrown away.
    is_lingering: bool,
    discarded: usize,
}

impl<'a, S: Transport, C: Conversation> Connection<'a, S, C> {
    pub fn new(stream: S, conversation: C, limits: &'a Limits) -> Self {
        let now = Instant::now();
        Self {
            stream,
            conversation,
            limits,
            reader: Reader::new(LINE_LENGTH_MAX as u32),
            output: Output::default(),
            began_at: now,
            last_line_at: now,
            stalled_since: None,
            is_unflushed: false,
            leaving: None,
        }
    }

    /// Serves the peer until one of the two has enough. To be called once. By reference, because what an async function
    /// takes by value lies in its future twice.
    pub async fn run(&mut self, stop: &Stop, peer: SocketAddr) {
        self.conversation.began(peer);
        let mut timer = std::pin::pin!(sleep_until(self.deadline()));
        let mut word = std::pin::pin!(stop.begun());
        let (mut is_waiting, mut has_stopped) = (false, false);
        let end = poll_fn(|context| {
            // A task's waker stays the same: polled once, the word to stop wakes it.
            let is_over = if is_waiting { stop.has_begun() } else { word.as_mut().poll(context).is_ready() };
            is_waiting = true;
            if is_over && !has_stopped {
                has_stopped = true;
                self.stop();
            }
            self.poll(context, timer.as_mut())
        })
        .await;
        if matches!(end, End::Stalled) {
            self.stream.abandon();
        }
        self.conversation.ended(&end, peer);
    }

    fn poll(&mut self, context: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<End> {
        loop {
            match self.poll_work(context) {
                Poll::Ready(Ok(ControlFlow::Continue(()))) => continue,
                Poll::Ready(Ok(ControlFlow::Break(()))) => return Poll::Ready(self.end()),
                Poll::Ready(Err(error)) => return Poll::Ready(End::Broken(error)),
                Poll::Pending => {}
            }
            let deadline = self.deadline();
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            if deadline > now {
                timer.as_mut().reset(deadline);
            } else if let Some(end) = self.expire(now) {
                return Poll::Ready(end);
            }
        }
    }

    /// Does one thing. Breaks when the connection is over.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<io::Result<ControlFlow<()>>> {
        let written = self.poll_write(context)?;
        if let Some(leaving) = &self.leaving {
            ready!(written);
            return if leaving.is_lingering { self.poll_discard(context) } else { self.poll_close(context) };
        }
        if self.reads() {
            if self.reader.is_paused() {
                self.take(&[]);
                return Poll::Ready(Ok(ControlFlow::Continue(())));
            }
            if let Poll::Ready(read) = self.poll_read(context) {
                return Poll::Ready(read.map(ControlFlow::Continue));
            }
        }
        // What comes next is waited for when the peer has taken what was before: that is what keeps memory small.
        if self.output.is_empty()
            && let Poll::Ready(flow) = self.conversation.poll_next(context, &mut self.output)
        {
            if flow.is_break() {
                self.leave(End::Over);
            }
            return Poll::Ready(Ok(ControlFlow::Continue(())));
        }
        Poll::Pending
    }

    /// May the peer's next line be taken?
    fn reads(&self) -> bool {
        self.output.len() <= OUTPUT_MAX && !self.conversation.is_asking()
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut chunk = [MaybeUninit::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk))?;
        if chunk.filled().is_empty() {
            self.take_end()
        } else {
            self.take(chunk.filled())
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what was read, or, when the reader is paused, what it holds.
    fn take(&mut self, chunk: &[u8]) {
        let (conversation, output) = (&mut self.conversation, &mut self.output);
        let (mut is_over, mut has_line) = (false, false);
        let outcome = self.reader.read(chunk, |line| {
            has_line = true;
            is_over = conversation.receive(line, output).is_break();
            if is_over || conversation.is_asking() || output.len() > OUTPUT_MAX {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if has_line {
            self.last_line_at = Instant::now();
        }
        match outcome {
            Err(fault) => self.fault(fault),
            Ok(_) if is_over => self.leave(End::Over),
            Ok(_) => {}
        }
    }

    /// The peer has ended, perhaps in the middle of a line.
    fn take_end(&mut self) {
        let (conversation, output) = (&mut self.conversation, &mut self.output);
        match self.reader.finish(|line| conversation.receive(line, output)) {
            Ok(_) => self.leave(End::Closed),
            Err(fault) => self.fault(fault),
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.conversation.fault(fault, &mut self.output);
        self.leave(End::Fault(fault));
    }

    /// Writes what waits, as far as the peer takes it.
    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<Poll<()>> {
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.output.fill(&mut slices);
            let written = match slices.get(..count) {
                Some([only]) => Pin::new(&mut self.stream).poll_write(context, only),
                Some(several) => Pin::new(&mut self.stream).poll_write_vectored(context, several),
                None => return Ok(Poll::Ready(())),
            };
            match written {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => {
                    self.output.advance(written);
                    self.stalled_since = None;
                    self.is_unflushed = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(self.stalled()),
            }
        }
        if self.is_unflushed {
            if Pin::new(&mut self.stream).poll_flush(context)?.is_pending() {
                return Ok(self.stalled());
            }
            self.is_unflushed = false;
            self.stalled_since = None;
        }
        Ok(Poll::Ready(()))
    }

    fn stalled(&mut self) -> Poll<()> {
        self.stalled_since.get_or_insert_with(Instant::now);
        Poll::Pending
    }

    /// Nothing more is read or said; what waits is still written.
    fn leave(&mut self, end: End) {
        if self.leaving.is_none() {
            let until = Instant::now() + self.limits.stall;
            self.leaving = Some(Leaving { end, until, is_lingering: false, discarded: 0 });
        }
    }

    fn stop(&mut self) {
        let until = Instant::now() + STOP_TIMEOUT;
        match &mut self.leaving {
            Some(leaving) => leaving.until = leaving.until.min(until),
            None => {
                self.output.push(Reply::Bye);
                self.leaving = Some(Leaving { end: End::Stopped, until, is_lingering: false, discarded: 0 });
            }
        }
    }

    /// Everything is written: closes the sending side, and is done unless the peer may still be sending.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<ControlFlow<()>>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        let Some(leaving) = &mut self.leaving else { return Poll::Ready(Ok(ControlFlow::Break(()))) };
        if matches!(leaving.end, End::Closed | End::Idle) {
            return Poll::Ready(Ok(ControlFlow::Break(())));
        }
        leaving.is_lingering = true;
        leaving.until = leaving.until.min(Instant::now() + LINGER);
        Poll::Ready(Ok(ControlFlow::Continue(())))
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<ControlFlow<()>>> {
        let mut chunk = [MaybeUninit::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk))?;
        let read = chunk.filled().len();
        let is_enough = self.leaving.as_mut().is_none_or(|leaving| {
            leaving.discarded += read;
            read == 0 || leaving.discarded > LINGER_MAX
        });
        Poll::Ready(Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }))
    }

    /// When something must have happened.
    fn deadline(&self) -> Instant {
        let mut deadline = match &self.leaving {
            Some(leaving) => leaving.until,
            None => self.last_line_at + self.limits.idle,
        };
        if self.leaving.is_none() && !self.conversation.is_admitted() {
            deadline = deadline.min(self.began_at + self.limits.admission);
        }
        if let Some(since) = self.stalled_since {
            deadline = deadline.min(since + self.limits.stall);
        }
        deadline
    }

    /// The deadline is over. What is to be said about it is put in the output, unless it is too late for that.
    fn expire(&mut self, now: Instant) -> Option<End> {
        let is_stalled = self.stalled_since.is_some_and(|since| since + self.limits.stall <= now);
        match &self.leaving {
            Some(leaving) if leaving.is_lingering => return Some(self.end()),
            Some(_) => return Some(End::Stalled),
            None if is_stalled => return Some(End::Stalled),
            None => {}
        }
        if self.last_line_at + self.limits.idle > now {
            self.output.push(Reply::Error { code: ErrorCode::InvalidToken, words: "say: auth TOKEN" });
            self.leave(End::Unadmitted);
        } else if self.reads() && self.stalled_since.is_some() {
            // Silent, and it takes nothing: no word would reach it.
            return Some(End::Stalled);
        } else if self.reads() {
            self.output.push(Reply::Idle);
            self.leave(End::Idle);
        } else {
            // The peer may well have sent lines: they are not taken before it has read.
            self.last_line_at = now;
        }
        None
    }

    fn end(&mut self) -> End {
        self.leaving.take().map_or(End::Closed, |leaving| leaving.end)
    }
}

#[cfg(test)]
mod tests;
