//! Ten thousand subscribers of one topic, and how long an event takes to each of them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{STANDING, Target, connect, exact, tell_figure};
use crate::process::resident;

/// The topic.
pub const TOPIC: &str = "bench";
/// Connecting at once is measured elsewhere.
const ARRIVING_MAX: usize = 256;
/// Before the server's memory is looked at.
const SETTLING: Duration = Duration::from_secs(1);
/// All events must have come by then.
const PATIENCE: Duration = Duration::from_secs(28);

/// Who subscribes.
pub struct Fan {
    /// The server.
    pub target: Target,
    /// Subscribers.
    pub connections: usize,
    /// Events that will come.
    pub events: usize,
}

impl Fan {
    /// Says the bytes `each` subscriber costs the server, then `standing`; when every event has come to everybody, `p50`,
    /// `p99` and `max` of the milliseconds from its appending to its receipt, of all events together.
    pub async fn run(self) -> Result<()> {
        let empty = resident(self.target.pid)?;
        let door = Arc::new(Semaphore::new(ARRIVING_MAX));
        let mut arriving = JoinSet::new();
        for _ in 0..self.connections {
            arriving.spawn(arrive(self.target, Arc::clone(&door)));
        }
        let subscribers = arriving.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        sleep(SETTLING).await;
        let grown = resident(self.target.pid)?.saturating_sub(empty);
        tell_figure("each", grown as f64 / exact(self.connections));
        tell_figure(STANDING, exact(subscribers.len()));
        let mut receiving = JoinSet::new();
        for subscriber in subscribers {
            receiving.spawn(receive(subscriber, self.events));
        }
        let received = timeout(PATIENCE, receiving.join_all()).await.context("events are missing")?;
        let mut took: Vec<f64> = received.into_iter().collect::<Result<Vec<_>>>()?.concat();
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took.get(((exact(took.len()) * share).ceil() as usize).saturating_sub(1)).copied();
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            tell_figure(name, at(share).context("no events")?);
        }
        Ok(())
    }
}

async fn arrive(target: Target, door: Arc<Semaphore>) -> Result<BufReader<TcpStream>> {
    let _place = door.acquire().await?;
    let mut stream = connect(target.address).await?;
    stream.write_all(format!("auth x\nsubscribe {TOPIC}\n").as_bytes()).await?;
    let mut lines = BufReader::with_capacity(2048, stream);
    for expected in ["ok auth".to_owned(), format!("ok subscribe {TOPIC} 0")] {
        let mut line = String::new();
        lines.read_line(&mut line).await?;
        if line.trim_end() != expected {
            bail!("the server said {line:?}");
        }
    }
    Ok(lines)
}

/// Takes so many events; how many milliseconds each took.
async fn receive(mut subscriber: BufReader<TcpStream>, events: usize) -> Result<Vec<f64>> {
    let (mut took, mut line) = (Vec::with_capacity(events), String::new());
    while took.len() < events {
        line.clear();
        subscriber.read_line(&mut line).await?;
        let now = wall_nanos();
        let at = appended_at(&line).with_context(|| format!("the server said {line:?}"))?;
        took.push(Duration::from_nanos(now.saturating_sub(at)).as_secs_f64() * 1e3);
    }
    Ok(took)
}

fn appended_at(line: &str) -> Option<u64> {
    let (_, rest) = line.strip_prefix("event ")?.split_once(r#""at":"#)?;
    rest.split_once(',')?.0.parse().ok()
}

/// The time of day, which other processes of this machine know too.
#[expect(clippy::disallowed_methods, reason = "a program that measures reads the clock")]
pub fn wall_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
