//! WeCom: no token of the person. The application's own token and the code together name the member.

use fujie_client::{Endpoint, Provider, provider};
use fujie_simulator::modest::Kind;
use serde_json::json;

use super::{modest, refused};
use crate::provider::house::{House, after, cookie};

fn preset() -> Provider {
    provider::wecom().with_authorization_parameter("agentid", "1000002")
}

async fn house() -> House {
    modest(Kind::Wecom, &preset()).await
}

/// The paths that were asked since the last time.
fn paths(house: &House) -> Vec<String> {
    let path = |url: &str| url[house.base().len()..].split('?').next().unwrap().to_owned();
    house.sent().iter().map(|sent| path(&sent.url)).collect()
}

const TOKEN: &str = "/cgi-bin/gettoken";
const USER: &str = "/cgi-bin/auth/getuserinfo";

#[tokio::test]
async fn a_member_signs_in_by_the_applications_token_and_the_code() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let identity = signed_in.identity;
    assert_eq!((identity.app.as_str(), identity.subject.as_str()), (Kind::Wecom.default_client_id(), "xiaoming"));
    assert_eq!((identity.nickname, signed_in.tokens.refresh_token.is_none()), (None, true));
    assert_eq!(signed_in.tokens.expires_at, after(7200));
    let sent = house.sent();
    assert_eq!(sent[0].names(), ["corpid", "corpsecret"]);
    assert_eq!(sent[1].names(), ["access_token", "code"]);
}

#[tokio::test]
async fn the_applications_token_is_fetched_once_for_everybody_until_shortly_before_its_end() {
    let house = house().await;
    for person in ["xiaoming", "lihua"] {
        assert_eq!(house.sign_in(person).await.unwrap().identity.raw["errcode"], 0);
    }
    assert_eq!(paths(&house), [TOKEN, USER, USER]);
    house.advance(7200 - 60).await;
    assert!(house.sign_in("zoe").await.is_ok());
    assert_eq!(paths(&house), [TOKEN, USER]);
}

#[tokio::test]
async fn an_applications_token_that_ended_early_is_fetched_again_and_the_member_signs_in() {
    let house = house().await;
    assert!(house.sign_in("xiaoming").await.is_ok());
    house.sent();
    // Ended at the provider, not by our clock.
    house.advance_provider(7200).await;
    assert!(house.sign_in("lihua").await.is_ok());
    assert_eq!(paths(&house), [USER, TOKEN, USER]);
    house.order(Endpoint::User, &json!({"kind": "error", "error": 40014})).await;
    let error = house.sign_in("zoe").await;
    assert_eq!(refused(&house, error), ("access_token_refused", "40014".to_owned()));
    assert_eq!(paths(&house), [USER, TOKEN, USER], "once, not for ever");
}

#[tokio::test]
async fn a_refusal_brings_the_state_and_no_code() {
    let house = house().await;
    assert_eq!(super::refusal(&house).await, "denied");
}

#[tokio::test]
async fn without_an_agent_there_is_no_page() {
    let house = house().await;
    let begun = house
        .client_of(&provider::wecom(), Kind::Wecom.default_client_id(), house.secret)
        .begin(crate::provider::house::BACK);
    assert_eq!(house.follow(&begun.unwrap().url).await.unwrap().status, 400);
}

#[tokio::test]
async fn somebody_from_outside_the_company_has_no_userid() {
    let house = house().await;
    house.switch(json!({"outsiders": true})).await;
    assert_eq!(refused(&house, house.sign_in("xiaoming").await).0, "subject_missing");
}

#[tokio::test]
async fn the_older_path_spells_it_with_a_capital() {
    let house = house().await;
    let older = house.client_with(&json!({"user": {"endpoint": format!("{}/cgi-bin/user/getuserinfo", house.base())}}));
    let identity = house.sign_in_at(&older, "xiaoming").await.unwrap().identity;
    assert_eq!((identity.subject.as_str(), &identity.raw["UserId"]), ("xiaoming", &json!("xiaoming")));
}

#[tokio::test]
async fn numbers_in_answers_with_200_say_why() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
    let again = house.client.finish(&callback, &cookie(&begun)).await;
    assert_eq!(refused(&house, again), ("code_refused", "40029".to_owned()));
    for (id, secret, number) in
        [("wwother", house.secret, "40013"), (Kind::Wecom.default_client_id(), "wrong-secret-1", "40001")]
    {
        let client = house.client_of(&preset(), id, secret);
        let code = client.registration().read_code("0123456789abcdef").unwrap();
        assert_eq!(refused(&house, client.redeem(code).await), ("credentials_refused", number.to_owned()));
    }
    house.order(Endpoint::User, &json!({"kind": "error", "error": 60020})).await;
    assert_eq!(refused(&house, house.sign_in("zoe").await), ("not_permitted", "60020".to_owned()));
    house.clear_faults().await;
    house.order(Endpoint::User, &json!({"kind": "rate_limit"})).await;
    assert_eq!(refused(&house, house.sign_in("zoe").await), ("rate_limited", "45009".to_owned()));
}
