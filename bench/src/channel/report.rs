//! The table of the channel, in Markdown, and whether its limits are kept.

use super::{Figures, Messages, Report, contestant::python};
use crate::{process, report::machine};

/// One line of the table.
struct Row {
    what: String,
    /// Ours, bare Tokio's, asyncio's.
    figures: [String; 3],
    limits: Vec<Limit>,
}

/// What is wanted of ours.
struct Limit {
    wanted: String,
    is_met: bool,
}

/// The table, and how many limits are missed.
pub fn print(report: &Report) -> (String, usize) {
    let mut rows: Vec<Row> = report.messages.iter().map(messages).collect();
    rows.extend(crowd_rows(report));
    rows.extend(fan_out_rows(report));
    let missed = rows.iter().flat_map(|row| &row.limits).filter(|limit| !limit.is_met).count();
    let mut lines = vec![
        machine(""),
        String::new(),
        "| | fujie | bare Tokio | asyncio | limit | |".to_owned(),
        "|---|--:|--:|--:|--:|---|".to_owned(),
    ];
    lines.extend(rows.iter().map(line));
    lines.push(String::new());
    lines.extend(notes(report));
    (lines.join("\n"), missed)
}

fn line(row: &Row) -> String {
    let wanted: Vec<_> = row.limits.iter().map(|limit| limit.wanted.as_str()).collect();
    let verdict = match (row.limits.is_empty(), row.limits.iter().all(|limit| limit.is_met)) {
        (true, _) => "",
        (_, true) => "ok",
        (_, false) => "**missed**",
    };
    format!("| {} | {} | {} | {verdict} |", row.what, row.figures.join(" | "), wanted.join(", "))
}

fn limit(wanted: impl Into<String>, is_met: bool) -> Limit {
    Limit { wanted: wanted.into(), is_met }
}

/// As many messages as share of the bare server's, and as many times those of asyncio.
const BARE_SHARE: f64 = 0.9;
const ASYNCIO_TIMES: f64 = 3.0;
/// Of more lines than this in one read the bare server, which does not look for them, is no measure: each costs it next to
/// nothing. Its share is shown all the same.
const BARE_DEPTH_MAX: usize = 16;
/// KiB of each connection, and what would be better still.
const EACH_KIB: f64 = 4.0;
const BURST_SECONDS: f64 = 2.0;
/// When a silent peer is cut.
const CUT_SECONDS: std::ops::RangeInclusive<f64> = 29.0..=31.0;
const FAN_OUT_MILLIS: f64 = 250.0;

fn messages(own: &Messages) -> Row {
    let [fujie, bare, asyncio] = own.per_cpu_second;
    let (share, times) = (fujie / bare, fujie / asyncio);
    let mut limits = vec![limit(format!("≥ {ASYNCIO_TIMES} × asyncio"), times >= ASYNCIO_TIMES)];
    if own.depth <= BARE_DEPTH_MAX {
        limits.insert(0, limit(format!("≥ {BARE_SHARE} × bare"), share >= BARE_SHARE));
    }
    Row {
        what: format!("messages per second of CPU, {} connections, {} in flight on each", own.connections, own.depth),
        figures: [format!("{fujie:.0}"), format!("{bare:.0} ({share:.2})"), format!("{asyncio:.0} ({times:.1})")],
        limits,
    }
}

fn crowd_rows(report: &Report) -> Vec<Row> {
    let own = report.crowds.first().cloned().unwrap_or_default();
    let each = |show: fn(&Figures) -> String| {
        let mut shown = report.crowds.iter().map(show);
        std::array::from_fn(|_| shown.next().unwrap_or_default())
    };
    let crowd = report.plan.crowd;
    vec![
        Row {
            what: format!("{crowd} connections at once: until everybody has the first answer, s"),
            figures: each(came),
            limits: vec![limit(
                format!("≤ {BURST_SECONDS}"),
                own.of("burst") <= BURST_SECONDS && own.of("failed") == 0.0,
            )],
        },
        Row {
            what: format!("resident KiB of each of {crowd} connections with heartbeats"),
            figures: each(|own| format!("{:.2}", own.of("each") / 1024.0)),
            limits: vec![limit(format!("≤ {EACH_KIB} (goal 2)"), own.of("each") <= EACH_KIB * 1024.0)],
        },
        Row {
            what: format!("dropped of them within {} s, a heartbeat every 10 s", report.plan.hold.as_secs()),
            figures: each(|own| format!("{:.0}", own.of("dropped"))),
            limits: vec![limit("0", own.of("dropped") == 0.0)],
        },
        Row {
            what: "CPU meanwhile, s".to_owned(),
            figures: each(|own| format!("{:.2}", own.of("cpu"))),
            limits: Vec::new(),
        },
        Row {
            what: format!("{} silent peers cut after s, first and last", report.plan.silent),
            figures: each(cut),
            limits: vec![limit(
                "30 ± 1",
                own.of("uncut") == 0.0
                    && CUT_SECONDS.contains(&own.of("cut_first"))
                    && CUT_SECONDS.contains(&own.of("cut_last")),
            )],
        },
    ]
}

fn fan_out_rows(report: &Report) -> Vec<Row> {
    let own = &report.fan_out;
    let (events, crowd) = (report.plan.events, report.plan.crowd);
    let only = |figure: String| [figure, String::new(), String::new()];
    vec![
        Row {
            what: format!(
                "{events} events, each to {crowd} subscribers: ms from appending to receipt, p50 / p99 / max"
            ),
            figures: only(format!("{:.0} / {:.0} / {:.0}", own.of("p50"), own.of("p99"), own.of("max"))),
            limits: vec![limit(format!("p99 ≤ {FAN_OUT_MILLIS}"), own.of("p99") <= FAN_OUT_MILLIS)],
        },
        Row {
            what: format!("resident KiB of each of {crowd} subscribers"),
            figures: only(format!("{:.2}", own.of("each") / 1024.0)),
            limits: vec![limit(format!("≤ {EACH_KIB} (goal 2)"), own.of("each") <= EACH_KIB * 1024.0)],
        },
    ]
}

