//! One connection: lines both ways, heartbeats, and a server that is found dead when it does not answer them.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io,
    mem::MaybeUninit,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::endpoint::{Endpoint, Stream};
use crate::line::{Fault, Reader, strip};

/// The longest line of a server: what Python's `asyncio` reads, too.
const LINE_LENGTH_MAX: u32 = 64 * 1024;
/// Read from the socket at once.
const CHUNK: usize = 16 * 1024;

/// When a client sends `ping`, and when it takes a server for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The first, after the connection stands.
    pub first: Duration,
    /// The others, after the one before.
    pub every: Duration,
    /// Without a line for so long, the server is dead.
    pub patience: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { first: seconds(5), every: seconds(10), patience: seconds(30) }
    }
}

/// A connection to a server that answers lines.
pub struct LineStream {
    stream: Box<dyn Stream>,
    reader: Reader,
    /// Read and not yet given.
    lines: VecDeque<String>,
    /// To be written.
    output: Vec<u8>,
    heartbeat: Heartbeat,
    ping_at: Instant,
    heard_at: Instant,
    timer: Pin<Box<Sleep>>,
    has_ended: bool,
}

impl LineStream {
    /// Connects, within ten seconds.
    pub async fn connect(endpoint: &Endpoint, heartbeat: Heartbeat) -> io::Result<Self> {
        Ok(Self::new(endpoint.connect().await?, heartbeat))
    }

    pub(super) fn new(stream: Box<dyn Stream>, heartbeat: Heartbeat) -> Self {
        let now = Instant::now();
        let ping_at = now + heartbeat.first;
        Self {
            stream,
            reader: Reader::new(LINE_LENGTH_MAX),
            lines: VecDeque::new(),
            output: Vec::new(),
            heartbeat,
            ping_at,
            heard_at: now,
            timer: Box::pin(sleep_until(ping_at)),
            has_ended: false,
        }
    }

    /// Sends one line; a line feed is added. It is written while [`LineStream::next`], [`LineStream::flush`] or
    /// [`LineStream::beat`] is waited for.
    pub fn send(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.push(b'\n');
    }

    /// Waits for the server's next line, without white space around it; `None` when it has closed the connection. Sends
    /// heartbeats meanwhile. A server that says nothing for too long is an error, [`io::ErrorKind::TimedOut`].
    /// Cancelled while it waits, nothing is lost.
    pub async fn next(&mut self) -> io::Result<Option<String>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Sends what is to be sent and heartbeats, and reads nothing: for whoever cannot take another line yet. Comes back
    /// only with an error.
    pub async fn beat(&mut self) -> io::Error {
        poll_fn(|context| match self.poll_beat(context, false) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(error),
        })
        .await
    }

    /// Waits until all that was sent is written.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            self.poll_write(context)?;
            if self.output.is_empty() { Pin::new(&mut self.stream).poll_flush(context) } else { Poll::Pending }
        })
        .await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<String>>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Poll::Ready(Ok(Some(line)));
            }
            if self.has_ended {
                return Poll::Ready(Ok(None));
            }
            if self.poll_read(context)?.is_pending() {
                self.poll_beat(context, true)?;
                return Poll::Pending;
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> io::Result<Poll<()>> {
        let mut chunk = [MaybeUninit::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        if Pin::new(&mut self.stream).poll_read(context, &mut chunk)?.is_pending() {
            return Ok(Poll::Pending);
        }
        let lines = &mut self.lines;
        let keep = |line: &str| {
            lines.push_back(strip(line).to_owned());
            ControlFlow::Continue(())
        };
        self.heard_at = Instant::now();
        let read = if chunk.filled().is_empty() {
            self.has_ended = true;
            self.reader.finish(keep)
        } else {
            self.reader.read(chunk.filled(), keep)
        };
        read.map(|_| Poll::Ready(())).map_err(|fault: Fault| io::Error::new(io::ErrorKind::InvalidData, fault))
    }

    /// Heartbeats and writing. A server can only be found dead by somebody who reads.
    fn poll_beat(&mut self, context: &mut Context<'_>, is_reading: bool) -> io::Result<()> {
        loop {
            let now = Instant::now();
            let dead_at = self.heard_at + self.heartbeat.patience;
            if is_reading && dead_at <= now {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
            }
            if self.ping_at <= now {
                self.send("ping");
                self.ping_at = now + self.heartbeat.every;
            }
            let next = if is_reading { self.ping_at.min(dead_at) } else { self.ping_at };
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return self.poll_write(context);
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.output)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => drop(self.output.drain(..written)),
                Poll::Pending => return Ok(()),
            }
        }
        // TLS may hold something back; when it cannot be written yet, the next call goes on with it.
        let _ = Pin::new(&mut self.stream).poll_flush(context)?;
        Ok(())
    }
}

impl fmt::Debug for LineStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineStream").field("heartbeat", &self.heartbeat).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};

    use super::*;

    fn pair() -> (LineStream, BufReader<DuplexStream>, Instant) {
        let (ours, theirs) = duplex(1024);
        (LineStream::new(Box::new(ours), Heartbeat::default()), BufReader::new(theirs), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn heartbeats_come_after_five_seconds_and_then_every_ten() {
        let (mut stream, mut server, since) = pair();
        let serving = tokio::spawn(async move {
            let mut times = Vec::new();
            for _ in 0..4 {
                let mut line = String::new();
                server.read_line(&mut line).await.unwrap();
                assert_eq!(line, "ping\n");
                times.push(since.elapsed().as_secs_f64().round() as u32);
                server.get_mut().write_all(b"pong\n").await.unwrap();
            }
            times
        });
        while let Some(line) = stream.next().await.unwrap() {
            assert_eq!(line, "pong");
        }
        assert_eq!(serving.await.unwrap(), [5, 15, 25, 35]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_dead_after_thirty_seconds() {
        let (mut stream, mut server, since) = pair();
        server.get_mut().write_all(b"hello\n").await.unwrap();
        assert_eq!(stream.next().await.unwrap().as_deref(), Some("hello"));
        assert_eq!(stream.next().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(since.elapsed().as_secs_f64().round() as u32, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_no_line_for_a_while_still_sends_heartbeats() {
        let (mut stream, mut server, _) = pair();
        let beating = tokio::time::timeout(Duration::from_secs(100), stream.beat()).await;
        assert!(beating.is_err(), "a server that was not listened to is not dead");
        let mut pings = 0;
        while let Ok(read) = tokio::time::timeout(Duration::from_secs(1), server.read_line(&mut String::new())).await {
            pings += u32::from(read.unwrap() > 0);
        }
        assert_eq!(pings, 10);
        server.get_mut().write_all("pong\n".repeat(10).as_bytes()).await.unwrap();
        for _ in 0..10 {
            assert_eq!(stream.next().await.unwrap().as_deref(), Some("pong"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_stripped_and_the_last_half_one_is_given() {
        let (mut stream, mut server, _) = pair();
        server.get_mut().write_all("超时断开连接\r\n half".as_bytes()).await.unwrap();
        server.get_mut().shutdown().await.unwrap();
        for expected in [Some("超时断开连接"), Some("half"), None, None] {
            assert_eq!(stream.next().await.unwrap().as_deref(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_cannot_fill_the_memory() {
        let (mut stream, mut server, _) = pair();
        let flood = async { while server.get_mut().write_all(&[b'x'; 1024]).await.is_ok() {} };
        let read = async {
            let error = stream.next().await.unwrap_err();
            drop(stream);
            error
        };
        let (error, ()) = tokio::join!(read, flood);
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
