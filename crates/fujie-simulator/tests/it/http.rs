//! One HTTP/1.1 request on a connection of its own, and its whole answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub async fn get(base: &str, path: &str) -> Answer {
    send(base, "GET", path, &[], "").await
}

pub async fn post_form(base: &str, path: &str, form: &str) -> Answer {
    send(base, "POST", path, &["Content-Type: application/x-www-form-urlencoded"], form).await
}

pub async fn send(base: &str, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    finish(begin(base, method, path, headers, body).await).await
}

/// Sends a request and does not wait for its answer. A `Host` among the headers takes the place of the usual one.
pub async fn begin(base: &str, method: &str, path: &str, headers: &[&str], body: &str) -> TcpStream {
    let host = base.strip_prefix("http://").unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        request.push_str(&format!("Host: {host}\r\n"));
    }
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The answer to a request that was begun.
pub async fn finish(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let border = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes.get(..border).unwrap().to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes.get(border + 4..).unwrap().to_vec();
    Answer { status, head, body }
}
