//! Web Push: a message encrypted for one browser, and what its push service answers (RFC 8030, RFC 8291, RFC 8292).
//!
//! The encryption is `web-push-native`'s; it draws the salt and the key of a message itself. The subscription comes from
//! a browser and is believed in nothing: its endpoint lies on https and is called at public addresses only. Not here:
//! sending, and keeping keys.

mod subscription;
pub mod vapid;

pub use subscription::{Subscription, SubscriptionError};

use fujie_core::time::Timestamp;
use serde_json::json;

use crate::message::Message;
use crate::post::{Cause, Request, Response, Trouble, Verdict};

/// Bytes of a message before it is encrypted, at most: 4,096 without the header and the padding of one record
/// (RFC 8291 §4).
const PAYLOAD_MAX: usize = 3993;
/// A push service keeps what it cannot deliver for so long (RFC 8030 §5.2), in seconds.
const TTL_SECONDS: u32 = 86_400;

/// Who says a message, for the service worker that shows it.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The event's id.
    pub id: i64,
    /// Its topic.
    pub topic: &'a str,
}

/// The request that brings `message` to a browser. `authorization` is [`vapid::authorization`] for
/// [`Subscription::audience`].
///
/// The payload is JSON: `title`, `body`, `url` (or null), `id` and `topic`. An event that is sent twice takes its own
/// place, as long as the first has not arrived: both have one `Topic` (RFC 8030 §5.4).
pub fn request(
    subscription: &Subscription,
    message: &Message,
    origin: Origin<'_>,
    authorization: String,
) -> Option<Request> {
    let body = subscription.encrypt(payload(message, origin))?;
    let urgency = if message.is_urgent { "high" } else { "normal" };
    let headers = vec![
        ("authorization", authorization),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", TTL_SECONDS.to_string()),
        ("urgency", urgency.to_owned()),
        ("topic", format!("event-{}", origin.id)),
    ];
    Some(Request { url: subscription.endpoint().clone(), reach: subscription.reach(), headers, body })
}

/// The payload, with as many lines as fit.
fn payload(message: &Message, origin: Origin<'_>) -> Vec<u8> {
    let render = |message: &Message| {
        let payload = json!({
            "title": message.title,
            "body": message.lines.join("\n"),
            "url": message.link,
            "id": origin.id,
            "topic": origin.topic,
        });
        payload.to_string().into_bytes()
    };
    message.fitted(render, |payload| payload.len() <= PAYLOAD_MAX)
}

/// What a push service's answer means (RFC 8030 §5, §7.3, §8.4).
pub fn judge(response: &Response, now: Timestamp) -> Verdict {
    match response.status {
        404 | 410 => Verdict::Gone(Trouble::new(Cause::Ended, &format!("HTTP {}", response.status))),
        _ => match response.verdict_by_status(now) {
            Verdict::Broken(Trouble { cause, detail }) => {
                // What it says may help; what is no text does not.
                let said = std::str::from_utf8(&response.body).unwrap_or_default();
                Verdict::Broken(Trouble::new(cause, &format!("{detail} {said}")))
            }
            other => other,
        },
    }
}

#[cfg(test)]
mod tests;
