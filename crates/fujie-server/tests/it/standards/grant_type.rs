//! The grants beside the code: client credentials, and the two legacy ones that are off until switched on by name.

use fujie_core::client::{Client, GrantType};
use serde_json::json;

use crate::{
    browser::Browser,
    house::{House, PASSWORD, Registered, claims, client, public},
};

async fn by_password(house: &House, client: &Registered, name: &str, password: &str) -> crate::browser::Page {
    let fields = [("grant_type", "password"), ("username", name), ("password", password), ("scope", "openid profile")];
    house.post("/token", client, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_speak_for_the_client_alone() {
    let house = House::new().await;
    let page = house.post("/token", &house.app, &[("grant_type", "client_credentials")]).await;
    let tokens = page.json();
    assert_eq!((page.status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "read_contacts", "nothing about a person");
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let token = tokens["access_token"].as_str().unwrap();
    let told = claims(token);
    assert_eq!((&told["sub"], &told["client_id"]), (&json!("friends"), &json!("friends")));
    assert_eq!(told["aud"], json!(["https://contacts.example/"]));
    assert!(told.get("auth_time").is_none());
    let page = house.userinfo(token).await;
    assert_eq!((page.status, page.error().as_str()), (403, "insufficient_scope"));
    assert_eq!(house.introspect(&house.app, token).await["active"], true);
    house.later(3601).await;
    assert_eq!(house.introspect(&house.app, token).await, json!({ "active": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_client_credentials_ends_with_the_clients_epoch() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let tokens = house.post("/token", &other, &[("grant_type", "client_credentials")]).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    house.server.store().end_all_of_client("other", house.clock.now()).await.unwrap();
    house.server.renew(true).await.unwrap();
    assert_eq!(house.introspect(&other, token).await, json!({ "active": false }));
    assert_eq!(house.post("/token", &other, &[("grant_type", "client_credentials")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_implicit_grant_is_off_and_works_for_the_client_it_is_switched_on_for() {
    let house = House::new().await;
    let spa = house.add(Client { grant_types: vec![GrantType::Implicit], ..public("spa") }).await;
    let mut browser = house.alices_browser().await;
    let token = [("response_type", "token"), ("code_challenge", ""), ("code_challenge_method", "")];
    let page = browser.get(&house.authorize(&house.app, &token)).await;
    assert_eq!(page.answered("error").as_deref(), Some("unauthorized_client"));
    assert!(page.location().contains("callback#"), "where a token would have been");
    let page = browser.get(&house.authorize(&spa, &token)).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(page.location().starts_with("https://app.example/callback#"), "{}", page.location());
    assert_eq!(page.answered("token_type").as_deref(), Some("Bearer"));
    assert_eq!((page.answered("state").as_deref(), page.answered("iss")), (Some("xyz"), Some(house.issuer.clone())));
    for absent in ["code", "refresh_token", "id_token"] {
        assert!(page.answered(absent).is_none(), "{absent}");
    }
    let access = page.answered("access_token").unwrap();
    assert_eq!(house.userinfo(&access).await.status, 200);
    // Never in a query, and no code for a client without that grant.
    let query = [token.as_slice(), &[("response_mode", "query")]].concat();
    let page = browser.get(&house.authorize(&spa, &query)).await;
    assert_eq!(page.answered("error").as_deref(), Some("invalid_request"));
    let page = browser.get(&house.authorize(&spa, &[])).await;
    assert_eq!(page.answered("error").as_deref(), Some("unauthorized_client"));
    house.later(3601).await;
    assert_eq!(house.userinfo(&access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_implicit_token_ends_with_its_session() {
    let house = House::new().await;
    let spa = house.add(Client { grant_types: vec![GrantType::Implicit], ..public("spa") }).await;
    let mut browser = house.alices_browser().await;
    let page = browser.get(&house.authorize(&spa, &[("response_type", "token")])).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let access = page.answered("access_token").unwrap();
    assert_eq!(house.userinfo(&access).await.status, 200);
    let page = browser.get(&format!("{}/sign-out", house.issuer)).await;
    browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(house.userinfo(&access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_grant_is_off_and_works_for_the_client_it_is_switched_on_for() {
    let house = House::new().await;
    let page = by_password(&house, &house.app, "alice", PASSWORD).await;
    assert_eq!((page.status, page.error().as_str()), (400, "unauthorized_client"), "whatever the password");
    let grant_types = vec![GrantType::Password, GrantType::RefreshToken];
    let legacy = house.add(Client { grant_types, ..client("legacy") }).await;
    let page = by_password(&house, &legacy, "Alice", PASSWORD).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let tokens = page.json();
    let told = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&told["sub"], &told["amr"]), (&json!(house.alice.to_string()), &json!(["pwd"])));
    assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(house.refresh(&legacy, tokens["refresh_token"].as_str().unwrap()).await.status, 200);
    for (name, password) in
        [("alice", "wrong"), ("alice", ""), ("nobody", PASSWORD), ("", ""), ("alice", &"x".repeat(2000))]
    {
        let page = by_password(&house, &legacy, name, password).await;
        let expected = if name.is_empty() || password.is_empty() { "invalid_request" } else { "invalid_grant" };
        assert_eq!((page.status, page.error().as_str()), (400, expected), "{name}");
    }
    // Ended with the account, like every other grant.
    house.server.store().disable_account(house.alice, house.clock.now()).await.unwrap();
    house.assert_dead(&legacy, &tokens).await;
    let page = by_password(&house, &legacy, "alice", PASSWORD).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_by_the_password_grant_is_slowed() {
    let house = House::new().await;
    let legacy = house.add(Client { grant_types: vec![GrantType::Password], ..client("legacy") }).await;
    house.clock.stop();
    for _ in 0..10 {
        let page = by_password(&house, &legacy, "alice", "wrong").await;
        assert_eq!((page.error().as_str(), page.header("retry-after")), ("invalid_grant", ""));
    }
    let page = by_password(&house, &legacy, "alice", PASSWORD).await;
    assert_eq!((page.status, page.error().as_str()), (503, "temporarily_unavailable"), "{}", page.body);
    house.later(60).await;
    assert_eq!(by_password(&house, &legacy, "alice", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let house = House::new().await;
    let brief = house.add(Client { grant_types: vec![GrantType::AuthorizationCode], ..client("brief") }).await;
    let tokens = house.tokens(&brief, &[]).await;
    assert!(tokens.get("refresh_token").is_none());
    house.later(3601).await;
    assert_eq!(house.introspect(&brief, tokens["access_token"].as_str().unwrap()).await, json!({ "active": false }));
    let foreign = house.tokens(&house.app, &[]).await;
    let page = house.refresh(&brief, foreign["refresh_token"].as_str().unwrap()).await;
    assert_eq!(page.error(), "unauthorized_client");
    house.code(&mut Browser::new(), &brief, &[]).await;
}
