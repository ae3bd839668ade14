//! An event as every wire carries it: CloudEvents 1.0, structured JSON, on one line.
//!
//! Owns the shape of that line, its limit, what makes a topic's name and title, and which types are the server's own.
//! Where events are kept, and which ids they get, is the log's business ([`crate::hub::Log`]).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use fujie_core::{line::is_line, time::Timestamp};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The longest line of an event, in bytes, without its line feed. Python's `asyncio` reads lines of 64 KiB at most.
pub const LINE_LENGTH_MAX: usize = 48 * 1024;

/// The longest title of a topic, in characters.
pub const TITLE_LENGTH_MAX: usize = 80;

/// The longest name of a delivery, in bytes.
const DELIVERY_LENGTH_MAX: usize = 128;

/// Values of the data may lie so deep in each other. Readers of JSON give up at some depth, the first of them at 128,
/// and the event itself is around the data.
const DEPTH_MAX: usize = 100;

/// The `type` of a notice that a member wrote.
pub const NOTICE: &str = "notice";
/// What the `type` of GitHub's events begins with.
pub const GITHUB: &str = "com.github.";
/// What the `type` of the server's own events begins with.
pub const OWN: &str = "fujie.";

/// An event that was committed to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log: ascending in the order of commits, and every cursor's unit.
    pub id: i64,
    /// The topic it belongs to.
    pub topic: Arc<str>,
    /// The line: [`Parts::render`]'s JSON without a line feed, shared by all who send it.
    pub line: Bytes,
}

/// What an event is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Its place in the log.
    pub id: i64,
    /// The topic, as the extension attribute `topic`.
    pub topic: &'a str,
    /// The attribute `type`, for example `com.github.push`.
    pub event_type: &'a str,
    /// The attribute `source`, a URI reference: `/hooks/ID`, `/topics/TOPIC` or `/`.
    pub source: &'a str,
    /// The attribute `subject`.
    pub subject: Option<&'a str>,
    /// The name that its sender gave it, as the extension attribute `delivery`: a delivery's of a webhook, or the `id`
    /// of what a member posted.
    pub delivery: Option<&'a str>,
    /// When it was committed.
    pub time: Timestamp,
    /// What happened.
    pub data: Data<'a>,
}

/// What an event carries.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Nothing.
    None,
    /// JSON.
    Json(Json<'a>),
    /// The address of what was too long for a line (the CloudEvents extension `dataref`).
    Ref(&'a str),
}

/// Why an event cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its line would be longer than [`LINE_LENGTH_MAX`]: let its data lie elsewhere ([`Data::Ref`]).
    #[error("the event is longer than 48 KiB")]
    TooLong,
    /// Its data is not JSON (RFC 8259), or lies more than 100 levels deep.
    #[error("the data is not JSON")]
    NotJson,
}

impl Parts<'_> {
    /// The event's line, without a line feed.
    pub fn render(&self) -> Result<Bytes, EventError> {
        let (data, dataref) = match self.data {
            Data::None => (None, None),
            Data::Json(json) => (Some(json.on_one_line()?), None),
            Data::Ref(address) => (None, Some(address)),
        };
        let wire = Wire {
            specversion: "1.0",
            id: self.id,
            source: self.source,
            event_type: self.event_type,
            time: self.time,
            topic: self.topic,
            subject: self.subject,
            delivery: self.delivery,
            datacontenttype: data.is_some().then_some("application/json"),
            dataref,
            data: data.as_deref(),
        };
        // A struct of texts cannot fail to be written to memory.
        let line = serde_json::to_vec(&wire).or(Err(EventError::NotJson))?;
        if line.len() > LINE_LENGTH_MAX {
            return Err(EventError::TooLong);
        }
        Ok(line.into())
    }

    /// Will the line be short enough, whichever id the event gets? To be asked before it is committed.
    pub fn fits(&self) -> Result<bool, EventError> {
        match (Self { id: i64::MAX, ..*self }).render() {
            Ok(_) => Ok(true),
            Err(EventError::TooLong) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The order of the members is what a person reads first.
#[derive(Serialize)]
struct Wire<'a> {
    specversion: &'static str,
    #[serde(serialize_with = "as_text")]
    id: i64,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    #[serde(serialize_with = "as_rfc3339")]
    time: Timestamp,
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

fn as_text<S: Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn as_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Rfc3339(*time))
}

