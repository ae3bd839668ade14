//! Introspection (RFC 7662): the truth to the token's own client and its APIs, `active: false` to everybody else.

use fujie_core::{
    grant::{EndedWhy, Grant},
    id::Id,
    token::introspect::{Introspection, Presented, decide},
};
use serde_json::{Value, json};

use crate::house::{API, House, ISSUER, START, VAULT, house, scope, seconds};

fn ask(house: &House, caller: &str, text: &str, grant: Option<&Grant>, is_revoked: bool) -> Value {
    let presented = Presented::read(text, &house.ring);
    let caller = house.authenticated(caller);
    let told = decide(&presented, grant, is_revoked, &caller, &house.registry, ISSUER, house.now);
    let told_active = told.is_active();
    let told = serde_json::to_value(&told).unwrap();
    assert_eq!(told["active"], told_active);
    told
}

fn inactive() -> Value {
    json!({"active": false})
}

fn text(response: &Value, name: &str) -> String {
    response[name].as_str().unwrap().to_owned()
}

/// Both tokens of a grant of `shop` for `scope`.
fn tokens(house: &House, scope: &str) -> (Grant, String, String) {
    let (grant, response) = house.redeemed("shop", &[("scope", scope)]);
    (grant, text(&response, "access_token"), text(&response, "refresh_token"))
}

#[test]
fn the_own_client_and_the_api_are_told_everything() {
    let house = house();
    let (grant, access, _) = tokens(&house, "openid read");
    let expected = json!({
        "active": true,
        "scope": "openid read",
        "client_id": "shop",
        "token_type": "Bearer",
        "sub": house.account().id.to_string(),
        "aud": [API, ISSUER],
        "iss": ISSUER,
        "exp": START.seconds() + 600,
        "iat": START.seconds(),
        "auth_time": START.seconds() - 100,
    });
    assert_eq!(ask(&house, "shop", &access, Some(&grant), false), expected);
    assert_eq!(ask(&house, "api", &access, Some(&grant), false), expected);
}

#[test]
fn everybody_else_is_told_active_false_and_nothing_more() {
    let house = house();
    let (grant, jwt, refresh) = tokens(&house, "openid read");
    let (opaque_grant, opaque, _) = tokens(&house, "openid open");
    for caller in ["other", "lax", "vault", "spa"] {
        assert_eq!(ask(&house, caller, &jwt, Some(&grant), false), inactive(), "{caller}");
        assert_eq!(ask(&house, caller, &refresh, Some(&grant), false), inactive(), "{caller}");
    }
    assert_eq!(ask(&house, "api", &opaque, Some(&opaque_grant), false), inactive());
    assert_eq!(ask(&house, "api", &refresh, Some(&grant), false), inactive(), "an API has no business with it");
    assert_eq!(ask(&house, "vault", &opaque, Some(&opaque_grant), false)["active"], true);
}

#[test]
fn a_caller_that_only_names_itself_is_told_nothing() {
    // RFC 7662 §2.1: the endpoint wants authorization, and the metadata does not offer `none` for it.
    let house = house();
    let (grant, response) = house.redeemed("spa", &[]);
    for name in ["access_token", "refresh_token"] {
        assert_eq!(ask(&house, "spa", &text(&response, name), Some(&grant), false), inactive(), "{name}");
    }
}

#[test]
fn a_refresh_token_is_told_to_its_own_client() {
    let house = house();
    let (grant, _, refresh) = tokens(&house, "openid offline_access");
    let expected = json!({
        "active": true,
        "scope": "openid offline_access",
        "client_id": "shop",
        "sub": house.account().id.to_string(),
        "iss": ISSUER,
        "exp": START.seconds() + 30 * 86_400,
        "iat": START.seconds(),
        "auth_time": START.seconds() - 100,
    });
    assert_eq!(ask(&house, "shop", &refresh, Some(&grant), false), expected);
    let rotated = Grant { generation: 1, ..grant };
    assert_eq!(ask(&house, "shop", &refresh, Some(&rotated), false), inactive(), "an old generation");
}

