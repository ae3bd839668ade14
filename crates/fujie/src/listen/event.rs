//! An event as it came over the wire: one line of CloudEvents JSON, and the few members that a receiver looks at.

use fujie_channel::event::is_delivery;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub id: i64,
    /// The line, as it came.
    pub line: String,
    /// The attribute `type`.
    pub event_type: String,
    /// The attribute `source`.
    pub source: String,
    /// The attribute `time`.
    pub time: String,
    /// Where its data lies, when it is too long for the line.
    pub dataref: Option<String>,
}

#[derive(Deserialize)]
struct Members {
    id: String,
    #[serde(rename = "type", default)]
    event_type: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    time: String,
    dataref: Option<String>,
}

#[derive(Deserialize)]
struct Carried<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delivered {
    delivery: String,
}

impl Event {
    /// Reads a line; `None` when it is no event with a number.
    pub fn read(line: &str) -> Option<Self> {
        let Members { id, event_type, source, time, dataref } = serde_json::from_str(line).ok()?;
        Some(Self { id: id.parse().ok()?, line: line.to_owned(), event_type, source, time, dataref })
    }

    /// Its data, byte for byte as it stands in the line.
    pub fn data(&self) -> Option<&str> {
        serde_json::from_str::<Carried<'_>>(&self.line).ok()?.data.map(RawValue::get)
    }

    /// What its sender calls it (the attribute `delivery`), if that can stand in a header.
    pub fn delivery(&self) -> Option<String> {
        let Delivered { delivery } = serde_json::from_str(&self.line).ok()?;
        Some(delivery).filter(|delivery| is_delivery(delivery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_its_data_stays_as_it_is() {
        let line = r#"{"specversion":"1.0","id":"17","source":"/hooks/a","type":"com.github.push","time":"2026-11-22T06:00:00.000Z","topic":"team","data":{"n": 1.50,"t":"\u4f60"}}"#;
        let event = Event::read(line).unwrap();
        assert_eq!((event.id, event.event_type.as_str(), event.line.as_str()), (17, "com.github.push", line));
        assert_eq!(event.data(), Some(r#"{"n": 1.50,"t":"\u4f60"}"#));
        let line = r#"{"id":"18","dataref":"https://id.example/topics/t/events/18"}"#;
        let event = Event::read(line).unwrap();
        assert_eq!((event.data(), event.dataref.is_some()), (None, true));
        for bad in ["", "{}", r#"{"id":17}"#, r#"{"id":"x"}"#, "[]"] {
            assert_eq!(Event::read(bad), None, "{bad}");
        }
    }
}
