//! The client's example `wechat_embedded` in a real browser: the QR code stands in a page of another site than WeChat's,
//! and both ways of coming back finish the sign-in.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fujie_simulator::wechat::{DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig};
use serde_json::Value;

use crate::webdriver::Driver;

/// The example's process, ended with the value.
struct Example {
    child: Child,
    address: String,
}

impl Example {
    fn start(wechat: &str, self_redirect: bool) -> Self {
        let program = std::env::current_exe().unwrap();
        let program = program.parent().unwrap().parent().unwrap().join("examples/wechat_embedded");
        let mut child = Command::new(&program)
            .env("WECHAT_AT", wechat)
            .env("WECHAT_CLIENT_ID", DEFAULT_APPID)
            .env("WECHAT_CLIENT_SECRET", DEFAULT_SECRET)
            .env("SELF_REDIRECT", self_redirect.to_string())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; cargo build --workspace --examples", program.display()));
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().strip_prefix("open ").unwrap().to_owned() }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_embedded_signs_in_with_self_redirect_true_and_false_from_another_site() {
    let config = WechatConfig { poll_hold: Duration::from_millis(200), ..WechatConfig::default() };
    let wechat = Wechat::start("127.0.0.1:0", config).await.unwrap();
    // By another name than the example's page, so that to the browser it is another site.
    let elsewhere = wechat.base_url().replace("127.0.0.1", "localhost");
    let driver = Driver::start();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for self_redirect in [true, false] {
        let example = Example::start(&elsewhere, self_redirect);
        let window = driver.window((800, 700), "en", false).await;
        window.open(&example.address).await;
        let sign_ins = format!("{}/_simulate/sign-ins", wechat.base_url());
        let listed = async || -> Value {
            let text = http.get(&sign_ins).send().await.unwrap().text().await.unwrap();
            serde_json::from_str(&text).unwrap()
        };
        window.wait_true("return document.querySelector('#qr iframe') !== null").await;
        let mut first = listed().await;
        while first[0]["status"] != "waiting" {
            tokio::time::sleep(Duration::from_millis(50)).await;
            first = listed().await;
        }
        let uuid = first[0]["uuid"].as_str().unwrap();
        let confirmed = http.post(format!("{sign_ins}/{uuid}/confirm")).send().await.unwrap();
        assert!(confirmed.status().is_success(), "{}", confirmed.text().await.unwrap());
        if self_redirect {
            let arrived = "try { return document.querySelector('#qr iframe').contentWindow.document.body.innerText\
                           .includes('小明🌟 is here'); } catch (elsewhere) { return false; }";
            window.wait_true(arrived).await;
            assert!(window.url().await.ends_with("/login"), "the page itself stays");
        } else {
            window.wait_url("/callback?code=").await;
            assert!(window.text().await.contains("小明🌟 is here"), "{}", window.text().await);
        }
        window.close().await;
    }
}
