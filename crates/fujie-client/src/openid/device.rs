//! The device flow (RFC 8628), for a program that has no browser of its own: the person types a short code elsewhere,
//! and the program asks until there is an answer.
//!
//! Owns the request, its answer as providers really write it, and when to ask again, as a machine without a clock.
//! The person must be shown the code and the address; whether to open a browser is the caller's affair.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::{Fields, Malformed, seconds, text};
use crate::provider::address_fault;
use crate::secret::Secret;
use fujie_core::time::Timestamp;

/// The grant type (§3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Between two questions, unless the provider says otherwise (§3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds, unless the provider says more (§3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// Between two questions, at most, however often we were told to wait longer.
const INTERVAL_MAX: Duration = Duration::from_secs(120);
/// Characters of a device code, of a user code and of an address, at most.
const DEVICE_CODE_LENGTH_MAX: usize = 2048;
const USER_CODE_LENGTH_MAX: usize = 64;
const ADDRESS_LENGTH_MAX: usize = 2048;
/// Characters of an error that is passed on, at most.
const ERROR_LENGTH_MAX: usize = 64;

/// The parameters of the device authorization request (§3.1); an empty scope is left out.
pub fn parameters<'a>(client_id: &'a str, scope: &'a str) -> Vec<(&'static str, &'a str)> {
    let scope = Some(("scope", scope)).filter(|(_, scope)| !scope.is_empty());
    std::iter::once(("client_id", client_id)).chain(scope).collect()
}

/// A sign-in that waits for the person. `Debug` shows no code.
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// What we ask with.
    pub device_code: Secret,
    /// What the person types.
    pub user_code: String,
    /// Where: https, or http on loopback.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code. Show the code all the same.
    pub verification_uri_complete: Option<String>,
    /// When the codes end.
    pub expires_at: Timestamp,
    /// Between two questions, at least.
    pub interval: Duration,
}

impl DeviceAuthorization {
    /// Reads the answer (§3.2). Older Google and others write `verification_url`, and numbers may be strings. `now` is
    /// when the request was sent, or earlier.
    ///
    /// # Errors
    /// [`Malformed`], by member.
    pub fn read(fields: &Fields, now: Timestamp) -> Result<Self, Malformed> {
        let user_code = fields.get("user_code").and_then(Value::as_str).map(str::trim).unwrap_or_default();
        let is_readable = !user_code.is_empty()
            && user_code.chars().count() <= USER_CODE_LENGTH_MAX
            && !user_code.chars().any(char::is_control);
        if !is_readable {
            return Err(Malformed("user_code"));
        }
        let uri = address(fields, ["verification_uri", "verification_url"])?;
        Ok(Self {
            device_code: Secret::new(text(fields, "device_code", DEVICE_CODE_LENGTH_MAX)?),
            user_code: user_code.to_owned(),
            verification_uri: uri.ok_or(Malformed("verification_uri"))?,
            verification_uri_complete: address(fields, ["verification_uri_complete", "verification_url_complete"])?,
            expires_at: now + seconds(fields, "expires_in")?.ok_or(Malformed("expires_in"))?,
            interval: seconds(fields, "interval")?.unwrap_or(INTERVAL).min(INTERVAL_MAX),
        })
    }

    /// The parameters of a question (§3.4).
    pub fn token_parameters<'a>(&'a self, client_id: &'a str) -> [(&'static str, &'a str); 3] {
        [("grant_type", GRANT_TYPE), ("device_code", self.device_code.expose()), ("client_id", client_id)]
    }

    /// When to ask; the first time is one interval after `now`.
    pub fn polling(&self, now: Timestamp) -> Polling {
        Polling::new(self.interval, self.expires_at, now)
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.verification_uri)
            .field("expires_at", &self.expires_at)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing before this time.
    Wait(Timestamp),
    /// Ask, once.
    Ask,
    /// Nothing any more: the codes have ended. Begin anew.
    Expired,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Not yet; ask again when it is time.
    Pending,
    /// No error: the answer holds tokens.
    Tokens,
    /// The person refused.
    Denied,
    /// The codes have ended.
    Expired,
    /// The provider refuses for another cause, which is given; asking again is of no use.
    Refused(String),
}

/// When to ask again.
///
/// Questions are a fifth of the interval later than the provider demands, and two fifths after it complained: a
/// provider counts from when its answer left, and clocks of virtual machines run fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    interval: Duration,
    margin_fifths: u32,
    next_at: Timestamp,
    expires_at: Timestamp,
}

impl Polling {
    fn new(interval: Duration, expires_at: Timestamp, now: Timestamp) -> Self {
        let mut polling = Self { interval, margin_fifths: 1, next_at: now, expires_at };
        polling.pause(now);
        polling
    }

