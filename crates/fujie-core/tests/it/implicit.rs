//! The implicit grant (RFC 6749 §4.2): a token in the fragment, never a refresh token, never an ID token.

use fujie_core::{
    grant::{Grant, GrantBorn, authorize},
    request::response_mode::AuthorizationResponse,
    time::Timestamp,
    token::access_token::AccessToken,
};

use crate::house::{House, ISSUER, START, days, house, parameter, request_of, seconds, with};

const URI: &str = "https://legacy.example/cb";

fn ask(house: &House, changes: &[(&str, &str)]) -> (Grant, AuthorizationResponse) {
    let changes = with(&[("response_type", "token")], changes);
    let request = house.parse(&with(&request_of("legacy", URI), &changes)).unwrap();
    let draft = authorize::draft(request, &house.session(), house.setting(), &mut house.random());
    let grant = draft.grant.clone();
    let answer = draft.release(GrantBorn::assertion(grant.id), &house.ring, &mut house.random()).unwrap();
    (grant, answer)
}

#[test]
fn the_token_travels_in_the_fragment_and_alone() {
    let house = house();
    let (grant, answer) = ask(&house, &[("scope", "openid profile")]);
    let token = parameter(&answer, "access_token");
    let location = format!(
        "{URI}#access_token={token}&token_type=Bearer&expires_in=3600&scope=openid%20profile\
         &state=s%20t%2B%C3%A4&iss=https%3A%2F%2Fid.example"
    );
    assert_eq!(answer, AuthorizationResponse::Redirect { location });
    assert_eq!((grant.redeemed_at, grant.expires_at), (Some(START), START + seconds(3600)));
    assert!(grant.is_live(START));
    let token = AccessToken::read(&token, &house.ring).unwrap();
    assert_eq!((token.grant, token.expires_at), (Some(grant.id), grant.expires_at));
    assert_eq!(token.audience, [ISSUER]);
}

#[test]
fn a_form_may_carry_the_token_and_a_query_never() {
    let house = house();
    let (_, answer) = ask(&house, &[("response_mode", "form_post")]);
    let AuthorizationResponse::FormPost { action, fields } = answer else { panic!("not a form") };
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        (action.as_str(), names),
        (URI, vec!["access_token", "token_type", "expires_in", "scope", "state", "iss"])
    );
    let query = with(&request_of("legacy", URI), &[("response_type", "token"), ("response_mode", "query")]);
    assert!(house.parse(&query).is_err());
}

#[test]
fn the_token_ends_with_the_session() {
    let mut house = house();
    house.now = START + days(14) - seconds(60);
    let (grant, answer) = ask(&house, &[]);
    assert_eq!(grant.expires_at, Timestamp::from_seconds(START.seconds() + 14 * 86_400));
    assert_eq!(parameter(&answer, "expires_in"), "60");
}
