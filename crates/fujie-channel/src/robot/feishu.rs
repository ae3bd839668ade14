//! Feishu and Lark: `/open-apis/bot/v2/hook/…`, signed in the body, rich text in paragraphs.
//!
//! Rich text has no markup to escape. What would mention people in a plain text (`<at …>`) is broken up all the same.

use std::time::Duration;

use fujie_core::time::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::{Ruling, details, is_token, is_within, signature};
use crate::message::Message;
use crate::post::Cause;

pub(super) const HOSTS: &[&str] = &["open.feishu.cn", "open.larksuite.com"];
const HOOK: &str = "/open-apis/bot/v2/hook/";
/// 20 KB, signature and all.
const BYTES_MAX: usize = 20_000 - 200;
const BUSY: Duration = Duration::from_secs(60);

pub(super) fn is_own(url: &Url) -> bool {
    url.query().is_none() && url.path().strip_prefix(HOOK).is_some_and(is_token)
}

/// The signature covers nothing: time in seconds and secret are its key.
pub(super) fn body(message: &Message, secret: Option<&str>, now: Timestamp) -> Value {
    let render = |message: &Message| {
        let paragraph = |line: &String| json!([{ "tag": "text", "text": unmentioning(line) }]);
        let link = |link: &String| json!([{ "tag": "a", "text": details(message.language), "href": link }]);
        let content: Vec<Value> = message.lines.iter().map(paragraph).chain(message.link.iter().map(link)).collect();
        let post = json!({ "title": unmentioning(&message.title), "content": content });
        json!({ "msg_type": "post", "content": { "post": { message.language.choose("zh_cn", "en_us"): post } } })
    };
    let mut body = message.fitted(render, |body| is_within(body, BYTES_MAX));
    if let (Some(secret), Some(members)) = (secret, body.as_object_mut()) {
        let timestamp = now.seconds().to_string();
        members.insert("sign".to_owned(), signature(&format!("{timestamp}\n{secret}"), "").into());
        members.insert("timestamp".to_owned(), timestamp.into());
    }
    body
}

/// Without the beginning of a mention.
fn unmentioning(text: &str) -> String {
    text.replace('<', "＜")
}

pub(super) fn ruling(code: i64, text: &str) -> Ruling {
    match code {
        0 => Ruling::Taken,
        // 9499 says two things: too many requests, and a body that it cannot read.
        9499 if text.contains("too many") || text.contains("frequency limited") => {
            Ruling::Later(Cause::TooOften, Some(BUSY))
        }
        9499 | 19_002 => Ruling::Unfit(Cause::Refused),
        11_232 => Ruling::Later(Cause::TooOften, Some(BUSY)),
        19_001 => Ruling::Broken(Cause::Address),
        19_007 => Ruling::Broken(Cause::Stopped),
        19_021 => Ruling::Broken(Cause::Signature),
        19_022 => Ruling::Broken(Cause::AddressList),
        19_024 => Ruling::Broken(Cause::Keyword),
        _ => Ruling::Broken(Cause::Refused),
    }
}
