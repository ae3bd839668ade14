//! How many crates come with the client, so that none comes unnoticed.

use std::{collections::BTreeSet, process::Command};

/// Every crate that is compiled for a program that depends on the client alone, on this host: the client itself, proc
/// macros and what build scripts need included. Two versions of one crate are two.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--package", "fujie-client", "--edges", "normal,build"])
        .args(["--prefix", "none"])
        .args(features)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    // Behind name and version stand a path, or an asterisk when the crate was shown before; groups have a headline.
    let lines = String::from_utf8(tree.stdout).unwrap();
    let lines = lines.lines().filter(|line| !line.is_empty() && !line.starts_with('['));
    lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn has(crates: &BTreeSet<String>, name: &str) -> bool {
    crates.iter().any(|own| own.split(' ').next() == Some(name))
}

const BLOCKING: [&str; 3] = ["--no-default-features", "--features", "ureq"];

#[test]
fn the_client_comes_with_few_crates() {
    let usual = crates(&[]);
    let blocking = crates(&BLOCKING);
    let session = crates(&["--features", "session"]);
    eprintln!(
        "crates: {} usual, {} blocking only, {} with the session, which adds {}",
        usual.len(),
        blocking.len(),
        session.len(),
        session.difference(&usual).count()
    );
    let said = include_str!("../../../fujie-client/src/lib.rs");
    let cases = [(&usual, "reqwest", 120), (&blocking, "ureq", 60), (&session, "cookie_store", 150)];
    for (crates, sign, most) in cases {
        assert!(has(crates, "fujie-client") && has(crates, "cc") && has(crates, sign), "{crates:?}");
        // Of Cargo.toml's note on `url`.
        assert!(
            !has(crates, "icu_properties"),
            "idna_adapter is to stay at 1.1: cargo update -p idna_adapter --precise 1.1.0"
        );
        if cfg!(target_os = "linux") {
            assert!(said.contains(&format!("| {} |\n", crates.len())), "lib.rs is to say {} with {sign}", crates.len());
        }
        assert!(crates.len() <= most, "{} crates with {sign}, at most {most}: {crates:#?}", crates.len());
    }
}

#[test]
fn only_the_transport_that_was_asked_for_is_there() {
    let blocking = crates(&BLOCKING);
    for name in ["reqwest", "hyper", "tokio", "ring", "openssl", "native-tls"] {
        assert!(!has(&blocking, name), "{name}");
    }
    assert!(!has(&crates(&[]), "ureq"));
    let neither = crates(&["--no-default-features"]);
    assert!(!has(&neither, "rustls") && !has(&neither, "ureq"), "{neither:?}");
}
