//! What a channel says to its peers.

use std::fmt;

use super::{IDLE_MESSAGE, command::cursor, strip};

/// One line of a server, without its line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// `pong`.
    Pong,
    /// `ok auth`.
    Admitted,
    /// `ok subscribe TOPIC FROM`: events with ids greater than FROM follow. FROM is less than what was asked for when
    /// the log does not reach so far.
    Subscribed {
        /// The topic.
        topic: &'a str,
        /// Where it begins.
        from: i64,
    },
    /// `ok unsubscribe TOPIC`.
    Unsubscribed(&'a str),
    /// `event JSON`.
    Event(&'a str),
    /// `dropped TOPIC AFTER UNTIL`: events of the topic with AFTER < id ≤ UNTIL are not sent, because the peer was too
    /// slow or they are no longer kept.
    Dropped {
        /// The topic.
        topic: &'a str,
        /// The last id before the gap.
        after: i64,
        /// The last id of the gap.
        until: i64,
    },
    /// `error CODE words`.
    Error {
        /// What went wrong, for a program.
        code: ErrorCode,
        /// The same for a person.
        words: &'a str,
    },
    /// `bye`: the server goes, or lets go.
    Bye,
    /// `超时断开连接`: the peer was silent for too long.
    Idle,
}

/// What went wrong. The first three are the words of RFC 6750 and RFC 6749.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The token is not valid here, or there is none yet.
    InvalidToken,
    /// The token lacks the scope.
    InsufficientScope,
    /// Not a member of the topic, or no longer.
    AccessDenied,
    /// There is no such topic.
    UnknownTopic,
    /// The line is no command, or not now.
    InvalidRequest,
    /// The line is longer than 4 KiB.
    LineTooLong,
    /// The peer did not read fast enough.
    TooSlow,
    /// The server cannot answer now.
    TemporarilyUnavailable,
    /// Any other code: a newer server's.
    Other,
}

impl ErrorCode {
    const ALL: [Self; 8] = [
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::AccessDenied,
        Self::UnknownTopic,
        Self::InvalidRequest,
        Self::LineTooLong,
        Self::TooSlow,
        Self::TemporarilyUnavailable,
    ];

    /// Its word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::UnknownTopic => "unknown_topic",
            Self::InvalidRequest => "invalid_request",
            Self::LineTooLong => "line_too_long",
            Self::TooSlow => "too_slow",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::Other => "other",
        }
    }

    fn read(word: &str) -> Self {
        Self::ALL.into_iter().find(|code| code.as_str() == word).unwrap_or(Self::Other)
    }
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pong => f.write_str("pong"),
            Self::Admitted => f.write_str("ok auth"),
            Self::Subscribed { topic, from } => write!(f, "ok subscribe {topic} {from}"),
            Self::Unsubscribed(topic) => write!(f, "ok unsubscribe {topic}"),
            Self::Event(json) => write!(f, "event {json}"),
            Self::Dropped { topic, after, until } => write!(f, "dropped {topic} {after} {until}"),
            Self::Error { code, words } => write!(f, "error {} {words}", code.as_str()),
            Self::Bye => f.write_str("bye"),
            Self::Idle => f.write_str(IDLE_MESSAGE),
        }
    }
}

impl<'a> Reply<'a> {
    /// Reads a server's line; `None` for what is not of this protocol.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = strip(line);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.split(' ');
        let mut next = || words.next().filter(|word| !word.is_empty());
        let reply = match word {
            "pong" => Self::Pong,
            "bye" => Self::Bye,
            IDLE_MESSAGE => Self::Idle,
            "event" => return Some(Self::Event(rest)),
            "error" => {
                let (code, words) = rest.split_once(' ').unwrap_or((rest, ""));
                return Some(Self::Error { code: ErrorCode::read(code), words });
            }
            "dropped" => Self::Dropped { topic: next()?, after: id(next()?)?, until: id(next()?)? },
            "ok" => match next()? {
                "auth" => Self::Admitted,
                "subscribe" => Self::Subscribed { topic: next()?, from: id(next()?)? },
                "unsubscribe" => Self::Unsubscribed(next()?),
                _ => return None,
            },
            _ => return None,
        };
        next().is_none().then_some(reply)
    }
}

fn id(text: &str) -> Option<i64> {
    cursor(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_written_and_read_alike() {
        for (reply, line) in [
            (Reply::Pong, "pong"),
            (Reply::Admitted, "ok auth"),
            (Reply::Subscribed { topic: "team", from: 17 }, "ok subscribe team 17"),
            (Reply::Unsubscribed("team"), "ok unsubscribe team"),
            (Reply::Event(r#"{"a": 1}"#), r#"event {"a": 1}"#),
            (Reply::Dropped { topic: "team", after: 3, until: 9 }, "dropped team 3 9"),
            (Reply::Error { code: ErrorCode::AccessDenied, words: "team: no" }, "error access_denied team: no"),
            (Reply::Bye, "bye"),
            (Reply::Idle, "超时断开连接"),
        ] {
            assert_eq!(reply.to_string(), line);
            assert_eq!(Reply::parse(&format!("{line}\r\n")), Some(reply));
        }
        for code in ErrorCode::ALL {
            let line = format!("error {}", code.as_str());
            assert_eq!(Reply::parse(&line), Some(Reply::Error { code, words: "" }));
        }
    }

    #[test]
    fn the_documentation_has_every_word_of_the_protocol() {
        // Our own server does not tell which topics there are.
        let told = ErrorCode::ALL.into_iter().filter(|code| *code != ErrorCode::UnknownTopic);
        let errors: Vec<_> = told.map(|code| format!("`error {}`", code.as_str())).collect();
        let others =
            ["`ping`", "`pong`", "`auth TOKEN`", "`ok auth`", "`bye`", "`超时断开连接`", "`dropped TOPIC AFTER UNTIL`"];
        for text in [include_str!("../../../../docs/en/channel.md"), include_str!("../../../../docs/zh/channel.md")] {
            for word in errors.iter().map(String::as_str).chain(others) {
                assert!(text.contains(word), "{word} is missing");
            }
        }
    }

    #[test]
    fn what_no_server_of_ours_says_is_not_a_reply() {
        for line in ["", "pong 1", "ok", "ok dance", "ok subscribe team", "dropped team 1", "from server: x"] {
            assert_eq!(Reply::parse(line), None, "{line:?}");
        }
        let newer = Reply::parse("error too_hot wait").unwrap();
        assert_eq!(newer, Reply::Error { code: ErrorCode::Other, words: "wait" });
    }
}
