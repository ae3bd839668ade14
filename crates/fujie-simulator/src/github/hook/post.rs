//! One POST over HTTP/1.1 on a connection of its own, and the answer; and the parts of it, for who keeps connections.
//!
//! Written by hand because header names must go over the wire as given (`X-GitHub-Event`), which
//! client libraries change. Follows no redirect, speaks no TLS: an `https` address is a host that
//! cannot be reached.

use super::log::{Outcome, Parcel};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

/// The head of an answer is no longer than this.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The body of an answer is read to its end, but no further than this.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// What is kept of it.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// Sends a parcel. The caller limits the time.
pub(crate) async fn send(parcel: &Parcel) -> Outcome {
    match exchange(parcel).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::debug!(%error, hook = parcel.hook_id, "a delivery failed");
            Outcome::ConnectionFailed
        }
    }
}

async fn exchange(parcel: &Parcel) -> io::Result<Outcome> {
    let url = Url::parse(&parcel.url).map_err(io::Error::other)?;
    let mut stream = connect(&url).await?;
    let own = parcel.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let head = head(&url, [("Connection", "close")].into_iter().chain(own), parcel.body.len());
    // Who refuses a large body answers before it was sent, so a failed write is not the last word.
    let written = write(&mut stream, &head, &parcel.body).await;
    match read_answer(&mut stream).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => written.and(Err(error)),
    }
}

/// A connection to where a hook points.
pub(crate) async fn connect(url: &Url) -> io::Result<TcpStream> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    if url.scheme() != "http" {
        return Err(invalid("no TLS here"));
    }
    let port = url.port_or_known_default().unwrap_or(80);
    match url.host() {
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        None => Err(invalid("no host")),
    }
}

async fn write(stream: &mut TcpStream, head: &str, body: &[u8]) -> io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await
}

/// Everything before the body.
pub(crate) fn head<'a>(url: &Url, headers: impl Iterator<Item = (&'a str, &'a str)>, body_length: usize) -> String {
    let mut head = format!("POST {}", url.path());
    if let Some(query) = url.query() {
        head.push_str(&format!("?{query}"));
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    head.push_str(&format!(" HTTP/1.1\r\nHost: {host}{port}\r\n"));
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    head.push_str(&format!("Content-Length: {body_length}\r\n\r\n"));
    head
}

/// Whether the connection takes another request after this answer: its length was told, it was read to its end, and
/// nobody said close.
pub(crate) fn stays_open(outcome: &Outcome) -> bool {
    let Outcome::Answered { status, headers, .. } = outcome else { return false };
    let length = header(headers, "content-length").and_then(|length| length.parse().ok());
    let is_whole = *status == 204 || length.is_some_and(|length: usize| length <= ANSWER_BYTES_MAX);
    let closes = header(headers, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    is_whole && !closes && header(headers, "transfer-encoding").is_none()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The answer that counts, after any 1xx.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> io::Result<Outcome> {
    let mut read = Vec::new();
    loop {
        let border = read_head(stream, &mut read).await?;
        let rest = read.split_off(border);
        let (status, headers) = parse_head(&read)?;
        read = rest;
        if !(100..200).contains(&status) {
            let body = read_body(stream, read, status, &headers).await?;
            let kept = body.get(..KEPT_BYTES_MAX).unwrap_or(&body);
            return Ok(Outcome::Answered { status, headers, body: String::from_utf8_lossy(kept).into_owned() });
        }
    }
}

/// Reads until the blank line is there; where it ends.
async fn read_head(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(at + 4);
        }
        if read.len() > HEAD_BYTES_MAX {
            return Err(malformed());
        }
        more(stream, read).await?;
    }
}

fn parse_head(head: &[u8]) -> io::Result<(u16, Vec<(String, String)>)> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status_line = lines.next().filter(|line| line.starts_with("HTTP/1.")).ok_or_else(malformed)?;
    let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    Ok((status, headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()))
}

async fn read_body(
    stream: &mut TcpStream,
    mut read: Vec<u8>,
    status: u16,
    headers: &[(String, String)],
) -> io::Result<Vec<u8>> {
    let header = |name: &str| header(headers, name);
    if matches!(status, 204 | 304) {
        return Ok(Vec::new());
    }
    if header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        return read_chunks(stream, read).await;
    }
    if let Some(length) = header("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        let length = length.min(ANSWER_BYTES_MAX);
        while read.len() < length {
            more(stream, &mut read).await?;
        }
        read.truncate(length);
        return Ok(read);
    }
    while read.len() < ANSWER_BYTES_MAX && stream.read_buf(&mut read).await? > 0 {}
    Ok(read)
}

async fn read_chunks(stream: &mut TcpStream, mut read: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        let line_end = loop {
            match read.windows(2).position(|window| window == b"\r\n") {
                Some(at) => break at,
                None if read.len() > HEAD_BYTES_MAX => return Err(malformed()),
                None => more(stream, &mut read).await?,
            }
        };
        let line = String::from_utf8_lossy(read.get(..line_end).unwrap_or_default()).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        // The line, the chunk, and the line end behind the chunk.
        let end = line_end.saturating_add(2).saturating_add(size.min(ANSWER_BYTES_MAX)).saturating_add(2);
        while read.len() < end {
            more(stream, &mut read).await?;
        }
        body.extend_from_slice(read.get(line_end + 2..end - 2).unwrap_or_default());
        read.drain(..end);
    }
    Ok(body)
}

/// Reads some more; an end is too early here.
async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer")
}
