//! The way to the providers, watched: what is sent, what is answered, and answers changed on order.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use fujie_client::{Limits, Request, ReqwestTransport, Response, Transport, TransportError};

type Tamper = Box<dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + Send>;

/// What went over the wire to providers.
pub struct Upstream {
    inner: ReqwestTransport,
    exchanges: Mutex<Vec<(String, String)>>,
    tamper: Mutex<Option<Tamper>>,
}

/// The transport that a server is given.
pub struct Witness(pub Arc<Upstream>);

impl Upstream {
    pub fn new() -> Self {
        // On a slow machine a provider that 64 people ask at once takes longer than anybody would wait.
        let patience = Duration::from_secs(60);
        let inner = ReqwestTransport::with_limits(Limits { connect: patience, total: patience }).unwrap();
        Self { inner, exchanges: Mutex::default(), tamper: Mutex::default() }
    }

    /// Addresses and answers so far, in order.
    pub fn exchanges(&self) -> Vec<(String, String)> {
        self.exchanges.lock().unwrap().clone()
    }

    /// How many codes were sent to be exchanged.
    pub fn codes(&self) -> usize {
        self.exchanges().iter().filter(|(url, _)| url.contains("/sns/oauth2/access_token")).count()
    }

    /// From now on answers are what `change` makes of address and body, where it makes anything.
    pub fn tamper(&self, change: impl Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + 'static) {
        *self.tamper.lock().unwrap() = Some(Box::new(change));
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = request.url().to_owned();
        let mut response = self.inner.send(request).await?;
        let changed = self.tamper.lock().unwrap().as_ref().and_then(|change| change(&url, &response.body));
        response.body = changed.unwrap_or(response.body);
        self.exchanges.lock().unwrap().push((url, String::from_utf8_lossy(&response.body).into_owned()));
        Ok(response)
    }
}

impl Transport for Witness {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        Box::pin(self.0.send(request))
    }
}
