//! Userinfo (OpenID Connect Core 1.0 §5.3): only tokens meant for it, only claims that were granted.

use fujie_core::{
    account::Account,
    error::{ErrorCode, WireError as _},
    grant::{EndedWhy, Grant, client_credentials},
    id::Id,
    token::{
        access_token::AccessToken,
        bearer::{BearerError, Facts},
    },
    userinfo::decide,
};
use serde_json::{Value, json};

use crate::house::{House, ISSUER, START, body, house, scope, seconds};

fn token(house: &House, asked: &str) -> (Grant, AccessToken) {
    let (grant, response) = house.redeemed("shop", &[("scope", asked)]);
    (grant, AccessToken::read(response["access_token"].as_str().unwrap(), &house.ring).unwrap())
}

fn ask(house: &House, token: &AccessToken, grant: Option<&Grant>) -> Result<Value, BearerError> {
    let account = house.account();
    let facts = Facts { grant, is_revoked: false, account: Some(&account) };
    decide(token, facts, &house.registry, ISSUER, house.now).map(|own| serde_json::to_value(&own).unwrap())
}

#[test]
fn claims_follow_the_scope() {
    let house = house();
    let sub = house.account().id.to_string();
    let (grant, openid) = token(&house, "openid");
    assert_eq!(ask(&house, &openid, Some(&grant)), Ok(json!({"sub": sub})));
    let expected = json!({
        "sub": sub,
        "name": "小明",
        "nickname": "小明",
        "preferred_username": "xiaoming",
        "picture": "https://pictures.example/1",
    });
    for asked in ["openid profile", "openid profile read"] {
        let (grant, profile) = token(&house, asked);
        assert_eq!(ask(&house, &profile, Some(&grant)), Ok(expected.clone()));
    }
}

#[test]
fn claims_that_an_account_has_not_are_absent() {
    let house = house();
    let (grant, token) = token(&house, "openid profile");
    let account = Account { username: None, picture: None, ..house.account() };
    let facts = Facts { grant: Some(&grant), is_revoked: false, account: Some(&account) };
    let told = decide(&token, facts, &house.registry, ISSUER, START).unwrap();
    let expected = json!({"sub": account.id.to_string(), "name": "小明", "nickname": "小明"});
    assert_eq!(serde_json::to_value(&told).unwrap(), expected);
}

#[test]
fn a_token_without_openid_is_not_meant_for_userinfo() {
    let house = house();
    for asked in ["read", "profile", "profile read offline_access"] {
        let (grant, token) = token(&house, asked);
        assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Scope("openid")), "{asked}");
    }
    let wire = |error: BearerError| (error.code(), error.code().status());
    assert_eq!(wire(BearerError::Scope("openid")), (ErrorCode::InsufficientScope, 403));
    assert_eq!(wire(BearerError::Token), (ErrorCode::InvalidToken, 401));
}

#[test]
fn a_token_for_somebody_else_is_refused_even_with_openid() {
    let house = house();
    let (grant, token) = token(&house, "openid read");
    let foreign = AccessToken { audience: vec![crate::house::API.to_owned()], ..token };
    assert_eq!(ask(&house, &foreign, Some(&grant)), Err(BearerError::Token));
    let nowhere = AccessToken { audience: Vec::new(), ..foreign };
    assert_eq!(ask(&house, &nowhere, Some(&grant)), Err(BearerError::Token), "no audience is no audience");
}

#[test]
fn what_ended_says_nothing_about_the_person() {
    let house = house();
    let (grant, token) = token(&house, "openid profile");
    let check = |change: &dyn Fn(&mut Grant), expected: BearerError| {
        let mut row = grant.clone();
        change(&mut row);
        assert_eq!(ask(&house, &token, Some(&row)), Err(expected));
    };
    check(&|row| row.ended = Some((START, EndedWhy::ConsentWithdrawn)), BearerError::Token);
    check(&|row| row.expires_at = START, BearerError::Token);
    check(&|row| row.id = Id::from_bytes([1; 16]), BearerError::Token);
    check(&|row| row.account = Id::from_bytes([1; 16]), BearerError::Token);
    check(&|row| row.scope = scope("profile"), BearerError::Scope("openid"));
    assert_eq!(ask(&house, &token, None), Err(BearerError::Token));
    let smaller = Grant { scope: scope("openid"), ..grant.clone() };
    assert_eq!(ask(&house, &token, Some(&smaller)), Ok(json!({"sub": house.account().id.to_string()})));
}

#[test]
fn a_revoked_token_and_a_disabled_account_are_refused() {
    let house = house();
    let (grant, token) = token(&house, "openid");
    let check = |is_revoked: bool, account: Option<Account>, is_good: bool| {
        let facts = Facts { grant: Some(&grant), is_revoked, account: account.as_ref() };
        assert_eq!(decide(&token, facts, &house.registry, ISSUER, START).is_ok(), is_good);
    };
    check(false, Some(house.account()), true);
    check(true, Some(house.account()), false);
    check(false, Some(Account { disabled_at: Some(START), ..house.account() }), false);
    check(false, None, false);
}

#[test]
fn a_raised_epoch_an_expiry_and_a_disabled_client_end_it() {
    let mut house = house();
    let (grant, token) = token(&house, "openid");
    house.now = START + seconds(3599);
    assert!(ask(&house, &token, Some(&grant)).is_ok());
    house.now = START + seconds(3600);
    assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Token));
    house.now = START;
    house.change(|client| client.epoch += 1);
    assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Token));
    house.change(|client| client.epoch -= 1);
    assert!(ask(&house, &token, Some(&grant)).is_ok());
    house.change(|client| client.is_disabled = true);
    assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Token));
}

#[test]
fn a_client_acting_for_itself_is_no_person() {
    let house = house();
    let (grant, _) = token(&house, "openid");
    let decided =
        client_credentials::decide(house.authenticated("shop"), &body(&[]), house.setting(), &mut house.random());
    let text = decided.unwrap().release(&house.ring, &mut house.random()).unwrap().access_token;
    let own = AccessToken::read(&text, &house.ring).unwrap();
    assert!(ask(&house, &own, None).is_err());
    assert!(ask(&house, &own, Some(&grant)).is_err());
}
