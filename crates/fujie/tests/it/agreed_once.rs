//! A person agrees on a simulated provider's page, and the application takes its time over the callback. The page, which
//! also follows decisions made elsewhere, must not send the browser there a second time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use fujie_simulator::github::{DEFAULT_CLIENT_ID, Github, GithubConfig};
use tokio::net::TcpListener;

use crate::webdriver::Driver;

/// Longer than the page waits between two looks.
const CALLBACK_TAKES: Duration = Duration::from_millis(2500);

async fn callback(State(calls): State<Arc<AtomicU32>>) -> &'static str {
    calls.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(CALLBACK_TAKES).await;
    "welcome"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_callback_is_called_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let redirect_uri = format!("http://{}/callback", listener.local_addr().unwrap());
    let application = Router::new().route("/callback", get(callback)).with_state(calls.clone());
    tokio::spawn(async move { axum::serve(listener, application).await });
    let github = Github::start("127.0.0.1:0", GithubConfig::default()).await.unwrap();
    let driver = Driver::start();
    let window = driver.window((800, 700), "en", false).await;
    let asked = format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={redirect_uri}&state=s");
    window.open(&format!("{}/login/oauth/authorize?{asked}", github.base_url())).await;
    window.click("button[name=decision][value=agree]").await;
    window.wait_text("welcome").await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    window.close().await;
}
