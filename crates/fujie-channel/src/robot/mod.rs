//! Group robots of DingTalk, Feishu (Lark) and WeCom: a message becomes a request, an answer a verdict.
//!
//! Pure: an address, perhaps a secret, a message and the time go in, a [`Request`] comes out. An address is taken only
//! when it lies on the provider's own host, so that nobody can have us call anything else. No message of ours mentions
//! anybody, whatever stands in a commit. Not here: sending, and how often.

mod dingtalk;
mod feishu;
mod markdown;
mod wecom;

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::{
    secret::{Secret, sha256},
    time::Timestamp,
};
use serde_json::{Map, Value};
use url::Url;

use crate::message::{Language, Message};
use crate::post::{Cause, Reach, Request, Response, SimulatorAt, Trouble, Verdict, is_anonymous};

/// Characters of an address, at most.
const ADDRESS_LENGTH_MAX: usize = 500;
/// Characters of a secret, at most. DingTalk's have 67.
const SECRET_LENGTH_MAX: usize = 200;

/// Whose robot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// DingTalk.
    Dingtalk,
    /// Feishu, and Lark.
    Feishu,
    /// WeCom.
    Wecom,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dingtalk, Self::Feishu, Self::Wecom];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Wecom => "wecom",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }

    /// How often it may be called.
    pub const fn rate(self) -> Rate {
        match self {
            // 20 in a minute, whichever minute one looks at: a full bucket and what flows in meanwhile.
            Self::Dingtalk | Self::Wecom => Rate { burst: 8, every: Duration::from_secs(5) },
            // 5 in a second and 100 in a minute.
            Self::Feishu => Rate { burst: 4, every: Duration::from_secs(1) },
        }
    }
}

/// How often something may happen: a bucket of so many tokens, into which one flows in every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens of a full bucket.
    pub burst: u32,
    /// The time in which one token flows in.
    pub every: Duration,
}

/// Why an address is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No URL, too long, or not such a one as the provider hands out.
    #[error("this is not the webhook address of such a robot")]
    Malformed,
    /// On another host than the provider's own.
    #[error("the address is not on the provider's own host")]
    OtherHost,
    /// Longer than any provider's, or given where there is none.
    #[error("this is not the secret of such a robot")]
    Secret,
}

/// A robot: its address and, where it checks signatures, its secret. Both are secrets.
pub struct Robot {
    kind: Kind,
    url: Url,
    reach: Reach,
    secret: Option<Secret>,
}

impl Robot {
    /// Reads what a person copied from the group's settings. An address at the simulator's place is taken for a real one.
    pub fn parse(
        kind: Kind,
        address: &str,
        secret: Option<&str>,
        simulator: Option<&SimulatorAt>,
    ) -> Result<Self, AddressError> {
        let address = address.trim();
        let url = Url::parse(address).ok().filter(|_| address.len() <= ADDRESS_LENGTH_MAX);
        let url = url.ok_or(AddressError::Malformed)?;
        let (hosts, is_own) = match kind {
            Kind::Dingtalk => (dingtalk::HOSTS, dingtalk::is_own(&url)),
            Kind::Feishu => (feishu::HOSTS, feishu::is_own(&url)),
            Kind::Wecom => (wecom::HOSTS, wecom::is_own(&url)),
        };
        let is_provider = url.scheme() == "https" && url.port().is_none() && is_anonymous(&url);
        let reach = if simulator.is_some_and(|at| at.holds(&url)) {
            Reach::Loopback
        } else if is_provider && url.host_str().is_some_and(|host| hosts.contains(&host)) {
            Reach::Provider
        } else {
            return Err(AddressError::OtherHost);
        };
        if !is_own || url.fragment().is_some() {
            return Err(AddressError::Malformed);
        }
        let secret = secret.map(str::trim).filter(|secret| !secret.is_empty());
        let is_secret = |secret: &str| kind != Kind::Wecom && secret.len() <= SECRET_LENGTH_MAX && secret.is_ascii();
        if secret.is_some_and(|secret| !is_secret(secret)) {
            return Err(AddressError::Secret);
        }
        Ok(Self { kind, url, reach, secret: secret.map(|secret| Secret::new(secret.to_owned())) })
    }

