//! A push subscription as a browser's `PushSubscription.toJSON()` gives it, read strictly (W3C Push API, RFC 8291 §3).
//!
//! Deliberately not here: whether the endpoint's name leads to a public address. Whoever connects looks it up, and asks
//! [`Reach`](crate::post::Reach).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::jose::json as strict;
use serde_json::{Map, Value, json};
use url::{Host, Url};
use web_push_native::{Auth, p256};

use crate::post::{Reach, SimulatorAt, is_anonymous, is_public};

/// Bytes of a subscription, at most.
const SUBSCRIPTION_MAX: usize = 4096;
/// Characters of an endpoint, at most.
const ENDPOINT_LENGTH_MAX: usize = 2048;

/// Why a text is no subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// No JSON object with an `endpoint` and `keys`, or longer than any browser's.
    #[error("this is no push subscription")]
    Malformed,
    /// Not `https`, without a host name, with a user name, on a port of its own, or not public.
    #[error("the endpoint is not an https address of a push service")]
    Endpoint,
    /// `p256dh` is not an uncompressed point of P-256 in base64url.
    #[error("p256dh is no public key")]
    PublicKey,
    /// `auth` is not 16 bytes in base64url.
    #[error("auth is no authentication secret")]
    Auth,
}

/// Where one browser gets its messages, and the keys that only it can read with.
pub struct Subscription {
    endpoint: Url,
    reach: Reach,
    public_key: p256::PublicKey,
    p256dh: String,
    auth: [u8; 16],
}

impl Subscription {
    /// Reads what a browser sent. An endpoint at the simulator's place is taken for a push service's.
    pub fn parse(text: &[u8], simulator: Option<&SimulatorAt>) -> Result<Self, SubscriptionError> {
        let members = Some(text).filter(|text| text.len() <= SUBSCRIPTION_MAX).and_then(strict::object);
        let members = members.ok_or(SubscriptionError::Malformed)?;
        let keys = members.get("keys").and_then(Value::as_object).ok_or(SubscriptionError::Malformed)?;
        let (endpoint, reach) = endpoint(text_of(&members, "endpoint")?, simulator)?;
        let p256dh = text_of(keys, "p256dh")?;
        let point = URL_SAFE_NO_PAD.decode(p256dh).or(Err(SubscriptionError::PublicKey))?;
        // SEC 1 also knows a compressed form; browsers do not (RFC 8291 §3.1).
        let public_key = Some(point).filter(|point| point.len() == 65);
        let public_key = public_key.and_then(|point| p256::PublicKey::from_sec1_bytes(&point).ok());
        let auth = URL_SAFE_NO_PAD.decode(text_of(keys, "auth")?).or(Err(SubscriptionError::Auth))?;
        Ok(Self {
            endpoint,
            reach,
            public_key: public_key.ok_or(SubscriptionError::PublicKey)?,
            p256dh: p256dh.to_owned(),
            auth: auth.try_into().or(Err(SubscriptionError::Auth))?,
        })
    }

    /// What is kept of it: what [`Subscription::parse`] reads.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let keys = json!({ "p256dh": self.p256dh, "auth": URL_SAFE_NO_PAD.encode(self.auth) });
        [("endpoint".to_owned(), self.endpoint.as_str().into()), ("keys".to_owned(), keys)].into_iter().collect()
    }

    /// The origin of its push service: what an authorization is for (RFC 8292 §2).
    pub fn audience(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// Where its messages are posted. It is a secret: whoever knows it may try to send.
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    pub(super) const fn reach(&self) -> Reach {
        self.reach
    }

    /// Encrypts a payload that only this browser can read (RFC 8188, RFC 8291).
    pub(super) fn encrypt(&self, payload: Vec<u8>) -> Option<Vec<u8>> {
        web_push_native::encrypt(payload, &self.public_key, &Auth::from(self.auth)).ok()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("audience", &self.audience()).finish_non_exhaustive()
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, SubscriptionError> {
    members.get(name).and_then(Value::as_str).ok_or(SubscriptionError::Malformed)
}

fn endpoint(text: &str, simulator: Option<&SimulatorAt>) -> Result<(Url, Reach), SubscriptionError> {
    let url = Some(text).filter(|text| text.len() <= ENDPOINT_LENGTH_MAX).and_then(|text| Url::parse(text).ok());
    let url = url.filter(|url| is_anonymous(url) && url.fragment().is_none()).ok_or(SubscriptionError::Endpoint)?;
    if simulator.is_some_and(|at| at.holds(&url)) {
        return Ok((url, Reach::Loopback));
    }
    let is_named = match url.host() {
        // `localhost` and names of the local network have no dot; the address behind any name is judged on connecting.
        Some(Host::Domain(name)) => name.trim_end_matches('.').contains('.') && !name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        None => false,
    };
    if url.scheme() != "https" || url.port().is_some() || !is_named {
        return Err(SubscriptionError::Endpoint);
    }
    Ok((url, Reach::Public))
}
