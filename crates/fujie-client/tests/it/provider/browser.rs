//! The browser's part: one request on a connection of its own, and where its answer leads.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the browser sees.
pub struct Page {
    pub status: u16,
    /// Where it is sent on to.
    pub location: Option<String>,
    pub text: String,
}

impl Page {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A fragment stays in the browser.
pub async fn get(url: &str) -> Page {
    send("GET", url, "", "").await
}

pub async fn post_form(url: &str, form: &str) -> Page {
    send("POST", url, "Content-Type: application/x-www-form-urlencoded\r\n", form).await
}

pub async fn send(method: &str, url: &str, headers: &str, body: &str) -> Page {
    let url = url.split('#').next().unwrap();
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let answer = String::from_utf8_lossy(&bytes).into_owned();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Page { status, location: location.map(str::to_owned), text: text.to_owned() }
}
