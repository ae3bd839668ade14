//! What comes next at the authorization endpoint: judged each time as if the request had just arrived.

use fujie_core::{
    account::Session,
    request::{
        authorize::{Answer, AuthorizeError, AuthorizeRequest, Facts, Next, decide},
        scope::Scope,
    },
    time::Timestamp,
};

use crate::house::{House, START, house, request_of, scope, seconds, with};

const RESUME: [u8; 32] = [1; 32];
const ANOTHER: [u8; 32] = [2; 32];

fn request(house: &House, changes: &[(&str, &str)]) -> AuthorizeRequest {
    house.parse(&with(&request_of("shop", "https://shop.example/cb"), changes)).unwrap()
}

fn facts<'a>(session: Option<&'a Session>, consented: Option<&'a Scope>) -> Facts<'a> {
    Facts { session, consented, has_pending: false, resumed: None, answer: Answer::None }
}

#[test]
fn a_visitor_signs_in_then_consents_then_is_answered() {
    let house = house();
    let (request, session, all) = (request(&house, &[]), house.session(), scope("openid profile offline_access"));
    assert_eq!(decide(&request, facts(None, None), START), Ok(Next::SignIn));
    assert_eq!(decide(&request, facts(Some(&session), None), START), Ok(Next::Consent));
    let allowed = Facts { answer: Answer::Allow, ..facts(Some(&session), None) };
    assert_eq!(decide(&request, allowed, START), Ok(Next::Issue));
    assert_eq!(decide(&request, facts(Some(&session), Some(&all)), START), Ok(Next::Issue));
}

#[test]
fn an_answer_counts_only_from_somebody_who_is_signed_in() {
    let house = house();
    let session = house.session();
    for answer in [Answer::Allow, Answer::Deny] {
        let nobody = Facts { answer, ..facts(None, None) };
        assert_eq!(decide(&request(&house, &[]), nobody, START), Ok(Next::SignIn));
        let again = Facts { answer, ..facts(Some(&session), None) };
        assert_eq!(decide(&request(&house, &[("prompt", "login")]), again, START), Ok(Next::SignIn));
    }
    let request = request(&house, &[]);
    let denied = Facts { answer: Answer::Deny, ..facts(Some(&session), Some(&request.scope)) };
    assert_eq!(decide(&request, denied, START), Err(AuthorizeError::Denied));
}

#[test]
fn consent_covers_what_was_consented_and_no_more() {
    let house = house();
    let session = house.session();
    let check = |asked: &str, consented: &str, expected: Next| {
        let (request, consented) = (request(&house, &[("scope", asked)]), scope(consented));
        assert_eq!(
            decide(&request, facts(Some(&session), Some(&consented)), START),
            Ok(expected),
            "{asked} / {consented}"
        );
    };
    check("openid read", "openid read", Next::Issue);
    check("read", "openid read", Next::Issue);
    check("openid read write", "openid read", Next::Consent);
    check("openid offline_access", "openid", Next::Consent);
    check("openid", "", Next::Consent);
}

#[test]
fn prompt_none_never_shows_a_page() {
    let house = house();
    let request = request(&house, &[("prompt", "none")]);
    let all = scope("openid profile offline_access");
    let session = house.session();
    let fresh = Session { fresh_for: Some(RESUME), ..session.clone() };
    for session in [None, Some(&session), Some(&fresh)] {
        for consented in [None, Some(&all)] {
            for has_pending in [false, true] {
                for resumed in [None, Some(RESUME)] {
                    let facts = Facts { session, consented, has_pending, resumed, answer: Answer::None };
                    let expected = match (session, consented) {
                        (None, _) => Err(AuthorizeError::LoginRequired),
                        (Some(_), None) => Err(AuthorizeError::ConsentRequired),
                        (Some(_), Some(_)) => Ok(Next::Issue),
                    };
                    assert_eq!(decide(&request, facts, START), expected, "{facts:?}");
                }
            }
        }
    }
}

#[test]
fn prompt_none_with_an_old_sign_in_is_told_login_required() {
    let house = house();
    let request = request(&house, &[("prompt", "none"), ("max_age", "60")]);
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    let told = decide(&request, facts(Some(&session), Some(&all)), START);
    assert_eq!(told, Err(AuthorizeError::LoginRequired));
}

#[test]
fn prompt_login_and_select_account_ask_for_a_fresh_sign_in() {
    let house = house();
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    for prompt in ["login", "select_account", "login consent"] {
        let request = request(&house, &[("prompt", prompt)]);
        assert_eq!(decide(&request, facts(Some(&session), Some(&all)), START), Ok(Next::SignIn), "{prompt}");
    }
}

