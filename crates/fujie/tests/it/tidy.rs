//! The house rules that a compiler does not know: who may depend on whom, who may state a proof, how long a file may
//! be, and that the index of the standards tells the truth.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every Rust source of ours: path below the root, and text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') && name != "node_modules" {
                walk(&path, found);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    for folder in ["crates", "bench"] {
        if root.join(folder).exists() {
            walk(&root.join(folder), &mut found);
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|path| {
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_file_says_what_it_owns_and_is_short_enough_to_read() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            faults.push(format!("{path}: the first line is not `//!`"));
        }
        let lines = text.lines().count();
        if lines > 500 {
            faults.push(format!("{path}: {lines} lines, at most 500"));
        }
        for word in ["utils", "helpers", "common", "misc", "manager", "service"] {
            if path.split(['/', '.']).any(|part| part == word) {
                faults.push(format!("{path}: `{word}` names nothing"));
            }
        }
    }
    report(&faults);
}

#[test]
fn a_function_is_short_enough_to_understand() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        // A function whose signature was seen: its first line, its indentation, its name, and whether its body began.
        let mut open: Option<(usize, usize, String, bool)> = None;
        for (number, line) in text.lines().enumerate() {
            let (indent, end) = (line.len() - line.trim_start().len(), line.trim_end());
            let is_comment = line.trim_start().starts_with("//");
            let is_fn = !is_comment && line.split_whitespace().take(4).any(|word| word == "fn");
            if open.is_none() && is_fn {
                open = Some((number, indent, line.trim().to_owned(), false));
            }
            let Some((start, depth, name, has_body)) = &mut open else { continue };
            *has_body |= end.ends_with('{');
            let is_closed = *has_body && indent == *depth && end.trim_start() == "}";
            if is_closed && number - *start + 1 > 70 {
                faults.push(format!("{path}:{}: {} lines, at most 70: {name}", *start + 1, number - *start + 1));
            }
            if is_closed || (!*has_body && end.ends_with([';', '}'])) {
                open = None;
            }
        }
    }
    report(&faults);
}

/// What each crate may know of ours, and what it must never know of others.
const WALLS: [(&str, &[&str], &[&str]); 8] = [
    ("fujie-core", &[], &["tokio", "hyper", "axum", "reqwest", "rusqlite", "http"]),
    ("fujie-store", &["fujie-core"], &["hyper", "axum", "reqwest", "http", "url"]),
    ("fujie-receiver", &[], &["*"]),
    ("fujie-client", &["fujie-core", "fujie-receiver"], &["axum", "hyper", "rusqlite", "minijinja"]),
    ("fujie-channel", &["fujie-core", "fujie-store"], &["axum", "hyper", "minijinja"]),
    ("fujie-server", &["fujie-core", "fujie-store", "fujie-client", "fujie-channel"], &["rusqlite", "axum", "reqwest"]),
    ("fujie-simulator", &[], &["rusqlite", "reqwest", "minijinja"]),
    (
        "fujie",
        &[
            "fujie-core",
            "fujie-store",
            "fujie-client",
            "fujie-server",
            "fujie-simulator",
            "fujie-channel",
            "fujie-receiver",
        ],
        &["rusqlite"],
    ),
];

#[test]
fn the_walls_between_crates_stand() {
    let mut faults = Vec::new();
    for (name, ours, never) in WALLS {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let mut section = String::new();
        for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.starts_with('[') {
                section = line.to_owned();
                continue;
            }
            if section != "[dependencies]" {
                continue;
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap();
            let is_ours = dependency.starts_with("fujie");
            if (is_ours && !ours.contains(&dependency)) || never.contains(&dependency) || never.contains(&"*") {
                faults.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    report(&faults);
}

/// Who may state that something was committed.
const ASSERTIONS: [(&str, &[&str]); 4] = [
    ("GrantBorn::assertion", &["crates/fujie-store/src/"]),
    ("CodeRedeemed::assertion", &["crates/fujie-store/src/"]),
    // Core itself, where a refresh needs no commit.
    ("Refreshed::assertion", &["crates/fujie-store/src/", "crates/fujie-core/src/grant/refresh_token.rs"]),
    ("::assertion(", &["crates/fujie-store/src/", "crates/fujie-core/src/grant/refresh_token.rs"]),
];

#[test]
fn only_the_code_that_established_a_fact_states_it() {
    let mut faults = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.contains("/src/")) {
        for (call, allowed) in ASSERTIONS {
            if text.contains(call) && !allowed.iter().any(|place| path.starts_with(place)) {
                faults.push(format!("{path}: may not call {call}"));
            }
        }
    }
    report(&faults);
}

#[test]
fn nothing_is_skipped_and_nothing_waits_for_later() {
    let mut faults = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("tidy.rs")) {
        for word in ["#[ignore", "todo!(", "unimplemented!(", "#[allow(", "TODO", "FIXME"] {
            if text.contains(word) {
                faults.push(format!("{path}: {word}"));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_index_of_the_standards_tells_the_truth() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 200, "ARCHITECTURE.md has more than 200 lines");
    let sources: BTreeMap<_, _> = sources().into_iter().collect();
    let (mut faults, mut rows) = (Vec::new(), 0);
    // A row is: | RFC 7636 … | `crates/…/pkce.rs` … |
    for line in text.lines().filter(|line| line.starts_with("| RFC ") || line.starts_with("| OpenID ")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (standard, files) = (cells.next().unwrap(), cells.next().unwrap());
        let number: String =
            standard.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let mark = if standard.starts_with("RFC") { format!("RFC {number}") } else { "OpenID Connect".to_owned() };
        for file in files.split('`').skip(1).step_by(2) {
            rows += 1;
            match sources.get(file) {
                None => faults.push(format!("{standard}: {file} does not exist")),
                Some(text) if !text.contains(&mark) => faults.push(format!("{standard}: {file} does not name {mark}")),
                Some(_) => {}
            }
        }
    }
    assert!(rows >= 20, "the index has {rows} files only");
    report(&faults);
}
