//! What a peer may say to a channel.

use super::strip;
use crate::event::is_topic;

/// One line of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `ping`: the heartbeat.
    Ping,
    /// `auth TOKEN`: who is there.
    Auth(&'a str),
    /// `subscribe TOPIC [FROM]`: events of TOPIC with ids greater than FROM, or from now on.
    Subscribe {
        /// The topic.
        topic: &'a str,
        /// The last id the peer has; 0 for everything that is kept.
        from: Option<i64>,
    },
    /// `unsubscribe TOPIC`.
    Unsubscribe(&'a str),
    /// `bye`: the peer goes.
    Bye,
}

/// A line that is no command, with what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

impl<'a> Command<'a> {
    /// Reads a line; white space around it and between its words does not count. Commands are lower-case.
    pub fn parse(line: &'a str) -> Result<Self, Malformed> {
        let line = strip(line);
        let mut words = line.split_ascii_whitespace();
        let (command, first, second) = (words.next().unwrap_or_default(), words.next(), words.next());
        if words.next().is_some() {
            return Err(Malformed("too many words"));
        }
        match (command, first, second) {
            ("ping", None, None) => Ok(Self::Ping),
            ("bye", None, None) => Ok(Self::Bye),
            ("auth", Some(token), None) => Ok(Self::Auth(token)),
            ("subscribe", Some(topic), None) => Ok(Self::Subscribe { topic: named(topic)?, from: None }),
            ("subscribe", Some(topic), Some(from)) => {
                Ok(Self::Subscribe { topic: named(topic)?, from: Some(cursor(from)?) })
            }
            ("unsubscribe", Some(topic), None) => Ok(Self::Unsubscribe(named(topic)?)),
            ("auth", ..) => Err(Malformed("say: auth TOKEN")),
            ("subscribe", ..) => Err(Malformed("say: subscribe TOPIC [FROM]")),
            ("unsubscribe", ..) => Err(Malformed("say: unsubscribe TOPIC")),
            _ => Err(Malformed("no such command")),
        }
    }
}

fn named(topic: &str) -> Result<&str, Malformed> {
    if is_topic(topic) {
        Ok(topic)
    } else {
        Err(Malformed("a topic is named by lower-case letters, digits and hyphens"))
    }
}

/// An id: digits only.
pub(super) fn cursor(text: &str) -> Result<i64, Malformed> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or(Malformed("an id is a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_and_its_neighbours_are_not() {
        for (line, expected) in [
            ("ping\n", Command::Ping),
            (" ping \r\n", Command::Ping),
            ("bye\n", Command::Bye),
            ("auth fj_at_x\n", Command::Auth("fj_at_x")),
            ("subscribe team\n", Command::Subscribe { topic: "team", from: None }),
            ("subscribe  team\t0\n", Command::Subscribe { topic: "team", from: Some(0) }),
            ("subscribe t 9223372036854775807\n", Command::Subscribe { topic: "t", from: Some(i64::MAX) }),
            ("unsubscribe team\n", Command::Unsubscribe("team")),
        ] {
            assert_eq!(Command::parse(line), Ok(expected), "{line:?}");
        }
        for line in [
            "",
            "\n",
            "PING\n",
            "ping pong\n",
            "auth\n",
            "auth a b\n",
            "subscribe\n",
            "subscribe Team\n",
            "subscribe team -1\n",
            "subscribe team +1\n",
            "subscribe team 9223372036854775808\n",
            "subscribe team 1 2\n",
            "subscribe team\u{a0}1\n",
            "unsubscribe\n",
            "unsubscribe ../x\n",
            "ping\0\n",
            "GET / HTTP/1.1\r\n",
        ] {
            assert!(Command::parse(line).is_err(), "{line:?}");
        }
    }
}
