//! Sign-out, by the person and at a client's request (OpenID Connect RP-Initiated Logout 1.0).

use crate::{
    browser::{Browser, Page, form},
    house::{House, client},
};

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://app.example/bye");

async fn ask(house: &House, browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    browser.get(&format!("{}/sign-out?{}", house.issuer, form(fields))).await
}

/// Alice's browser with tokens of the application.
async fn signed_in(house: &House) -> (Browser, serde_json::Value) {
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    (browser, house.redeem(&house.app, &code).await.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_proves_whose_session_it_means_signs_out_at_once() {
    let house = House::new().await;
    for wait in [0, 2 * 3600] {
        let (mut browser, tokens) = signed_in(&house).await;
        house.later(wait).await;
        let fields = [("id_token_hint", tokens["id_token"].as_str().unwrap()), BYE, ("state", "a b&c小")];
        let page = ask(&house, &mut browser, &fields).await;
        assert_eq!(page.status, 303, "an expired ID token still says who asks: {}", page.body);
        assert!(page.location().starts_with("https://app.example/bye?state="), "{}", page.location());
        assert_eq!(page.answered("state").as_deref(), Some("a b&c小"));
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
        house.assert_dead(&house.app, &tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_nothing_only_asks() {
    let house = House::new().await;
    house.add(client("other")).await;
    let (mut browser, tokens) = signed_in(&house).await;
    house.person("bob").await;
    let mut bobs = Browser::new();
    let page = bobs.get(&house.authorize(&house.app, &[])).await;
    let page = house.sign_in(&mut bobs, page, "bob").await;
    let page = bobs.submit(&page, "/consent", &[("decision", "allow")]).await;
    let bob = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    let hint = tokens["id_token"].as_str().unwrap();
    let (kept, last) = hint.split_at(hint.len() - 4);
    let changed = format!("{kept}{}", if last == "AAAA" { "BAAA" } else { "AAAA" });
    let cases: [&[(&str, &str)]; 8] = [
        &[],
        &[BYE],
        &[("client_id", "friends"), BYE],
        &[("id_token_hint", bob["id_token"].as_str().unwrap()), BYE],
        &[("id_token_hint", &changed), BYE],
        &[("id_token_hint", tokens["access_token"].as_str().unwrap()), BYE],
        &[("id_token_hint", hint), ("client_id", "other"), BYE],
        &[("client_id", "nobody"), BYE],
    ];
    for fields in cases {
        let page = ask(&house, &mut browser, fields).await;
        assert!(page.status == 200 && page.body.contains("Sign out?") && page.body.contains("alice"), "{fields:?}");
        assert!(house.session(&browser).await.is_some(), "{fields:?}");
    }
    assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
    // Asked and answered, the way leads back to the client that was named.
    let page = ask(&house, &mut browser, &[("client_id", "friends"), BYE, ("state", "s")]).await;
    assert!(page.body.contains("Friends"), "{}", page.body);
    let page = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(page.location(), "https://app.example/bye?state=s");
    house.assert_dead(&house.app, &tokens).await;
    assert!(house.session(&bobs).await.is_some(), "bob is somebody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_ask_by_post() {
    let house = House::new().await;
    let (mut browser, tokens) = signed_in(&house).await;
    let fields = form(&[("id_token_hint", tokens["id_token"].as_str().unwrap()), BYE]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let page = browser.send_as(&format!("{}/sign-out", house.issuer), &headers, Some(&fields)).await;
    assert_eq!(page.location(), "https://app.example/bye");
    assert!(house.session(&browser).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_out_on_the_account_page_and_every_cookie_goes() {
    let house = House::new().await;
    let (mut browser, tokens) = signed_in(&house).await;
    let session = browser.cookie("session").unwrap().to_owned();
    let page = browser.get(&format!("{}/account", house.issuer)).await;
    let page = browser.submit(&page, "/sign-out", &[]).await;
    assert!(page.status == 200 && page.body.contains("You are signed out"), "{}", page.body);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    house.assert_dead(&house.app, &tokens).await;
    // Nor does the cookie work for whoever kept it.
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    assert_eq!(page.status, 200);
    browser.put_cookie("session", &session);
    assert_eq!(browser.get(&format!("{}/account", house.issuer)).await.status, 303);
    let page = browser.get(&house.authorize(&house.app, &[("prompt", "none")])).await;
    assert_eq!(page.answered("error").as_deref(), Some("login_required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_here_leaves_other_browsers_alone() {
    let house = House::new().await;
    let ((mut here, ended), (there, kept)) = (signed_in(&house).await, signed_in(&house).await);
    let page = here.get(&format!("{}/sign-out", house.issuer)).await;
    here.submit(&page, "/sign-out", &[]).await;
    house.assert_dead(&house.app, &ended).await;
    assert!(house.session(&there).await.is_some());
    assert_eq!(house.userinfo(kept["access_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_every_session_and_grant() {
    let house = House::new().await;
    let (browser, tokens) = signed_in(&house).await;
    let offline = house.tokens(&house.app, &[("scope", "openid offline_access")]).await;
    let hash = fujie_server::password::Passwords::default().hash("another long password").await.unwrap();
    house.server.store().set_password(house.alice, hash, house.clock.now()).await.unwrap();
    assert!(house.session(&browser).await.is_none());
    house.assert_dead(&house.app, &tokens).await;
    house.assert_dead(&house.app, &offline).await;
}
