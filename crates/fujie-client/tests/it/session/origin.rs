//! Whose secrets go where: the token, the password, the cookies and the caller's headers stay at
//! home, whatever a server says.

use fujie_client::Secret;
use fujie_client::session::TokenPlacement;

use super::hostile::{Hostile, Received, answer, ok, redirect};
use super::{builder, session, told};

const SECRETS: [&str; 5] = ["canary-token", "Y2FuYXJ5", "canary-cookie", "canary-key", "authorization"];

fn is_bare(received: &Received) -> bool {
    let head = received.head.to_ascii_lowercase();
    SECRETS.iter().all(|secret| !head.contains(&secret.to_ascii_lowercase()))
}

#[tokio::test]
async fn a_redirect_to_a_stranger_carries_no_secret_not_even_back_home() {
    let stranger = Hostile::new(|received| match received.path() {
        "/back" => redirect("302 Found", received.target().split_once("to=").unwrap().1),
        _ => answer("200 OK", &[("Set-Cookie", "canary-cookie=planted")], "theirs"),
    })
    .await;
    let to = stranger.base.clone();
    let home = Hostile::new(move |received| match received.path() {
        "/login" => answer("200 OK", &[("Set-Cookie", "sid=canary-cookie")], ""),
        "/away" => redirect("302 Found", &format!("{to}/file")),
        "/round" => redirect("302 Found", &format!("{to}/back?to=http://{}/mine", received.header("host").unwrap())),
        "/inside" => redirect("302 Found", "/mine"),
        _ => ok("mine"),
    })
    .await;
    let placements = [
        TokenPlacement::Bearer,
        TokenPlacement::Header { name: "X-Token".into(), prefix: "t ".into() },
        TokenPlacement::Query { name: "access_token".into() },
    ];
    for placement in placements {
        let session = builder(&home.base)
            .access_token(Secret::new("canary-token"))
            .placement(placement.clone())
            .header("X-Session-Key", "canary-key-1")
            .build()
            .unwrap();
        session.get("login").send().await.unwrap();
        let call = |path: &'static str| session.get(path).header("X-Api-Key", "canary-key-2").header("Accept", "a/b");

        assert_eq!(call("inside").send().await.unwrap().text(), "mine");
        let head = home.last().head;
        for secret in ["canary-token", "canary-cookie", "canary-key-1", "canary-key-2"] {
            assert!(head.contains(secret), "{placement:?}: {secret} goes along at home: {head}");
        }

        assert_eq!(call("away").send().await.unwrap().text(), "theirs");
        assert!(is_bare(&stranger.last()), "{placement:?}: {}", stranger.last().head);
        assert_eq!(stranger.last().header("accept"), Some("a/b"));

        assert_eq!(call("round").send().await.unwrap().text(), "mine");
        assert!(is_bare(&stranger.last()) && is_bare(&home.last()), "{placement:?}: {}", home.last().head);

        assert_eq!(session.get(&format!("{}/file", stranger.base)).send().await.unwrap().text(), "theirs");
        assert!(is_bare(&stranger.last()), "a whole URL elsewhere is a stranger's too");
    }
}

#[tokio::test]
async fn a_password_stays_at_home() {
    let stranger = Hostile::new(|_| ok("")).await;
    let to = stranger.base.clone();
    let home = Hostile::new(move |_| redirect("307 Temporary Redirect", &to)).await;
    let session = builder(&home.base).basic("u", Secret::new("canary")).build().unwrap();
    session.get("a").send().await.unwrap();
    assert!(home.last().header("authorization").is_some());
    assert!(is_bare(&stranger.last()), "{}", stranger.last().head);
}

#[tokio::test]
async fn the_method_and_the_body_follow_the_status() {
    let home = Hostile::new(|received| match received.path() {
        "/end" => ok(format!("{} {}", received.method(), received.text())),
        path => redirect(&format!("{} Moved", &path[1..]), "/end"),
    })
    .await;
    let session = session(&home.base);
    for (status, expected) in [(301, "GET "), (302, "GET "), (303, "GET "), (307, "POST a=b"), (308, "POST a=b")] {
        let answer = session.post(&status.to_string()).form(&[("a", "b")]).send().await.unwrap();
        assert_eq!(answer.text(), expected, "{status}");
        assert_eq!(home.last().header("content-type").is_some(), expected.contains("POST"), "{status}");
    }
    assert_eq!(session.put("302").body("x").send().await.unwrap().text(), "PUT x");
    assert_eq!(session.head("303").send().await.unwrap().status(), 200);
    assert_eq!(home.last().method(), "HEAD");
}

#[tokio::test]
async fn a_body_is_not_sent_to_a_stranger_and_a_stream_not_twice() {
    let stranger = Hostile::new(|_| ok("")).await;
    let to = stranger.base.clone();
    let home = Hostile::new(move |received| match received.path() {
        "/away" => redirect("308 Permanent Redirect", &to),
        _ => redirect("307 Temporary Redirect", "/again"),
    })
    .await;
    let session = session(&home.base);
    let away = session.post("away").body("canary").send().await.unwrap_err();
    let again = session.post("stream").body_reader(&b"canary"[..]).send().await.unwrap_err();
    for error in [away, again] {
        assert_eq!(error.name(), "redirect_refused", "{}", told(&error));
    }
    assert!(stranger.requests().is_empty());
    assert_eq!(home.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_that_is_none_is_told_as_it_is() {
    let home = Hostile::new(|received| match received.path() {
        "/none" => answer("302 Found", &[], "no location"),
        "/odd" => redirect("302 Found", "http://["),
        "/file" => redirect("302 Found", "file:///etc/passwd"),
        _ => redirect("302 Found", "http://u:canary@127.0.0.1/"),
    })
    .await;
    let session = session(&home.base);
    assert_eq!(session.get("none").send().await.unwrap().text(), "no location");
    for path in ["odd", "file", "user"] {
        let error = session.get(path).send().await.unwrap_err();
        assert_eq!(error.name(), "redirect_refused", "{}", told(&error));
    }
}

#[tokio::test]
async fn a_secret_does_not_travel_in_the_clear() {
    let base = "http://service.example";
    let token = || Secret::new("canary");
    for built in [builder(base).access_token(token()).build(), builder(base).basic("u", token()).build()] {
        let error = built.unwrap_err();
        assert_eq!(error.name(), "setup", "{}", told(&error));
    }
    assert!(builder(base).build().is_ok());
    let both = builder("https://service.example").access_token(token()).basic("u", token()).build();
    assert_eq!(both.unwrap_err().name(), "setup");
    let apart = TokenPlacement::Query { name: "t".into() };
    assert!(
        builder("https://service.example").access_token(token()).placement(apart).basic("u", token()).build().is_ok()
    );
}

#[tokio::test]
async fn nothing_that_prints_itself_shows_a_secret() {
    let builder = builder("https://service.example").access_token(Secret::new("canary")).header("X-Key", "canary");
    let shown = format!("{builder:?}");
    let session = builder.build().unwrap();
    let request = session.get("a").query("t", "canary").header("X", "canary").body("canary");
    let shown = format!("{shown} {session:?} {request:?}");
    assert!(!shown.contains("canary"), "{shown}");
}
