//! Faults to order: what goes wrong at which path, and how often.
//!
//! A middleware around every provider's routes, so that no endpoint knows of it. Some kinds answer
//! in the endpoint's place (nothing is spent: `status`, `redirect`, `rate_limit`, `error`); the
//! others spoil the endpoint's own answer on its way out (what it did is done: `cut`, `garbage`,
//! `huge`, `content_type`) or hold the call back before it (`slow`). The notation of `error` and
//! `rate_limit` is the provider's. Not here: `/_simulate` itself, which never fails on order.

use crate::control::Refusal;
use crate::simulation::{Provider, Simulation};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

/// What the control API's addresses begin with.
const CONTROL: &str = "/_simulate";
/// At most so many ordered faults.
const FAULTS_MAX: usize = 1000;
/// The longest wait that can be ordered.
const SLOW_SECONDS_MAX: f64 = 600.0;
/// Answers of ours are smaller than this; a larger one is not spoilt.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How much of a made-up body is in memory at a time.
const CHUNK: &[u8] = &[b'a'; 16 * 1024];
/// Noise, of which no part is UTF-8, JSON or a form.
const NOISE: [u8; 8] = [0xff, 0x00, 0x9d, 0xfe, b'{', 0xc3, 0x28, 0x80];

/// What was ordered for one path.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The path of the calls that fail; with a `*` at its end, all that begin so.
    at: String,
    /// How many more calls fail; `None` is always.
    left: Option<u64>,
    kind: Kind,
}

/// What happens to a call.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    /// So many seconds pass before the endpoint is asked.
    Slow { seconds: f64 },
    /// The connection breaks after so many bytes of the answer's body.
    Cut { bytes: usize },
    /// This status, with this body.
    Status { status: u16, body: Option<String>, content_type: Option<String> },
    /// To this address: 302 unless another status is named.
    Redirect { location: String, status: Option<u16> },
    /// The right status and type, and so many bytes of noise: 64 unless said.
    Garbage { bytes: Option<u64> },
    /// The right status and type, and so many bytes of `a`, without a length told before.
    Huge { bytes: u64 },
    /// The right body labelled with this type.
    ContentType { content_type: String },
    /// As when too many calls came, in the provider's words.
    RateLimit,
    /// An error of the provider's own.
    Error(OwnError),
}

/// An error by the provider's own code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnError {
    /// `40029`, `bad_verification_code`, …
    #[serde(rename = "error", deserialize_with = "number_or_text")]
    pub(crate) code: String,
    /// The text beside it, when not the usual one.
    #[serde(default)]
    pub(crate) description: Option<String>,
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("error is a number or a text")),
    }
}

impl Fault {
    /// Reads `{"at": "/path", "times": 1, "kind": …}`; `times` is 1 unless said, or `"always"`.
    pub(crate) fn read(mut body: Map<String, Value>) -> Result<Self, Refusal> {
        let bad = |text: &str| Refusal::BadRequest(text.to_owned());
        let at = match body.remove("at") {
            Some(Value::String(at)) if at.starts_with('/') => at,
            _ => return Err(bad("at is the path of an endpoint")),
        };
        if at.starts_with(CONTROL) {
            return Err(bad("the control API never fails on order"));
        }
        let left = match body.remove("times") {
            None => Some(1),
            Some(Value::String(word)) if word == "always" => None,
            Some(Value::Number(times)) if times.as_u64().is_some_and(|times| times > 0) => times.as_u64(),
            Some(_) => return Err(bad("times is a whole number from 1, or \"always\"")),
        };
        let kind: Kind = serde_json::from_value(Value::Object(body))?;
        kind.check().map_err(bad)?;
        Ok(Self { at, left, kind })
    }

    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    pub(crate) fn own_error(&self) -> Option<&OwnError> {
        match &self.kind {
            Kind::Error(error) => Some(error),
            _ => None,
        }
    }

    fn strikes(&self, path: &str) -> bool {
        // Whoever orders `/*` must be able to take it back.
        !path.starts_with(CONTROL)
            && match self.at.strip_suffix('*') {
                Some(beginning) => path.starts_with(beginning),
                None => path == self.at,
            }
    }
}