    /// What to do at `now`.
    pub fn turn(&self, now: Timestamp) -> Turn {
        if now >= self.expires_at {
            Turn::Expired
        } else if now >= self.next_at {
            Turn::Ask
        } else {
            Turn::Wait(self.next_at.min(self.expires_at))
        }
    }

    /// Takes in an answer that came at `now`, whatever its status: GitHub says errors with 200.
    pub fn hear(&mut self, fields: &Fields, now: Timestamp) -> Heard {
        let heard = match fields.get("error") {
            None | Some(Value::Null) => return Heard::Tokens,
            Some(Value::String(error)) => match error.as_str() {
                "authorization_pending" => Heard::Pending,
                "slow_down" => {
                    self.slow_down(fields);
                    Heard::Pending
                }
                "access_denied" | "authorization_declined" => Heard::Denied,
                // GitHub's pages once wrote the second.
                "expired_token" | "token_expired" => Heard::Expired,
                other => Heard::Refused(word(other)),
            },
            Some(_) => Heard::Refused("error".to_owned()),
        };
        self.pause(now);
        heard
    }

    /// Takes in that no answer came, or one that says nothing (a timeout, 429, 5xx): from now on half as often (§3.5).
    pub fn missed(&mut self, now: Timestamp) {
        self.interval = self.interval.saturating_mul(2).min(INTERVAL_MAX);
        self.pause(now);
    }

    /// The interval that the provider names from now on, or five seconds more; for this and every later question.
    fn slow_down(&mut self, fields: &Fields) {
        let more = self.interval + SLOW_DOWN;
        let told = seconds(fields, "interval").ok().flatten().filter(|told| *told > self.interval);
        self.interval = told.unwrap_or(more).min(INTERVAL_MAX);
        self.margin_fifths = 2;
    }

    fn pause(&mut self, now: Timestamp) {
        self.next_at = now + (self.interval + self.interval * self.margin_fifths / 5);
    }
}

