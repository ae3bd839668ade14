//! Client credentials (RFC 6749 §4.4): a confidential client acts for itself, and never for a person.

use fujie_core::{
    grant::client_credentials::decide,
    time::Lifetime,
    token::{access_token::AccessToken, error::TokenError},
};
use serde_json::{Value, json};

use crate::house::{API, House, START, VAULT, body, house, house_where, seconds};

fn ask(house: &House, client: &str, pairs: &[(&str, &str)]) -> Result<Value, TokenError> {
    let decided = decide(house.authenticated(client), &body(pairs), house.setting(), &mut house.random())?;
    Ok(serde_json::to_value(decided.release(&house.ring, &mut house.random()).unwrap()).unwrap())
}

#[test]
fn a_client_gets_a_token_for_itself_and_nothing_else() {
    let house = house();
    let response = ask(&house, "shop", &[("scope", "read")]).unwrap();
    let text = response["access_token"].as_str().unwrap().to_owned();
    let expected = json!({"access_token": text, "token_type": "Bearer", "expires_in": 3600, "scope": "read"});
    assert_eq!(response, expected, "no refresh token, no ID token");
    let (header, claims) = house.jwt(&text);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let expected = json!({
        "iss": "https://id.example",
        "sub": "shop",
        "aud": [API],
        "exp": START.seconds() + 3600,
        "iat": START.seconds(),
        "jti": claims["jti"],
        "client_id": "shop",
        "scope": "read",
    });
    assert_eq!(claims, expected);
    assert_eq!(AccessToken::read(&text, &house.ring).unwrap().grant, None);
}

#[test]
fn a_public_client_cannot_act_for_itself() {
    let house = house_where(|client| client.grant_types = fujie_core::client::GrantType::ALL.to_vec());
    for client in ["spa", "native"] {
        assert_eq!(ask(&house, client, &[]), Err(TokenError::PublicClient));
    }
}

#[test]
fn the_grant_type_must_be_switched_on() {
    let house = house();
    assert_eq!(ask(&house, "brief", &[]), Err(TokenError::GrantTypeOff));
    assert_eq!(ask(&house, "api", &[]), Err(TokenError::GrantTypeOff));
    assert!(ask(&house, "other", &[]).is_ok());
}

#[test]
fn what_belongs_to_a_person_is_not_given_to_a_client() {
    let house = house();
    for scope in ["openid", "profile", "email", "offline_access", "read openid", "admin", "READ", "a\"b"] {
        assert_eq!(ask(&house, "shop", &[("scope", scope)]), Err(TokenError::Scope), "{scope}");
    }
    assert_eq!(ask(&house, "shop", &[]).unwrap()["scope"], "read write open");
}

#[test]
fn the_audience_is_what_was_asked() {
    let house = house();
    let audience = |pairs: &[(&str, &str)]| {
        let response = ask(&house, "shop", pairs)?;
        Ok(AccessToken::read(response["access_token"].as_str().unwrap(), &house.ring).unwrap().audience)
    };
    assert_eq!(audience(&[]), Ok(vec![API.to_owned(), VAULT.to_owned()]));
    assert_eq!(audience(&[("resource", VAULT)]), Ok(vec![VAULT.to_owned()]));
    assert_eq!(
        audience(&[("scope", "read open"), ("resource", API), ("resource", VAULT), ("resource", API)]),
        Ok(vec![API.to_owned(), VAULT.to_owned()])
    );
    assert_eq!(audience(&[("resource", "https://nobody.example")]), Err(TokenError::Target));
    // An API is no audience of a token without a scope of its own.
    assert_eq!(audience(&[("scope", "read"), ("resource", VAULT)]), Err(TokenError::Target));
}

#[test]
fn a_client_may_have_its_own_lifetime_up_to_a_day() {
    let check = |own: Lifetime, expected: i64| {
        let house = house_where(|client| client.access_token_lifetime = Some(own));
        assert_eq!(ask(&house, "shop", &[]).unwrap()["expires_in"], expected);
    };
    check(seconds(120), 120);
    check(Lifetime::from_days(400), 86_400);
}
