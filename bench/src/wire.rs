//! HTTP/1.1 as the driver speaks it: one keep-alive connection, requests made beforehand, answers with a
//! `Content-Length`. It reads no more than it must, so that the driver is never what is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// No answer of ours is longer than this, in bytes.
const ANSWER_LENGTH_MAX: usize = 64 * 1024;

/// An answer as recorded, without what the HTTP library adds by itself.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The path that was asked.
    pub path: String,
    /// Its status.
    pub status: u16,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    recorded: Option<Vec<Recorded>>,
}

/// An answer, as long as the next is not read.
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Status line and headers.
    pub head: &'a str,
    /// Its body.
    pub body: &'a str,
}

impl Wire {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024), recorded: None })
    }

    /// Keeps every answer from now on.
    pub fn record(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// The answers that were kept.
    pub fn take_recorded(&mut self) -> Vec<Recorded> {
        self.recorded.take().unwrap_or_default()
    }

    /// Sends a request and reads its answer, which must have status `expected`.
    pub async fn exchange(&mut self, request: &str, expected: u16) -> Result<Answer<'_>> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let (head_length, length) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(lengths) = lengths(&self.buffer)?
                && self.buffer.len() >= lengths.0 + lengths.1
            {
                break lengths;
            }
            if self.buffer.len() > ANSWER_LENGTH_MAX {
                bail!("the answer is longer than {ANSWER_LENGTH_MAX} bytes");
            }
        };
        let text = std::str::from_utf8(&self.buffer).context("the answer is not UTF-8")?;
        let (head, rest) = text.split_at_checked(head_length).context("the head is cut")?;
        let body = rest.get(..length).context("the body is cut")?;
        let status = head.get(9..12).and_then(|code| code.parse().ok()).context("no status")?;
        let answer = Answer { status, head, body };
        if let Some(recorded) = &mut self.recorded {
            recorded.push(record(request, &answer));
        }
        if answer.status != expected {
            let line = request.lines().next().unwrap_or_default().split('?').next().unwrap_or_default();
            bail!("{line}: status {} instead of {expected}: {}", answer.status, answer.body);
        }
        Ok(answer)
    }
}

impl<'a> Answer<'a> {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// A text member of a JSON body that needs no unescaping, as our tokens do not.
    pub fn member(&self, name: &str) -> Option<&'a str> {
        let (_, rest) = self.body.split_once(&format!("\"{name}\":\""))?;
        rest.split('"').next()
    }
}

/// Lengths of head and body, once the head is whole.
fn lengths(read: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(read.get(..at).unwrap_or_default()).context("the head is not UTF-8")?;
    let length = Answer { status: 0, head, body: "" }.header("content-length").context("no content-length")?;
    Ok(Some((at + 4, length.parse().context("content-length")?)))
}

fn record(request: &str, answer: &Answer<'_>) -> Recorded {
    let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    // Hyper adds these to every answer itself.
    let of_the_library = ["date", "content-length", "connection"];
    let headers = answer.head.lines().filter_map(|line| line.split_once(": "));
    Recorded {
        path: path.to_owned(),
        status: answer.status,
        headers: headers
            .filter(|(name, _)| !of_the_library.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: answer.body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        assert_eq!(lengths(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n").unwrap(), None);
        assert_eq!(lengths(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab").unwrap(), Some((38, 3)));
        assert!(lengths(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn members_and_headers_are_found() {
        let answer =
            Answer { status: 200, head: "HTTP/1.1 200 OK\r\nlocation: /x", body: r#"{"a":"1","access_token":"t"}"# };
        assert_eq!(answer.header("location"), Some("/x"));
        assert_eq!(answer.member("access_token"), Some("t"));
        assert_eq!(answer.member("refresh_token"), None);
    }
}
