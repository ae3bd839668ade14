//! The words these stories are told in: a house with a simulated GitHub, and people in their browsers.

use std::sync::Arc;

use fujie_client::{Client, Registration, provider};
use fujie_server::broker::{Connection, Upstream::Known};
use fujie_simulator::{
    Running,
    github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, Github, GithubConfig, Repository},
};
use fujie_store::{ChannelEvent, Integration};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    house::{House, PASSWORD, read},
    upstream::{Upstream, Witness},
};

/// A house whose only provider is GitHub. Everybody there owns a repository called `demo`, xiaoming two.
pub struct Team {
    pub house: House,
    pub github: Running,
}

impl Team {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut GithubConfig)) -> Self {
        let mut config = GithubConfig::default();
        config.repositories.extend(["demo", "website"].map(|name| Repository::public("xiaoming", name)));
        change(&mut config);
        let github = Github::start("127.0.0.1:0", config).await.unwrap();
        let house = House::new().await;
        let connections = vec![connection(&github, &house.upstream)];
        let house = house.restart_with(connections).await;
        house.person("bob").await;
        Self { house, github }
    }

    /// The server is away while `meanwhile` happens.
    pub async fn away(mut self, meanwhile: impl AsyncFnOnce(&Running)) -> Self {
        self.house.halt().await;
        meanwhile(&self.github).await;
        let connections = vec![connection(&self.github, &self.house.upstream)];
        Self { house: self.house.restart_with(connections).await, ..self }
    }

    /// The same house with a second connection, `other`, which is not the one that hooks are made by.
    pub async fn with_another_connection(self) -> Self {
        let own = connection(&self.github, &self.house.upstream);
        let other = Connection { id: "other".to_owned(), ..connection(&self.github, &self.house.upstream) };
        Self { house: self.house.restart_with(vec![own, other]).await, ..self }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.house.issuer)
    }

    /// A browser in which this person is signed in by password.
    pub async fn browser(&self, name: &str) -> Browser {
        let mut browser = Browser::new();
        let page = browser.get(&self.url("/sign-in")).await;
        let page = browser.submit(&page, "/sign-in", &[("username", name), ("password", PASSWORD)]).await;
        assert!(page.location().ends_with("/account"), "{}", page.location());
        browser
    }

    /// The same house, whose connection leads to this place.
    pub async fn at_place(self, place: Option<&str>) -> Self {
        let place = place.map(str::to_owned);
        let there = Connection { place, ..connection(&self.github, &self.house.upstream) };
        Self { house: self.house.restart_with(vec![there]).await, ..self }
    }

    /// Alice, who owns the topic `team` and has xiaoming's GitHub as a way to sign in.
    pub async fn alice(&self) -> Browser {
        let mut browser = self.alice_joined().await;
        self.make_topic(&mut browser, "team").await;
        browser
    }

    /// Alice, to whose account xiaoming's GitHub was just added.
    pub async fn alice_joined(&self) -> Browser {
        let mut browser = Browser::new();
        let page = browser.get(&self.url("/sign-in")).await;
        let page = browser.submit(&page, "/broker/github/start", &[]).await;
        let page = self.decide(&mut browser, &page, "confirm", "xiaoming").await;
        let page = browser.follow(&page).await;
        let page = browser.submit(&page, "/bind", &[("action", "attach")]).await;
        let page = browser.follow(&page).await;
        let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
        let page = browser.follow(&page).await;
        let page = browser.submit(&page, "/bind", &[("action", "confirm")]).await;
        assert!(page.location().ends_with("/account"), "{}", page.location());
        browser
    }

    pub async fn make_topic(&self, browser: &mut Browser, name: &str) {
        let page = browser.get(&self.url("/topics")).await;
        let page = browser.submit(&page, "/topics", &[("name", name), ("title", "The team")]).await;
        assert!(page.location().ends_with(&format!("/topics/{name}")), "{}", page.location());
    }

    /// The way from `page`, which redirects to GitHub, through this person's decision there, back to us.
    pub async fn decide(&self, browser: &mut Browser, page: &Page, act: &str, person: &str) -> Page {
        let callback = self.decided(browser, page, act, person).await;
        browser.get(&callback).await
    }

    /// The same up to the address that GitHub leads the browser to.
    pub async fn decided(&self, browser: &mut Browser, page: &Page, act: &str, person: &str) -> String {
        assert!(page.location().starts_with(self.github.base_url()), "{}", page.location());
        browser.follow(page).await;
        let sign_ins = self.ask_github("sign-ins").await;
        let id = sign_ins[0]["id"].as_str().unwrap();
        let body = if act == "confirm" { json!({ "person": person }) } else { json!({}) };
        let told = self.tell_github(&format!("sign-ins/{id}/{act}"), body).await;
        told["redirect_url"].as_str().unwrap().to_owned()
    }

    /// The page where a repository is chosen, after alice let us act for her.
    pub async fn connected(&self, browser: &mut Browser) -> Page {
        let page = browser.get(&self.url("/topics/team/integrations/new?connection=github")).await;
        let page = browser.submit(&page, "/broker/github/connect", &[]).await;
        let page = self.decide(browser, &page, "confirm", "xiaoming").await;
        browser.follow(&page).await
    }

    /// Alice's hook in xiaoming/demo, with the page that tells of it. Its ping has come in.
    pub async fn hooked(&self, browser: &mut Browser) -> Page {
        let page = self.connected(browser).await;
        let head = self.head().await;
        let fields = [("repository", "xiaoming/demo"), ("event-push", "1"), ("event-issues", "1")];
        let page = browser.submit(&page, "/topics/team/integrations", &fields).await;
        assert!(page.location().contains("said=hook-made"), "{}", page.location());
        self.reaches(head + 1).await;
        browser.follow(&page).await
    }

    /// Presses a button on the page of a source.
    pub async fn press(&self, browser: &mut Browser, page: &Page, action: &str) -> Page {
        let form = page.url.trim_start_matches(&self.house.issuer).split('?').next().unwrap().to_owned();
        browser.submit(page, &form, &[("action", action)]).await
    }

    /// Something happens in xiaoming/demo; what GitHub says of the deliveries.
    pub async fn happen(&self, event: &str) -> Value {
        happen(&self.github, event).await
    }

    pub async fn tell_github(&self, what: &str, body: Value) -> Value {
        tell(&self.github, what, &body).await
    }

    pub async fn ask_github(&self, what: &str) -> Value {
        read(self.house.http.get(format!("{}/_simulate/{what}", self.github.base_url()))).await.json()
    }

    /// One call of GitHub's API.
    pub async fn call(&self, token: &str, path: &str) -> Page {
        let request = self.house.http.get(format!("{}/api/v3{path}", self.github.base_url()));
        read(request.bearer_auth(token).header("user-agent", "test")).await
    }

    /// The hooks of xiaoming/demo.
    pub async fn hooks(&self) -> Vec<Value> {
        let token = self.admin_token().await;
        self.call(&token, "/repos/xiaoming/demo/hooks").await.json().as_array().unwrap().clone()
    }

    /// What xiaoming gives to somebody of no concern to us: a token that may do everything with hooks.
    pub async fn admin_token(&self) -> String {
        let back = "http%3A%2F%2F127.0.0.1%2Fback";
        let query = format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={back}&scope=admin:repo_hook&state=s");
        let http = &self.house.http;
        read(http.get(format!("{}/login/oauth/authorize?{query}", self.github.base_url()))).await;
        let id = self.ask_github("sign-ins").await[0]["id"].as_str().unwrap().to_owned();
        let told = self.tell_github(&format!("sign-ins/{id}/confirm"), json!({ "person": "xiaoming" })).await;
        let callback = url::Url::parse(told["redirect_url"].as_str().unwrap()).unwrap();
        let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let form = crate::browser::form(&[
            ("client_id", DEFAULT_CLIENT_ID),
            ("client_secret", DEFAULT_SECRET),
            ("code", code.as_str()),
        ]);
        let request = http.post(format!("{}/login/oauth/access_token", self.github.base_url()));
        let request = request.header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        read(request).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The tokens that GitHub gave us, in order.
    pub fn tokens(&self) -> Vec<String> {
        let answers = self.house.upstream.exchanges();
        let given = answers.iter().filter(|(url, _)| url.ends_with("/login/oauth/access_token"));
        let json = given.filter_map(|(_, body)| serde_json::from_str::<Value>(body).ok());
        json.filter_map(|answer| answer["access_token"].as_str().map(str::to_owned)).collect()
    }

    /// What happened in `team`, oldest first.
    pub async fn events(&self) -> Vec<ChannelEvent> {
        self.house.server.store().events_in("team", 0, 1000, usize::MAX).await.unwrap()
    }

    /// The sources of `team`.
    pub async fn integrations(&self) -> Vec<Integration> {
        self.house.server.store().integrations("team").await.unwrap()
    }

    /// The newest event of all.
    pub async fn head(&self) -> i64 {
        *self.house.server.store().channel_head().borrow()
    }

    /// Waits until there is an event with this id.
    pub async fn reaches(&self, id: i64) {
        let mut head = self.house.server.store().channel_head();
        let reached = head.wait_for(|head| *head >= id);
        tokio::time::timeout(std::time::Duration::from_secs(60), reached).await.unwrap().unwrap();
    }
}

