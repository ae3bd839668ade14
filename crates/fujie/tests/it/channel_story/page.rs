//! Pages as the story's two people use them: the owner of a topic at a desk, and a member with a phone.

use serde_json::json;

use super::{Story, github::REPOSITORY, robot::Robot};
use crate::{walk::assert_no_english, webdriver::Window};

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);
pub const TOPIC: &str = "team";

impl Story {
    /// A window of somebody's own.
    pub async fn window(&self) -> Window {
        self.driver.window(WIDE, self.tongue.code, false).await
    }

    /// A page is in the story's language, and as wide as its window, at a desk and on a phone. Pictures are kept for
    /// people, as long as the page.
    pub async fn look(&self, window: &Window, name: &str) {
        let code = self.tongue.code;
        let lang = window.script("return document.documentElement.lang").await;
        assert!(lang.as_str().unwrap().starts_with(&code[..2]), "{name}: lang={lang}");
        for (size, where_at) in [(WIDE, "wide"), (PHONE, "phone")] {
            window.resize(size).await;
            let overflow = window.script("return document.documentElement.scrollWidth - window.innerWidth").await;
            assert!(overflow.as_i64().unwrap() <= 0, "{name}: {overflow} wider than {where_at}");
            self.keep(window, size, &format!("{name}-{where_at}-{code}")).await;
        }
        if std::env::var_os("FUJIE_SCREENSHOTS").is_some() {
            let dark = |value: &str| json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
            window.command("Emulation.setEmulatedMedia", dark("dark")).await;
            self.keep(window, PHONE, &format!("{name}-dark-{code}")).await;
            window.command("Emulation.setEmulatedMedia", dark("light")).await;
        }
        window.resize(WIDE).await;
        if code == "zh-CN" {
            assert_no_english(window, name).await;
        }
    }

    async fn keep(&self, window: &Window, (width, height): (u32, u32), name: &str) {
        if std::env::var_os("FUJIE_SCREENSHOTS").is_some() {
            let length = window.script("return document.documentElement.scrollHeight").await.as_u64().unwrap();
            window.resize((width, height.max(u32::try_from(length).unwrap()))).await;
            window.keep(name).await;
        }
    }

    /// Opens a page of the topic.
    pub async fn open(&self, window: &Window, path: &str) {
        window.open(&format!("{}/topics/{TOPIC}{path}", self.house.issuer())).await;
    }

    /// A person comes for the first time, by GitHub.
    pub async fn sign_in(&self, window: &Window, person: &str) {
        window.open(&self.house.issuer()).await;
        self.look(window, "sign-in").await;
        window.click("form[action='/broker/github/start'] button").await;
        self.agree(window, person).await;
        window.wait_url("/bind").await;
        self.look(window, "bind").await;
        window.click("button[name=action][value=create]").await;
        window.wait_url("/account").await;
        self.look(window, "account").await;
        window.click("a[href='/topics']").await;
        window.wait_url("/topics").await;
        self.look(window, "topics-none").await;
    }

    /// The person agrees on GitHub's page.
    async fn agree(&self, window: &Window, person: &str) {
        window.wait_url(self.github.base()).await;
        window.click(&format!("input[name=person][value={person}]")).await;
        window.click("button[name=decision][value=agree]").await;
    }

    pub async fn make_topic(&self, owner: &Window) {
        owner.write("#title", self.tongue.team).await;
        owner.write("#name", TOPIC).await;
        owner.click("form[action='/topics'] button").await;
        owner.wait_url(&format!("/topics/{TOPIC}")).await;
        self.look(owner, "topic-empty").await;
    }

    /// From the topic's page to a hook in a repository. What may be done with hooks is asked for on the way, and not
    /// before. Gives the address of the integration's page.
    pub async fn make_hook(&self, owner: &Window) -> String {
        owner.click(&format!("a[href='/topics/{TOPIC}/settings']")).await;
        owner.wait_has("section[aria-labelledby=robots]").await;
        self.look(owner, "settings-empty").await;
        owner.click(&format!("a[href='/topics/{TOPIC}/integrations/new']")).await;
        owner.wait_has("a[href*='connection=github']").await;
        self.look(owner, "integration-choice").await;
        owner.click("a[href*='connection=github']").await;
        owner.wait_has("form[action='/broker/github/connect']").await;
        self.look(owner, "connect").await;
        assert!(!self.github.scopes().await.concat().contains("repo_hook"), "too much is asked for too early");
        owner.click("form[action='/broker/github/connect'] button").await;
        self.agree(owner, "xiaoming").await;
        owner.wait_has("input[name=repository]").await;
        assert_eq!(self.github.scopes().await.last().unwrap(), "write:repo_hook");
        self.look(owner, "repositories").await;
        owner.click(&format!("input[name=repository][value='{REPOSITORY}']")).await;
        owner.click(&format!("form[action='/topics/{TOPIC}/integrations'] button.primary")).await;
        owner.wait_url("said=hook-made").await;
        self.look(owner, "hook-made").await;
        let url = owner.url().await;
        url.split('?').next().unwrap().to_owned()
    }

