//! Each kind of token in the place of each other kind, and junk in the place of all.

use fujie_core::{
    random::SystemRandom,
    secret::{Kind, Secret},
};

use crate::{
    browser::{Browser, form},
    house::{CALLBACK, House, Registered, VERIFIER},
};

/// One live token of each kind, as it goes over the wire.
async fn one_of_each(house: &House) -> Vec<(&'static str, String)> {
    let mut alice = Browser::new();
    let page = alice.get(&house.authorize(&house.app, &[])).await;
    let resume = page.answered("resume").unwrap();
    let code = house.code(&mut alice, &house.app, &[]).await;
    let tokens = house.tokens(&house.app, &[]).await;
    let api = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    let page = alice.get(&format!("{}/account", house.issuer)).await;
    let csrf = page.hidden("/sign-out").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let mut stranger = Browser::new();
    house.by_wechat(&mut stranger, "wechat", "lihua").await;
    let ticket = stranger.cookie("bind").unwrap().to_owned();
    let mut waiting = Browser::new();
    house.qr(&mut waiting, "wechat").await;
    let flow = waiting.flows()[0].1.clone();
    let text = |tokens: &serde_json::Value, name: &str| tokens[name].as_str().unwrap().to_owned();
    vec![
        ("access token", text(&tokens, "access_token")),
        ("access token as JWT", text(&api, "access_token")),
        ("refresh token", text(&tokens, "refresh_token")),
        ("id token", text(&tokens, "id_token")),
        ("code", code),
        ("resume", resume),
        ("csrf", csrf),
        ("flow", flow),
        ("session", alice.cookie("session").unwrap().to_owned()),
        ("browser", alice.cookie("browser").unwrap().to_owned()),
        ("ticket", ticket),
        ("client secret", house.app.secret.clone().unwrap()),
        ("set-up link", Secret::random(Kind::SetupLink, &mut SystemRandom).expose().to_owned()),
    ]
}

/// Where a client sends it: refused by the standard's error, with no hint of what it is.
async fn at_client_endpoints(house: &House, kind: &str, token: &str) {
    if kind != "code" {
        let page = house.redeem(&house.app, token).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{kind} as code");
    }
    if kind != "refresh token" {
        let page = house.refresh(&house.app, token).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{kind} as refresh token");
    }
    if !kind.starts_with("access token") {
        let page = house.userinfo(token).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_token"), "{kind} at userinfo");
        let page = house.post_raw("/userinfo", &form(&[("access_token", token)])).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_token"), "{kind} in userinfo's body");
        if kind != "refresh token" {
            assert_eq!(house.introspect(&house.app, token).await, serde_json::json!({ "active": false }), "{kind}");
            assert_eq!(house.post("/revoke", &house.app, &[("token", token)]).await.status, 200, "{kind}");
        }
    }
    if kind != "client secret" {
        let liar = Registered { id: "friends".to_owned(), secret: Some(token.to_owned()) };
        let page = house.post("/token", &liar, &[("grant_type", "client_credentials")]).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{kind} as secret");
    }
}

