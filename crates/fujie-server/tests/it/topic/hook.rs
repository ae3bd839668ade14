//! A hook at GitHub from then on: what did not arrive is found and fetched, its secret is replaced, it is removed.

use fujie_core::token::at_rest::AtRest;
use serde_json::json;

use super::team::{Team, happen};

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_found_and_delivered_again() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let page = browser.get(&page.url).await;
    assert!(page.body.contains("Everything that GitHub lists has arrived."), "{}", page.body);
    team.happen("push").await;
    let team = team
        .away(async |github| {
            for event in ["push", "issues", "push"] {
                happen(github, event).await;
            }
        })
        .await;
    let before = team.events().await.len();
    let page = browser.get(&page.url).await;
    assert!(page.body.contains("3 of the latest deliveries of GitHub did not arrive here."), "{}", page.body);
    assert!(page.body.contains("failed to connect to host") && page.body.contains("issues.opened"));
    // One of them.
    let head = team.head().await;
    let delivery = page.body.split("name=\"delivery\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = page.url.trim_start_matches(&team.house.issuer).split('?').next().unwrap().to_owned();
    let page = browser.submit(&page, &form, &[("action", "again"), ("delivery", delivery)]).await;
    assert!(page.location().ends_with("said=again&count=1"), "{}", page.location());
    team.reaches(head + 1).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("2 of the latest deliveries"), "{}", page.body);
    // And the others, oldest first.
    let page = team.press(&mut browser, &page, "again_all").await;
    assert!(page.location().ends_with("said=again&count=2"), "{}", page.location());
    team.reaches(head + 3).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Everything that GitHub lists has arrived."), "{}", page.body);
    assert_eq!(team.events().await.len(), before + 3, "each once");
    // Nothing is missing: nothing is asked for.
    let page = team.press(&mut browser, &page, "again_all").await;
    assert!(page.location().ends_with("count=0"), "{}", page.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_sent_on_demand() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let head = team.head().await;
    let page = team.press(&mut browser, &page, "ping").await;
    assert!(page.location().ends_with("said=pinged"), "{}", page.location());
    team.reaches(head + 1).await;
    assert_eq!(team.events().await.last().unwrap().event_type, "com.github.ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_in_use_here_and_at_github() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let secret = async || {
        let row = team.integrations().await.remove(0);
        team.house.server.open_secret(AtRest::WebhookSecret, &row.id, &row.sealed_secret).unwrap().expose().to_owned()
    };
    let old = secret().await;
    let page = team.press(&mut browser, &page, "secret").await;
    assert!(page.location().ends_with("said=secret-replaced"), "{}", page.location());
    let new = secret().await;
    assert!(new != old && new.len() == 64 && !new.contains('\n'), "the old one is good no more");
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
    // GitHub is down: nobody knows which one it has, so both are good.
    let fault = json!({ "at": "/api/v3/repos/xiaoming/demo/hooks/*", "kind": "cut", "bytes": 0, "times": 1 });
    let page = page_of(&team, &mut browser).await;
    team.tell_github("faults", fault).await;
    let page = team.press(&mut browser, &page, "secret").await;
    assert!(page.location().ends_with("fault=silent"), "{}", page.location());
    assert_eq!(secret().await.lines().nth(1), Some(new.as_str()));
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
    // Once more, and one is left.
    let page = page_of(&team, &mut browser).await;
    let page = team.press(&mut browser, &page, "secret").await;
    assert!(page.location().ends_with("said=secret-replaced"), "{}", page.location());
    assert_eq!(secret().await.lines().count(), 1);
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_that_github_has_stays_good_however_often_another_is_tried() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    team.hooked(&mut browser).await;
    // GitHub is asked to take another, and does not: we cannot know. So many are tried that no more are made.
    let mut said = Vec::new();
    for _ in 0..5 {
        let page = page_of(&team, &mut browser).await;
        let fault = json!({ "at": "/api/v3/repos/xiaoming/demo/hooks/*", "kind": "status", "status": 502 });
        team.tell_github("faults", fault).await;
        let page = team.press(&mut browser, &page, "secret").await;
        said.push(page.location().split('?').next_back().unwrap().to_owned());
        assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202, "{said:?}");
    }
    assert!(said.iter().all(|said| said == "fault=silent"), "{said:?}");
    // Then it refuses, and all is as it was.
    let before = secrets_of(&team).await;
    let page = page_of(&team, &mut browser).await;
    team.tell_github("faults", json!({ "at": "/api/v3/repos/xiaoming/demo/hooks/*", "kind": "rate_limit" })).await;
    let page = team.press(&mut browser, &page, "secret").await;
    assert!(page.location().ends_with("fault=rate-limited"), "{}", page.location());
    assert_eq!(before.len(), 4);
    assert_eq!(secrets_of(&team).await, before);
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
    // And then it takes one, which is the only one from then on.
    let page = page_of(&team, &mut browser).await;
    let page = team.press(&mut browser, &page, "secret").await;
    assert!(page.location().ends_with("said=secret-replaced"), "{}", page.location());
    assert_eq!(secrets_of(&team).await.len(), 1);
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
}

