//! The channel over a socket: a [`Session`] as the conversation.

use std::{
    net::SocketAddr,
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{
    connection::{Conversation, End},
    stranger::Stranger,
};
use crate::{
    gate::Gate,
    line::{Fault, Output},
    session::{Exchange, Session},
};

/// One peer's session. The peer is a stranger until it is admitted.
pub(super) struct Guest<G: Gate> {
    session: Session<G>,
    stranger: Option<Stranger>,
}

impl<G: Gate> Guest<G> {
    pub fn new(exchange: Arc<Exchange<G>>, stranger: Stranger) -> Self {
        Self { session: Session::new(exchange), stranger: Some(stranger) }
    }
}

impl<G: Gate> Conversation for Guest<G> {
    fn receive(&mut self, line: &str, output: &mut Output) -> ControlFlow<()> {
        self.session.receive(line, output)
    }

    fn fault(&mut self, fault: Fault, output: &mut Output) {
        Session::<G>::fault(fault, output);
    }

    fn is_asking(&self) -> bool {
        self.session.is_asking()
    }

    fn is_admitted(&self) -> bool {
        self.session.is_admitted()
    }

    fn poll_next(&mut self, context: &mut Context<'_>, output: &mut Output) -> Poll<ControlFlow<()>> {
        let flow = ready!(self.session.poll_next(context, output));
        if self.session.is_admitted() {
            self.stranger = None;
        }
        Poll::Ready(flow)
    }

    fn began(&self, peer: SocketAddr) {
        tracing::info!(%peer, "a peer connected");
    }

    fn ended(&self, end: &End, peer: SocketAddr) {
        tracing::info!(%peer, is_admitted = self.session.is_admitted(), "a connection ended: {end}");
    }
}
