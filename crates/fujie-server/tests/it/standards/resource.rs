//! Protected resources and those who ask about tokens: userinfo (RFC 6750) and introspection (RFC 7662).

use serde_json::json;

use crate::{
    browser::{Browser, Page, form},
    house::{House, Registered, client, contacts, public},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn ask(house: &House, headers: &[(&str, &str)], body: Option<&str>) -> Page {
    Browser::new().send_as(&format!("{}/userinfo", house.issuer), headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_takes_a_token_by_header_or_body_but_not_both() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let (header, body) = (format!("Bearer {token}"), form(&[("access_token", token)]));
    let lower = format!("bearer {token}");
    for page in [
        ask(&house, &[("authorization", &header)], None).await,
        ask(&house, &[("authorization", &lower)], None).await,
        ask(&house, &[("authorization", &header)], Some("")).await,
        ask(&house, &[FORM], Some(&body)).await,
    ] {
        assert_eq!(page.status, 200, "{}", page.body);
        let expected = json!({ "sub": house.alice.to_string(), "name": "alice", "nickname": "alice", "preferred_username": "alice" });
        assert_eq!(page.json(), expected);
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let page = ask(&house, &[FORM, ("authorization", &header)], Some(&body)).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"));
    // Not in the address, not in a body of another type: as if none had been sent, and then no error code is told.
    let query = Browser::new().get(&format!("{}/userinfo?access_token={token}", house.issuer)).await;
    let json =
        ask(&house, &[("content-type", "application/json")], Some(&json!({ "access_token": token }).to_string())).await;
    let basic = ask(&house, &[("authorization", &format!("Basic {token}"))], None).await;
    for page in [query, json, basic, ask(&house, &[], None).await] {
        assert_eq!((page.status, page.header("www-authenticate")), (401, "Bearer realm=\"fujie\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_tells_what_the_scope_allows() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[("scope", "openid")]).await;
    let page = house.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(page.json(), json!({ "sub": house.alice.to_string() }));
    for junk in ["x", "", "a b", "fj_at_x", "\"quoted\"", "a.b.c"] {
        let page = house.userinfo(junk).await;
        assert_eq!(page.status, 401, "{junk}");
        assert!(page.header("www-authenticate").starts_with("Bearer realm=\"fujie\""), "{junk}");
    }
    let page = house.userinfo("x").await;
    assert!(page.header("www-authenticate").contains("error=\"invalid_token\""), "RFC 6750 section 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_tells_the_truth_to_its_own_client_and_to_the_api_alone() {
    let house = House::new().await;
    let (other, app) = (house.add(client("other")).await, house.add(public("app")).await);
    let api = house.add(fujie_core::client::Client {
        id: "photos".to_owned(),
        api: Some(fujie_core::client::Api {
            resource: "https://photos.example/".to_owned(),
            scope: fujie_core::request::scope::Scope::parse("read_photos").unwrap(),
            ..contacts(fujie_core::client::TokenForm::Opaque).api.unwrap()
        }),
        ..contacts(fujie_core::client::TokenForm::Opaque)
    });
    let api = api.await;
    let scope = fujie_core::request::scope::Scope::parse("openid read_photos").unwrap();
    let friends = house.add(fujie_core::client::Client { scope, ..client("photo-app") }).await;
    let tokens = house.tokens(&friends, &[("scope", "openid read_photos")]).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let inactive = json!({ "active": false });
    for asker in [&friends, &api] {
        let told = house.introspect(asker, access).await;
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("photo-app")), "{}", asker.id);
        assert_eq!((&told["sub"], &told["scope"]), (&json!(house.alice.to_string()), &json!("openid read_photos")));
        assert_eq!((&told["iss"], &told["token_type"]), (&json!(house.issuer), &json!("Bearer")));
        assert!(told["exp"].as_i64() > told["iat"].as_i64());
    }
    assert_eq!(house.introspect(&other, access).await, inactive);
    assert_eq!(house.introspect(&friends, refresh).await["active"], true);
    for asker in [&other, &api] {
        assert_eq!(house.introspect(asker, refresh).await, inactive, "{}", asker.id);
    }
    let page = house.post("/introspect", &app, &[("token", access)]).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "a public client proves nothing");
    let page = house.post("/introspect", &friends, &[]).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"));
    let nobody = Registered { id: "photo-app".to_owned(), secret: None };
    assert_eq!(house.post("/introspect", &nobody, &[("token", access)]).await.status, 401);
    // A wrong hint changes nothing; an old generation is not active.
    let page = house.post("/introspect", &friends, &[("token", access), ("token_type_hint", "refresh_token")]).await;
    assert_eq!(page.json()["active"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_generation_is_not_active_even_while_it_may_be_repeated() {
    let house = House::new().await;
    let rotating = fujie_core::client::Client { rotates: Some(true), ..client("rotating") };
    let rotating = house.add(rotating).await;
    let tokens = house.tokens(&rotating, &[]).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let next = house.refresh(&rotating, first).await.json();
    assert_eq!(house.introspect(&rotating, first).await, json!({ "active": false }));
    assert_eq!(house.introspect(&rotating, next["refresh_token"].as_str().unwrap()).await["active"], true);
}
