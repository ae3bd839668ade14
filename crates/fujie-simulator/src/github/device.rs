//! Device codes: how each waits for its person, and how impatient polling is answered.
//!
//! Decides over time given as an argument; the page and the endpoints are in `login`.

use super::reply::{OauthError, Reply};
use super::scope::Asked;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};
use std::time::Duration;

const DEVICES_MAX: usize = 1000;
/// Seconds between two polls at the beginning, and what each hasty poll adds.
pub(crate) const INTERVAL_SECONDS: u64 = 5;
/// What user codes are made of; capitals and digits, as in captures.
const USER_CODE_LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A device that waits for somebody to enter its user code.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) asked: Asked,
    pub(crate) expires_at: Timestamp,
    decision: Decision,
    interval_seconds: u64,
    polled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    Pending,
    Approved {
        person: String,
    },
    Denied,
    /// Approved, and its token was fetched.
    Spent,
}

/// What a poll meets.
#[derive(Debug)]
pub(crate) enum Poll {
    /// Agreed to by this person; the device code is spent.
    Approved {
        person: String,
        asked: Asked,
    },
    NotYet(Reply),
}

/// All device codes of one simulator.
#[derive(Debug)]
pub(crate) struct Devices {
    by_device_code: Bounded<Device>,
}

impl Default for Devices {
    fn default() -> Self {
        Self { by_device_code: Bounded::new(DEVICES_MAX) }
    }
}

impl Devices {
    /// A new device code of 40 hexadecimal digits, and a user code of twice four letters.
    pub(crate) fn begin(
        &mut self,
        client_id: &str,
        scope: &str,
        expires_at: Timestamp,
    ) -> Result<Device, NoRandomness> {
        let half = || random::text(USER_CODE_LETTERS, 4);
        let device = Device {
            device_code: random::text(random::HEX, 40)?,
            user_code: format!("{}-{}", half()?, half()?),
            client_id: client_id.to_owned(),
            asked: Asked::of(scope),
            expires_at,
            decision: Decision::Pending,
            interval_seconds: INTERVAL_SECONDS,
            polled_at: None,
        };
        self.by_device_code.insert(device.device_code.clone(), device.clone());
        Ok(device)
    }

    /// The device that waits under this user code, however it was typed.
    pub(crate) fn waiting(&self, typed: &str, now: Timestamp) -> Option<&Device> {
        let letters = |code: &str| -> String {
            code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
        };
        let typed = letters(typed);
        let is_it = |device: &&Device| {
            device.decision == Decision::Pending && now < device.expires_at && letters(&device.user_code) == typed
        };
        self.by_device_code.newest_first().find(is_it)
    }

    pub(crate) fn approve(&mut self, device_code: &str, person: &str) {
        self.decide(device_code, Decision::Approved { person: person.to_owned() });
    }

    pub(crate) fn deny(&mut self, device_code: &str) {
        self.decide(device_code, Decision::Denied);
    }

    fn decide(&mut self, device_code: &str, decision: Decision) {
        let device = self.by_device_code.get_mut(device_code);
        if let Some(device) = device.filter(|device| device.decision == Decision::Pending) {
            device.decision = decision;
        }
    }

    /// One poll of the app. A poll before the interval has passed makes the interval longer.
    pub(crate) fn poll(&mut self, client_id: &str, device_code: &str, now: Timestamp) -> Poll {
        let known = self.by_device_code.get_mut(device_code).filter(|device| device.client_id == client_id);
        let Some(device) = known.filter(|device| device.decision != Decision::Spent) else {
            return Poll::NotYet(OauthError::INCORRECT_DEVICE_CODE.reply());
        };
        if device.expires_at <= now {
            return Poll::NotYet(OauthError::EXPIRED_TOKEN.reply());
        }
        let interval = Duration::from_secs(device.interval_seconds);
        let is_hasty = device.polled_at.is_some_and(|last| now < last.after(interval));
        device.polled_at = Some(now);
        if is_hasty {
            device.interval_seconds += INTERVAL_SECONDS;
            return Poll::NotYet(OauthError::SLOW_DOWN.reply_with_interval(device.interval_seconds));
        }
        match device.decision.clone() {
            Decision::Approved { person } => {
                device.decision = Decision::Spent;
                Poll::Approved { person, asked: device.asked.clone() }
            }
            Decision::Denied => Poll::NotYet(OauthError::DEVICE_DENIED.reply()),
            Decision::Pending | Decision::Spent => Poll::NotYet(OauthError::AUTHORIZATION_PENDING.reply()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Devices, Poll};
    use crate::clock::{Clock, Timestamp};
    use crate::github::reply::Format;
    use std::time::Duration;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn json(poll: Poll) -> String {
        match poll {
            Poll::NotYet(reply) => reply.body(Format::Json),
            Poll::Approved { person, .. } => person,
        }
    }

    fn begun() -> (Devices, String, Timestamp) {
        let (mut devices, now) = (Devices::default(), Clock::default().now());
        let device = devices.begin("app", "repo", now.after(seconds(900))).unwrap();
        (devices, device.device_code, now)
    }

    #[test]
    fn a_hasty_poll_makes_the_interval_longer_each_time() {
        let (mut devices, code, now) = begun();
        assert!(json(devices.poll("app", &code, now)).contains("authorization_pending"));
        assert!(json(devices.poll("app", &code, now.after(seconds(4)))).ends_with("\"interval\":10}"));
        assert!(json(devices.poll("app", &code, now.after(seconds(13)))).ends_with("\"interval\":15}"));
        assert!(json(devices.poll("app", &code, now.after(seconds(28)))).contains("authorization_pending"));
    }

    #[test]
    fn an_approved_device_code_is_spent_once() {
        let (mut devices, code, now) = begun();
        assert!(json(devices.poll("other", &code, now)).contains("incorrect_device_code"));
        devices.approve(&code, "zoe");
        devices.deny(&code);
        assert_eq!(json(devices.poll("app", &code, now)), "zoe");
        assert!(json(devices.poll("app", &code, now.after(seconds(5)))).contains("incorrect_device_code"));
    }

    #[test]
    fn a_device_code_is_denied_or_expires() {
        let (mut devices, code, now) = begun();
        devices.deny(&code);
        assert!(json(devices.poll("app", &code, now)).contains("access_denied"));
        assert!(json(devices.poll("app", &code, now.after(seconds(900)))).contains("expired_token"));
    }

    #[test]
    fn a_user_code_is_found_however_it_is_typed() {
        let (mut devices, code, now) = begun();
        let user_code = devices.by_device_code.get(&code).unwrap().user_code.clone();
        for typed in [user_code.clone(), user_code.to_lowercase(), user_code.replace('-', " ")] {
            assert_eq!(devices.waiting(&typed, now).map(|device| &device.device_code), Some(&code), "{typed}");
        }
        assert!(devices.waiting(&user_code, now.after(seconds(900))).is_none());
        devices.deny(&code);
        assert!(devices.waiting(&user_code, now).is_none());
    }
}
