//! `scheme register|unregister|status NAME`; `scheme-open NAME URI`, which the desktop calls; and waiting for a URI. The
//! same words in `fujie-receive` and in `fujie`: whichever registers a scheme is the one that is called.

mod chinese;

use std::{
    ffi::{OsStr, OsString},
    io::Write,
    path::Path,
};

use self::chinese::Chinese;
use super::{
    arguments::{Receive, Scheme},
    system_language, Terminal, DONE, FAILED, MISMATCH, USAGE,
};
use crate::{
    callback::Callback,
    page::Language,
    uri_scheme::{
        handover::{self, HandoverError, Waiting},
        register, status, unregister, Error, Opening, Place, Registration, SchemeName, Status, System,
    },
};

/// Runs `scheme …` or `scheme-open …` and returns the exit code; `None` when the arguments are for somebody else. Ask
/// before any other parsing: what follows `scheme-open` was written by a stranger.
pub fn run_scheme(arguments: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> Option<i32> {
    let mut terminal = Terminal { language: system_language(), stdout, stderr };
    if let Some(opening) = Opening::from_arguments(arguments) {
        return Some(match opening {
            Ok(opening) => terminal.open(&opening),
            Err(refusal) => terminal.fail(USAGE, &refusal),
        });
    }
    match arguments {
        [scheme, rest @ ..] if scheme == "scheme" => Some(match Order::parse(rest, &mut terminal.language) {
            Some(order) => order.run(&mut terminal).unwrap_or_else(|error| terminal.fail(FAILED, &error)),
            None => {
                terminal.say(USE, USE);
                USAGE
            }
        }),
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
        let (mut words, mut program, mut is_print, mut system) = (Vec::new(), None, false, None);
        let mut rest = arguments.iter().map(OsString::as_os_str);
        while let Some(argument) = rest.next() {
            match argument.to_str()? {
                "--print" => is_print = true,
                "--program" => program = Some(rest.next()?.to_owned()),
                "--system" => system = Some(System::named(rest.next()?.to_str()?)?),
                "--lang" => *language = Language::named(rest.next()?)?,
                word if !word.starts_with('-') => words.push(word),
                _ => return None,
            }
        }
        let act = match (*words.first()?, is_print, system) {
            ("register", true, system) => Act::Print(system.unwrap_or_else(System::of_this_program)),
            ("register", false, None) => Act::Register,
            ("unregister", false, None) if program.is_none() => Act::Unregister,
            ("status", false, None) if program.is_none() => Act::Status,
            _ => return None,
        };
        match *words {
            [_, name] => Some(Order { act, name: name.to_owned(), program }),
            _ => None,
        }
    }

    fn run(self, terminal: &mut Terminal<'_>) -> Result<i32, Error> {
        let name = match SchemeName::parse(&self.name) {
            Ok(name) => name,
            Err(refusal) => return Ok(terminal.fail(USAGE, &refusal)),
        };
        match self.act {
            Act::Print(system) => {
                let text = self.registration(name)?.render(system)?;
                return Ok(terminal.print(&text));
            }
            Act::Register => {
                register(&self.registration(name.clone())?, &Place::of_user()?)?;
                terminal.advise(&name);
                terminal.say(&format!("{name}: registered for this user."), &format!("{name} 已为当前用户注册。"));
            }
            Act::Unregister if unregister(&name, &Place::of_user()?)? => {
                terminal.say(&format!("{name}: no longer registered."), &format!("{name} 已取消注册。"));
            }
            Act::Unregister => {
                terminal.say(&format!("{name} was not registered."), &format!("{name} 本来就没有注册。"));
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

impl Terminal<'_> {
    /// Waits for a URI, and for a request on loopback when that is wished after a while. An exit code when it cannot.
    pub(super) fn wait_for_uri(
        &mut self,
        receive: &Receive,
        scheme: &Scheme,
    ) -> Result<Result<Callback, crate::Error>, i32> {
        let waiting = self.waiting(scheme)?;
        if !receive.is_quiet {
            self.announce(receive, &format!("{}:", scheme.name));
        }
        let patience = match scheme.patience {
            Some(patience) if patience < receive.timeout => patience,
            _ => return Ok(waiting.wait(receive.timeout)),
        };
        let (left, mut code) = (receive.timeout - patience, None);
        let result = waiting.wait_or_fall_back(patience, left, || {
            self.listen(receive).map_err(|own| {
                code = Some(own);
                crate::Error::Cancelled
            })
        });
        code.map_or(Ok(result), Err)
    }

    fn waiting(&mut self, scheme: &Scheme) -> Result<Waiting, i32> {
        let Scheme { name, state, .. } = scheme;
        let place = Place::of_user().map_err(|error| self.fail(FAILED, &error))?;
        match status(name, &place) {
            Ok(Status::Ours { .. }) => {}
            Ok(Status::Foreign { by }) => return Err(self.fail(FAILED, &Error::Foreign { by })),
            Err(error) => return Err(self.fail(FAILED, &error)),
            Ok(Status::Absent) => {
                self.say(
                    &format!("{name} is not registered. First, once: fujie-receive scheme register {name}"),
                    &format!("{name} 尚未注册，请先执行一次：fujie-receive scheme register {name}"),
                );
                return Err(FAILED);
            }
        }
        Waiting::open(name, state.as_deref(), &place).map_err(|error| self.fail(FAILED, &error))
    }

    fn open(&mut self, opening: &Opening) -> i32 {
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

    fn show_status(&mut self, name: &SchemeName) -> Result<i32, Error> {
        let (english, chinese, code) = match status(name, &Place::of_user()?)? {
            Status::Ours { command } => (format!("registered: {command}"), format!("已注册：{command}"), DONE),
            Status::Absent => ("not registered".to_owned(), "未注册".to_owned(), FAILED),
            Status::Foreign { by } => (format!("another program's: {by}"), format!("已被其他程序注册：{by}"), FAILED),
        };
        let text = match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        match self.print(&format!("{text}\n")) {
            DONE => Ok(code),
            failed => Ok(failed),
        }
    }

    fn advise(&mut self, name: &SchemeName) {
        if !name.is_reverse_domain() {
            self.say(
                &format!(
                    "Any program may claim so short a name. A domain in reverse, such as com.example.{name}, is yours \
                     alone (RFC 8252 section 7.1)."
                ),
                &format!(
                    "这样的短名称容易与其他程序冲突，建议使用倒写的域名，例如 com.example.{name}（RFC 8252 第 7.1 节）。"
                ),
            );
        }
    }

    fn fail(&mut self, code: i32, why: &dyn Chinese) -> i32 {
        self.say(&why.to_string(), &why.in_chinese());
        code
    }
}

const USE: &str = "
  scheme register NAME [--program PATH] [--print [--system linux|macos|windows]]
  scheme unregister NAME
  scheme status NAME";
