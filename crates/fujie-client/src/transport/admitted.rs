//! Connecting only to addresses that were judged: for requests to hosts that somebody else named.
//!
//! A name is looked up here, every address that it leads to is judged, and the connection goes to one of these. So a name
//! cannot pass the judgement and lead elsewhere a moment later.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use ::reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::{Limits, ReqwestTransport, Response, Transport, TransportError};
use crate::request::Request;

type Admits = fn(IpAddr) -> bool;

/// As [`ReqwestTransport`], but it connects only to addresses of which a rule of the caller's holds, whatever the name in
/// the URL is. An exchange that the rule forbids is [`TransportError::NotAdmitted`].
#[derive(Clone, Debug)]
pub struct AdmittedTransport {
    inner: ReqwestTransport,
    admits: Admits,
}

impl AdmittedTransport {
    /// A transport to addresses of which `admits` holds.
    ///
    /// # Errors
    /// As [`ReqwestTransport::new`].
    pub fn new(limits: Limits, admits: fn(IpAddr) -> bool) -> Result<Self, TransportError> {
        let inner = ReqwestTransport::build(limits, |client| client.dns_resolver(Arc::new(Judging(admits))))?;
        Ok(Self { inner, admits })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        if is_refused(request.url(), self.admits) {
            return Err(TransportError::NotAdmitted);
        }
        self.inner.send(request).await.map_err(|error| match error {
            TransportError::Unreachable(source) if is_cause_of(&*source) => TransportError::NotAdmitted,
            error => error,
        })
    }
}

impl Transport for AdmittedTransport {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }
}

/// Looks names up.
#[derive(Clone, Copy)]
struct Judging(Admits);

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let admits = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // A name that leads to both kinds is somebody's trick.
            if !found.iter().all(|address| admits(address.ip())) {
                return Err(Box::new(NotAdmitted) as Box<dyn Error + Send + Sync>);
            }
            if found.is_empty() {
                return Err(Box::new(io::Error::from(io::ErrorKind::NotFound)));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Does `url` have an address in place of a name, which nobody looks up, and is it not admitted?
fn is_refused(url: &str, admits: Admits) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => !admits(address.into()),
        Some(Host::Ipv6(address)) => !admits(address.into()),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Was it the judgement that made this fail?
fn is_cause_of(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(own) = cause {
        if own.is::<NotAdmitted>() {
            return true;
        }
        cause = own.source();
    }
    false
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that may not be reached")]
struct NotAdmitted;