    /// What is kept of it.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let secret = self.secret.as_ref().map(|secret| ("secret".to_owned(), secret.expose().into()));
        [("address".to_owned(), self.url.as_str().into())].into_iter().chain(secret).collect()
    }

    /// Whose it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What tells this robot from others without telling its address.
    pub(crate) fn digest(&self) -> [u8; 32] {
        // With the kind, so that no browser's address is ever the same.
        sha256(format!("{} {}", self.kind.as_str(), self.url).as_bytes())
    }

    /// The request that says `message` in the group, signed for `now`.
    pub fn request(&self, message: &Message, now: Timestamp) -> Request {
        let secret = self.secret.as_ref().map(Secret::expose);
        let (url, body) = match self.kind {
            Kind::Dingtalk => (dingtalk::url(&self.url, secret, now), dingtalk::body(message)),
            Kind::Feishu => (self.url.clone(), feishu::body(message, secret, now)),
            Kind::Wecom => (self.url.clone(), wecom::body(message)),
        };
        Request::json(url, self.reach, &body)
    }

    /// What an answer means. All three say it in the body, refusals with status 200 too; but no body makes a success of
    /// a status that is none.
    pub fn judge(&self, response: &Response, now: Timestamp) -> Verdict {
        let by_status = response.verdict_by_status(now);
        if response.status >= 500 {
            // A server that fails, or a gateway before it, says nothing of the robot.
            return by_status;
        }
        let unclear = |detail| match &by_status {
            Verdict::Delivered => Verdict::TryLater(None, Trouble::new(Cause::ServerFault, detail)),
            other => other.clone(),
        };
        let Ok(Value::Object(body)) = serde_json::from_slice(&response.body) else {
            return unclear("the answer is not JSON");
        };
        let (code, text) = match self.kind {
            Kind::Dingtalk | Kind::Wecom => ("errcode", "errmsg"),
            Kind::Feishu => ("code", "msg"),
        };
        let Some(code) = body.get(code).and_then(Value::as_i64) else {
            return unclear("the answer has no code");
        };
        let text = body.get(text).and_then(Value::as_str).unwrap_or_default();
        let ruling = match self.kind {
            Kind::Dingtalk => dingtalk::ruling(code, text),
            Kind::Feishu => feishu::ruling(code, text),
            Kind::Wecom => wecom::ruling(code, text),
        };
        // Behind this a provider repeats where the request came from.
        let text = text.split(", hint:").next().unwrap_or_default();
        let trouble = |cause| Trouble::new(cause, &format!("{code} {text}"));
        match ruling {
            Ruling::Taken => by_status,
            Ruling::Later(cause, wait) => Verdict::TryLater(response.wait(now).or(wait), trouble(cause)),
            Ruling::Unfit(cause) => Verdict::Unfit(trouble(cause)),
            Ruling::Broken(cause) => Verdict::Broken(trouble(cause)),
        }
    }
}

impl fmt::Debug for Robot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Robot").field("kind", &self.kind).field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// What a provider's code means, before its words are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruling {
    Taken,
    Later(Cause, Option<Duration>),
    Unfit(Cause),
    Broken(Cause),
}

/// Base64 of HMAC-SHA256.
fn signature(key: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}

/// The words on a link.
const fn details(language: Language) -> &'static str {
    language.choose("查看详情", "Details")
}

/// Is it so short, counted as JSON?
fn is_within(body: &Value, bytes_max: usize) -> bool {
    body.to_string().len() <= bytes_max
}

/// The one parameter of an address, if it has this name and is spelled in letters, digits and hyphens.
fn is_sole_parameter(url: &Url, name: &str) -> bool {
    let value = url.query().and_then(|query| query.strip_prefix(name)).and_then(|rest| rest.strip_prefix('='));
    value.is_some_and(is_token)
}

fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
