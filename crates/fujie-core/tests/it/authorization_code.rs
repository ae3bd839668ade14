//! Redeeming a code (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5, §4.8): once, by its own client, with its verifier.

use fujie_core::{
    account::Account,
    client::TokenForm,
    grant::{
        ClientAuth, CodeRedeemed, EndedWhy, Grant, GrantBorn,
        authorization_code::{Decision, Facts, decide, read},
        authorize,
    },
    id::Id,
    request::response_mode::AuthorizationResponse,
    secret::{Kind, sha256},
    time::Timestamp,
    token::{code::Code, draft::ReleaseError, error::TokenError},
};
use serde_json::json;

use crate::house::{
    API, House, ISSUER, Issued, START, VAULT, VERIFIER, body, days, house, house_where, parameter, request_of, scope,
    seconds, with,
};

/// What a decision comes to, in one word and the error the client sees.
fn word(decision: &Decision) -> String {
    match decision {
        Decision::Redeem { .. } => "redeem".to_owned(),
        Decision::End { why, error, .. } => format!("end {} {error:?}", why.as_str()),
        Decision::Replayed { .. } => "replayed".to_owned(),
        Decision::Refuse(error) => format!("refuse {error:?}"),
    }
}

fn check(house: &House, client: &str, issued: &Issued, extra: &[(&str, &str)], expected: &str) {
    assert_eq!(word(&house.redeem(client, issued, extra)), expected, "{client} {extra:?}");
}

#[test]
fn a_code_is_redeemed_for_all_that_was_granted() {
    let house = house();
    let (grant, response) = house.redeemed("shop", &[("scope", "openid profile offline_access read")]);
    assert_eq!(grant.expires_at, START + days(30));
    let (header, claims) = house.jwt(response["access_token"].as_str().unwrap());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    assert_eq!(claims["aud"], json!([API, ISSUER]));
    let (header, claims) = house.jwt(response["id_token"].as_str().unwrap());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("ES256")));
    assert_eq!(claims["nonce"], "n-0S6");
    assert!(response["refresh_token"].as_str().unwrap().starts_with("fj_rt_"));
    assert_eq!(response["token_type"], "Bearer");
    assert_eq!(response["expires_in"], 600);
    assert_eq!(response["scope"], "openid profile offline_access read");
    assert_eq!(response.as_object().unwrap().len(), 6, "{response}");
}

#[test]
fn without_an_api_the_token_is_opaque_and_without_openid_there_is_no_id_token() {
    let house = house();
    let (_, response) = house.redeemed("shop", &[("scope", "profile")]);
    assert!(response["access_token"].as_str().unwrap().starts_with("fj_at_"));
    assert_eq!(response["expires_in"], 3600);
    assert!(response.get("id_token").is_none());
}

#[test]
fn the_row_says_what_was_granted_and_waits_for_its_code() {
    let house = house();
    let grant = house.issue("shop", &[("scope", "openid read open")]).grant;
    let expected = Grant {
        id: grant.id,
        account: house.account().id,
        client: "shop".to_owned(),
        client_epoch: 3,
        session: Some(house.session().id),
        auth_time: house.session().auth_time,
        acr: None,
        amr: "pwd mfa".to_owned(),
        scope: scope("openid read open"),
        resource: format!("{API} {VAULT}"),
        key_binding: None,
        rotates: false,
        client_auth: ClientAuth::Secret,
        parent: None,
        generation: 0,
        rotated_at: START,
        redeemed_at: None,
        expires_at: START + seconds(60),
        created_at: START,
        ended: None,
    };
    assert_eq!(grant, expected);
    assert!(!grant.is_live(START), "a grant does nothing before its code is redeemed");
    let grant = house.issue("spa", &[]).grant;
    assert_eq!((grant.rotates, grant.client_auth), (true, ClientAuth::None));
}

#[test]
fn the_answer_is_released_only_after_its_own_commit() {
    let house = house();
    let (mine, another) = (house.issue("shop", &[]), house.issue("shop", &[]));
    let Decision::Redeem { draft, .. } = house.redeem("shop", &mine, &[]) else { panic!("not redeemed") };
    let proof = CodeRedeemed::assertion(another.grant.id);
    assert_eq!(draft.release(proof, &house.ring, &mut house.random()).unwrap_err(), ReleaseError);
    let request = house.parse(&request_of("shop", "https://shop.example/cb")).unwrap();
    let draft = authorize::draft(request, &house.session(), house.setting(), &mut house.random());
    let proof = GrantBorn::assertion(another.grant.id);
    assert_eq!(draft.release(proof, &house.ring, &mut house.random()).unwrap_err(), ReleaseError);
}

