//! What is done with an event: printed, given to a program, posted to a server; one event after the other.

use std::io::{self, IsTerminal as _, Write as _};

use fujie_channel::message::{self, Message};
use fujie_core::line::is_steering;
use fujie_receiver::page::Language;

use super::{event::Event, forward::Forward, program::Program, server::Server};
use crate::{
    client::Output,
    login::{Failure, Terminal, visible},
};

/// Why one event was not handled. The next one is.
#[derive(Debug)]
pub struct Fault {
    english: String,
    chinese: String,
}

/// What to do with events.
pub struct Handler {
    /// The form in which they are printed, if they are.
    pub output: Option<Output>,
    /// The program that is run.
    pub program: Option<Program>,
    /// Where they are posted.
    pub forward: Option<Forward>,
    /// The topic.
    pub topic: String,
    /// Speaks.
    pub terminal: Terminal,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// By all who wanted it.
    Well,
    /// Somebody could not; that was told.
    Badly,
    /// Nobody reads stdout any more.
    Unread,
}

impl Fault {
    /// In both languages.
    pub const fn new(english: String, chinese: String) -> Self {
        Self { english, chinese }
    }
}

impl Handler {
    /// Handles `event`, to its end.
    pub async fn handle(&self, event: &Event, server: &Server) -> Result<Handled, Failure> {
        if let Some(output) = self.output
            && !self.print(output, event)?
        {
            return Ok(Handled::Unread);
        }
        let mut handled = Handled::Well;
        if let Some(program) = &self.program
            && let Err(fault) = program.run(event, &self.topic).await
        {
            handled = self.badly(event, fault);
        }
        if let Some(forward) = &self.forward {
            match forward.post(event, server).await {
                Ok(status) => self.terminal.say(
                    &format!("event {} ({}): {status}", event.id, visible(&event.event_type)),
                    &format!("事件 {}（{}）：{status}", event.id, visible(&event.event_type)),
                ),
                Err(fault) => handled = self.badly(event, fault),
            }
        }
        Ok(handled)
    }

    fn badly(&self, event: &Event, fault: Fault) -> Handled {
        let (id, Fault { english, chinese }) = (event.id, fault);
        self.terminal.insist(&visible(&format!("event {id}: {english}")), &visible(&format!("事件 {id}：{chinese}")));
        Handled::Badly
    }

    /// Prints `event`; `false` when nobody reads.
    fn print(&self, output: Output, event: &Event) -> Result<bool, Failure> {
        let mut out = io::stdout();
        let line = match output {
            Output::Json if out.is_terminal() => format!("{}\n", escaped(&event.line)),
            Output::Json => format!("{}\n", event.line),
            Output::Text => format!("{}\n", self.readable(event, out.is_terminal() && is_colorful())),
        };
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true).map_err(Into::into),
        }
    }

    /// One line: number, time, type, and what a person would say of it.
    fn readable(&self, event: &Event, is_colored: bool) -> String {
        let message = Message::of(event.line.as_bytes(), self.language());
        let more = message.lines.iter().take(MORE_MAX).map(|line| format!(" · {line}"));
        let what = format!("{}{}", message.title, more.collect::<String>());
        let [time, event_type, what] = [moment(&event.time), event.event_type.clone(), what].map(|text| plain(&text));
        match is_colored {
            true => format!("{DIM}{}  {time}{END}  {BLUE}{event_type}{END}  {what}", event.id),
            false => format!("{}  {time}  {event_type}  {what}", event.id),
        }
    }

    const fn language(&self) -> message::Language {
        match self.terminal.language {
            Language::Chinese => message::Language::Chinese,
            Language::English => message::Language::English,
        }
    }
}

/// The same JSON, steering no terminal: a compact line has such characters in strings alone (RFC 8259 §7).
fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for character in line.chars() {
        if is_steering(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// What came from outside, on one line, steering nothing.
fn plain(text: &str) -> String {
    visible(text).replace('\n', " ")
}

/// `2026-11-22T06:00:00.123Z` without what a person does not need.
fn moment(time: &str) -> String {
    match time.split_once('T') {
        Some((day, rest)) => format!("{day} {}Z", rest.split(['.', 'Z']).next().unwrap_or_default()),
        None => time.to_owned(),
    }
}

fn is_colorful() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// So many lines of a message beside its title.
const MORE_MAX: usize = 2;
const DIM: &str = "\x1b[2m";
const BLUE: &str = "\x1b[34m";
const END: &str = "\x1b[0m";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::Manner;

    fn handler() -> Handler {
        let terminal = Terminal::new(&Manner { lang: Some(crate::login::Lang::En), ..Manner::default() });
        Handler { output: None, program: None, forward: None, topic: "team".to_owned(), terminal }
    }

    #[test]
    fn an_event_is_one_line_that_steers_nothing() {
        let line = r#"{"id":"17","type":"notice\u001b[2J","time":"2026-11-22T06:00:01.123Z","topic":"team","data":{"title":"x\u001b]0;y\u0007\n\u202ez"}}"#;
        let text = handler().readable(&Event::read(line).unwrap(), false);
        assert!(text.starts_with("17  2026-11-22 06:00:01Z  notice[2J  "), "{text}");
        assert!(!text.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{text:?}");
    }

    #[test]
    fn json_on_a_terminal_steers_nothing_and_says_the_same() {
        let line = "{\"t\":\"你\u{9b}2J\u{7f}\u{202e}\u{2066}é\"}";
        let shown = escaped(line);
        assert_eq!(shown, r#"{"t":"你\u009b2J\u007f\u202e\u2066é"}"#);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(line));
    }

    #[test]
    fn a_notice_is_told_as_people_tell_it() {
        let line = r#"{"id":"18","type":"notice","time":"2026-11-22T06:00:01.123Z","topic":"team","data":{"title":"Lunch","text":"Noodles","kind":"activity","author":"ann"}}"#;
        let text = handler().readable(&Event::read(line).unwrap(), false);
        assert_eq!(text, "18  2026-11-22 06:00:01Z  notice  Activity: Lunch · Noodles · From: ann");
    }
}
