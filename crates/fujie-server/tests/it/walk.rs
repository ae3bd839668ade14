//! The main walk: an application, the sign-in page, WeChat, bind, consent, tokens.

use crate::{
    browser::Browser,
    house::{House, claims},
};

#[tokio::test(flavor = "multi_thread")]
async fn alice_signs_in_by_password_consents_and_the_application_gets_tokens() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[("nonce", "n-1")]).await;
    let id_token = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id_token["iss"], house.issuer);
    assert_eq!(id_token["aud"], "friends");
    assert_eq!(id_token["nonce"], "n-1");
    assert_eq!(id_token["name"], "alice");
    let userinfo = house.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
    assert_eq!(userinfo.json()["sub"], id_token["sub"]);
    let refreshed = house.refresh(&house.app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_wechat_binds_by_one_click_and_later_goes_straight_through() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    assert_eq!(qr.status, 200, "{}", qr.body);
    let done = house.phone(&qr, "confirm", "xiaoming").await;
    let page = browser.get(done["redirect_url"].as_str().unwrap()).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.body.contains("小明🌟"), "{}", page.body);
    let page = browser.submit(&page, "/bind", &[("action", "create")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let code = page.answered("code").unwrap();
    assert_eq!(page.answered("iss").unwrap(), house.issuer);
    let tokens = house.redeem(&house.app, &code).await.json();
    let first = house.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(first["nickname"], "小明🌟");

    // Another browser, later: no bind page, and the same person.
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    let done = house.phone(&qr, "confirm", "xiaoming").await;
    let page = browser.get(done["redirect_url"].as_str().unwrap()).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    let second = house.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(second["sub"], first["sub"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_survives_the_way_to_wechat_and_back() {
    let house = House::new().await;
    let state = "s".repeat(3900);
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[("state", &state)])).await;
    assert!(page.location().len() < 6000, "our own addresses stay below 6,000 characters");
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    let done = house.phone(&qr, "confirm", "lihua").await;
    let page = browser.get(done["redirect_url"].as_str().unwrap()).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/bind", &[("action", "create")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert_eq!(page.answered("state").unwrap(), state);
    assert!(page.answered("code").is_some());
}
