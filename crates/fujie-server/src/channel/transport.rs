//! Posting to robots and push services: over the transport of `fujie-client`, to no address but one that was judged.

use std::time::Duration;

use fujie_channel::{
    outbox::{NoAnswer, Transport},
    post::{RESPONSE_BODY_MAX, Reach, Request, Response},
};
use fujie_client::{AdmittedTransport, Limits, ReqwestTransport, Transport as Outward, TransportError};

/// A person does not wait for it.
const LIMITS: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// Sends what the outbox posts.
pub(crate) struct Poster {
    providers: ReqwestTransport,
    public: AdmittedTransport,
    loopback: AdmittedTransport,
}

impl Poster {
    /// Fails when TLS cannot be set up on this host.
    pub fn new() -> Result<Self, TransportError> {
        Ok(Self {
            providers: ReqwestTransport::with_limits(LIMITS)?,
            public: AdmittedTransport::new(LIMITS, |address| Reach::Public.admits(address))?,
            loopback: AdmittedTransport::new(LIMITS, |address| Reach::Loopback.admits(address))?,
        })
    }
}

impl Transport for Poster {
    async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let transport: &dyn Outward = match request.reach {
            Reach::Loopback => &self.loopback,
            // What goes over the internet goes encrypted.
            _ if request.url.scheme() != "https" => return Err(NoAnswer::Unreachable),
            Reach::Provider => &self.providers,
            Reach::Public => &self.public,
        };
        let headers = request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let outgoing = fujie_client::Request::post(request.url.as_str(), headers, request.body);
        let mut answer = transport.send(outgoing).await.map_err(|error| match error {
            TransportError::NotAdmitted => NoAnswer::NotPublic,
            _ => NoAnswer::Unreachable,
        })?;
        let retry_after = answer.header("retry-after").map(str::to_owned);
        answer.body.truncate(RESPONSE_BODY_MAX);
        Ok(Response { status: answer.status, retry_after, body: answer.body })
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

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
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 10 * RESPONSE_BODY_MAX);
        let (port, _asked) = answering([head.as_bytes(), &vec![b'x'; 10 * RESPONSE_BODY_MAX]].concat()).await;
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
