//! A simulated GitHub with one hook, and its storm.

use std::time::Duration;

use fujie_simulator::{
    Running,
    github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, Github as Simulator, GithubConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::house::{House, SECRET};
use crate::durable::wire::{Page, Wire};

pub struct Github {
    _running: Running,
    wire: Wire,
}

/// How far the storm is.
#[derive(Debug, Deserialize)]
pub struct Progress {
    pub count: u32,
    pub sent: u64,
    pub acknowledged: u32,
    pub repeated: u64,
    pub failed_attempts: u64,
    pub done: bool,
}

/// Between two looks at the progress.
const LOOK: Duration = Duration::from_millis(20);

impl Github {
    pub async fn new() -> Self {
        let config = GithubConfig { auto_confirm: Some("xiaoming".to_owned()), ..GithubConfig::default() };
        let running = Simulator::start("127.0.0.1:0", config).await.unwrap();
        let wire = Wire { address: running.address().to_string() };
        Self { _running: running, wire }
    }

    /// Makes a hook on pushes that leads to the house's integration, as an owner's application does.
    pub async fn hook(&self, house: &House) {
        let back = "http%3A%2F%2F127.0.0.1%3A1%2Fback";
        let query = format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={back}&scope=write%3Arepo_hook&state=s");
        let page = self.ask(&format!("GET /login/oauth/authorize?{query}"), &[], "").await;
        let location = page.headers("location").next().unwrap_or_else(|| panic!("{page:?}")).to_owned();
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
        let form = format!("client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}&code={code}");
        let token = self.ask("POST /login/oauth/access_token", &[("accept", "application/json")], &form).await.json();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let config = json!({ "url": house.hook_url(), "content_type": "json", "secret": SECRET });
        let hook = json!({ "config": config, "events": ["push"] }).to_string();
        let headers = [("authorization", bearer.as_str()), ("user-agent", "test")];
        let made = self.ask("POST /repos/xiaoming/demo/hooks", &headers, &hook).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }

    /// Begins.
    pub async fn storm(&self, deliveries: u32) {
        let payload = json!({
            "ref": "refs/heads/main",
            "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
            "after": "0000000000000000000000000000000000000000",
            "repository": { "id": 186_853_002, "full_name": "xiaoming/demo", "private": false },
            "pusher": { "name": "xiaoming", "email": "xiaoming@example.com" },
            "head_commit": { "id": "0000000000000000000000000000000000000000", "message": "你好" },
        });
        let order = json!({ "repository": "xiaoming/demo", "count": deliveries, "seed": 7, "payload": payload });
        let page = self.ask("POST /_simulate/storm", &[], &order.to_string()).await;
        assert_eq!(page.status, 202, "{}", page.body);
    }

    pub async fn progress(&self) -> Progress {
        let told: Value = self.ask("GET /_simulate/storm", &[], "").await.json();
        serde_json::from_value(told).unwrap()
    }

    /// Waits until so many sendings were acknowledged.
    pub async fn has_sent(&self, sendings: u64) {
        loop {
            let progress = self.progress().await;
            if progress.done || u64::from(progress.acknowledged) + progress.repeated >= sendings {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the storm is over.
    pub async fn done(&self) -> Progress {
        loop {
            let progress = self.progress().await;
            if progress.done {
                return progress;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// GUIDs of deliveries that were acknowledged.
    pub async fn acknowledged(&self) -> Vec<String> {
        let page = self.ask("GET /_simulate/storm/acknowledged", &[], "").await;
        page.body.lines().map(str::to_owned).collect()
    }

    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Page {
        self.wire.ask(line, headers, body).await.unwrap_or_else(|| panic!("no answer to {line}"))
    }
}
