//! The loads: each is a process of its own on the driver's core, and says figures on stdout, one a line, after a name.

pub mod crowd;
pub mod echo;
pub mod fan;

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::say;

/// Whom a load is for: where the server listens, and which process it is.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its address.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
}

/// The figure's name that says: everybody is connected.
pub const STANDING: &str = "standing";

/// What `words` after `load` ask for. On one thread: the server's processor time is read from outside.
pub fn run(words: &[&str]) -> Result<()> {
    let [kind, address, pid, numbers @ ..] = words else { bail!("a load is: KIND ADDRESS PID NUMBERS…") };
    let target = Target { address: address.parse()?, pid: pid.parse()? };
    let numbers: Vec<usize> = numbers.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
    let seconds = |seconds: usize| Duration::from_secs(seconds as u64);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match (*kind, numbers.as_slice()) {
            ("echo", &[connections, depth, measured]) => {
                let measured = Duration::from_millis(measured as u64);
                echo::Echo { target, connections, depth, measured }.run().await
            }
            ("crowd", &[connections, silent, hold]) => {
                crowd::Crowd { target, connections, silent, hold: seconds(hold) }.run().await
            }
            ("fan", &[connections, events]) => fan::Fan { target, connections, events }.run().await,
            _ => bail!("no such load: {words:?}"),
        }
    })
}

/// Says one figure.
fn tell_figure(name: &str, figure: f64) {
    say(&format!("{name} {figure}"));
}

/// A number that is small enough to be exact.
fn exact(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// A connection that leaves no port behind it when it is closed: ten thousand would be too many.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.set_zero_linger()?;
    Ok(stream)
}

/// Sends `ping` and takes the answer of five bytes: `pong`, or from a server that only echoes, `ping`.
async fn ping(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"ping\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.context("the server closed the connection")?;
    if !matches!(&answer, b"pong\n" | b"ping\n") {
        bail!("the answer to a ping begins with {:?}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
