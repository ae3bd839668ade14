//! `scheme register|unregister|status NAME`; `scheme-open NAME URI`, which the desktop calls; and waiting for a URI. The
//! same words in `fujie-receive` and in `fujie`: whichever registers a scheme is the one that is called.

mod chinese;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use self::chinese::Chinese;
use super::{
    arguments::{Receive, Scheme},
    filled, system_language, Program, Terminal, DONE, FAILED, MISMATCH, USAGE,
};
use crate::{
    callback::Callback,
    loopback::Loopback,
    page::Language,
    uri_scheme::{
        handover::{self, HandoverError, Waiting},
        register, status, unregister, Error, Opening, Place, Registration, SchemeName, Status, System,
    },
};

/// Runs `scheme …` or `scheme-open …` and returns the exit code; `None` when the arguments are for somebody else. Ask
/// before any other parsing: what follows `scheme-open` was written by a stranger.
pub fn run_scheme(program: Program, arguments: &[OsString]) -> Option<i32> {
    let mut terminal = Terminal { program, language: system_language() };
    if let Some(opening) = Opening::from_arguments(arguments) {
        return Some(match opening {
            Ok(opening) => terminal.open(&opening),
            Err(refusal) => terminal.fail(USAGE, &refusal),
        });
    }
    match arguments {
        [scheme, rest @ ..] if scheme == "scheme" => {
            terminal.program.name = program.scheme;
            Some(match Order::parse(rest, &mut terminal.language) {
                Some(order) => order.run(&terminal).unwrap_or_else(|error| terminal.fail(FAILED, &error)),
                None => {
                    terminal.say(USE, USE, &[]);
                    USAGE
                }
            })
        }
        _ => None,
    }
}

/// What is asked for.
struct Order {
    act: Act,
    name: String,
    program: Option<OsString>,
}

#[derive(Clone, Copy)]
enum Act {
    Register,
    Unregister,
    Status,
    Print(System),
}

impl Order {
    fn parse(arguments: &[OsString], language: &mut Language) -> Option<Order> {
        let (mut act, mut name, mut program, mut is_print, mut system) = (None, None, None, false, None);
        let mut rest = arguments.iter().map(OsString::as_os_str);
        while let Some(argument) = rest.next() {
            match argument.to_str()? {
                "--print" => is_print = true,
                "--program" => program = Some(rest.next()?.to_owned()),
                "--system" => system = Some(System::named(rest.next()?.to_str()?)?),
                "--lang" => *language = Language::named(rest.next()?)?,
                word if word.starts_with('-') || name.is_some() => return None,
                word if act.is_some() => name = Some(word.to_owned()),
                word => act = Some(word),
            }
        }
        let act = match (act?, is_print, system) {
            ("register", true, system) => Act::Print(system.unwrap_or_else(System::of_this_program)),
            ("register", false, None) => Act::Register,
            ("unregister", false, None) if program.is_none() => Act::Unregister,
            ("status", false, None) if program.is_none() => Act::Status,
            _ => return None,
        };
        Some(Order { act, name: name?, program })
    }

    fn run(self, terminal: &Terminal) -> Result<i32, Error> {
        let name = match SchemeName::parse(&self.name) {
            Ok(name) => name,
            Err(refusal) => return Ok(terminal.fail(USAGE, &refusal)),
        };
        match self.act {
            Act::Print(system) => {
                let registration = self.registration(name)?;
                let text = match terminal.program.render {
                    _ if system == System::of_this_program() => registration.render(System::of_this_program())?,
                    Some(render) => render(&registration, system)?,
                    None => {
                        terminal.say(
                            "knows this system only. `fujie scheme` shows the others too.",
                            "只能显示本系统的内容。其他系统请用 `fujie scheme`。",
                            &[],
                        );
                        return Ok(USAGE);
                    }
                };
                return Ok(terminal.print(&text));
            }
            Act::Register => {
                register(&self.registration(name.clone())?, &Place::of_user()?)?;
                terminal.advise(&name);
                terminal.say("{}: registered for this user.", "{} 已为当前用户注册。", &[name.as_str()]);
            }
            Act::Unregister if unregister(&name, &Place::of_user()?)? => {
                terminal.say("{}: no longer registered.", "{} 已取消注册。", &[name.as_str()]);
            }
            Act::Unregister => {
                terminal.say("{} was not registered.", "{} 本来就没有注册。", &[name.as_str()]);
            }
            Act::Status => return terminal.show_status(&name),
        }
        Ok(DONE)
    }

