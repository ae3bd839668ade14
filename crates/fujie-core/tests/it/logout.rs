//! Sign-out asked for by a client (OpenID Connect RP-Initiated Logout 1.0): what is proven, and where it may lead.

use fujie_core::{
    jose::jws::Algorithm,
    logout::{LogoutRequest, read},
    request::redirect_uri::RegisteredUri,
};
use serde_json::json;

use crate::house::{House, ISSUER, START, body, house_where};

const BYE: &str = "https://shop.example/bye";

fn house() -> House {
    house_where(|client| {
        let uri = format!("https://{}.example/bye", client.id);
        client.post_logout_redirect_uris = vec![RegisteredUri::parse(&uri).unwrap()];
    })
}

fn hint(house: &House, client: &str) -> String {
    house.redeemed(client, &[]).1["id_token"].as_str().unwrap().to_owned()
}

fn ask(house: &House, pairs: &[(&str, &str)]) -> LogoutRequest {
    read(&body(pairs), &house.registry, &house.ring)
}

#[test]
fn an_id_token_proves_who_asks_and_whose_session_it_is() {
    let house = house();
    let expected = LogoutRequest {
        client_name: Some("shop".to_owned()),
        location: Some(format!("{BYE}?state=s%20t%2B%26")),
        subject: Some(house.account().id.to_string()),
    };
    let hint = hint(&house, "shop");
    let pairs = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s t+&")];
    assert_eq!(ask(&house, &pairs), expected);
    let both = [pairs.as_slice(), &[("client_id", "shop")]].concat();
    assert_eq!(ask(&house, &both), expected);
    let mut later = house;
    later.later(crate::house::days(5));
    assert_eq!(ask(&later, &pairs), expected, "an expired ID token still proves who asks");
}

#[test]
fn an_open_redirect_stays_closed() {
    let house = house();
    let hint = hint(&house, "shop");
    for uri in [
        "https://evil.test/",
        "https://other.example/bye",
        "https://shop.example/bye/",
        "https://shop.example/bye?x=1",
        "https://shop.example/bye#x",
        "https://shop.example/cb",
        "https://shop.example@evil.test/bye",
        "//evil.test",
        "javascript:alert(1)",
        "https://shop.example/bye\r\nSet-Cookie: a=b",
    ] {
        for proof in [("id_token_hint", hint.as_str()), ("client_id", "shop")] {
            assert_eq!(ask(&house, &[proof, ("post_logout_redirect_uri", uri)]).location, None, "{uri}");
        }
    }
}

#[test]
fn a_hint_and_a_name_that_disagree_prove_nothing() {
    let house = house();
    let hint = hint(&house, "shop");
    for client in ["other", "SHOP", "nobody"] {
        let pairs = [("id_token_hint", hint.as_str()), ("client_id", client), ("post_logout_redirect_uri", BYE)];
        assert_eq!(ask(&house, &pairs), LogoutRequest::default());
    }
}

#[test]
fn only_an_id_token_of_ours_is_a_hint() {
    let house = house();
    let (_, response) = house.redeemed("shop", &[("scope", "openid read")]);
    let access_token = response["access_token"].as_str().unwrap().to_owned();
    let key = house.ring.signer(Algorithm::Es256, START).unwrap();
    let claims = |iss: &str| json!({"iss": iss, "sub": "x", "aud": "shop"}).to_string();
    let foreign = key.sign("JWT", claims("https://evil.test").as_bytes()).unwrap();
    let own = key.sign("JWT", claims(ISSUER).as_bytes()).unwrap();
    assert_eq!(ask(&house, &[("id_token_hint", &own)]).subject.as_deref(), Some("x"));
    let cut = own[..own.len() - 4].to_owned();
    for hint in ["", "x", "a.b.c", &access_token, &foreign, &cut] {
        let told = ask(&house, &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]);
        assert_eq!(told, LogoutRequest::default(), "{hint}");
    }
}

#[test]
fn a_client_that_only_names_itself_speaks_for_nobody() {
    let house = house();
    let told = ask(&house, &[("client_id", "shop"), ("post_logout_redirect_uri", BYE)]);
    assert_eq!((told.location.as_deref(), told.subject), (Some(BYE), None), "so the person is asked");
    assert_eq!(ask(&house, &[("client_id", "closed")]), LogoutRequest::default());
    assert_eq!(ask(&house, &[]), LogoutRequest::default());
}