#[test]
fn a_token_is_alive_only_while_all_it_hangs_on_is() {
    let house = house();
    for scope_text in ["openid read", "openid"] {
        let (grant, access, refresh) = tokens(&house, scope_text);
        let check = |change: &dyn Fn(&mut Grant)| {
            let mut row = grant.clone();
            change(&mut row);
            assert_eq!(ask(&house, "shop", &access, Some(&row), false), inactive());
            assert_eq!(ask(&house, "shop", &refresh, Some(&row), false), inactive());
        };
        check(&|row| row.ended = Some((START, EndedWhy::Revoked)));
        check(&|row| row.expires_at = START);
        check(&|row| row.redeemed_at = None);
        check(&|row| row.id = Id::from_bytes([1; 16]));
        assert_eq!(ask(&house, "shop", &access, None, false), inactive());
        assert_eq!(ask(&house, "shop", &refresh, None, false), inactive());
        assert_eq!(ask(&house, "shop", &access, Some(&grant), true), inactive(), "revoked alone");
        assert_eq!(ask(&house, "shop", &access, Some(&grant), false)["active"], true);
    }
}

#[test]
fn an_expired_token_is_inactive_to_the_millisecond() {
    let mut house = house();
    let (grant, access, _) = tokens(&house, "openid");
    house.now = fujie_core::time::Timestamp::from_millis((START + seconds(3600)).millis() - 1);
    assert_eq!(ask(&house, "shop", &access, Some(&grant), false)["active"], true);
    house.now = START + seconds(3600);
    assert_eq!(ask(&house, "shop", &access, Some(&grant), false), inactive());
}

#[test]
fn a_raised_epoch_ends_all() {
    let mut house = house();
    let (grant, jwt, refresh) = tokens(&house, "openid read");
    let (opaque_grant, opaque, _) = tokens(&house, "openid");
    house.change(|client| client.epoch += u32::from(client.id == "shop"));
    for (token, grant) in [(&jwt, &grant), (&refresh, &grant), (&opaque, &opaque_grant)] {
        assert_eq!(ask(&house, "shop", token, Some(grant), false), inactive());
    }
    assert_eq!(ask(&house, "api", &jwt, Some(&grant), false), inactive());
}

#[test]
fn a_disabled_client_ends_all_that_it_holds() {
    let mut house = house();
    let (grant, jwt, _) = tokens(&house, "openid read");
    assert_eq!(ask(&house, "api", &jwt, Some(&grant), false)["active"], true);
    house.change(|client| client.is_disabled |= client.id == "shop");
    assert_eq!(ask(&house, "api", &jwt, Some(&grant), false), inactive());
}

#[test]
fn scope_is_that_of_the_token_within_that_of_the_grant() {
    let house = house();
    let (grant, access, _) = tokens(&house, "openid read open");
    let smaller = Grant { scope: scope("openid read"), ..grant };
    assert_eq!(ask(&house, "shop", &access, Some(&smaller), false)["scope"], "openid read");
    assert_eq!(ask(&house, "vault", &access, Some(&smaller), false)["aud"], json!([API, VAULT, ISSUER]));
}

#[test]
fn a_client_acting_for_itself_is_its_own_subject() {
    let house = house();
    let parameters = crate::house::body(&[("scope", "read")]);
    let client = house.authenticated("shop");
    let decided =
        fujie_core::grant::client_credentials::decide(client, &parameters, house.setting(), &mut house.random());
    let token = decided.unwrap().release(&house.ring, &mut house.random()).unwrap().access_token;
    let told = ask(&house, "api", &token, None, false);
    assert_eq!((&told["active"], &told["sub"], &told["client_id"]), (&json!(true), &json!("shop"), &json!("shop")));
    assert!(told.get("auth_time").is_none());
    assert_eq!(ask(&house, "other", &token, None, false), inactive());
    assert_eq!(ask(&house, "shop", &token, None, true), inactive());
}

#[test]
fn junk_is_inactive() {
    let house = house();
    let id_token = text(&house.redeemed("shop", &[]).1, "id_token");
    let code = house.issue("shop", &[]).code;
    let dots = ".".repeat(10_000);
    for junk in ["", "x", "fj_at_", "a.b.c", "..", &dots, &id_token, &code] {
        assert_eq!(Presented::read(junk, &house.ring), Presented::Unknown);
        assert_eq!(ask(&house, "shop", junk, None, false), inactive());
    }
    assert_eq!(serde_json::to_value(Introspection::default()).unwrap(), inactive());
}

#[test]
fn a_presented_token_names_what_is_to_be_loaded() {
    let house = house();
    let (grant, access, refresh) = tokens(&house, "openid read");
    let (access, refresh) = (Presented::read(&access, &house.ring), Presented::read(&refresh, &house.ring));
    assert_eq!((access.grant(), refresh.grant()), (Some(grant.id), Some(grant.id)));
    assert!(access.token_id().is_some() && refresh.token_id().is_none());
    assert_eq!((Presented::Unknown.grant(), Presented::Unknown.token_id()), (None, None));
}
