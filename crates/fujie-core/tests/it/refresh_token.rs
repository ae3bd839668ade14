//! Refreshing (RFC 6749 §6, RFC 9700 §4.14): rotation, the window, the end of a stolen family.

use fujie_core::{
    account::Account,
    grant::{
        ClientAuth, EndedWhy, Grant, Refreshed,
        refresh_token::{Decision, Facts, decide, read},
    },
    id::Id,
    secret::Kind,
    token::{access_token::AccessToken, draft::ReleaseError, error::TokenError, refresh_token::RefreshToken},
};
use serde_json::Value;

use crate::house::{API, House, START, VAULT, body, days, house, house_where, scope, seconds};

/// What a decision comes to.
fn word(decision: &Decision) -> String {
    match decision {
        Decision::Rotate { generation, .. } => format!("rotate {generation}"),
        Decision::Extend { .. } => "extend".to_owned(),
        Decision::Answer(..) => "answer".to_owned(),
        Decision::End { why, error } => format!("end {} {error:?}", why.as_str()),
        Decision::Refuse(error) => format!("refuse {error:?}"),
    }
}

fn check(house: &House, client: &str, grant: &Grant, text: &str, expected: &str) {
    assert_eq!(word(&house.refresh(client, grant, text, &[])), expected, "{client}");
}

fn refresh_token(response: &Value) -> String {
    response["refresh_token"].as_str().unwrap().to_owned()
}

/// A grant of `client` with its first refresh token.
fn granted(house: &House, client: &str) -> (Grant, String) {
    let (grant, response) = house.redeemed(client, &[]);
    let text = refresh_token(&response);
    (grant, text)
}

/// Refreshes as the store would: the row after the commit, and the response.
fn commit(house: &House, grant: &Grant, decision: Decision) -> (Grant, Value) {
    let (grant, draft, proof) = match decision {
        Decision::Rotate { generation, expires_at, draft } => {
            assert_eq!(generation, grant.generation);
            let row = Grant { generation: generation + 1, rotated_at: house.now, expires_at, ..grant.clone() };
            (row, draft, Refreshed::assertion(grant.id))
        }
        Decision::Extend { expires_at, draft } => {
            (Grant { rotated_at: house.now, expires_at, ..grant.clone() }, draft, Refreshed::assertion(grant.id))
        }
        Decision::Answer(draft, proof) => (grant.clone(), draft, proof),
        other => panic!("nothing to commit: {}", word(&other)),
    };
    let response = draft.release(proof, &house.ring, &mut house.random()).unwrap();
    (grant, serde_json::to_value(&response).unwrap())
}

#[test]
fn a_public_client_gets_a_new_token_each_time() {
    let mut house = house();
    let (mut grant, mut text) = granted(&house, "spa");
    let mut seen = vec![text.clone()];
    for generation in 0..5 {
        house.later(seconds(600));
        let decision = house.refresh("spa", &grant, &text, &[]);
        assert_eq!(word(&decision), format!("rotate {generation}"));
        let (row, response) = commit(&house, &grant, decision);
        (grant, text) = (row, refresh_token(&response));
        assert!(!seen.contains(&text));
        seen.push(text.clone());
        assert_eq!(grant.expires_at, house.now + days(30));
        assert_eq!(
            (&response["expires_in"], &response["scope"]),
            (&3600.into(), &"openid profile offline_access".into())
        );
        let (_, claims) = house.jwt(response["id_token"].as_str().unwrap());
        assert_eq!(claims["auth_time"], START.seconds() - 100, "kept from the sign-in");
        assert!(claims.get("nonce").is_none());
    }
}

#[test]
fn a_confidential_client_keeps_its_token_and_writes_nothing() {
    let mut house = house();
    let (grant, text) = granted(&house, "shop");
    for _ in 0..3 {
        house.later(seconds(3600));
        let decision = house.refresh("shop", &grant, &text, &[]);
        assert_eq!(word(&decision), "answer");
        assert_eq!(refresh_token(&commit(&house, &grant, decision).1), text);
    }
}

#[test]
fn a_grant_that_does_not_rotate_is_extended_once_a_day() {
    let mut house = house();
    let (grant, text) = granted(&house, "shop");
    house.now = START + days(1);
    check(&house, "shop", &grant, &text, "answer");
    house.now = START + days(1) + seconds(1);
    let (grant, _) = commit(&house, &grant, house.refresh("shop", &grant, &text, &[]));
    assert_eq!(grant.expires_at, house.now + days(30));
    check(&house, "shop", &grant, &text, "answer");
    let (online, response) = house.redeemed("shop", &[("scope", "openid")]);
    house.later(days(2));
    let end = online.expires_at;
    let decision = house.refresh("shop", &online, &refresh_token(&response), &[]);
    assert_eq!((word(&decision).as_str(), end), ("answer", START + days(14)), "a session is not extended");
}

