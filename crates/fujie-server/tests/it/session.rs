//! Browser sessions: what signing in again, in another tab or for another application leaves alone, and what ends.

use crate::{
    browser::Browser,
    house::{House, PASSWORD, client},
};

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_for_one_application_leaves_the_others_alone() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    house.code(&mut browser, &other, &[("prompt", "login")]).await;
    let refreshed = house.refresh(&house.app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let userinfo = house.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_who_signs_in_ends_what_the_first_left_behind() {
    let house = House::new().await;
    house.person("bob").await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    let page = browser.get(&house.authorize(&house.app, &[("prompt", "login")])).await;
    house.sign_in(&mut browser, page, "bob").await;
    let refreshed = house.refresh(&house.app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 400, "{}", refreshed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_with_offline_access_dies_with_the_sign_out_too() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[("scope", "openid offline_access")]).await;
    let page = browser.get(&format!("{}/account", house.issuer)).await;
    browser.submit(&page, "/sign-out", &[]).await;
    let page = house.redeem(&house.app, &code).await;
    assert_eq!(page.status, 400, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_in_a_second_tab_still_works() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let first = browser.get(&house.authorize(&house.app, &[])).await;
    let first = browser.follow_within(first, &house.issuer).await;
    let second = browser.get(&house.authorize(&house.app, &[("state", "second")])).await;
    let second = house.sign_in(&mut browser, second, "alice").await;
    assert!(second.body.contains("action=\"/consent\""));
    let page = browser.submit(&first, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert!(page.location().contains("/authorize?resume="), "{} {}", page.status, page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_id_token_hint_is_answered_by_login_required() {
    let house = House::new().await;
    house.person("bob").await;
    let mut bob = Browser::new();
    let page = bob.get(&house.authorize(&house.app, &[])).await;
    let page = house.sign_in(&mut bob, page, "bob").await;
    let page = bob.submit(&page, "/consent", &[("decision", "allow")]).await;
    let bobs = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    let mut alice = Browser::new();
    let code = house.code(&mut alice, &house.app, &[]).await;
    let own = house.redeem(&house.app, &code).await.json();
    for (tokens, expected) in [(&bobs, Some("login_required")), (&own, None)] {
        let hint = tokens["id_token"].as_str().unwrap();
        let page = alice.get(&house.authorize(&house.app, &[("prompt", "none"), ("id_token_hint", hint)])).await;
        assert_eq!(page.answered("error").as_deref(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_no_api_without_one_of_its_scopes() {
    let house = House::new().await;
    let more = [("scope", "openid"), ("resource", "https://contacts.example/")];
    let page = Browser::new().get(&house.authorize(&house.app, &more)).await;
    assert_eq!(page.answered("error").as_deref(), Some("invalid_target"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_names_another_authority_is_misdirected() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = House::new().await;
    let authority = house.issuer.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let request = format!("GET http://evil.test/sign-in HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_beyond_the_limit_are_refused() {
    let house = House::new().await;
    let page = house.http.get(format!("{}/sign-in", house.issuer)).header("x-long", "x".repeat(40_000)).send().await;
    assert_eq!(page.unwrap().status(), 431);
}
