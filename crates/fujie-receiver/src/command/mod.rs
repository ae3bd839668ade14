//! The program `fujie-receive`: arguments in, exit code out. `fujie receive` is the same function.
//!
//! The result goes to stdout, everything else to stderr. Ctrl-C ends the process by its signal, as the shell expects
//! (130 there); the system then closes the port.

mod arguments;
mod output;
mod scheme;

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
};

use self::arguments::{Receive, Wish};
pub use self::scheme::run_scheme;
use crate::{
    callback::Refusal,
    loopback::Loopback,
    page::{Language, Page},
    uri_scheme::{self, Registration, System},
    Error,
};

/// The result was printed.
pub const DONE: i32 = 0;
/// Something failed, for example no port was free.
pub const FAILED: i32 = 1;
/// Given up.
pub const CANCELLED: i32 = 2;
/// No callback came in time.
pub const TIMED_OUT: i32 = 3;
/// The person or the provider said no.
pub const REFUSED: i32 = 5;
/// A URI came whose `state` is another.
pub const MISMATCH: i32 = 6;
/// The arguments are wrong.
pub const USAGE: i32 = 64;

/// The program that runs, as its messages know it.
#[derive(Clone, Copy)]
pub struct Program {
    /// Its name: `fujie-receive` or `fujie receive`.
    pub name: &'static str,
    /// The words that register a scheme with it: `fujie-receive scheme` or `fujie scheme`.
    pub scheme: &'static str,
    /// How it shows what another system would be told: [`Registration::render`], or not, when it is to be small.
    pub render: Option<Render>,
}

/// What a registration looks like on a system.
pub type Render = fn(&Registration, System) -> Result<String, uri_scheme::Error>;

/// Runs the program with its arguments, without the program's name, and returns its exit code.
pub fn run(program: Program, arguments: &[OsString]) -> i32 {
    if let Some(code) = run_scheme(program, arguments) {
        return code;
    }
    let (language, wish) = arguments::parse(arguments, system_language(), &mut io::stdin().lock());
    let terminal = Terminal { program, language };
    match wish {
        Ok(Wish::Help) => {
            let (name, scheme) = (program.name, program.scheme);
            terminal.print(&filled(arguments::help(language), &[name, name, scheme, scheme]))
        }
        Ok(Wish::Version) => terminal.print(&filled("{} {}\n", &[program.name, VERSION])),
        Ok(Wish::Receive(receive)) => terminal.receive(*receive),
        Err(usage) => {
            terminal.say(usage.english, usage.chinese, &[&usage.what]);
            terminal.say("`{} --help` says how to use it.", "用法见 `{} --help`。", &[program.name]);
            USAGE
        }
    }
}

/// The language of the messages, as the system names it (POSIX.1 §8.2).
fn system_language() -> Language {
    let value = |name| env::var(name).ok().filter(|value| !value.is_empty());
    match value("LC_ALL").or_else(|| value("LC_MESSAGES")).or_else(|| value("LANG")) {
        Some(name) if name.starts_with("zh") => Language::Chinese,
        _ => Language::English,
    }
}

/// Whom the program speaks to.
struct Terminal {
    program: Program,
    language: Language,
}

impl Terminal {
    fn receive(&self, mut receive: Receive) -> i32 {
        if receive.is_stateless {
            // Whoever wants quiet is told too: it is the person at risk.
            self.say(
                "Warning: without a state, any web page can hand this program somebody else's code.",
                "警告：不校验 state 时，任何网页都可能把别人的 code 塞给本程序。",
                &[],
            );
        }
        if let Some(path) = &receive.page {
            match read_page(path) {
                Ok(received) => receive.options.page = Some(Page { received, ..Page::new(self.language) }),
                Err(error) => {
                    self.say("{}: {}", "{}：{}", &[path, &error.to_string()]);
                    return FAILED;
                }
            }
        }
        let result = match &receive.scheme {
            Some(scheme) => self.wait_for_uri(&receive, scheme),
            None => self.listen(&receive).map(|loopback| loopback.wait(receive.timeout)),
        };
        let callback = match result {
            Err(code) => return code,
            Ok(result) => result,
        };
        let callback = match callback {
            Ok(callback) => callback,
            Err(Error::TimedOut { refusal }) => return self.timed_out(refusal),
            Err(Error::Cancelled) => return CANCELLED,
            Err(Error::Io(error)) => return self.failed(&error),
        };
        let printed = self.print(&receive.output.text(&callback));
        match callback.code() {
            Ok(_) => printed,
            Err(error) => {
                let mut reason = error.to_owned();
                if let Some(description) = callback.value("error_description") {
                    reason.push_str(": ");
                    reason.push_str(description);
                }
                let reason: String = reason.chars().filter(|c| !steers(*c)).take(REASON_LENGTH_MAX).collect();
                self.say("Not granted: {}", "未获得授权：{}", &[&reason]);
                REFUSED
            }
        }
    }