/// Where a browser carries it: as if it were not there.
async fn at_pages(house: &House, kind: &str, token: &str) {
    let mut browser = Browser::new();
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    if kind != "csrf" {
        let fields = [("resume", ""), ("csrf", token), ("username", "alice"), ("password", crate::house::PASSWORD)];
        assert_eq!(browser.post(&page.url, &fields).await.status, 403, "{kind} as csrf");
    }
    for word in ["session", "bind"] {
        if (word, kind) == ("session", "session") || (word, kind) == ("bind", "ticket") {
            continue;
        }
        let mut browser = browser.clone();
        browser.put_cookie(word, token);
        let path = if word == "session" { "account" } else { "bind" };
        let page = browser.get(&format!("{}/{path}", house.issuer)).await;
        assert_eq!(page.status, 303, "{kind} as {word} cookie");
    }
    if kind != "flow" {
        browser.put_cookie("flow_abc", token);
        let page = browser.get(&format!("{}/broker/wechat/callback?code=x&state=abc", house.issuer)).await;
        assert!(page.location().ends_with("/sign-in?error=lost"), "{kind} as flow");
    }
    if kind != "resume" {
        let page = browser.get(&format!("{}/authorize?resume={token}", house.issuer)).await;
        assert!(page.status == 400 && page.leads_nowhere(), "{kind} as resume: {}", page.body);
    }
    if kind != "set-up link" {
        assert_eq!(browser.get(&format!("{}/setup?token={token}", house.issuer)).await.status, 403, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_kind_is_never_taken_for_another() {
    let house = House::new().await;
    let all = one_of_each(&house).await;
    for (kind, token) in &all {
        at_client_endpoints(&house, kind, token).await;
        at_pages(&house, kind, token).await;
    }
    // None of that spent or ended anything.
    let find = |name: &str| all.iter().find(|(kind, _)| *kind == name).unwrap().1.as_str();
    assert_eq!(house.userinfo(find("access token")).await.status, 200);
    assert_eq!(house.refresh(&house.app, find("refresh token")).await.status, 200);
    assert_eq!(house.upstream.codes(), 1, "no junk was sent to the provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_is_refused_before_the_database_is_asked() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[]).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let browser = house.alices_browser().await;
    // Clients and keys are trusted for five seconds without the database; here time stands still for longer.
    house.clock.stop();
    house.later(0).await;
    house.server.store().close().await;
    // What is real needs the database, and says that it will be worth trying again.
    assert_eq!(house.userinfo(access).await.status, 503);
    let page = house.refresh(&house.app, refresh).await;
    assert_eq!((page.status, page.error().as_str()), (503, "temporarily_unavailable"));
    assert_eq!(page.header("retry-after"), "2");
    assert_eq!(house.post("/introspect", &house.app, &[("token", access)]).await.status, 503, "never `active: false`");
    assert_eq!(house.post("/revoke", &house.app, &[("token", refresh)]).await.status, 503, "never an empty promise");
    assert_eq!(browser.clone().get(&format!("{}/account", house.issuer)).await.status, 503);
    // Junk does not.
    let changed = format!("{}{}", &access[..access.len() - 1], if access.ends_with('A') { 'B' } else { 'A' });
    for junk in [
        "x",
        "fj_at_",
        "fj_rt_AAAA",
        "fj_ac_AAAAAAAA",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        changed.as_str(),
        &".".repeat(9000),
    ] {
        let page = house.redeem(&house.app, junk).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{junk}");
        let page = house.refresh(&house.app, junk).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{junk}");
        assert_eq!(house.introspect(&house.app, junk).await, serde_json::json!({ "active": false }), "{junk}");
        assert_eq!(house.post("/revoke", &house.app, &[("token", junk)]).await.status, 200, "{junk}");
        assert_eq!(house.userinfo(junk).await.status, 401, "{junk}");
        let mut browser = browser.clone();
        browser.put_cookie("session", junk);
        browser.put_cookie("bind", junk);
        let page = browser.get(&house.authorize(&house.app, &[])).await;
        assert!(page.location().contains("/sign-in?"), "{junk}");
        assert_eq!(browser.get(&format!("{}/account", house.issuer)).await.status, 303, "{junk}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_of_another_client_is_refused_and_stays_good() {
    let house = House::new().await;
    let other = house.add(crate::house::client("other")).await;
    let public = house.add(crate::house::public("app")).await;
    for owner in [&house.app, &public] {
        let tokens = house.tokens(owner, &[]).await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        for thief in [&house.app, &public, &other] {
            if thief.id != owner.id {
                let page = house.refresh(thief, refresh).await;
                assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "{}", thief.id);
                let fields = [
                    ("grant_type", "authorization_code"),
                    ("code", refresh),
                    ("redirect_uri", CALLBACK),
                    ("code_verifier", VERIFIER),
                ];
                assert_eq!(house.post("/token", thief, &fields).await.error(), "invalid_grant");
            }
        }
        assert_eq!(house.refresh(owner, refresh).await.status, 200);
    }
}
