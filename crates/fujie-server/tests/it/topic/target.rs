//! Where a topic's events go: robots of the owners, browsers of each member.

use fujie_core::secret::sha256;
use fujie_store::{Target, TargetKind};

use super::team::Team;
use crate::browser::{Browser, Page};

const DINGTALK: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef";
const ENDPOINT: &str = "https://push.example.net/send/abc";
const CHROME: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";

fn subscription(endpoint: &str) -> String {
    let keys = r#"{"auth":"BTBZMqHH6r4Tts7J_aSIgg","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}"#;
    format!(r#"{{"endpoint":"{endpoint}","expirationTime":null,"keys":{keys}}}"#)
}

async fn targets(team: &Team) -> Vec<Target> {
    team.house.server.store().targets("team").await.unwrap()
}

async fn add_robot(team: &Team, browser: &mut Browser, kind: &str, address: &str, secret: &str) -> Page {
    let page = browser.get(&team.url("/topics/team/settings")).await;
    let fields = [("kind", kind), ("label", "研发群"), ("address", address), ("secret", secret)];
    browser.submit(&page, "/topics/team/targets", &fields).await
}

/// As the page's script does.
async fn notify(team: &Team, browser: &mut Browser, subscription: &str) -> Page {
    let page = browser.get(&team.url("/topics/team")).await;
    let mut fields = page.hidden("/topics/team/targets");
    fields.retain(|(name, _)| name != "subscription");
    fields.push(("subscription".to_owned(), subscription.to_owned()));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = crate::browser::form(&fields);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", team.house.issuer.as_str()),
        ("user-agent", CHROME),
    ];
    browser.send_as(&team.url("/topics/team/targets"), &headers, Some(&body)).await
}

