//! The servers that are compared, each a process of its own on the first core.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::load::Target;
use crate::{
    drive::now,
    process::{pinned, rest},
};

/// Who answers lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// `fujie channel serve --echo --quiet`.
    Fujie,
    /// [`super::bare`].
    Bare,
    /// `asyncio_server.py --quiet` of `fujie-channel`'s tests.
    Asyncio,
    /// [`super::hub`].
    Hub,
}

/// A server that is killed when it is dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

/// A server must listen by then.
const START_TIMEOUT: Duration = Duration::from_secs(20);

impl Contestant {
    /// Starts it on a free port; `program` is the product.
    pub fn start(self, program: &Path) -> Result<Server> {
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut command = self.command(program, address)?;
        // The operator's own configuration must not reach this server.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FUJIE")) {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut server = Server { child: child.with_context(|| format!("{self:?} cannot be started"))?, address };
        let start = now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > START_TIMEOUT || server.child.try_wait()?.is_some() {
                bail!("{self:?} does not listen on {address}");
            }
            rest(Duration::from_millis(5));
        }
        // What a first connection sets up is not any connection's.
        rest(Duration::from_millis(200));
        Ok(server)
    }

    fn command(self, program: &Path, address: SocketAddr) -> Result<Command> {
        let listen = address.to_string();
        let mut command = match self {
            Self::Fujie => pinned(program),
            Self::Bare | Self::Hub => pinned(&std::env::current_exe()?),
            Self::Asyncio => pinned(Path::new(&python("import sys; print(sys.executable)")?)),
        };
        match self {
            Self::Fujie => command.args(["channel", "serve", "--echo", "--quiet", "--listen", &listen]),
            Self::Bare => command.args(["serve", "bare", &listen]),
            Self::Hub => command.args(["serve", "hub", &listen]),
            Self::Asyncio => {
                let script = include_str!("../../../crates/fujie-channel/tests/foreign/asyncio_server.py");
                command.args(["-c", script, &address.port().to_string(), "--quiet"])
            }
        };
        Ok(command)
    }
}

impl Server {
    /// Where it listens, and which process it is. `taskset` becomes what it starts.
    pub fn target(&self) -> Target {
        Target { address: self.address, pid: self.child.id() }
    }

    /// Sends it a line on its stdin.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.child.stdin.as_mut().context("no stdin")?, "{line}")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the system's Python prints for `script`.
pub fn python(script: &str) -> Result<String> {
    let said = Command::new("python3").args(["-c", script]).output().context("python3 cannot be started")?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}