#[test]
fn a_repeated_refresh_in_the_window_gives_the_same_successor() {
    let mut house = house();
    let (grant, text) = granted(&house, "spa");
    house.later(seconds(600));
    let (grant, first) = commit(&house, &grant, house.refresh("spa", &grant, &text, &[]));
    for wait in [0, 1, 9, 20] {
        house.later(seconds(wait));
        let decision = house.refresh("spa", &grant, &text, &[]);
        assert_eq!(word(&decision), "answer");
        let (row, repeated) = commit(&house, &grant, decision);
        assert_eq!(row, grant);
        assert_eq!(repeated["refresh_token"], first["refresh_token"]);
        let end = |response: &Value| {
            AccessToken::read(response["access_token"].as_str().unwrap(), &house.ring).unwrap().expires_at
        };
        assert_eq!(end(&repeated), end(&first), "the access token ends with that of the first answer");
        let elapsed = house.now.seconds() - grant.rotated_at.seconds();
        assert_eq!(repeated["expires_in"], 3600 - elapsed);
    }
    house.later(seconds(1));
    check(&house, "spa", &grant, &text, "end refresh_reused RefreshReused");
}

#[test]
fn the_window_is_the_clients_and_never_longer_than_a_minute() {
    let check = |window: u32, wait: u32, expected: &str| {
        let mut house = house_where(|client| client.refresh_window = seconds(window));
        let (grant, text) = granted(&house, "spa");
        let (grant, _) = commit(&house, &grant, house.refresh("spa", &grant, &text, &[]));
        house.later(seconds(wait));
        assert_eq!(word(&house.refresh("spa", &grant, &text, &[])), expected, "{window} {wait}");
    };
    let reused = "end refresh_reused RefreshReused";
    check(30, 30, "answer");
    check(30, 31, reused);
    check(0, 1, reused);
    check(60, 60, "answer");
    check(3600, 60, "answer");
    check(3600, 61, reused);
}

#[test]
fn the_successor_is_the_same_when_a_new_key_came_between() {
    let mut house = house();
    let (grant, text) = granted(&house, "spa");
    let (grant, first) = commit(&house, &grant, house.refresh("spa", &grant, &text, &[]));
    let from = START + seconds(5);
    let next = fujie_core::token::key_ring::KeyRing::make(
        fujie_core::key::KeyUse::Refresh,
        from,
        START,
        &crate::house::master(),
        &mut house.random(),
    );
    let keys = [crate::house::stored(), &[next.unwrap()]].concat();
    house.ring =
        fujie_core::token::key_ring::KeyRing::load(&keys, &crate::house::master(), crate::house::realm()).unwrap();
    house.later(seconds(10));
    let (grant, repeated) = commit(&house, &grant, house.refresh("spa", &grant, &text, &[]));
    assert_eq!(repeated["refresh_token"], first["refresh_token"]);
    let successor = refresh_token(&repeated);
    let (_, third) = commit(&house, &grant, house.refresh("spa", &grant, &successor, &[]));
    assert_ne!(&decode(&refresh_token(&third))[20..24], &decode(&successor)[20..24], "signed with the new key");
}

fn decode(text: &str) -> Vec<u8> {
    Kind::RefreshToken.read(text).unwrap()
}

#[test]
fn an_old_generation_ends_the_grant() {
    let mut house = house();
    let (grant, _) = granted(&house, "spa");
    let grant = Grant { generation: 5, rotated_at: START, ..grant };
    house.later(seconds(10));
    let check = |generation: u32, expected: &str| {
        let text = RefreshToken { grant: grant.id, generation }.write(START, &house.ring).unwrap();
        check(&house, "spa", &grant, &text, expected);
    };
    check(5, "rotate 5");
    check(4, "answer");
    for old in [0, 1, 2, 3] {
        check(old, "end refresh_reused RefreshReused");
    }
    // Never issued, but with a valid MAC: rows were lost, or the key was.
    for unborn in [6, 7, u32::MAX] {
        check(unborn, "end refresh_reused RefreshReused");
    }
}

