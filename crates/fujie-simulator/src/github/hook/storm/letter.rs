//! What each delivery of a storm says: the same payload, but for its GUID and for the commit that it tells.
//!
//! A GUID's first eight digits are the delivery's number in the storm, the rest is the storm's own. A payload whose
//! `after` is a commit id tells another commit each time, whose id begins with the GUID's digits: so what became of a
//! delivery can be told from the event alone.

use crate::github::hook::{Hook, deliver, post};
use crate::random::NoRandomness;
use serde_json::Value;
use url::Url;

/// The digits of a commit's id.
const COMMIT_ID_LENGTH: usize = 40;

/// A payload to be sent many times.
pub(crate) struct Letter {
    hook: Hook,
    event: String,
    /// The GUID behind its first eight digits.
    guid_rest: String,
    /// The body as the hook wants it, parted where its commit's id stands.
    body: Vec<String>,
}

impl Letter {
    pub(crate) fn new(hook: Hook, event: String, payload: &Value) -> Result<Self, NoRandomness> {
        let is_commit_id = |id: &&str| id.len() == COMMIT_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let commit_id = payload.get("after").and_then(Value::as_str).filter(is_commit_id);
        // An id is spelled the same in both ways of writing.
        let written = deliver::written(hook.config.content_type, payload.to_string());
        let body = match commit_id {
            Some(id) => written.split(id).map(str::to_owned).collect(),
            None => vec![written],
        };
        let guid_rest = deliver::guid()?.chars().skip(8).collect();
        Ok(Self { hook, event, guid_rest, body })
    }

    /// The whole request that delivers `number` at `url`, on a connection that stays open.
    pub(crate) fn request(&self, number: u32, url: &Url) -> Vec<u8> {
        let guid = self.guid(number);
        let mut commit_id = guid.replace('-', "");
        commit_id.extend(format!("{number:08x}").chars().take(COMMIT_ID_LENGTH - 32));
        let body = self.body.join(&commit_id);
        let headers = deliver::headers(&self.hook, &self.event, &guid, body.as_bytes());
        let mut request = post::head(url, headers.iter().map(|(name, value)| (*name, value.as_str())), body.len());
        request.push_str(&body);
        request.into_bytes()
    }

    pub(crate) fn guid(&self, number: u32) -> String {
        format!("{number:08x}{}", self.guid_rest)
    }
}
