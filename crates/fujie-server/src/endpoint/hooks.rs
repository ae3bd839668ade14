//! `POST /hooks/{id}`: what somebody else's machine tells an integration. Proven over the raw body, taken in once and
//! durably, and answered: 202 when it is new, 200 when it was there before, 503 when it should come again. What becomes
//! of it afterwards is not waited for.

use std::sync::Arc;

use fujie_channel::webhook::{self, Kind, Names, Refusal, Secrets, sender};
use fujie_core::{
    error::ErrorCode,
    random::SystemRandom,
    secret::{Kind as SecretKind, Secret},
    time::Timestamp,
    token::at_rest::AtRest,
};
use fujie_store::{Delivery, Integration, IntegrationKind, NewEvent, Receipt};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::json;

use crate::{
    channel::log,
    http::{BODY_LENGTH_MAX, Request, Response, full, json, refusal, unavailable, with_header},
    read::Allowance,
    server::Server,
};

/// The largest body of a delivery, in bytes: GitHub sends up to 25 MB, and this is the larger reading of that.
const DELIVERY_LENGTH_MAX: usize = 25 * 1024 * 1024;
/// Memory for large deliveries to the integrations of one account, in KiB.
pub(crate) const MEMORY_MAX: u32 = 64 * 1024;

/// What a large delivery may bring; without a proof, or to an integration that does not exist, it is answered unread.
/// Until it was read whole it may be anybody's, so those to the integrations of one account leave memory for those to
/// others.
pub(crate) async fn allowance(server: &Server, request: &Request, id: &str) -> Result<Allowance, Response> {
    let integration = match server.store.integration(id).await {
        Ok(Some(integration)) => integration,
        Ok(None) => return Err(unknown()),
        Err(error) => return Err(unavailable(&error)),
    };
    let door = Door::of(&integration).ok_or_else(broken)?;
    webhook::presented(&door.kind, &request.headers).map_err(|cause| refuse(&cause, &door.proof))?;
    let memory = vec![server.delivery_memory.of(integration.created_by), Arc::clone(&server.memory)];
    Ok(Allowance { length_max: DELIVERY_LENGTH_MAX, memory })
}

/// POST.
pub async fn post(server: &Server, request: &Request, id: &str) -> Response {
    match receive(server, request, id).await {
        Ok(response) | Err(response) => response,
    }
}

async fn receive(server: &Server, request: &Request, id: &str) -> Result<Response, Response> {
    let now = server.now();
    let integration = server.store.integration(id).await.map_err(|error| unavailable(&error))?;
    let Some(integration) = integration else {
        // As much work as for one that exists.
        let nobodys = Secret::random(SecretKind::Browser, &mut SystemRandom);
        drop(webhook::judge(&Kind::Github, &[nobodys], &request.headers, &request.body, now));
        return Err(unknown());
    };
    let door = Door::of(&integration).ok_or_else(broken)?;
    let secret = server.open_secret(AtRest::WebhookSecret, id, &integration.sealed_secret);
    let secret = secret.map_err(|error| {
        tracing::error!(%error, integration = id, "an integration's secret does not open");
        broken()
    })?;
    let proof = door.proof.clone();
    let secrets = Secrets::read(&secret);
    let judging =
        Judging { integration, door, secrets, headers: request.headers.clone(), body: request.body.clone(), now };
    let judged = if request.body.len() > BODY_LENGTH_MAX {
        // Long enough to keep others waiting.
        tokio::task::spawn_blocking(move || judging.judge()).await.map_err(|_cancelled| broken())?
    } else {
        judging.judge()
    };
    let delivery = judged.map_err(|cause| {
        if server.channel_limit.count(&("hook", id), now) == 1 {
            tracing::warn!(%cause, integration = id, "a delivery was refused; others in this minute are not told");
        }
        refuse(&cause, &proof)
    })?;
    match server.store.receive(delivery).await {
        Ok(Receipt::Received { event_id }) => Ok(json(StatusCode::ACCEPTED, &json!({ "event": event_id.to_string() }))),
        Ok(Receipt::Duplicate { event_id }) => {
            Ok(json(StatusCode::OK, &json!({ "event": event_id.to_string(), "duplicate": true })))
        }
        Ok(Receipt::UnknownIntegration) => Err(unknown()),
        Ok(Receipt::Full) => Err(full()),
        Err(error) => Err(unavailable(&error)),
    }
}

/// How an integration is spoken to.
struct Door {
    kind: Kind,
    /// The header that proves who sends.
    proof: HeaderName,
}

impl Door {
    /// `None` when the row names headers that are none.
    fn of(integration: &Integration) -> Option<Self> {
        let name = |text: &str| HeaderName::from_bytes(text.as_bytes()).ok();
        let optional = |text: &Option<String>| text.as_deref().map_or(Some(None), |text| name(text).map(Some));
        if integration.kind == IntegrationKind::Github {
            return Some(Self { kind: Kind::Github, proof: sender::GITHUB_SIGNATURE });
        }
        let proof = name(&integration.header)?;
        let names = Names { delivery: optional(&integration.id_header)?, event: optional(&integration.event_header)? };
        let kind = match integration.kind {
            IntegrationKind::Token => Kind::Token { token: proof.clone(), names },
            _ => Kind::Hmac { signature: proof.clone(), prefix: integration.prefix.clone(), names },
        };
        Some(Self { kind, proof })
    }
}

/// All that judging one delivery needs.
struct Judging {
    integration: Integration,
    door: Door,
    secrets: Secrets,
    headers: HeaderMap,
    body: bytes::Bytes,
    now: Timestamp,
}

impl Judging {
    fn judge(self) -> Result<Delivery, Refusal> {
        let Self { integration, door, secrets, headers, body, now } = self;
        let received = webhook::judge(&door.kind, secrets.standing(), &headers, &body, now)?;
        let event = received.event_type.strip_prefix("com.github.").unwrap_or(&received.event_type).to_owned();
        // Who brings no name has two, of ours.
        let is_own = received.earlier.is_none();
        let new = NewEvent {
            topic: integration.topic,
            at: now,
            event_type: received.event_type,
            source: format!("/hooks/{}", integration.id),
            subject: None,
            delivery: is_own.then(|| received.delivery.clone()),
            data: Some(received.data.into_owned()),
            body: None,
        };
        let append = log::fitted(new).or(Err(Refusal::NotJson))?;
        let (delivery, earlier) = (received.delivery, received.earlier);
        Ok(Delivery { integration: integration.id, delivery, earlier, event, append })
    }
}

fn refuse(cause: &Refusal, proof: &HeaderName) -> Response {
    let (status, words) = (cause.status(), cause.to_string());
    if status == StatusCode::UNAUTHORIZED {
        let response = refusal(status, "invalid_signature", &words);
        return with_header(response, header::WWW_AUTHENTICATE, &format!("Webhook header=\"{proof}\""));
    }
    let response = refusal(status, ErrorCode::InvalidRequest.as_str(), &words);
    match cause {
        // What would have been accepted (RFC 9110 §15.5.16).
        Refusal::ContentEncoding => with_header(response, header::ACCEPT_ENCODING, "identity"),
        _ => response,
    }
}

fn unknown() -> Response {
    refusal(StatusCode::NOT_FOUND, "unknown_integration", "there is no such integration")
}

/// The integration itself is at fault, and its owner has to make it anew.
fn broken() -> Response {
    let words = "the integration cannot be used, make it anew";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError.as_str(), words)
}