    /// A listener that was announced, or the exit code.
    fn listen(&self, receive: &Receive) -> Result<Loopback, i32> {
        let loopback = Loopback::bind(&receive.options).map_err(|error| self.unbound(receive, &error))?;
        self.announce(receive, &loopback.redirect_uri());
        Ok(loopback)
    }

    fn announce(&self, receive: &Receive, redirect_uri: &str) {
        if receive.is_quiet {
            return;
        }
        self.say(
            "Waiting at {} for {} s. Ctrl-C cancels.",
            "正在 {} 等待回调，最长 {} 秒，按 Ctrl-C 取消。",
            &[redirect_uri, &receive.timeout.as_secs().to_string()],
        );
    }

    fn unbound(&self, receive: &Receive, error: &io::Error) -> i32 {
        let (english, chinese) = match error.kind() {
            io::ErrorKind::InvalidInput => {
                self.say("--path must be like /callback", "--path 应形如 /callback", &[]);
                return USAGE;
            }
            io::ErrorKind::AddrInUse => ("Another program is using port {}.", "端口 {} 已被其他程序占用。"),
            _ => ("Cannot listen on port {} of {}: {}", "无法监听端口 {}（{}）：{}"),
        };
        let mut ports = String::new();
        for port in &receive.options.ports {
            ports.push_str(if ports.is_empty() { "" } else { ", " });
            ports.push_str(&port.to_string());
        }
        self.say(english, chinese, &[&ports, &receive.options.host.to_string(), &error.to_string()]);
        FAILED
    }

    fn timed_out(&self, refusal: Option<Refusal>) -> i32 {
        match refusal {
            None => self.say("The time is up and no request came.", "等待超时，没有收到任何请求。", &[]),
            Some(refusal) => {
                let why = match self.language {
                    Language::English => refusal.in_english(),
                    Language::Chinese => in_chinese(refusal),
                };
                self.say("The time is up. A request came, but {}.", "等待超时。收到过请求，但{}。", &[why]);
            }
        }
        TIMED_OUT
    }

    fn failed(&self, error: &io::Error) -> i32 {
        self.say("{}", "{}", &[&error.to_string()]);
        FAILED
    }

    fn print(&self, text: &str) -> i32 {
        let mut stdout = io::stdout();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => DONE,
            Err(error) => self.failed(&error),
        }
    }

    /// Says something in the person's language, its `{}` filled with the parts.
    fn say(&self, english: &str, chinese: &str, parts: &[&str]) {
        let text = match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        let line = filled("{}: {}\n", &[self.program.name, &filled(text, parts)]);
        // Nobody is left to tell when stderr is closed.
        drop(io::stderr().write_all(line.as_bytes()));
    }
}

/// A template with the parts in the place of its `{}`.
fn filled(template: &str, parts: &[&str]) -> String {
    let (mut text, mut parts) = (String::new(), parts.iter());
    for piece in template.split('{') {
        match piece.strip_prefix('}') {
            Some(rest) => {
                text.push_str(parts.next().copied().unwrap_or_default());
                text.push_str(rest);
            }
            None => text.push_str(piece),
        }
    }
    text
}

/// The page in a file.
fn read_page(path: &str) -> io::Result<String> {
    let mut page = Vec::new();
    File::open(path)?.take(PAGE_LENGTH_MAX + 1).read_to_end(&mut page)?;
    let unfit = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    if page.len() as u64 > PAGE_LENGTH_MAX {
        return Err(unfit("> 64 KiB"));
    }
    String::from_utf8(page).or(Err(unfit("not UTF-8")))
}

/// Whether a character that came from outside would steer a terminal, break its line or turn it around (UAX #9).
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn in_chinese(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed => "它不是 HTTP/1 请求",
        Refusal::TimedOut => "它没有在限时内发完",
        Refusal::TargetTooLong => "网址太长",
        Refusal::HeadersTooLarge => "请求头太长",
        Refusal::Host => "主机名不符",
        Refusal::Path => "路径不符",
        Refusal::Method => "请求方法不符",
        Refusal::Form => "表单的类型或长度不符",
        Refusal::Parameters => "有参数重复或无法解析",
        Refusal::State => "其中的 state 缺失或不符",
        Refusal::Empty => "其中既没有 code 也没有 error",
    }
}

const REASON_LENGTH_MAX: usize = 500;
const PAGE_LENGTH_MAX: u64 = 64 * 1024;
/// Debian's compiler builds this without cargo, which does not know this workspace's edition there.
const VERSION: &str = match option_env!("CARGO_PKG_VERSION") {
    Some(version) => version,
    None => "built without cargo",
};
