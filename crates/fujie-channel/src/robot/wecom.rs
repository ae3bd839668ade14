//! WeCom: `/cgi-bin/webhook/send`, no signature, Markdown of at most 4,096 bytes.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{Ruling, details, is_sole_parameter, markdown};
use crate::message::Message;
use crate::post::Cause;

pub(super) const HOSTS: &[&str] = &["qyapi.weixin.qq.com"];
/// Of the content alone, in UTF-8.
const CONTENT_BYTES_MAX: usize = 4096;
const BUSY: Duration = Duration::from_secs(60);

pub(super) fn is_own(url: &Url) -> bool {
    url.path() == "/cgi-bin/webhook/send" && is_sole_parameter(url, "key")
}

pub(super) fn body(message: &Message) -> Value {
    let content = message.fitted(content, |content| content.len() <= CONTENT_BYTES_MAX);
    json!({ "msgtype": "markdown", "markdown": { "content": content } })
}

fn content(message: &Message) -> String {
    let mut content = format!("**{}**", markdown::escaped(&message.title));
    for line in &message.lines {
        content.push('\n');
        content.push_str(&markdown::escaped(line));
    }
    if let Some(link) = &message.link {
        content.push_str(&format!("\n[{}]({})", details(message.language), markdown::target(link)));
    }
    content
}

pub(super) fn ruling(code: i64, text: &str) -> Ruling {
    match code {
        0 => Ruling::Taken,
        -1 => Ruling::Later(Cause::ServerFault, None),
        45_009 | 45_033 => Ruling::Later(Cause::TooOften, Some(BUSY)),
        40_058 => Ruling::Unfit(Cause::TooLarge),
        93_000 if text.contains("exceed max length") => Ruling::Unfit(Cause::TooLarge),
        93_000 => Ruling::Broken(Cause::Address),
        93_004 | 93_008 => Ruling::Broken(Cause::Stopped),
        _ => Ruling::Broken(Cause::Refused),
    }
}
