//! WeCom: the key in the query, no signature, 4,096 bytes of Markdown.

use super::config::Kind;
use super::markdown;
use super::world::{Limit, Said, Simulation, Span};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::random::{self, DIGIT};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PATH: &str = "/cgi-bin/webhook/send";
pub(crate) const TOO_OFTEN: i64 = 45_009;
const MARKDOWN_BYTES_MAX: usize = 4096;
const TEXT_BYTES_MAX: usize = 2048;
/// 20 in a minute.
const LIMITS: [Limit; 1] = [Limit { calls: 20, span: Duration::from_secs(60), shut_off: Duration::ZERO }];

const ERRORS: [(i64, &str); 7] = [
    (-1, "system error"),
    (40_008, "invalid message type"),
    (40_058, "markdown.content exceed max length 4096. invalid Request Parameter"),
    (44_004, "empty content"),
    (TOO_OFTEN, "api freq out of limit"),
    (47_001, "data format error"),
    (93_000, "invalid webhook url"),
];

/// Behind the words stand a number to ask about, where the call came from, and a page.
pub(crate) fn error(code: i64, text: Option<&str>, now: Timestamp) -> Response {
    let known = ERRORS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text);
    let hint = format!("{}{}", now.unix_seconds(), random::settled(&["hint", &code.to_string()], DIGIT, 15));
    let text = format!(
        "{}, hint: [{hint}], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={code}",
        text.or(known).unwrap_or("error"),
    );
    Json(json!({ "errcode": code, "errmsg": text })).into_response()
}

pub(crate) async fn send(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    simulation.change(|world, now| {
        let robot = call.fields.filled("key").and_then(|key| world.robot(Kind::Wecom, key));
        let Some(robot) = robot.filter(|robot| !robot.stopped) else {
            return error(93_000, None, now);
        };
        // Whatever the content type says.
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return error(47_001, None, now);
        };
        let said = match said(&body) {
            Ok(said) => said,
            Err((code, text)) => return error(code, text, now),
        };
        if !world.admit(&robot, &LIMITS, now) {
            return error(TOO_OFTEN, None, now);
        }
        world.say(&robot, said, body, now);
        Json(json!({ "errcode": 0, "errmsg": "ok" })).into_response()
    })
}

type Fault = (i64, Option<&'static str>);

fn said(body: &Value) -> Result<Said, Fault> {
    let content = |pointer: &str| {
        body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or((44_004, None))
    };
    match body.get("msgtype").and_then(Value::as_str) {
        Some("markdown") => {
            let content = content("/markdown/content")?;
            if content.len() > MARKDOWN_BYTES_MAX {
                return Err((40_058, None));
            }
            Ok(markdown::read(content))
        }
        Some("text") => {
            let content = content("/text/content")?;
            if content.len() > TEXT_BYTES_MAX {
                return Err((40_058, Some("text.content exceed max length 2048. invalid Request Parameter")));
            }
            let mut said = markdown::read(content);
            for list in ["/text/mentioned_list", "/text/mentioned_mobile_list"] {
                let people = body.pointer(list).and_then(Value::as_array).into_iter().flatten();
                let people = people.filter_map(Value::as_str).map(|whom| whom.trim_start_matches('@'));
                said.lines.extend(people.map(|whom| vec![Span::Mention(whom.to_owned())]));
            }
            Ok(said)
        }
        _ => Err((40_008, None)),
    }
}
