//! A simulated GitHub, and a witness who looks at its hooks with a token of their own, by another application.

use fujie_simulator::{
    Github as Simulator, GithubConfig, Running,
    github::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET},
};
use serde_json::{Value, json};

use super::http;

pub const REPOSITORY: &str = "xiaoming/demo";
const WITNESS: &str = "Ov23fa4efa4efa4efa4f";

pub struct Github {
    simulator: Running,
    token: String,
}

impl Github {
    pub async fn start() -> Self {
        let witness = App { client_id: WITNESS.to_owned(), ..App::demo() };
        let config = GithubConfig { apps: vec![App::demo(), witness], ..GithubConfig::default() };
        let simulator = Simulator::start("127.0.0.1:0", config).await.unwrap();
        let mut own = Self { simulator, token: String::new() };
        own.token = own.witness().await;
        own
    }

    pub fn base(&self) -> &str {
        self.simulator.base_url()
    }

    /// A token that sees the owner's hooks.
    async fn witness(&self) -> String {
        let query = format!("client_id={WITNESS}&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F&scope=read%3Arepo_hook");
        let page = http().get(format!("{}/login/oauth/authorize?{query}&state=s", self.base()));
        assert!(page.send().await.unwrap().status().is_success());
        let listed = self.control("sign-ins", None).await;
        let confirm = format!("sign-ins/{}/confirm", listed[0]["id"].as_str().unwrap());
        let agreed = self.control(&confirm, Some(json!({ "person": "xiaoming" }))).await;
        let back = url::Url::parse(agreed["redirect_url"].as_str().unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let form = format!("client_id={WITNESS}&client_secret={DEFAULT_SECRET}&code={code}");
        let request = http().post(format!("{}/login/oauth/access_token", self.base()));
        let request = request.header("accept", "application/json").body(form);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        let tokens: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// The scopes that our server has asked for, one entry for each time, in order.
    pub async fn scopes(&self) -> Vec<String> {
        let listed = self.control("sign-ins", None).await;
        let own = listed.as_array().unwrap().iter().rev().filter(|one| one["client_id"] == DEFAULT_CLIENT_ID);
        own.map(|one| one["scope"].as_str().unwrap().to_owned()).collect()
    }

    /// The repository's hooks, as GitHub tells its administrators.
    pub async fn hooks(&self) -> Value {
        let request = http().get(format!("{}/repos/{REPOSITORY}/hooks", self.base()));
        let answer = request.bearer_auth(&self.token).header("user-agent", "test").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Somebody pushes two commits; how the one hook's server answered; 502 stands for none.
    pub async fn push(&self, first: &str) -> u64 {
        let url = format!("{}/{REPOSITORY}", self.base());
        let commit = |id: &str, message: &str| json!({ "id": id.repeat(8), "message": message });
        let payload = json!({
            "ref": "refs/heads/main",
            "before": "0".repeat(40),
            "after": "5d6e7".repeat(8),
            "compare": format!("{url}/compare/1a2b3...5d6e7"),
            "commits": [commit("1a2b3", first), commit("5d6e7", "Test it")],
            "repository": { "full_name": REPOSITORY, "html_url": url },
            "sender": { "login": "xiaoming" },
        });
        let happening = json!({ "repository": REPOSITORY, "event": "push", "payload": payload });
        let told = self.control("events", Some(happening)).await;
        let deliveries = told["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 1, "{told}");
        deliveries[0]["status_code"].as_u64().unwrap()
    }

    async fn control(&self, path: &str, body: Option<Value>) -> Value {
        super::control(self.base(), path, body).await
    }
}
