//! Feishu and Lark: the robot in the path, time and signature in the body.

use super::config::Kind;
use super::world::{Limit, Said, Simulation, Span};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::jws;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PATH: &str = "/open-apis/bot/v2/hook/{token}";
pub(crate) const TOO_OFTEN: i64 = 11_232;
const BYTES_MAX: usize = 20_000;
/// 5 in a second, 100 in a minute.
const LIMITS: [Limit; 2] = [
    Limit { calls: 5, span: Duration::from_secs(1), shut_off: Duration::ZERO },
    Limit { calls: 100, span: Duration::from_secs(60), shut_off: Duration::ZERO },
];
const CLOCK_SECONDS_MAX: u64 = 3600;

const ERRORS: [(i64, &str); 7] = [
    (9499, "Bad Request"),
    (TOO_OFTEN, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"),
    (19_001, "param invalid: incoming webhook access token invalid"),
    (19_002, "params error, msg_type need"),
    (19_007, "Bot Not Enabled"),
    (19_021, "sign match fail or timestamp is not within one hour from current time"),
    (19_024, "Key Words Not Found"),
];

/// 9499 comes with 400, the others with 200.
pub(crate) fn error(code: i64, text: Option<&str>) -> Response {
    let known = ERRORS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text);
    let status = if code == 9499 { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    (status, Json(json!({ "code": code, "data": {}, "msg": text.or(known).unwrap_or("error") }))).into_response()
}

pub(crate) async fn send(State(simulation): State<Arc<Simulation>>, Path(token): Path<String>, call: Call) -> Response {
    simulation.change(|world, now| {
        let Some(robot) = world.robot(Kind::Feishu, &token) else {
            return error(19_001, None);
        };
        let body = call.json();
        if call.body.len() > BYTES_MAX || !body.is_object() {
            return error(9499, None);
        }
        if robot.stopped {
            return error(19_007, None);
        }
        if robot.secret.as_deref().is_some_and(|secret| !is_signed(&body, secret, now)) {
            return error(19_021, None);
        }
        let said = match said(&body) {
            Ok(said) => said,
            Err(code) => return error(code, None),
        };
        if robot.keyword.as_ref().is_some_and(|word| !body.to_string().contains(word.as_str())) {
            return error(19_024, None);
        }
        if !world.admit(&robot, &LIMITS, now) {
            return error(TOO_OFTEN, None);
        }
        world.say(&robot, said, body, now);
        Json(json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" }))
            .into_response()
    })
}

/// The signature covers nothing; time and secret are its key.
fn is_signed(body: &Value, secret: &str, now: Timestamp) -> bool {
    let timestamp = match body.get("timestamp") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return false,
    };
    let is_near = |seconds: u64| seconds.abs_diff(now.unix_seconds()) <= CLOCK_SECONDS_MAX;
    let signature = STANDARD.encode(jws::hmac_sha256(format!("{timestamp}\n{secret}").as_bytes(), b""));
    timestamp.parse().is_ok_and(is_near) && body.get("sign").is_some_and(|sign| *sign == signature)
}

/// What the group sees of a body, or the number of what is wrong with it.
fn said(body: &Value) -> Result<Said, i64> {
    match body.get("msg_type").and_then(Value::as_str) {
        Some("text") => {
            let text = body.pointer("/content/text").and_then(Value::as_str).ok_or(9499)?;
            Ok(Said { title: String::new(), lines: text.lines().map(mentions).collect() })
        }
        Some("post") => post(body.pointer("/content/post").and_then(Value::as_object).ok_or(9499)?),
        Some(_) => Err(9499),
        None => Err(19_002),
    }
}

/// Rich text in one of two languages: paragraphs of tagged nodes.
fn post(languages: &serde_json::Map<String, Value>) -> Result<Said, i64> {
    let post = ["zh_cn", "en_us"].into_iter().find_map(|name| languages.get(name)).ok_or(9499)?;
    let title = post.get("title").and_then(Value::as_str).unwrap_or_default();
    let mut lines = Vec::new();
    for paragraph in post.get("content").and_then(Value::as_array).ok_or(9499)? {
        let mut spans = Vec::new();
        for node in paragraph.as_array().ok_or(9499)? {
            let text = |name: &str| node.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(9499);
            spans.push(match text("tag")?.as_str() {
                "text" => Span::Text(text("text")?),
                "a" => Span::Link { text: text("text")?, href: text("href")? },
                "at" => Span::Mention(text("user_id")?),
                _ => return Err(9499),
            });
        }
        lines.push(spans);
    }
    Ok(Said { title: title.to_owned(), lines })
}

/// A plain text mentions by `<at user_id="…">`.
fn mentions(line: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("<at user_id=\"") {
        let Some((whom, after)) = after.split_once("\">") else { break };
        spans.extend([before.into(), Span::Mention(whom.to_owned())]);
        rest = after.split_once("</at>").map_or(after, |(_name, after)| after);
    }
    spans.push(rest.into());
    spans
}
