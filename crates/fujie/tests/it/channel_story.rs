//! From GitHub to a team: somebody signs in with GitHub, makes a topic, a webhook with one click and robots for the
//! group; what is pushed is read in a terminal, by a script, on a phone that has the page open, in three groups, and by
//! a browser that is asleep. All of it in a real browser, in both languages.

mod github;
mod house;
mod listener;
mod page;
mod push;
mod robot;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    login::desk::{Desk, http},
    secret,
    webdriver::{Driver, Window},
};
use github::Github;
use house::{House, Neighbours, SCOPE};
use listener::Listener;
use page::TOPIC;
use push::Push;
use robot::Robots;

/// A language of the story: what a browser asks for, and what people read.
struct Tongue {
    code: &'static str,
    team: &'static str,
    details: &'static str,
    /// What an application is allowed, on the page of consent.
    may_read: &'static str,
    is_signed_in: &'static str,
    listening: &'static str,
    live: &'static str,
    pushed: &'static str,
    meeting: &'static str,
    complete: &'static str,
    missing: &'static str,
}

const ZH: Tongue = Tongue {
    code: "zh-CN",
    team: "小花园",
    details: "记得带水壶。",
    may_read: "接收你所加入话题的消息",
    is_signed_in: "可以关闭此窗口了",
    listening: "正在接收",
    live: "实时更新中",
    pushed: "xiaoming 向 xiaoming/demo 的 main 推送了 2 个提交",
    meeting: "【会议】周日浇水",
    complete: "列出的投递已全部到达",
    missing: "有 2 条没有到达",
};
const EN: Tongue = Tongue {
    code: "en",
    team: "The garden",
    details: "Bring a watering can.",
    may_read: "Receive the events of topics you are a member of",
    is_signed_in: "You can close this window",
    listening: "Listening to team",
    live: "Live:",
    pushed: "xiaoming pushed 2 commits to main of xiaoming/demo",
    meeting: "Meeting: 周日浇水",
    complete: "has arrived",
    missing: "2 of the latest deliveries",
};

/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everybody who takes part.
struct Story {
    tongue: &'static Tongue,
    github: Github,
    robots: Robots,
    push: Push,
    house: House,
    desk: Desk,
    driver: Driver,
}

/// Those who are connected.
struct Connected {
    token: String,
    listen: Listener,
    script: Listener,
    /// Has the topic's page open.
    member: Window,
}

impl Story {
    async fn begin(tongue: &'static Tongue) -> Self {
        let (github, robots, push) = (Github::start().await, Robots::start().await, Push::start().await);
        let house = House::start(&Neighbours { github: github.base(), robots: &robots.base, push: push.base() });
        Self { tongue, github, robots, push, house, desk: Desk::new(), driver: Driver::start() }
    }

    /// The hook is as GitHub needs it.
    async fn judge_hook(&self, integration: &str) {
        let id = integration.rsplit('/').next().unwrap();
        let hooks = self.github.hooks().await;
        assert_eq!(hooks.as_array().unwrap().len(), 1, "{hooks}");
        let config = json!({
            "url": format!("{}/hooks/{id}", self.house.issuer()),
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
        });
        assert_eq!((&hooks[0]["config"], &hooks[0]["active"]), (&config, &json!(true)));
        assert!(hooks[0]["events"].as_array().unwrap().contains(&json!("push")), "{hooks}");
    }

    /// The owner signs in to a terminal; a program and a script listen there.
    async fn listen(&self, owner: &Window, member: Window) -> Connected {
        let (issuer, id) = (self.house.issuer(), &self.house.client_id);
        let login = self.desk.start(&["login", &issuer, "--client-id", id, "--scope", SCOPE]);
        owner.open(&self.desk.address()).await;
        owner.wait_text(self.tongue.may_read).await;
        self.look(owner, "consent").await;
        owner.click("button[name=decision][value=allow]").await;
        owner.wait_text(self.tongue.is_signed_in).await;
        assert_eq!(login.end().code, Some(0));
        owner.open(&format!("{issuer}/account")).await;
        owner.wait_text(self.tongue.may_read).await;
        self.look(owner, "account-application").await;
        let token = self.desk.run(&["token"]).out.trim().to_owned();

        let folder = self.desk.store();
        let words = ["listen", TOPIC, "--output", "json", "--lang", &self.tongue.code[..2]];
        let listen = Listener::start(&mut self.desk.command(&words), &folder, "listen");
        until("fujie listen", async || listen.told().contains(self.tongue.listening)).await;
        let script = Listener::start(&mut listener::example(&self.house.line, TOPIC, &token), &folder, "script");
        Connected { token, listen, script, member }
    }

    /// The owner has GitHub say something until the script, which says nothing itself, has heard it.
    async fn ping(&self, owner: &Window, integration: &str, connected: &Connected) {
        let begun = Instant::now();
        while connected.script.events().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "the script hears nothing: {}", connected.script.told());
            owner.open(integration).await;
            owner.click("button[name=action][value=ping]").await;
            owner.wait_url("said=pinged").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Everybody has this event, in words that people read where people read it.
    async fn reached(&self, connected: &Connected, title: &str, is_it: impl Fn(&Value) -> bool) {
        let has = |listener: &Listener| listener.events().iter().filter(|event| is_it(event)).count() == 1;
        until("fujie listen", async || has(&connected.listen)).await;
        until("the script", async || has(&connected.script)).await;
        connected.member.wait_text(title).await;
        for robot in self.robots.all() {
            let is_there = async || self.robots.said(robot.kind).await.iter().any(|said| said.contains(title));
            until(robot.kind, is_there).await;
        }
        until("the phone", async || self.push.read().await.iter().any(|message| message["title"] == title)).await;
    }

