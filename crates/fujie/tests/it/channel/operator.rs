//! `fujie topic` and `fujie integration`: what an operator does on the data folder, and what it says in both languages.

use std::process::Stdio;

use serde_json::Value;

use crate::durable::{
    house::{fujie, run},
    wire::{NAME, PASSWORD},
};

/// A data folder in which nobody ever served.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["user", "add", NAME, "--password-stdin"], PASSWORD);
        Self(folder)
    }

    fn run(&self, words: &[&str]) -> String {
        run(self.0.path(), words, "")
    }

    fn json(&self, words: &[&str]) -> Vec<Value> {
        let text = self.run(&[words, &["--output", "json"]].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it says when it does not do what it was asked.
    fn refused(&self, words: &[&str]) -> String {
        let output = fujie(self.0.path()).args(words).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{words:?}");
        String::from_utf8(output.stderr).unwrap().trim().to_owned()
    }
}

#[test]
fn topics_are_made_listed_and_removed() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["topic", "add", "team", "--owner", NAME, "--title", "开发组"]), "");
    folder.run(&["topic", "add", "a-1", "--owner", NAME]);
    let title = "长".repeat(81);
    let told = folder.refused(&["topic", "add", "long", "--owner", NAME, "--title", &title]);
    assert!(told.contains("--title must be 1 to 80 characters"), "{told}");
    assert_eq!(folder.run(&["topic", "list"]), "a-1                       a-1\nteam                      开发组\n");
    let listed = folder.json(&["topic", "list"]);
    assert_eq!((listed[1]["topic"].as_str(), listed[1]["title"].as_str()), (Some("team"), Some("开发组")));
    for (words, english, chinese) in [
        (["topic", "add", "team", "--owner", NAME], "there is a topic team already", "已经有名为 team 的话题"),
        (["topic", "add", "Team", "--owner", NAME], "a topic's name is 1 to 63 of a-z", "话题名只能由 1 到 63 个 a-z"),
        (["topic", "add", "other", "--owner", "nobody"], "there is no account nobody", "没有账号 nobody"),
        (["topic", "add", "fujie", "--owner", NAME], "is for administrators", "只能由管理员加入"),
    ] {
        for (lang, said) in [("en", english), ("zh", chinese)] {
            let told = folder.refused(&[&words[..], &["--lang", lang]].concat());
            assert!(told.starts_with("fujie: ") && told.contains(said), "{told}");
        }
    }
    folder.run(&["topic", "remove", "a-1"]);
    assert!(folder.refused(&["topic", "remove", "a-1"]).contains("there is no topic a-1; see fujie topic list"));
    assert_eq!(folder.json(&["topic", "list"]).len(), 1);
}

#[test]
fn members_are_people_by_name_or_id_and_applications() {
    let folder = Folder::new();
    folder.run(&["topic", "add", "team", "--owner", NAME]);
    let bob = run(folder.0.path(), &["user", "add", "bob", "--password-stdin"], PASSWORD);
    let robot = ["client", "add", "Robot", "--grant", "client_credentials", "--scope", "channel:read"];
    let robot = folder.json(&robot)[0]["client_id"].as_str().unwrap().to_owned();
    folder.run(&["topic", "member", "add", "team", bob.trim()]);
    folder.run(&["topic", "member", "add", "team", "--client", &robot]);
    let members = || -> Vec<[String; 3]> {
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let all = folder.json(&["topic", "member", "list", "team"]);
        all.iter().map(|one| [text(one, "kind"), text(one, "name"), text(one, "role")]).collect()
    };
    let of = |all: [[&str; 3]; 3]| all.map(|one| one.map(str::to_owned)).to_vec();
    assert_eq!(
        members(),
        of([["account", NAME, "owner"], ["account", "bob", "member"], ["client", "Robot", "member"]])
    );
    assert!(folder.refused(&["topic", "member", "remove", "team", NAME]).contains("would be left without an owner"));
    folder.run(&["topic", "member", "add", "team", "bob", "--owner"]);
    folder.run(&["topic", "member", "remove", "team", NAME]);
    folder.run(&["topic", "member", "remove", "team", "--client", &robot]);
    assert_eq!(members(), [["account", "bob", "owner"]]);
    assert!(folder.run(&["topic", "member", "list", "team"]).ends_with("account  owner   bob\n"));
    for words in [["team", "--client", "app-nothing"], ["other", "bob", "--lang=en"]] {
        let told = folder.refused(&[&["topic", "member", "add"], &words[..]].concat());
        assert!(told.contains("there is no such member of"), "{told}");
    }
}

