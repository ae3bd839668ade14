//! The first administrator's link: once, for an hour, and never again.

use std::sync::Arc;

use fujie_core::{
    random::SystemRandom,
    secret::{Digest, Kind, Secret},
    time::Lifetime,
};
use fujie_store::EventKind;

use crate::{
    browser::{Browser, Page},
    house::{House, PASSWORD},
};

const FIELDS: [(&str, &str); 3] = [("username", "root"), ("password", PASSWORD), ("password_repeat", PASSWORD)];

/// A fresh link that lives for an hour.
async fn link(house: &House) -> String {
    let link = Secret::random(Kind::SetupLink, &mut SystemRandom);
    let until = house.clock.now() + Lifetime::from_seconds(3600);
    let digest = Digest::of(Kind::SetupLink, link.expose());
    house.server.store().put_setup_link(digest, until).await.unwrap();
    format!("{}/setup?token={}", house.issuer, link.expose())
}

fn assert_closed(page: &Page) {
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.leads_nowhere() && page.body.contains("no longer works"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_makes_one_administrator_and_is_closed_for_good() {
    let house = House::new().await;
    let url = link(&house).await;
    let (mut browser, mut other) = (Browser::new(), Browser::new());
    let shown = other.get(&url).await;
    let page = browser.get(&url).await;
    assert!(!house.server.store().has_administrator().await.unwrap(), "opening it spends nothing");
    let page = browser.submit(&page, "/setup", &FIELDS).await;
    assert!(page.location().ends_with("/sign-in"), "{}", page.location());
    // Whatever is typed into the form that was open elsewhere, the door is closed.
    for fields in [FIELDS, [("username", "root2"), ("password", "short"), ("password_repeat", "short")]] {
        assert_closed(&other.submit(&shown, "/setup", &fields).await);
    }
    assert_closed(&other.get(&url).await);
    let again = link(&house).await;
    assert_closed(&other.get(&again).await);
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = house.sign_in(&mut browser, page, "root").await;
    assert!(page.body.contains("Administrator"), "{}", page.body);
    assert_eq!(house.count(EventKind::AdministratorMade).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_press_at_once_make_one_administrator() {
    let house = Arc::new(House::new().await);
    let url = link(&house).await;
    let mut all = Vec::new();
    for number in 0..6 {
        let (house, url) = (Arc::clone(&house), url.clone());
        all.push(tokio::spawn(async move {
            let mut browser = Browser::new();
            let page = browser.get(&url).await;
            let name = format!("root{number}");
            let fields = [("username", name.as_str()), ("password", PASSWORD), ("password_repeat", PASSWORD)];
            let page = browser.submit(&page, "/setup", &fields).await;
            drop(house);
            page.status
        }));
    }
    let mut made = 0;
    for one in all {
        match one.await.unwrap() {
            303 => made += 1,
            status => assert_eq!(status, 403),
        }
    }
    assert_eq!((made, house.count(EventKind::AdministratorMade).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_ends_after_an_hour_and_a_later_one_voids_it() {
    let house = House::new().await;
    let url = link(&house).await;
    let mut browser = Browser::new();
    let first = browser.get(&url).await;
    let newer = browser.get(&link(&house).await).await;
    assert_closed(&browser.submit(&first, "/setup", &FIELDS).await);
    house.later(3601).await;
    assert_closed(&browser.submit(&newer, "/setup", &FIELDS).await);
    for junk in ["", "?token=", "?token=x", "?token=fj_al_AAAA"] {
        assert_closed(&browser.get(&format!("{}/setup{junk}", house.issuer)).await);
    }
    assert!(!house.server.store().has_administrator().await.unwrap());
    let page = browser.get(&link(&house).await).await;
    assert_eq!(browser.submit(&page, "/setup", &FIELDS).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_wrong_is_told_and_the_link_still_works() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&link(&house).await).await;
    let long = "x".repeat(1025);
    let cases = [
        ("", PASSWORD, PASSWORD, "cannot be used"),
        ("a b", PASSWORD, PASSWORD, "cannot be used"),
        ("<b>", PASSWORD, PASSWORD, "cannot be used"),
        (&long, PASSWORD, PASSWORD, "cannot be used"),
        ("alice", PASSWORD, PASSWORD, "is taken"),
        ("ALICE", PASSWORD, PASSWORD, "is taken"),
        ("root", "q7!w", "q7!w", "too short"),
        ("root", "", "", "too short"),
        ("root", &long, &long, "too long"),
        ("root", PASSWORD, "another password", "differ"),
    ];
    for (username, password, repeat, words) in cases {
        let fields = [("username", username), ("password", password), ("password_repeat", repeat)];
        let page = browser.submit(&page, "/setup", &fields).await;
        assert_eq!(page.status, 422, "{username}");
        assert!(page.body.contains(words) && !page.body.contains("<b>"), "{words}: {}", page.body);
        assert!(password.is_empty() || !page.body.contains(password), "a password is never shown again");
    }
    assert_eq!(browser.submit(&page, "/setup", &FIELDS).await.status, 303);
}
