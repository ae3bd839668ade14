//! Taking a way to sign in away: only after a sign-in made for it, never the last one, and with all that came by it.

use fujie_core::id::Id;
use fujie_store::EventKind;

use crate::{
    browser::{Browser, Page},
    house::{App, House, WECHAT, WECHAT_2},
};

/// Two applications that know people by different identifiers, so that each is a way in of its own.
const APART: [App; 2] = [WECHAT, App { group: Some("other"), ..WECHAT_2 }];

/// The openids by which this account is entered.
async fn bound(house: &House, account: Id) -> Vec<String> {
    let bound = house.server.store().identities_of(account).await.unwrap();
    bound.into_iter().map(|bound| bound.identity.subject).collect()
}

/// A browser in which the account of xiaoming's two WeChat applications, without a password, is signed in by `wechat`.
async fn without_password(house: &House) -> (Browser, Id) {
    let mut browser = Browser::new();
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = house.sign_in_by(&mut browser, page, "wechat", "xiaoming").await;
    browser.submit(&page, "/bind", &[("action", "create")]).await;
    let account = house.session(&browser).await.unwrap().account.id;
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = house.sign_in_by(&mut browser, page, "wechat2", "xiaoming").await;
    let page = browser.submit(&page, "/bind", &[("action", "attach")]).await;
    let page = house.sign_in_by(&mut browser, page, "wechat", "xiaoming").await;
    browser.submit(&page, "/bind", &[("action", "confirm")]).await;
    assert_eq!(bound(house, account).await.len(), 2);
    (browser, account)
}

