//! Doors whose sender is told by hand: made, tried by the page's own example, given a new secret, removed.

use fujie_store::{Delivery, NewEvent};

use crate::{
    browser::{Browser, Page},
    house::read,
};

use super::team::{Team, submit_filled};

async fn made(team: &Team, browser: &mut Browser, preset: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(&team.url(&format!("/topics/team/integrations/new?preset={preset}"))).await;
    let defaults = [("label", "CI"), ("header", "X-Signature-256"), ("prefix", "sha256=")];
    let is_given = |name: &str| fields.iter().any(|(own, _)| *own == name);
    let mut all: Vec<_> = defaults.into_iter().filter(|(name, _)| !is_given(name)).collect();
    all.extend(fields);
    browser.submit(&page, "/topics/team/integrations", &all).await
}

/// The secret that a page shows.
fn secret(page: &Page) -> String {
    let shown = page.body.split("<strong>Secret</strong>").nth(1).unwrap_or_else(|| panic!("none: {}", page.body));
    shown.split("<code id=\"secret-value\" class=\"long\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn sign(secret: &str, body: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    aws_lc_rs::hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn deliver(team: &Team, id: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = team.house.http.post(team.url(&format!("/hooks/{id}"))).body(r#"{"text":"hello"}"#);
    request = request.header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_opens_the_door() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = made(&team, &mut browser, "hmac", &[("event_header", "X-Event"), ("id_header", "X-Id")]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let shown = secret(&page);
    assert_eq!(shown.len(), 64);
    let row = team.integrations().await.remove(0);
    let url = team.url(&format!("/topics/team/integrations/{}", row.id));
    let again = browser.get(&url).await;
    assert!(!again.body.contains(&shown) && again.body.contains("$SECRET"), "{}", again.body);
    assert!(again.body.contains("Nothing has come in yet."));
    let signature = format!("sha256={}", sign(&shown, r#"{"text":"hello"}"#));
    let headers = [("x-signature-256", signature.as_str()), ("x-event", "deploy.done"), ("x-id", "1")];
    assert_eq!(deliver(&team, &row.id, &headers).await, 202);
    assert_eq!(deliver(&team, &row.id, &headers).await, 200, "the same again counts once");
    assert_eq!(deliver(&team, &row.id, &[("x-signature-256", "sha256=00")]).await, 401);
    let page = browser.get(&url).await;
    assert!(page.body.contains("deploy.done") && page.body.contains("Received"), "{}", page.body);
    let page = browser.get(&team.url("/topics/team")).await;
    assert!(page.body.contains("deploy.done") && page.body.contains("<bdi>CI</bdi>"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_opens_the_door() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    for (preset, expected) in [("hmac", "hook"), ("token", "hook"), ("gitlab", "ping"), ("github", "com.github.ping")] {
        let page = made(&team, &mut browser, preset, &[]).await;
        let shown = secret(&page);
        let example = page.body.split("<pre tabindex=\"0\"><code>").nth(1).unwrap().split("</code>").next().unwrap();
        let example = unescape(example);
        let before = team.events().await.len();
        let run = std::process::Command::new("bash")
            .args([
                "-c",
                &format!(
                    "set -e\n{}",
                    example.replace("curl ", "curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' ")
                ),
            ])
            .env("SECRET", &shown)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&run.stdout), "202", "{preset}: {example}\n{run:?}");
        let events = team.events().await;
        assert_eq!((events.len(), events.last().unwrap().event_type.as_str()), (before + 1, expected), "{preset}");
    }
}

fn unescape(text: &str) -> String {
    let pairs = [("&quot;", "\""), ("&#x2f;", "/"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_takes_the_place_of_the_old_one() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = made(&team, &mut browser, "gitee", &[]).await;
    let old = secret(&page);
    let id = team.integrations().await.remove(0).id;
    let page = browser.get(&team.url(&format!("/topics/team/integrations/{id}"))).await;
    let page = team.press(&mut browser, &page, "secret").await;
    let new = secret(&page);
    assert_ne!(new, old);
    assert_eq!(deliver(&team, &id, &[("x-gitee-token", &old)]).await, 401);
    assert_eq!(deliver(&team, &id, &[("x-gitee-token", &new)]).await, 202);
    let page = browser.get(&team.url(&format!("/topics/team/integrations/{id}"))).await;
    assert!(!page.body.contains(&new));
    let page = team.press(&mut browser, &page, "remove_here").await;
    assert!(page.location().ends_with("said=integration-removed-here"), "{}", page.location());
    assert_eq!(deliver(&team, &id, &[("x-gitee-token", &new)]).await, 404);
    assert_eq!(browser.get(&team.url(&format!("/topics/team/integrations/{id}"))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_door_is_told_at_the_field() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    for (fields, field) in [
        ([("label", " "), ("header", "X-A"), ("prefix", "")], "label"),
        ([("label", "CI"), ("header", "X A"), ("prefix", "")], "header"),
        ([("label", "CI"), ("header", "X-A"), ("prefix", "a b")], "prefix"),
        ([("label", "CI"), ("header", "X-A"), ("id_header", "x-a")], "header"),
    ] {
        let page = made(&team, &mut browser, "hmac", &fields).await;
        assert_eq!(page.status, 422, "{field}");
        assert!(page.body.contains(&format!("<a href=\"#{field}\">")), "{}", page.body);
    }
    assert!(team.integrations().await.is_empty());
    let page = browser.get(&team.url("/topics/team/integrations/new?preset=hmac")).await;
    let fields = [("label", "CI"), ("header", "X-A"), ("id", "not an id")];
    let page = browser.submit(&page, "/topics/team/integrations", &fields).await;
    assert_eq!(page.status, 403, "a field of ours twice is no form of ours: {}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_seen_by_the_owners_of_its_own_topic() {
    let (team, _browser, mut bob, id) = a_source_and_bob().await;
    // Bob, through his own topic and through hers.
    for topic in ["bobs", "team"] {
        let url = team.url(&format!("/topics/{topic}/integrations/{id}"));
        assert_eq!(bob.get(&url).await.status, 404, "{topic}");
        let csrf = bob.get(&team.url("/topics")).await.hidden("/topics").remove(0).1;
        for action in ["secret", "remove_here", "remove", "ping", "attach"] {
            let page = bob.post(&url, &[("csrf", &csrf), ("action", action)]).await;
            assert_eq!(page.status, 404, "{topic} {action}");
        }
    }
    assert_eq!(team.integrations().await.len(), 1);
    // A form that names her source's id makes nothing of it.
    assert_eq!(claim(&team, &mut bob, &id).await.status, 400);
}

/// Alice's browser, that of bob, who has a topic of his own, and the id of a source in hers.
async fn a_source_and_bob() -> (Team, Browser, Browser, String) {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let mut bob = team.browser("bob").await;
    team.make_topic(&mut bob, "bobs").await;
    made(&team, &mut browser, "hmac", &[]).await;
    let id = team.integrations().await.remove(0).id;
    (team, browser, bob, id)
}

/// What bob is told when he makes a source in his topic whose id he chose.
async fn claim(team: &Team, bob: &mut Browser, id: &str) -> Page {
    let page = bob.get(&team.url("/topics/bobs/integrations/new?preset=token")).await;
    let fields = [("id", id), ("label", "x"), ("header", "X-A")];
    submit_filled(bob, &page, "/topics/bobs/integrations", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_at_a_removed_source_is_not_for_whoever_takes_its_id() {
    let (team, mut browser, mut bob, id) = a_source_and_bob().await;
    // More than go with the source at once.
    for number in 0..501 {
        received(&team, &id, number).await;
    }
    let page = browser.get(&team.url(&format!("/topics/team/integrations/{id}"))).await;
    team.press(&mut browser, &page, "remove_here").await;
    assert!(team.integrations().await.is_empty());
    assert_eq!(team.house.server.store().deliveries(&id, None, 9).await.unwrap().len(), 1);
    assert_eq!(claim(&team, &mut bob, &id).await.status, 400);
    // An id that nobody had is his.
    let other = format!("{}{}", &id[..31], if id.ends_with('0') { '1' } else { '0' });
    assert_eq!(claim(&team, &mut bob, &other).await.status, 200);
}

async fn received(team: &Team, id: &str, number: u32) {
    let append = NewEvent {
        topic: "team".to_owned(),
        at: team.house.clock.now(),
        event_type: "hook".to_owned(),
        source: format!("/hooks/{id}"),
        subject: None,
        delivery: None,
        data: Some("{}".to_owned()),
        body: None,
    };
    let (integration, delivery, event) = (id.to_owned(), number.to_string(), "hook".to_owned());
    let delivery = Delivery { integration, delivery, earlier: None, event, append };
    team.house.server.store().receive(delivery).await.unwrap();
}
