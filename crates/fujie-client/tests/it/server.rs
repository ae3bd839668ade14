//! A provider on loopback that answers what a story tells it to, byte for byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::net::TcpSocket;

pub enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, then the next request on the same connection.
    KeepAlive(Vec<u8>),
    /// These bytes, then silence until the client goes away.
    Silence(Vec<u8>),
    /// A body that never ends, until the client goes away.
    Endless,
}

pub struct Server {
    pub base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` gets the path and how many requests for that path came before.
    pub fn new(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, answer.as_ref()));
            }
        });
        Self { base, requests }
    }

    /// Every request so far, head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until there has been a request.
    pub async fn asked(&self) {
        let asked = async {
            while self.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap();
    }

    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|head| path_of(head) == path).count()
    }
}

/// An address at which nobody listens, and nobody else can as long as this lives: a port that is merely let go may be a
/// neighbour's in the next moment.
pub fn nobody() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

/// A whole answer with status 200, labelled as WeChat labels it.
pub fn ok(body: impl AsRef<[u8]>) -> Reply {
    with_status("200 OK", body)
}

pub fn with_status(status: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    Reply::Bytes([head.as_bytes(), body].concat())
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &(dyn Fn(&str, usize) -> Reply + Send + Sync)) {
    while let Some(request) = read_request(&mut stream) {
        let path = path_of(&request).to_owned();
        let earlier = {
            let mut seen = seen.lock().unwrap();
            let earlier = seen.iter().filter(|request| path_of(request) == path).count();
            seen.push(request);
            earlier
        };
        // The client may be gone already, which is then the point of the story.
        match answer(&path, earlier) {
            Reply::Bytes(bytes) => return drop(stream.write_all(&bytes)),
            Reply::KeepAlive(bytes) => drop(stream.write_all(&bytes)),
            Reply::Silence(bytes) => {
                drop(stream.write_all(&bytes));
                while matches!(stream.read(&mut [0]), Ok(1)) {}
            }
            Reply::Endless => {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
                while stream.write_all(&[b' '; 4096]).is_ok() {}
                return;
            }
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let head = read_head(stream)?;
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.trim().parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// Like any server for plain HTTP, this one hangs up on whoever begins a TLS handshake.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) if head.is_empty() && !byte[0].is_ascii_uppercase() => return None,
            Ok(1) => head.extend(byte),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn path_of(head: &str) -> &str {
    head.split([' ', '?']).nth(1).unwrap_or_default()
}
