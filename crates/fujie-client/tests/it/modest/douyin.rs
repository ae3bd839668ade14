//! Douyin: `client_key`, everything inside `data`, failures with 200, numbers that may be strings.

use fujie_client::{Endpoint, provider};
use fujie_simulator::modest::Kind;
use serde_json::json;

use super::{modest, refusal, refused, unknown_code};
use crate::provider::house::{House, after};
use crate::provider::story::stories;

/// Half a month.
const LIFETIME: i64 = 1_296_000;

async fn house() -> House {
    modest(Kind::Douyin, &provider::douyin()).await
}

stories!(house, "code_refused", Some(LIFETIME));

#[tokio::test]
async fn a_person_signs_in_out_of_data() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!(Some(&identity.subject), tokens.subject.as_ref(), "both answers name the open_id");
    assert!(identity.union_subject.is_some());
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert_eq!((tokens.expires_at, tokens.scope), (after(LIFETIME), vec!["user_info".to_owned()]));
}

#[tokio::test]
async fn numbers_may_be_strings() {
    let house = house().await;
    house.switch(json!({"numbers_as_strings": true})).await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    assert_eq!(signed_in.tokens.expires_at, after(LIFETIME));
    assert_eq!(unknown_code(&house).await, ("code_refused", "10007".to_owned()));
}

#[tokio::test]
async fn a_refresh_sends_no_secret_and_keeps_the_refresh_token() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(LIFETIME).await;
    assert_eq!(refused(&house, house.client.user(&first).await), ("access_token_refused", "2190008".to_owned()));
    house.sent();
    let second = house.client.refresh(&first).await.unwrap();
    assert_eq!(house.sent()[0].in_body("client_secret"), None);
    assert!(second.access_token != first.access_token && second.refresh_token == first.refresh_token);
    assert!(house.client.user(&second).await.is_ok());
    house.advance(LIFETIME).await;
    assert_eq!(refused(&house, house.client.refresh(&second).await), ("refresh_token_refused", "10010".to_owned()));
}

#[tokio::test]
async fn a_refusal_comes_back() {
    assert_eq!(refusal(&house().await).await, "denied");
}

#[tokio::test]
async fn numbers_in_answers_with_200_say_why() {
    let house = house().await;
    assert_eq!(unknown_code(&house).await, ("code_refused", "10007".to_owned()));
    for (id, secret, number) in
        [("awother", house.secret, "10003"), (Kind::Douyin.default_client_id(), "wrong-secret-1", "10013")]
    {
        let client = house.client_of(&provider::douyin(), id, secret);
        let code = client.registration().read_code("0123456789abcdef").unwrap();
        assert_eq!(refused(&house, client.redeem(code).await), ("credentials_refused", number.to_owned()));
    }
    let tokens = house.tokens("xiaoming").await;
    for (number, name) in [(10020, "rate_limited"), (2_100_004, "busy"), (10002, "request_refused")] {
        house.order(Endpoint::User, &json!({"kind": "error", "error": number})).await;
        assert_eq!(refused(&house, house.client.user(&tokens).await), (name, number.to_string()));
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_opens_nothing() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    tokens.subject = house.tokens("lihua").await.subject;
    assert_eq!(refused(&house, house.client.user(&tokens).await), ("request_refused", "10002".to_owned()));
}
