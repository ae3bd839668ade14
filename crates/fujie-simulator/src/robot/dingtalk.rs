//! DingTalk: token, time and signature in the query; everything answered with 200 and a number.

use super::config::Kind;
use super::markdown;
use super::world::{Limit, Said, Simulation, Span};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::jws;
use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PATH: &str = "/robot/send";
pub(crate) const TOO_OFTEN: i64 = 130_101;
const BYTES_MAX: usize = 20_000;
/// 20 in a minute; who sends more is shut off for ten.
const LIMITS: [Limit; 1] = [Limit { calls: 20, span: Duration::from_secs(60), shut_off: Duration::from_secs(600) }];
/// A time may be so far from ours.
const CLOCK_SECONDS_MAX: u64 = 3600;

/// What an error says when nothing else is ordered.
const ERRORS: [(i64, &str); 11] = [
    (-1, "系统繁忙"),
    (40_035, "缺少参数 access_token"),
    (43_002, "需要POST请求"),
    (43_004, "无效的HTTP HEADER Content-Type"),
    (TOO_OFTEN, "send too fast, exceed 20 times per minute"),
    (300_001, "token is not exist"),
    (300_005, "token is not exist"),
    (310_000, "sign not match"),
    (400_102, "机器人已停用"),
    (400_105, "不支持的消息类型"),
    (460_101, "message too long, exceed 20000 bytes"),
];

pub(crate) fn error(code: i64, text: Option<&str>) -> Response {
    let known = ERRORS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text);
    Json(json!({ "errcode": code, "errmsg": text.or(known).unwrap_or("error") })).into_response()
}

/// What the security settings refuse.
fn insecure(what: &str) -> Response {
    error(310_000, Some(&format!("{what}, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")))
}

pub(crate) async fn send(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    simulation.change(|world, now| {
        if call.head.method != Method::POST {
            return error(43_002, None);
        }
        let Some(token) = call.fields.filled("access_token") else {
            return error(40_035, None);
        };
        let Some(robot) = world.robot(Kind::Dingtalk, token) else {
            return error(if world.switches.new_token_error { 300_005 } else { 300_001 }, None);
        };
        if !call.header("content-type").is_some_and(|label| label.starts_with("application/json")) {
            return error(43_004, None);
        }
        if robot.stopped {
            return error(400_102, None);
        }
        if let Some(fault) = robot.secret.as_deref().and_then(|secret| fault_of_signature(&call, secret, now)) {
            return insecure(fault);
        }
        if call.body.len() > BYTES_MAX {
            return error(460_101, None);
        }
        let body = call.json();
        let said = match said(&body) {
            Ok(said) => said,
            Err((code, text)) => return error(code, text),
        };
        if robot.keyword.as_ref().is_some_and(|word| !body.to_string().contains(word.as_str())) {
            return insecure("keywords not in content");
        }
        if !world.admit(&robot, &LIMITS, now) {
            return error(TOO_OFTEN, None);
        }
        world.say(&robot, said, body, now);
        error(0, Some("ok"))
    })
}

fn fault_of_signature(call: &Call, secret: &str, now: Timestamp) -> Option<&'static str> {
    let sent = |name: &str| call.fields.filled(name).unwrap_or_default();
    let timestamp = sent("timestamp");
    let Ok(millis) = timestamp.parse::<u64>() else {
        return Some("invalid timestamp");
    };
    if (millis / 1000).abs_diff(now.unix_seconds()) > CLOCK_SECONDS_MAX {
        return Some("invalid timestamp");
    }
    let signature = jws::hmac_sha256(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes());
    (sent("sign") != STANDARD.encode(signature)).then_some("sign not match")
}

type Fault = (i64, Option<&'static str>);

/// What the group sees of a body.
fn said(body: &Value) -> Result<Said, Fault> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let missing = |what| (40_035, Some(what));
    let mut said = match body.get("msgtype").and_then(Value::as_str) {
        Some("text") => {
            let content = text("/text/content").ok_or(missing("缺少参数 content"))?;
            Said { title: String::new(), lines: content.lines().map(|line| vec![line.into()]).collect() }
        }
        Some("markdown") => {
            let title = text("/markdown/title").ok_or(missing("缺少参数 title"))?;
            let content = text("/markdown/text").ok_or(missing("缺少参数 text"))?;
            Said { title: title.to_owned(), ..markdown::read(content) }
        }
        Some(_) => return Err((400_105, None)),
        None => return Err(missing("缺少参数 msgtype")),
    };
    // People are mentioned here alone.
    if body.pointer("/at/isAtAll").is_some_and(|all| *all == true) {
        said.lines.push(vec![Span::Mention("all".to_owned())]);
    }
    for list in ["/at/atMobiles", "/at/atUserIds"] {
        let people = body.pointer(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        said.lines.extend(people.map(|whom| vec![Span::Mention(whom.to_owned())]));
    }
    Ok(said)
}
