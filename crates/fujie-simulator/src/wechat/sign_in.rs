//! One QR code from its page to its end: the states that page, poll and phone see.
//!
//! Decides; does not answer, and draws nothing at random.

use crate::clock::Timestamp;

/// What a QR page asked for, and how far it has come.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) uuid: String,
    pub(crate) appid: String,
    /// Decoded, and proven to belong to the app.
    pub(crate) redirect_uri: String,
    /// Decoded; empty when none was sent.
    pub(crate) state: String,
    pub(crate) begun_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) progress: Progress,
}

/// How far a sign-in has come, apart from expiry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    /// Belongs to the phone that scanned it first.
    Scanned {
        phone: String,
    },
    /// May be scanned again, by any phone.
    Refused,
    Confirmed {
        code: String,
        person: String,
    },
}

/// Why a phone cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    Unknown,
    Expired,
    ScannedElsewhere,
    NotScanned,
    AlreadyConfirmed,
}

/// The names of the states, and their numbers in the long poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Waiting,
    Scanned,
    Refused,
    Confirmed,
    Expired,
}

impl Status {
    /// `wx_errcode` of the long poll.
    pub(crate) fn wx_errcode(self) -> u16 {
        match self {
            Self::Waiting => 408,
            Self::Scanned => 404,
            Self::Refused => 403,
            Self::Confirmed => 405,
            Self::Expired => 402,
        }
    }

    /// The control API's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Refused => "refused",
            Self::Confirmed => "confirmed",
            Self::Expired => "expired",
        }
    }
}

impl SignIn {
    /// A confirmed sign-in stays confirmed: what then expires is its code.
    pub(crate) fn status(&self, now: Timestamp) -> Status {
        match self.progress {
            Progress::Confirmed { .. } => Status::Confirmed,
            _ if self.expires_at <= now => Status::Expired,
            Progress::Waiting => Status::Waiting,
            Progress::Scanned { .. } => Status::Scanned,
            Progress::Refused => Status::Refused,
        }
    }

    /// A code that has been scanned is void for every other phone.
    pub(crate) fn scan(&mut self, phone: &str, now: Timestamp) -> Result<(), Obstacle> {
        match (self.status(now), &self.progress) {
            (Status::Expired, _) => Err(Obstacle::Expired),
            (_, Progress::Confirmed { .. }) => Err(Obstacle::AlreadyConfirmed),
            (_, Progress::Scanned { phone: first }) if first != phone => Err(Obstacle::ScannedElsewhere),
            _ => {
                self.progress = Progress::Scanned { phone: phone.to_owned() };
                Ok(())
            }
        }
    }

    /// Only the phone that scanned may confirm or refuse.
    pub(crate) fn held_by(&self, phone: &str, now: Timestamp) -> Result<(), Obstacle> {
        match (self.status(now), &self.progress) {
            (Status::Expired, _) => Err(Obstacle::Expired),
            (_, Progress::Confirmed { .. }) => Err(Obstacle::AlreadyConfirmed),
            (_, Progress::Scanned { phone: first }) if first == phone => Ok(()),
            (_, Progress::Scanned { .. }) => Err(Obstacle::ScannedElsewhere),
            (_, Progress::Waiting | Progress::Refused) => Err(Obstacle::NotScanned),
        }
    }

    /// Where the page sends the browser, if anywhere: the pieces are put at the very end of the
    /// redirect URI, so with a `#` in it they land inside the fragment, as with the real page.
    pub(crate) fn redirect_url(&self, now: Timestamp, denial_redirects: bool) -> Option<String> {
        let answer = match (&self.progress, self.status(now)) {
            (Progress::Confirmed { code, .. }, _) => format!("code={code}&state="),
            (_, Status::Refused) if denial_redirects => "state=".to_owned(),
            _ => return None,
        };
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        Some(format!("{}{separator}{answer}{}", self.redirect_uri, percent_encode(&self.state)))
    }
}

/// What JavaScript's `encodeURIComponent` leaves alone stays, so that page and control API agree.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Obstacle, Progress, SignIn, Status};
    use crate::clock::{Clock, Timestamp};
    use std::time::Duration;

    fn sign_in(redirect_uri: &str, state: &str) -> (SignIn, Timestamp) {
        let now = Clock::default().now();
        let sign_in = SignIn {
            uuid: "091AZFu52T9S000X".to_owned(),
            appid: "wx0123456789abcdef".to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            begun_at: now,
            expires_at: now.after(Duration::from_secs(300)),
            progress: Progress::Waiting,
        };
        (sign_in, now)
    }

    #[test]
    fn a_refused_code_may_be_scanned_again() {
        let (mut sign_in, now) = sign_in("http://localhost/", "");
        assert_eq!(sign_in.scan("a", now), Ok(()));
        assert_eq!(sign_in.scan("b", now), Err(Obstacle::ScannedElsewhere));
        assert_eq!(sign_in.held_by("b", now), Err(Obstacle::ScannedElsewhere));
        sign_in.progress = Progress::Refused;
        assert_eq!(sign_in.held_by("a", now), Err(Obstacle::NotScanned));
        assert_eq!(sign_in.scan("b", now), Ok(()));
    }

    #[test]
    fn a_code_expires_at_its_second_and_not_before() {
        let (sign_in, now) = sign_in("http://localhost/", "");
        assert_eq!(sign_in.status(now.after(Duration::from_millis(299_999))), Status::Waiting);
        assert_eq!(sign_in.status(now.after(Duration::from_secs(300))), Status::Expired);
    }

    #[test]
    fn the_answer_stands_at_the_very_end_of_the_redirect_uri() {
        let cases = [
            ("http://localhost/a", "s", "http://localhost/a?code=C&state=s"),
            ("http://localhost/a?b=1", "s", "http://localhost/a?b=1&code=C&state=s"),
            ("http://localhost/#/a", "", "http://localhost/#/a?code=C&state="),
            ("http://localhost/", "a&b=c d", "http://localhost/?code=C&state=a%26b%3Dc%20d"),
        ];
        for (redirect_uri, state, expected) in cases {
            let (mut sign_in, now) = sign_in(redirect_uri, state);
            let (code, person) = ("C".to_owned(), "p".to_owned());
            sign_in.progress = Progress::Confirmed { code, person };
            assert_eq!(sign_in.redirect_url(now, false).as_deref(), Some(expected));
        }
    }
}