impl Kind {
    /// The word it was ordered with. What a body says is nothing for a log.
    fn name(&self) -> &'static str {
        match self {
            Self::Slow { .. } => "slow",
            Self::Cut { .. } => "cut",
            Self::Status { .. } => "status",
            Self::Redirect { .. } => "redirect",
            Self::Garbage { .. } => "garbage",
            Self::Huge { .. } => "huge",
            Self::ContentType { .. } => "content_type",
            Self::RateLimit => "rate_limit",
            Self::Error(_) => "error",
        }
    }

    /// Everything is checked when it is ordered, so that nothing fails when it strikes.
    fn check(&self) -> Result<(), &'static str> {
        let is_header = |text: &str| HeaderValue::from_str(text).is_ok();
        match self {
            Self::Slow { seconds } if !(0.0..=SLOW_SECONDS_MAX).contains(seconds) => Err("seconds is from 0 to 600"),
            Self::Status { status, .. } if !(200..=599).contains(status) => Err("status is from 200 to 599"),
            Self::Status { content_type: Some(text), .. } if !is_header(text) => Err("content_type is no header"),
            Self::Redirect { status: Some(status), .. } if !(300..=399).contains(status) => {
                Err("status of a redirect is from 300 to 399")
            }
            Self::Redirect { location, .. } if !is_header(location) => Err("location is no header"),
            Self::ContentType { content_type } if !is_header(content_type) => Err("content_type is no header"),
            _ => Ok(()),
        }
    }
}

/// The faults in the order they were ordered.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn order(&mut self, fault: Fault) -> Result<(), Refusal> {
        if self.0.len() >= FAULTS_MAX {
            return Err(Refusal::Conflict("too many already"));
        }
        self.0.push(fault);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to a call to `path`, if anything; it is used up by one.
    fn take(&mut self, path: &str) -> Option<Kind> {
        let fault = self.0.iter_mut().find(|fault| fault.left != Some(0) && fault.strikes(path))?;
        fault.left = fault.left.map(|left| left.saturating_sub(1));
        let kind = fault.kind.clone();
        self.0.retain(|fault| fault.left != Some(0));
        Some(kind)
    }
}

/// Lets what was ordered happen, and stamps every answer with the provider's idea of the time.
pub(crate) async fn strike<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    request: Request,
    next: Next,
) -> Response {
    let kind = simulation.world().scene_mut().faults.take(request.uri().path());
    let mut response = match kind {
        None => next.run(request).await,
        Some(kind) => struck(&simulation, kind, request, next).await,
    };
    let now = UNIX_EPOCH + Duration::from_secs(simulation.now().unix_seconds());
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn struck<P: Provider>(simulation: &Simulation<P>, kind: Kind, request: Request, next: Next) -> Response {
    tracing::debug!(path = request.uri().path(), kind = kind.name(), "an ordered fault strikes");
    let now = simulation.now();
    match kind {
        Kind::Slow { seconds } => {
            // Ends early when the simulator does.
            let wait = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            let _waited = tokio::time::timeout(wait, simulation.closed()).await;
            next.run(request).await
        }
        Kind::Status { status, body, content_type } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
            (status, [(header::CONTENT_TYPE, content_type)], body.unwrap_or_default()).into_response()
        }
        Kind::Redirect { location, status } => {
            let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::FOUND);
            (status, [(header::LOCATION, location)]).into_response()
        }
        Kind::RateLimit => {
            let (call, _body) = request.into_parts();
            simulation.world().rate_limit(&call, now)
        }
        Kind::Error(error) => {
            let (call, _body) = request.into_parts();
            simulation.world().error(&call, &error, now)
        }
        Kind::Cut { bytes } => cut(next.run(request).await, bytes).await,
        Kind::Garbage { bytes } => {
            let noise = Bytes::from(NOISE.repeat(2048));
            replace(next.run(request).await, Made { chunk: noise, left: bytes.unwrap_or(64) })
        }
        Kind::Huge { bytes } => {
            replace(next.run(request).await, Made { chunk: Bytes::from_static(CHUNK), left: bytes })
        }
        Kind::ContentType { content_type } => {
            let mut response = next.run(request).await;
            if let Ok(value) = HeaderValue::from_str(&content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            response
        }
    }
}

/// Another body under the same head.
fn replace(response: Response, body: Made) -> Response {
    let (mut head, _body) = response.into_parts();
    forget_length(&mut head.headers);
    Response::from_parts(head, Body::new(body))
}

fn forget_length(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
}

/// The first bytes of an answer whose head promises more, then a broken connection.
async fn cut(response: Response, bytes: usize) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    forget_length(&mut head.headers);
    let promised = whole.len().max(bytes.saturating_add(1));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    let sent = whole.slice(..bytes.min(whole.len()));
    Response::from_parts(head, Body::new(Cut { sent: Some(sent), is_flushed: false }))
}

/// A body of one chunk again and again, until so many bytes have gone.
struct Made {
    chunk: Bytes,
    left: u64,
}

impl HttpBody for Made {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.chunk.len());
        self.left = self.left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        Poll::Ready(Some(Ok(Frame::data(self.chunk.slice(..length)))))
    }
}

/// A body that breaks off.
struct Cut {
    sent: Option<Bytes>,
    is_flushed: bool,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(sent) = self.sent.take() {
            return Poll::Ready(Some(Ok(Frame::data(sent))));
        }
        // Pending once: the server then writes out what it holds, and only after that hears of
        // the break.
        if !self.is_flushed {
            self.is_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut on order"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
