//! The load: as many connections as told, each doing one unit after the other, for a time.
//!
//! A unit is one request, or one whole code flow of three. Everything runs on one thread, which is pinned to a core of
//! its own; the server's processor time is read from outside, so the driver's is never counted.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::{
    flush::{self, Flushes},
    process,
    script::Script,
    wire::{Recorded, Wire},
};

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections at once.
    pub connections: usize,
    /// Nothing is counted so long.
    pub warm_up: Duration,
    /// Then everything is, so long.
    pub measured: Duration,
}

/// Whom to drive: where it listens, and which process it is.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its address.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// Where its flushes are written down, if they are.
    pub flushes: Option<&'a Path>,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Units completed.
    pub units: f64,
    /// Seconds it took.
    pub seconds: f64,
    /// The server's processor time meanwhile, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Half of the units took at most so long.
    pub p50: Duration,
    /// 99 in 100 of the units took at most so long.
    pub p99: Duration,
    /// The server's resident memory at the end, in bytes.
    pub resident: u64,
    /// Its flushes meanwhile, if they are written down.
    pub flushes: Option<Flushes>,
}

impl Cell {
    /// Units per second.
    pub fn per_second(&self) -> f64 {
        self.units / self.seconds
    }

    /// Units per second of the server's processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.units / self.cpu_seconds
    }
}

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;

/// Drives `script` against `target`.
pub fn drive(target: Target<'_>, script: &Script, load: Load) -> Result<Cell> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let phase = Arc::new(AtomicU8::new(WARMING));
        let mut visitors = JoinSet::new();
        for _ in 0..load.connections {
            let wire = Wire::connect(target.address).await?;
            visitors.spawn(visit(wire, script.clone(), Arc::clone(&phase)));
        }
        tokio::time::sleep(load.warm_up).await;
        let (start, cpu) = (now(), process::cpu_seconds(target.pid)?);
        let flushes = target.flushes.map(flush::read).transpose()?;
        phase.store(MEASURING, Ordering::Relaxed);
        tokio::time::sleep(load.measured).await;
        phase.store(OVER, Ordering::Relaxed);
        let (seconds, cpu_seconds) = (start.elapsed().as_secs_f64(), process::cpu_seconds(target.pid)? - cpu);
        let resident = process::resident(target.pid)?;
        let flushes = match (flushes, target.flushes) {
            (Some(before), Some(log)) => Some(flush::read(log)? - before),
            _ => None,
        };
        let mut took: Vec<u32> = Vec::new();
        while let Some(done) = visitors.join_next().await {
            took.extend(done.context("a connection's task failed")??);
        }
        took.sort_unstable();
        let units = u32::try_from(took.len()).map_or(0.0, f64::from);
        let (p50, p99) = (percentile(&took, 50), percentile(&took, 99));
        Ok(Cell { units, seconds, cpu_seconds, p50, p99, resident, flushes })
    })
}

/// Does one unit and keeps the answers.
pub fn record(address: SocketAddr, script: &Script) -> Result<Vec<Recorded>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut wire = Wire::connect(address).await?;
        wire.record();
        script.unit(&mut wire).await?;
        Ok(wire.take_recorded())
    })
}

/// One connection's life; gives what each measured unit took, in nanoseconds.
async fn visit(mut wire: Wire, script: Script, phase: Arc<AtomicU8>) -> Result<Vec<u32>> {
    let mut took = Vec::with_capacity(1 << 16);
    while phase.load(Ordering::Relaxed) != OVER {
        let start = now();
        script.unit(&mut wire).await?;
        if phase.load(Ordering::Relaxed) == MEASURING {
            took.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
        }
    }
    Ok(took)
}

fn percentile(sorted: &[u32], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    Duration::from_nanos(sorted.get(rank).copied().map_or(0, u64::from))
}

/// Now, for measuring.
#[expect(clippy::disallowed_methods, reason = "a program that measures reads the clock")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_list() {
        let sorted: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_nanos(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_nanos(198));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
