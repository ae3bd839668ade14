//! The echo mode: the behaviour, and the words on the terminal, of an `asyncio` echo server with a heartbeat.

use std::{net::SocketAddr, ops::ControlFlow};

use super::connection::{Conversation, End};
use crate::line::{Address, Fault, Output, Quoted, Reply};

/// The target of the echo mode's events (of `tracing`, at the level INFO). Their messages are what the server of an
/// `asyncio` tutorial prints: `Serving on …`, `Received 'Hello World!\n' from ('127.0.0.1', 54321)`, `断开连接`,
/// `超时断连`, `Close the connection`.
pub const ECHO_TARGET: &str = "fujie_channel::echo";

/// Echoes one peer's lines.
pub(super) struct Echo {
    peer: SocketAddr,
}

impl Echo {
    pub fn new(peer: SocketAddr) -> Self {
        Self { peer }
    }
}

impl Conversation for Echo {
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        tracing::info!(target: ECHO_TARGET, "Received {} from {}", Quoted(line), Address(self.peer));
        output.push_echo(line);
        ControlFlow::Continue(())
    }

    /// A line that is too long is told so. One that is not UTF-8 ends an `asyncio` server's handler without a word.
    fn fault(&mut self, fault: Fault, output: &mut Output) {
        if fault == Fault::LineTooLong {
            output.push(Reply::Error {
                code: crate::line::ErrorCode::LineTooLong,
                words: "a line is at most 4096 bytes",
            });
        }
    }

    fn ended(&self, end: &End, _: SocketAddr) {
        match end {
            End::Closed => tracing::info!(target: ECHO_TARGET, "断开连接"),
            End::Idle => tracing::info!(target: ECHO_TARGET, "超时断连"),
            _ => {}
        }
        tracing::info!(target: ECHO_TARGET, "Close the connection");
    }
}
