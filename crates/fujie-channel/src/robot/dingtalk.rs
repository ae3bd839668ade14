//! DingTalk: `/robot/send`, signed in the query, Markdown in the body, a number in every answer.
//!
//! A robot that was called more than 20 times in a minute is shut off for ten.

use std::time::Duration;

use fujie_core::time::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::{Ruling, details, is_sole_parameter, is_within, markdown, signature};
use crate::message::Message;
use crate::post::Cause;

pub(super) const HOSTS: &[&str] = &["oapi.dingtalk.com"];
const BYTES_MAX: usize = 20_000;
const SHUT_OFF: Duration = Duration::from_secs(600);

pub(super) fn is_own(url: &Url) -> bool {
    url.path() == "/robot/send" && is_sole_parameter(url, "access_token")
}

/// The address with the time in milliseconds, and the signature over it and the secret under the secret.
pub(super) fn url(address: &Url, secret: Option<&str>, now: Timestamp) -> Url {
    let mut url = address.clone();
    if let Some(secret) = secret {
        let timestamp = now.millis().to_string();
        let sign = signature(secret, &format!("{timestamp}\n{secret}"));
        url.query_pairs_mut().append_pair("timestamp", &timestamp).append_pair("sign", &sign);
    }
    url
}

pub(super) fn body(message: &Message) -> Value {
    let render = |message: &Message| {
        let title = markdown::escaped(&message.title);
        let mut text = format!("#### {title}");
        for line in &message.lines {
            text.push_str("\n\n");
            text.push_str(&markdown::escaped(line));
        }
        if let Some(link) = &message.link {
            text.push_str(&format!("\n\n[{}]({})", details(message.language), markdown::target(link)));
        }
        json!({
            "msgtype": "markdown",
            "markdown": { "title": title, "text": text },
            "at": { "isAtAll": false },
        })
    };
    message.fitted(render, |body| is_within(body, BYTES_MAX))
}

pub(super) fn ruling(code: i64, text: &str) -> Ruling {
    match code {
        0 => Ruling::Taken,
        -1 => Ruling::Later(Cause::ServerFault, None),
        130_101 | 410_100 => Ruling::Later(Cause::TooOften, Some(SHUT_OFF)),
        // One number for all that the security settings ask for.
        310_000 if text.contains("keyword") => Ruling::Broken(Cause::Keyword),
        310_000 if text.contains("whitelist") => Ruling::Broken(Cause::AddressList),
        310_000 => Ruling::Broken(Cause::Signature),
        40_035 | 300_001 | 300_005 | 400_101 | 400_106 => Ruling::Broken(Cause::Address),
        400_013 | 400_102 => Ruling::Broken(Cause::Stopped),
        460_101 => Ruling::Unfit(Cause::TooLarge),
        _ => Ruling::Broken(Cause::Refused),
    }
}
