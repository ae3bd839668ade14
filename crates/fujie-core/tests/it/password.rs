//! The password grant (RFC 6749 §4.3): off until switched on by name; its grant is born redeemed.

use fujie_core::{
    account::Account,
    client::GrantType,
    grant::{
        ClientAuth, Grant, GrantBorn,
        password::{decide, read},
    },
    id::Id,
    token::{draft::ReleaseError, error::TokenError},
};
use serde_json::Value;

use crate::house::{House, START, body, days, house, house_where, scope, seconds};

fn ask(house: &House, client: &str, pairs: &[(&str, &str)]) -> Result<(Grant, Value), TokenError> {
    let client = house.authenticated(client);
    let (grant, draft) = decide(&client, &body(pairs), &house.account(), house.setting(), &mut house.random())?;
    let proof = GrantBorn::assertion(grant.id);
    let response = draft.release(proof, &house.ring, &mut house.random()).unwrap();
    Ok((grant, serde_json::to_value(&response).unwrap()))
}

#[test]
fn credentials_are_read_only_for_a_client_that_may_send_them() {
    let house = house();
    let full = [("username", "xiaoming"), ("password", "correct horse")];
    let parameters = body(&full);
    let read_by =
        |client: &str| read(&house.authenticated(client), &parameters).map(|own| (own.username, own.password));
    assert_eq!(read_by("legacy"), Ok(("xiaoming", "correct horse")));
    for client in ["shop", "spa", "native", "api"] {
        assert_eq!(read_by(client), Err(TokenError::GrantTypeOff));
    }
    for (missing, kept) in [("username", full[1]), ("password", full[0])] {
        let told = read(&house.authenticated("legacy"), &body(&[kept])).err();
        assert_eq!(told, Some(TokenError::Missing(missing)));
    }
}

#[test]
fn a_password_is_never_printed() {
    let parameters = body(&[("username", "xiaoming"), ("password", "correct horse")]);
    let house = house();
    let client = house.authenticated("legacy");
    let credentials = read(&client, &parameters).unwrap();
    assert_eq!(format!("{credentials:?}"), "Credentials([redacted])");
}

#[test]
fn a_grant_by_password_is_born_redeemed_without_a_session() {
    let house = house();
    let (grant, response) = ask(&house, "legacy", &[("scope", "openid read")]).unwrap();
    let expected = Grant {
        id: grant.id,
        account: house.account().id,
        client: "legacy".to_owned(),
        client_epoch: 3,
        session: None,
        auth_time: START,
        acr: None,
        amr: "pwd".to_owned(),
        scope: scope("openid read"),
        resource: crate::house::API.to_owned(),
        key_binding: None,
        rotates: false,
        client_auth: ClientAuth::Secret,
        parent: None,
        generation: 0,
        rotated_at: START,
        redeemed_at: Some(START),
        expires_at: START + days(30),
        created_at: START,
        ended: None,
    };
    assert_eq!(grant, expected);
    assert_eq!((&response["expires_in"], &response["scope"]), (&600.into(), &"openid read".into()));
    let (_, claims) = house.jwt(response["id_token"].as_str().unwrap());
    assert_eq!((&claims["auth_time"], &claims["amr"]), (&START.seconds().into(), &serde_json::json!(["pwd"])));
    assert!(claims.get("nonce").is_none());
}

#[test]
fn without_refresh_the_grant_ends_with_its_token() {
    let house = house_where(|client| client.grant_types = vec![GrantType::Password]);
    let (grant, response) = ask(&house, "legacy", &[]).unwrap();
    assert_eq!(grant.expires_at, START + seconds(3600));
    assert!(response.get("refresh_token").is_none());
}

#[test]
fn scope_is_within_what_is_registered_and_never_offline_unasked() {
    let house = house();
    let scope = |asked: &str| ask(&house, "legacy", &[("scope", asked)]).map(|(grant, _)| grant.scope.to_string());
    assert_eq!(scope(""), Ok("openid profile read write open".to_owned()));
    assert_eq!(scope("read offline_access"), Ok("read offline_access".to_owned()));
    assert_eq!(scope("read admin"), Err(TokenError::Scope));
    let unknown = ask(&house, "legacy", &[("resource", "https://nobody.example")]).map(|_| ());
    assert_eq!(unknown, Err(TokenError::Target));
}

#[test]
fn a_disabled_account_and_a_wrong_password_look_alike() {
    let house = house();
    let account = Account { disabled_at: Some(START), ..house.account() };
    let client = house.authenticated("legacy");
    let told = decide(&client, &body(&[]), &account, house.setting(), &mut house.random());
    assert_eq!(told.map(|_| ()), Err(TokenError::PasswordWrong));
}

#[test]
fn deciding_asks_again_whether_the_grant_type_is_on() {
    assert_eq!(ask(&house(), "shop", &[]).map(|_| ()), Err(TokenError::GrantTypeOff));
}

#[test]
fn the_answer_waits_for_the_birth_of_its_own_grant() {
    let house = house();
    let client = house.authenticated("legacy");
    let (_, draft) = decide(&client, &body(&[]), &house.account(), house.setting(), &mut house.random()).unwrap();
    let foreign = GrantBorn::assertion(Id::from_bytes([2; 16]));
    assert_eq!(draft.release(foreign, &house.ring, &mut house.random()).unwrap_err(), ReleaseError);
}