    /// The member says who she is, and the owner adds her.
    pub async fn invite(&self, owner: &Window, member: &Window) {
        let number = member.script("return document.querySelector('main > p.hint code').textContent").await;
        self.open(owner, "/settings").await;
        owner.click("section[aria-labelledby=members] .plainly summary").await;
        owner.write("#member", number.as_str().unwrap()).await;
        owner.click("button[name=action][value=add]").await;
        owner.wait_url("said=member-added").await;
        member.open(&format!("{}/topics", self.house.issuer())).await;
        self.look(member, "topics").await;
        member.click(&format!("a[href='/topics/{TOPIC}']")).await;
        member.wait_text(self.tongue.live).await;
    }

    pub async fn add_robot(&self, owner: &Window, robot: &Robot) {
        self.open(owner, "/settings").await;
        let section = "section[aria-labelledby=robots]";
        owner.click(&format!("{section} .plainly summary")).await;
        owner.click(&format!("{section} input[name=kind][value={}]", robot.kind)).await;
        owner.write(&format!("{section} #label"), robot.group).await;
        owner.write("#address", &robot.address).await;
        if let Some(secret) = robot.secret {
            owner.write("#secret", secret).await;
        }
        if robot.kind == "feishu" {
            self.look(owner, "robot-form").await;
        }
        owner.click(&format!("{section} form button.primary")).await;
        owner.wait_url("said=robot-added").await;
    }

    /// The member wants to be notified on this device.
    pub async fn switch_push_on(&self, member: &Window) {
        let key = member.script("return document.getElementById('notify').dataset.key").await;
        let key = key.as_str().unwrap();
        self.push.stand_in(member, key).await;
        self.open(member, "").await;
        member.wait_true("return document.getElementById('notify').hidden === false").await;
        self.look(member, "topic-notify").await;
        member.click("#notify-on button").await;
        member.wait_url("said=device-added").await;
        assert_eq!(self.push.key_given(member).await, key);
        // The page knows this device again.
        member.wait_has("form[data-address]:not([hidden])").await;
        member.wait_text(self.tongue.live).await;
        self.look(member, "topic-notified").await;
        // Stays only while the page does.
        member.script("window.stays = true").await;
    }

    pub async fn switch_push_off(&self, member: &Window) {
        member.click("form[data-address]:not([hidden]) button").await;
        member.wait_url("said=device-removed").await;
    }

    pub async fn post_notice(&self, owner: &Window, title: &str) {
        self.open(owner, "").await;
        owner.click("details summary").await;
        owner.click("#notice input[name=kind][value=meeting]").await;
        owner.write("#title", title).await;
        owner.script("document.getElementById('at').value = '2026-11-29T14:00'").await;
        owner.write("#text", self.tongue.details).await;
        self.look(owner, "notice").await;
        owner.click("#notice button.primary").await;
        owner.wait_url("said=posted").await;
        owner.wait_text(title).await;
    }

    /// Removing takes more than making, and that is asked for now.
    pub async fn remove_hook(&self, owner: &Window, integration: &str) {
        owner.open(integration).await;
        owner.click(".danger .confirm summary").await;
        owner.click("button[name=action][value=remove]").await;
        owner.wait_url("said=not-removed").await;
        self.look(owner, "hook-not-removed").await;
        assert_eq!(self.github.hooks().await.as_array().unwrap().len(), 1);
        owner.click(".danger form[action='/broker/github/connect'] button").await;
        self.agree(owner, "xiaoming").await;
        owner.wait_url("said=integration-removed").await;
        self.look(owner, "hook-removed").await;
        assert_eq!(self.github.scopes().await.last().unwrap(), "admin:repo_hook");
        assert_eq!(self.github.hooks().await, json!([]));
    }
}
