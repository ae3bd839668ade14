//! `resume` repeats a request and carries no progress.

use fujie_core::{client::Client, request::redirect_uri::RegisteredUri};

use crate::{
    browser::Browser,
    house::{House, PASSWORD, public},
};

/// The `resume` of a page's address.
fn resume_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "resume").unwrap().1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_remembers_no_consent() {
    let house = House::new().await;
    let uris = vec![RegisteredUri::parse("http://127.0.0.1/cb").unwrap()];
    let native = house.add(Client { redirect_uris: uris, ..public("native") }).await;
    house.person("bob").await;
    let mut alice = Browser::new();
    let page = alice.get(&house.authorize(&native, &[("redirect_uri", "http://127.0.0.1:8000/cb")])).await;
    let again = format!("{}/authorize?resume={}", house.issuer, resume_of(&page.location()));
    let page = house.sign_in(&mut alice, page, "alice").await;
    let done = alice.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(done.answered("code").is_some());
    // The same person with the same resume is asked again by a client that anybody could pretend to be.
    let page = alice.get(&again).await;
    assert!(page.status == 200 && page.body.contains("action=\"/consent\""), "{}", page.body);
    // Somebody else with it signs in and is asked as well.
    let mut bob = Browser::new();
    let page = bob.get(&again).await;
    let page = house.sign_in(&mut bob, page, "bob").await;
    assert!(page.body.contains("action=\"/consent\"") && page.body.contains("bob"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_sign_in_counts_once() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.code(&mut browser, &house.app, &[]).await;
    for demand in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "0")] {
        let page = browser.get(&house.authorize(&house.app, &[demand])).await;
        assert!(page.location().contains("/sign-in?"), "{demand:?}");
        let again = format!("{}/authorize?resume={}", house.issuer, resume_of(&page.location()));
        let page = house.sign_in(&mut browser, page, "alice").await;
        assert!(page.answered("code").is_some(), "{demand:?} {}", page.body);
        let page = browser.get(&again).await;
        assert!(page.location().contains("/sign-in?"), "{demand:?}: the sign-in was spent");
        // Nor does a sign-in that was made for another request count.
        let page = browser.get(&house.authorize(&house.app, &[demand, ("state", "another")])).await;
        assert!(page.location().contains("/sign-in?"), "{demand:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_is_judged_as_if_it_had_just_arrived() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.code(&mut browser, &house.app, &[]).await;
    let mut other = Browser::new();
    let resume = resume_of(&other.get(&house.authorize(&house.app, &[])).await.location());
    let again = format!("{}/authorize?resume={resume}", house.issuer);
    assert!(browser.get(&again).await.answered("code").is_some());
    house.later(29 * 60).await;
    assert!(browser.get(&again).await.answered("code").is_some());
    house.later(2 * 60).await;
    let page = browser.get(&again).await;
    assert_eq!(page.status, 400);
    assert!(page.leads_nowhere() && page.body.contains("took too long"), "{}", page.body);
    let resume = resume_of(&other.get(&house.authorize(&house.app, &[])).await.location());
    house.server.store().disable_client("friends", house.clock.now()).await.unwrap();
    house.server.renew(true).await.unwrap();
    let page = browser.get(&format!("{}/authorize?resume={resume}", house.issuer)).await;
    assert_eq!(page.status, 400);
    assert!(page.leads_nowhere() && page.body.contains("not known here"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_resume_is_no_resume() {
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    let mut other = Browser::new();
    let resume = resume_of(&other.get(&house.authorize(&house.app, &[])).await.location());
    let mut changed = resume.clone().into_bytes();
    changed[40] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    for junk in [changed.as_str(), &resume[..resume.len() - 1], "fj_rq_", "x", &"A".repeat(9000), "%00", "a%0d%0ab"] {
        let page = browser.get(&format!("{}/authorize?resume={junk}", house.issuer)).await;
        assert!(page.leads_nowhere() && page.status == 400, "{junk} {} {}", page.status, page.body);
        // The sign-in page stays usable; it only forgets what it was for.
        let page = other.get(&format!("{}/sign-in?resume={junk}", house.issuer)).await;
        assert_eq!(page.status, 200, "{junk}");
    }
    let page = other.get(&format!("{}/sign-in?resume={changed}", house.issuer)).await;
    let page = other.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    let page = other.follow(&page).await;
    assert!(page.status == 400 && page.leads_nowhere(), "{}", page.body);
    assert!(house.session(&other).await.is_some());
}