/// What deliveries to the one source may be signed with.
async fn secrets_of(team: &Team) -> Vec<String> {
    let row = team.integrations().await.remove(0);
    let kept = team.house.server.open_secret(AtRest::WebhookSecret, &row.id, &row.sealed_secret).unwrap();
    kept.expose().lines().map(str::to_owned).collect()
}

async fn page_of(team: &Team, browser: &mut crate::browser::Browser) -> crate::browser::Page {
    let row = team.integrations().await.remove(0);
    browser.get(&team.url(&format!("/topics/team/integrations/{}", row.id))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn to_remove_a_hook_a_wider_permission_is_asked_for_once_and_not_kept() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let page = team.press(&mut browser, &page, "remove").await;
    assert!(page.location().ends_with("said=not-removed"), "{}", page.location());
    assert_eq!(team.hooks().await.len(), 1);
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Allow and remove") && page.body.contains("Remove here only"), "{}", page.body);
    let kept = team.house.server.store().upstream_token(team.house.alice, "github").await.unwrap();
    let page = browser.submit(&page, "/broker/github/connect", &[]).await;
    assert!(page.location().contains("scope=admin%3Arepo_hook"), "{}", page.location());
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    assert!(page.location().ends_with("/topics/team/settings?said=integration-removed"), "{}", page.location());
    let wider = team.tokens().pop().unwrap();
    assert_eq!(team.call(&wider, "/user").await.status, 401, "it is ended");
    assert_eq!(team.house.server.store().upstream_token(team.house.alice, "github").await.unwrap(), kept);
    assert!(team.integrations().await.is_empty());
    assert!(team.hooks().await.is_empty());
    assert!(!team.events().await.is_empty(), "what came in stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_by_another_connection_removes_no_hook() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let team = team.with_another_connection().await;
    let page = browser.get(&page.url).await;
    let id = team.integrations().await.remove(0).id;
    let hidden = page.hidden(&format!("/topics/team/integrations/{id}"));
    let csrf = &hidden.iter().find(|(name, _)| name == "csrf").unwrap().1;
    let fields = [("csrf", csrf.as_str()), ("topic", "team"), ("integration", &id), ("scope", "admin")];
    let page = browser.post(&team.url("/broker/other/connect"), &fields).await;
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    assert_eq!(page.status, 400, "{}", page.body);
    assert_eq!((team.hooks().await.len(), team.integrations().await.len()), (1, 1));
    assert_eq!(team.call(&team.tokens().pop().unwrap(), "/user").await.status, 401, "what was allowed is ended");
    // By its own it is removed.
    let page = browser.post(&team.url("/broker/github/connect"), &fields).await;
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    assert!(page.location().ends_with("said=integration-removed"), "{}", page.location());
    assert!(team.hooks().await.is_empty() && team.integrations().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_gone_at_github_is_removed_here() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    // Somebody removes it there.
    let hook = team.hooks().await.remove(0);
    let url = format!("{}/api/v3/repos/xiaoming/demo/hooks/{}", team.github.base_url(), hook["id"]);
    let request = team.house.http.delete(url).bearer_auth(team.admin_token().await).header("user-agent", "test");
    assert_eq!(crate::house::read(request).await.status, 204);
    let shown = browser.get(&page.url).await;
    assert!(shown.body.contains("GitHub does not show it to you"), "{}", shown.body);
    let page = team.press(&mut browser, &shown, "remove").await;
    assert!(page.location().ends_with("fault=hidden"), "{}", page.location());
    let page = browser.follow(&page).await;
    let page = team.press(&mut browser, &page, "remove_here").await;
    assert!(page.location().ends_with("said=integration-removed-here"), "{}", page.location());
    assert!(team.integrations().await.is_empty());
}
