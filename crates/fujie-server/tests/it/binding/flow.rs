//! Sign-ins with WeChat that end otherwise: refused, too late, interrupted, crowded.

use crate::{
    browser::{Browser, Page},
    house::{House, PASSWORD, WECHAT},
};

/// What the sign-in page says after this callback; the request is still what it is about.
async fn says(house: &House, browser: &mut Browser, callback: &str) -> Page {
    let page = browser.get(callback).await;
    assert_eq!(page.status, 303);
    let page = browser.follow(&page).await;
    assert!(page.url.starts_with(&format!("{}/sign-in?resume=fj_rq_", house.issuer)), "{}", page.url);
    assert!(page.status == 200 && page.body.contains("Friends"), "{}", page.body);
    assert!(house.session(browser).await.is_none() && browser.cookie("bind").is_none() && browser.flows().is_empty());
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_on_the_phone_is_told_plainly_and_the_next_try_works() {
    let house = House::new().await;
    house.tell_wechat("switches", serde_json::json!({ "denial_redirects": true })).await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let refused = house.phone(&qr, "refuse", "xiaoming").await["redirect_url"].as_str().unwrap().to_owned();
    assert!(!refused.contains("code="));
    let page = says(&house, &mut browser, &refused).await;
    assert!(page.body.contains("WeChat sign-in was refused or cancelled"), "{}", page.body);
    let again = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&again).await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let page = browser.get(&callback).await;
    assert!(page.location().contains("/bind?"), "{}", page.location());
    // The standard's own word for it is understood as well.
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let state = house.phone(&qr, "scan", "lihua").await["state"].as_str().unwrap().to_owned();
    let denied = format!("{}/broker/wechat/callback?error=access_denied&state={state}", house.issuer);
    assert!(says(&house, &mut browser, &denied).await.body.contains("refused or cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_ends_after_ten_minutes() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    house.later(601).await;
    let page = browser.get(&callback).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.url.contains("/sign-in?error="), "{}", page.url);
    assert_eq!(house.upstream.codes(), 0);
    assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none());
    // Nine minutes are fine.
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    house.later(540).await;
    assert!(browser.get(&callback).await.location().contains("/bind?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_switched_off_finishes_nothing() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let house = house.restart(&[]).await;
    let page = browser.get(&callback).await;
    assert!(page.status == 404 && page.leads_nowhere(), "{} {}", page.status, page.body);
    assert_eq!(house.upstream.codes(), 0);
    assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none());
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    assert!(!page.body.contains("/broker/"), "{}", page.body);
    // Switched on again, what was begun can be finished: the restart lost nothing.
    let house = house.restart(&[WECHAT]).await;
    assert!(browser.get(&callback).await.location().contains("/bind?"));
    assert_eq!(house.upstream.codes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provisional_visitor_is_asked_to_use_the_full_service() {
    let house = House::new().await;
    house.tell_wechat("switches", serde_json::json!({ "snapshot_user": true })).await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let page = says(&house, &mut browser, &callback).await;
    assert!(page.body.contains("preview mode"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_told_plainly_and_no_code_is_sent_twice() {
    let house = House::new().await;
    let (token, userinfo) = ("/sns/oauth2/access_token", "/sns/userinfo");
    for (at, errcode) in [(token, -1), (token, 40013), (token, 45009), (userinfo, 40001)] {
        let fault = serde_json::json!({ "at": at, "kind": "error", "error": errcode, "times": 5 });
        house.tell_wechat("faults", fault).await;
        let before = house.upstream.codes();
        let mut browser = Browser::new();
        let qr = house.qr(&mut browser, "wechat").await;
        let callback = house.confirmed(&qr, "xiaoming").await;
        let page = says(&house, &mut browser, &callback).await;
        assert!(page.body.contains("did not answer as it should"), "{at} {errcode}: {}", page.body);
        assert_eq!(house.upstream.codes(), before + 1, "{at} {errcode}");
        let url = format!("{}/_simulate/faults", house.wechat.base_url());
        house.http.delete(url).send().await.unwrap();
    }
    // A code that WeChat does not know: it took too long.
    house.tell_wechat("faults", serde_json::json!({ "at": token, "kind": "error", "error": 40029 })).await;
    let mut browser = Browser::new();
    let qr = house.qr(&mut browser, "wechat").await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    assert!(says(&house, &mut browser, &callback).await.body.contains("took too long"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_in_one_tab_is_not_undone_by_another() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let (one, two) = (house.qr(&mut browser, "wechat").await, house.qr(&mut browser, "wechat").await);
    let (first, second) = (house.confirmed(&one, "xiaoming").await, house.confirmed(&two, "lihua").await);
    // While both wait, alice signs in by password in a third tab.
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    house.sign_in(&mut browser, page, "alice").await;
    for callback in [first, second] {
        let page = browser.get(&callback).await;
        assert!(page.location().ends_with("/account"), "{}", page.location());
        assert_eq!(house.session(&browser).await.unwrap().account.id, house.alice);
    }
    assert_eq!(house.upstream.codes(), 0);
    // And what was begun in her session is not finished after she signed out.
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let page = browser.get(&format!("{}/sign-out", house.issuer)).await;
    browser.submit(&page, "/sign-out", &[]).await;
    let page = browser.get(&callback).await;
    assert!(page.location().contains("error=lost"), "{}", page.location());
    assert_eq!(house.upstream.codes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_flows_at_once_stay_within_what_a_browser_carries() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let mut last = house.qr(&mut browser, "wechat").await;
    for _ in 0..20 {
        last = house.qr(&mut browser, "wechat").await;
        let carried: usize = browser.flows().iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(carried <= 8_000, "{carried}");
    }
    let callback = house.confirmed(&last, "xiaoming").await;
    assert!(browser.get(&callback).await.location().contains("/bind?"), "the newest always works");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_comes_back_from_wechat_whole() {
    let house = House::new().await;
    let base = house.authorize(&house.app, &[("state", "")]);
    let used = base.split_once('?').unwrap().1.len() + "&state=".len();
    let state = "s".repeat(4300 - used);
    let mut browser = Browser::new();
    let page = browser.get(&format!("{base}&state={state}")).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let longest = browser.cookies.values().map(String::len).max().unwrap();
    assert!(longest < 3900, "a cookie of {longest} bytes would be dropped by browsers");
    let qr = browser.follow(&page).await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    let page = browser.get(&callback).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/bind", &[("action", "create")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert_eq!(page.answered("state"), Some(state));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_has_a_new_cookie_and_the_old_one_is_over() {
    let house = House::new().await;
    house.made_by_wechat(&mut Browser::new(), "wechat", "xiaoming").await;
    let mut browser = house.alices_browser().await;
    let mut seen = vec![browser.cookie("session").unwrap().to_owned()];
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    let callback = house.confirmed(&qr, "xiaoming").await;
    browser.get(&callback).await;
    seen.push(browser.cookie("session").unwrap().to_owned());
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    seen.push(browser.cookie("session").unwrap().to_owned());
    let alive = seen.pop().unwrap();
    assert!(!seen.contains(&alive) && seen[0] != seen[1]);
    for old in seen {
        let mut thief = browser.clone();
        thief.put_cookie("session", &old);
        assert!(house.session(&thief).await.is_none(), "a fixed or stolen session does not survive a sign-in");
    }
}
