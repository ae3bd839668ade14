//! The arguments of `fujie-receive`, read by hand: the crate has no dependency.

use std::{
    ffi::OsString,
    io::{BufRead, Read},
    time::Duration,
};

use super::output::Output;
use crate::{
    loopback::{Host, Options},
    page::Language,
    uri_scheme::SchemeName,
};

/// What the arguments ask for.
pub(super) enum Wish {
    Help,
    Version,
    Receive(Box<Receive>),
}

/// Receive a callback.
pub(super) struct Receive {
    pub(super) options: Options,
    pub(super) timeout: Duration,
    pub(super) output: Output,
    pub(super) is_quiet: bool,
    pub(super) is_stateless: bool,
    /// The file with the page for a code.
    pub(super) page: Option<String>,
    pub(super) scheme: Option<Scheme>,
}

/// Receive it through a URI scheme.
pub(super) struct Scheme {
    pub(super) name: SchemeName,
    pub(super) state: Option<String>,
    /// How long until the loopback listener waits too.
    pub(super) patience: Option<Duration>,
}

/// What is wrong with the arguments, in both languages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) english: &'static str,
    pub(super) chinese: &'static str,
    /// What stands for `{}` in both.
    pub(super) what: String,
}

impl Usage {
    fn new(english: &'static str, chinese: &'static str, what: &str) -> Self {
        Usage { english, chinese, what: what.to_owned() }
    }
}

/// The options as they were given.
#[derive(Default)]
struct Given {
    ports: Option<Vec<u16>>,
    path: Option<String>,
    state: Option<String>,
    is_stateless: bool,
    host: Option<Host>,
    timeout: Option<Duration>,
    output: Option<Output>,
    is_form_post: bool,
    is_quiet: bool,
    page: Option<String>,
    scheme: Option<SchemeName>,
    patience: Option<Duration>,
}

/// Reads the arguments: the language to answer in, and what they ask for. Of the input, its first line is read when they
/// say that the state is there.
pub(super) fn parse(
    arguments: &[OsString],
    system_language: Language,
    input: &mut dyn BufRead,
) -> (Language, Result<Wish, Usage>) {
    let mut language = system_language;
    let wish = read(arguments, &mut language, input);
    (language, wish)
}

fn read(arguments: &[OsString], language: &mut Language, input: &mut dyn BufRead) -> Result<Wish, Usage> {
    let mut given = Given::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let argument = text(argument)?;
        let (name, mut value) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (argument, None),
        };
        if takes_value(name) {
            value = match value {
                Some(value) => Some(value),
                None => rest.next().map(text).transpose()?,
            };
        }
        match (name, value) {
            ("-h" | "--help", None) => return Ok(Wish::Help),
            ("-V" | "--version", None) => return Ok(Wish::Version),
            ("--no-state", None) => given.is_stateless = true,
            ("--form-post", None) => given.is_form_post = true,
            ("-q" | "--quiet", None) => given.is_quiet = true,
            ("--lang", Some("zh" | "zh-CN")) => *language = Language::Chinese,
            ("--lang", Some("en")) => *language = Language::English,
            (name, Some(value)) if takes_value(name) => take(&mut given, name, value)?,
            (name, None) if takes_value(name) => return Err(Usage::new("{} needs a value", "{} 需要一个值", name)),
            _ => return Err(Usage::new("unknown argument: {}", "未知参数：{}", argument)),
        }
    }
    if !given.is_stateless && given.state.as_deref() == Some("-") {
        let none = || Usage::new("the first line of stdin is no {}", "标准输入的第一行不是可用的 {}", "state");
        given.state = Some(first_line(input).ok_or_else(none)?);
    }
    finish(given, *language)
}

fn takes_value(name: &str) -> bool {
    ["--port", "--path", "--state", "--host", "--timeout", "--output", "--lang", "--scheme", "--fall-back", "--page"]
        .contains(&name)
}