fn address(fields: &Fields, names: [&'static str; 2]) -> Result<Option<String>, Malformed> {
    let Some((name, value)) = names.into_iter().find_map(|name| Some((name, fields.get(name)?))) else {
        return Ok(None);
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.len() <= ADDRESS_LENGTH_MAX && address_fault(text).is_none() => {
            Ok(Some(text.clone()))
        }
        _ => Err(Malformed(name)),
    }
}

/// An error as RFC 6749 §5.2 allows it, cut short.
fn word(error: &str) -> String {
    error.chars().filter(char::is_ascii_graphic).take(ERROR_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn after(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOW.millis() + millis)
    }

    fn github() -> Value {
        json!({
            "device_code": "3584d83530557fdd1f46af8289938c8ef79f9dc5",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://github.com/login/device",
            "expires_in": 899,
            "interval": 5,
        })
    }

    fn read(changes: Value) -> Result<DeviceAuthorization, Malformed> {
        let mut answer = github();
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        DeviceAuthorization::read(answer.as_object().unwrap(), NOW)
    }

    #[test]
    fn answers_are_read_as_providers_write_them() {
        let github = read(json!({})).unwrap();
        assert_eq!(github.user_code, "WDJB-MJHT");
        assert_eq!(github.verification_uri, "https://github.com/login/device");
        assert_eq!((github.expires_at, github.interval), (after(899_000), INTERVAL));
        let [grant_type, code, client] = github.token_parameters("shop");
        assert_eq!(grant_type.1, "urn:ietf:params:oauth:grant-type:device_code");
        assert_eq!((code.1, client.1), ("3584d83530557fdd1f46af8289938c8ef79f9dc5", "shop"));
        assert!(!format!("{github:?}").contains("WDJB") && !format!("{github:?}").contains("3584d"));

        let google =
            json!({"verification_url": "https://www.google.com/device", "expires_in": "1800", "interval": null});
        let mut answer = google.as_object().unwrap().clone();
        answer.extend([("device_code".to_owned(), json!("d")), ("user_code".to_owned(), json!(" ÄÖ 12 "))]);
        let google = DeviceAuthorization::read(&answer, NOW).unwrap();
        assert_eq!(
            (google.verification_uri.as_str(), google.user_code.as_str()),
            ("https://www.google.com/device", "ÄÖ 12")
        );
        assert_eq!((google.expires_at, google.interval), (after(1_800_000), INTERVAL));
        let whole = read(json!({"verification_uri_complete": "https://github.com/login/device?user_code=WDJB-MJHT"}));
        assert!(whole.unwrap().verification_uri_complete.is_some());
    }

    #[test]
    fn an_answer_that_would_lead_the_person_astray_is_refused() {
        let cases = [
            (json!({"device_code": null}), "device_code"),
            (json!({"device_code": "a b"}), "device_code"),
            (json!({"device_code": "d".repeat(2049)}), "device_code"),
            (json!({"user_code": ""}), "user_code"),
            (json!({"user_code": "A\u{1b}[2J"}), "user_code"),
            (json!({"user_code": "A".repeat(65)}), "user_code"),
            (json!({"user_code": 12345}), "user_code"),
            (json!({"verification_uri": null}), "verification_uri"),
            (json!({"verification_uri": "http://github.com/login/device"}), "verification_uri"),
            (json!({"verification_uri": "javascript:alert(1)"}), "verification_uri"),
            (json!({"verification_uri_complete": "file:///x"}), "verification_uri_complete"),
            (json!({"expires_in": null}), "expires_in"),
            (json!({"expires_in": 0}), "expires_in"),
            (json!({"interval": -5}), "interval"),
        ];
        for (changes, member) in cases {
            assert_eq!(read(changes.clone()).map(|_| ()), Err(Malformed(member)), "{changes:.60}");
        }
        assert_eq!(read(json!({"interval": 86_400})).unwrap().interval, INTERVAL_MAX);
    }

    #[test]
    fn the_request_says_who_and_for_what() {
        assert_eq!(parameters("shop", "read:user"), [("client_id", "shop"), ("scope", "read:user")]);
        assert_eq!(parameters("shop", ""), [("client_id", "shop")]);
    }

    #[test]
    fn questions_are_an_interval_and_a_margin_apart() {
        let mut polling = read(json!({})).unwrap().polling(NOW);
        let pending = json!({"error": "authorization_pending"});
        assert_eq!(polling.turn(NOW), Turn::Wait(after(6_000)), "never at once");
        assert_eq!(polling.turn(after(5_999)), Turn::Wait(after(6_000)));
        assert_eq!(polling.turn(after(6_000)), Turn::Ask);
        assert_eq!(polling.hear(pending.as_object().unwrap(), after(6_500)), Heard::Pending);
        assert_eq!(polling.turn(after(6_500)), Turn::Wait(after(12_500)), "from the answer on");
    }

    #[test]
    fn slow_down_holds_for_every_later_question() {
        let cases = [
            (json!({"error": "slow_down", "interval": 10}), 14_000),
            (json!({"error": "slow_down", "interval": "15"}), 21_000),
            (json!({"error": "slow_down"}), 14_000),
            (json!({"error": "slow_down", "interval": 1}), 14_000),
            (json!({"error": "slow_down", "interval": "soon"}), 14_000),
            (json!({"error": "slow_down", "interval": 9_999_999}), 168_000),
        ];
        for (answer, wait) in cases {
            let mut polling = read(json!({})).unwrap().polling(NOW);
            assert_eq!(polling.hear(answer.as_object().unwrap(), NOW), Heard::Pending);
            assert_eq!(polling.turn(NOW), Turn::Wait(after(wait)), "{answer}");
            let pending = json!({"error": "authorization_pending"});
            assert_eq!(polling.hear(pending.as_object().unwrap(), NOW), Heard::Pending);
            assert_eq!(polling.turn(NOW), Turn::Wait(after(wait)), "still {answer}");
        }
    }

    #[test]
    fn silence_doubles_the_interval_and_has_an_end() {
        let mut polling = read(json!({})).unwrap().polling(NOW);
        for wait in [12_000, 24_000, 48_000, 96_000, 144_000, 144_000] {
            polling.missed(NOW);
            assert_eq!(polling.turn(NOW), Turn::Wait(after(wait)));
        }
    }

    #[test]
    fn it_ends_with_the_codes() {
        let mut polling = read(json!({"expires_in": 7})).unwrap().polling(NOW);
        assert_eq!(polling.turn(after(6_999)), Turn::Ask);
        polling.missed(after(6_999));
        assert_eq!(polling.turn(after(6_999)), Turn::Wait(after(7_000)), "no later than their end");
        assert_eq!(polling.turn(after(7_000)), Turn::Expired);
    }

    #[test]
    fn an_answer_means_one_thing() {
        let cases = [
            (json!({"access_token": "t", "token_type": "bearer"}), Heard::Tokens),
            (json!({"access_token": "t", "error": null}), Heard::Tokens),
            (json!({"error": "access_denied"}), Heard::Denied),
            (json!({"error": "expired_token"}), Heard::Expired),
            (json!({"error": "token_expired"}), Heard::Expired),
            (json!({"error": "incorrect_device_code"}), Heard::Refused("incorrect_device_code".to_owned())),
            (json!({"error": "device_flow_disabled"}), Heard::Refused("device_flow_disabled".to_owned())),
            (json!({"error": "x\n\u{1b}y中".repeat(99)}), Heard::Refused("xy".repeat(32))),
            (json!({"error": "", "access_token": "t"}), Heard::Refused(String::new())),
            (json!({"error": 1}), Heard::Refused("error".to_owned())),
        ];
        for (answer, expected) in cases {
            let mut polling = read(json!({})).unwrap().polling(NOW);
            assert_eq!(polling.hear(answer.as_object().unwrap(), NOW), expected, "{answer:.60}");
        }
    }
}
