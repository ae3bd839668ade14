//! Access and refresh tokens: their form, their audience, their life.

use fujie_core::{
    client::{Api, Client, TokenForm},
    jose::jws::Algorithm,
    request::scope::Scope,
    time::Lifetime,
};
use serde_json::{Value, json};

use super::key::verified;
use crate::{
    browser::Browser,
    house::{CALLBACK, House, Registered, VERIFIER, client, public},
};

const DAY: i64 = 86_400;

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}"))
}

/// Another API, which owns `read_photos`.
async fn photos(house: &House, form: TokenForm) -> Registered {
    let api = Api {
        resource: "https://photos.example/".to_owned(),
        scope: Scope::parse("read_photos").unwrap(),
        scope_words: Default::default(),
        token: form,
    };
    house.add(Client { api: Some(api), grant_types: Vec::new(), ..client("photos") }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_userinfo_is_opaque_and_a_token_for_an_api_is_a_jwt() {
    let house = House::new().await;
    house.clock.stop();
    let tokens = house.tokens(&house.app, &[]).await;
    assert!(text(&tokens, "access_token").starts_with("fj_at_"));
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let tokens = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    assert_eq!(tokens["expires_in"], 600);
    let (header, told) = verified(&house, text(&tokens, "access_token")).await;
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    assert_eq!(told["iss"], house.issuer);
    assert_eq!(told["sub"], house.alice.to_string());
    assert_eq!(told["aud"], json!(["https://contacts.example/", house.issuer]));
    assert_eq!(told["client_id"], "friends");
    assert_eq!(told["scope"], "openid read_contacts");
    let now = house.clock.now().seconds();
    assert_eq!((&told["iat"], &told["exp"]), (&json!(now), &json!(now + 600)));
    assert!(told["jti"].as_str().unwrap().len() > 20 && told["auth_time"].is_i64());
    assert_eq!(house.userinfo(text(&tokens, "access_token")).await.status, 200, "userinfo is in its audience");
    // Without openid it is not meant for us.
    let tokens = house.tokens(&house.app, &[("scope", "read_contacts")]).await;
    let page = house.userinfo(text(&tokens, "access_token")).await;
    assert_eq!((page.status, page.error().as_str()), (403, "insufficient_scope"));
    assert!(tokens.get("id_token").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_may_have_opaque_tokens() {
    let house = House::with(TokenForm::Opaque).await;
    let tokens = house.tokens(&house.app, &[("scope", "openid read_contacts")]).await;
    assert!(text(&tokens, "access_token").starts_with("fj_at_"));
    assert_eq!(tokens["expires_in"], 3600);
    let told = house.introspect(&house.app, text(&tokens, "access_token")).await;
    assert_eq!((&told["active"], &told["aud"]), (&json!(true), &json!(["https://contacts.example/", house.issuer])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_narrows_the_audience_and_never_widens_it() {
    let house = House::new().await;
    photos(&house, TokenForm::Jwt(Algorithm::EdDsa)).await;
    let scope = Scope::parse("openid offline_access read_contacts read_photos").unwrap();
    let both = house.add(Client { scope, ..client("both") }).await;
    let (contacts, photos) = ("https://contacts.example/", "https://photos.example/");
    let code = house.code(&mut Browser::new(), &both, &[("scope", "read_contacts read_photos")]).await;
    let redeem = |resources: &[&'static str]| {
        let mut fields =
            vec![("grant_type", "authorization_code"), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        fields
    };
    for unknown in ["https://elsewhere.example/", "https://contacts.example", "https://contacts.example/#x"] {
        let fields = [redeem(&[unknown]), vec![("code", code.as_str())]].concat();
        assert_eq!(house.post("/token", &both, &fields).await.error(), "invalid_target", "{unknown}");
    }
    let fields = [redeem(&[contacts]), vec![("code", code.as_str())]].concat();
    let tokens = house.post("/token", &both, &fields).await.json();
    let aud = |tokens: &Value| crate::house::claims(text(tokens, "access_token"))["aud"].clone();
    assert_eq!(aud(&tokens), json!([contacts]), "a wrong resource burnt nothing");
    let refresh = text(&tokens, "refresh_token");
    for (resources, expected) in [
        (vec![photos], json!([photos])),
        (vec![photos, contacts], json!([photos, contacts])),
        (vec![], json!([contacts, photos])),
    ] {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        assert_eq!(aud(&house.post("/token", &both, &fields).await.json()), expected);
    }
    // What the authorization request named is all there is.
    let code =
        house.code(&mut Browser::new(), &both, &[("scope", "read_contacts read_photos"), ("resource", contacts)]).await;
    let fields = [redeem(&[photos]), vec![("code", code.as_str())]].concat();
    assert_eq!(house.post("/token", &both, &fields).await.error(), "invalid_target");
    assert_eq!(aud(&house.redeem(&both, &code).await.json()), json!([contacts]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_at_its_second_and_a_refresh_gives_the_next() {
    let house = House::new().await;
    house.clock.stop();
    for (scope, life) in [("openid", 3600), ("openid read_contacts", 600)] {
        let tokens = house.tokens(&house.app, &[("scope", scope)]).await;
        house.later(life - 1).await;
        assert_eq!(house.userinfo(text(&tokens, "access_token")).await.status, 200, "{scope}");
        house.later(1).await;
        let page = house.userinfo(text(&tokens, "access_token")).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_token"), "{scope}");
        assert_eq!(house.introspect(&house.app, text(&tokens, "access_token")).await, json!({ "active": false }));
        let next = house.refresh(&house.app, text(&tokens, "refresh_token")).await.json();
        assert_eq!(next["expires_in"], life);
        assert_eq!(house.userinfo(text(&next, "access_token")).await.status, 200);
    }
    let short = Client { access_token_lifetime: Some(Lifetime::from_seconds(120)), ..client("short") };
    let short = house.add(short).await;
    assert_eq!(house.tokens(&short, &[]).await["expires_in"], 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[("scope", "openid profile read_contacts")]).await;
    let refresh = text(&tokens, "refresh_token");
    let ask = |scope: &'static str| {
        let house = &house;
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", scope)];
            house.post("/token", &house.app, &fields).await
        }
    };
    let less = ask("profile openid").await.json();
    assert_eq!(less["scope"], "profile openid");
    for more in ["openid offline_access", "openid admin", "openid \"", "email"] {
        assert_eq!(ask(more).await.error(), "invalid_scope", "{more}");
    }
    let less = ask("read_contacts").await.json();
    assert!(less.get("id_token").is_none());
    assert_eq!(house.userinfo(text(&less, "access_token")).await.status, 403);
    let whole = house.refresh(&house.app, refresh).await.json();
    assert_eq!(whole["scope"], "openid profile read_contacts", "asking for less once gives nothing up");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_offline_access_a_grant_ends_with_its_session() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    for client in [&house.app, &app] {
        let mut browser = Browser::new();
        let code = house.code(&mut browser, client, &[]).await;
        let online = house.redeem(client, &code).await.json();
        let code = house.code(&mut browser, client, &[("scope", "openid offline_access")]).await;
        let offline = house.redeem(client, &code).await.json();
        let page = browser.get(&format!("{}/sign-out", house.issuer)).await;
        browser.submit(&page, "/sign-out", &[]).await;
        house.assert_dead(client, &online).await;
        assert_eq!(house.userinfo(text(&offline, "access_token")).await.status, 200);
        assert_eq!(house.refresh(client, text(&offline, "refresh_token")).await.status, 200);
    }
    // A session that is never signed out of ends after fourteen days, and its grants with it.
    let mut online = house.tokens(&app, &[]).await;
    for _ in 0..6 {
        house.later(2 * DAY).await;
        online = house.refresh(&app, text(&online, "refresh_token")).await.json();
    }
    house.later(2 * DAY - 600).await;
    let last = house.refresh(&app, text(&online, "refresh_token")).await.json();
    assert!(last["expires_in"].as_i64().unwrap() <= 600, "an access token ends with its grant: {last}");
    house.later(601).await;
    house.assert_dead(&app, &last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_grant_ends_after_thirty_idle_days_or_one_year() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    for client in [&house.app, &app] {
        let mut tokens = house.tokens(client, &[("scope", "openid offline_access")]).await;
        let idle = house.tokens(client, &[("scope", "openid offline_access")]).await;
        for _ in 0..14 {
            house.later(26 * DAY).await;
            let page = house.refresh(client, text(&tokens, "refresh_token")).await;
            assert_eq!(page.status, 200, "{}", page.body);
            tokens = page.json();
        }
        let page = house.refresh(client, text(&idle, "refresh_token")).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "idle for too long");
        house.later(2 * DAY).await;
        let page = house.refresh(client, text(&tokens, "refresh_token")).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "older than a year");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_token_is_bound_to_its_client_request_and_access_token() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[("nonce", "n-0S6_WzA2Mj")]).await;
    let (header, told) = verified(&house, text(&tokens, "id_token")).await;
    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("ES256")));
    assert_eq!((&told["aud"], &told["nonce"]), (&json!("friends"), &json!("n-0S6_WzA2Mj")));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 3600);
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let half = &fujie_core::secret::sha256(text(&tokens, "access_token").as_bytes())[..16];
    assert_eq!(told["at_hash"], URL_SAFE_NO_PAD.encode(half));
    // Refreshed, it is about the same person and sign-in, and echoes no nonce of another request.
    let next = house.refresh(&house.app, text(&tokens, "refresh_token")).await.json();
    let (_, later) = verified(&house, text(&next, "id_token")).await;
    for claim in ["iss", "sub", "aud", "auth_time", "amr"] {
        assert_eq!(told[claim], later[claim], "{claim}");
    }
    assert!(later.get("nonce").is_none());
}