    fn registration(self, name: SchemeName) -> Result<Registration, Error> {
        match self.program {
            Some(program) => Registration::with_program(name, Path::new(&program)),
            None => Registration::of_this_program(name),
        }
    }
}

impl System {
    fn named(name: &str) -> Option<System> {
        match name {
            "linux" => Some(System::Linux),
            "macos" => Some(System::MacOs),
            "windows" => Some(System::Windows),
            _ => None,
        }
    }
}

impl Language {
    fn named(name: &OsStr) -> Option<Language> {
        match name.to_str()? {
            "zh" | "zh-CN" => Some(Language::Chinese),
            "en" => Some(Language::English),
            _ => None,
        }
    }
}

impl Terminal {
    /// Waits for a URI, and for a request on loopback when that is wished after a while. An exit code when it cannot.
    pub(super) fn wait_for_uri(
        &self,
        receive: &Receive,
        scheme: &Scheme,
    ) -> Result<Result<Callback, crate::Error>, i32> {
        let fall_back = match scheme.patience {
            Some(patience) if patience < receive.timeout => {
                let bound = Loopback::bind(&receive.options).map_err(|error| self.unbound(receive, &error))?;
                Some((patience, bound))
            }
            _ => None,
        };
        let waiting = self.waiting(scheme)?;
        let announce = |uri: &str| self.announce(receive, uri);
        announce(&[scheme.name.as_str(), ":"].concat());
        Ok(match fall_back {
            Some((patience, bound)) => waiting.wait_or_fall_back(patience, receive.timeout - patience, bound, announce),
            None => waiting.wait(receive.timeout),
        })
    }

    fn waiting(&self, scheme: &Scheme) -> Result<Waiting, i32> {
        let Scheme { name, state, .. } = scheme;
        let place = Place::of_user().map_err(|error| self.fail(FAILED, &error))?;
        match status(name, &place) {
            Ok(Status::Ours { .. }) => {}
            Ok(Status::Foreign { by }) => return Err(self.fail(FAILED, &Error::Foreign { by })),
            Err(error) => return Err(self.fail(FAILED, &error)),
            Ok(Status::Absent) => {
                self.say(
                    "{} is not registered. First, once: {} register {}",
                    "{} 尚未注册，请先执行一次：{} register {}",
                    &[name.as_str(), self.program.scheme, name.as_str()],
                );
                return Err(FAILED);
            }
        }
        Waiting::open(name, state.as_deref(), &place).map_err(|error| self.fail(FAILED, &error))
    }

    fn open(&self, opening: &Opening) -> i32 {
        let place = match Place::of_user() {
            Ok(place) => place,
            Err(error) => return self.fail(FAILED, &error),
        };
        match handover::hand_over(opening, &place) {
            Ok(()) => DONE,
            Err(error @ HandoverError::Refused) => self.fail(MISMATCH, &error),
            Err(error) => self.fail(FAILED, &error),
        }
    }

    fn show_status(&self, name: &SchemeName) -> Result<i32, Error> {
        let (english, chinese, what, code) = match status(name, &Place::of_user()?)? {
            Status::Ours { command } => ("registered: {}\n", "已注册：{}\n", command, DONE),
            Status::Absent => ("not registered\n", "未注册\n", String::new(), FAILED),
            Status::Foreign { by } => ("another program's: {}\n", "已被其他程序注册：{}\n", by, FAILED),
        };
        let text = match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        match self.print(&filled(text, &[&what])) {
            DONE => Ok(code),
            failed => Ok(failed),
        }
    }

    fn advise(&self, name: &SchemeName) {
        if !name.is_reverse_domain() {
            self.say(
                "Any program may claim so short a name. A domain in reverse, such as com.example.{}, is yours alone \
                 (RFC 8252 section 7.1).",
                "这样的短名称容易与其他程序冲突，建议使用倒写的域名，例如 com.example.{}（RFC 8252 第 7.1 节）。",
                &[name.as_str()],
            );
        }
    }

    fn fail(&self, code: i32, why: &dyn Chinese) -> i32 {
        let why = match self.language {
            Language::English => why.to_string(),
            Language::Chinese => why.in_chinese(),
        };
        self.say("{}", "{}", &[&why]);
        code
    }
}

const USE: &str = "
  scheme register NAME [--program PATH] [--print [--system linux|macos|windows]]
  scheme unregister NAME
  scheme status NAME";
