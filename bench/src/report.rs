//! The report: tables in Markdown, ready for the page on benchmarks.

use std::{cmp::Ordering, fs, time::Duration};

use crate::{
    plan::{JUDGED_AT, Measured, Report, Scaled},
    process,
    row::Goal,
    sign_in::SignIn,
};

/// The whole report.
pub fn print(report: &Report) -> String {
    let mut out = vec![machine(&format!(", database on {}", report.file_system)), String::new()];
    out.extend(figures(report));
    out.push(String::new());
    out.extend(scaled(report));
    out.push(String::new());
    out.push(sign_ins(&report.sign_ins));
    out.push(String::new());
    out.extend(targets(report));
    out.push(String::new());
    out.extend(notes(report));
    out.join("\n")
}

/// The middle one; of an even number, the lower of the two.
pub fn median_by<T>(mut list: Vec<T>, compare: impl FnMut(&T, &T) -> Ordering) -> Option<T> {
    list.sort_by(compare);
    let middle = list.len().saturating_sub(1) / 2;
    list.into_iter().nth(middle)
}

/// What everything ran on, with `more` about it.
pub fn machine(more: &str) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let values = |name: &str| -> Vec<String> {
        let lines = info.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.split_once(": ").map(|(_, value)| value.to_owned())).collect()
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "Machine: {}, {} cores, Linux {}{more}.",
        values("model name").first().map_or("unknown processor", String::as_str),
        values("processor").len(),
        // What follows the number may be anybody's own name for it.
        kernel.trim().split('-').next().unwrap_or_default(),
    )
}