fn came(own: &Figures) -> String {
    match own.of("failed") {
        0.0 => format!("{:.2}", own.of("burst")),
        failed => format!("{:.2}, {failed:.0} failed", own.of("burst")),
    }
}

fn cut(own: &Figures) -> String {
    if own.of("cut_last") == 0.0 {
        return "never".to_owned();
    }
    let uncut = match own.of("uncut") {
        0.0 => String::new(),
        uncut => format!(", {uncut:.0} not"),
    };
    format!("{:.2}, {:.2}{uncut}", own.of("cut_first"), own.of("cut_last"))
}

fn notes(report: &Report) -> Vec<String> {
    let version = python("import sys; print(sys.version.split()[0])").unwrap_or_default();
    let pinned = if process::can_pin() {
        "Every server runs on core 0, the clients, a process of their own, on core 1."
    } else {
        "There is one core only, or no taskset: servers and clients share what there is."
    };
    vec![
        format!(
            "- {pinned} Fujie is `fujie channel serve --echo --quiet`; the bare server writes back what it reads, without \
             looking for lines; the asyncio server behaves as ours does and prints nothing either (CPython {version}, \
             asyncio's own loop)."
        ),
        format!(
            "- Messages are `Hello World!` lines. CPU is user and system time of the server's process (`/proc/PID/stat`) \
             over {:.1} s; of {} rounds, in which the servers take turns, that with the middle share of the bare server \
             counts. In parentheses: how many times the figure ours is. The bare server does not look for lines, so of {} \
             in one read each costs it next to nothing: there its share is no limit.",
            report.plan.measured.as_secs_f64(),
            report.plan.repeats,
            report.messages.iter().map(|own| own.depth).max().unwrap_or_default(),
        ),
        "- Resident memory is `VmRSS` with all connections less that before the first, after the burst or at the end, \
         whichever is more. All three crowds stay at the same time. Who has no answer within a minute has failed to \
         come in: asyncio lets 100 wait to be accepted."
            .to_owned(),
        "- Events go through the product's hub, sessions and sockets from a log in memory; each is about 1.2 KiB long, \
         one is appended every second, and its receipt is when the client's process has read its line."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Plan;

    fn figures(pairs: &[(&str, f64)]) -> Figures {
        Figures(pairs.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect())
    }

    fn report(changed: &[(&str, f64)]) -> Report {
        let mut own = vec![("burst", 0.9), ("failed", 0.0), ("each", 2000.0), ("dropped", 0.0), ("cpu", 1.5)];
        own.extend([("uncut", 0.0), ("cut_first", 30.0), ("cut_last", 30.2), ("p50", 90.0), ("p99", 120.0)]);
        own.extend(changed);
        let bare = figures(&[("cut_last", 0.0), ("uncut", 200.0), ("failed", 0.0), ("burst", 0.5)]);
        Report {
            plan: Plan::full(),
            messages: vec![Messages { connections: 64, depth: 1, per_cpu_second: [95e3, 100e3, 20e3] }],
            crowds: vec![figures(&own), bare, figures(&[])],
            fan_out: figures(&own),
        }
    }

    #[test]
    fn a_limit_is_kept_or_missed() {
        assert_eq!(print(&report(&[])).1, 0);
        for (changed, missed) in [
            (("burst", 2.1), 1),
            (("failed", 1.0), 1),
            (("each", 4097.0), 2),
            (("dropped", 1.0), 1),
            (("cut_first", 28.9), 1),
            (("cut_last", 31.1), 1),
            (("uncut", 1.0), 1),
            (("p99", 251.0), 1),
            (("p99", f64::NAN), 1),
        ] {
            assert_eq!(print(&report(&[changed])).1, missed, "{changed:?}");
        }
        let slow = |per_cpu_second| Report {
            messages: vec![Messages { connections: 64, depth: 1, per_cpu_second }],
            ..report(&[])
        };
        assert_eq!(print(&slow([89e3, 100e3, 20e3])).1, 1);
        assert_eq!(print(&slow([95e3, 100e3, 40e3])).1, 1);
        let mut deep = slow([50e3, 100e3, 10e3]);
        deep.messages[0].depth = 128;
        assert_eq!(print(&deep).1, 0);
    }

    #[test]
    fn a_table_shows_what_is_missed() {
        let (table, _) = print(&report(&[("burst", 2.5)]));
        assert!(table.contains("| 2.50 | 0.50 |"), "{table}");
        assert!(table.contains("| ≤ 2 | **missed** |"), "{table}");
        assert!(table.contains("| 30.00, 30.20 | never |"), "{table}");
    }

    #[test]
    fn a_hold_may_be_chosen() {
        for (words, hold) in [
            (&[][..], 600),
            (&["--hold", "60"], 60),
            (&["--quick"], 35),
            (&["--quick", "--hold", "50"], 50),
            (&["--hold", "5", "--quick"], 5),
        ] {
            assert_eq!(Plan::read(words).unwrap().hold.as_secs(), hold, "{words:?}");
        }
        assert!(Plan::read(&["--hold"]).is_err());
        assert!(Plan::read(&["--slow"]).is_err());
    }
}
