//! A topic's events: posted, read page by page, one at a time, or followed as they come ([`super::topic_stream`]). A
//! protected resource (RFC 6750); a browser that is signed in here may read by its session. Events are CloudEvents 1.0.

use std::sync::Arc;

use fujie_channel::event::{Data, NOTICE, is_reserved};
use fujie_core::{
    channel::{READ, WRITE},
    error::ErrorCode,
};
use fujie_store::ChannelEvent;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::topic_stream;
use crate::{
    channel::{
        access::{Credential, Visitor},
        log,
        post::{self, Name, PostError, Posted, Taken},
    },
    http::{Request, Response, busy, counted, json, json_text, refusal, unavailable, with_header},
    notice::{Draft, Notice, NoticeError},
    server::Server,
};

/// Events of one page, at most.
const PAGE_MAX: u32 = 200;
/// Texts of one page, in bytes.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// The media type of one event.
const CLOUDEVENT: &str = "application/cloudevents+json";

/// GET `/topics/{topic}/events`: what comes after `after`, or after the header `Last-Event-ID`, as a page of JSON when
/// that is what is accepted, else as a stream.
pub async fn get(server: &Arc<Server>, request: &Request, topic: &str) -> Response {
    let credential = match Credential::of_request(server, request) {
        Ok(credential) => credential,
        Err(response) => return *response,
    };
    let visitor = match credential.member(server, READ, topic).await {
        Ok(visitor) => visitor,
        Err(denied) => return denied.response(),
    };
    let after = match cursor(request) {
        Ok(after) => after,
        Err(response) => return *response,
    };
    let accept = request.header(header::ACCEPT).unwrap_or_default();
    if accept.contains("application/json") && !accept.contains("text/event-stream") {
        return page(server, request, topic, after.unwrap_or_default()).await;
    }
    topic_stream::begin(server, (credential, &visitor.member), topic, after).await
}

/// The event after which to go on. A stream that reconnects names it in the header, which therefore outranks the
/// address.
fn cursor(request: &Request) -> Result<Option<i64>, Box<Response>> {
    let query = request.query().unwrap_or_default();
    let named = request.header(HeaderName::from_static("last-event-id")).filter(|id| !id.is_empty());
    let Some(text) = named.or_else(|| query.text("after")) else { return Ok(None) };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| is_number);
    id.map(Some).ok_or_else(|| Box::new(wrong("an event is named by its id, a number")))
}

async fn page(server: &Server, request: &Request, topic: &str, after: i64) -> Response {
    let query = request.query().unwrap_or_default();
    let limit = query.text("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let read = async {
        let told = *server.store.channel_head().borrow();
        let head = if after > told { server.store.renew_channel_head().await? } else { told };
        // A poller with an id of a log that was lost goes on from the present, as those who follow do.
        let after = after.min(head);
        Ok((after, server.store.events_in(topic, after, limit, PAGE_BYTES_MAX).await?))
    };
    let (after, rows) = match read.await {
        Ok(read) => read,
        Err(error) => return unavailable(&error),
    };
    let next = rows.last().map_or(after, |last| last.id);
    let mut body = br#"{"events":["#.to_vec();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&log::event(server.issuer(), row).line);
    }
    body.extend_from_slice(format!(r#"],"next":"{next}"}}"#).as_bytes());
    json_text(StatusCode::OK, body)
}

/// GET `/topics/{topic}/events/{id}`: the event's data, also when it is too long for a line (`dataref`); or the event
/// with it, when `application/cloudevents+json` is accepted.
pub async fn get_one(server: &Server, request: &Request, topic: &str, id: &str) -> Response {
    let credential = match Credential::of_request(server, request) {
        Ok(credential) => credential,
        Err(response) => return *response,
    };
    if let Err(denied) = credential.member(server, READ, topic).await {
        return denied.response();
    }
    let found = match id.parse() {
        Ok(id) => server.store.channel_event(topic, id).await,
        Err(_) => Ok(None),
    };
    let (row, body) = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            return refusal(
                StatusCode::NOT_FOUND,
                ErrorCode::InvalidRequest.as_str(),
                "there is no such event any more",
            );
        }
        Err(error) => return unavailable(&error),
    };
    let data = row.data.clone().map(String::into_bytes).or(body).unwrap_or_else(|| b"null".to_vec());
    let wants_event = request.header(header::ACCEPT).is_some_and(|accept| accept.contains(CLOUDEVENT));
    let text = if wants_event { whole(&row, &data) } else { data };
    // Up to 25 MB, which a reader may take as slowly as it likes.
    let Some(text) = counted(&server.answers, text) else { return busy() };
    let response = json_text(StatusCode::OK, text);
    let response = if wants_event { as_event(response) } else { response };
    with_header(response, header::CONTENT_SECURITY_POLICY, "default-src 'none'")
}

