//! Whose token it is, and how safely it travels: a person's sign-in that is kept fresh, TLS, and the ways that are taken
//! when there is none.

use crate::{
    durable::wire::{Browser, Wire},
    login::desk::{Desk, visit},
};

use super::house::{House, Listening, SCOPE};

/// A desk at which alice has signed in to `house`.
async fn desk(house: &House) -> Desk {
    let desk = Desk::new();
    let run = desk.start(&["login", &house.issuer, "--client-id", &house.laptop, "--scope", SCOPE]);
    let address = desk.address();
    let mut browser = Browser::new(&Wire { address: house.issuer.replace("http://", "") });
    let back = browser.way_out(address.strip_prefix(&house.issuer).unwrap()).await.unwrap();
    assert_eq!(visit(&back).await.0, 200);
    let told = run.end();
    assert_eq!(told.code, Some(0), "{}", told.err);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_listens_and_posts_and_is_kept_fresh_until_it_ends() {
    let mut house = House::started();
    let desk = desk(&house).await;
    desk.let_tokens_end();
    let listening = Listening::connected(desk.command(&["listen", "team", "--resume"]));
    let events = format!("{}/topics/team/events", house.issuer);
    let told = desk.run(&["call", &events, "--json", r#"{"title":"你好","kind":"activity"}"#]);
    assert!(told.code == Some(0) && told.out.contains("\"author\":\"alice\""), "{told:?}");
    let line = listening.out.next().unwrap();
    assert!(line.ends_with("notice  Activity: 你好 · From: alice"), "{line}");
    // The access token is over again when the connection has to be made anew.
    desk.let_tokens_end();
    house.kill();
    listening.err.until("Connection lost");
    house.start();
    listening.err.until("Connected again");
    // Nobody is signed in any more.
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    house.kill();
    house.start();
    listening.err.until("Sign in first: fujie login");
    assert_eq!(listening.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_lines_is_listened_to_over_http() {
    let mut house = House::with(|_, _| String::new());
    house.start();
    let desk = desk(&house).await;
    let listening = Listening::connected(desk.command(&["listen", "team", "--lang", "en", "--count", "1"]));
    house.notice("Harvest").await;
    assert!(listening.out.next().unwrap().contains("Notice: Harvest"));
    assert_eq!(listening.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_over_tls_and_only_to_whom_this_machine_trusts() {
    let mut house = House::with(|folder, line| {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.join("certificate.pem"), own.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), own.signing_key.serialize_pem()).unwrap();
        format!("listen = \"{line}\"\ntls_certificate = \"certificate.pem\"\ntls_key = \"key.pem\"")
    });
    house.start();
    let (token, certificate) = (house.token_file().await, house.folder().join("certificate.pem"));
    let mut trusting = house.listen(&token, &["--count", "1", "--output", "json"]);
    trusting.env("SSL_CERT_FILE", certificate);
    // Where the line protocol cannot be spoken, there is still HTTP.
    let ways = [trusting, house.listen(&token, &["--count", "1"])].map(Listening::connected);
    house.notice("Harvest").await;
    for listening in ways {
        assert!(listening.out.next().unwrap().contains("Harvest"));
        assert_eq!(listening.code(), Some(0));
    }
    let at = |line: &str| Listening::start(house.listen_as_nobody(&["--line", line, "--token-file", &token]));
    let stranger = at(&format!("tls://{}", house.line));
    // A slow machine may lose a connection for want of time first.
    let said = stranger.err.until("certificate");
    assert!(said.contains("Connection lost"), "{said}");
    // In plain text nobody is answered.
    let stranger = at(&house.line);
    stranger.err.until("does not speak the line protocol");
}