#[test]
fn a_demanded_sign_in_counts_for_its_own_request_once() {
    let house = house();
    let request = request(&house, &[("prompt", "login")]);
    let all = scope("openid profile offline_access");
    let check = |fresh_for: Option<[u8; 32]>, resumed: Option<[u8; 32]>, expected: Next| {
        let session = Session { fresh_for, ..house.session() };
        let facts = Facts { resumed, ..facts(Some(&session), Some(&all)) };
        assert_eq!(decide(&request, facts, START), Ok(expected), "{fresh_for:?} {resumed:?}");
    };
    check(Some(RESUME), Some(RESUME), Next::Issue);
    check(Some(RESUME), Some(ANOTHER), Next::SignIn);
    check(Some(RESUME), None, Next::SignIn);
    check(None, None, Next::SignIn);
}

#[test]
fn a_used_resume_is_judged_as_new() {
    let house = house();
    let all = scope("openid profile offline_access");
    for changes in [[("prompt", "login")], [("max_age", "0")]] {
        let request = request(&house, &changes);
        let fresh = Session { fresh_for: Some(RESUME), auth_time: START, ..house.session() };
        let back = Facts { resumed: Some(RESUME), ..facts(Some(&fresh), Some(&all)) };
        assert_eq!(decide(&request, back, START), Ok(Next::Issue));
        // Issuing spent the mark; the same resume comes a second time.
        let spent = Session { fresh_for: None, ..fresh.clone() };
        let again = Facts { resumed: Some(RESUME), ..facts(Some(&spent), Some(&all)) };
        assert_eq!(decide(&request, again, START), Ok(Next::SignIn));
    }
}

#[test]
fn max_age_is_counted_in_seconds_since_the_sign_in() {
    let house = house();
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    let check = |max_age: &str, now: Timestamp, expected: Next| {
        let request = request(&house, &[("max_age", max_age)]);
        assert_eq!(decide(&request, facts(Some(&session), Some(&all)), now), Ok(expected), "{max_age}");
    };
    check("101", START, Next::Issue);
    check("100", START, Next::SignIn);
    check("100", Timestamp::from_millis(START.millis() - 1), Next::Issue);
    check("0", START, Next::SignIn);
    check("4294967295", START, Next::Issue);
    check("200", START + seconds(100), Next::SignIn);
}

#[test]
fn prompt_consent_asks_even_who_consented_before() {
    let house = house();
    let request = request(&house, &[("prompt", "consent")]);
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    assert_eq!(decide(&request, facts(Some(&session), Some(&all)), START), Ok(Next::Consent));
    let allowed = Facts { answer: Answer::Allow, ..facts(Some(&session), Some(&all)) };
    assert_eq!(decide(&request, allowed, START), Ok(Next::Issue));
}

#[test]
fn a_native_client_is_never_approved_in_silence() {
    let house = house();
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    for uri in ["http://127.0.0.1:4711/cb", "com.example.native:/cb"] {
        let request = house.parse(&request_of("native", uri)).unwrap();
        assert_eq!(decide(&request, facts(Some(&session), Some(&all)), START), Ok(Next::Consent));
        let silent = house.parse(&with(&request_of("native", uri), &[("prompt", "none")])).unwrap();
        let told = decide(&silent, facts(Some(&session), Some(&all)), START);
        assert_eq!(told, Err(AuthorizeError::ConsentRequired));
    }
    let spa = house.parse(&request_of("spa", "https://spa.example/cb")).unwrap();
    assert_eq!(decide(&spa, facts(Some(&session), Some(&all)), START), Ok(Next::Issue));
}

#[test]
fn an_identity_that_waits_is_dealt_with_first() {
    let house = house();
    let (session, all) = (house.session(), scope("openid profile offline_access"));
    for session in [None, Some(&session)] {
        for answer in [Answer::None, Answer::Allow, Answer::Deny] {
            let facts = Facts { has_pending: true, answer, ..facts(session, Some(&all)) };
            assert_eq!(decide(&request(&house, &[]), facts, START), Ok(Next::Bind));
        }
    }
}

#[test]
fn a_login_hint_authenticates_nobody() {
    let house = house();
    let request = request(&house, &[("login_hint", "xiaoming"), ("id_token_hint", "x.y.z")]);
    assert_eq!(decide(&request, facts(None, None), START), Ok(Next::SignIn));
}
