//! Callbacks that do not belong to the browser they come in (sign-in forged across sites, and its many kin).

use fujie_core::account::Session;
use fujie_store::EventKind;

use crate::{
    browser::{Browser, Page},
    house::{House, WECHAT, WECHAT_2},
};

/// A plain message on the sign-in page; nobody is signed in, and nothing waits to be bound.
async fn assert_lost(browser: &mut Browser, callback: &str) {
    let before = browser.cookie("session").map(str::to_owned);
    let page = browser.get(callback).await;
    assert!(page.location().ends_with("error=lost") || page.location().contains("error=lost&"), "{}", page.location());
    let page = browser.follow(&page).await;
    assert!(page.status == 200 && page.body.contains("started in another browser"), "{}", page.body);
    assert_eq!(browser.cookie("session").map(str::to_owned), before);
    assert!(browser.cookie("bind").is_none());
}

fn who(session: Option<&Session>) -> Option<fujie_core::id::Id> {
    session.map(|session| session.account.id)
}

/// What `name` says in an address.
fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(own, _)| own == name).unwrap().1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_begun_by_an_attacker_cannot_be_finished_by_the_victim() {
    let house = House::new().await;
    let mut attacker = Browser::new();
    let page = attacker.get(&format!("{}/sign-in", house.issuer)).await;
    let begun = attacker.submit(&page, "/broker/wechat/start", &[]).await;
    // The victim opens the attacker's link and confirms on the phone: once signed out, once signed in as alice.
    for mut victim in [Browser::new(), house.alices_browser().await] {
        let before = who(house.session(&victim).await.as_ref());
        let qr = victim.get(&begun.location()).await;
        let callback = house.confirmed(&qr, "xiaoming").await;
        let page = victim.get(&callback).await;
        let page = victim.follow_within(page, &house.issuer).await;
        let expected = if before.is_some() { "Your account" } else { "started in another browser" };
        assert!(page.body.contains(expected), "{}", page.body);
        assert_eq!(who(house.session(&victim).await.as_ref()), before);
        assert!(victim.cookie("bind").is_none());
    }
    assert_eq!(house.upstream.codes(), 0, "no code was even looked at");
    assert_eq!(house.count(EventKind::IdentityBound).await, 0);
    assert!(house.server.store().identities_of(house.alice).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attackers_code_signs_nobody_in_whatever_state_comes_with_it() {
    let house = House::new().await;
    let mut attacker = Browser::new();
    let qr = house.qr(&mut attacker, "wechat").await;
    let theirs = house.confirmed(&qr, "lihua").await;
    let code = parameter(&theirs, "code");
    let callback = theirs.split_once('?').unwrap().0.to_owned();
    let mut victim = Browser::new();
    let qr = house.qr(&mut victim, "wechat").await;
    let own_state = house.phone(&qr, "scan", "xiaoming").await["state"].as_str().unwrap().to_owned();
    let almost = format!("{}{}", &own_state[..30], "0".repeat(own_state.len() - 30));
    for query in [
        format!("code={code}&state={}", parameter(&theirs, "state")),
        format!("code={code}"),
        format!("code={code}&state="),
        format!("code={code}&state=anything"),
        format!("code={code}&state={}", own_state.to_uppercase()),
        format!("code={code}&state=%00"),
        String::new(),
    ] {
        assert_lost(&mut victim.clone(), &format!("{callback}?{query}")).await;
    }
    // Repeated parameters are nobody's word.
    let mut twice = victim.clone();
    let page = twice.get(&format!("{callback}?code={code}&code={code}&state={own_state}")).await;
    assert!(page.location().contains("/sign-in?"), "{}", page.location());
    assert_eq!(house.upstream.codes(), 0);
    // The right cookie with another state: refused, and the flow is spent.
    assert_lost(&mut victim, &format!("{callback}?code={code}&state={almost}")).await;
    assert_lost(&mut victim, &format!("{callback}?code={code}&state={own_state}")).await;
    assert_eq!(house.upstream.codes(), 0);
    let page = attacker.get(&theirs).await;
    assert!(page.location().contains("/bind?"), "the attacker may of course sign in as himself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_callback_is_worth_nothing_in_another_browser() {
    let house = House::new().await;
    let mut owner = Browser::new();
    let qr = house.qr(&mut owner, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    // Whoever reads it over somebody's shoulder, with a flow of their own under way (QR relay, M13).
    let mut thief = Browser::new();
    house.qr(&mut thief, "wechat").await;
    assert_lost(&mut thief, &callback).await;
    // Even with the owner's flow, a browser in which somebody is signed in by now is not the one that began.
    let mut alice = house.alices_browser().await;
    for (name, value) in owner.flows() {
        alice.cookies.insert(name, value);
    }
    let page = alice.get(&callback).await;
    assert!(page.location().ends_with("/account"), "{}", page.location());
    assert_eq!(who(house.session(&alice).await.as_ref()), Some(house.alice));
    assert_eq!(house.upstream.codes(), 0);
    let page = owner.get(&callback).await;
    assert!(page.location().contains("/bind?"), "the owner's is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_cannot_be_started_by_a_link() {
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    for query in ["", "?resume=", "?csrf=x"] {
        let page = browser.get(&format!("{}/broker/wechat/start{query}", house.issuer)).await;
        assert_eq!(page.status, 405);
        assert!(page.leads_nowhere() && browser.flows().is_empty());
    }
    let page = browser.post(&format!("{}/broker/wechat/start", house.issuer), &[("resume", "")]).await;
    assert_eq!(page.status, 403);
    assert!(browser.flows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_of_one_connection_is_refused_at_the_callback_of_another() {
    let house = House::connected(&[WECHAT, WECHAT_2]).await;
    for (own, other) in [("wechat", "wechat2"), ("wechat2", "wechat")] {
        let mut browser = Browser::new();
        let qr = house.qr(&mut browser, own).await;
        let callback = house.confirmed(&qr, "xiaoming").await;
        let moved = callback.replace(&format!("/broker/{own}/"), &format!("/broker/{other}/"));
        assert_lost(&mut browser, &moved).await;
        assert_eq!(house.upstream.codes(), 0, "a code never meets another application's secret");
    }
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, "wechat2", "xiaoming").await;
    assert!(page.body.contains("action=\"/bind\""), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_called_again_goes_on_where_the_first_call_led() {
    let house = House::new().await;
    // To the bind page, as long as the person has not chosen.
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let first = browser.get(&callback).await;
    let first = browser.follow_within(first, &house.issuer).await;
    let ticket = browser.cookie("bind").unwrap().to_owned();
    let second = browser.get(&callback).await;
    let second = browser.follow_within(second, &house.issuer).await;
    assert!(second.body.contains("action=\"/bind\""), "{} {}", second.url, second.body);
    assert_eq!(browser.cookie("bind"), Some(ticket.as_str()), "the same ticket");
    let page = browser.submit(&first, "/bind", &[("action", "create")]).await;
    browser.follow_within(page, &house.issuer).await;
    // To the consent page of the request, once it signed in.
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    browser.get(&callback).await;
    let session = who(house.session(&browser).await.as_ref());
    assert!(session.is_some());
    let second = browser.get(&callback).await;
    let second = browser.follow_within(second, &house.issuer).await;
    assert!(second.body.contains("action=\"/consent\""), "{} {}", second.url, second.body);
    assert_eq!(who(house.session(&browser).await.as_ref()), session);
    assert_eq!(house.count(EventKind::SignedIn).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_called_twice_at_once_signs_in_once() {
    let house = std::sync::Arc::new(House::new().await);
    house.made_by_wechat(&mut Browser::new(), "wechat", "xiaoming").await;
    let before = house.count(EventKind::SignedIn).await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move {
                let page: Page = browser.get(&callback).await;
                (page.status, page.location(), browser)
            })
        })
        .collect();
    let mut sessions = 0;
    for call in calls {
        let (status, location, browser) = call.await.unwrap();
        assert_eq!(status, 303);
        assert!(location.contains("?resume="), "{location}");
        sessions += usize::from(house.session(&browser).await.is_some());
    }
    assert_eq!((sessions, house.count(EventKind::SignedIn).await), (1, before + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_state_signs_nobody_in_again() {
    let house = House::new().await;
    house.made_by_wechat(&mut Browser::new(), "wechat", "xiaoming").await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let kept = browser.clone();
    let callback = house.confirmed(&qr, "xiaoming").await;
    browser.get(&callback).await;
    assert!(house.session(&browser).await.is_some());
    // The browser as it was before, with another good code under the state that was used.
    let mut attacker = Browser::new();
    let qr = house.qr(&mut attacker, "wechat").await;
    let code = parameter(&house.confirmed(&qr, "lihua").await, "code");
    let mut replayed = kept;
    let forged = callback.replace(&parameter(&callback, "code"), &code);
    let page = replayed.get(&forged).await;
    assert!(page.location().contains("/bind?resume="), "{}", page.location());
    assert!(house.session(&replayed).await.is_none() && replayed.cookie("bind").is_none());
}
