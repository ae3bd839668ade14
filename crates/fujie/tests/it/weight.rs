//! How many crates come with the client, so that none comes unnoticed.

use std::{collections::BTreeSet, process::Command};

/// What a program compiles that depends on the client alone, itself and proc macros included.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--package", "fujie-client", "--edges", "normal", "--prefix", "none"])
        .args(features)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    // A crate that was shown before is shown again with an asterisk: name and version are enough.
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_client_comes_with_few_crates() {
    let cases: [(&[&str], &str, usize); 2] =
        [(&[], "reqwest", 120), (&["--no-default-features", "--features", "ureq"], "ureq", 60)];
    for (features, transport, most) in cases {
        let crates = crates(features);
        let has = |name: &str| crates.iter().any(|own| own.starts_with(&format!("{name} ")));
        assert!(has("fujie-client") && has(transport), "{crates:?}");
        // Of Cargo.toml's note on `url`.
        assert!(!has("icu_properties"), "idna_adapter is to stay at 1.1: cargo update -p idna_adapter --precise 1.1.0");
        assert!(crates.len() <= most, "{} crates with {transport}, at most {most}: {crates:#?}", crates.len());
    }
}

#[test]
fn only_the_transport_that_was_asked_for_is_there() {
    let crates = crates(&["--no-default-features", "--features", "ureq"]);
    for name in ["reqwest", "hyper", "tokio", "ring", "openssl", "native-tls"] {
        assert!(!crates.iter().any(|own| own.starts_with(&format!("{name} "))), "{name}");
    }
}