async fn let_bob_in(team: &Team, alice: &mut Browser) -> Browser {
    let page = alice.get(&team.url("/topics/team/settings")).await;
    let csrf = page.hidden("/topics/team/members").remove(0).1;
    let fields = [("csrf", csrf.as_str()), ("action", "add"), ("kind", "account"), ("member", "bob")];
    alice.post(&team.url("/topics/team/members"), &fields).await;
    team.browser("bob").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_is_added_once_per_address_and_its_address_is_not_shown() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    for _ in 0..2 {
        let page = add_robot(&team, &mut alice, "dingtalk", DINGTALK, "SEC0123456789abcdef").await;
        assert!(page.location().ends_with("said=robot-added"), "{}", page.location());
    }
    let found = targets(&team).await;
    assert_eq!(found.len(), 1, "the same address again renews it");
    assert_eq!((found[0].kind, found[0].account), (TargetKind::Dingtalk, Some(team.house.alice)));
    let page = alice.get(&team.url("/topics/team/settings")).await;
    assert!(page.body.contains("<bdi>研发群</bdi>") && !page.body.contains("0123456789abcdef"), "{}", page.body);
    for (kind, address, secret, words) in [
        ("dingtalk", "https://evil.example/robot/send?access_token=1", "", "on the provider’s own host"),
        ("dingtalk", "http://oapi.dingtalk.com/robot/send?access_token=1", "", "on the provider’s own host"),
        ("feishu", DINGTALK, "", "on the provider’s own host"),
        ("dingtalk", "https://oapi.dingtalk.com/other", "", "not the webhook address"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1", "SEC", "not the secret"),
        ("wecom", "no address", "", "not the webhook address"),
    ] {
        let page = add_robot(&team, &mut alice, kind, address, secret).await;
        assert!(page.status == 422 && page.body.contains(words), "{address}: {}", page.body);
        assert!(page.body.contains(&format!("value=\"{kind}\" required checked")), "{}", page.body);
        assert!(page.body.contains("value=\"研发群\"") && !page.body.contains("evil.example"), "{}", page.body);
    }
    assert_eq!(targets(&team).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_that_was_given_up_is_tried_again_or_removed() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    add_robot(&team, &mut alice, "dingtalk", DINGTALK, "").await;
    let target = targets(&team).await.remove(0);
    let (store, now) = (team.house.server.store(), team.house.clock.now());
    store.disable_target(target.id, "keyword: 310000 keywords not in content", now).await.unwrap();
    let page = alice.get(&team.url("/topics/team/settings")).await;
    assert!(page.body.contains("Switched off after failures") && page.body.contains("The robot wants a keyword"));
    let form = format!("/topics/team/targets/{}", target.id);
    let page = alice.submit(&page, &form, &[("action", "retry")]).await;
    assert!(page.location().ends_with("said=target-retried"), "{}", page.location());
    let again = targets(&team).await.remove(0);
    assert_eq!((again.id, again.disabled_at, again.last_error), (target.id, None, None));
    let page = alice.follow(&page).await;
    let page = alice.submit(&page, &form, &[("action", "remove")]).await;
    assert!(page.location().ends_with("said=target-removed"), "{}", page.location());
    assert!(targets(&team).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_its_persons_own() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let mut bob = let_bob_in(&team, &mut alice).await;
    let page = notify(&team, &mut bob, &subscription(ENDPOINT)).await;
    assert!(page.location().ends_with("/topics/team?said=device-added"), "{}", page.location());
    let target = targets(&team).await.remove(0);
    assert_eq!((target.kind, target.label.as_str()), (TargetKind::WebPush, "Chrome, Android"));
    // The page tells its script which browsers are registered, by a digest.
    let digest: String = sha256(ENDPOINT.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let page = bob.get(&team.url("/topics/team")).await;
    assert!(page.body.contains(&format!("data-address=\"{digest}\"")) && !page.body.contains("push.example"));
    assert!(page.body.contains("data-key=\"B"), "{}", page.body);
    assert!(bob.get(&team.url("/topics/team/settings")).await.body.contains("Chrome, Android"));
    // Not even an owner sees or touches it.
    let settings = alice.get(&team.url("/topics/team/settings")).await;
    assert!(!settings.body.contains("Chrome, Android"), "{}", settings.body);
    let csrf = settings.hidden("/topics/team/members").remove(0).1;
    let one = team.url(&format!("/topics/team/targets/{}", target.id));
    assert_eq!(alice.post(&one, &[("csrf", &csrf), ("action", "remove")]).await.status, 404);
    let form = format!("/topics/team/targets/{}", target.id);
    let page = bob.submit(&page, &form, &[("action", "remove")]).await;
    assert!(page.location().ends_with("/topics/team?said=device-removed"), "{}", page.location());
    assert!(targets(&team).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_push_subscription_is_refused() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    for endpoint in [
        "http://push.example.net/1",
        "https://127.0.0.1/1",
        "https://10.0.0.1/1",
        "https://localhost/1",
        "https://push.example.net:8443/1",
        "https://user@push.example.net/1",
    ] {
        let page = notify(&team, &mut alice, &subscription(endpoint)).await;
        assert!(page.location().ends_with("said=device-refused"), "{endpoint}: {}", page.location());
    }
    for text in ["", "{}", "[]", &subscription(ENDPOINT).replace("p256dh\":\"B", "p256dh\":\"C")] {
        let page = notify(&team, &mut alice, text).await;
        assert!(page.location().ends_with("said=device-refused"), "{text}: {}", page.location());
    }
    assert!(targets(&team).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_browsers_of_one_person_are_enough() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    for number in 0..10 {
        notify(&team, &mut alice, &subscription(&format!("{ENDPOINT}{number}"))).await;
    }
    let page = notify(&team, &mut alice, &subscription(ENDPOINT)).await;
    assert!(page.status == 422 && page.body.contains("There are as many as allowed."), "{}", page.body);
    assert_eq!(targets(&team).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_takes_their_browsers_along() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let mut bob = let_bob_in(&team, &mut alice).await;
    notify(&team, &mut bob, &subscription(ENDPOINT)).await;
    let page = bob.get(&team.url("/topics/team/settings")).await;
    bob.submit(&page, "/topics/team/members", &[("action", "leave")]).await;
    assert!(targets(&team).await.is_empty());
}
