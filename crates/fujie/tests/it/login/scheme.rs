//! The answer comes back through a private-use URI scheme, which the desktop opens with our own program.

use fujie_simulator::{
    Github, GithubConfig, Running,
    github::{App, Callback},
};

use super::desk::{Desk, http};

const SCHEME: &str = "com.example.desk";

/// Where the provider sends the browser.
async fn sent_to(address: &str) -> String {
    drop(http());
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    http.get(address).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
}

/// A simulated GitHub whose application has the scheme as its redirect URI.
async fn github(redirect_uri: &str) -> Running {
    let app = App { callbacks: vec![Callback::exact(redirect_uri)], ..App::demo() };
    let config = GithubConfig { apps: vec![app], auto_confirm: Some("zoe".into()), ..GithubConfig::default() };
    Github::start(("127.0.0.1", 0), config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_scheme_hands_the_answer_to_the_process_that_waits() {
    let redirect_uri = format!("{SCHEME}:/callback");
    let github = github(&redirect_uri).await;
    let desk = Desk::with_github(&github);
    let login = ["login", "github", "--scheme", SCHEME];
    let told = desk.run(&login);
    let first = format!("fujie: {SCHEME} is not registered. First, once: fujie scheme register {SCHEME}\n");
    assert_eq!((told.code, told.err), (Some(1), first));

    assert_eq!(desk.run(&["scheme", "register", SCHEME]).code, Some(0));
    let run = desk.start(&login);
    let uri = sent_to(&desk.address()).await;
    assert!(uri.starts_with(&redirect_uri), "{uri}");
    let planted = format!("{redirect_uri}?code=planted&state=of-somebody-else");
    assert_eq!(desk.run(&["scheme-open", SCHEME, &planted]).code, Some(6));
    assert_eq!(desk.run(&["scheme-open", SCHEME, &uri]).code, Some(0));
    let told = run.end();
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert_eq!(desk.run(&["call", "user"]).code, Some(0));
    // Nobody waits any more.
    assert_eq!(desk.run(&["scheme-open", SCHEME, &uri]).code, Some(1));
    assert_eq!(desk.run(&["scheme", "unregister", SCHEME]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_no_file_of_a_waiting_process() {
    let github = github(&format!("{SCHEME}:/callback")).await;
    let desk = Desk::with_github(&github);
    assert_eq!(desk.run(&["scheme", "register", SCHEME]).code, Some(0));
    let run = desk.start(&["login", "github", "--scheme", SCHEME]);
    desk.address();
    let waiting = desk.store().join("../../../.local/state/fujie").join(SCHEME);
    assert!(waiting.is_file());
    run.interrupt();
    let told = run.end();
    assert_eq!((told.code, waiting.exists()), (Some(2), false), "{}", told.err);
}
