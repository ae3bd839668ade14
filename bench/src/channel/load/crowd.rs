//! Ten thousand who connect in one burst, send a heartbeat every ten seconds, and expect to be left alone; and some who
//! say nothing and expect to be cut off.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use fujie_channel::line::IDLE_MESSAGE;
use tokio::{
    io::AsyncReadExt as _,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{STANDING, Target, connect, exact, ping, tell_figure};
use crate::{
    process::{cpu_seconds, resident},
    tell,
};

/// Between two heartbeats of one connection.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// An answer must be there by then.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who has no `pong` by then has not come in.
const BURST_TIMEOUT: Duration = Duration::from_secs(60);
/// After the burst the server's memory is looked at.
const SETTLING: Duration = Duration::from_secs(2);
/// Between the arrivals of two silent peers.
const SILENT_INTERVAL: Duration = Duration::from_millis(10);

/// Who comes.
pub struct Crowd {
    /// The server.
    pub target: Target,
    /// Peers with heartbeats.
    pub connections: usize,
    /// Peers without.
    pub silent: usize,
    /// How long they stay, after the burst.
    pub hold: Duration,
}

/// What the members tell.
#[derive(Clone, Copy, Debug, Default)]
struct Roll {
    arrived: usize,
    failed: usize,
    dropped: usize,
    last_arrival: Option<Instant>,
}

impl Crowd {
    /// Says how long the `burst` took in seconds and how many `failed` to come in; then `standing`; at the end the bytes
    /// `each` connection costs the server (the more of after the burst and at the end), how many were `dropped`, the
    /// `cpu` of the server meanwhile in seconds, and after how many seconds silent peers were `cut_first`, `cut_last`,
    /// and how many were `uncut`.
    pub async fn run(self) -> Result<()> {
        let (roll, over) = (Arc::new(watch::Sender::new(Roll::default())), watch::Sender::new(false));
        let empty = resident(self.target.pid)?;
        let start = Instant::now();
        let mut members = JoinSet::new();
        for number in 0..self.connections {
            let offset = PING_INTERVAL.mul_f64(exact(number) / exact(self.connections));
            members.spawn(attend(self.target, offset, Arc::clone(&roll), over.subscribe()));
        }
        let everybody = self.connections;
        let arrival = *roll.subscribe().wait_for(|roll| roll.arrived + roll.failed == everybody).await?;
        let burst = arrival.last_arrival.map_or(f64::NAN, |last| (last - start).as_secs_f64());
        tell_figure("burst", burst);
        tell_figure("failed", exact(arrival.failed));
        tell_figure(STANDING, exact(arrival.arrived));
        let until = Instant::now() + self.hold;
        let cpu = cpu_seconds(self.target.pid)?;
        sleep(SETTLING).await;
        let settled = resident(self.target.pid)?;
        self.watch_silent(until).await?;
        sleep_until(until).await;
        tell_figure("cpu", cpu_seconds(self.target.pid)? - cpu);
        let grown = resident(self.target.pid)?.max(settled).saturating_sub(empty);
        tell_figure("each", grown as f64 / exact(arrival.arrived));
        tell_figure("dropped", exact(roll.borrow().dropped));
        over.send_replace(true);
        members.join_all().await;
        Ok(())
    }

    async fn watch_silent(&self, until: Instant) -> Result<()> {
        let mut silent = JoinSet::new();
        for number in 0..self.silent {
            silent.spawn(be_silent(self.target, SILENT_INTERVAL.mul_f64(exact(number)), until));
        }
        let cut = silent.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        let uncut = cut.iter().filter(|cut| cut.is_none()).count();
        tell_figure("uncut", exact(uncut));
        let spans = cut.iter().flatten().map(Duration::as_secs_f64);
        tell_figure("cut_first", spans.clone().fold(f64::INFINITY, f64::min));
        tell_figure("cut_last", spans.fold(0.0, f64::max));
        Ok(())
    }
}

/// One peer with heartbeats, the first `offset` after it came in.
async fn attend(target: Target, offset: Duration, roll: Arc<watch::Sender<Roll>>, over: watch::Receiver<bool>) {
    let arrival = timeout(BURST_TIMEOUT, async {
        let mut stream = connect(target.address).await?;
        ping(&mut stream).await?;
        anyhow::Ok(stream)
    });
    let stream = match arrival.await.context("no pong for a minute").flatten() {
        Ok(stream) => stream,
        Err(error) => {
            roll.send_modify(|roll| roll.failed += 1);
            return tell(&format!("  not admitted: {error:#}"));
        }
    };
    roll.send_modify(|roll| {
        roll.arrived += 1;
        roll.last_arrival = Some(Instant::now());
    });
    if let Err(error) = beat(stream, offset, over).await {
        roll.send_modify(|roll| roll.dropped += 1);
        tell(&format!("  dropped: {error:#}"));
    }
}

async fn beat(mut stream: tokio::net::TcpStream, offset: Duration, mut over: watch::Receiver<bool>) -> Result<()> {
    let mut ping_at = Instant::now() + offset;
    loop {
        let mut unasked = [0; 64];
        tokio::select! {
            _ = over.wait_for(|over| *over) => return Ok(()),
            read = stream.read(&mut unasked) => {
                let said = unasked.get(..read?).unwrap_or_default();
                bail!("the server said {:?}", String::from_utf8_lossy(said));
            }
            () = sleep_until(ping_at) => {}
        }
        timeout(PATIENCE, ping(&mut stream)).await.context("no pong")??;
        ping_at += PING_INTERVAL;
    }
}

/// One peer that says `ping` once and then nothing. After how long it was cut off, if it was.
async fn be_silent(target: Target, delay: Duration, until: Instant) -> Result<Option<Duration>> {
    sleep(delay).await;
    let mut stream = connect(target.address).await?;
    let since = Instant::now();
    ping(&mut stream).await?;
    let mut said = Vec::new();
    tokio::select! {
        read = stream.read_to_end(&mut said) => drop(read?),
        () = sleep_until(until) => return Ok(None),
    }
    let span = since.elapsed();
    if said != format!("{IDLE_MESSAGE}\n").as_bytes() {
        bail!("a silent peer was told {:?}", String::from_utf8_lossy(&said));
    }
    Ok(Some(span))
}
