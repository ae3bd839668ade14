//! What GitHub refuses, and what breaks between us: told in words, and nothing is left half done.

use serde_json::json;

use super::team::Team;
use crate::browser::{Browser, Page};

async fn choose(team: &Team, browser: &mut Browser, page: &Page, repository: &str) -> Page {
    let fields = [("repository_typed", repository), ("event-push", "1")];
    let page = browser.submit(page, "/topics/team/integrations", &fields).await;
    if page.status == 303 { browser.follow_within(page, &team.house.issuer).await } else { page }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_ones_own_is_refused_in_words() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    for repository in ["zoe/demo", "xiaoming/nothing", "no repository", "../..", "a/b/c"] {
        let page = choose(&team, &mut browser, &page, repository).await;
        assert_eq!(page.status, 422, "{repository}");
        assert!(page.body.contains("GitHub does not show it to you"), "{repository}: {}", page.body);
        assert!(team.integrations().await.is_empty(), "{repository}");
    }
    let page = choose(&team, &mut browser, &page, "zoe/demo").await;
    assert!(page.body.contains("value=\"zoe&#x2f;demo\""), "what was typed stands there");
    let page = choose(&team, &mut browser, &page, " ").await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Choose a repository, or type its name."), "{}", page.body);
    assert!(!page.body.contains("does not show it to you"), "GitHub was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_github_does_not_call_is_refused_in_words() {
    let team = Team::new().await;
    team.tell_github("switches", json!({ "refuse_localhost_hooks": true })).await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    let page = choose(&team, &mut browser, &page, "xiaoming/demo").await;
    assert!(page.status == 422 && page.body.contains("not reachable over the public internet"), "{}", page.body);
    assert!(team.integrations().await.is_empty() && team.hooks().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_taken_back_leads_to_connect_again() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.hooked(&mut browser).await;
    let url =
        format!("{}/_simulate/grants/{}/xiaoming", team.github.base_url(), fujie_simulator::github::DEFAULT_CLIENT_ID);
    team.house.http.delete(url).send().await.unwrap();
    let shown = browser.get(&page.url).await;
    assert!(shown.body.contains("cannot be compared") && shown.body.contains("Connect with GitHub"), "{}", shown.body);
    for action in ["ping", "again_all", "secret", "remove"] {
        let form = page.url.trim_start_matches(&team.house.issuer).split('?').next().unwrap().to_owned();
        let page = browser.submit(&shown, &form, &[("action", action)]).await;
        assert!(page.location().ends_with("fault=token-over"), "{action}: {}", page.location());
    }
    let choice = browser.get(&team.url("/topics/team/integrations/new?connection=github")).await;
    assert!(
        choice.body.contains("Connect again.") && choice.body.contains("/broker/github/connect"),
        "{}",
        choice.body
    );
    // Connected again, all is well.
    let page = browser.submit(&shown, "/broker/github/connect", &[]).await;
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Everything that GitHub lists has arrived."), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_hook_and_its_number_is_mended_by_continuing() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    // GitHub makes the hook, and we do not hear of it.
    team.house.upstream.tamper(|url, body| {
        let made = url.ends_with("/hooks") && body.starts_with(b"{");
        made.then(|| b"<html>".to_vec())
    });
    let page = choose(&team, &mut browser, &page, "xiaoming/demo").await;
    assert!(page.status == 200 && page.body.contains("Not finished yet"), "{}", page.body);
    assert_eq!((team.hooks().await.len(), team.integrations().await.len()), (1, 1));
    assert_eq!(team.integrations().await[0].hook.as_ref().unwrap().id, None);
    // Until its number is known, nothing else can be done with it.
    let shown = browser.get(&page.url).await;
    assert!(!shown.body.contains("value=\"ping\"") && shown.body.contains("value=\"remove_here\""), "{}", shown.body);
    let form = page.url.trim_start_matches(&team.house.issuer).split('?').next().unwrap().to_owned();
    assert_eq!(browser.submit(&shown, &form, &[("action", "ping")]).await.status, 400);
    // It works already, since the door was there before the hook.
    assert_eq!(team.happen("push").await["deliveries"][0]["status_code"], 202);
    team.house.upstream.tamper(|_, _| None);
    let form = page.url.trim_start_matches(&team.house.issuer).split('?').next().unwrap().to_owned();
    let page = browser.submit(&page, &form, &[("action", "attach"), ("event-issues", "1")]).await;
    assert!(page.location().ends_with("said=hook-made"), "{}", page.location());
    let hooks = team.hooks().await;
    assert_eq!(hooks.len(), 1, "it was found, not made again");
    assert_eq!(hooks[0]["events"], json!(["issues"]));
    assert_eq!(team.integrations().await[0].hook.as_ref().unwrap().id, hooks[0]["id"].as_u64());
    assert_eq!(team.happen("issues").await["deliveries"][0]["status_code"], 202, "with the same secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn github_that_is_away_leaves_a_door_that_can_be_finished_or_removed() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    let fault = json!({ "at": "/api/v3/repos/*", "kind": "cut", "bytes": 0, "times": 1 });
    team.tell_github("faults", fault).await;
    let page = choose(&team, &mut browser, &page, "xiaoming/demo").await;
    assert!(page.body.contains("GitHub did not answer.") && page.body.contains("Not finished yet"), "{}", page.body);
    assert!(team.hooks().await.is_empty());
    let form = page.url.trim_start_matches(&team.house.issuer).split('?').next().unwrap().to_owned();
    let page = browser.submit(&page, &form, &[("action", "attach"), ("event-push", "1")]).await;
    assert!(page.location().ends_with("said=hook-made"), "{}", page.location());
    assert_eq!(team.hooks().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_twice_makes_one_hook() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    let first = choose(&team, &mut browser, &page, "xiaoming/demo").await;
    let second = choose(&team, &mut browser, &page, "xiaoming/demo").await;
    assert_eq!(first.url.split('?').next(), second.url.split('?').next());
    assert_eq!((team.hooks().await.len(), team.integrations().await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_repositories_that_cannot_be_had_is_told() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    team.connected(&mut browser).await;
    let at = "/api/v3/user/repos";
    for (fault, words) in [
        (json!({ "at": at, "kind": "cut", "bytes": 0 }), "GitHub did not answer."),
        (json!({ "at": at, "kind": "garbage" }), "the reason is in the server’s log"),
    ] {
        team.tell_github("faults", fault).await;
        let page = browser.get(&team.url("/topics/team/integrations/new?connection=github")).await;
        assert!(page.status == 200 && page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_shown_in_parts_and_found_by_name() {
    let many = |config: &mut fujie_simulator::github::GithubConfig| {
        let own = (0..40).map(|number| fujie_simulator::github::Repository::public("xiaoming", &format!("r{number}")));
        config.repositories.extend(own);
    };
    let team = Team::with(many).await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    let count = |page: &Page| page.body.matches("name=\"repository\"").count();
    assert_eq!(count(&page), 30);
    assert!(page.body.contains("part=2") && !page.body.contains("part=0"), "{}", page.body);
    let page = browser.get(&team.url("/topics/team/integrations/new?connection=github&part=2")).await;
    assert!((1..30).contains(&count(&page)) && page.body.contains("part=1") && !page.body.contains("part=3"));
    let page = browser.get(&team.url("/topics/team/integrations/new?connection=github&q=R39")).await;
    assert_eq!(count(&page), 1);
    assert!(page.body.contains("xiaoming&#x2f;r39"), "{}", page.body);
    let page = browser.get(&team.url("/topics/team/integrations/new?connection=github&q=zzz")).await;
    assert!(page.body.contains("No repository of yours has this in its name."), "{}", page.body);
}
