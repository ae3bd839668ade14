//! A registration from the environment. The variables are a child's, which is this test again.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fujie_client::openid::signing_key::SigningKey;
use fujie_client::{Client, SetupError};
use fujie_core::jose::jws::Algorithm;

const PRESET: &str = "TEST_PRESET";

/// What a child with these variables says of its registration.
fn told(preset: &str, variables: &[(OsString, OsString)]) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "environment::a_registration_comes_from_the_environment", "--nocapture"])
        .env(PRESET, preset)
        .envs(variables.iter().cloned())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let said = String::from_utf8(child.stdout).unwrap();
    let line = said.lines().find_map(|line| line.split_once("TOLD ")).unwrap_or_else(|| panic!("{said}")).1;
    line.to_owned()
}

#[expect(clippy::print_stdout, reason = "a child tells its parent on standard output")]
fn tell(preset: &str) {
    match Client::from_env(preset) {
        Ok(made) => println!("\nTOLD {} {:?}", made.registration().client_id(), made),
        Err(SetupError::Record(error)) => println!("\nTOLD record: {error}"),
        Err(error) => println!("\nTOLD {error}"),
    }
}

fn key(folder: &Path, algorithm: Algorithm) -> OsString {
    let file = folder.join(algorithm.as_str());
    let base64 = STANDARD.encode(&*SigningKey::generate(algorithm).unwrap());
    std::fs::write(&file, format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")).unwrap();
    file.into()
}

#[test]
fn a_registration_comes_from_the_environment() {
    if let Ok(preset) = std::env::var(PRESET) {
        return tell(&preset);
    }
    let folder = tempfile::tempdir().unwrap();
    let (ec, rsa) = (key(folder.path(), Algorithm::Es256), key(folder.path(), Algorithm::Rs256));
    let (id, secret) = (("CLIENT_ID", "id-1"), ("CLIENT_SECRET", "canary"));
    let file = |path: &OsString| ("PRIVATE_KEY_FILE", path.to_str().unwrap().to_owned());
    let (ec, rsa, none) = (file(&ec), file(&rsa), file(&folder.path().join("none").into()));
    let (ec, rsa, none) = ((ec.0, ec.1.as_str()), (rsa.0, rsa.1.as_str()), (none.0, none.1.as_str()));
    let (key_id, team_id) = (("KEY_ID", "k"), ("TEAM_ID", "t"));
    let public = ("_CLIENT_AUTHENTICATION", "none");
    let signing = ("_CLIENT_AUTHENTICATION", "private_key_jwt");
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 14] = [
        ("github", &[id, secret], &["id-1 ", "credential: Secret([redacted])"]),
        ("github", &[secret], &["the environment variable GITHUB_CLIENT_ID is not set"]),
        ("github", &[id], &["the environment variable GITHUB_CLIENT_SECRET is not set"]),
        ("github", &[id, public], &["id-1 ", "credential: None"]),
        ("github", &[id, secret, public], &["record: credential of provider github must be Credential::None"]),
        ("github", &[id, ec, signing], &["credential: PrivateKey([redacted])"]),
        ("github", &[id, secret, signing], &["the environment variable GITHUB_PRIVATE_KEY_FILE is not set"]),
        ("alipay", &[id, rsa], &["credential: Rsa2([redacted])"]),
        ("alipay", &[id, secret], &["the environment variable ALIPAY_PRIVATE_KEY_FILE is not set"]),
        ("alipay", &[id, ec], &["the environment variable ALIPAY_PRIVATE_KEY_FILE names no RSA key"]),
        ("apple", &[id, ec, key_id, team_id], &["credential: Apple([redacted])"]),
        ("apple", &[id, ec, team_id], &["the environment variable APPLE_KEY_ID is not set"]),
        ("apple", &[id, none, key_id, team_id], &["APPLE_PRIVATE_KEY_FILE names a file that cannot be read"]),
        ("nobody", &[], &["record: there is no preset nobody"]),
    ];
    for (preset, variables, expected) in cases {
        let named = |(name, value): &(&str, &str)| (format!("{}_{name}", preset.to_uppercase()).into(), value.into());
        let variables: Vec<(OsString, OsString)> = variables.iter().map(named).collect();
        let said = told(preset, &variables);
        assert!(expected.iter().all(|word| said.contains(word)), "{preset} {variables:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

/// On Linux a process can be told of another place where the authorities are, and find none there.
#[cfg(all(target_os = "linux", feature = "reqwest"))]
#[test]
fn a_host_without_tls_is_told_apart_from_a_bad_record() {
    let folder = tempfile::tempdir().unwrap();
    let none = [("SSL_CERT_FILE", "none"), ("SSL_CERT_DIR", ".")]
        .map(|(name, at)| (name.into(), folder.path().join(at).into()));
    assert_eq!(told("github", &none), "TLS cannot be set up");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_counts_only_when_it_is_ours() {
    use std::os::unix::ffi::OsStringExt as _;
    let bad = || OsString::from_vec(b"x\xff".to_vec());
    let bad_name = |start: &str| OsString::from_vec([start.as_bytes(), b"\xff"].concat());
    let good = [("GITHUB_CLIENT_ID".into(), "id-1".into()), ("GITHUB_CLIENT_SECRET".into(), "s".into())];
    let cases: [(OsString, &str); 6] = [
        ("ELSEWHERE".into(), "id-1 "),
        ("GITHUB_TOKEN".into(), "id-1 "),
        (bad_name("ELSE"), "id-1 "),
        ("GITHUB__ID".into(), "the environment variable GITHUB__ID is not UTF-8"),
        (bad_name("GITHUB__"), "the environment variable GITHUB__\u{fffd} is not UTF-8"),
        ("GITHUB_AT".into(), "the environment variable GITHUB_AT is not UTF-8"),
    ];
    for (name, expected) in cases {
        let said = told("github", &[&good[..], &[(name, bad())]].concat());
        assert!(said.starts_with(expected), "{said}");
    }
}
