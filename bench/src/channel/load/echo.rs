//! Small lines as fast as they are answered, and what they cost the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{Target, connect, exact, tell_figure};
use crate::{drive::now, process::cpu_seconds};

/// What everybody sends.
const LINE: &[u8] = b"Hello World!\n";
/// The longest answer to it.
const ANSWER_LENGTH_MAX: usize = b"from server: Hello World!\n".len();
/// Nothing is counted so long.
const WARM_UP: Duration = Duration::from_millis(500);

/// How many lines.
pub struct Echo {
    /// The server.
    pub target: Target,
    /// Connections at once.
    pub connections: usize,
    /// Lines that each sends together, before it waits for all their answers.
    pub depth: usize,
    /// How long they are counted.
    pub measured: Duration,
}

impl Echo {
    /// Says `messages` that were answered, the server's `cpu` seconds for them, and the `seconds` it took.
    pub async fn run(self) -> Result<()> {
        let (answered, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU8::new(0)));
        let mut speakers = JoinSet::new();
        for _ in 0..self.connections {
            let stream = connect(self.target.address).await?;
            speakers.spawn(speak(stream, self.depth, Arc::clone(&answered), Arc::clone(&is_over)));
        }
        tokio::time::sleep(WARM_UP).await;
        let (start, count, cpu) = (now(), answered.load(Ordering::Relaxed), cpu_seconds(self.target.pid)?);
        tokio::time::sleep(self.measured).await;
        let count = answered.load(Ordering::Relaxed) - count;
        tell_figure("cpu", cpu_seconds(self.target.pid)? - cpu);
        tell_figure("messages", exact(count));
        tell_figure("seconds", start.elapsed().as_secs_f64());
        is_over.store(1, Ordering::Relaxed);
        while let Some(done) = speakers.join_next().await {
            done??;
        }
        Ok(())
    }
}

async fn speak(mut stream: TcpStream, depth: usize, answered: Arc<AtomicUsize>, is_over: Arc<AtomicU8>) -> Result<()> {
    let lines = LINE.repeat(depth);
    let mut answers = vec![0; (depth * ANSWER_LENGTH_MAX).min(16 * 1024)];
    while is_over.load(Ordering::Relaxed) == 0 {
        stream.write_all(&lines).await?;
        let mut missing = depth;
        while missing > 0 {
            let length = stream.read(&mut answers).await?;
            let read = answers.get(..length).unwrap_or_default();
            if read.is_empty() {
                bail!("the server closed the connection");
            }
            let lines = read.iter().filter(|byte| **byte == b'\n').count();
            missing = missing.saturating_sub(lines);
            answered.fetch_add(lines, Ordering::Relaxed);
        }
    }
    Ok(())
}
