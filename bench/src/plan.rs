//! The order of the whole: first start, filling, each row beside the bare server, flushes, a million grants.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    bare,
    drive::{self, Cell, Load, Target},
    process::{self, Process, Product},
    report::median_by,
    row::{self, Row},
    script::Script,
    seed,
    sign_in::{self, SignIn},
    tell,
};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    warm_up: Duration,
    measured: Duration,
    /// Pairs of cells at 64 connections, of which the median counts.
    repeats: u32,
    /// Live grants of the small and of the large database.
    grants: (u32, u32),
    /// Starts on an existing database.
    starts: u32,
    /// Sign-ins of the client, of each kind.
    sign_ins: usize,
}

impl Plan {
    /// About eight minutes.
    pub const fn full() -> Self {
        Self {
            warm_up: Duration::from_millis(500),
            measured: Duration::from_millis(2500),
            repeats: 3,
            grants: (1_000, 1_000_000),
            starts: 7,
            sign_ins: 20_000,
        }
    }

    /// Some seconds: it says that everything works, and no more.
    pub const fn quick() -> Self {
        Self {
            warm_up: Duration::from_millis(100),
            measured: Duration::from_millis(400),
            repeats: 1,
            grants: (1_000, 20_000),
            starts: 3,
            sign_ins: 1_000,
        }
    }

    const fn load(self, connections: usize) -> Load {
        Load { connections, warm_up: self.warm_up, measured: self.measured }
    }
}

/// The product and the bare server, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The product.
    pub own: Cell,
    /// The bare server.
    pub bare: Cell,
}

impl Pair {
    /// The product's units per second of processor time, as a share of the bare server's.
    pub fn share(&self) -> f64 {
        self.own.per_cpu_second() / self.bare.per_cpu_second()
    }
}

/// A row at so many connections.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The row.
    pub row: Row,
    /// Connections at once.
    pub connections: usize,
    /// What was measured.
    pub pair: Pair,
    /// The product again, with its flushes counted, where `strace` is there.
    pub counted: Option<Cell>,
}

/// A row over few and over many live grants.
#[derive(Clone, Debug)]
pub struct Scaled {
    /// The row.
    pub row: Row,
    /// Over few.
    pub few: Cell,
    /// Over many.
    pub many: Cell,
}

/// All that is reported.
#[derive(Debug)]
pub struct Report {
    /// Every row at every number of connections.
    pub results: Vec<Measured>,
    /// Rows over few and many grants.
    pub scaled: Vec<Scaled>,
    /// How many those are.
    pub grants: (u32, u32),
    /// What sign-ins cost the client.
    pub sign_ins: Vec<SignIn>,
    /// From before the start to the first answer, on an existing database: median.
    pub first_answer: Duration,
    /// The same on a fresh one, once.
    pub first_start: Duration,
    /// Resident memory of an idle server, in bytes.
    pub idle: u64,
    /// Length of the program, in bytes.
    pub program: u64,
    /// What the running server says of `PRAGMA synchronous`.
    pub synchronous: Option<String>,
    /// The kind of file system that holds the database.
    pub file_system: String,
}

/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Targets are judged at so many.
pub const JUDGED_AT: usize = 64;

impl Report {
    /// Measures everything. `folder` is empty and on the disk that is to be flushed.
    pub fn make(program: &Path, folder: &Path, plan: Plan) -> Result<Self> {
        let product = Product::new(program, folder.join("few"))?;
        let first_start = make_database(&product)?;
        tell(&format!("filling a database with {} live grants", plan.grants.0));
        let seeded = seed::fill(&product.folder, plan.grants.0)?;
        let rows = row::rows(&product.host(), &seeded);
        process::pin_self(process::DRIVER_CORE)?;
        let (first_answer, idle) = starts(&product, plan)?;
        let server = product.start()?;
        let synchronous = synchronous(&product, &server)?;
        let mut results = Vec::new();
        for row in &rows {
            results.extend(measure(row, server.target(), folder, plan)?);
        }
        server.stop()?;
        count_flushes(&product, folder, &mut results, plan)?;
        let scaled = scale(program, folder, plan)?;
        tell("begin and finish of the client");
        let sign_ins = sign_in::measure(plan.sign_ins)?;
        Ok(Self {
            results,
            scaled,
            sign_ins,
            grants: plan.grants,
            first_answer,
            first_start,
            idle,
            program: fs::metadata(program)?.len(),
            synchronous,
            file_system: file_system(folder),
        })
    }
}

/// Has the product make its database and keys; how long its first answer took.
fn make_database(product: &Product) -> Result<Duration> {
    let server = product.start()?;
    let first = server.first_answer;
    server.stop()?;
    Ok(first)
}

/// Starts on an existing database: the median time to the first answer, and memory after a second of idling.
fn starts(product: &Product, plan: Plan) -> Result<(Duration, u64)> {
    let (mut took, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        let server = product.start()?;
        took.push(server.first_answer);
        process::rest(Duration::from_secs(1));
        idle.push(process::resident(server.target().pid)?);
        server.stop()?;
    }
    let took = median_by(took, |a, b| a.cmp(b)).context("no starts")?;
    Ok((took, median_by(idle, |a, b| a.cmp(b)).context("no starts")?))
}