#[test]
fn the_authorization_response_is_code_state_and_issuer() {
    let house = house();
    for (mode, separator) in [("query", '?'), ("fragment", '#')] {
        let pairs = with(&request_of("shop", "https://shop.example/cb"), &[("response_mode", mode)]);
        let draft =
            authorize::draft(house.parse(&pairs).unwrap(), &house.session(), house.setting(), &mut house.random());
        let proof = GrantBorn::assertion(draft.grant.id);
        let answer = draft.release(proof, &house.ring, &mut house.random()).unwrap();
        let code = parameter(&answer, "code");
        let location =
            format!("https://shop.example/cb{separator}code={code}&state=s%20t%2B%C3%A4&iss=https%3A%2F%2Fid.example");
        assert_eq!(answer, AuthorizationResponse::Redirect { location });
        assert!(code.len() < 600, "{} characters", code.len());
    }
}

#[test]
fn a_code_of_another_client_burns_nothing() {
    let house = house();
    for owner in ["shop", "other", "spa", "lax"] {
        let issued = house.issue(owner, &[]);
        for thief in ["shop", "other", "spa", "lax", "native"] {
            if thief == owner {
                check(&house, thief, &issued, &[], "redeem");
            } else {
                check(&house, thief, &issued, &[], "refuse CodeInvalid");
                let uri = format!("https://{owner}.example/cb");
                check(&house, thief, &issued, &[("redirect_uri", &uri)], "refuse CodeInvalid");
                check(&house, thief, &issued, &[("code_verifier", "")], "refuse CodeInvalid");
            }
        }
    }
}

#[test]
fn a_redeemed_code_of_another_client_ends_nothing() {
    let house = house();
    let mut issued = house.issue("shop", &[]);
    issued.grant.redeemed_at = Some(START);
    check(&house, "other", &issued, &[("redirect_uri", "https://shop.example/cb")], "refuse CodeInvalid");
}

#[test]
fn a_code_that_comes_again_is_a_replay_for_as_long_as_its_grant_lives() {
    let mut house = house();
    let mut issued = house.issue("shop", &[]);
    issued.grant.redeemed_at = Some(START);
    issued.grant.expires_at = START + days(30);
    for wait in [0, 1, 59, 60, 86_400] {
        house.later(seconds(wait));
        check(&house, "shop", &issued, &[], "replayed");
    }
}

#[test]
fn a_thief_without_the_verifier_cannot_end_a_redeemed_grant() {
    let house = house();
    let mut issued = house.issue("spa", &[]);
    issued.grant.redeemed_at = Some(START);
    check(&house, "spa", &issued, &[], "replayed");
    let wrong = "x".repeat(43);
    check(&house, "spa", &issued, &[("code_verifier", &wrong)], "refuse VerifierMismatch");
    check(&house, "spa", &issued, &[("code_verifier", "")], "refuse VerifierMismatch");
    check(&house, "spa", &issued, &[("redirect_uri", "https://evil.test/")], "refuse RedirectUriMismatch");
}

#[test]
fn the_right_client_that_misuses_its_code_loses_it() {
    let house = house();
    for client in ["shop", "spa", "lax"] {
        let issued = house.issue(client, &[]);
        let verifier = "end code_misused VerifierMismatch";
        check(&house, client, &issued, &[("code_verifier", "")], verifier);
        check(&house, client, &issued, &[("code_verifier", &"x".repeat(43))], verifier);
        check(&house, client, &issued, &[("code_verifier", &VERIFIER[..42])], verifier);
        check(&house, client, &issued, &[("code_verifier", &VERIFIER.to_lowercase())], verifier);
        check(&house, client, &issued, &[("code_verifier", crate::house::CHALLENGE)], verifier);
        let uri = format!("https://{client}.example/cb");
        for wrong in ["", "https://evil.test/", &format!("{uri}/"), &format!("{uri}?x"), &uri.to_uppercase()] {
            check(&house, client, &issued, &[("redirect_uri", wrong)], "end code_misused RedirectUriMismatch");
        }
    }
}

#[test]
fn a_verifier_without_challenge_is_refused() {
    let house = house();
    let issued = house.issue("lax", &[("code_challenge", ""), ("code_challenge_method", "")]);
    check(&house, "lax", &issued, &[], "end code_misused VerifierMismatch");
    check(&house, "lax", &issued, &[("code_verifier", "")], "redeem");
}

