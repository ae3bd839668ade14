//! A topic's pages: the list, what happened, a notice, the way there for who is not signed in.

use serde_json::Value;

use super::team::{Team, submit_filled};
use crate::browser::{Browser, Page};

async fn create(team: &Team, browser: &mut Browser, name: &str, title: &str) -> Page {
    let page = browser.get(&team.url("/topics")).await;
    browser.submit(&page, "/topics", &[("name", name), ("title", title)]).await
}

async fn post(team: &Team, browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(&team.url("/topics/team")).await;
    submit_filled(browser, &page, "/topics/team/events", fields).await
}

fn data(event: &fujie_store::ChannelEvent) -> Value {
    serde_json::from_str(event.data.as_deref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_and_listed() {
    let team = Team::new().await;
    let mut browser = team.browser("alice").await;
    let page = browser.get(&team.url("/account")).await;
    assert!(page.body.contains("href=\"/topics\""), "{}", page.body);
    let page = browser.get(&team.url("/topics")).await;
    assert!(page.body.contains("You do not belong to a topic yet.") && page.body.contains("your user name: alice"));
    assert!(create(&team, &mut browser, "deploys-1", " 发布 ").await.location().ends_with("/topics/deploys-1"));
    for (name, title, words) in [
        ("deploys-1", "x", "There is a topic of this name already."),
        ("Team", "x", "This name cannot be used."),
        ("-a", "x", "This name cannot be used."),
        (&"a".repeat(64), "x", "This name cannot be used."),
        ("fujie", "x", "Only administrators can make it."),
        ("b", " ", "Give the topic a title"),
        ("b", &"长".repeat(81), "Give the topic a title"),
    ] {
        let page = create(&team, &mut browser, name, title).await;
        assert!(page.status == 422 && page.body.contains(words), "{name} {title}: {}", page.body);
    }
    let page = browser.get(&team.url("/topics")).await;
    assert!(page.body.contains("<bdi>发布</bdi>") && page.body.contains("Owner"), "{}", page.body);
    for number in 2..=20 {
        create(&team, &mut browser, &format!("t{number}"), "x").await;
    }
    let page = create(&team, &mut browser, "t21", "x").await;
    assert!(page.body.contains("as many topics as one account may"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_posted_and_read() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    let fields = [
        ("kind", "meeting"),
        ("title", "周会"),
        ("at", "2026-11-23T10:00"),
        ("offset", "480"),
        ("text", "议题：发布\r\n<script>alert(1)</script>"),
    ];
    let page = post(&team, &mut browser, &fields).await;
    assert!(page.location().ends_with("/topics/team?said=posted"), "{}", page.location());
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Your notice is out.") && page.body.contains("Meeting: 周会"), "{}", page.body);
    assert!(page.body.contains("2026-11-23 10:00 UTC+") && !page.body.contains("<script>alert"), "{}", page.body);
    let event = team.events().await.remove(0);
    assert_eq!((event.event_type.as_str(), event.source.as_str()), ("notice", "/topics/team"));
    let told = data(&event);
    assert_eq!((&told["kind"], &told["author"]), (&"meeting".into(), &"alice".into()));
    assert_eq!(told["at"], "2026-11-23T10:00:00+08:00");
    for (field, value, words) in [
        ("title", " ", "Give the notice a title"),
        ("at", "soon", "This is not a date and time."),
        ("text", &"长".repeat(5001), "The details are too long."),
    ] {
        let mut fields = vec![("kind", "activity"), ("title", "春游"), ("text", "带伞"), ("at", "")];
        fields.retain(|(own, _)| *own != field);
        fields.push((field, value));
        let page = post(&team, &mut browser, &fields).await;
        assert!(page.status == 422 && page.body.contains(words), "{field}: {}", page.body);
        assert!(page.body.contains("value=\"activity\" checked"), "what was typed stands there");
    }
    assert_eq!(team.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_events_are_a_link_away_and_news_are_asked_for() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    for number in 0..120 {
        post(&team, &mut browser, &[("title", &format!("no {number}."))]).await;
    }
    let page = browser.get(&team.url("/topics/team")).await;
    assert!(page.header("content-security-policy").contains("connect-src 'self'"));
    let has = |page: &Page, number: u32| page.body.contains(&format!("Notice: no {number}."));
    assert!(has(&page, 119) && has(&page, 70) && !has(&page, 69), "fifty at first");
    let link = "id=\"older\" class=\"button\" href=\"/topics/team?before=";
    let older = |page: &Page| page.body.split(link).nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let page = browser.get(&team.url(&format!("/topics/team?before={}", older(&page).unwrap()))).await;
    assert!(!has(&page, 70) && has(&page, 69) && has(&page, 20) && !has(&page, 19));
    assert!(!page.body.contains(" data-live>"), "an older part does not change");
    let page = browser.get(&team.url(&format!("/topics/team?before={}", older(&page).unwrap()))).await;
    assert!(has(&page, 19) && has(&page, 0) && older(&page).is_none());
    let events = team.events().await;
    let cards = async |browser: &mut Browser, after: i64| {
        browser.get(&team.url(&format!("/topics/team/cards?after={after}"))).await.json()
    };
    let news = cards(&mut browser, events[117].id).await;
    let titles: Vec<_> = news["cards"].as_array().unwrap().iter().map(|card| card["title"].clone()).collect();
    assert_eq!(titles, ["Notice: no 119.", "Notice: no 118."]);
    assert_eq!((&news["cards"][0]["from"], &news["has_gap"]), (&"alice".into(), &false.into()));
    let news = cards(&mut browser, events[10].id).await;
    assert_eq!((news["cards"].as_array().unwrap().len(), &news["has_gap"]), (50, &true.into()));
    browser.language = "zh-CN";
    assert_eq!(cards(&mut browser, events[118].id).await["cards"][0]["title"], "【通知】no 119.");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_belong_to_a_topic_is_not_told_that_it_is_there() {
    let team = Team::new().await;
    team.alice().await;
    let mut bob = team.browser("bob").await;
    let csrf = bob.get(&team.url("/topics")).await.hidden("/topics").remove(0).1;
    for topic in ["team", "nothing"] {
        for path in ["", "/settings", "/cards?after=0", "/integrations/new", "/integrations/new?connection=github"] {
            let page = bob.get(&team.url(&format!("/topics/{topic}{path}"))).await;
            assert!(page.status == 404 && page.body.contains("There is nothing here"), "{topic}{path}: {}", page.body);
        }
        for path in ["/events", "/members", "/targets", "/integrations", "/delete"] {
            let fields = [("csrf", csrf.as_str()), ("action", "leave"), ("name", topic), ("title", "x")];
            let page = bob.post(&team.url(&format!("/topics/{topic}{path}")), &fields).await;
            assert!(page.status == 404 && page.body.contains("There is nothing here"), "{topic}{path}: {}", page.body);
        }
    }
    assert_eq!(bob.get(&team.url("/topics/team/events")).await.status, 403, "nor does the stream let him in");
    assert_eq!(team.events().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_is_led_there_and_back() {
    let team = Team::new().await;
    team.alice().await;
    let mut browser = Browser::new();
    let page = browser.get(&team.url("/topics/team/settings")).await;
    assert!(page.location().ends_with("/sign-in?resume=/topics/team"), "{}", page.location());
    let page = browser.follow(&page).await;
    let page = team.house.sign_in(&mut browser, page, "alice").await;
    assert!(page.url.ends_with("/topics/team") && page.status == 200, "{} {}", page.url, page.body);
    // By GitHub as well.
    let mut browser = Browser::new();
    let page = browser.get(&team.url("/topics")).await;
    let page = browser.follow(&page).await;
    let page = browser.submit(&page, "/broker/github/start", &[]).await;
    let page = team.decide(&mut browser, &page, "confirm", "xiaoming").await;
    assert!(page.location().ends_with("/topics"), "{}", page.location());
    // And to no other place than a topic's page.
    for resume in ["//evil.example", "/topics/../account", "https://evil.example/topics/team", "/topics//evil.example"]
    {
        let mut browser = Browser::new();
        let encoded = crate::browser::form(&[("resume", resume)]);
        let page = browser.get(&team.url(&format!("/sign-in?{encoded}"))).await;
        let page = team.house.sign_in(&mut browser, page, "alice").await;
        assert!(page.url.starts_with(&team.url("/authorize?resume=")), "{resume}: {}", page.url);
    }
    let page = Browser::new().get(&team.url("/topics/team/cards?after=0")).await;
    assert_eq!(page.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_topic_is_ours_or_is_refused() {
    let team = Team::new().await;
    let mut browser = team.alice().await;
    team.hooked(&mut browser).await;
    let id = team.integrations().await.remove(0).id;
    let csrf = browser.get(&team.url("/topics")).await.hidden("/topics").remove(0).1;
    let other = team.browser("bob").await.get(&team.url("/topics")).await.hidden("/topics").remove(0).1;
    let before = (team.events().await.len(), team.integrations().await.len());
    let fields = [
        ("action", "remove_here"),
        ("name", "team"),
        ("title", "x"),
        ("kind", "dingtalk"),
        ("label", "x"),
        ("address", "https://oapi.dingtalk.com/robot/send?access_token=1"),
        ("preset", "token"),
        ("id", "0192f3a17c2e4b5f8a6d3e9c1b7f0a24"),
        ("header", "X-A"),
        ("member", "bob"),
    ];
    let one = format!("/topics/team/integrations/{id}");
    let paths = [
        "/topics",
        "/topics/team/events",
        "/topics/team/members",
        "/topics/team/targets",
        "/topics/team/targets/0192f3a17c2e4b5f8a6d3e9c1b7f0a24",
        "/topics/team/integrations",
        one.as_str(),
        "/topics/team/delete",
    ];
    for path in paths {
        let url = team.url(path);
        assert_eq!(browser.post(&url, &fields).await.status, 403, "{path} without a token");
        let with = |token| [&[("csrf", token)], fields.as_slice()].concat();
        assert_eq!(browser.post(&url, &with(&other)).await.status, 403, "{path} with somebody else's");
        let body = crate::browser::form(&with(&csrf));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-site")];
        assert_eq!(browser.send_as(&url, &headers, Some(&body)).await.status, 403, "{path} from another site");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")];
        assert_eq!(browser.send_as(&url, &headers, Some(&body)).await.status, 403, "{path} from another origin");
    }
    assert_eq!((team.events().await.len(), team.integrations().await.len()), before);
    assert_eq!(team.house.server.store().topics("").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_of_the_servers_own_events_is_for_administrators() {
    let team = Team::new().await;
    let mut bob = team.browser("bob").await;
    let account = team.house.server.store().account_named("bob").await.unwrap().unwrap();
    let new = fujie_store::NewTopic { name: "fujie".to_owned(), title: "x".to_owned(), owner: account.id };
    team.house.server.store().create_topic(new, team.house.clock.now()).await.unwrap();
    assert_eq!(bob.get(&team.url("/topics/fujie")).await.status, 404, "though he is called its owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_for_notifications_is_served_at_the_root() {
    let team = Team::new().await;
    let page = Browser::new().get(&team.url("/push.js")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(page.body.contains("showNotification"));
    let page = Browser::new().get(&team.url("/assets/manifest.json")).await;
    assert_eq!(page.json()["start_url"], "/topics");
}