pub async fn happen(github: &Running, event: &str) -> Value {
    tell(github, "events", &json!({ "repository": "xiaoming/demo", "event": event })).await
}

async fn tell(github: &Running, what: &str, body: &Value) -> Value {
    let request = reqwest::Client::new().post(format!("{}/_simulate/{what}", github.base_url()));
    let page = read(request.header("content-type", "application/json").body(body.to_string())).await;
    assert!((200..300).contains(&page.status), "{what}: {}", page.body);
    serde_json::from_str(&page.body).unwrap_or_default()
}

fn connection(github: &Running, upstream: &Arc<Upstream>) -> Connection {
    let record = provider::github().at_host(github.base_url()).unwrap();
    let registration = Registration::new(record, DEFAULT_CLIENT_ID, fujie_client::Secret::new(DEFAULT_SECRET));
    let client = Client::over(Arc::new(Witness(Arc::clone(upstream))), registration.unwrap()).unwrap();
    Connection {
        id: "github".to_owned(),
        label: None,
        upstream: Known(Arc::new(client)),
        place: Some("simulator".to_owned()),
        group: None,
        embedding: None,
    }
}

/// Presses the button of a form whose hidden fields a script has filled.
pub async fn submit_filled(browser: &mut Browser, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
    let hidden = page.hidden(action);
    let is_filled = |name: &str| fields.iter().any(|(own, _)| *own == name);
    let kept = hidden.iter().filter(|(name, _)| !is_filled(name));
    let mut all: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    all.extend_from_slice(fields);
    let url = url::Url::parse(&page.url).unwrap().join(action).unwrap();
    browser.post(url.as_str(), &all).await
}