/// Is the person to sign in for `path` now, with a word about why?
async fn assert_asks_to_sign_in(browser: &mut Browser, page: &Page, path: &str) {
    assert!(page.status == 303 && page.location().ends_with(&format!("/sign-in?resume={path}")), "{}", page.body);
    let page = browser.follow(page).await;
    assert!(page.body.contains("To remove a way to sign in, sign in again first"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_identity_takes_its_sessions_and_their_grants_along() {
    let house = House::new().await;
    let mut alice = Browser::new();
    let page = house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    assert!(page.body.contains("aria-label=\"Remove WeChat 小明🌟\""), "{}", page.body);
    let mut phone = Browser::new();
    let page = house.by_wechat(&mut phone, "wechat", "xiaoming").await;
    let page = phone.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    let path = house.identity_paths(&mut alice).await.remove(0);
    let page = house.asked(&mut alice, &path, "alice").await;
    assert!(page.url.ends_with(&path) && page.body.contains("<h1>Remove WeChat?</h1>"), "{} {}", page.url, page.body);
    assert!(page.body.contains("小明🌟") && page.body.contains("“alice”"), "{}", page.body);
    assert!(page.body.contains("Browsers that signed in with it are signed out."), "{}", page.body);
    let page = alice.submit(&page, &path, &[]).await;
    assert!(page.status == 303 && page.location().ends_with("/account"), "{} {}", page.status, page.body);
    let page = alice.follow(&page).await;
    assert!(page.body.contains("No third-party account is connected"), "{}", page.body);
    assert!(house.session(&phone).await.is_none());
    house.assert_dead(&house.app, &tokens).await;
    // Who comes by it now is new here.
    let page = house.by_wechat(&mut Browser::new(), "wechat", "xiaoming").await;
    assert!(page.body.contains("action=\"/bind\""), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_by_the_identity_itself_is_signed_out_with_it_and_keeps_the_other() {
    let house = House::connected(&APART).await;
    let (mut browser, account) = without_password(&house).await;
    let path = house.identity_paths(&mut browser).await.remove(0);
    let gone = bound(&house, account).await.remove(0);
    let page = browser.get(&format!("{}{path}", house.issuer)).await;
    let page = house.sign_in_by(&mut browser, page, "wechat", "xiaoming").await;
    assert!(page.body.contains("are signed out, this one too"), "{} {}", page.url, page.body);
    let page = browser.submit(&page, &path, &[]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.url.ends_with("/sign-in") && house.session(&browser).await.is_none(), "{}", page.url);
    let left = bound(&house, account).await;
    assert!(left.len() == 1 && left[0] != gone);
    // What is left is the last: it is told without another sign-in, and there is no button.
    let page = house.sign_in_by(&mut browser, page, "wechat2", "xiaoming").await;
    assert_eq!(house.session(&browser).await.unwrap().account.id, account, "{}", page.body);
    let path = house.identity_paths(&mut browser).await.remove(0);
    let page = browser.get(&format!("{}{path}", house.issuer)).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("This is the only way to sign in") && !page.body.contains("<form"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_that_remove_each_others_way_in_leave_one() {
    let house = House::connected(&APART).await;
    let (mut first, account) = without_password(&house).await;
    let paths = house.identity_paths(&mut first).await;
    let mut second = Browser::new();
    // Each stands at the question, one for each identity, when both press.
    let page = first.get(&format!("{}{}", house.issuer, paths[0])).await;
    let at_first = house.sign_in_by(&mut first, page, "wechat2", "xiaoming").await;
    let page = second.get(&format!("{}{}", house.issuer, paths[1])).await;
    let at_second = house.sign_in_by(&mut second, page, "wechat2", "xiaoming").await;
    let page = first.submit(&at_first, &paths[0], &[]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let page = second.submit(&at_second, &paths[1], &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("This is the only way to sign in") && !page.body.contains("<form"), "{}", page.body);
    assert_eq!(bound(&house, account).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sign_in_made_for_this_very_act_counts() {
    let house = House::connected(&APART).await;
    let mut alice = Browser::new();
    house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    house.bound(&mut alice, "wechat2", "xiaoming", "alice").await;
    let paths = house.identity_paths(&mut alice).await;
    let url = format!("{}{}", house.issuer, paths[0]);
    // Signed in for the account page, for an application's demand, for the other identity: none is for this.
    let mut plain = house.alices_browser().await;
    let page = plain.get(&url).await;
    assert_asks_to_sign_in(&mut plain, &page, &paths[0]).await;
    let demand = house.authorize(&house.app, &[("prompt", "login")]);
    for other in [demand, format!("{}{}", house.issuer, paths[1])] {
        let page = alice.get(&other).await;
        house.sign_in(&mut alice, page, "alice").await;
        let page = alice.get(&url).await;
        assert_asks_to_sign_in(&mut alice, &page, &paths[0]).await;
    }
    // Nor is the form of one identity's page good at another's.
    let page = house.asked(&mut alice, &paths[0], "alice").await;
    let csrf = page.hidden(&paths[0]).remove(0).1;
    let page = alice.post(&format!("{}{}", house.issuer, paths[1]), &[("csrf", &csrf)]).await;
    assert_eq!(page.status, 403);
    assert_eq!(bound(&house, house.alice).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_for_the_act_is_good_for_five_minutes() {
    let house = House::new().await;
    let mut alice = Browser::new();
    house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    let path = house.identity_paths(&mut alice).await.remove(0);
    house.clock.stop();
    let asked = house.asked(&mut alice, &path, "alice").await;
    house.later(5 * 60 - 1).await;
    assert_eq!(alice.get(&asked.url).await.status, 200);
    house.later(1).await;
    let page = alice.get(&asked.url).await;
    assert_asks_to_sign_in(&mut alice, &page, &path).await;
    let page = alice.submit(&asked, &path, &[]).await;
    assert_asks_to_sign_in(&mut alice, &page, &path).await;
    assert_eq!(bound(&house, house.alice).await.len(), 1);
    let page = house.sign_in(&mut alice, page, "alice").await;
    alice.submit(&page, &path, &[]).await;
    assert!(bound(&house, house.alice).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_another_account_is_as_good_as_none() {
    let house = House::new().await;
    house.person("bob").await;
    let mut alice = Browser::new();
    house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    let path = house.identity_paths(&mut alice).await.remove(0);
    let none = format!("/account/identities/{}", "0".repeat(64));
    for path in [&path, &none] {
        // Bob signs in where alice was asked to, or comes by himself.
        let mut bob = Browser::new();
        let page = house.asked(&mut bob, path, "bob").await;
        assert!(page.status == 404 && page.leads_nowhere() && !page.body.contains("WeChat"), "{}", page.body);
        let page = bob.post(&format!("{}{path}", house.issuer), &[]).await;
        assert_eq!(page.status, 403);
    }
    for other in [&path[..path.len() - 1], &path.to_uppercase(), &format!("{path}/"), "/account/identities"] {
        assert_eq!(alice.get(&format!("{}{other}", house.issuer)).await.status, 404, "{other}");
    }
    let put = house.http.put(format!("{}{path}", house.issuer)).send().await.unwrap();
    assert_eq!((put.status().as_u16(), put.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
    assert_eq!(bound(&house, house.alice).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_unionid_joins_goes_together() {
    let house = House::connected(&[WECHAT, WECHAT_2]).await;
    let mut alice = Browser::new();
    house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    let mut shop = Browser::new();
    house.bound(&mut shop, "wechat2", "xiaoming", "alice").await;
    assert_eq!(house.session(&shop).await.unwrap().account.id, house.alice);
    let paths = house.identity_paths(&mut alice).await;
    assert_eq!(paths.len(), 2);
    let page = house.asked(&mut alice, &paths[0], "alice").await;
    assert!(page.body.contains("To WeChat these are one person"), "{}", page.body);
    assert_eq!(page.body.matches("小明🌟").count(), 2, "{}", page.body);
    alice.submit(&page, &paths[0], &[]).await;
    assert!(bound(&house, house.alice).await.is_empty());
    assert!(house.session(&shop).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_twice_removes_once_and_ends_at_the_same_place() {
    let house = House::new().await;
    let mut alice = Browser::new();
    house.bound(&mut alice, "wechat", "xiaoming", "alice").await;
    let path = house.identity_paths(&mut alice).await.remove(0);
    let asked = house.asked(&mut alice, &path, "alice").await;
    for _ in 0..2 {
        let page = alice.submit(&asked, &path, &[]).await;
        assert!(page.status == 303 && page.location().ends_with("/account"), "{} {}", page.status, page.body);
    }
    assert_eq!(house.count(EventKind::IdentityUnbound).await, 1);
    // Bound again, by another browser, it needs another sign-in: the one that was made is used up.
    house.bound(&mut Browser::new(), "wechat", "xiaoming", "alice").await;
    let page = alice.submit(&asked, &path, &[]).await;
    assert_asks_to_sign_in(&mut alice, &page, &path).await;
    assert_eq!(bound(&house, house.alice).await.len(), 1);
}