#[test]
fn a_stolen_refresh_token_ends_the_family_for_thief_and_owner() {
    let mut house = house();
    let (grant, stolen) = granted(&house, "spa");
    let (grant, response) = commit(&house, &grant, house.refresh("spa", &grant, &stolen, &[]));
    house.later(seconds(31));
    check(&house, "spa", &grant, &stolen, "end refresh_reused RefreshReused");
    let ended = Grant { ended: Some((house.now, EndedWhy::RefreshReused)), ..grant };
    check(&house, "spa", &ended, &refresh_token(&response), "refuse RefreshInvalid");
    check(&house, "spa", &ended, &stolen, "refuse RefreshInvalid");
}

#[test]
fn a_clock_that_went_back_ends_nothing() {
    let mut house = house();
    let (grant, old) = granted(&house, "spa");
    house.later(days(1));
    let (grant, response) = commit(&house, &grant, house.refresh("spa", &grant, &old, &[]));
    let mut check = |back: u32, expected: &str| {
        house.now = grant.rotated_at - seconds(back);
        check(&house, "spa", &grant, &old, expected);
    };
    check(1, "answer");
    check(60, "answer");
    check(61, "refuse Unavailable");
    check(3600, "refuse Unavailable");
    house.now = grant.rotated_at - seconds(3600);
    crate::refresh_token::check(&house, "spa", &grant, &refresh_token(&response), "rotate 1");
}

#[test]
fn what_fails_before_the_generation_ends_nothing() {
    let house = house();
    let (grant, _) = granted(&house, "spa");
    let grant = Grant { generation: 5, ..grant };
    // Generation 0 would end the grant, if it came so far.
    let old = RefreshToken { grant: grant.id, generation: 0 }.write(START, &house.ring).unwrap();
    let changed = |change: &dyn Fn(&mut Grant)| {
        let mut row = grant.clone();
        change(&mut row);
        row
    };
    let check = |row: Grant| check(&house, "spa", &row, &old, "refuse RefreshInvalid");
    check(changed(&|row| row.id = Id::from_bytes([1; 16])));
    check(changed(&|row| row.client = "other".to_owned()));
    check(changed(&|row| row.client_epoch += 1));
    check(changed(&|row| row.account = Id::from_bytes([1; 16])));
    check(changed(&|row| row.expires_at = START));
    check(changed(&|row| row.redeemed_at = None));
    check(changed(&|row| row.client_auth = ClientAuth::Secret));
    check(changed(&|row| row.ended = Some((START, EndedWhy::Revoked))));
    assert_eq!(word(&house.refresh("spa", &grant, &old, &[("scope", "openid write")])), "refuse Scope");
    assert_eq!(word(&house.refresh("spa", &grant, &old, &[("resource", API)])), "refuse Target");
    crate::refresh_token::check(&house, "spa", &grant, &old, "end refresh_reused RefreshReused");
}

#[test]
fn a_refresh_token_of_another_client_is_refused_and_ends_nothing() {
    let house = house();
    for owner in ["shop", "other", "spa", "native"] {
        let (grant, text) = granted(&house, owner);
        for thief in ["shop", "other", "spa", "native"].into_iter().filter(|thief| *thief != owner) {
            check(&house, thief, &grant, &text, "refuse RefreshInvalid");
        }
    }
}

#[test]
fn a_raised_epoch_ends_all_refresh_tokens() {
    let mut house = house();
    let (grant, text) = granted(&house, "shop");
    check(&house, "shop", &grant, &text, "answer");
    house.change(|client| client.epoch += 1);
    check(&house, "shop", &grant, &text, "refuse RefreshInvalid");
}

#[test]
fn weaker_client_authentication_is_refused() {
    let mut house = house();
    let (strong, strong_text) = granted(&house, "shop");
    let (weak, weak_text) = granted(&house, "spa");
    house.change(|client| client.is_public = true);
    check(&house, "shop", &strong, &strong_text, "refuse RefreshInvalid");
    house.change(|client| {
        client.is_public = false;
        client.secrets = vec![fujie_core::secret::Digest::of(Kind::ClientSecret, &crate::house::secret_of(&client.id))];
    });
    check(&house, "spa", &weak, &weak_text, "rotate 0");
}

#[test]
fn a_client_that_lost_the_grant_type_refreshes_nothing() {
    let mut house = house();
    let (grant, text) = granted(&house, "shop");
    house.change(|client| client.grant_types.retain(|own| *own != fujie_core::client::GrantType::RefreshToken));
    check(&house, "shop", &grant, &text, "refuse GrantTypeOff");
}

#[test]
fn rotation_is_the_grants_own_fact() {
    let mut house = house();
    let (grant, text) = granted(&house, "spa");
    house.change(|client| client.rotates = Some(false));
    check(&house, "spa", &grant, &text, "rotate 0");
    let strict = house_where(|client| client.rotates = Some(true));
    let (grant, text) = granted(&strict, "shop");
    check(&strict, "shop", &grant, &text, "rotate 0");
}

