//! What a person reads of an event: a title, a few lines, a link; in Chinese or English.
//!
//! Owns the words and their limits. The event is what the log holds, CloudEvents 1.0 in JSON; members that are missing
//! or odd make a plainer message, never none. Not here: the markup of any robot; every text is plain and on one line.

mod github;
mod own;

use serde_json::{Map, Value};
use url::Url;

use crate::event::{GITHUB, NOTICE, OWN};

/// Characters of a title, at most.
const TITLE_LENGTH_MAX: usize = 120;
/// Characters of a line, at most.
const LINE_LENGTH_MAX: usize = 200;
/// Lines, at most.
const LINES_MAX: usize = 10;
/// Characters of a link, at most; a longer one is left out.
const LINK_LENGTH_MAX: usize = 1000;
/// Commits of a push, lines of a text, titles of a summary: so many are shown.
const SHOWN_MAX: usize = 5;

/// The language of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The tag that is stored: `zh`, `en`.
    pub const fn as_str(self) -> &'static str {
        self.choose("zh", "en")
    }

    /// Reads the stored tag.
    pub fn parse(tag: &str) -> Option<Self> {
        [Self::Chinese, Self::English].into_iter().find(|own| own.as_str() == tag)
    }

    /// The text of the two that this language's reader should see.
    pub(crate) const fn choose<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// What a person reads. Every text is clean: one line, no control characters, of limited length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What happened, in one sentence.
    pub title: String,
    /// More of it; perhaps nothing.
    pub lines: Vec<String>,
    /// Where to read on: `http` or `https`, without a user name.
    pub link: Option<String>,
    /// Whether it should wake a phone: a meeting, not a star.
    pub is_urgent: bool,
    /// The language it is in.
    pub language: Language,
}

impl Message {
    /// Of an event as the log holds it.
    pub fn of(event: &[u8], language: Language) -> Self {
        let Ok(Value::Object(event)) = serde_json::from_slice(event) else {
            return Self::new(language, language.choose("收到一个事件", "An event came in"));
        };
        let facts = Facts { event: &event, language };
        let event_type = facts.attribute("type").unwrap_or_default();
        let message = if let Some(name) = event_type.strip_prefix(GITHUB) {
            github::message(name, &facts)
        } else if let Some(kind) = event_type.strip_prefix(OWN) {
            own::happening(kind, &facts)
        } else if event_type == NOTICE {
            own::notice(&facts)
        } else {
            facts.other(event_type)
        };
        match message.link {
            Some(_) => message,
            None => Self { link: facts.topic_page(), ..message },
        }
    }

    /// Several in one: how many, and what the first ones say.
    pub fn several(messages: &[Self], language: Language) -> Self {
        let count = messages.len();
        let title = match language {
            Language::Chinese => format!("另有 {count} 条新消息"),
            Language::English => format!("{count} more events"),
        };
        let mut whole = Self::new(language, &title);
        for message in messages.iter().take(SHOWN_MAX) {
            whole.line(&message.title);
        }
        whole.rest(count);
        whole.is_urgent = messages.iter().any(|message| message.is_urgent);
        whole
    }

    /// What `render` makes of as much of it as `fits`: lines go from the end.
    pub(crate) fn fitted<R>(&self, render: impl Fn(&Self) -> R, fits: impl Fn(&R) -> bool) -> R {
        let mut message = self.clone();
        loop {
            let rendered = render(&message);
            if fits(&rendered) || message.lines.pop().is_none() {
                return rendered;
            }
        }
    }

    fn new(language: Language, title: &str) -> Self {
        let title = clean(title, TITLE_LENGTH_MAX);
        Self { title, lines: Vec::new(), link: None, is_urgent: false, language }
    }

    /// Adds a line, unless it is empty or there are enough.
    fn line(&mut self, text: &str) {
        let line = clean(text, LINE_LENGTH_MAX);
        if !line.is_empty() && self.lines.len() < LINES_MAX {
            self.lines.push(line);
        }
    }

    /// Says how many of `count` are not shown.
    fn rest(&mut self, count: usize) {
        let left = count.saturating_sub(SHOWN_MAX);
        if left > 0 {
            self.line(&match self.language {
                Language::Chinese => format!("……还有 {left} 条"),
                Language::English => format!("… and {left} more"),
            });
        }
    }

    fn link(&mut self, address: Option<&str>) {
        self.link = address.and_then(link);
    }
}

/// The members of an event.
struct Facts<'a> {
    event: &'a Map<String, Value>,
    language: Language,
}

impl<'a> Facts<'a> {
    /// A context attribute that is text.
    fn attribute(&self, name: &str) -> Option<&'a str> {
        self.event.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A member of the data, by its path (RFC 6901).
    fn value(&self, pointer: &str) -> Option<&'a Value> {
        self.event.get("data")?.pointer(pointer)
    }

    /// A text of the data that is not empty.
    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.value(pointer)?.as_str().filter(|text| !text.trim().is_empty())
    }

    fn is(&self, pointer: &str) -> bool {
        self.value(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    fn message(&self, chinese: String, english: String) -> Message {
        Message::new(self.language, self.language.choose(&chinese, &english))
    }

    /// Of a type that nobody foresaw: the type, and the repository or project if there is one.
    fn other(&self, event_type: &str) -> Message {
        const NAMES: [&str; 4] =
            ["/repository/full_name", "/project/path_with_namespace", "/repository/name", "/project/name"];
        let place = NAMES.into_iter().find_map(|name| self.text(name)).or_else(|| self.attribute("subject"));
        let what = if event_type == "hook" || event_type.is_empty() {
            self.language.choose("收到一个 Webhook 事件", "A webhook was called")
        } else {
            event_type
        };
        let mut message = Message::new(self.language, &joined(place, what, self.language));
        for pointer in ["/title", "/text", "/message"] {
            self.text(pointer).into_iter().for_each(|text| message.line(first_line(text)));
        }
        message.link(self.text("/url").or_else(|| self.text("/project/web_url")));
        message
    }

    /// The page of the topic, where the event is too long for the line and says where it lies.
    fn topic_page(&self) -> Option<String> {
        let (page, _) = self.attribute("dataref")?.rsplit_once("/events/")?;
        link(page)
    }
}

/// `place：what`, or `what` alone.
fn joined(place: Option<&str>, what: &str, language: Language) -> String {
    match place {
        Some(place) => format!("{place}{}{what}", language.choose("：", ": ")),
        None => what.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// Text on one line: what controls or turns round the display is a space, spaces are single, and what is longer than
/// `length_max` characters is cut.
pub(crate) fn clean(text: &str, length_max: usize) -> String {
    let is_turn = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut line = String::new();
    // Long before the end of a text of megabytes it is long enough.
    for word in text.split(|c: char| c.is_whitespace() || c.is_control() || is_turn(c)).filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((cut, _)) = line.char_indices().nth(length_max) {
            line.truncate(cut);
            line.pop();
            line.push('…');
            break;
        }
    }
    line
}

/// An address that can be shown behind a word: `http` or `https`, of limited length, and without the user name that
/// makes another host look like the known one.
fn link(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let is_plain = crate::post::is_anonymous(&url) && url.has_host() && url.as_str().len() <= LINK_LENGTH_MAX;
    is_plain.then(|| url.into())
}

#[cfg(test)]
mod tests;