fn take(given: &mut Given, name: &str, value: &str) -> Result<(), Usage> {
    let is_taken = match name {
        "--port" => set(&mut given.ports, value.split(',').map(|port| port.trim().parse().ok()).collect()),
        "--path" => set(&mut given.path, Some(value.to_owned())),
        "--state" => set(&mut given.state, Some(value.to_owned()).filter(|state| !state.is_empty())),
        "--host" => set(&mut given.host, host(value)),
        "--timeout" => set(&mut given.timeout, seconds(value)),
        "--scheme" => set(&mut given.scheme, SchemeName::parse(value).ok()),
        "--fall-back" => set(&mut given.patience, seconds(value)),
        "--page" => set(&mut given.page, Some(value.to_owned())),
        "--output" => set(&mut given.output, Output::named(value)),
        _ => false,
    };
    if is_taken {
        return Ok(());
    }
    Err(Usage::new("{} stands twice or has an unusable value", "{} 重复出现，或取值无效", name))
}

/// Takes a value once.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_first = place.is_none();
    *place = value;
    is_first && place.is_some()
}

fn host(value: &str) -> Option<Host> {
    match value {
        "127.0.0.1" => Some(Host::Ipv4),
        "::1" | "[::1]" => Some(Host::Ipv6),
        "localhost" => Some(Host::Localhost),
        _ => None,
    }
}

fn seconds(value: &str) -> Option<Duration> {
    value.parse().ok().filter(|seconds| (1..=TIMEOUT_SECONDS_MAX).contains(seconds)).map(Duration::from_secs)
}

fn finish(given: Given, language: Language) -> Result<Wish, Usage> {
    let path = given.path.as_deref().unwrap_or("/callback");
    let mut options = match (&given.state, given.is_stateless) {
        (Some(state), false) => Options::new(path, state),
        (None, true) => Options::without_state(path),
        (None, false) => {
            return Err(Usage::new(
                "say --state VALUE, the state that is in the sign-in URL; or {} if the provider returns none",
                "请用 --state 给出登录网址中的 state；如果对方平台不返回 state，请用 {}",
                "--no-state",
            ))
        }
        (Some(_), true) => {
            return Err(Usage::new("--state and {} exclude each other", "--state 与 {} 不能同时使用", "--no-state"))
        }
    };
    let scheme = match (given.scheme, given.patience) {
        (Some(name), patience) => Some(Scheme { name, state: given.state, patience }),
        (None, None) => None,
        (None, Some(_)) => return Err(Usage::new("{} goes with --scheme", "{} 须与 --scheme 一起使用", "--fall-back")),
    };
    options.language = language;
    options.is_form_post = given.is_form_post;
    options.host = given.host.unwrap_or(options.host);
    options.ports = given.ports.unwrap_or(options.ports);
    Ok(Wish::Receive(Box::new(Receive {
        options,
        timeout: given.timeout.unwrap_or(TIMEOUT),
        output: given.output.unwrap_or(Output::Text),
        is_quiet: given.is_quiet,
        is_stateless: given.is_stateless,
        page: given.page,
        scheme,
    })))
}

/// The first line, unless it is empty or too long.
fn first_line(input: &mut dyn BufRead) -> Option<String> {
    let mut line = String::new();
    input.take(STATE_LENGTH_MAX).read_line(&mut line).ok()?;
    let is_whole = line.ends_with('\n') || (line.len() as u64) < STATE_LENGTH_MAX;
    Some(line.trim_end_matches(&['\r', '\n'][..])).filter(|state| is_whole && !state.is_empty()).map(str::to_owned)
}

fn text(argument: &OsString) -> Result<&str, Usage> {
    let not_text = || Usage::new("not UTF-8: {}", "不是 UTF-8：{}", &argument.to_string_lossy());
    argument.to_str().ok_or_else(not_text)
}

/// What `--help` prints. It fits a screen.
pub(super) fn help(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("help.en.txt"),
        Language::Chinese => include_str!("help.zh.txt"),
    }
}

