//! `fujie listen` as a process beside a real server: what is printed, run and forwarded, and how it ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::mpsc::{Receiver, channel},
};

use serde_json::Value;

use super::house::{House, Listening, PATIENCE, signature};

#[tokio::test(flavor = "multi_thread")]
async fn events_come_over_lines_and_over_server_sent_events_alike() {
    let house = House::started();
    let token = house.token_file().await;
    let ways = [&["--count", "2"][..], &["--count", "2", "--sse"]];
    let texts = ways.map(|way| Listening::connected(house.listen(&token, way)));
    let jsons = ways.map(|way| Listening::connected(house.listen(&token, &[way, &["--output", "json"]].concat())));
    house.notice("Harvest\u{202e}").await;
    let body = r#"{"zen":"Keep it \u001b[2Jsimple.","repository":{"full_name":"zoe/garden"}}"#;
    house.deliver("ping", "1", body).await;
    for listening in texts {
        let (first, second) = (listening.out.next().unwrap(), listening.out.next().unwrap());
        assert!(first.starts_with("1  20") && first.ends_with("Z  notice  Notice: Harvest · From: Robot"), "{first}");
        let end = "Z  com.github.ping  The webhook of zoe/garden works · Keep it [2Jsimple.";
        assert!(second.starts_with("2  20") && second.ends_with(end), "{second:?}");
        assert_eq!((listening.out.next(), listening.code()), (None, Some(0)));
    }
    let [line, sse] = jsons.map(|listening| [(); 2].map(|()| listening.out.next().unwrap()));
    assert_eq!(line, sse);
    let event: Value = serde_json::from_str(&line[1]).unwrap();
    assert_eq!((event["id"].as_str(), event["topic"].as_str()), (Some("2"), Some("team")));
    assert!(line[1].ends_with(&format!("\"data\":{body}}}")), "{}", line[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_to_begin_is_said_and_where_it_ended_is_kept() {
    let mut house = House::started();
    let token = house.token_file().await;
    for title in ["one", "two", "three"] {
        house.notice(title).await;
    }
    let titles = |listening: &Listening, count: usize| -> Vec<String> {
        (0..count).map(|_| title(&listening.out.next().unwrap())).collect()
    };
    let json = ["--output", "json"];
    for (from, expected) in [("start", ["one", "two"]), ("1", ["two", "three"])] {
        let told = Listening::start(house.listen(&token, &[&json[..], &["--from", from, "--count", "2"]].concat()));
        assert_eq!(titles(&told, 2), expected, "{from}");
        assert_eq!(told.code(), Some(0));
    }
    let resume = [&json[..], &["--from", "start", "--resume"]].concat();
    let told = Listening::start(house.listen(&token, &[&resume[..], &["--count", "1"]].concat()));
    assert_eq!((titles(&told, 1), told.code()), (vec!["one".to_owned()], Some(0)));
    let told = Listening::connected(house.listen(&token, &resume));
    assert_eq!(titles(&told, 2), ["two", "three"]);
    // A second one at the same time is told.
    let second = Listening::start(house.listen(&token, &resume));
    second.err.until("Another fujie listen --resume has the topic team");
    assert_eq!(second.code(), Some(1));
    // The server is killed and comes back: the same listener goes on.
    house.kill();
    told.err.until("Connection lost");
    house.start();
    house.notice("four").await;
    assert_eq!(titles(&told, 1), ["four"]);
    // The listener is killed: the next one goes on.
    told.kill();
    house.notice("five").await;
    let told = Listening::start(house.listen(&token, &resume));
    let first = titles(&told, 1).remove(0);
    // What was printed last before a kill may come again.
    assert!(first == "five" || (first == "four" && titles(&told, 1) == ["five"]), "{first}");
}

/// A notice's title.
fn title(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    event["data"]["title"].as_str().unwrap().to_owned()
}

/// A script beside the house.
fn script(house: &House, text: &str) -> String {
    let path = house.folder().join("handle it.sh");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_for_one_event_after_the_other() {
    let house = House::started();
    let token = house.token_file().await;
    let script = script(
        &house,
        "n=$(ls | grep -c '^at-'); touch at-$n; sleep 0.$((5 - n)); cat > event-$FUJIE_EVENT_ID\n\
         echo \"$FUJIE_EVENT_ID $FUJIE_EVENT_TYPE $FUJIE_EVENT_TOPIC $1 [$FUJIE_TOKEN]\"\n\
         [ $FUJIE_EVENT_ID != 2 ]",
    );
    let command = format!("'{script}'");
    let words = ["--issuer", &house.issuer, "--count", "3", "--exec", &command, "--", "a  b; $(id)"];
    let mut command = house.listen_as_nobody(&words);
    command.env("FUJIE_TOKEN", fs::read_to_string(&token).unwrap());
    let listening = Listening::connected(command);
    for title in ["one", "two", "three"] {
        house.notice(title).await;
    }
    for id in 1..=3 {
        assert_eq!(listening.out.next(), Some(format!("{id} notice team a  b; $(id) []")));
    }
    let failed = listening.err.until("event 2: ");
    assert!(failed.ends_with("ended with exit status: 1"), "{failed}");
    listening.err.until("1 event was not handled");
    assert_eq!((listening.out.next(), listening.code()), (None, Some(1)));
    let event = fs::read_to_string(house.folder().join("event-3")).unwrap();
    assert_eq!(title(&event), "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_hangs_is_killed_and_a_missing_one_is_told() {
    let house = House::started();
    let token = house.token_file().await;
    house.notice("one").await;
    let run = |words: &[&str]| {
        let told = Listening::start(house.listen(&token, &[&["--from", "start", "--count", "1"], words].concat()));
        let said = told.err.until("event 1: ");
        (said, told.code())
    };
    let (said, code) = run(&["--exec", "sleep 600", "--exec-timeout", "1"]);
    assert!(said.contains("sleep was killed after 1 s") && code == Some(1), "{said}");
    let (said, code) = run(&["--exec", "./nothing-like-this"]);
    assert!(said.contains("./nothing-like-this: No such file") && code == Some(1), "{said}");
    let told = Listening::start(house.listen(&token, &["--exec", "cat >> log"]));
    assert!(told.err.until("no shell reads this").contains("--exec \"sh -c"));
    assert_eq!(told.code(), Some(64));
}

/// A request that a server under development got.
struct Got {
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A server under development, which answers with these statuses, and then with 200; its address.
fn developed(statuses: &'static [u16]) -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, got) = channel();
    std::thread::spawn(move || {
        let statuses = statuses.iter().chain(std::iter::repeat(&200));
        for (stream, status) in listener.incoming().zip(statuses) {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while stream.read_line(&mut line).unwrap() > 2 {
                head.push_str(&std::mem::take(&mut line));
            }
            let got = Got { head, body: Vec::new() };
            let mut body = vec![0; got.header("content-length").unwrap().parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send(Got { body, ..got }).is_err() {
                return;
            }
        }
    });
    (address, got)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_sent_is_forwarded_as_github_sends_it() {
    let house = House::started();
    let token = house.token_file().await;
    let (address, got) = developed(&[503]);
    let words = ["--count", "3", "--forward", &address, "--secret-file", "secret"];
    let listening = Listening::connected(house.listen(&token, &words));
    let small = r#"{"ref":"refs\/heads\/main", "n":1.50,"text":"你好"}"#;
    let large = format!("{{\"text\":\"{}\"}}", "花".repeat(30_000));
    house.deliver("push", "1", small).await;
    house.deliver("issues", "2", &large).await;
    house.notice("Harvest").await;
    let next = || got.recv_timeout(PATIENCE).unwrap();
    // It was out of order at first.
    let (first, again, second, third) = (next(), next(), next(), next());
    assert_eq!((&first.head, &first.body), (&again.head, &again.body));
    for (got, event, delivery, body) in [(&again, "push", "1", small), (&second, "issues", "2", large.as_str())] {
        assert!(got.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", got.head);
        assert_eq!((got.header("x-github-event"), got.header("x-github-delivery")), (Some(event), Some(delivery)));
        assert_eq!(got.header("content-type"), Some("application/json"));
        assert!(got.header("user-agent").unwrap().starts_with("GitHub-Hookshot/"), "{}", got.head);
        assert!(got.body == body.as_bytes(), "{event}: another body");
        assert_eq!(got.header("x-hub-signature-256"), Some(signature(body.as_bytes()).as_str()));
        assert_eq!(got.header("authorization"), None);
    }
    assert_eq!(third.header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(
        (third.header("x-github-event"), title(std::str::from_utf8(&third.body).unwrap())),
        (None, "Harvest".into())
    );
    assert!(listening.out.next().unwrap().contains("com.github.push"));
    assert!(listening.err.until("event 1 ").ends_with("(com.github.push): 200"));
    assert_eq!(listening.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_under_development_refuses_is_told_and_not_sent_again() {
    let house = House::started();
    let token = house.token_file().await;
    house.notice("one").await;
    house.notice("two").await;
    let (address, got) = developed(&[422]);
    let words = ["--from", "start", "--resume", "--count", "2", "--forward", &address];
    let next = || title(std::str::from_utf8(&got.recv_timeout(PATIENCE).unwrap().body).unwrap());
    let listening = Listening::start(house.listen(&token, &words));
    assert!(listening.err.until("event 1: ").ends_with("answered 422"));
    listening.err.until("fujie: 1 event was not handled; the next --resume begins with event 1.");
    assert_eq!((listening.code(), [next(), next()]), (Some(1), ["one", "two"].map(String::from)));
    assert!(got.try_recv().is_err());
    // But by the next listener.
    let listening = Listening::start(house.listen(&token, &words));
    assert_eq!((listening.code(), [next(), next()]), (Some(0), ["one", "two"].map(String::from)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_did_not_handle_comes_again_at_the_next_resume() {
    let house = House::started();
    let token = house.token_file().await;
    for title in ["one", "two", "three"] {
        house.notice(title).await;
    }
    let mended = house.folder().join("mended");
    let exec = "sh -c 'echo $FUJIE_EVENT_ID; test $FUJIE_EVENT_ID != 2 || test -e mended'";
    for way in [&[][..], &["--sse"]] {
        let run = |count: &str| {
            let words = ["--from", "start", "--resume", "--count", count, "--exec", exec];
            Listening::start(house.listen(&token, &[&words[..], way].concat()))
        };
        let told = run("3");
        assert_eq!([(); 3].map(|()| told.event()), ["1", "2", "3"], "{way:?}");
        // At once, for a listener that is stopped or killed says nothing at its end.
        told.err.until("The next --resume begins with event 2.");
        told.err.until("1 event was not handled; the next --resume begins with event 2.");
        assert_eq!(told.code(), Some(1));
        fs::write(&mended, "").unwrap();
        let told = run("2");
        assert_eq!([(); 2].map(|()| told.event()), ["2", "3"], "{way:?}");
        assert_eq!(told.code(), Some(0));
        fs::remove_file(&mended).unwrap();
        fs::remove_dir_all(house.folder().join("state")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_listen_is_told_why_and_what_to_do() {
    let house = House::started();
    let stranger = house.application("channel:read");
    let stranger = house.token(&stranger, "channel:read").await;
    let silent = house.application("channel:write");
    let silent = house.token(&silent, "channel:write").await;
    let file = |name: &str, token: &str| {
        fs::write(house.folder().join(name), token).unwrap();
        name.to_owned()
    };
    let cases = [
        (file("stranger", &stranger), 5, "You are not a member of the topic team"),
        (file("silent", &silent), 5, "The token lacks the scope channel:read"),
        (file("false", "fj_at_nonsense"), 4, "does not accept the token any more"),
    ];
    for (token, code, said) in &cases {
        for way in [&[][..], &["--sse"]] {
            let told = Listening::start(house.listen(token, way));
            told.err.until(said);
            assert_eq!((told.out.next(), told.code()), (None, Some(*code)), "{token} {way:?}");
        }
    }
    let told = |words: &[&str]| {
        let told = Listening::start(house.listen_as_nobody(words));
        (told.err.until("fujie: "), told.code())
    };
    let (said, code) = told(&[]);
    assert!(said.contains("Sign in first: fujie login ISSUER --client-id ID --scope"), "{said}");
    assert_eq!(code, Some(4));
    let (said, code) = told(&["--lang", "zh"]);
    assert!(said.contains("请先登录：fujie login ISSUER"), "{said}");
    assert_eq!(code, Some(4));
    for words in [["--token-file", "stranger"], ["--line", "id.example:8885"], ["--from", "yesterday"]] {
        assert_eq!(told(&[&words[..], &["--lang", "zh"]].concat()).1, Some(64), "{words:?}");
    }
}

/// A server of the line protocol that says what the story wants.
struct Scripted(BufReader<TcpStream>);

impl Scripted {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next line that is no heartbeat: on a slow machine one may come anywhere.
    fn heard(&mut self) -> String {
        loop {
            let line = self.line();
            if line != "ping\n" {
                return line;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn say(&mut self, lines: &str) {
        self.0.get_mut().write_all(lines.as_bytes()).unwrap();
    }
}

/// A listener at this line server, with a token of its own.
fn listen_at(listener: &TcpListener, folder: &Path, more: &[&str]) -> Listening {
    let mut command = crate::durable::house::fujie(folder);
    command.args(["listen", "team", "--line", &listener.local_addr().unwrap().to_string()]).args(more);
    command.env("FUJIE_TOKEN", "t0ken").env("HOME", folder);
    Listening::start(command)
}

impl Listening {
    fn event(&self) -> String {
        self.out.next().unwrap()
    }
}

#[test]
fn the_line_protocol_is_spoken_as_it_is_written_down() {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let listening = listen_at(&listener, folder.path(), &["--output", "json"]);
    let mut server = Scripted::accept(&listener);
    assert_eq!(server.heard(), "auth t0ken\n");
    server.say("ok auth\n");
    assert_eq!(server.heard(), "subscribe team\n");
    server.say("ok subscribe team 16\nevent {\"id\":\"17\",\"topic\":\"team\"}\n");
    assert_eq!(listening.event(), "{\"id\":\"17\",\"topic\":\"team\"}");
    assert_eq!(server.line(), "ping\n");
    // The server stops: the listener comes back and goes on where it was. What it had is left out.
    server.say("pong\nbye\n");
    drop(server);
    let mut server = Scripted::accept(&listener);
    assert_eq!(server.heard(), "auth t0ken\n");
    server.say("ok auth\n");
    assert_eq!(server.heard(), "subscribe team 17\n");
    server.say("ok subscribe team 17\nevent {\"id\":\"17\",\"topic\":\"team\"}\nevent {\"id\":\"18\",\"topic\":\"team\"}\ndropped team 18 20\nevent {\"id\":\"21\",\"topic\":\"team\"}\n");
    assert_eq!(
        [(); 2].map(|()| listening.event()),
        ["{\"id\":\"18\",\"topic\":\"team\"}", "{\"id\":\"21\",\"topic\":\"team\"}"]
    );
    listening.err.until("Events after 18 up to 20 are lost");
    // The log begins anew, after a backup was restored.
    drop(server);
    let mut server = Scripted::accept(&listener);
    server.heard();
    server.say("ok auth\n");
    assert_eq!(server.heard(), "subscribe team 21\n");
    server.say("ok subscribe team 5\nevent {\"id\":\"6\",\"topic\":\"team\"}\n");
    assert_eq!(listening.event(), "{\"id\":\"6\",\"topic\":\"team\"}");
    listening.interrupt();
    assert_eq!(server.heard(), "bye\n");
    assert_eq!(listening.code(), Some(2));
}

#[test]
fn a_listener_that_failed_goes_on_and_the_next_one_begins_with_what_failed() {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let subscribed = |request: &str, answer: &str| {
        let mut server = Scripted::accept(&listener);
        server.heard();
        server.say("ok auth\n");
        assert_eq!(server.heard(), request);
        server.say(answer);
        server
    };
    let exec = "sh -c 'test $FUJIE_EVENT_ID != 17 && test $FUJIE_EVENT_ID != 21'";
    let listen = || listen_at(&listener, folder.path(), &["--output", "json", "--resume", "--exec", exec]);
    let event = |id: &str| format!("{{\"id\":\"{id}\",\"topic\":\"team\"}}");
    let events = |ids: &[&str]| ids.iter().map(|id| format!("event {}\n", event(id))).collect::<String>();
    let listening = listen();
    let answer = format!("ok subscribe team 16\n{}", events(&["17", "18"]));
    let server = subscribed("subscribe team\n", &answer);
    assert_eq!([(); 2].map(|()| listening.event()), ["17", "18"].map(event));
    drop(server);
    // The same one goes on where it was, whatever is kept, and comes upon a gap.
    let answer = format!("ok subscribe team 18\ndropped team 18 20\n{}", events(&["21", "22", "23"]));
    let _server = subscribed("subscribe team 18\n", &answer);
    assert_eq!([(); 3].map(|()| listening.event()), ["21", "22", "23"].map(event));
    listening.kill();
    let listening = listen();
    let _server = subscribed("subscribe team 16\n", "ok subscribe team 16\n");
    listening.err.until("after event 16");
}

#[test]
fn a_slow_program_keeps_no_heartbeat_waiting() {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let listening = listen_at(&listener, folder.path(), &["--exec", "sleep 7", "--count", "1"]);
    let mut server = Scripted::accept(&listener);
    server.heard();
    server.say("ok auth\n");
    server.heard();
    server.say("ok subscribe team 0\n");
    // More than it takes ahead.
    (1..200).for_each(|id| server.say(&format!("event {{\"id\":\"{id}\",\"topic\":\"team\"}}\n")));
    assert_eq!(server.line(), "ping\n");
    assert_eq!((server.heard(), listening.code()), ("bye\n".to_owned(), Some(0)));
}

#[test]
fn what_is_no_channel_is_told() {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let listening = listen_at(&listener, folder.path(), &[]);
    let mut server = Scripted::accept(&listener);
    server.heard();
    server.say("from server: auth t0ken\n");
    listening.err.until("does not speak the line protocol");
    assert_eq!(listening.code(), Some(1));
}

#[test]
fn whoever_stops_reading_ends_it() {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut command = std::process::Command::new("sh");
    let line = listener.local_addr().unwrap();
    let fujie = env!("CARGO_BIN_EXE_fujie");
    let piped = format!("{{ \"{fujie}\" listen team --line {line} --output json; echo $? > code; }} | head -n 1");
    command.args(["-c", &piped]).env("FUJIE_TOKEN", "t0ken").env("HOME", folder.path()).current_dir(folder.path());
    let listening = Listening::start(command);
    let mut server = Scripted::accept(&listener);
    server.heard();
    server.say("ok auth\n");
    server.heard();
    server.say("ok subscribe team 0\nevent {\"id\":\"1\",\"topic\":\"team\"}\n");
    assert_eq!(listening.event(), "{\"id\":\"1\",\"topic\":\"team\"}");
    // Head has gone, now or soon.
    let mut id = 2;
    while server.0.get_mut().write_all(format!("event {{\"id\":\"{id}\",\"topic\":\"team\"}}\n").as_bytes()).is_ok() {
        id += 1;
        std::thread::yield_now();
    }
    assert_eq!(listening.code(), Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("code")).unwrap(), "0\n");
}
