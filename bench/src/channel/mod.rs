//! `bench/run channel`: the line protocol beside a bare Tokio server and an `asyncio` server of the same behaviour.
//!
//! Owns what is measured, and in which order; [`contestant`] are the servers, [`load`] the clients, each a process of its
//! own, [`report`] prints the table and judges it.

mod bare;
mod contestant;
mod hub;
mod load;
mod report;

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use self::{
    contestant::{Contestant, Server},
    load::{STANDING, Target},
};
use crate::{
    process::{self, pinned_to, rest},
    report::median_by,
    say, tell,
};

pub use load::run as load;

/// What is measured, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections at once.
    pub crowd: usize,
    /// How long they stay.
    pub hold: Duration,
    /// Peers that say nothing.
    pub silent: usize,
    /// How long messages are counted.
    pub measured: Duration,
    /// How often, the contestants in turn; the middle one counts.
    pub repeats: usize,
    /// Events to everybody.
    pub events: usize,
}

impl Plan {
    /// What the command line says: `[--quick] [--hold SECONDS]`.
    pub fn read(words: &[&str]) -> Result<Self> {
        let plan = if words.contains(&"--quick") { Self::quick() } else { Self::full() };
        let rest: Vec<&str> = words.iter().copied().filter(|word| *word != "--quick").collect();
        match rest.as_slice() {
            [] => Ok(plan),
            ["--hold", seconds] => Ok(Self { hold: Duration::from_secs(seconds.parse()?), ..plan }),
            _ => bail!("usage: bench/run channel [--quick] [--hold SECONDS]"),
        }
    }

    /// The measurement.
    pub fn full() -> Self {
        Self {
            crowd: 10_000,
            hold: Duration::from_secs(600),
            silent: 200,
            measured: Duration::from_secs(3),
            repeats: 5,
            events: 20,
        }
    }

    /// Shows in a minute or two that everything works.
    pub fn quick() -> Self {
        let hold = Duration::from_secs(35);
        Self { hold, measured: Duration::from_millis(500), repeats: 1, events: 5, ..Self::full() }
    }
}

/// Lines of `asyncio`, of the bare server and of ours in one measurement.
struct Messages {
    connections: usize,
    depth: usize,
    per_cpu_second: [f64; 3],
}

/// What a load said.
#[derive(Clone, Debug, Default)]
struct Figures(HashMap<String, f64>);

impl Figures {
    /// The figure of this name. One that was not said is no number, and so within no limit.
    fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }
}

/// Everything.
pub struct Report {
    plan: Plan,
    messages: Vec<Messages>,
    crowds: Vec<Figures>,
    fan_out: Figures,
}

/// Those whose lines are compared, in the order of the table.
const CONTESTANTS: [Contestant; 3] = [Contestant::Fujie, Contestant::Bare, Contestant::Asyncio];
/// Connections that send messages, and how many messages each has in flight.
const MESSAGES: [(usize, usize); 3] = [(64, 1), (64, 16), (64, 128)];
/// Between two events.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);

/// `fujie-bench serve NAME ADDRESS`.
pub fn serve(words: &[&str]) -> Result<()> {
    let [name, address] = words else { bail!("a server is: NAME ADDRESS") };
    let address = address.parse()?;
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    match *name {
        "bare" => runtime.block_on(bare::serve(address)),
        "hub" => runtime.block_on(hub::serve(address)),
        _ => bail!("no such server: {name}"),
    }
}

/// Measures `program` and prints the table. An error when a limit is missed.
pub fn run(program: &Path, plan: Plan) -> Result<()> {
    let program = program.canonicalize()?;
    let messages = MESSAGES.iter().map(|(connections, depth)| messages(&program, plan, *connections, *depth));
    let messages = messages.collect::<Result<_>>()?;
    let fan_out = fan_out(&program, plan)?;
    let crowds = crowds(&program, plan)?;
    let report = Report { plan, messages, crowds, fan_out };
    let (table, missed) = report::print(&report);
    say(&table);
    if missed > 0 {
        bail!("{missed} limits are missed");
    }
    Ok(())
}

