//! `POST /push/{id}`: a message for a subscription (RFC 8030 §5), and the resource that it becomes (§6).

use super::authorization;
use super::world::{Message, Simulation, World};
use crate::call::Call;
use crate::clock::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// Bytes of a body that every push service takes (RFC 8030 §7.2), and this one takes no more.
const BODY_BYTES_MAX: usize = 4096;
/// Seconds that a message is kept, at most: four weeks, as the known services do.
const TTL_SECONDS_MAX: u64 = 28 * 86_400;
/// Salt, record size, length of the key's id, and the key (RFC 8188 §2.1, RFC 8291 §4).
const HEADER_BYTES: usize = 16 + 4 + 1 + 65;
/// A record has at least a delimiter and a tag.
const RECORD_BYTES_MIN: usize = 17;

pub(crate) fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "code": status.as_u16(), "message": why }))).into_response()
}

pub(crate) async fn post(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>, call: Call) -> Response {
    let audience = simulation.base_url().to_owned();
    simulation.change(|world, now| match take(world, &id, &call, &audience, now) {
        Ok((location, ttl)) => {
            let headers = [(header::LOCATION, format!("{audience}{location}")), (TTL, ttl.to_string())];
            (StatusCode::CREATED, headers).into_response()
        }
        Err((status, why)) => refuse(status, why),
    })
}

const TTL: header::HeaderName = header::HeaderName::from_static("ttl");

type Refusal = (StatusCode, &'static str);

/// Where the message lies now, and how long it is kept.
fn take(world: &mut World, id: &str, call: &Call, audience: &str, now: Timestamp) -> Result<(String, u64), Refusal> {
    let bad = |why| (StatusCode::BAD_REQUEST, why);
    if call.head.method != Method::POST {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "a message is posted"));
    }
    let subscription = world.subscription(id).ok_or((StatusCode::NOT_FOUND, "no such subscription"))?;
    if subscription.ended {
        return Err((StatusCode::GONE, "the subscription has ended"));
    }
    let authorization = call.authorization();
    let sender = match authorization {
        None if !world.switches.authorization_needed && subscription.application_server_key.is_none() => None,
        value => Some(authorization::judge(value, &subscription, audience, now)?),
    };
    let ttl: u64 = call.header("ttl").and_then(|ttl| ttl.parse().ok()).ok_or(bad("TTL is missing or no number"))?;
    let urgency = call.header("urgency").unwrap_or("normal");
    if !matches!(urgency, "very-low" | "low" | "normal" | "high") {
        return Err(bad("Urgency is none of the four"));
    }
    let topic = call.header("topic");
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if topic.is_some_and(|topic| topic.is_empty() || topic.len() > 32 || !topic.bytes().all(is_letter)) {
        return Err(bad("Topic is more than 32 characters, or not of the base64url alphabet"));
    }
    if call.body.len() > BODY_BYTES_MAX {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "more than 4096 bytes"));
    }
    if !call.body.is_empty() {
        if call.header("content-encoding") != Some("aes128gcm") {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Encoding is not aes128gcm"));
        }
        check_record(&call.body).map_err(bad)?;
    }
    let message = Message {
        id: 0,
        subscription: id.to_owned(),
        at: now,
        ttl: ttl.min(TTL_SECONDS_MAX),
        urgency: urgency.to_owned(),
        topic: topic.map(str::to_owned),
        sender,
        body: call.body.to_vec(),
    };
    let ttl = message.ttl;
    Ok((format!("/message/{}", world.keep(message)), ttl))
}

/// The form of one record under a header with the sender's key.
fn check_record(body: &[u8]) -> Result<(), &'static str> {
    let (header, record) = body.split_at_checked(HEADER_BYTES).ok_or("the body is too short")?;
    let size = header.get(16..20).and_then(|size| size.try_into().ok()).map(u32::from_be_bytes).unwrap_or_default();
    if header.get(20) != Some(&65) || header.get(21) != Some(&4) {
        return Err("the key's id is no uncompressed point");
    }
    let fits = u32::try_from(record.len()).is_ok_and(|length| length <= size);
    if record.len() < RECORD_BYTES_MIN || !fits { Err("not one record of the size that is said") } else { Ok(()) }
}

/// `DELETE /message/{id}` takes a message back; nothing else is known of it here.
pub(crate) async fn message(State(simulation): State<Arc<Simulation>>, Path(id): Path<u64>, call: Call) -> Response {
    match call.head.method {
        Method::DELETE if simulation.change(|world, _now| world.take_back(id)) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Method::DELETE => refuse(StatusCode::NOT_FOUND, "no such message"),
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "a message is only deleted"),
    }
}
