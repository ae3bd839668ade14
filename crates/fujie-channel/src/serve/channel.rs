//! The channel over a socket: a [`Session`] as the conversation.

use std::{
    net::SocketAddr,
    ops::ControlFlow,
    task::{Context, Poll},
};

use super::connection::{Conversation, End};
use crate::{
    gate::Gate,
    line::{Fault, Output},
    session::Session,
};

impl<G: Gate> Conversation for Session<G> {
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        Session::receive(self, line, output)
    }

    fn fault(&mut self, fault: Fault, output: &mut Output) {
        Session::<G>::fault(fault, output);
    }

    fn is_asking(&self) -> bool {
        Session::is_asking(self)
    }

    fn is_admitted(&self) -> bool {
        Session::is_admitted(self)
    }

    fn poll_next(&mut self, context: &mut Context<'_>, output: &mut Output) -> Poll<ControlFlow<()>> {
        Session::poll_next(self, context, output)
    }

    fn began(&self, peer: SocketAddr) {
        tracing::info!(%peer, "a peer connected");
    }

    fn ended(&self, end: &End, peer: SocketAddr) {
        tracing::info!(%peer, is_admitted = self.is_admitted(), "a connection ended: {end}");
    }
}
