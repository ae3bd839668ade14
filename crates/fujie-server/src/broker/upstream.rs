//! Where a connection leads: to a provider whose record is known, or to one that describes itself.
//!
//! Owns when an issuer is asked for its description (OpenID Connect Discovery 1.0 §4) and how long the answer is
//! believed. A server starts while a provider is down; the first sign-in asks.

use std::{fmt, sync::Arc};

use fujie_client::{Client, Provider, ProviderError, RecordError, Transport, provider::openid_id};
use fujie_core::{
    request::redirect_uri::origin_of,
    time::{Lifetime, Timestamp},
};
use tokio::sync::Mutex;

/// We, as a provider's client.
#[derive(Debug)]
pub enum Upstream {
    /// Its record is known.
    Known(Arc<Client>),
    /// Its record follows from its own description.
    Discovered(Discovered),
}

/// Makes a client of a record that was just discovered.
pub type Make = Box<dyn Fn(Provider) -> Result<Client, RecordError> + Send + Sync>;

/// An OpenID provider, by its issuer.
pub struct Discovered {
    issuer: String,
    record_id: String,
    transport: Arc<dyn Transport>,
    make: Make,
    /// Held while the issuer is asked, so that it is asked once however many wait.
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    client: Option<Arc<Client>>,
    /// Not to be asked again before.
    rests_until: Option<Timestamp>,
}

/// A description is fetched again after this time.
const DESCRIPTION_LIFETIME: Lifetime = Lifetime::from_days(1);

/// After a failure an issuer is left alone for this time, so that a dead one costs one wait and not one for everybody.
const REST: Lifetime = Lifetime::from_seconds(5);

impl Upstream {
    /// The client, after asking the issuer where that is due.
    ///
    /// # Errors
    /// What [`Provider::discover`] says; a known record never fails.
    pub(crate) async fn client(&self, now: Timestamp) -> Result<Arc<Client>, ProviderError> {
        match self {
            Self::Known(client) => Ok(Arc::clone(client)),
            Self::Discovered(discovered) => discovered.client(now).await,
        }
    }

    /// The id of the record: whose people they are.
    pub(crate) fn record_id(&self) -> &str {
        match self {
            Self::Known(client) => &client.provider().id,
            Self::Discovered(discovered) => &discovered.record_id,
        }
    }

    /// Our name there, as far as it is known.
    pub(crate) fn app(&self) -> Option<&str> {
        match self {
            Self::Known(client) => Some(client.registration().client_id()),
            Self::Discovered(_) => None,
        }
    }

    /// The origin that a browser is sent to, as far as it is known.
    pub(crate) fn origin(&self) -> String {
        match self {
            Self::Known(client) => origin_of(&client.provider().authorization_endpoint),
            Self::Discovered(discovered) => origin_of(&discovered.issuer),
        }
    }

    /// Does the provider answer by a POST from its own site (OAuth 2.0 Form Post Response Mode)?
    pub(crate) fn answers_by_post(&self) -> bool {
        let asks = |client: &Client| {
            let mut parameters = client.provider().authorization_parameters.iter();
            parameters.any(|(name, value)| name == "response_mode" && value == "form_post")
        };
        match self {
            Self::Known(client) => asks(client),
            Self::Discovered(_) => false,
        }
    }
}

impl Discovered {
    /// A provider that describes itself at `issuer`; `make` says who we are there.
    pub fn new(issuer: &str, transport: Arc<dyn Transport>, make: Make) -> Self {
        Self { issuer: issuer.to_owned(), record_id: openid_id(issuer), transport, make, found: Mutex::default() }
    }

    async fn client(&self, now: Timestamp) -> Result<Arc<Client>, ProviderError> {
        let mut found = self.found.lock().await;
        if found.rests_until.is_some_and(|until| now < until) {
            let failed = || ProviderError::Discovery("the issuer failed a moment ago".to_owned());
            return found.client.clone().ok_or_else(failed);
        }
        let asked = Provider::discover(self.transport.as_ref(), &self.issuer).await;
        let made = asked
            .and_then(|provider| (self.make)(provider).map_err(|error| ProviderError::Discovery(error.to_string())));
        match (made, found.client.clone()) {
            (Ok(client), _) => {
                let client = Arc::new(client);
                *found = Found { client: Some(Arc::clone(&client)), rests_until: Some(now + DESCRIPTION_LIFETIME) };
                Ok(client)
            }
            (Err(error), kept) => {
                found.rests_until = Some(now + REST);
                // What was true yesterday is tried: where it is not, the sign-in itself will say so.
                kept.ok_or(error)
            }
        }
    }
}

impl fmt::Debug for Discovered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Discovered").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use fujie_client::{Registration, Request, Response, Secret, TransportError};

    use super::*;

    const ISSUER: &str = "https://sso.example";
    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    /// An issuer that is up or down, and counts.
    #[derive(Default)]
    struct Wire {
        is_up: AtomicBool,
        asked: AtomicUsize,
    }

    impl Transport for Wire {
        fn send(&self, _: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let told = format!(
                r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/a","token_endpoint":"{ISSUER}/t",
                "jwks_uri":"{ISSUER}/k","response_types_supported":["code"],"subject_types_supported":["public"],
                "id_token_signing_alg_values_supported":["RS256"]}}"#
            );
            let is_up = self.is_up.load(Ordering::Relaxed);
            Box::pin(
                async move { if is_up { Ok(Response::new(200, None, told)) } else { Err(TransportError::Timeout) } },
            )
        }
    }

    fn upstream(wire: &Arc<Wire>) -> Discovered {
        let over: Arc<dyn Transport> = Arc::<Wire>::clone(wire);
        let transport = Arc::clone(&over);
        let make = move |record| Client::over(Arc::clone(&over), Registration::new(record, "id", Secret::new("s"))?);
        Discovered::new(ISSUER, transport, Box::new(make))
    }

    #[tokio::test]
    async fn a_dead_issuer_is_asked_once_in_a_while_and_a_living_one_once_a_day() {
        let wire = Arc::new(Wire::default());
        let upstream = upstream(&wire);
        let asked = || wire.asked.swap(0, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(upstream.client(START).await.is_err());
        }
        assert_eq!(asked(), 1);
        wire.is_up.store(true, Ordering::Relaxed);
        let now = START + REST;
        let client = upstream.client(now).await.unwrap();
        assert_eq!(client.provider().id, upstream.record_id, "its people are known before it is asked");
        assert!(Arc::ptr_eq(&client, &upstream.client(now + Lifetime::from_seconds(86_399)).await.unwrap()));
        assert_eq!(asked(), 1);
        // A day later it is down: what it said before is still good enough to try.
        wire.is_up.store(false, Ordering::Relaxed);
        let now = now + DESCRIPTION_LIFETIME;
        assert!(Arc::ptr_eq(&client, &upstream.client(now).await.unwrap()));
        assert!(Arc::ptr_eq(&client, &upstream.client(now).await.unwrap()));
        assert_eq!(asked(), 1);
        wire.is_up.store(true, Ordering::Relaxed);
        assert!(!Arc::ptr_eq(&client, &upstream.client(now + REST).await.unwrap()));
    }
}