    /// What the server itself has, from the beginning.
    async fn log(&self, connected: &Connected) -> Vec<Value> {
        let events = format!("{}/topics/{TOPIC}/events", self.house.issuer());
        let request = http().get(events).bearer_auth(&connected.token).header("accept", "application/json");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let mut page: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        serde_json::from_value(page["events"].take()).unwrap()
    }
}

fn is_push(message: &str) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == "com.github.push" && event["data"]["commits"][0]["message"] == message
}

async fn until(what: &str, is_true: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_true().await {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks a simulator's control API, or tells it something.
async fn control(base: &str, path: &str, body: Option<Value>) -> Value {
    let url = format!("{base}/_simulate/{path}");
    let request = body.map_or_else(|| http().get(&url), |body| http().post(&url).body(body.to_string()));
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

async fn whole_story(tongue: &'static Tongue) {
    let mut story = Story::begin(tongue).await;
    let (owner, member) = (story.window().await, story.window().await);
    story.sign_in(&owner, "xiaoming").await;
    story.make_topic(&owner).await;
    let integration = story.make_hook(&owner).await;
    story.judge_hook(&integration).await;
    story.sign_in(&member, "lihua").await;
    story.invite(&owner, &member).await;
    let connected = story.listen(&owner, member).await;
    story.ping(&owner, &integration, &connected).await;
    for robot in story.robots.all() {
        story.add_robot(&owner, &robot).await;
    }
    story.switch_push_on(&connected.member).await;

    assert_eq!(story.github.push("Water the tomatoes").await, 202);
    story.reached(&connected, tongue.pushed, is_push("Water the tomatoes")).await;
    assert_eq!(story.robots.judge(), (1, 1));
    let event = connected.listen.events().into_iter().find(is_push("Water the tomatoes")).unwrap();
    let message = json!({
        "title": tongue.pushed,
        "body": "1a2b31a Water the tomatoes\n5d6e75d Test it",
        "url": format!("{}/xiaoming/demo/compare/1a2b3...5d6e7", story.github.base()),
        "id": event["id"].as_str().unwrap().parse::<u64>().unwrap(),
        "topic": TOPIC,
    });
    assert_eq!(story.push.read().await, [message]);
    story.post_notice(&owner, "周日浇水").await;
    story.reached(&connected, tongue.meeting, |event| event["data"]["title"] == "周日浇水").await;
    story.look(&connected.member, "topic-live").await;
    story.open(&owner, "/settings").await;
    story.look(&owner, "settings").await;
    owner.open(&integration).await;
    owner.wait_text(tongue.complete).await;
    story.look(&owner, "integration").await;

    outage(&mut story, &owner, &connected, &integration).await;
    agree_on_everything(&story, &connected).await;
    story.remove_hook(&owner, &integration).await;
    story.switch_push_off(&connected.member).await;
    let log = story.house.log();
    assert_eq!(secret::found(&log), None, "in the log: {log}");
    for secret in [robot::DINGTALK_SECRET, "/push/phone", "access_token="] {
        assert!(!log.contains(secret), "{secret} stands in the log: {log}");
    }
    let Connected { member, .. } = connected;
    for window in [owner, member] {
        window.close().await;
    }
}

/// Two deliveries find nobody, and are brought by one click when the server is back.
async fn outage(story: &mut Story, owner: &Window, connected: &Connected, integration: &str) {
    story.house.end();
    for message in ["Weed the beds", "Mow the lawn"] {
        assert_eq!(story.github.push(message).await, 502);
    }
    story.house.serve();
    owner.open(integration).await;
    owner.wait_text(story.tongue.missing).await;
    story.look(owner, "integration-missing").await;
    owner.click("button[name=action][value=again_all]").await;
    owner.wait_url("said=again&count=2").await;
    for message in ["Weed the beds", "Mow the lawn"] {
        let has = |listener: &Listener| listener.events().iter().filter(|event| is_push(message)(event)).count() == 1;
        until("fujie listen", async || has(&connected.listen)).await;
        until("the script", async || has(&connected.script)).await;
        connected.member.wait_text(message).await;
        for robot in story.robots.all() {
            until(robot.kind, async || story.robots.said(robot.kind).await.concat().contains(message)).await;
        }
        until("the phone", async || {
            story.push.read().await.iter().any(|read| read["body"].as_str().unwrap().contains(message))
        })
        .await;
    }
    // GitHub notes an answer when it has read it, and the page shows what was noted when it was made.
    until("the deliveries' page", async || {
        owner.open(integration).await;
        owner.text().await.contains(story.tongue.complete)
    })
    .await;
    story.look(owner, "integration-again").await;
}

/// Nobody has anything twice, and all have it in the same order.
async fn agree_on_everything(story: &Story, connected: &Connected) {
    let log = story.log(connected).await;
    let pushes = log.iter().filter(|event| event["type"] == "com.github.push").count();
    let notices = log.iter().filter(|event| event["type"] == "notice").count();
    assert_eq!((pushes, notices), (3, 1));
    for listener in [&connected.listen, &connected.script] {
        let events = listener.events();
        assert!(log.ends_with(&events), "{events:#?}\n{log:#?}");
    }
    let shown = "return [...document.querySelectorAll('#events > li')].map((card) => Number(card.dataset.id))";
    let shown: Vec<u64> = serde_json::from_value(connected.member.script(shown).await).unwrap();
    let ids = log.iter().rev().map(|event| event["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(shown, ids.collect::<Vec<u64>>());
    assert_eq!(connected.member.script("return window.stays").await, json!(true), "the page was loaded again");
    assert_eq!(story.robots.judge(), (4, 4));
    assert_eq!(story.push.read().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_hears_of_github_in_chinese() {
    whole_story(&ZH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_hears_of_github_in_english() {
    whole_story(&EN).await;
}
