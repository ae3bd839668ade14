//! A user name and a password: the two of the fourteen features (seed 002, 1.1.3) that ask for
//! them, and what a server may not get by asking.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use fujie_client::Secret;

use super::builder;
use super::hostile::{Hostile, answer, ok, soon};

/// 基本/摘要式身份验证
#[tokio::test]
async fn basic_and_digest_authentication() {
    let server = Hostile::new(|_| ok("x")).await;
    let basic = builder(&server.base).basic("用户", Secret::new("pass:word")).build().unwrap();
    basic.get("a").send().await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Basic 55So5oi3OnBhc3M6d29yZA=="));
    let colon = builder(&server.base).basic("a:b", Secret::new("x")).build();
    assert_eq!(colon.unwrap_err().name(), "setup");

    let server = Hostile::new(|received| match received.header("authorization") {
        Some(header) if parameters(header).get("nonce").is_some_and(|nonce| nonce == "n1") => ok("in"),
        _ => answer(
            "401 Unauthorized",
            &[
                ("WWW-Authenticate", "Basic realm=\"cheap\""),
                ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=MD5"),
                ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256"),
            ],
            "",
        ),
    })
    .await;
    let digest = builder(&server.base).digest("Mufasa", Secret::new("canary")).build().unwrap();
    assert_eq!(digest.post("dir/x?q=1").form(&[("a", "b")]).send().await.unwrap().text(), "in");
    assert_eq!(digest.get("dir/y").send().await.unwrap().text(), "in");
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "the challenge is asked for once");
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[1].text(), "a=b", "the body is sent again");
    let (first, second) = (requests[1].header("authorization").unwrap(), requests[2].header("authorization").unwrap());
    assert!(!first.contains("canary") && first.contains("SHA-256"), "{first}");
    let (first, second) = (parameters(first), parameters(second));
    assert_eq!((first["uri"].as_str(), first["nc"].as_str()), ("/dir/x?q=1", "00000001"));
    assert_eq!((second["uri"].as_str(), second["nc"].as_str()), ("/dir/y", "00000002"));
    assert_eq!(first["response"], digest_response(&first, "POST"));
    assert_eq!(second["response"], digest_response(&second, "GET"));
}

/// RFC 7616 §3.4.1, as a server computes it.
fn digest_response(sent: &HashMap<String, String>, method: &str) -> String {
    let hash = |text: String| -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let who = hash("Mufasa:r:canary".to_owned());
    let what = hash(format!("{method}:{}", sent["uri"]));
    hash(format!("{who}:{}:{}:{}:auth:{what}", sent["nonce"], sent["nc"], sent["cnonce"]))
}

#[tokio::test]
async fn a_password_for_digest_is_never_shown_by_basic() {
    let server = Hostile::new(|_| answer("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"r\"")], "")).await;
    let session = builder(&server.base).digest("u", Secret::new("canary")).build().unwrap();
    assert_eq!(session.get("a").send().await.unwrap().status(), 401);
    assert_eq!(server.requests().len(), 1);

    let server = Hostile::new(|received| {
        let challenge = format!("Digest realm=\"r\", nonce=\"{}\", qop=\"auth\"", received.earlier);
        answer("401 Unauthorized", &[("WWW-Authenticate", &challenge)], "")
    })
    .await;
    let session = builder(&server.base).digest("u", Secret::new("canary")).build().unwrap();
    assert_eq!(session.get("a").send().await.unwrap().status(), 401);
    assert_eq!(server.requests().len(), 2, "a wrong password is tried once");
}

/// The parameters of an `Authorization: Digest` header.
fn parameters(header: &str) -> HashMap<String, String> {
    let list = header.split_once(' ').unwrap().1;
    let pairs = list.split(", ").filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// .netrc 支持
#[tokio::test(flavor = "multi_thread")]
async fn netrc_support() {
    if let Some(base) = std::env::var_os("FUJIE_STORY_NETRC") {
        let session = builder(base.to_str().unwrap()).netrc().build().unwrap();
        session.get("from-environment").send().await.unwrap();
        return;
    }
    let server = Hostile::new(|_| ok("")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netrc");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let ask = async |path: &Path| {
        builder(&server.base).netrc_at(path).build().unwrap().get("a").send().await.unwrap();
        server.last().header("authorization").map(str::to_owned)
    };
    write("machine other.example login x password y\nmachine 127.0.0.1 login u password canary\n");
    assert_eq!(ask(&path).await.as_deref(), Some("Basic dTpjYW5hcnk="));
    write("machine other.example login x password y\n");
    assert_eq!(ask(&path).await, None, "another host's password stays");
    let absent = builder(&server.base).netrc_at(folder.path().join("absent")).build();
    assert_eq!(absent.unwrap_err().name(), "setup");

    write("default login u password canary\n");
    let (path, base) = (path.clone(), server.base.clone());
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "session::authentication::netrc_support"])
            .env("FUJIE_STORY_NETRC", base)
            .env("NETRC", path)
            .output()
            .unwrap()
    });
    let output = soon(child).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.last().target(), "/from-environment");
    assert_eq!(server.last().header("authorization"), Some("Basic dTpjYW5hcnk="));
}