#[test]
fn a_plain_challenge_is_kept_by_the_verifier_itself() {
    let house = house();
    let issued = house.issue("legacy", &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")]);
    check(&house, "legacy", &issued, &[], "redeem");
    check(&house, "legacy", &issued, &[("code_verifier", &"x".repeat(43))], "end code_misused VerifierMismatch");
}

#[test]
fn codes_swapped_between_two_sign_ins_are_refused() {
    let house = house();
    let theirs = "T".repeat(43);
    let digest = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, sha256(theirs.as_bytes()));
    let (mine, other) = (house.issue("spa", &[]), house.issue("spa", &[("code_challenge", &digest)]));
    check(&house, "spa", &mine, &[("code_verifier", &theirs)], "end code_misused VerifierMismatch");
    check(&house, "spa", &other, &[], "end code_misused VerifierMismatch");
    check(&house, "spa", &other, &[("code_verifier", &theirs)], "redeem");
}

#[test]
fn a_redirect_uri_that_was_not_named_need_not_be_repeated() {
    let house = house();
    let issued = house.issue("shop", &[("redirect_uri", "")]);
    check(&house, "shop", &issued, &[("redirect_uri", "")], "redeem");
    check(&house, "shop", &issued, &[], "redeem");
    check(&house, "shop", &issued, &[("redirect_uri", "https://evil.test/")], "end code_misused RedirectUriMismatch");
}

#[test]
fn a_native_client_repeats_the_port_it_was_answered_on() {
    let house = house();
    let issued = house.issue("native", &[("redirect_uri", "http://127.0.0.1:50123/cb")]);
    check(&house, "native", &issued, &[("redirect_uri", "http://127.0.0.1:50123/cb")], "redeem");
    let wrong = [("redirect_uri", "http://127.0.0.1:50124/cb")];
    check(&house, "native", &issued, &wrong, "end code_misused RedirectUriMismatch");
}

#[test]
fn a_code_lives_for_a_minute() {
    let mut house = house();
    let issued = house.issue("shop", &[]);
    house.now = START + seconds(59);
    check(&house, "shop", &issued, &[], "redeem");
    house.now = START + seconds(60);
    check(&house, "shop", &issued, &[], "refuse CodeInvalid");
    check(&house, "shop", &issued, &[("code_verifier", "")], "refuse CodeInvalid");
    let longer = Issued { grant: Grant { expires_at: START + days(1), ..issued.grant }, code: issued.code };
    check(&house, "shop", &longer, &[], "refuse CodeInvalid");
}

#[test]
fn a_grant_that_ended_or_is_another_redeems_nothing() {
    let house = house();
    let issued = house.issue("shop", &[]);
    let changed = |change: &dyn Fn(&mut Grant)| {
        let mut grant = issued.grant.clone();
        change(&mut grant);
        Issued { grant, code: issued.code.clone() }
    };
    let refused = "refuse CodeInvalid";
    check(&house, "shop", &changed(&|grant| grant.ended = Some((START, EndedWhy::SignedOut))), &[], refused);
    check(&house, "shop", &changed(&|grant| grant.expires_at = START), &[], refused);
    check(&house, "shop", &changed(&|grant| grant.id = Id::from_bytes([1; 16])), &[], refused);
    check(&house, "shop", &changed(&|grant| grant.client = "other".to_owned()), &[], refused);
    check(&house, "shop", &changed(&|grant| grant.account = Id::from_bytes([1; 16])), &[], refused);
    check(&house, "shop", &changed(&|_| {}), &[], "redeem");
}

#[test]
fn a_raised_epoch_ends_all_codes() {
    let mut house = house();
    let issued = house.issue("shop", &[]);
    house.change(|client| client.epoch += 1);
    check(&house, "shop", &issued, &[], "refuse CodeInvalid");
}

#[test]
fn weaker_client_authentication_is_refused() {
    let mut house = house();
    let issued = house.issue("shop", &[]);
    house.change(|client| client.is_public = true);
    check(&house, "shop", &issued, &[], "refuse CodeInvalid");
}

#[test]
fn a_client_without_the_grant_type_redeems_nothing() {
    let mut house = house();
    let issued = house.issue("shop", &[]);
    house.change(|client| client.grant_types.clear());
    check(&house, "shop", &issued, &[], "refuse GrantTypeOff");
}

#[test]
fn a_disabled_or_missing_account_gets_nothing() {
    let house = house();
    let issued = house.issue("shop", &[]);
    let code = Code::read(&issued.code, &house.ring).unwrap();
    let parameters = body(&[("redirect_uri", "https://shop.example/cb"), ("code_verifier", VERIFIER)]);
    let check = |account: Option<Account>, grant: Option<&Grant>, expected: &str| {
        let facts = Facts { grant, account: account.as_ref() };
        let client = house.authenticated("shop");
        let decision = decide(&client, &code, &parameters, facts, house.setting(), &mut house.random());
        assert_eq!(word(&decision), expected);
    };
    check(Some(house.account()), Some(&issued.grant), "redeem");
    check(None, Some(&issued.grant), "refuse CodeInvalid");
    check(Some(Account { disabled_at: Some(START), ..house.account() }), Some(&issued.grant), "refuse CodeInvalid");
    check(Some(house.account()), None, "refuse CodeInvalid");
}