/// One row at each number of connections, the product and the bare server in turn.
fn measure(row: &Row, target: Target<'_>, folder: &Path, plan: Plan) -> Result<Vec<Measured>> {
    tell(&format!("{} ({}; {})", row.name, row.token, row.algorithm));
    let file = folder.join("answers.json");
    bare::write_answers(&file, &drive::record(target.address, &row.script)?)?;
    let bare = Process::bare(&file)?;
    let bare_script = row.script.parted();
    let mut results = Vec::new();
    for connections in CONNECTIONS {
        let load = plan.load(connections);
        let mut pairs = Vec::new();
        for _ in 0..if connections == JUDGED_AT { plan.repeats } else { 1 } {
            let own = drive::drive(target, &row.script, load)?;
            pairs.push(Pair { own, bare: drive::drive(bare.target(), &bare_script, load)? });
        }
        let pair = median_by(pairs, |a, b| a.share().total_cmp(&b.share())).context("no pairs")?;
        tell(&format!(
            "  {connections:>2} connections: {:.0}/s, {:.1} µs of CPU each, {:.1} % of the bare server",
            pair.own.per_second(),
            1e6 / pair.own.per_cpu_second(),
            100.0 * pair.share()
        ));
        results.push(Measured { row: row.clone(), connections, pair, counted: None });
    }
    Ok(results)
}

/// Drives every row again, against a server whose flushes are counted.
fn count_flushes(product: &Product, folder: &Path, results: &mut [Measured], plan: Plan) -> Result<()> {
    if !process::has("strace") {
        tell("strace is missing: flushes are not counted");
        return Ok(());
    }
    tell("counting flushes");
    let log = folder.join("flushes");
    let server = product.start_counted(&log)?;
    for own in results {
        let load = Load { measured: plan.measured.min(Duration::from_secs(1)), ..plan.load(own.connections) };
        own.counted = Some(drive::drive(server.target(), &own.row.script, load)?);
    }
    server.stop()
}

/// Introspection and refresh over few and over many live grants, in turn.
fn scale(program: &Path, folder: &Path, plan: Plan) -> Result<Vec<Scaled>> {
    let (few, few_rows) = scaled_server(program, &folder.join("few again"), plan.grants.0)?;
    let (many, many_rows) = scaled_server(program, &folder.join("many"), plan.grants.1)?;
    process::pin_self(process::DRIVER_CORE)?;
    let mut scaled = Vec::new();
    for (few_row, many_row) in few_rows.iter().zip(&many_rows) {
        tell(&format!("{} over {} and {} live grants", few_row.name, plan.grants.0, plan.grants.1));
        let mut pairs = Vec::new();
        for _ in 0..plan.repeats {
            let load = plan.load(JUDGED_AT);
            let own = drive::drive(few.target(), &few_row.script, load)?;
            pairs.push((own, drive::drive(many.target(), &many_row.script, load)?));
        }
        let rate = |(few, many): &(Cell, Cell)| many.per_second() / few.per_second();
        let (few, many) = median_by(pairs, |a, b| rate(a).total_cmp(&rate(b))).context("no pairs")?;
        scaled.push(Scaled { row: few_row.clone(), few, many });
    }
    few.stop()?;
    many.stop()?;
    Ok(scaled)
}

/// A server over a database of its own with so many live grants, and the rows that are driven on it.
fn scaled_server(program: &Path, folder: &Path, grants: u32) -> Result<(Process, [Row; 2])> {
    let product = Product::new(program, folder.to_owned())?;
    make_database(&product)?;
    tell(&format!("filling a database with {grants} live grants"));
    process::pin_self(process::ALL_CORES)?;
    let start = drive::now();
    let seeded = seed::fill(&product.folder, grants)?;
    tell(&format!("  {:.1} s", start.elapsed().as_secs_f64()));
    let host = product.host();
    Ok((product.start()?, [row::introspection(&host, &seeded), row::refresh(&host, &seeded)]))
}

/// What the running server says of its own writing connection: the member `synchronous` of its readiness.
fn synchronous(product: &Product, server: &Process) -> Result<Option<String>> {
    let script = Script::document(&product.host(), "/readyz");
    let recorded = drive::record(server.target().address, &script)?;
    let body = recorded.first().map(|own| own.body.as_str()).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(body)?;
    Ok(value.get("synchronous").map(|own| own.as_str().map_or_else(|| own.to_string(), str::to_owned)))
}

/// The kind of file system of `folder`, as `/proc/mounts` has it.
fn file_system(folder: &Path) -> String {
    let (mounts, folder) = (fs::read_to_string("/proc/mounts").unwrap_or_default(), folder.canonicalize());
    let folder = folder.unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let own = fields.filter_map(|fields| Some((*fields.get(1)?, *fields.get(2)?)));
    let own = own.filter(|(at, _)| folder.starts_with(at)).max_by_key(|(at, _)| at.len());
    own.map_or("unknown", |(_, kind)| kind).to_owned()
}