fn figures(report: &Report) -> Vec<String> {
    let mut lines = vec![
        format!(
            "| operation | token | algorithm | connections | per second | per second of server CPU | CPU each | p50 \
             | p99 | {}/s | resident | bare hyper per second of CPU | share |",
            flush_call(report)
        ),
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    lines.extend(report.results.iter().map(figure));
    lines
}

fn figure(own: &Measured) -> String {
    let Measured { row, connections, pair, counted } = own;
    let flushes = counted.and_then(|cell| Some(f64::from(cell.flushes?.all()) / cell.seconds));
    format!(
        "| {} | {} | {} | {connections} | {:.0} | {:.0} | {:.1} µs | {} | {} | {} | {} | {:.0} | {} |",
        row.name,
        row.token,
        row.algorithm,
        pair.own.per_second(),
        pair.own.per_cpu_second(),
        cpu_micros(own),
        millis(pair.own.p50),
        millis(pair.own.p99),
        flushes.map_or("not counted".to_owned(), |flushes| format!("{flushes:.0}")),
        mebibytes(pair.own.resident),
        pair.bare.per_cpu_second(),
        percent(pair.share()),
    )
}

fn scaled(report: &Report) -> Vec<String> {
    let mut lines = vec![
        "| operation, 64 connections | live grants | per second | per second of server CPU | p50 | p99 | resident |"
            .to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    for own in &report.scaled {
        for (grants, cell) in [(report.grants.0, &own.few), (report.grants.1, &own.many)] {
            lines.push(format!(
                "| {} | {grants} | {:.0} | {:.0} | {} | {} | {} |",
                own.row.name,
                cell.per_second(),
                cell.per_cpu_second(),
                millis(cell.p50),
                millis(cell.p99),
                mebibytes(cell.resident),
            ));
        }
    }
    lines
}

/// What sign-ins cost the client.
pub fn sign_ins(list: &[SignIn]) -> String {
    let mut lines = vec![
        "| sign-in of the client, CPU each | ID token | `begin` | `finish` | both |".to_owned(),
        "|---|---|--:|--:|--:|".to_owned(),
    ];
    lines.extend(list.iter().map(|own| {
        let SignIn { provider, algorithm, begin, finish } = own;
        format!("| {provider} | {algorithm} | {begin:.1} µs | {finish:.1} µs | {:.1} µs |", begin + finish)
    }));
    lines.join("\n")
}

/// One line of the targets.
struct Target {
    name: String,
    wanted: String,
    stretch: String,
    reached: String,
    is_met: bool,
}

fn targets(report: &Report) -> Vec<String> {
    let judged = report.results.iter().filter(|own| own.connections == JUDGED_AT);
    let mut targets: Vec<_> = judged.map(of_row).collect();
    targets.extend(report.scaled.iter().map(|own| of_scaled(own, report.grants)));
    targets.extend(report.sign_ins.iter().map(|own| {
        let name = format!("begin and finish of the client: {} ({}), CPU", own.provider, own.algorithm);
        at_most(&name, 100.0, own.begin + own.finish, " µs")
    }));
    targets.push(at_most("idle resident memory, MB", 16.0, megabytes(report.idle), ""));
    let first = report.first_answer.as_secs_f64() * 1e3;
    targets.push(at_most("start to first answer on an existing database, ms", 100.0, first, ""));
    targets.push(at_most("stripped program, MB", 16.0, megabytes(report.program), ""));
    let mut lines = vec!["| target | wanted | stretch | reached | |".to_owned(), "|---|--:|--:|--:|---|".to_owned()];
    lines.extend(targets.into_iter().map(|own| {
        let Target { name, wanted, stretch, reached, is_met } = own;
        format!("| {name} | {wanted} | {stretch} | {reached} | {} |", if is_met { "met" } else { "**missed**" })
    }));
    lines
}

fn of_row(own: &Measured) -> Target {
    let row = &own.row;
    let name = format!("{}: {} ({})", row.name, row.token, row.algorithm);
    match row.goal {
        Goal::Share(wanted, stretch) => Target {
            name: format!("{name}, share of bare hyper"),
            wanted: format!("≥ {}", percent(wanted)),
            stretch: percent(stretch),
            reached: percent(own.pair.share()),
            is_met: own.pair.share() >= wanted,
        },
        Goal::CpuMicros(most) => at_most(&format!("{name}, CPU"), most, cpu_micros(own), " µs"),
    }
}

fn of_scaled(own: &Scaled, (few, many): (u32, u32)) -> Target {
    let rate = own.many.per_second() / own.few.per_second();
    let cpu = own.many.per_cpu_second() / own.few.per_cpu_second();
    Target {
        name: format!("{} at {many} live grants, rate against {few}", own.row.name),
        wanted: "≥ 0.80".to_owned(),
        stretch: String::new(),
        reached: format!("{rate:.2} (per second of CPU {cpu:.2})"),
        is_met: rate >= 0.8,
    }
}

fn at_most(name: &str, most: f64, reached: f64, unit: &str) -> Target {
    Target {
        name: name.to_owned(),
        wanted: format!("≤ {most:.0}{unit}"),
        stretch: String::new(),
        reached: format!("{reached:.1}{unit}"),
        is_met: reached <= most,
    }
}

fn notes(report: &Report) -> Vec<String> {
    let pinned = if process::can_pin() {
        "The server and, in its turn, the bare server run on core 0, the driver on core 1."
    } else {
        "There is one core only, or no taskset: server and driver share what there is."
    };
    let synchronous = report.synchronous.as_deref().map_or_else(
        || "The running server does not tell its `PRAGMA synchronous`.".to_owned(),
        |own| format!("`PRAGMA synchronous` of the running server's writing connection: {own}."),
    );
    let first = report.first_start.as_secs_f64() * 1e3;
    [
        format!(
            "- {pinned} The bare server answers the product's own answers, headers and body, as recorded in this \
                 run, from the same HTTP library and runtime."
        ),
        "- Per second of server CPU: units over user and system time of the server's whole process \
         (`/proc/PID/stat`). A unit is one request, or one whole code flow: authorize with session and remembered \
         consent, token, userinfo. At 64 connections the median of the pairs counts."
            .to_owned(),
        format!("- {synchronous} {}", flush_note(report)),
        format!(
            "- Start to first answer includes making the process; on a fresh database, with its keys to be made, \
                 it took {first:.0} ms."
        ),
        "- MB are 1,000,000 bytes, MiB 1,048,576.".to_owned(),
    ]
    .into()
}

/// The call that flushes: SQLite is built to use one of them.
fn flush_call(report: &Report) -> &'static str {
    let mut all = report.results.iter().filter_map(|own| own.counted?.flushes);
    if all.any(|flushes| flushes.fsync > 0) { "fsync" } else { "fdatasync" }
}

/// How flushes were counted, and how many units shared one.
fn flush_note(report: &Report) -> String {
    let per_flush = report.results.iter().filter_map(|own| {
        let cell = own.counted?;
        let flushes = cell.flushes.filter(|flushes| flushes.all() > 0)?;
        let units = cell.units / f64::from(flushes.all());
        Some(format!("{} ({}) at {}: {units:.1}", own.row.name, own.row.algorithm, own.connections))
    });
    let per_flush: Vec<_> = per_flush.collect();
    if per_flush.is_empty() {
        return "Flushes were not counted.".to_owned();
    }
    format!(
        "Calls of `{}` were counted by `strace` in a pass of its own, in which only they stop the server. Units per \
         call in that pass: {}.",
        flush_call(report),
        per_flush.join(", ")
    )
}

fn cpu_micros(own: &Measured) -> f64 {
    1e6 / own.pair.own.per_cpu_second()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn millis(span: Duration) -> String {
    format!("{:.3} ms", span.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes / 1000).map_or(f64::INFINITY, f64::from) / 1000.0
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", megabytes(bytes) / 1.048_576)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median_by(vec![3, 1, 2], |a, b| a.cmp(b)), Some(2));
        assert_eq!(median_by(vec![4, 1, 2, 3], |a, b| a.cmp(b)), Some(2));
        assert_eq!(median_by(Vec::<u8>::new(), |a, b| a.cmp(b)), None);
    }

    #[test]
    fn sizes_are_said_in_their_own_units() {
        assert_eq!(mebibytes(16 * 1_048_576), "16.0 MiB");
        assert!((megabytes(16_000_000) - 16.0).abs() < 1e-9);
    }
}
