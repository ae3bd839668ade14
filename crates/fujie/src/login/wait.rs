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
    callback::Callback,
    loopback::{self, Loopback},
    uri_scheme::handover::{self, Waiting},
};
use url::form_urlencoded::Serializer;

use super::{failure::Failure, terminal::Terminal};

/// What is waited at.
pub enum Waiter {
    /// A loopback port; whether a person may paste meanwhile.
    Loopback(Loopback, bool),
    /// A URI scheme.
    Scheme(Waiting),
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
    let (sender, received) = tokio::sync::oneshot::channel();
    thread::Builder::new().spawn(move || {
        let result = match waiter {
            Waiter::Loopback(listener, _) => listener.wait(span),
            Waiter::Scheme(waiting) => waiting.wait(span),
        };
        // Nobody is left to tell after Ctrl-C.
        drop(sender.send(result));
    })?;
    let counting = async {
        if is_pasted {
            // The line belongs to what is being pasted.
            let minutes = span.as_secs().div_ceil(60);
            terminal.say(
                &format!("Waiting for at most {minutes} min. Ctrl-C cancels."),
                &format!("最多等待 {minutes} 分钟，按 Ctrl-C 取消。"),
            );
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

/// Takes lines from standard input until one is the callback's address.
pub fn read_pasted(handle: loopback::Handle, terminal: Terminal) {
    let read = move || {
        let mut lines = std::io::stdin().lock();
        loop {
            let mut line = String::new();
            match lines.by_ref().take(LINE_LENGTH_MAX).read_line(&mut line) {
                Ok(1..) => {}
                _ => return,
            }
            match line.trim() {
                "" => {}
                line => match handle.paste(line) {
                    Ok(()) => return,
                    Err(refusal) => terminal.insist(
                        &format!("That is not the address of this sign-in: {refusal}."),
                        "这不是本次登录的网址，请重新粘贴。",
                    ),
                },
            }
        }
    };
    // Without it the listener still waits.
    drop(thread::Builder::new().spawn(read));
}

fn target(callback: &Callback) -> String {
    let query = Serializer::new(String::new()).extend_pairs(callback.parameters()).finish();
    format!("/?{query}")
}

/// Bytes of a pasted line, at most.
const LINE_LENGTH_MAX: u64 = 16 * 1024;
