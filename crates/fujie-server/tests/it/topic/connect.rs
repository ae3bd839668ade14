//! From the button to a token that acts for whom is signed in: asked for when it is needed, bound to browser, session
//! and account, and never a sign-in.

use serde_json::json;

use super::team::Team;
use crate::browser::{Browser, Page};

const NEW: &str = "/topics/team/integrations/new?connection=github";

/// The page from which alice is sent to GitHub, and where she is sent.
async fn begun(team: &Team, browser: &mut Browser) -> Page {
    let page = browser.get(&team.url(NEW)).await;
    browser.submit(&page, "/broker/github/connect", &[]).await
}

async fn has_token(team: &Team) -> bool {
    team.house.server.store().upstream_token(team.house.alice, "github").await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_topic_to_the_first_push_in_a_few_clicks() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    assert!(!team.ask_github("sign-ins").await.to_string().contains("repo_hook"), "a sign-in asks for nothing of it");
    let page = browser.get(&team.url("/topics/team/settings")).await;
    assert!(page.body.contains("href=\"/topics/team/integrations/new\""), "{}", page.body);
    let page = browser.get(&team.url("/topics/team/integrations/new")).await;
    assert!(page.body.contains("new?connection=github"), "{}", page.body);
    let page = browser.get(&team.url(NEW)).await;
    assert!(page.body.contains("Connect with GitHub") && !page.body.contains("xiaoming/demo"), "{}", page.body);
    let page = browser.submit(&page, "/broker/github/connect", &[]).await;
    assert!(page.location().contains("scope=write%3Arepo_hook"), "{}", page.location());
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("value=\"xiaoming&#x2f;demo\""), "{}", page.body);
    assert_eq!(team.house.session(&browser).await.unwrap().account.id, team.house.alice);
    let fields = [("repository", "xiaoming/demo"), ("event-push", "1")];
    let page = browser.submit(&page, "/topics/team/integrations", &fields).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("The webhook is created."), "{}", page.body);
    let hook = team.hooks().await.remove(0);
    let integration = team.integrations().await.remove(0);
    assert_eq!(hook["config"]["url"], team.url(&format!("/hooks/{}", integration.id)));
    assert_eq!((&hook["config"]["content_type"], &hook["events"]), (&json!("json"), &json!(["push"])));
    assert_eq!(integration.hook.unwrap().id, hook["id"].as_u64());
    let told = team.happen("push").await;
    assert_eq!(told["deliveries"][0]["status_code"], 202, "{told}");
    let types: Vec<_> = team.events().await.into_iter().map(|event| event.event_type).collect();
    assert!(types.contains(&"com.github.push".to_owned()), "{types:?}");
    let page = browser.get(&team.url("/topics/team")).await;
    assert!(page.body.contains("pushed 1 commit to main of xiaoming&#x2f;demo"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_the_browser_calls_twice_is_no_failure() {
    let team = Team::new().await;
    team.house.clock.stop();
    // Calls are counted by minute, and one may end between the two.
    for seconds in [0, 60] {
        let mut browser = Browser::new();
        let page = browser.get(&team.url("/sign-in")).await;
        let page = browser.submit(&page, "/broker/github/start", &[]).await;
        let callback = team.decided(&mut browser, &page, "confirm", "lihua").await;
        let first = browser.get(&callback).await;
        assert!(first.location().contains("/bind"), "{}", first.location());
        team.house.later(seconds).await;
        // GitHub does not tell a code that was used from one that never was.
        let second = browser.get(&callback).await;
        let second = browser.follow_within(second, &team.house.issuer).await;
        assert!(second.body.contains("action=\"/bind\""), "{} {}", second.url, second.body);
    }
    // A code that never was is told as before.
    let mut other = Browser::new();
    let page = other.get(&team.url("/sign-in")).await;
    let page = other.submit(&page, "/broker/github/start", &[]).await;
    let callback = team.decided(&mut other, &page, "confirm", "lihua").await;
    let page = other.get(&callback.replace("code=", "code=0")).await;
    assert!(page.location().contains("error=expired"), "{}", page.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_at_github_is_refused_and_nothing_is_kept() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let flows = browser.flows();
    let page = begun(&team, &mut browser).await;
    let page = team.decide(&mut browser, &page, "confirm", "lihua").await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("Another GitHub account") && page.body.contains("李华"), "{}", page.body);
    assert!(!has_token(&team).await);
    assert_eq!(team.house.session(&browser).await.unwrap().account.id, team.house.alice, "nobody changed account");
    assert_eq!(team.call(&team.tokens().pop().unwrap(), "/user").await.status, 401, "what lihua gave is ended");
    assert_eq!(browser.flows(), flows, "this one is spent");
    // Alice herself can try again.
    let page = begun(&team, &mut browser).await;
    team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    assert!(has_token(&team).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_removes_github_from_the_account_takes_the_permission_back_too() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    team.connected(&mut browser).await;
    let token = team.tokens().pop().unwrap();
    assert_eq!(team.call(&token, "/user").await.status, 200);
    let path = team.house.identity_paths(&mut browser).await.remove(0);
    let page = team.house.asked(&mut browser, &path, "alice").await;
    assert!(page.body.contains("forgets the permission that you gave it at GitHub"), "{}", page.body);
    let page = browser.submit(&page, &path, &[]).await;
    assert!(page.location().ends_with("/account"), "{}", page.location());
    assert!(!has_token(&team).await);
    assert_eq!(team.call(&token, "/user").await.status, 401, "it is ended at GitHub as well");
    let page = browser.get(&team.url(NEW)).await;
    assert!(page.body.contains("has no GitHub account connected yet"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_another_account_here_is_refused_as_well() {
    let team = Team::new().await;
    // Lihua has an account of her own, made by one click.
    let mut lihua = Browser::new();
    let page = lihua.get(&team.url("/sign-in")).await;
    let page = lihua.submit(&page, "/broker/github/start", &[]).await;
    let page = team.decide(&mut lihua, &page, "confirm", "lihua").await;
    let page = lihua.follow(&page).await;
    lihua.submit(&page, "/bind", &[("action", "create")]).await;
    let mut browser = team.alice().await;
    let page = begun(&team, &mut browser).await;
    let page = team.decide(&mut browser, &page, "confirm", "lihua").await;
    assert_eq!(page.status, 409);
    assert!(!has_token(&team).await);
    assert_eq!(team.house.session(&browser).await.unwrap().account.id, team.house.alice);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_github_is_asked_to_add_it_first() {
    let team = Team::new().await;
    let mut bob = team.browser("bob").await;
    team.make_topic(&mut bob, "bobs").await;
    let page = bob.get(&team.url("/topics/bobs/integrations/new?connection=github")).await;
    assert!(page.body.contains("has no GitHub account connected yet"), "{}", page.body);
    assert!(!page.body.contains("/broker/github/connect"));
    // The button there is an ordinary sign-in, which leads to the bind page.
    let page = bob.submit(&page, "/broker/github/start", &[]).await;
    assert!(!page.location().contains("repo_hook"));
    let page = team.decide(&mut bob, &page, "confirm", "zoe").await;
    assert!(page.location().contains("/bind"), "{}", page.location());
    // From there it is the usual way, and it ends where it began.
    let page = bob.follow(&page).await;
    let page = bob.submit(&page, "/bind", &[("action", "attach")]).await;
    let page = bob.follow(&page).await;
    let page = bob.submit(&page, "/sign-in", &[("username", "bob"), ("password", crate::house::PASSWORD)]).await;
    let page = bob.follow(&page).await;
    let page = bob.submit(&page, "/bind", &[("action", "confirm")]).await;
    assert!(page.location().ends_with("/topics/bobs"), "{}", page.location());
    let page = bob.get(&team.url("/topics/bobs/integrations/new?connection=github")).await;
    assert!(page.body.contains("/broker/github/connect"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_open_to_the_browser_and_session_that_began_it() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let page = begun(&team, &mut alice).await;
    let callback = team.decided(&mut alice, &page, "confirm", "xiaoming").await;
    let exchanged = team.tokens().len();
    // Another browser, signed in or not.
    let page = Browser::new().get(&callback).await;
    assert!(page.location().contains("/sign-in?error=lost"), "{}", page.location());
    let page = team.browser("bob").await.get(&callback).await;
    assert!(page.location().ends_with("/account"), "{}", page.location());
    // The same browser, in which somebody else has signed in since.
    let mut shared = alice.clone();
    let bob = team.browser("bob").await;
    shared.put_cookie("session", bob.cookie("session").unwrap());
    let page = shared.get(&callback).await;
    assert!(page.location().ends_with("/account"), "{}", page.location());
    // The same browser, signed out: it does not sign in again by this.
    let mut out = alice.clone();
    out.cookies.retain(|name, _| !name.ends_with("_session"));
    let page = out.get(&callback).await;
    assert!(page.location().contains("/sign-in?error=lost") && out.cookie("session").is_none());
    assert_eq!(team.tokens().len(), exchanged, "no code was exchanged");
    assert!(!has_token(&team).await);
    assert!(alice.get(&callback).await.location().contains(NEW));
    assert!(has_token(&team).await);
    // Once more: it is spent.
    let before = alice.cookie("session").unwrap().to_owned();
    assert!(alice.get(&callback).await.location().ends_with("/account"));
    assert_eq!(alice.cookie("session"), Some(before.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_good_for_what_it_was_begun_for() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let session = alice.cookie("session").unwrap().to_owned();
    // A sign-in's callback keeps no token.
    let page = alice.get(&team.url("/sign-in")).await;
    let page = alice.submit(&page, "/broker/github/start", &[]).await;
    team.decide(&mut alice, &page, "confirm", "xiaoming").await;
    assert!(!has_token(&team).await);
    assert_ne!(alice.cookie("session"), Some(session.as_str()), "it signed in anew");
    // And a connection begins no session.
    let session = alice.cookie("session").unwrap().to_owned();
    team.connected(&mut alice).await;
    assert_eq!(alice.cookie("session"), Some(session.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_at_github_is_told_where_it_began() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let flows = browser.flows();
    let page = begun(&team, &mut browser).await;
    let page = team.decide(&mut browser, &page, "refuse", "xiaoming").await;
    assert!(page.location().ends_with("connection=github&fault=denied"), "{}", page.location());
    let page = browser.follow(&page).await;
    assert!(page.body.contains("You did not allow it at GitHub."), "{}", page.body);
    assert!(!has_token(&team).await && browser.flows() == flows);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_disconnect_ends_the_token_on_both_sides() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    let token = team.tokens().pop().unwrap();
    assert_eq!(team.call(&token, "/user").await.status, 200);
    let page = browser.submit(&page, "/broker/github/disconnect", &[]).await;
    assert!(page.location().ends_with(NEW), "{}", page.location());
    assert!(!has_token(&team).await);
    assert_eq!(team.call(&token, "/user").await.status, 401);
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Connect with GitHub"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_place_is_not_sent_to_another() {
    let team = Team::new().await.at_place(Some("elsewhere.example")).await;
    let mut browser = team.alice().await;
    let page = team.connected(&mut browser).await;
    assert!(page.body.contains("xiaoming&#x2f;demo"), "{}", page.body);
    let team = team.at_place(None).await;
    let mut browser = team.alice_joined().await;
    assert!(has_token(&team).await);
    let page = browser.get(&team.url(NEW)).await;
    assert!(page.body.contains("Connect with GitHub"), "{}", page.body);
    assert!(!page.body.contains("xiaoming&#x2f;demo"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_form_of_ours_begins_or_ends_a_connection() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    team.connected(&mut browser).await;
    let flows = browser.flows();
    for act in ["connect", "disconnect"] {
        let url = team.url(&format!("/broker/github/{act}"));
        let page = browser.post(&url, &[("topic", "team")]).await;
        assert_eq!(page.status, 403, "{act}");
        assert_eq!(browser.get(&url).await.status, 405, "{act}");
        // A form of ours, sent by another site.
        let own = browser.get(&team.url("/topics/team/settings")).await;
        let csrf = own.hidden("/topics/team/members").remove(0).1;
        let body = crate::browser::form(&[("csrf", &csrf), ("topic", "team")]);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        assert_eq!(browser.send_as(&url, &headers, Some(&body)).await.status, 403, "{act}");
    }
    assert!(has_token(&team).await && browser.flows() == flows);
    assert_eq!(browser.post(&team.url("/broker/wechat/connect"), &[]).await.status, 404);
}
