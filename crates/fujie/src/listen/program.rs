//! `--exec`: a program is run for every event, one at a time and in order, with the event on its standard input.
//!
//! No shell reads the command: it is split into words here, and nothing of an event ever becomes a word.

use std::{process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::{event::Event, handle::Fault};
use crate::login::Failure;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    time: Duration,
}

impl Program {
    /// The command's words, and after them `more` as they are.
    pub fn new(command: &str, more: &[String], time: Duration) -> Result<Self, Failure> {
        let mut words = words(command).map_err(unusable)?.into_iter().chain(more.iter().cloned());
        let name = words.next().ok_or_else(|| unusable(Odd::Empty))?;
        Ok(Self { name, arguments: words.collect(), time })
    }

    /// Runs it for `event`, until it has ended or its time is up.
    pub async fn run(&self, event: &Event, topic: &str) -> Result<(), Fault> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).stdin(Stdio::piped()).kill_on_drop(true);
        command.env("FUJIE_EVENT_ID", event.id.to_string()).env("FUJIE_EVENT_TYPE", &event.event_type);
        command.env("FUJIE_EVENT_TOPIC", topic).env_remove("FUJIE_TOKEN");
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let mut input = child.stdin.take();
        let write = async {
            if let Some(input) = &mut input {
                // A program need not read.
                drop(input.write_all(event.line.as_bytes()).await);
                drop(input.write_all(b"\n").await);
            }
            // It waits for the end of what it reads.
            drop(input.take());
        };
        let ended = timeout(self.time, async { tokio::join!(write, child.wait()).1 }).await;
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                let name = &self.name;
                Err(Fault::new(format!("{name} ended with {status}"), format!("{name} 执行失败：{status}")))
            }
            Ok(Err(error)) => Err(self.not_started(&error)),
            Err(_) => {
                drop(child.kill().await);
                let (name, seconds) = (&self.name, self.time.as_secs());
                Err(Fault::new(
                    format!("{name} was killed after {seconds} s"),
                    format!("{name} 运行超过 {seconds} 秒，已被终止"),
                ))
            }
        }
    }

    fn not_started(&self, error: &std::io::Error) -> Fault {
        Fault::new(format!("{}: {error}", self.name), format!("{}：{error}", self.name))
    }
}

/// Why a command cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    Empty,
    Unclosed,
    Shell(char),
}

/// Words as a shell splits them: blanks part, quotes and backslashes hold together. What only a shell can do is refused.
fn words(text: &str) -> Result<Vec<String>, Odd> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quoted(letter, &mut letters, word)?;
            }
            '\\' => word.get_or_insert_default().push(letters.next().ok_or(Odd::Unclosed)?),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' => return Err(Odd::Shell(letter)),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    if words.is_empty() { Err(Odd::Empty) } else { Ok(words) }
}

/// What stands up to the closing quote.
fn quoted(quote: char, letters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Odd> {
    loop {
        match letters.next().ok_or(Odd::Unclosed)? {
            letter if letter == quote => return Ok(()),
            '\\' if quote == '"' => match letters.next().ok_or(Odd::Unclosed)? {
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            letter @ ('$' | '`') if quote == '"' => return Err(Odd::Shell(letter)),
            letter => word.push(letter),
        }
    }
}

fn unusable(odd: Odd) -> Failure {
    match odd {
        Odd::Empty => Failure::usage("--exec names no program", "--exec 没有指定程序"),
        Odd::Unclosed => Failure::usage("--exec: a quote is not closed", "--exec 中的引号没有闭合"),
        Odd::Shell(letter) => Failure::usage(
            format!("--exec: no shell reads this, so {letter} does nothing here; say --exec \"sh -c '…'\""),
            format!("--exec 不经过 shell，{letter} 不起作用；如有需要，请写 --exec \"sh -c '…'\""),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_would() {
        for (text, expected) in [
            ("cat", vec!["cat"]),
            ("  ./handle.sh  --quick\t-x ", vec!["./handle.sh", "--quick", "-x"]),
            ("sh -c 'cat >> \"$HOME\"/log'", vec!["sh", "-c", "cat >> \"$HOME\"/log"]),
            (r#"a "b \"c\" d" e\ f '' g"h"i"#, vec!["a", "b \"c\" d", "e f", "", "ghi"]),
            (r#""a\b""#, vec![r"a\b"]),
            ("处理 事件", vec!["处理", "事件"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for (text, odd) in [
            ("", Odd::Empty),
            ("  ", Odd::Empty),
            ("cat >> log", Odd::Shell('>')),
            ("a | b", Odd::Shell('|')),
            ("echo $FUJIE_EVENT_ID", Odd::Shell('$')),
            ("echo \"$X\"", Odd::Shell('$')),
            ("'a", Odd::Unclosed),
            ("a\\", Odd::Unclosed),
        ] {
            assert_eq!(words(text), Err(odd), "{text}");
        }
    }
}
