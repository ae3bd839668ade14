//! Codes that are replayed, stolen, misused or too late.

use crate::{
    browser::{Browser, Page},
    house::{CALLBACK, House, Registered, VERIFIER, client, public},
};

fn assert_invalid_grant(page: &Page) {
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{}", page.body);
    assert_eq!(page.header("cache-control"), "no-store");
}

/// Redeems with fields of one's own beside the code.
async fn redeem(house: &House, client: &Registered, code: &str, fields: &[(&str, &str)]) -> Page {
    let all = [&[("grant_type", "authorization_code"), ("code", code)], fields].concat();
    house.post("/token", client, &all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_code_ends_its_grant_and_all_its_tokens() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    assert_eq!(house.introspect(&house.app, tokens["access_token"].as_str().unwrap()).await["active"], true);
    assert_invalid_grant(&house.redeem(&house.app, &code).await);
    house.assert_dead(&house.app, &tokens).await;
    let ended = house.grants().await[0].ended.map(|(_, why)| why.as_str());
    assert_eq!(ended, Some("code_replayed"));
    // The person may go on at once.
    house.tokens(&house.app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_the_verifier_ends_nothing() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    assert_invalid_grant(&redeem(&house, &house.app, &code, &[("redirect_uri", CALLBACK)]).await);
    assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_cannot_redeem_a_code_and_burns_nothing() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let third = house.add(public("third")).await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    assert_invalid_grant(&house.redeem(&other, &code).await);
    assert_invalid_grant(&house.redeem(&third, &code).await);
    let stranger = Registered { secret: other.secret.clone(), ..house.app.clone() };
    let page = house.redeem(&stranger, &code).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"));
    assert_eq!(house.redeem(&house.app, &code).await.status, 200, "the right client still can");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_verifier_or_redirect_uri_ends_the_unredeemed_grant() {
    let house = House::new().await;
    let wrong = VERIFIER.replace('d', "e");
    let long = "a".repeat(129);
    let (uri, verifier) = (("redirect_uri", CALLBACK), ("code_verifier", VERIFIER));
    let cases: [&[(&str, &str)]; 8] = [
        &[uri],
        &[uri, ("code_verifier", "")],
        &[uri, ("code_verifier", &wrong)],
        &[uri, ("code_verifier", &VERIFIER[..42])],
        &[uri, ("code_verifier", &long)],
        &[verifier],
        &[verifier, ("redirect_uri", "https://app.example/callback/")],
        &[verifier, ("redirect_uri", "https://evil.test/")],
    ];
    let mut browser = Browser::new();
    for fields in cases {
        let code = house.code(&mut browser, &house.app, &[]).await;
        assert_invalid_grant(&redeem(&house, &house.app, &code, fields).await);
        assert_invalid_grant(&house.redeem(&house.app, &code).await);
    }
    let code = house.code(&mut browser, &house.app, &[]).await;
    assert_eq!(house.redeem(&house.app, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_without_a_challenge_is_refused() {
    let house = House::new().await;
    let optional = fujie_core::client::Client { pkce: fujie_core::client::PkcePolicy::Optional, ..client("classic") };
    let optional = house.add(optional).await;
    let mut browser = Browser::new();
    let stripped = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = house.code(&mut browser, &optional, &stripped).await;
    assert_invalid_grant(&house.redeem(&optional, &code).await);
    // Without a verifier such a code is good; with a challenge the verifier is needed here too.
    let code = house.code(&mut browser, &optional, &stripped).await;
    assert_eq!(redeem(&house, &optional, &code, &[("redirect_uri", CALLBACK)]).await.status, 200);
    let code = house.code(&mut browser, &optional, &[]).await;
    assert_invalid_grant(&redeem(&house, &optional, &code, &[("redirect_uri", CALLBACK)]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_ends_with_its_minute() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.clock.stop();
    let code = house.code(&mut browser, &house.app, &[]).await;
    house.later(59).await;
    assert_eq!(house.redeem(&house.app, &code).await.status, 200);
    let code = house.code(&mut browser, &house.app, &[]).await;
    house.later(60).await;
    assert_invalid_grant(&house.redeem(&house.app, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_dies_with_the_session_it_was_granted_in() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let page = browser.get(&format!("{}/sign-out", house.issuer)).await;
    assert_eq!(browser.submit(&page, "/sign-out", &[]).await.status, 200);
    assert_invalid_grant(&house.redeem(&house.app, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_dies_with_its_account() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let tokens = house.tokens(&house.app, &[("scope", "openid offline_access")]).await;
    house.server.store().disable_account(house.alice, house.clock.now()).await.unwrap();
    assert_invalid_grant(&house.redeem(&house.app, &code).await);
    house.assert_dead(&house.app, &tokens).await;
    assert!(house.session(&browser).await.is_none());
    // The password does not sign in any more, and the page does not say why.
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let fields = [("username", "alice"), ("password", crate::house::PASSWORD)];
    let page = browser.submit(&page, "/sign-in", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("do not match"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_dies_with_its_client_even_when_the_client_comes_back() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let tokens = house.tokens(&house.app, &[]).await;
    let store = house.server.store();
    store.disable_client("friends", house.clock.now()).await.unwrap();
    house.server.renew(false).await.unwrap();
    let page = house.redeem(&house.app, &code).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"));
    assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 401);
    store.enable_client("friends", house.clock.now()).await.unwrap();
    house.server.renew(false).await.unwrap();
    assert_invalid_grant(&house.redeem(&house.app, &code).await);
    house.assert_dead(&house.app, &tokens).await;
    house.tokens(&house.app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stretched_or_changed_code_is_no_code() {
    let house = House::new().await;
    house.clock.stop();
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let mut variants: Vec<String> = (0..code.len()).step_by(7).map(|end| code[..end].to_owned()).collect();
    variants.extend((1..code.len()).step_by(31).map(|start| code[start..].to_owned()));
    variants.extend([code.to_uppercase(), code.to_lowercase(), format!("{code}="), format!("{code}A")]);
    variants.extend([format!(" {code}"), format!("{code}\n"), code.replace("fj_ac_", "fj_at_"), "null".to_owned()]);
    for at in (6..code.len()).step_by(5) {
        let mut bytes = code.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        variants.push(String::from_utf8(bytes).unwrap());
    }
    for variant in variants.iter().filter(|variant| !variant.is_empty()) {
        assert_invalid_grant(&house.redeem(&house.app, variant).await);
    }
    assert_eq!(house.redeem(&house.app, &code).await.status, 200, "none of them burnt it");
}