#[test]
fn a_disabled_account_refreshes_nothing() {
    let house = house();
    let (grant, text) = granted(&house, "shop");
    let token = RefreshToken::read(&text, &house.ring).unwrap();
    let check = |grant: Option<&Grant>, account: Option<Account>, expected: &str| {
        let facts = Facts { grant, account: account.as_ref() };
        let (client, parameters) = (house.authenticated("shop"), body(&[("refresh_token", &text)]));
        let decision = decide(&client, token, &parameters, facts, house.setting(), &mut house.random());
        assert_eq!(word(&decision), expected);
    };
    check(Some(&grant), Some(house.account()), "answer");
    check(Some(&grant), Some(Account { disabled_at: Some(START), ..house.account() }), "refuse RefreshInvalid");
    check(None, Some(house.account()), "refuse RefreshInvalid");
    check(Some(&grant), None, "refuse RefreshInvalid");
    let bare = Grant { scope: scope("read"), ..grant.clone() };
    check(Some(&bare), None, "answer");
}

#[test]
fn scope_and_audience_only_grow_smaller() {
    let house = house();
    let (grant, response) = house.redeemed("shop", &[("scope", "openid read open offline_access")]);
    let text = refresh_token(&response);
    let check = |extra: &[(&str, &str)], expected: Result<(&str, &[&str]), &str>| {
        let decision = house.refresh("shop", &grant, &text, extra);
        let Ok((scope, audience)) = expected else { return assert_eq!(word(&decision), expected.unwrap_err()) };
        let (_, response) = commit(&house, &grant, decision);
        let token = AccessToken::read(response["access_token"].as_str().unwrap(), &house.ring).unwrap();
        assert_eq!((response["scope"].as_str().unwrap(), token.scope.as_str()), (scope, scope));
        assert_eq!(token.audience, audience);
        assert_eq!(response.get("id_token").is_some(), token.scope.contains("openid"), "{extra:?}");
    };
    let issuer = crate::house::ISSUER;
    check(&[], Ok(("openid read open offline_access", &[API, VAULT, issuer])));
    check(&[("scope", "read")], Ok(("read", &[API])));
    check(&[("scope", "read"), ("resource", API)], Ok(("read", &[API])));
    // An API of which no scope token is left is no audience any more.
    check(&[("scope", "openid")], Ok(("openid", &[issuer])));
    check(&[("scope", "openid write")], Err("refuse Scope"));
    check(&[("scope", "re\"ad")], Err("refuse Scope"));
    check(&[("resource", "https://nobody.example")], Err("refuse Target"));
}

#[test]
fn nothing_outlives_its_grant() {
    let mut house = house();
    let (online, response) = house.redeemed("spa", &[("scope", "openid")]);
    house.now = START + days(14) - seconds(100);
    let decision = house.refresh("spa", &online, &refresh_token(&response), &[]);
    let (row, response) = commit(&house, &online, decision);
    assert_eq!((row.expires_at, &response["expires_in"]), (START + days(14), &100.into()));
    house.now = START;
    let (offline, response) = house.redeemed("spa", &[]);
    let offline = Grant { expires_at: START + days(365), ..offline };
    house.now = START + days(365) - seconds(100);
    let (row, response) = commit(&house, &offline, house.refresh("spa", &offline, &refresh_token(&response), &[]));
    assert_eq!((row.expires_at, &response["expires_in"]), (START + days(365), &100.into()), "a year in all");
}

#[test]
fn an_answer_is_released_with_its_own_proof() {
    let house = house();
    let (grant, text) = granted(&house, "spa");
    let Decision::Rotate { draft, .. } = house.refresh("spa", &grant, &text, &[]) else { panic!("no rotation") };
    let foreign = Refreshed::assertion(Id::from_bytes([3; 16]));
    assert_eq!(draft.release(foreign, &house.ring, &mut house.random()).unwrap_err(), ReleaseError);
}

#[test]
fn a_refresh_token_is_read_or_refused_before_anything_is_loaded() {
    let house = house();
    let read = |pairs: &[(&str, &str)]| read(&body(pairs), &house.ring).err();
    assert_eq!(read(&[]), Some(TokenError::Missing("refresh_token")));
    assert_eq!(read(&[("refresh_token", "x")]), Some(TokenError::RefreshInvalid));
    assert_eq!(read(&[("refresh_token", &Kind::RefreshToken.spell(&[0; 56]))]), Some(TokenError::RefreshInvalid));
    assert_eq!(read(&[("refresh_token", &granted(&house, "spa").1)]), None);
}
