//! Waiting for the callback: a thread that listens, a countdown for people, and a line that they may paste.
//!
//! What is taken and what is refused is the receiver's.

use std::{
    io::{BufRead as _, Read as _},
    thread,
    time::Duration,
};

use fujie_receiver::{
    Error,
    callback::{Callback, Refusal},
    loopback::{self, Loopback},
    uri_scheme::handover::{self, Waiting},
};
use url::form_urlencoded::Serializer;

use super::{
    failure::Failure,
    lock,
    terminal::{self, Terminal},
};

/// What is waited at.
pub enum Waiter {
    /// A loopback port; whether a person may paste meanwhile.
    Loopback(Loopback, bool),
    /// A URI scheme.
    Scheme(Box<Waiting>),
}

/// Ends the wait when the caller has given up on it.
enum GiveUp {
    Loopback(loopback::Handle),
    Scheme(handover::Handle),
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        match self {
            Self::Loopback(handle) => handle.cancel(),
            Self::Scheme(handle) => handle.cancel(),
        }
    }
}

/// Waits for the callback and brings its parameters, as a target that the client reads.
pub async fn callback(waiter: Waiter, span: Duration, terminal: Terminal) -> Result<String, Failure> {
    let (give_up, is_pasted) = match &waiter {
        Waiter::Loopback(listener, is_pasted) => (GiveUp::Loopback(listener.handle()), *is_pasted),
        Waiter::Scheme(waiting) => (GiveUp::Scheme(waiting.handle()), false),
    };
    // A port is closed with the process; the file by which a scheme's waiter is found is not.
    let held = matches!(waiter, Waiter::Scheme(_)).then(lock::hold);
    let (sender, received) = tokio::sync::oneshot::channel();
    thread::Builder::new().spawn(move || {
        let result = match waiter {
            Waiter::Loopback(listener, _) => listener.wait(span),
            Waiter::Scheme(waiting) => waiting.wait(span),
        };
        drop(held);
        // Nobody is left to tell after Ctrl-C.
        drop(sender.send(result));
    })?;
    let counting = async {
        if is_pasted {
            // The line belongs to what is being pasted.
            terminal.say_span(span);
            std::future::pending::<()>().await;
        }
        terminal.count_down(span).await;
    };
    let result = tokio::select! {
        result = received => result.unwrap_or(Err(Error::Cancelled)),
        () = counting => Err(Error::Cancelled),
    };
    drop(give_up);
    match result {
        Ok(callback) => Ok(target(&callback)),
        Err(Error::TimedOut { refusal }) => Err(Failure::timed_out(refusal)),
        Err(Error::Io(error)) => Err(error.into()),
        Err(_) => Err(Failure::cancelled()),
    }
}

/// Takes lines from standard input until one is the callback's address, which begins with `redirect_uri`.
pub fn read_pasted(handle: loopback::Handle, redirect_uri: &str, terminal: Terminal) {
    let redirect_uri = redirect_uri.to_owned();
    let read = move || {
        let mut lines = std::io::stdin().lock();
        loop {
            while !terminal::may_read() {
                thread::park_timeout(FOREGROUND_PERIOD);
            }
            let mut line = Vec::new();
            match lines.by_ref().take(LINE_LENGTH_MAX).read_until(b'\n', &mut line) {
                Ok(1..) => {}
                _ => return,
            }
            match address(&line).as_str() {
                "" => {}
                address => match handle.paste(address) {
                    Ok(()) => return,
                    Err(refusal) => say_refused(refusal, &redirect_uri, terminal),
                },
            }
        }
    };
    // Without it the listener still waits.
    drop(thread::Builder::new().spawn(read));
}

/// The address in a line, without what terminals, mails and people put around one. A line may be in any encoding.
fn address(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line).replace(PASTE_BEGINS, "").replace(PASTE_ENDS, "");
    let is_around = |character: char| character.is_whitespace() || "\"'<>“”‘’《》".contains(character);
    line.trim_matches(is_around).to_owned()
}

fn say_refused(refusal: Refusal, redirect_uri: &str, terminal: Terminal) {
    match refusal {
        Refusal::Malformed | Refusal::Host | Refusal::Path => terminal.insist(
            &format!("That is not the address of this sign-in: it must begin with {redirect_uri}"),
            &format!("这不是本次登录的网址，应以 {redirect_uri} 开头，请重新粘贴。"),
        ),
        _ => terminal.insist(
            &format!("That is not the address of this sign-in: {refusal}."),
            "这不是本次登录的网址，请重新粘贴。",
        ),
    }
}

fn target(callback: &Callback) -> String {
    let query = Serializer::new(String::new()).extend_pairs(callback.parameters()).finish();
    format!("/?{query}")
}

/// Bytes of a pasted line, at most.
const LINE_LENGTH_MAX: u64 = 16 * 1024;
/// What a terminal may put around a paste (xterm's bracketed paste).
const PASTE_BEGINS: &str = "\x1b[200~";
const PASTE_ENDS: &str = "\x1b[201~";
/// How often a background job looks whether it has become the foreground's.
const FOREGROUND_PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    #[test]
    fn a_pasted_address_is_found_in_what_is_around_it() {
        let address = "http://127.0.0.1:1/cb?code=c";
        for (before, after) in [
            ("", "\n"),
            (" \t", "\r\n"),
            ("\"", "\""),
            ("'", "'\n"),
            ("<", ">\n"),
            ("“", "”"),
            ("\x1b[200~", "\x1b[201~\n"),
            ("\x1b[200~ <", ">\x1b[201~"),
        ] {
            assert_eq!(super::address(format!("{before}{address}{after}").as_bytes()), address, "{before:?}");
        }
        assert!(super::address(b"\xc4\xe3\xba\xc3\n").contains('\u{fffd}'));
    }
}