fn messages(program: &Path, plan: Plan, connections: usize, depth: usize) -> Result<Messages> {
    tell(&format!("messages: {connections} connections, {depth} in flight on each"));
    let servers: Vec<Server> = CONTESTANTS.iter().map(|own| own.start(program)).collect::<Result<_>>()?;
    let mut rounds = Vec::new();
    for _ in 0..plan.repeats {
        let mut round = [0.0; CONTESTANTS.len()];
        for (figure, server) in round.iter_mut().zip(&servers) {
            let measured = usize::try_from(plan.measured.as_millis())?;
            let figures = Load::start("echo", server.target(), &[connections, depth, measured])?.figures()?;
            *figure = figures.of("messages") / figures.of("cpu");
        }
        let [fujie, bare, asyncio] = round;
        tell(&format!("  per second of CPU: {fujie:.0}, bare {bare:.0}, asyncio {asyncio:.0}"));
        rounds.push(round);
    }
    let share = |[fujie, bare, _]: &[f64; 3]| fujie / bare;
    let per_cpu_second = median_by(rounds, |a, b| share(a).total_cmp(&share(b))).context("no rounds")?;
    Ok(Messages { connections, depth, per_cpu_second })
}

/// One crowd after the other comes in; then all stay at the same time.
fn crowds(program: &Path, plan: Plan) -> Result<Vec<Figures>> {
    let mut staying = Vec::new();
    for contestant in CONTESTANTS {
        tell(&format!("{} connections to {contestant:?} at once, for {} s", plan.crowd, plan.hold.as_secs()));
        let server = contestant.start(program)?;
        let hold = usize::try_from(plan.hold.as_secs())?;
        let mut load = Load::start("crowd", server.target(), &[plan.crowd, plan.silent, hold])?;
        load.wait_for(STANDING)?;
        tell(&format!("  {:.3} s", load.said.of("burst")));
        // After the look at its memory, for which nothing else should be going on.
        rest(Duration::from_secs(4));
        staying.push((server, load));
    }
    staying.into_iter().map(|(_server, load)| load.figures()).collect()
}

fn fan_out(program: &Path, plan: Plan) -> Result<Figures> {
    tell(&format!("{} events to {} subscribers", plan.events, plan.crowd));
    let mut server = Contestant::Hub.start(program)?;
    let mut load = Load::start("fan", server.target(), &[plan.crowd, plan.events])?;
    load.wait_for(STANDING)?;
    for _ in 0..plan.events {
        server.tell("append")?;
        rest(EVENT_INTERVAL);
    }
    load.figures()
}

/// Clients at work; killed when they are dropped.
struct Load {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Figures,
}

impl Load {
    fn start(kind: &str, target: Target, numbers: &[usize]) -> Result<Self> {
        let mut command: Command = pinned_to(process::DRIVER_CORE, &std::env::current_exe()?);
        command.args(["load", kind, &target.address.to_string(), &target.pid.to_string()]);
        command.args(numbers.iter().map(usize::to_string));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        Ok(Self { child, lines, said: Figures::default() })
    }

    /// Waits until it has said this figure.
    fn wait_for(&mut self, name: &str) -> Result<()> {
        while !self.said.0.contains_key(name) {
            self.take_line()?.with_context(|| format!("the load did not say {name}"))?;
        }
        Ok(())
    }

    /// Waits for the end. All that it said.
    fn figures(mut self) -> Result<Figures> {
        while self.take_line()?.is_some() {}
        if !self.child.wait()?.success() {
            bail!("a load failed");
        }
        Ok(std::mem::take(&mut self.said))
    }

    fn take_line(&mut self) -> Result<Option<()>> {
        let Some(line) = self.lines.next().transpose()? else { return Ok(None) };
        let (name, figure) = line.split_once(' ').context("a load says NAME FIGURE")?;
        self.said.0.insert(name.to_owned(), figure.parse()?);
        Ok(Some(()))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
