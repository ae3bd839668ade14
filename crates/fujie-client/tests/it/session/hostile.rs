//! A server on loopback that answers what a story tells it to, byte for byte, in plain or over
//! TLS; and a proxy that counts. None of them shares a line with the library under test.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    /// Without the framing of chunks.
    pub body: Vec<u8>,
    /// How many requests came before, on any connection.
    pub earlier: usize,
}

impl Received {
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub enum Reply {
    /// These bytes, then the next request on the same connection.
    Keep(Vec<u8>),
    /// These bytes, then the end of the connection.
    Close(Vec<u8>),
    /// These bytes, then silence until the client goes away.
    Silence(Vec<u8>),
    /// These bytes, then one more again and again, so long apart.
    Drip(Vec<u8>, Duration),
    /// These bytes, then others without end.
    Endless(Vec<u8>, Vec<u8>),
    /// What CONNECT asks for: bytes to and fro.
    Tunnel(String),
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

pub struct Hostile {
    pub port: u16,
    pub base: String,
    requests: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
}

impl Hostile {
    pub async fn new(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(answer)).await
    }

    /// With a certificate for these names, signed by itself. Its PEM is given too.
    pub async fn tls(names: &[&str], answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> (Self, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let pem = certificate.pem();
        let config =
            ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                )
                .unwrap();
        (Self::listen(Some(TlsAcceptor::from(Arc::new(config))), Arc::new(answer)).await, pem)
    }

    async fn listen(tls: Option<TlsAcceptor>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (requests, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &seen, answer.as_ref()).await,
                        Some(tls) => {
                            // A client that does not trust us hangs up here.
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &seen, answer.as_ref()).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, base: format!("{scheme}://127.0.0.1:{port}"), requests, connections }
    }

    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    pub fn last(&self) -> Received {
        self.requests().pop().unwrap()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A whole answer that keeps the connection.
pub fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    Reply::Keep([head(status, headers, Some(body.len())).as_slice(), body].concat())
}

pub fn ok(body: impl AsRef<[u8]>) -> Reply {
    answer("200 OK", &[], body)
}

pub fn redirect(status: &str, location: &str) -> Reply {
    answer(status, &[("Location", location)], "moved")
}

pub fn head(status: &str, headers: &[(&str, &str)], length: Option<usize>) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    format!("{head}\r\n").into_bytes()
}

async fn serve<S>(mut stream: S, seen: &Mutex<Vec<Received>>, answer: &Answer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    while let Some((head, body)) = receive(&mut stream).await {
        let received = {
            let mut seen = seen.lock().unwrap();
            let received = Received { head, body, earlier: seen.len() };
            seen.push(received.clone());
            received
        };
        // The client may be gone already, which is then the point of the story.
        match answer(&received) {
            Reply::Keep(bytes) if stream.write_all(&bytes).await.is_ok() => continue,
            Reply::Keep(_) => {}
            Reply::Close(bytes) => {
                let _gone = stream.write_all(&bytes).await;
                let _gone = stream.shutdown().await;
            }
            Reply::Silence(bytes) => {
                let _gone = stream.write_all(&bytes).await;
                while matches!(stream.read(&mut [0]).await, Ok(1)) {}
            }
            Reply::Drip(bytes, pause) => {
                let mut gone = stream.write_all(&bytes).await;
                while gone.is_ok() {
                    tokio::time::sleep(pause).await;
                    gone = stream.write_all(b".").await;
                }
            }
            Reply::Endless(bytes, more) => {
                let mut gone = stream.write_all(&bytes).await;
                while gone.is_ok() {
                    gone = stream.write_all(&more).await;
                }
            }
            Reply::Tunnel(to) => {
                let mut upstream = TcpStream::connect(to).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                let _gone = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
            }
        }
        return;
    }
}

/// Like any server for plain HTTP, this one hangs up on whoever begins a TLS handshake.
async fn receive<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(String, Vec<u8>)> {
    let mut head = vec![stream.read_u8().await.ok().filter(u8::is_ascii_uppercase)?];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut body = Vec::new();
    if let Some(length) = header(&head, "content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).await.ok()?;
    } else if header(&head, "transfer-encoding") == Some("chunked") {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(stream.read_u8().await.ok()?);
            }
            let length = usize::from_str_radix(String::from_utf8(line).unwrap().trim(), 16).unwrap();
            let mut chunk = vec![0; length + 2];
            stream.read_exact(&mut chunk).await.ok()?;
            body.extend_from_slice(&chunk[..length]);
            if length == 0 {
                break;
            }
        }
    }
    Some((head, body))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    Some(fields.find(|(known, _)| known.eq_ignore_ascii_case(name))?.1.trim())
}

/// Waits for something that must come to pass soon: far longer than any limit of the stories.
pub fn soon<'f, T>(future: impl Future<Output = T> + Send + 'f) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
    Box::pin(async move { tokio::time::timeout(Duration::from_secs(60), future).await.unwrap() })
}