/// Text that is one JSON value (RFC 8259), not too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// `text`, if it is JSON.
    pub fn parse(text: &'a str) -> Result<Self, EventError> {
        let value: &RawValue = serde_json::from_str(text).or(Err(EventError::NotJson))?;
        if depth(text) > DEPTH_MAX {
            return Err(EventError::NotJson);
        }
        Ok(Self(value.get()))
    }

    /// The text, without white space around it.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The same value without line feeds. In JSON they stand between values only: within a string they are escaped.
    fn on_one_line(self) -> Result<Box<RawValue>, EventError> {
        let text = if self.0.contains(['\n', '\r']) { self.0.replace(['\n', '\r'], " ") } else { self.0.to_owned() };
        RawValue::from_string(text).or(Err(EventError::NotJson))
    }
}

/// How deep arrays and objects lie in each other, in a text that is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Is `title` a topic's? People read it.
pub fn is_title(title: &str) -> bool {
    is_line(title, TITLE_LENGTH_MAX)
}

/// Is `name` a topic's? A lower-case letter or digit, then at most 62 of them or hyphens.
pub fn is_topic(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 63
        && name.bytes().next().is_some_and(is_plain)
        && name.bytes().all(|byte| is_plain(byte) || byte == b'-')
}

/// Can `name` be told as `delivery`? Visible ASCII that fits in whatever header a reader passes it on by.
pub fn is_delivery(name: &str) -> bool {
    (1..=DELIVERY_LENGTH_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Is this `type` one that only the server itself puts on an event, for a member's notice, for GitHub's deliveries and
/// for what it does itself? Members and other senders choose among the others.
pub fn is_reserved(event_type: &str) -> bool {
    event_type == NOTICE || [GITHUB, OWN].iter().any(|own| event_type.starts_with(own))
}

/// A time as RFC 3339 writes it, with milliseconds, in UTC.
struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.millis();
        let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
    }
}

