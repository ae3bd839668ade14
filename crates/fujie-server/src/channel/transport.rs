//! Posting to robots and push services: over reqwest, to no address but one that was judged.
//!
//! A name is looked up here and the connection goes to what was found and admitted, so that a name cannot lead to
//! another address a moment later. No redirect is followed, nothing is sent twice, and the address is in no log.

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use fujie_channel::{
    outbox::{NoAnswer, Transport},
    post::{RESPONSE_BODY_MAX, Reach, Request, Response},
};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect, retry,
};

/// Until the connection stands, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the beginning until the last byte of the answer.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends what the outbox posts.
pub(crate) struct Poster {
    providers: Client,
    public: Client,
    loopback: Client,
}

impl Poster {
    /// Fails when TLS cannot be set up on this host.
    pub fn new() -> Result<Self, reqwest::Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Losing this race means that somebody else has just installed one, which serves.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        }
        Ok(Self {
            providers: client(Reach::Provider)?,
            public: client(Reach::Public)?,
            loopback: client(Reach::Loopback)?,
        })
    }
}

impl Transport for Poster {
    async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let client = match request.reach {
            Reach::Provider => &self.providers,
            Reach::Public => &self.public,
            Reach::Loopback => &self.loopback,
        };
        // An address in place of a name is not looked up.
        if address_of(&request.url).is_some_and(|address| !request.reach.admits(address)) {
            return Err(NoAnswer::NotPublic);
        }
        let mut outgoing = client.post(request.url).body(request.body);
        for (name, value) in &request.headers {
            outgoing = outgoing.header(*name, value);
        }
        let mut answer = outgoing.send().await.map_err(|error| no_answer(&error))?;
        let retry_after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let (status, retry_after) = (answer.status().as_u16(), retry_after.map(str::to_owned));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| no_answer(&error))? {
            let room = RESPONSE_BODY_MAX - body.len();
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Response { status, retry_after, body })
    }
}

fn client(reach: Reach) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("fujie/", env!("CARGO_PKG_VERSION")))
        .https_only(reach != Reach::Loopback)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .dns_resolver(Arc::new(Judging(reach)))
        .build()
}

fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        url::Host::Domain(_) => None,
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
    }
}

/// Looks names up, and gives only addresses that may be reached.
#[derive(Clone, Copy)]
struct Judging(Reach);

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // A name that leads to both kinds is somebody's trick.
            if found.iter().any(|address| !reach.admits(address.ip())) {
                return Err(Box::new(NotAdmitted) as Box<dyn Error + Send + Sync>);
            }
            if found.is_empty() {
                return Err(Box::new(io::Error::from(io::ErrorKind::NotFound)));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A name leads to an address that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that may not be reached")]
struct NotAdmitted;

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(own) = cause {
        if own.is::<NotAdmitted>() {
            return NoAnswer::NotPublic;
        }
        cause = own.source();
    }
    NoAnswer::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    fn post(url: &str, reach: Reach) -> Request {
        Request { url: Url::parse(url).unwrap(), reach, headers: vec![("ttl", "60".to_owned())], body: b"x".to_vec() }
    }

    /// Answers one request with `answer`, and gives what was asked.
    async fn answering(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            drop(stream.write_all(&answer).await);
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, asked)
    }

    #[tokio::test]
    async fn an_answer_is_brought_and_a_redirect_is_one() {
        let poster = Poster::new().unwrap();
        let head = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\n";
        let (port, asked) = answering([head.as_bytes(), b"ok"].concat()).await;
        let answer = poster.send(post(&format!("http://localhost:{port}/push/1?a=b"), Reach::Loopback)).await.unwrap();
        assert_eq!(
            (answer.status, answer.retry_after.as_deref(), answer.body.as_slice()),
            (302, Some("7"), &b"ok"[..])
        );
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /push/1?a=b HTTP/1.1\r\n") && asked.contains("ttl: 60\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn of_a_long_answer_only_the_beginning_is_read() {
        let poster = Poster::new().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 100 * RESPONSE_BODY_MAX);
        let (port, _asked) = answering([head.as_bytes(), &vec![b'x'; 100 * RESPONSE_BODY_MAX]].concat()).await;
        let answer = poster.send(post(&format!("http://127.0.0.1:{port}/"), Reach::Loopback)).await.unwrap();
        assert_eq!(answer.body.len(), RESPONSE_BODY_MAX);
    }

    #[tokio::test]
    async fn no_connection_goes_where_it_may_not() {
        let poster = Poster::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f.1",
            "10.0.0.1",
            "169.254.169.254",
        ] {
            let answer = poster.send(post(&format!("https://{host}:{port}/"), Reach::Public)).await;
            assert_eq!(answer.map(|_| ()), Err(NoAnswer::NotPublic), "{host}");
        }
        for host in ["10.0.0.1", "1.1.1.1"] {
            let answer = poster.send(post(&format!("http://{host}:{port}/"), Reach::Loopback)).await;
            assert_eq!(answer.map(|_| ()), Err(NoAnswer::NotPublic), "{host}");
        }
        // No TLS, no sending, wherever it is.
        let plain = poster.send(post(&format!("http://127.0.0.1:{port}/"), Reach::Provider)).await;
        assert_eq!(plain.map(|_| ()), Err(NoAnswer::Unreachable));
        let silence = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
        assert!(silence.is_err(), "somebody connected");
    }
}
