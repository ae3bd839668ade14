//! Deliveries that were made: kept three days, told by the API, sent again on demand.
//!
//! Memory has an end: the oldest go when there are too many or when they are too large together.

use super::LastResponse;
use crate::clock::Timestamp;
use crate::github::date;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a delivery can be seen and sent again: three days, as on github.com.
const RETENTION: Duration = Duration::from_secs(3 * 86_400);
const DELIVERIES_MAX: usize = 2000;
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Something to deliver to one hook.
#[derive(Clone)]
pub(crate) struct Parcel {
    pub(crate) id: u64,
    pub(crate) guid: String,
    pub(crate) hook_id: u64,
    pub(crate) repository_id: u64,
    pub(crate) event: String,
    pub(crate) is_redelivery: bool,
    pub(crate) url: String,
    /// As they go over the wire, without those of the connection.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) payload: Value,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    ConnectionFailed,
    TimedOut,
    /// Larger than 25 MB: never sent.
    TooLarge,
}

impl Outcome {
    fn status_code(&self) -> u16 {
        match self {
            Self::Answered { status, .. } => *status,
            Self::ConnectionFailed => 502,
            Self::TimedOut | Self::TooLarge => 0,
        }
    }

    /// Any 2xx is a success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code())
    }

    /// In the real one's words.
    pub(crate) fn status(&self) -> String {
        match self {
            Self::Answered { .. } if self.is_success() => "OK".to_owned(),
            Self::Answered { status, .. } => format!("Invalid HTTP Response: {status}"),
            Self::ConnectionFailed => "failed to connect to host".to_owned(),
            Self::TimedOut => "timed out".to_owned(),
            Self::TooLarge => "payload too large".to_owned(),
        }
    }
}

/// A delivery that was made.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) parcel: Parcel,
    pub(crate) outcome: Outcome,
    pub(crate) delivered_at: Timestamp,
    pub(crate) duration: Duration,
}

impl Delivery {
    pub(crate) fn is_success(&self) -> bool {
        self.outcome.is_success()
    }

    pub(crate) fn last_response(&self) -> LastResponse {
        let status = match self.outcome {
            Outcome::Answered { .. } if self.is_success() => "active",
            Outcome::Answered { .. } => "misconfigured",
            Outcome::ConnectionFailed => "connection_error",
            Outcome::TimedOut => "timeout",
            Outcome::TooLarge => "payload_too_large",
        };
        LastResponse { code: Some(self.outcome.status_code()), status, message: Some(self.outcome.status()) }
    }

    /// An element of the list.
    pub(crate) fn item(&self) -> Map<String, Value> {
        let seconds = (self.duration.as_secs_f64() * 100.0).round() / 100.0;
        Map::from_iter(
            [
                ("id", json!(self.parcel.id)),
                ("guid", json!(self.parcel.guid)),
                ("delivered_at", json!(date::iso(self.delivered_at.unix_seconds()))),
                ("redelivery", json!(self.parcel.is_redelivery)),
                ("duration", json!(seconds)),
                ("status", json!(self.outcome.status())),
                ("status_code", json!(self.outcome.status_code())),
                ("event", json!(self.parcel.event)),
                ("action", self.parcel.payload.get("action").cloned().unwrap_or_default()),
                ("installation_id", Value::Null),
                ("repository_id", json!(self.parcel.repository_id)),
                ("throttled_at", Value::Null),
                ("url", json!(self.parcel.url)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        )
    }

    /// The whole: what was sent and what came back.
    pub(crate) fn view(&self) -> Value {
        let sent: Map<String, Value> =
            self.parcel.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let response = match &self.outcome {
            Outcome::Answered { headers, body, .. } => {
                let headers: Map<String, Value> =
                    headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                json!({ "headers": headers, "payload": body })
            }
            _ => json!({ "headers": null, "payload": null }),
        };
        let mut view = self.item();
        view.insert("request".to_owned(), json!({ "headers": sent, "payload": self.parcel.payload }));
        view.insert("response".to_owned(), response);
        Value::Object(view)
    }

    fn bytes(&self) -> usize {
        let answered = match &self.outcome {
            Outcome::Answered { body, .. } => body.len(),
            _ => 0,
        };
        // The payload is there as text and as a tree.
        self.parcel.body.len() * 2 + answered
    }
}

/// The newest deliveries.
#[derive(Default)]
pub(crate) struct DeliveryLog {
    /// The oldest first.
    entries: VecDeque<Delivery>,
    bytes: usize,
}

impl DeliveryLog {
    pub(crate) fn push(&mut self, delivery: Delivery) {
        self.bytes += delivery.bytes();
        self.entries.push_back(delivery);
        while self.entries.len() > DELIVERIES_MAX || (self.bytes > BYTES_MAX && self.entries.len() > 1) {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    /// The deliveries of a hook, the newest first.
    pub(crate) fn of(&self, hook_id: u64, now: Timestamp) -> impl Iterator<Item = &Delivery> {
        let is_kept = move |one: &&Delivery| one.parcel.hook_id == hook_id && now < one.delivered_at.after(RETENTION);
        self.entries.iter().rev().filter(is_kept)
    }
}