#[test]
fn a_code_is_read_or_refused_before_anything_is_loaded() {
    let house = house();
    let read = |pairs: &[(&str, &str)]| read(&body(pairs), &house.ring).err();
    assert_eq!(read(&[]), Some(TokenError::Missing("code")));
    assert_eq!(read(&[("code", "")]), Some(TokenError::Missing("code")));
    assert_eq!(read(&[("code", "x")]), Some(TokenError::CodeInvalid));
    assert_eq!(read(&[("code", &Kind::AuthorizationCode.spell(&[0; 100]))]), Some(TokenError::CodeInvalid));
    assert_eq!(read(&[("code", &house.issue("shop", &[]).code)]), None);
}

/// When the grant ends after a redemption, and how long its access token lives.
fn ends(house: &House, client: &str, scope: &str) -> (Timestamp, i64) {
    let (grant, response) = house.redeemed(client, &[("scope", scope)]);
    (grant.expires_at, response["expires_in"].as_i64().unwrap())
}

#[test]
fn a_grant_without_offline_access_ends_with_its_session() {
    let mut house = house();
    assert_eq!(ends(&house, "shop", "openid"), (START + days(14), 3600));
    assert_eq!(ends(&house, "shop", "openid offline_access"), (START + days(30), 3600));
    assert_eq!(ends(&house, "brief", "openid"), (START + seconds(3600), 3600));
    // Ten minutes before the session ends.
    house.now = START + days(14);
    house.now = house.now - seconds(600);
    assert_eq!(ends(&house, "shop", "openid"), (START + days(14), 600));
    assert_eq!(ends(&house, "brief", "openid"), (START + days(14), 600), "without a refresh token too");
    assert_eq!(ends(&house, "brief", "openid offline_access"), (house.now + seconds(3600), 3600));
}

#[test]
fn a_code_that_outlived_its_session_is_refused() {
    let mut house = house();
    house.now = START + days(14) - seconds(10);
    let (online, offline) = (house.issue("shop", &[("scope", "openid")]), house.issue("shop", &[]));
    house.later(seconds(10));
    check(&house, "shop", &online, &[], "refuse CodeInvalid");
    check(&house, "shop", &offline, &[], "redeem");
}

#[test]
fn a_grant_in_all_ends_after_a_year_even_when_idle_time_is_longer() {
    let mut house = house();
    house.policy.refresh_idle = days(500);
    assert_eq!(ends(&house, "shop", "openid offline_access").0, START + days(365));
}

#[test]
fn the_token_request_narrows_the_audience_and_never_widens_it() {
    let house = house();
    let issued = house.issue("shop", &[("scope", "openid read open")]);
    let check = |resource: &str, form: &str| {
        let Decision::Redeem { draft, .. } = house.redeem("shop", &issued, &[("resource", resource)]) else { panic!() };
        let proof = CodeRedeemed::assertion(draft.id());
        let response = draft.release(proof, &house.ring, &mut house.random()).unwrap();
        assert!(response.access_token.starts_with(form), "{resource}: {}", response.access_token);
    };
    check("", "fj_at_");
    check(VAULT, "fj_at_");
    check(API, "ey");
    for foreign in ["https://nobody.example", ISSUER, "https://api.example/", &format!("{API} {VAULT}")] {
        crate::authorization_code::check(&house, "shop", &issued, &[("resource", foreign)], "refuse Target");
    }
    let small = house.issue("shop", &[("scope", "openid read")]);
    crate::authorization_code::check(&house, "shop", &small, &[("resource", VAULT)], "refuse Target");
    let none = house.issue("shop", &[("scope", "openid")]);
    crate::authorization_code::check(&house, "shop", &none, &[("resource", API)], "refuse Target");
}

#[test]
fn a_client_without_refresh_gets_no_refresh_token() {
    let house = house_where(|client| {
        if let Some(api) = &mut client.api {
            api.token = TokenForm::Opaque;
        }
    });
    let (_, response) = house.redeemed("brief", &[("scope", "read offline_access")]);
    assert!(response.get("refresh_token").is_none());
    assert!(response["access_token"].as_str().unwrap().starts_with("fj_at_"));
}
