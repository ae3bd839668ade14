//! Who belongs to a topic is its owners' word; nobody is kept, and a topic has an owner.

use fujie_store::{Member, Role};

use super::team::Team;
use crate::{
    browser::{Browser, Page},
    house::client,
};

async fn settings(team: &Team, browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(&team.url("/topics/team/settings")).await;
    let csrf = ("csrf".to_owned(), page.hidden("/topics/team/members").remove(0).1);
    let mut all = vec![(csrf.0.as_str(), csrf.1.as_str())];
    all.extend(fields);
    browser.post(&team.url("/topics/team/members"), &all).await
}

async fn role(team: &Team, member: &Member) -> Option<Role> {
    team.house.server.store().role("team", member).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_added_by_name_or_number_and_a_program_by_its_id() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let bob = team.house.server.store().account_named("bob").await.unwrap().unwrap().id;
    let carol = team.house.person("carol").await;
    let bot = team.house.add(client("bot")).await;
    for (kind, typed, member) in [
        ("account", " BOB ", Member::Account(bob)),
        ("account", &carol.to_string(), Member::Account(carol)),
        ("client", &bot.id, Member::Client(bot.id.clone())),
    ] {
        assert_eq!(role(&team, &member).await, None);
        let fields = [("action", "add"), ("kind", kind), ("member", typed)];
        let page = settings(&team, &mut alice, &fields).await;
        assert!(page.location().ends_with("said=member-added"), "{typed}: {}", page.location());
        assert_eq!(role(&team, &member).await, Some(Role::Member));
    }
    for (kind, typed) in
        [("account", "nobody"), ("account", ""), ("client", "bob"), ("account", "bot"), ("client", "fujie-channel")]
    {
        let fields = [("action", "add"), ("kind", kind), ("member", typed)];
        let page = settings(&team, &mut alice, &fields).await;
        assert!(page.status == 422 && page.body.contains("There is nobody called"), "{kind} {typed}: {}", page.body);
    }
    let mut bobs = team.browser("bob").await;
    let page = bobs.get(&team.url("/topics")).await;
    assert!(page.body.contains("href=\"/topics/team\""), "{}", page.body);
    assert_eq!(bobs.get(&team.url("/topics/team")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_no_form_that_is_for_owners_and_cannot_send_one() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    team.hooked(&mut alice).await;
    settings(&team, &mut alice, &[("action", "add"), ("kind", "account"), ("member", "bob")]).await;
    let id = team.integrations().await.remove(0).id;
    let mut bob = team.browser("bob").await;
    let page = bob.get(&team.url("/topics/team/settings")).await;
    assert!(page.body.contains("<bdi>alice</bdi>") && page.body.contains("xiaoming&#x2f;demo"), "{}", page.body);
    assert_eq!(page.body.matches("<form").count(), 1, "to leave is all: {}", page.body);
    assert!(!page.body.contains("integrations/") && !page.body.contains("/delete"), "{}", page.body);
    let csrf = page.hidden("/topics/team/members").remove(0).1;
    let member = team.house.alice.to_string();
    for (path, action) in [
        ("members", "add"),
        ("members", "make-member"),
        ("members", "remove"),
        ("targets", "add"),
        ("integrations", "add"),
        ("delete", ""),
        (format!("integrations/{id}").as_str(), "remove_here"),
    ] {
        let fields = [
            ("csrf", csrf.as_str()),
            ("action", action),
            ("kind", if path == "targets" { "dingtalk" } else { "account" }),
            ("id", &member),
            ("member", "carol"),
            ("name", "team"),
            ("label", "x"),
            ("preset", "token"),
            ("address", "https://oapi.dingtalk.com/robot/send?access_token=1"),
        ];
        let page = bob.post(&team.url(&format!("/topics/team/{path}")), &fields).await;
        assert_eq!(page.status, 404, "{path} {action}: {}", page.body);
    }
    for path in ["integrations/new", &format!("integrations/{id}")] {
        assert_eq!(bob.get(&team.url(&format!("/topics/team/{path}"))).await.status, 404, "{path}");
    }
    assert_eq!(role(&team, &Member::Account(team.house.alice)).await, Some(Role::Owner));
    assert_eq!(team.integrations().await.len(), 1);
    // A member posts like anybody.
    let page = bob.get(&team.url("/topics/team")).await;
    let page = bob.submit(&page, "/topics/team/events", &[("title", "hello")]).await;
    assert!(page.location().ends_with("said=posted"), "{}", page.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_stays_until_there_is_another() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let bob = team.house.server.store().account_named("bob").await.unwrap().unwrap().id;
    settings(&team, &mut alice, &[("action", "add"), ("kind", "account"), ("member", "bob")]).await;
    let (own, bobs) = (team.house.alice.to_string(), bob.to_string());
    for fields in [
        vec![("action", "leave")],
        vec![("action", "remove"), ("kind", "account"), ("id", own.as_str())],
        vec![("action", "make-member"), ("kind", "account"), ("id", own.as_str())],
    ] {
        let page = settings(&team, &mut alice, &fields).await;
        assert!(page.status == 422 && page.body.contains("A topic needs an owner."), "{fields:?}: {}", page.body);
    }
    let page = settings(&team, &mut alice, &[("action", "make-owner"), ("kind", "account"), ("id", &bobs)]).await;
    assert!(page.location().ends_with("said=role-changed"), "{}", page.location());
    let page = settings(&team, &mut alice, &[("action", "leave")]).await;
    assert!(page.location().ends_with("/topics"), "{}", page.location());
    assert_eq!(alice.get(&team.url("/topics/team")).await.status, 404);
    assert_eq!(role(&team, &Member::Account(bob)).await, Some(Role::Owner));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_left_is_brought_back_by_a_form_from_before() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let bob = team.house.server.store().account_named("bob").await.unwrap().unwrap().id.to_string();
    settings(&team, &mut alice, &[("action", "add"), ("kind", "account"), ("member", "bob")]).await;
    let stale = alice.get(&team.url("/topics/team/settings")).await;
    assert!(stale.body.contains(&bob));
    let mut bobs = team.browser("bob").await;
    let page = bobs.get(&team.url("/topics/team/settings")).await;
    bobs.submit(&page, "/topics/team/members", &[("action", "leave")]).await;
    for action in ["make-owner", "remove"] {
        let page = settings(&team, &mut alice, &[("action", action), ("kind", "account"), ("id", &bob)]).await;
        assert!(page.location().ends_with("said=member-removed"), "{action}: {}", page.location());
    }
    assert_eq!(bobs.get(&team.url("/topics/team")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_not_tried_without_end() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    team.house.clock.stop();
    let mut statuses = Vec::new();
    for number in 0..32 {
        let name = format!("guess{number}");
        statuses.push(settings(&team, &mut alice, &[("action", "add"), ("member", &name)]).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 30);
    assert_eq!(statuses[31], 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_deleted_when_its_name_is_typed() {
    let team = Team::new().await;
    let mut alice = team.alice().await;
    let page = alice.get(&team.url("/topics/team/settings")).await;
    let wrong = alice.submit(&page, "/topics/team/delete", &[("name", "Team")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("Nothing was deleted."), "{}", wrong.body);
    let page = alice.submit(&page, "/topics/team/delete", &[("name", " team ")]).await;
    assert!(page.location().ends_with("/topics"), "{}", page.location());
    assert_eq!(alice.get(&team.url("/topics/team")).await.status, 404);
}
