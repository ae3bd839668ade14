//! `prompt` and `max_age` (OpenID Connect Core 1.0 section 3.1.2.1), and what a client is told when nobody is asked.

use fujie_core::{client::Client, request::redirect_uri::RegisteredUri};

use crate::{
    browser::{Browser, Page},
    house::{House, claims, client, public},
};

fn asks(page: &Page) -> &'static str {
    match page.status {
        200 if page.body.contains("action=\"/consent\"") => "consent",
        303 if page.location().contains("/sign-in?") => "sign-in",
        303 if page.answered("code").is_some() => "nothing",
        _ => panic!("{} {}", page.status, page.body),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompt_none_shows_nothing_and_names_what_would_be_needed() {
    let house = House::new().await;
    let none = house.authorize(&house.app, &[("prompt", "none")]);
    let error = |page: &Page| page.answered("error").unwrap_or_default();
    assert_eq!(error(&Browser::new().get(&none).await), "login_required");
    let mut browser = house.alices_browser().await;
    assert_eq!(error(&browser.get(&none).await), "consent_required");
    house.code(&mut browser, &house.app, &[]).await;
    assert_eq!(asks(&browser.get(&none).await), "nothing");
    let more = house.authorize(&house.app, &[("prompt", "none"), ("scope", "openid offline_access")]);
    assert_eq!(error(&browser.get(&more).await), "consent_required");
    let young = house.authorize(&house.app, &[("prompt", "none"), ("max_age", "60")]);
    assert_eq!(asks(&browser.get(&young).await), "nothing");
    house.later(61).await;
    assert_eq!(error(&browser.get(&young).await), "login_required");
    // A client that anybody can pretend to be is never answered silently (RFC 8252 section 8.6).
    let uris = vec![RegisteredUri::parse("http://127.0.0.1/cb").unwrap()];
    let native = house.add(Client { redirect_uris: uris, ..public("native") }).await;
    let at = ("redirect_uri", "http://127.0.0.1:9/cb");
    house.code(&mut browser, &native, &[at]).await;
    let page = browser.get(&house.authorize(&native, &[at, ("prompt", "none")])).await;
    assert_eq!(error(&page), "consent_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn prompt_login_and_max_age_ask_for_a_fresh_sign_in_and_tell_when_it_was() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.code(&mut browser, &house.app, &[]).await;
    let mut last = house.session(&browser).await.unwrap().auth_time;
    for demand in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "100"), ("max_age", "0")] {
        house.later(101).await;
        assert_eq!(asks(&browser.get(&house.authorize(&house.app, &[])).await), "nothing");
        let page = browser.get(&house.authorize(&house.app, &[demand])).await;
        assert_eq!(asks(&page), "sign-in", "{demand:?}");
        let page = house.sign_in(&mut browser, page, "alice").await;
        let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
        let auth_time = claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64().unwrap();
        assert!(auth_time >= last.seconds() + 100, "{demand:?}");
        last = house.session(&browser).await.unwrap().auth_time;
    }
    assert_eq!(asks(&browser.get(&house.authorize(&house.app, &[("max_age", "1000")])).await), "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_may_answer_a_demanded_sign_in_and_gets_their_own_token() {
    let house = House::new().await;
    let bob = house.person("bob").await;
    let mut browser = Browser::new();
    house.code(&mut browser, &house.app, &[]).await;
    let page = browser.get(&house.authorize(&house.app, &[("prompt", "select_account")])).await;
    let page = house.sign_in(&mut browser, page, "bob").await;
    assert!(page.body.contains("action=\"/consent\"") && page.body.contains("bob"), "alice's consent is not bob's");
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["sub"], bob.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_is_asked_once_and_again_for_more_or_on_demand() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let mut browser = house.alices_browser().await;
    let ask = |client, fields: &[(&str, &str)]| house.authorize(client, fields);
    assert_eq!(asks(&browser.get(&ask(&house.app, &[])).await), "consent");
    house.code(&mut browser, &house.app, &[]).await;
    for (fields, expected) in [
        (&[][..], "nothing"),
        (&[("scope", "openid")], "nothing"),
        (&[("prompt", "consent")], "consent"),
        (&[("scope", "openid profile read_contacts")], "consent"),
        (&[("scope", "openid offline_access")], "consent"),
    ] {
        assert_eq!(asks(&browser.get(&ask(&house.app, fields)).await), expected, "{fields:?}");
    }
    assert_eq!(asks(&browser.get(&ask(&other, &[])).await), "consent", "consent is given to one client");
    // Taken back on the account page, it is asked for again.
    let code = house.code(&mut browser, &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    let account = browser.get(&format!("{}/account", house.issuer)).await;
    assert_eq!(browser.submit(&account, "/account/revoke", &[]).await.status, 303);
    house.assert_dead(&house.app, &tokens).await;
    assert_eq!(asks(&browser.get(&ask(&house.app, &[])).await), "consent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consent_page_says_who_asks_for_what_as_whom() {
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    let page = browser.get(&house.authorize(&house.app, &[("scope", "openid offline_access read_contacts")])).await;
    for words in ["Friends", "https:&#x2f;&#x2f;app.example", "alice", "Read your contacts", "while you are away"] {
        assert!(page.body.contains(words), "no {words}: {}", page.body);
    }
    // "Use another account" keeps the request.
    let page = browser.submit(&page, "/sign-in/other", &[]).await;
    assert!(browser.cookie("session").is_none());
    house.person("bob").await;
    let page = house.sign_in(&mut browser, page, "bob").await;
    assert!(page.body.contains("bob") && page.body.contains("Read your contacts"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_come_by_post_and_scope_may_be_left_out() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let url = house.authorize(&house.app, &[]);
    let (path, query) = url.split_once('?').unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    // It comes again by GET, so that the browser's cookies come along even if another site posted it.
    let page = browser.send_as(path, &headers, Some(query)).await;
    assert!(page.location().contains("/authorize?resume="), "{}", page.location());
    assert!(page.headers.get("set-cookie").is_none(), "a page that is open elsewhere keeps its forms");
    let page = browser.follow(&page).await;
    assert_eq!(asks(&page), "sign-in");
    let page = house.sign_in(&mut browser, page, "alice").await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert_eq!(page.answered("state").as_deref(), Some("xyz"));
    // Without a scope: everything registered but what makes it a sign-in; an unregistered one beside openid is lost.
    for (scope, expected) in [("", "profile read_contacts"), ("openid email profile", "openid profile")] {
        let code = house.code(&mut browser, &house.app, &[("scope", scope)]).await;
        let tokens = house.redeem(&house.app, &code).await.json();
        assert_eq!(tokens["scope"], expected);
        assert_eq!(tokens.get("id_token").is_some(), expected.contains("openid"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_fill_forms_and_authenticate_nobody() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[]).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[("login_hint", "alice"), ("id_token_hint", hint)])).await;
    assert_eq!(asks(&page), "sign-in");
    let page = browser.follow(&page).await;
    assert!(page.body.contains("value=\"alice\""), "{}", page.body);
}
