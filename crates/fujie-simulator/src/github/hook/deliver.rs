//! Deliveries: what goes into one, and sending it within its time.
//!
//! Never repeated by itself, whatever the answer was. A redelivery keeps GUID, headers and body.

use super::log::{Delivery, Outcome, Parcel};
use super::{ContentType, Hook, Hooks, post, signature};
use crate::github::world::Simulation;
use crate::random::{self, NoRandomness};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// A larger payload is not sent at all.
const PAYLOAD_BYTES_MAX: usize = 25 * 1024 * 1024;

/// What a hook is sent for an event.
pub(crate) fn parcel(hooks: &mut Hooks, hook: &Hook, event: &str, payload: Value) -> Result<Parcel, NoRandomness> {
    let body = written(hook.config.content_type, payload.to_string()).into_bytes();
    let guid = guid()?;
    Ok(Parcel {
        id: hooks.next_delivery_id(),
        headers: headers(hook, event, &guid, &body),
        guid,
        hook_id: hook.id,
        repository_id: hook.repository_id,
        event: event.to_owned(),
        is_redelivery: false,
        url: hook.config.url.clone(),
        body,
        payload,
    })
}

/// A payload as the hook wants it written.
pub(crate) fn written(content_type: ContentType, json: String) -> String {
    match content_type {
        ContentType::Json => json,
        ContentType::Form => form_urlencoded::Serializer::new(String::new()).append_pair("payload", &json).finish(),
    }
}

/// The headers of a delivery, signed, without those of the connection.
pub(crate) fn headers(hook: &Hook, event: &str, guid: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    let content_type = match hook.config.content_type {
        ContentType::Json => "application/json",
        ContentType::Form => "application/x-www-form-urlencoded",
    };
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Content-Type", content_type.to_owned()),
        ("User-Agent", format!("GitHub-Hookshot/{}", random::settled(&["hookshot"], random::HEX, 7))),
        ("X-GitHub-Delivery", guid.to_owned()),
        ("X-GitHub-Event", event.to_owned()),
        ("X-GitHub-Hook-ID", hook.id.to_string()),
        ("X-GitHub-Hook-Installation-Target-ID", hook.repository_id.to_string()),
        ("X-GitHub-Hook-Installation-Target-Type", "repository".to_owned()),
    ];
    if let Some(secret) = &hook.config.secret {
        let (sha1, sha256) = signature::sign(secret, body);
        headers.extend([("X-Hub-Signature", sha1), ("X-Hub-Signature-256", sha256)]);
    }
    headers
}

/// The same again, under a new id, to where the hook points now.
pub(crate) fn again(hooks: &mut Hooks, hook: &Hook, earlier: &Parcel) -> Parcel {
    let id = hooks.next_delivery_id();
    Parcel { id, is_redelivery: true, url: hook.config.url.clone(), ..earlier.clone() }
}

/// Sends everything in the outbox, in the background.
pub(crate) fn start_all(simulation: &Arc<Simulation>) {
    let parcels = std::mem::take(&mut simulation.world().hooks.outbox);
    for parcel in parcels {
        let simulation = Arc::clone(simulation);
        tokio::spawn(async move { deliver(&simulation, parcel).await });
    }
}

/// Sends one parcel and remembers how it went. Ends early, and unremembered, with the simulator.
pub(crate) async fn deliver(simulation: &Simulation, parcel: Parcel) -> Option<Delivery> {
    let limit = simulation.world().config.delivery_timeout;
    let delivered_at = simulation.now();
    let outcome = tokio::select! {
        () = simulation.closed() => return None,
        outcome = outcome(&parcel, limit) => outcome,
    };
    let duration = delivered_at.until(simulation.now());
    let delivery = Delivery { parcel, outcome, delivered_at, duration };
    simulation.world().hooks.delivered(delivery.clone());
    simulation.tell_change();
    Some(delivery)
}

async fn outcome(parcel: &Parcel, limit: Duration) -> Outcome {
    if parcel.body.len() > PAYLOAD_BYTES_MAX {
        return Outcome::TooLarge;
    }
    match tokio::time::timeout(limit, post::send(parcel)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Outcome::TimedOut,
    }
}

/// A UUID that looks like version 1, as the real ones do.
pub(crate) fn guid() -> Result<String, NoRandomness> {
    let hex = |length| random::text(random::HEX, length);
    let variant = random::text(b"89ab", 1)?;
    Ok(format!("{}-{}-11{}-{variant}{}-{}", hex(8)?, hex(4)?, hex(2)?, hex(3)?, hex(12)?))
}
