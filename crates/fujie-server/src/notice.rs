//! A notice that a member writes to a topic: a meeting, an activity, or anything else worth telling.

use fujie_channel::event::NOTICE;
use serde::Serialize;

use crate::channel::post::Posted;

/// Characters of a title.
const TITLE_LENGTH_MAX: usize = 200;
/// Characters of a text.
const TEXT_LENGTH_MAX: usize = 10_000;

/// What somebody wrote, not judged yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Draft<'a> {
    pub title: &'a str,
    pub text: &'a str,
    /// `meeting`, `activity` or `notice`; `None` is a notice.
    pub kind: Option<&'a str>,
    /// When it takes place.
    pub at: Option<&'a str>,
}

/// A notice: the `data` of its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Notice {
    title: String,
    text: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    author: String,
}

/// What is wrong with a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoticeError {
    /// The title.
    #[error("title must be one line of 1 to 200 characters")]
    Title,
    /// The text.
    #[error("text must have at most 10000 characters")]
    Text,
    /// The kind.
    #[error("kind must be meeting, activity or notice")]
    Kind,
    /// The time.
    #[error("at must be a date and time such as 2026-11-22T14:00 or 2026-11-22T14:00:00+08:00")]
    At,
}

impl Notice {
    /// The notice of `author`, as people know them.
    pub fn new(draft: Draft<'_>, author: &str) -> Result<Self, NoticeError> {
        let title = draft.title.trim();
        if title.is_empty() || title.chars().count() > TITLE_LENGTH_MAX || title.chars().any(char::is_control) {
            return Err(NoticeError::Title);
        }
        let text = draft.text.trim();
        let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.chars().count() > TEXT_LENGTH_MAX || text.chars().any(is_bad) {
            return Err(NoticeError::Text);
        }
        let wanted = draft.kind.unwrap_or("notice");
        let kind = ["meeting", "activity", "notice"].into_iter().find(|kind| *kind == wanted);
        let at = draft.at.map(str::trim).filter(|at| !at.is_empty());
        if !at.is_none_or(is_moment) {
            return Err(NoticeError::At);
        }
        Ok(Self {
            title: title.to_owned(),
            text: text.to_owned(),
            kind: kind.ok_or(NoticeError::Kind)?,
            at: at.map(str::to_owned),
            author: author.to_owned(),
        })
    }

    /// As it is posted.
    pub fn posted(&self) -> Posted {
        Posted { event_type: NOTICE.to_owned(), subject: None, name: None, data: self.data() }
    }

    /// The `data` of its event.
    fn data(&self) -> String {
        // A struct of texts cannot fail to be written to memory.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Is `text` a date and time as RFC 3339 writes them, or as forms in a browser do, without seconds and zone?
fn is_moment(text: &str) -> bool {
    let fits = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(own, wanted)| match wanted {
                b'0' => own.is_ascii_digit(),
                b'+' => matches!(own, b'+' | b'-'),
                wanted => own.eq_ignore_ascii_case(&wanted),
            })
    };
    let Some((minute, rest)) = text.split_at_checked(16) else { return false };
    let (seconds, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    fits(minute, "0000-00-00T00:00")
        && (seconds.is_empty() || fits(seconds, ":00"))
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (zone.is_empty() || fits(zone, "Z") || fits(zone, "+00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_with_a_time() {
        for good in [
            "2026-11-22T14:00",
            "2026-11-22t14:00z",
            "2026-11-22T14:00:00Z",
            "2026-11-22T14:00:00.123+08:00",
            "2026-11-22T14:00-03:30",
        ] {
            assert!(is_moment(good), "{good}");
        }
        for bad in [
            "",
            "2026-11-22",
            "2026-11-22 14:00",
            "2026-11-22T14",
            "2026-11-22T14:00:0",
            "2026-11-22T14:00+8",
            "周五下午两点半在三楼",
            "2026-11-22T14:00:00.",
            "2026-11-22T14:00.x",
        ] {
            assert!(!is_moment(bad), "{bad}");
        }
    }

    #[test]
    fn a_notice_is_judged_and_written() {
        let draft =
            Draft { title: " 周会 ", text: "带上\n周报", kind: Some("meeting"), at: Some("2026-11-22T14:00") };
        let notice = Notice::new(draft, "小明").unwrap();
        assert_eq!(
            notice.data(),
            r#"{"title":"周会","text":"带上\n周报","kind":"meeting","at":"2026-11-22T14:00","author":"小明"}"#
        );
        let plain = Notice::new(Draft { title: "x", ..Draft::default() }, "a").unwrap();
        assert_eq!(plain.data(), r#"{"title":"x","text":"","kind":"notice","author":"a"}"#);
        let (long_title, long_text) = ("a".repeat(201), "a".repeat(10_001));
        for (bad, error) in [
            (Draft { title: " ", ..draft }, NoticeError::Title),
            (Draft { title: "a\nb", ..draft }, NoticeError::Title),
            (Draft { title: &long_title, ..draft }, NoticeError::Title),
            (Draft { text: &long_text, ..draft }, NoticeError::Text),
            (Draft { text: "\0", ..draft }, NoticeError::Text),
            (Draft { kind: Some("party"), ..draft }, NoticeError::Kind),
            (Draft { at: Some("soon"), ..draft }, NoticeError::At),
        ] {
            assert_eq!(Notice::new(bad, "a"), Err(error));
        }
    }
}