/// The event with its data, however long that is.
fn whole(row: &ChannelEvent, data: &[u8]) -> Vec<u8> {
    let line = log::parts(row, Data::None).render().unwrap_or_default();
    let Some(head) = line.strip_suffix(b"}") else { return line.to_vec() };
    [head, br#","datacontenttype":"application/json","data":"#, data, b"}"].concat()
}

/// POST `/topics/{topic}/events`: a notice as JSON, or any event as CloudEvents JSON. 201 when it is new; 200 when the
/// member posted it before by the same `source` and `id`, with the event of then.
pub async fn post(server: &Server, request: &Request, topic: &str) -> Response {
    match append(server, request, topic).await {
        Ok(response) | Err(response) => response,
    }
}

async fn append(server: &Server, request: &Request, topic: &str) -> Result<Response, Response> {
    let credential = Credential::of_header(request).map_err(|response| *response)?;
    let visitor = credential.member(server, WRITE, topic).await.map_err(|denied| denied.response())?;
    let read = || posted(request, &visitor);
    let taken = post::append(server, &visitor.member, topic, read).await.map_err(|error| error.response())?;
    let Taken { event_id, is_repeat } = taken;
    let status = if is_repeat { StatusCode::OK } else { StatusCode::CREATED };
    let response = match server.store.channel_event(topic, event_id).await {
        Ok(Some((row, _))) => as_event(json_text(status, log::event(server.issuer(), &row).line)),
        // It took effect: that it cannot be shown now changes nothing.
        Ok(None) | Err(_) => json(status, &json!({ "event": event_id.to_string() })),
    };
    Ok(with_header(response, header::LOCATION, &format!("/topics/{topic}/events/{event_id}")))
}

/// A notice as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeBody {
    #[serde(rename = "type")]
    event_type: Option<String>,
    title: String,
    #[serde(default)]
    text: String,
    kind: Option<String>,
    at: Option<String>,
}

/// An event as JSON. The one it becomes gets `id`, `source` and `time` from this server; the sender's `id` and `source`
/// make it happen once.
#[derive(Deserialize)]
struct EventBody {
    specversion: String,
    id: Option<Value>,
    source: Option<Value>,
    #[serde(rename = "type")]
    event_type: String,
    subject: Option<String>,
    data: Option<Box<RawValue>>,
    data_base64: Option<String>,
}

/// What the body says, as `author`'s.
fn posted(request: &Request, author: &Visitor) -> Result<Posted, BodyError> {
    match request.media_type().as_str() {
        "application/json" => {
            let body: NoticeBody = serde_json::from_slice(&request.body)?;
            if body.event_type.as_deref().is_some_and(|own| own != NOTICE) {
                return Err(BodyError::NotNotice);
            }
            body.posted(author)
        }
        CLOUDEVENT => {
            let event: EventBody = serde_json::from_slice(&request.body)?;
            let name = event.name()?;
            let posted = if event.event_type == NOTICE {
                let data = event.data.as_deref().map_or("null", RawValue::get);
                serde_json::from_str::<NoticeBody>(data)?.posted(author)?
            } else {
                event.posted()?
            };
            Ok(Posted { name, ..posted })
        }
        _ => Err(BodyError::MediaType),
    }
}

impl NoticeBody {
    fn posted(&self, author: &Visitor) -> Result<Posted, BodyError> {
        let (kind, at) = (self.kind.as_deref(), self.at.as_deref());
        let draft = Draft { title: &self.title, text: &self.text, kind, at };
        Ok(Notice::new(draft, &author.name)?.posted())
    }
}

impl EventBody {
    fn posted(self) -> Result<Posted, BodyError> {
        let Self { specversion, event_type, subject, data, data_base64, .. } = self;
        let is_word = (1..=128).contains(&event_type.len()) && event_type.bytes().all(|b| b.is_ascii_graphic());
        // What other parts of this server say is not said by members.
        if is_reserved(&event_type) || !is_word {
            return Err(BodyError::Type);
        }
        if !subject.as_deref().is_none_or(is_short) {
            return Err(BodyError::Subject);
        }
        if specversion != "1.0" {
            return Err(BodyError::Version);
        }
        if data_base64.is_some() {
            return Err(BodyError::Base64);
        }
        let data = data.as_deref().map_or("null", RawValue::get).to_owned();
        Ok(Posted { event_type, subject, name: None, data })
    }

    /// How its sender names it. A `source` alone names nothing.
    fn name(&self) -> Result<Option<Name>, BodyError> {
        let Some(id) = &self.id else { return Ok(None) };
        let text = |value: &Value| value.as_str().filter(|text| is_short(text)).map(str::to_owned);
        let source = self.source.as_ref().and_then(text).ok_or(BodyError::Name)?;
        Ok(Some(Name { source, id: text(id).ok_or(BodyError::Name)? }))
    }
}

fn is_short(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Why a posted event is not taken.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("send application/json for a notice, or application/cloudevents+json")]
    MediaType,
    #[error("the body is not as it should be: {0}")]
    Json(#[from] serde_json::Error),
    #[error("an event of another type than notice goes as application/cloudevents+json")]
    NotNotice,
    #[error("type must be 1 to 128 visible ASCII characters and begin with neither fujie. nor com.github.")]
    Type,
    #[error("subject must be 1 to 256 characters without controls")]
    Subject,
    #[error("id and source must be texts of 1 to 256 characters without controls")]
    Name,
    #[error("specversion must be 1.0")]
    Version,
    #[error("data_base64 is not taken: the data must be JSON, in data")]
    Base64,
    #[error(transparent)]
    Notice(#[from] NoticeError),
    #[error(transparent)]
    Post(#[from] PostError),
}

impl BodyError {
    fn response(&self) -> Response {
        let status = match self {
            Self::Post(error) => return error.response(),
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        };
        refusal(status, ErrorCode::InvalidRequest.as_str(), &self.to_string())
    }
}

fn as_event(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CLOUDEVENT));
    response
}

fn wrong(description: &str) -> Response {
    refusal(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest.as_str(), description)
}
