//! How these commands speak: people read stderr in their language, programs read stdout.
//!
//! Owns the flags that every command of the family has, and what is drawn on a terminal. Nothing here knows OAuth.

use std::{
    env, fs,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use fujie_receiver::page::Language;

use super::failure::Failure;

/// What every command of this family can be told.
#[derive(Clone, Debug, Default, Args)]
pub struct Manner {
    /// Folder of the tokens. Default: $FUJIE_TOKEN_STORE, else fujie/tokens in the configuration folder.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Language of messages. Default: the system's.
    #[arg(long, value_enum, value_name = "en|zh", hide_possible_values = true)]
    pub lang: Option<Lang>,
    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
}

/// A language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    #[value(alias = "zh-CN")]
    Zh,
}

/// Where a command speaks, and how.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// The language of messages.
    pub language: Language,
    is_quiet: bool,
    is_drawn: bool,
    is_colored: bool,
}

impl Terminal {
    /// The process's own, spoken to as the flags say.
    pub fn new(manner: &Manner) -> Self {
        let language = match manner.lang {
            Some(Lang::Zh) => Language::Chinese,
            Some(Lang::En) => Language::English,
            None => system_language(),
        };
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_drawn = io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb");
        let is_colored = is_drawn && !is_set("NO_COLOR");
        Self { language, is_quiet: manner.quiet, is_drawn: is_drawn && !manner.quiet, is_colored }
    }

    /// One of two texts.
    pub fn choose<T>(&self, english: T, chinese: T) -> T {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// Tells a person something, unless they want quiet.
    pub fn say(&self, english: &str, chinese: &str) {
        if !self.is_quiet {
            self.insist(english, chinese);
        }
    }

    /// Tells a person what they cannot do without.
    pub fn insist(&self, english: &str, chinese: &str) {
        let clear = if self.is_drawn { CLEAR } else { "" };
        // Nobody is left to tell when stderr is closed.
        drop(writeln!(io::stderr(), "{clear}{}", self.choose(english, chinese)));
    }

    /// Says why it failed, and gives the exit code.
    pub fn fail(&self, failure: &Failure) -> i32 {
        let clear = if self.is_drawn { CLEAR } else { "" };
        drop(writeln!(io::stderr(), "{clear}fujie: {}", self.choose(&failure.english, &failure.chinese)));
        failure.code
    }

    /// The text as something to look at or to copy.
    pub fn strong(&self, text: &str) -> String {
        if self.is_colored { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Says once how long is waited: where nothing counts down.
    pub fn say_span(&self, span: Duration) {
        let seconds = span.as_secs();
        self.say(
            &format!("Waiting for at most {seconds} s. Ctrl-C cancels."),
            &format!("最多等待 {seconds} 秒，按 Ctrl-C 取消。"),
        );
    }

    /// Shows on a terminal, second by second, how much of `left` remains; elsewhere says it once. Never ends by itself;
    /// dropped, it wipes its line.
    pub async fn count_down(&self, left: Duration) {
        if !self.is_drawn {
            self.say_span(left);
            return std::future::pending().await;
        }
        let _wipe = Wipe;
        let mut ticks = tokio::time::interval(TICK);
        let mut frames = SPINNER.iter().cycle();
        for tick in 0_u32.. {
            ticks.tick().await;
            let left = left.saturating_sub(TICK * tick).as_secs();
            let (clock, frame) = (format!("{}:{:02}", left / 60, left % 60), frames.next().unwrap_or(&""));
            let english = format!("{frame} Waiting for the sign-in, {clock} left. Ctrl-C cancels.");
            let chinese = format!("{frame} 正在等待登录，剩余 {clock}，按 Ctrl-C 取消。");
            drop(write!(io::stderr(), "{CLEAR}{}", self.choose(english, chinese)));
        }
    }
}

/// Prints a result on stdout.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read along has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a person may be asked to type something in although nobody said so: there is a terminal, and we know that
/// it listens to us.
pub fn is_asked() -> bool {
    cfg!(target_os = "linux") && io::stdin().is_terminal() && may_read()
}

/// Whether standard input can be read now. A background job that reads its terminal is stopped (POSIX.1 §11.1.4); only
/// Linux says without a system call of one's own who is in front.
pub fn may_read() -> bool {
    !io::stdin().is_terminal()
        || fs::read_to_string("/proc/self/stat").is_ok_and(|stat| is_in_front(&stat))
        || !cfg!(target_os = "linux")
}

/// Reads proc_pid_stat(5): after the name in parentheses come state, parent, process group, session, terminal and the
/// process group in front of it, which is -1 when there is no terminal that could stop us.
fn is_in_front(stat: &str) -> bool {
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    match (fields.get(2), fields.get(5)) {
        (Some(own), Some(front)) => own == front || *front == "-1",
        _ => false,
    }
}

/// The language of messages, as the system names it (POSIX.1 §8.2).
pub fn system_language() -> Language {
    let value = |name| env::var(name).ok().filter(|value| !value.is_empty());
    match value("LC_ALL").or_else(|| value("LC_MESSAGES")).or_else(|| value("LANG")) {
        Some(name) if name.starts_with("zh") => Language::Chinese,
        _ => Language::English,
    }
}

/// Wipes the line of the countdown when it is over.
struct Wipe;

impl Drop for Wipe {
    fn drop(&mut self) {
        drop(write!(io::stderr(), "{CLEAR}"));
    }
}

const TICK: Duration = Duration::from_millis(250);
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// Back to the beginning of the line, and nothing on it.
const CLEAR: &str = "\r\x1b[K";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_job_knows_that_it_is_one() {
        assert!(is_in_front("7 (fujie) S 1 7 7 34816 7 4194304 1"));
        assert!(!is_in_front("7 (fujie) S 1 7 6 34816 6 4194304 1"));
        assert!(!is_in_front("7 (a) S 1 7) S 1 7 6 34816 6 4194304 1"));
        assert!(is_in_front("7 (fujie) S 1 7 6 0 -1 4194304 1"));
        assert!(!is_in_front(""));
    }
}