const TIMEOUT: Duration = Duration::from_secs(300);
/// Longest first line of the input, in bytes: a longer state would fit no URL that is read here.
const STATE_LENGTH_MAX: u64 = 4 * 1024;
const TIMEOUT_SECONDS_MAX: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Receive, String> {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match parse(&arguments, Language::English, &mut &b"of-stdin"[..]).1 {
            Ok(Wish::Receive(receive)) => Ok(*receive),
            Ok(Wish::Help) => Err("help".to_owned()),
            Ok(Wish::Version) => Err("version".to_owned()),
            Err(usage) => Err(usage.english.replace("{}", &usage.what)),
        }
    }

    #[test]
    fn arguments_are_read_in_both_spellings() {
        let receive = read("--port 8000,8001,0 --path=/getcode --state=a=b --host localhost --timeout 9 -q").unwrap();
        assert_eq!((receive.options.ports, receive.options.host), (vec![8000, 8001, 0], Host::Localhost));
        assert_eq!((receive.timeout, receive.is_quiet), (Duration::from_secs(9), true));
        let receive = read("--no-state --form-post --output json").unwrap();
        assert_eq!((receive.options.ports, receive.timeout), (vec![0], Duration::from_secs(300)));
        assert!(receive.options.is_form_post && receive.is_stateless && receive.output == Output::Json);
        assert_eq!(read("--state s --help").err().unwrap(), "help");
        assert_eq!(read("-V").err().unwrap(), "version");
    }

    #[test]
    fn a_state_must_be_given_or_given_up_by_name() {
        assert!(read("").err().unwrap().contains("--no-state"));
        assert!(read("--state s --no-state").err().unwrap().contains("exclude"));
        assert!(read("--state=").err().unwrap().contains("--state"));
    }

    #[test]
    fn a_state_comes_on_the_first_line_of_the_input() {
        let scheme = |line| read(line).unwrap().scheme.unwrap();
        assert_eq!(scheme("--scheme mayx --state -").state.as_deref(), Some("of-stdin"));
        assert_eq!(scheme("--scheme mayx --state=a").state.as_deref(), Some("a"));
        let long = "s".repeat(4_096);
        for (input, line) in [
            ("a b\r\nmore", Some("a b")),
            ("a", Some("a")),
            (&long[1..], Some(&long[1..])),
            (&[&long[1..], "\n"].concat(), Some(&long[1..])),
            (&long, None),
            ("\nmore", None),
            ("", None),
        ] {
            assert_eq!(first_line(&mut input.as_bytes()).as_deref(), line);
        }
        assert_eq!(first_line(&mut &b"\xff\n"[..]), None);
    }

    #[test]
    fn a_scheme_may_fall_back() {
        let scheme = read("--scheme mayx --state s --fall-back 9").unwrap().scheme.unwrap();
        assert_eq!((scheme.name.as_str(), scheme.state.as_deref()), ("mayx", Some("s")));
        assert_eq!(scheme.patience, Some(Duration::from_secs(9)));
        assert!(read("--state s --fall-back 9").err().unwrap().contains("--scheme"));
        assert!(read("--scheme https --state s").err().unwrap().starts_with("--scheme"));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (line, name) in [
            ("--port", "--port needs"),
            ("--port 70000", "--port stands"),
            ("--port 8000 --port 8001", "--port stands"),
            ("--port=", "--port stands"),
            ("--timeout 0", "--timeout stands"),
            ("--timeout 1e9", "--timeout stands"),
            ("--host 0.0.0.0", "--host stands"),
            ("--output xml", "--output stands"),
            ("--lang fr", "--lang stands"),
            ("--quiet=yes", "unknown argument: --quiet=yes"),
            ("8000", "unknown argument: 8000"),
        ] {
            let fault = read(&format!("--state s {}", line)).err().unwrap();
            assert!(fault.starts_with(name), "{}: {}", line, fault);
        }
    }

    #[test]
    fn the_language_is_the_one_asked_for() {
        let language = |line: &str| {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            parse(&arguments, Language::Chinese, &mut &b""[..]).0
        };
        assert_eq!(language("--state s"), Language::Chinese);
        assert_eq!(language("--lang en --nonsense"), Language::English);
        for language in [Language::English, Language::Chinese] {
            assert!(help(language).lines().count() <= 30 && help(language).lines().all(|line| line.len() <= 100));
        }
    }
}
