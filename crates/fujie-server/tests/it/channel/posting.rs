//! Events for people who are not connected: what this server's outbox posts to a group robot and to a push service. What
//! each says and how it is encrypted is proven where it is made; here it is, that it arrives, and only once.

use std::time::Duration;

use fujie_channel::{
    message::Language,
    outbox::{Recipient, Simulators},
    post::SimulatorAt,
    robot::{self, Kind},
    web_push::Subscription,
};
use fujie_core::{id::Id, random::SystemRandom, secret::Digest, token::at_rest::AtRest};
use fujie_simulator::{Push, PushConfig, Robot, RobotConfig, Running, robot::App};
use fujie_store::{NewTarget, TargetAdded, TargetKind};

use crate::house::{House, read};

const SUBSCRIPTION_KEYS: &str = r#"{"auth":"BTBZMqHH6r4Tts7J_aSIgg",
    "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}"#;

struct Place {
    house: House,
    robots: Running,
    pushes: Running,
    simulators: Simulators,
    token: String,
}

async fn place() -> Place {
    let robots = Robot::start("127.0.0.1:0", RobotConfig::default()).await.unwrap();
    let pushes = Push::start("127.0.0.1:0", PushConfig::default()).await.unwrap();
    let at = |running: &Running| Some(SimulatorAt::parse(running.base_url()).unwrap());
    let simulators = Simulators { robot_at: at(&robots), push_at: at(&pushes) };
    let house = House::posting_to(simulators.clone()).await;
    let (_, token) = house.team().await;
    Place { house, robots, pushes, simulators, token }
}

impl Place {
    async fn add(&self, recipient: &Recipient, sealed_as: AtRest) -> Id {
        let server = &self.house.server;
        let id = Id::new(self.house.clock.now(), &mut SystemRandom);
        let sealed = server.seal_secret(sealed_as, &id.to_string(), &recipient.to_secret(Language::Chinese)).unwrap();
        let target = NewTarget {
            id,
            topic: "team".to_owned(),
            kind: TargetKind::parse(recipient.kind()).unwrap(),
            account: Some(self.house.alice),
            label: "group".to_owned(),
            address: Digest::from_bytes(recipient.digest()),
            sealed,
        };
        assert_eq!(server.store().add_target(target, self.house.clock.now()).await.unwrap(), TargetAdded::Added);
        id
    }

    fn robot(&self) -> Recipient {
        let app = App::demo(fujie_simulator::robot::Kind::Dingtalk);
        let address = format!("{}/robot/send?access_token={}", self.robots.base_url(), app.token);
        let at = self.simulators.robot_at.as_ref();
        Recipient::Robot(robot::Robot::parse(Kind::Dingtalk, &address, app.secret.as_deref(), at).unwrap())
    }

    fn browser(&self, id: &str) -> Recipient {
        let text = format!(r#"{{"endpoint":"{}/push/{id}","keys":{SUBSCRIPTION_KEYS}}}"#, self.pushes.base_url());
        Recipient::WebPush(Subscription::parse(text.as_bytes(), self.simulators.push_at.as_ref()).unwrap())
    }

    async fn post(&self, title: &str) {
        let body = format!(r#"{{"title":"{title}","kind":"meeting"}}"#);
        assert_eq!(self.house.tell(&self.token, "application/json", &body).await.status, 201);
    }

    /// What a simulator was sent, once it is `count` messages.
    async fn heard(&self, simulator: &Running, count: usize) -> Vec<serde_json::Value> {
        let url = format!("{}/_simulate/messages", simulator.base_url());
        for _ in 0..600 {
            let messages = read(self.house.http.get(&url)).await.json().as_array().unwrap().clone();
            if messages.len() >= count {
                assert_eq!(messages.len(), count, "{messages:?}");
                return messages;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let targets = self.house.server.store().targets("team").await.unwrap();
        panic!("nothing came: {:?}", targets.iter().map(|own| (own.kind, &own.last_error)).collect::<Vec<_>>())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_the_group_and_the_browser_once() {
    let place = place().await;
    place.post("before anybody listened").await;
    place.add(&place.robot(), AtRest::Robot).await;
    place.add(&place.browser("demo"), AtRest::PushSubscription).await;
    place.post("周会").await;
    let heard = place.heard(&place.robots, 1).await;
    assert!(heard[0].to_string().contains("周会"), "{heard:?}");
    let pushed = place.heard(&place.pushes, 1).await;
    assert!(!pushed[0].to_string().contains("周会"), "encrypted: {pushed:?}");
    place.post("散会").await;
    let heard = place.heard(&place.robots, 2).await;
    assert!(heard[1].to_string().contains("散会"), "in order: {heard:?}");
    place.heard(&place.pushes, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_gone_is_forgotten_and_what_cannot_be_read_is_disabled() {
    let place = place().await;
    place.add(&place.browser("nobody"), AtRest::PushSubscription).await;
    let unreadable = place.add(&place.robot(), AtRest::WebhookSecret).await;
    place.add(&place.browser("demo"), AtRest::PushSubscription).await;
    place.post("hello").await;
    place.heard(&place.pushes, 1).await;
    for _ in 0..600 {
        let targets = place.house.server.store().targets("team").await.unwrap();
        let disabled: Vec<_> = targets.iter().filter(|own| own.disabled_at.is_some()).map(|own| own.id).collect();
        if targets.len() == 2 && disabled == [unreadable] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", place.house.server.store().targets("team").await.unwrap());
}
