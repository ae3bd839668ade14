//! Where a channel is: `tls://host:port`, or `tcp://host:port` on this machine.

use std::{fmt, io, net::IpAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// A connection must stand by then, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A place to connect to.
#[derive(Clone)]
pub struct Endpoint {
    host: String,
    port: u16,
    is_tls: bool,
    tls: Option<Arc<ClientConfig>>,
    is_plaintext_allowed: bool,
}

/// An address is no endpoint's, or not one to send a token to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not spelled `tls://host:port`, `tcp://host:port` or `host:port`.
    #[error("an endpoint is spelled tls://host:port or tcp://host:port")]
    Malformed,
    /// A token would travel in the clear beyond this machine.
    #[error("without TLS a token would be readable on its way; use tls://")]
    Plaintext,
    /// `tls://`, and no TLS configuration was given.
    #[error("no TLS configuration was given")]
    NoTls,
}

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Endpoint {
    /// Reads `tls://host:port`, `tcp://host:port` or `host:port`, the last as TCP. IPv6 addresses stand in brackets.
    pub fn parse(address: &str) -> Result<Self, EndpointError> {
        let (is_tls, rest) = match address.split_once("://") {
            Some(("tls", rest)) => (true, rest),
            Some(("tcp", rest)) => (false, rest),
            Some(_) => return Err(EndpointError::Malformed),
            None => (false, address),
        };
        let (host, port) = rest.rsplit_once(':').ok_or(EndpointError::Malformed)?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => bracketed.strip_suffix(']').ok_or(EndpointError::Malformed)?,
            None if host.contains(':') => return Err(EndpointError::Malformed),
            None => host,
        };
        let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '/' | '@' | '?' | '#' | '[' | ']');
        let port = port.parse().ok().filter(|_| !port.starts_with('+')).ok_or(EndpointError::Malformed)?;
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err(EndpointError::Malformed);
        }
        Ok(Self { host: host.to_owned(), port, is_tls, tls: None, is_plaintext_allowed: false })
    }

    /// How TLS is spoken: whom to trust is the caller's to say.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Lets a token travel in the clear beyond this machine. For networks that are encrypted by other means.
    #[must_use]
    pub fn with_insecure_plaintext(mut self) -> Self {
        self.is_plaintext_allowed = true;
        self
    }

    /// Is this an endpoint that a token may be sent to?
    pub fn check(&self) -> Result<(), EndpointError> {
        match (self.is_tls, &self.tls) {
            (true, None) => Err(EndpointError::NoTls),
            (false, _) if !self.is_plaintext_allowed && !self.is_loopback() => Err(EndpointError::Plaintext),
            _ => Ok(()),
        }
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        timeout(CONNECT_TIMEOUT, self.dial())
            .await
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer")))
    }

    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        if !self.is_tls {
            return Ok(Box::new(stream));
        }
        let config = self.tls.clone().ok_or_else(|| io::Error::other(EndpointError::NoTls))?;
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        Ok(Box::new(TlsConnector::from(config).connect(name, stream).await?))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "tcp" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_neighbours_are_not() {
        for (address, shown) in [
            ("tls://id.example:8886", "tls://id.example:8886"),
            ("tcp://127.0.0.1:8885", "tcp://127.0.0.1:8885"),
            ("localhost:8885", "tcp://localhost:8885"),
            ("tcp://[::1]:8885", "tcp://[::1]:8885"),
        ] {
            assert_eq!(Endpoint::parse(address).map(|endpoint| endpoint.to_string()), Ok(shown.to_owned()));
        }
        for address in ["", "host", "host:", ":1", "http://host:1", "::1:5", "[::1:5", "host:65536", "host:+1", "a/b:1"]
        {
            assert_eq!(Endpoint::parse(address).err(), Some(EndpointError::Malformed), "{address}");
        }
    }

    #[test]
    fn a_token_does_not_travel_in_the_clear() {
        let check = |address| Endpoint::parse(address).unwrap().check();
        for near in ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"] {
            assert_eq!(check(near), Ok(()), "{near}");
        }
        for far in ["id.example:1", "10.0.0.1:1", "localhost.example:1", "0.0.0.0:1"] {
            assert_eq!(check(far), Err(EndpointError::Plaintext), "{far}");
            assert_eq!(Endpoint::parse(far).unwrap().with_insecure_plaintext().check(), Ok(()));
        }
        assert_eq!(check("tls://id.example:1"), Err(EndpointError::NoTls));
    }
}