/// The date of a day since 1970-01-01. Counts from 1 March of the year 0, so that a leap day is a year's last and
/// 400 years have always the same number of days.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(DAYS_OF_400_YEARS), since.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, years) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + years, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(data: Data<'_>) -> Parts<'_> {
        Parts {
            id: 17,
            topic: "team",
            event_type: "com.github.push",
            source: "/hooks/ab",
            subject: None,
            delivery: None,
            time: Timestamp::from_millis(1_700_000_000_123),
            data,
        }
    }

    #[test]
    fn an_event_is_one_line_of_cloudevents_json() {
        let json = Json::parse(" {\n \"text\": \"a\\nb 你好\",\r\n \"n\": 1.50 } ").unwrap();
        let line = parts(Data::Json(json)).render().unwrap();
        assert_eq!(
            std::str::from_utf8(&line).unwrap(),
            r#"{"specversion":"1.0","id":"17","source":"/hooks/ab","type":"com.github.push","time":"2023-11-14T22:13:20.123Z","topic":"team","datacontenttype":"application/json","data":{  "text": "a\nb 你好",   "n": 1.50 }}"#
        );
        let whole: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(whole["data"]["text"], "a\nb 你好");
    }

    #[test]
    fn what_is_too_long_for_a_line_lies_elsewhere() {
        let text = format!("\"{}\"", "x".repeat(LINE_LENGTH_MAX));
        let long = parts(Data::Json(Json::parse(&text).unwrap()));
        assert_eq!(long.render(), Err(EventError::TooLong));
        assert_eq!(long.fits(), Ok(false));
        let line = parts(Data::Ref("https://id.example/topics/team/events/17")).render().unwrap();
        let line = std::str::from_utf8(&line).unwrap();
        assert!(line.ends_with(r#""topic":"team","dataref":"https://id.example/topics/team/events/17"}"#), "{line}");
    }

    #[test]
    fn an_event_carries_the_name_that_its_sender_gave_it() {
        let address = "https://id.example/topics/team/events/17";
        for data in [Data::None, Data::Json(Json::parse("[1]").unwrap()), Data::Ref(address)] {
            let named = Parts { delivery: Some("72d3162e-\"cc78"), ..parts(data) };
            let event: serde_json::Value = serde_json::from_slice(&named.render().unwrap()).unwrap();
            assert_eq!((&event["delivery"], &event["id"]), (&"72d3162e-\"cc78".into(), &"17".into()));
            let unnamed: serde_json::Value = serde_json::from_slice(&parts(data).render().unwrap()).unwrap();
            assert_eq!(unnamed.get("delivery"), None);
        }
        let (longest, longer) = ("~".repeat(128), "~".repeat(129));
        for (name, is_told) in [
            ("72d3162e-cc78-11e3-81ab-4c9367dc0958", true),
            ("!", true),
            (longest.as_str(), true),
            (longer.as_str(), false),
            ("", false),
            ("a b", false),
            ("a\n", false),
            ("\u{7f}", false),
            ("长", false),
        ] {
            assert_eq!(is_delivery(name), is_told, "{name}");
        }
    }

    #[test]
    fn an_event_that_fits_does_so_with_every_id() {
        let frame = parts(Data::Json(Json::parse("\"\"").unwrap())).render().unwrap().len();
        // The longest id has 17 digits more than 17.
        for (room, fits) in [(17, true), (16, false)] {
            let text = format!("\"{}\"", "x".repeat(LINE_LENGTH_MAX - frame - room));
            let parts = parts(Data::Json(Json::parse(&text).unwrap()));
            assert_eq!(parts.fits(), Ok(fits));
            assert!(parts.render().is_ok());
        }
    }

    #[test]
    fn only_json_becomes_data() {
        let (deep, deeper) = ("[".repeat(100) + &"]".repeat(100), "[".repeat(101) + &"]".repeat(101));
        let line = parts(Data::Json(Json::parse(&deep).unwrap())).render().unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok(), "whoever reads the line can read it");
        for (text, is_json) in [
            ("null", true),
            ("{}", true),
            (r#"{"a":[1,"[[[["]}"#, true),
            (deep.as_str(), true),
            (deeper.as_str(), false),
            ("", false),
            ("{}{}", false),
            ("{\"a\":1,}", false),
            ("\"a\nb\"", false),
            ("NaN", false),
            ("\u{feff}{}", false),
        ] {
            assert_eq!(Json::parse(text).is_ok(), is_json, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_rfc_3339_says() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Rfc3339(Timestamp::from_millis(millis)).to_string(), text);
        }
    }

    #[test]
    fn a_topic_is_named_by_letters_digits_and_hyphens() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        for name in ["team", "t", "0", "a-b-", longest.as_str()] {
            assert!(is_topic(name), "{name}");
        }
        for name in ["", "-a", "Team", "a_b", "a b", "ä", "a/b", longer.as_str()] {
            assert!(!is_topic(name), "{name}");
        }
    }

    #[test]
    fn what_the_server_says_is_reserved_to_it() {
        for reserved in ["notice", "com.github.push", "fujie.signed_in", "fujie."] {
            assert!(is_reserved(reserved), "{reserved}");
        }
        for free in ["notices", "com.githubbish", "fujie", "dev.fujie.x", "Notice", ""] {
            assert!(!is_reserved(free), "{free}");
        }
    }
}
