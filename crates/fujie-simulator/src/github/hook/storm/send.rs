//! Sending a storm: so many connections at once, each kept for the next delivery while it lasts.

use super::Storm;
use crate::github::hook::log::Outcome;
use crate::github::hook::post;
use crate::github::world::Simulation;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

/// Between two attempts of one sending.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends all of it. Ends early with the simulator.
pub(crate) async fn rage(simulation: Arc<Simulation>, storm: Arc<Storm>) {
    let mut senders = JoinSet::new();
    for _ in 0..storm.concurrency {
        senders.spawn(send(Arc::clone(&storm)));
    }
    tokio::select! {
        () = simulation.closed() => {}
        _ended = senders.join_all() => {}
    }
}

/// One after the other, each until it got a 2xx.
async fn send(storm: Arc<Storm>) {
    let mut line = Line(None);
    loop {
        let Some(number) = storm.plan().next() else { return };
        let request = storm.letter.request(number, &storm.url);
        loop {
            let outcome = line.post(&storm.url, &request, storm.answer_max).await;
            let is_over = storm.plan().note(number, &outcome);
            if is_over {
                break;
            }
            let _waited = timeout(PAUSE, std::future::pending::<()>()).await;
        }
    }
}

/// A connection, while there is one.
struct Line(Option<TcpStream>);

impl Line {
    async fn post(&mut self, url: &Url, request: &[u8], answer_max: Duration) -> Outcome {
        match timeout(answer_max, self.exchange(url, request)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_error)) => Outcome::ConnectionFailed,
            Err(_elapsed) => Outcome::TimedOut,
        }
    }

    /// Who gives up waiting has no connection any more: an answer that comes late would be taken for the next one's.
    async fn exchange(&mut self, url: &Url, request: &[u8]) -> io::Result<Outcome> {
        let mut stream = match self.0.take() {
            Some(stream) => stream,
            None => post::connect(url).await?,
        };
        stream.set_nodelay(true)?;
        stream.write_all(request).await?;
        let outcome = post::read_answer(&mut stream).await?;
        self.0 = Some(stream).filter(|_| post::stays_open(&outcome));
        Ok(outcome)
    }
}
