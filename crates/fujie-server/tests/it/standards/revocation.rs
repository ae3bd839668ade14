//! Revocation (RFC 7009): what ends, for whom, and that it stays ended.

use crate::{
    browser::Browser,
    house::{House, WECHAT, client, public},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_revoked_alone_and_a_refresh_token_with_its_grant() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    for client in [&house.app, &app] {
        for scope in ["openid", "openid read_contacts"] {
            let tokens = house.tokens(client, &[("scope", scope)]).await;
            let (access, refresh) =
                (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
            for _ in 0..2 {
                let page = house.post("/revoke", client, &[("token", access)]).await;
                assert_eq!(page.status, 200, "{} {scope} {}", client.id, page.body);
            }
            assert_eq!(house.userinfo(access).await.status, 401);
            let next = house.refresh(client, refresh).await;
            assert_eq!(next.status, 200, "the grant lives on");
            let next = next.json();
            let fields = [("token", next["refresh_token"].as_str().unwrap()), ("token_type_hint", "access_token")];
            assert_eq!(house.post("/revoke", client, &fields).await.status, 200, "a wrong hint is no obstacle");
            house.assert_dead(client, &next).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_client_cannot_be_revoked() {
    let house = House::new().await;
    let (other, app) = (house.add(client("other")).await, house.add(public("app")).await);
    let tokens = house.tokens(&house.app, &[]).await;
    for name in ["access_token", "refresh_token"] {
        for thief in [&other, &app] {
            let page = house.post("/revoke", thief, &[("token", tokens[name].as_str().unwrap())]).await;
            assert_eq!((page.status, page.error().as_str()), (400, "unauthorized_client"), "{name}");
        }
    }
    assert_eq!(house.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(house.refresh(&house.app, tokens["refresh_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_is_as_good_as_revoked_and_an_old_one_ends_its_grant() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    for junk in ["x", "fj_rt_x", "a.b.c"] {
        assert_eq!(house.post("/revoke", &app, &[("token", junk)]).await.status, 200, "{junk}");
    }
    let page = house.post("/revoke", &app, &[]).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"));
    let first = house.tokens(&app, &[]).await["refresh_token"].as_str().unwrap().to_owned();
    let next = house.refresh(&app, &first).await.json();
    assert_eq!(house.post("/revoke", &app, &[("token", &first)]).await.status, 200);
    house.assert_dead(&app, &next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_revoked_stays_revoked_and_what_was_not_lives_on_over_a_restart() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let (kept, ended) = (house.tokens(&house.app, &[]).await, house.tokens(&house.app, &[]).await);
    let alone = house.tokens(&house.app, &[]).await["access_token"].as_str().unwrap().to_owned();
    house.post("/revoke", &house.app, &[("token", ended["refresh_token"].as_str().unwrap())]).await;
    house.post("/revoke", &house.app, &[("token", &alone)]).await;
    let house = house.restart(&[WECHAT]).await;
    house.assert_dead(&house.app, &ended).await;
    assert_eq!(house.userinfo(&alone).await.status, 401);
    assert_eq!(house.userinfo(kept["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(house.refresh(&house.app, kept["refresh_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(house.redeem(&house.app, &code).await.status, 200, "a code on its way survives as well");
    assert_eq!(house.redeem(&house.app, &code).await.status, 400);
    assert!(browser.get(&house.authorize(&house.app, &[])).await.answered("code").is_some(), "and so does a session");
}
