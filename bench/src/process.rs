//! The processes that are driven, each pinned to the first core, and what the system tells of them.
//!
//! The driver takes the second core. With one core, or without `taskset`, nobody is pinned, and the report says so.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    drive::{self, Target, now},
    script::Script,
};

/// The core of whatever is driven.
const SERVER_CORE: &str = "0";
/// The core of the driver.
pub const DRIVER_CORE: &str = "1";
/// All cores, for filling a database.
pub const ALL_CORES: &str = "0-1023";

/// A server that is stopped when it is dropped.
pub struct Process {
    child: Child,
    /// The server's own process, which may be a child of `child`.
    pid: u32,
    address: SocketAddr,
    /// From before it was started to its first answer.
    pub first_answer: Duration,
    /// Where its flushes are written down, if they are.
    flushes: Option<PathBuf>,
}

/// Where the product lives: its program, and a data folder.
#[derive(Clone, Debug)]
pub struct Product {
    /// The program.
    pub program: PathBuf,
    /// The data folder.
    pub folder: PathBuf,
    /// The port of its issuer.
    pub port: u16,
}

impl Product {
    /// The product at `program` with a new data folder `folder`, and a free port.
    pub fn new(program: &Path, folder: PathBuf) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        fs::create_dir_all(&folder)?;
        Ok(Self { program: program.canonicalize()?, folder: folder.canonicalize()?, port })
    }

    /// Its authority, as in `Host`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Starts it and waits for its first answer.
    pub fn start(&self) -> Result<Process> {
        self.start_under(pinned(&self.program))
    }

    /// Starts it with `strace` writing down each flush to disk. Only flushes stop the server (a seccomp filter lets
    /// every other call pass), so that it is nearly as fast as without.
    pub fn start_counted(&self, log: &Path) -> Result<Process> {
        let inner = pinned(&self.program);
        let mut command = Command::new("strace");
        command.args(["-f", "--seccomp-bpf", "-e", TRACED, "-o"]).arg(log).arg(inner.get_program());
        command.args(inner.get_args());
        let mut process = self.start_under(command)?;
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", process.pid))?;
        process.pid = children.split(' ').next().and_then(|pid| pid.parse().ok()).context("strace has no child")?;
        process.flushes = Some(log.to_owned());
        Ok(process)
    }

    fn start_under(&self, mut command: Command) -> Result<Process> {
        let log = self.folder.join("server.log");
        let (out, address) = (File::create(&log)?, SocketAddr::from(([127, 0, 0, 1], self.port)));
        command.args(["serve", "--issuer", &self.issuer(), "--listen", &self.host(), "--data-dir"]).arg(&self.folder);
        // The operator's own configuration must not reach this server.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FUJIE")) {
            command.env_remove(name);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let start = now();
        let child = command.spawn().with_context(|| format!("{} cannot be started", self.program.display()))?;
        let mut process = Process { pid: child.id(), child, address, first_answer: Duration::ZERO, flushes: None };
        let script = Script::document(&self.host(), "/.well-known/openid-configuration");
        while let Err(error) = drive::record(address, &script) {
            if start.elapsed() > START_TIMEOUT || process.child.try_wait()?.is_some() {
                bail!("the server does not answer: {error:#}\n{}", fs::read_to_string(log)?);
            }
            rest(Duration::from_millis(1));
        }
        process.first_answer = start.elapsed();
        Ok(process)
    }
}

impl Process {
    /// Starts the bare server with the answers in `file`.
    pub fn bare(file: &Path) -> Result<Self> {
        let mut command = pinned(&std::env::current_exe()?);
        let mut child = command.arg("bare").arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server did not say its address")?;
        Ok(Self { pid: child.id(), child, address, first_answer: Duration::ZERO, flushes: None })
    }

    /// Where to drive it.
    pub fn target(&self) -> Target<'_> {
        Target { address: self.address, pid: self.pid, flushes: self.flushes.as_deref() }
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) -> Result<()> {
        let start = now();
        Command::new("kill").args(["-TERM", &self.pid.to_string()]).status()?;
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > START_TIMEOUT {
                bail!("the server does not stop");
            }
            rest(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // Under strace the server is a grandchild; killing strace alone would let it go on.
        if self.pid != self.child.id() {
            drop(Command::new("kill").args(["-KILL", &self.pid.to_string()]).status());
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `program` on the server's core, if cores can be chosen.
pub fn pinned(program: &Path) -> Command {
    pinned_to(SERVER_CORE, program)
}

/// `program` on `core`, if cores can be chosen.
pub fn pinned_to(core: &str, program: &Path) -> Command {
    if !can_pin() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

/// Puts this process, with all of its threads, on `cores`.
pub fn pin_self(cores: &str) -> Result<()> {
    if can_pin() {
        let pid = std::process::id().to_string();
        Command::new("taskset").args(["-a", "-c", "-p", cores, &pid]).stdout(Stdio::null()).status()?;
    }
    Ok(())
}

/// Are there two cores, and a `taskset`?
pub fn can_pin() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let cores = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        cores.lines().filter(|line| line.starts_with("processor")).count() >= 2 && has("taskset")
    })
}

/// Can this program be run?
pub fn has(program: &str) -> bool {
    Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|own| own.success())
}

/// Processor time of a process so far, user and system, all threads, ended ones too, in seconds.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; `utime` and `stime` are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(") ").context("stat")?;
    let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / ticks_per_second())
}

fn ticks_per_second() -> f64 {
    static TICKS: OnceLock<f64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let said = Command::new("getconf").arg("CLK_TCK").output().ok();
        said.and_then(|out| String::from_utf8(out.stdout).ok()?.trim().parse().ok()).unwrap_or(100.0)
    })
}

/// Resident memory of a process, in bytes.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, which tells nobody")]
pub fn rest(span: Duration) {
    std::thread::sleep(span);
}

/// Besides flushes, what every thread calls once when it begins: until its first call that is traced, `strace` stops a
/// thread at every call, filter or not.
const TRACED: &str = "trace=fdatasync,fsync,rseq,set_robust_list";
/// Starting and stopping may take so long.
const START_TIMEOUT: Duration = Duration::from_secs(20);
