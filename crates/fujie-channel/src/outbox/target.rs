//! A target: how it is reached, in which language, how far it got; and how it is kept.

use std::sync::Arc;

use fujie_core::{
    secret::{Secret, sha256},
    time::Timestamp,
};
use serde_json::{Map, Value};

use super::pace::Bucket;
use crate::message::Language;
use crate::post::{Response, SimulatorAt, Verdict};
use crate::robot::{AddressError, Kind, Robot};
use crate::web_push::{self, Subscription, SubscriptionError};

/// A target as it stands.
#[derive(Debug)]
pub struct Target<I> {
    /// Its id.
    pub id: I,
    /// The account whose it is. `None`: the operator's, who may send as much as there is room for.
    pub holder: Option<I>,
    /// The topic whose events it gets.
    pub topic: Arc<str>,
    /// How it is reached.
    pub recipient: Recipient,
    /// The language of its messages.
    pub language: Language,
    /// The last event it got; what comes after is still to be sent.
    pub cursor: i64,
    /// Attempts that failed since the last that did not.
    pub failures: u32,
}

/// How a target is reached.
#[derive(Debug)]
pub enum Recipient {
    /// A robot in a group.
    Robot(Robot),
    /// A browser.
    WebPush(Subscription),
}

/// Where simulators lie, by the operator's word.
#[derive(Clone, Debug, Default)]
pub struct Simulators {
    /// Of robots.
    pub robot_at: Option<SimulatorAt>,
    /// Of push services.
    pub push_at: Option<SimulatorAt>,
}

/// Why what was kept is no target any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptError {
    /// Not what [`Recipient::to_secret`] wrote.
    #[error("this is no target")]
    Malformed,
    /// A robot's address that is not taken any more.
    #[error("the robot cannot be used")]
    Robot(#[from] AddressError),
    /// A subscription that is not taken any more.
    #[error("the subscription cannot be used")]
    Subscription(#[from] SubscriptionError),
}

impl Recipient {
    /// The stored word of a browser.
    const WEB_PUSH: &'static str = "web_push";

    /// The stored word: `dingtalk`, `feishu`, `wecom`, `web_push`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Robot(robot) => robot.kind().as_str(),
            Self::WebPush(_) => Self::WEB_PUSH,
        }
    }

    /// SHA-256 of the address: what tells it from others without telling where it is.
    pub fn digest(&self) -> [u8; 32] {
        match self {
            Self::Robot(robot) => robot.digest(),
            Self::WebPush(subscription) => sha256(subscription.endpoint().as_str().as_bytes()),
        }
    }

    /// Address, keys and language as one text, to be sealed where it lies.
    pub fn to_secret(&self, language: Language) -> Secret {
        let mut members: Map<String, Value> = match self {
            Self::Robot(robot) => robot.members(),
            Self::WebPush(subscription) => subscription.members(),
        };
        members.insert("language".to_owned(), language.as_str().into());
        Secret::new(Value::Object(members).to_string())
    }

    /// Reads what [`Recipient::to_secret`] wrote, and judges it again: where simulators lie may have changed.
    pub fn from_secret(kind: &str, text: &Secret, simulators: &Simulators) -> Result<(Self, Language), KeptError> {
        let members: Map<String, Value> = serde_json::from_str(text.expose()).or(Err(KeptError::Malformed))?;
        let member = |name: &str| members.get(name).and_then(Value::as_str);
        let language = member("language").and_then(Language::parse).ok_or(KeptError::Malformed)?;
        let recipient = match Kind::parse(kind) {
            Some(kind) => {
                let address = member("address").ok_or(KeptError::Malformed)?;
                Self::Robot(Robot::parse(kind, address, member("secret"), simulators.robot_at.as_ref())?)
            }
            None if kind == Self::WEB_PUSH => {
                Self::WebPush(Subscription::parse(text.expose().as_bytes(), simulators.push_at.as_ref())?)
            }
            None => return Err(KeptError::Malformed),
        };
        Ok((recipient, language))
    }

    /// How often it may be reached, if not as often as one likes.
    pub(super) fn bucket(&self) -> Option<Bucket> {
        match self {
            Self::Robot(robot) => Some((robot.digest(), robot.kind().rate())),
            Self::WebPush(_) => None,
        }
    }

    pub(super) fn judge(&self, response: &Response, now: Timestamp) -> Verdict {
        match self {
            Self::Robot(robot) => robot.judge(response, now),
            Self::WebPush(_) => web_push::judge(response, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WECOM: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1";

    #[test]
    fn a_target_is_kept_as_one_text_and_judged_again() {
        let none = Simulators::default();
        let at = Simulators { robot_at: SimulatorAt::parse("http://127.0.0.1:9300"), push_at: None };
        let dingtalk = "http://127.0.0.1:9300/robot/send?access_token=1";
        let robots = [(Kind::Wecom, WECOM, None), (Kind::Dingtalk, dingtalk, Some("SEC1"))];
        for (kind, address, secret) in robots {
            let recipient = Recipient::Robot(Robot::parse(kind, address, secret, at.robot_at.as_ref()).unwrap());
            let text = recipient.to_secret(Language::English);
            let (again, language) = Recipient::from_secret(recipient.kind(), &text, &at).unwrap();
            assert_eq!(
                (again.kind(), again.digest(), language),
                (kind.as_str(), recipient.digest(), Language::English)
            );
            assert_eq!(again.to_secret(language).expose(), text.expose());
            let without = Recipient::from_secret(recipient.kind(), &text, &none).map(|_| ());
            let expected = if kind == Kind::Wecom { Ok(()) } else { Err(AddressError::OtherHost.into()) };
            assert_eq!(without, expected);
        }
        let subscription = r#"{"endpoint":"https://push.example.net/1","keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg",
            "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}}"#;
        let recipient = Recipient::WebPush(Subscription::parse(subscription.as_bytes(), None).unwrap());
        let text = recipient.to_secret(Language::Chinese);
        let (again, language) = Recipient::from_secret("web_push", &text, &none).unwrap();
        assert_eq!((again.digest(), language), (recipient.digest(), Language::Chinese));
        let robot = Recipient::Robot(Robot::parse(Kind::Wecom, WECOM, None, None).unwrap());
        assert_ne!(robot.digest(), sha256(WECOM.as_bytes()), "no browser at this address takes the robot's place");
        for (kind, text) in [("fax", text.expose()), ("web_push", "{}"), ("wecom", "x"), ("wecom", text.expose())] {
            assert_eq!(
                Recipient::from_secret(kind, &Secret::new(text.to_owned()), &none).unwrap_err(),
                KeptError::Malformed
            );
        }
    }
}