#[test]
fn a_secret_is_shown_once_and_never_again() {
    let folder = Folder::new();
    folder.run(&["topic", "add", "team", "--owner", NAME]);
    folder.run(&["topic", "add", "usual", "--owner", NAME]);
    let github = &folder.json(&["integration", "add", "team", "--label", "花园"])[0];
    let (id, secret) = (github["integration"].as_str().unwrap(), github["secret"].as_str().unwrap());
    let url = format!("http://127.0.0.1:8080/hooks/{id}");
    assert_eq!((github["url"].as_str().unwrap(), secret.len()), (url.as_str(), 64));
    let text = folder.run(&["integration", "add", "team", "--kind", "gitee"]);
    assert!(text.starts_with("integration  ") && text.ends_with("   (shown once)\n"), "{text}");
    let names = ["--header", "X-Sign", "--prefix", "v1=", "--id-header", "X-Id", "--event-header", "X-What"];
    let hmac = &folder.json(&[&["integration", "add", "team", "--kind", "hmac"], &names[..]].concat())[0];
    let named = ["header", "prefix", "id_header", "event_header"].map(|key| hmac[key].as_str().unwrap());
    assert_eq!(named, ["X-Sign", "v1=", "X-Id", "X-What"]);
    // What is not said is what the browser's form begins with.
    for (kind, usual) in [("hmac", ("X-Signature-256", "sha256=")), ("token", ("X-Token", ""))] {
        let made = &folder.json(&["integration", "add", "usual", "--kind", kind])[0];
        assert_eq!((made["header"].as_str().unwrap(), made["prefix"].as_str().unwrap()), usual);
    }
    let list = ["integration", "list", "team", "--output"];
    let listed = ["text", "json"].map(|form| folder.run(&[&list[..], &[form]].concat())).concat();
    assert!(!listed.contains(secret) && listed.contains(&format!("{id}  github  花园  {url}\n")), "{listed}");
    assert_eq!(listed.lines().count(), 6);

    let replaced = &folder.json(&["integration", "secret", id])[0];
    assert_eq!(replaced["url"], github["url"]);
    assert_ne!(replaced["secret"].as_str(), Some(secret));
    std::fs::write(folder.0.path().join("own"), "chosen-by-them\n").unwrap();
    let own = &folder.json(&["integration", "secret", id, "--secret-file", "own"])[0];
    assert_eq!(own["secret"], "chosen-by-them");
    folder.run(&["integration", "remove", id]);
    let told = folder.refused(&["integration", "remove", id]);
    assert!(told.contains(&format!("there is no integration {id}; see fujie integration list TOPIC")), "{told}");
}

#[test]
fn an_integration_that_could_not_work_is_refused() {
    let folder = Folder::new();
    folder.run(&["topic", "add", "team", "--owner", NAME]);
    std::fs::write(folder.0.path().join("short"), "1234567").unwrap();
    for (words, said) in [
        (&["other"][..], "there is no topic other"),
        (&["team", "--header", "X-A"], "--header, --id-header, --event-header go with --kind hmac or token"),
        (&["team", "--kind", "token", "--prefix", "a"], "--prefix with hmac"),
        (&["team", "--kind", "hmac", "--header", "X A"], "X A: not the name of a header"),
        (
            &["team", "--kind", "token", "--header", "X-T", "--event-header", "x-t"],
            "x-t: carries the proof and cannot name",
        ),
        (&["team", "--label", ""], "--label must be 1 to 60 characters"),
        (&["team", "--kind", "hmac", "--prefix", "$(id)"], "--prefix must be at most 32 letters"),
        (&["team", "--secret-file", "short"], "a secret has 8 to 256 visible ASCII characters"),
        (&["team", "--secret-file", "missing"], "missing: No such file"),
    ] {
        let told = folder.refused(&[&["integration", "add"], words].concat());
        assert!(told.contains(said), "{words:?}: {told}");
    }
    let told = folder.refused(&["--lang", "zh", "integration", "list", "other"]);
    assert!(told.contains("没有名为 other 的话题"), "{told}");
}

#[test]
fn help_is_in_both_languages() {
    let folder = Folder::new();
    for (words, english, chinese) in [
        (&["topic"][..], "Make a topic", "接收事件的话题及其成员"),
        (&["topic", "member", "add"], "Let somebody read a topic", "接收事件的话题及其成员"),
        (&["integration", "add"], "Who sends, or how it is proven", "接收 Webhook 的入口"),
        (&["channel", "serve"], "Echo lines", "带心跳的回显服务器"),
        (&["listen"], "lose none while the connection breaks", "断线重连后也不会遗漏"),
    ] {
        for (lang, said) in [("en", english), ("zh", chinese)] {
            let told = folder.run(&[words, &["--help", "--lang", lang]].concat());
            assert!(told.contains(said), "{told}");
        }
    }
}
