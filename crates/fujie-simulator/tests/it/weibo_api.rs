//! `/2/…`: how a token is carried, profiles, e-mail addresses, limits.

use crate::http;
use crate::weibo_story::{House, code, house, house_with};
use fujie_simulator::weibo::DEFAULT_CLIENT_ID;
use serde_json::{Value, json};

const UID: &str = "/2/account/get_uid.json";

async fn with(house: &House, path: &str, authorization: &str) -> http::Answer {
    http::send(house.base(), "GET", path, &[&format!("Authorization: {authorization}")], "").await
}

#[tokio::test]
async fn weibo_token_is_carried_by_query_or_oauth2_header_and_never_by_bearer() {
    let house = house().await;
    let token = house.token().await;
    let uid = house.uid(&token).await;
    assert_eq!(with(&house, UID, &format!("OAuth2 {token}")).await.json(), json!({ "uid": uid }));
    assert_eq!(code(&with(&house, UID, &format!("Bearer {token}")).await), (403, 21_301));
    let nothing = house.get(UID).await;
    let expected = format!("{{\"error\":\"auth faild!\",\"error_code\":21301,\"request\":\"{UID}\"}}");
    assert_eq!((nothing.status, nothing.text()), (403, expected.as_str()));
}

#[tokio::test]
async fn weibo_malformed_oauth2_header_is_ignored_beside_a_token_in_the_query() {
    let house = house().await;
    let token = house.token().await;
    let malformed = format!("OAuth2 uid=1&access_token={token}");
    let path = format!("{UID}?access_token={token}");
    assert_eq!(with(&house, &path, &malformed).await.status, 200);
    assert_eq!(code(&with(&house, UID, &malformed).await), (403, 21_301));
}

#[tokio::test]
async fn weibo_dead_tokens_are_21332_and_21327() {
    let house = house().await;
    let token = house.token().await;
    let unknown = house.api("account/get_uid.json?", "2.00unknown").await;
    let expected = format!("{{\"error\":\"invalid_access_token\",\"error_code\":21332,\"request\":\"{UID}\"}}");
    assert_eq!((unknown.status, unknown.text()), (403, expected.as_str()));
    house.switches(r#"{"invalid_token_status":401,"error_code_string":true}"#).await;
    let unknown = house.api("account/get_uid.json?", "2.00unknown").await;
    assert_eq!((unknown.status, unknown.json()["error_code"].as_str()), (401, Some("21332")));
    house.switches(r#"{"error_code_string":false}"#).await;
    house.advance(157_679_999).await;
    assert_eq!(code(&house.api("account/get_uid.json?", &token).await), (401, 21_327));
}

#[tokio::test]
async fn weibo_user_has_a_number_above_32_bits_and_its_text() {
    let house = house().await;
    let token = house.token().await;
    let uid = house.uid(&token).await;
    let answer = house.api(&format!("users/show.json?uid={uid}&"), &token).await;
    let user = answer.json();
    assert_eq!((user["id"].as_u64(), user["idstr"].as_str()), (Some(uid), Some(uid.to_string().as_str())));
    assert!(uid > 1 << 31);
    assert_eq!((user["screen_name"].as_str(), user["gender"].as_str()), (Some("小明🌟"), Some("m")));
    assert!(user["province"].is_string() && user["status"].is_object() && user["verified"].is_boolean());
    assert!(answer.text().starts_with(&format!("{{\"id\":{uid},\"idstr\":\"{uid}\",\"screen_name\":")));
    for name in ["profile_image_url", "avatar_large", "avatar_hd"] {
        let picture = house.get(user[name].as_str().unwrap().strip_prefix(house.base()).unwrap()).await;
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")));
    }
}

#[tokio::test]
async fn weibo_user_is_found_by_uid_or_screen_name_and_only_oneself_without_high_rights() {
    let house = house().await;
    let token = house.token().await;
    house.switches(r#"{"auto_confirm":"lihua"}"#).await;
    let lihua = house.uid(&house.token().await).await;
    let name = "%E5%B0%8F%E6%98%8E%F0%9F%8C%9F";
    assert_eq!(house.api(&format!("users/show.json?screen_name={name}&"), &token).await.status, 200);
    let show = async |query: String| code(&house.api(&format!("users/show.json?{query}"), &token).await);
    assert_eq!(show(format!("uid={lihua}&")).await, (403, 21_335));
    assert_eq!(show("uid=1&".to_owned()).await, (400, 20_003));
    assert_eq!(show("uid=x&".to_owned()).await, (400, 10_008));
    assert_eq!(show(String::new()).await, (400, 10_008));
    let high = house_with(|config| config.apps.iter_mut().for_each(|app| app.has_high_rights = true)).await;
    assert_eq!(high.api(&format!("users/show.json?uid={lihua}&"), &high.token().await).await.status, 200);
}

#[tokio::test]
async fn weibo_unknown_user_is_told_in_weibos_own_grammar() {
    let house = house().await;
    let answer = house.api("users/show.json?uid=1&", &house.token().await).await;
    let expected = "{\"error\":\"User does not exists!\",\"error_code\":20003,\"request\":\"/2/users/show.json\"}";
    assert_eq!((answer.status, answer.text()), (400, expected));
}

#[tokio::test]
async fn weibo_email_is_an_array_or_by_switch_an_object() {
    let house = house().await;
    let token = house.token_for("&scope=email").await;
    let email = async || house.api("account/profile/email.json?", &token).await.json();
    assert_eq!(email().await, json!([{ "email": "xiaoming@example.com" }]));
    house.switches(r#"{"email_object":true}"#).await;
    assert_eq!(email().await, json!({ "email": "xiaoming@example.com" }));
}

#[tokio::test]
async fn weibo_email_without_the_scope_is_403_and_a_scope_can_be_unticked() {
    let house = house().await;
    let path = "/2/account/profile/email.json";
    let expected = format!("{{\"error\":\"access_denied\",\"error_code\":21330,\"request\":\"{path}\"}}");
    let answer = house.api("account/profile/email.json?", &house.token().await).await;
    assert_eq!((answer.status, answer.text()), (403, expected.as_str()));
    house.switches(r#"{"withheld_scopes":["email"]}"#).await;
    let token = house.token_for("&scope=all").await;
    assert_eq!(code(&house.api("account/profile/email.json?", &token).await), (403, 21_330));
    let unapproved = house_with(|config| config.apps.iter_mut().for_each(|app| app.approved_scopes.clear())).await;
    let token = unapproved.token_for("&scope=email").await;
    assert_eq!(code(&unapproved.api("account/profile/email.json?", &token).await), (403, 21_330));
}

#[tokio::test]
async fn weibo_app_under_test_serves_its_testers_alone() {
    let testers = Some(vec!["lihua".to_owned()]);
    let house = house_with(|config| config.apps.iter_mut().for_each(|app| app.testers = testers.clone())).await;
    assert_eq!(code(&house.api("account/get_uid.json?", &house.token().await).await), (403, 21_321));
    house.switches(r#"{"auto_confirm":"lihua"}"#).await;
    house.uid(&house.token().await).await;
}

#[tokio::test]
async fn weibo_user_rate_limit_is_10023_until_the_hour_is_over() {
    let house = house().await;
    house.switches(r#"{"user_limit":2}"#).await;
    let token = house.token().await;
    // The hour of the wall clock may end while this runs: it is begun anew.
    let status = house.api("account/rate_limit_status.json?", &token).await.json();
    house.advance(status["reset_time_in_seconds"].as_u64().unwrap()).await;
    house.uid(&token).await;
    house.uid(&token).await;
    let refused = house.api("account/get_uid.json?", &token).await;
    let expected =
        format!("{{\"error\":\"User requests out of rate limit!\",\"error_code\":10023,\"request\":\"{UID}\"}}");
    assert_eq!((refused.status, refused.text()), (403, expected.as_str()));
    house.switches(r#"{"rate_limit_request":false}"#).await;
    assert!(!house.api("account/get_uid.json?", &token).await.text().contains("request\""));
    house.advance(3600).await;
    house.uid(&token).await;
}

#[tokio::test]
async fn weibo_rate_limit_status_counts_down_and_is_free() {
    let house = house().await;
    let token = house.token().await;
    let status = async || house.api("account/rate_limit_status.json?", &token).await.json();
    let first = status().await;
    house.advance(first["reset_time_in_seconds"].as_u64().unwrap()).await;
    house.uid(&token).await;
    let second = status().await;
    assert_eq!((second["remaining_user_hits"].as_u64(), second["remaining_ip_hits"].as_u64()), (Some(149), Some(9999)));
    assert_eq!((second["user_limit"].as_u64(), second["ip_limit"].as_u64()), (Some(150), Some(10_000)));
    assert_eq!((second["limit_time_unit"].as_str(), &second["api_rate_limits"]), (Some("HOURS"), &json!([])));
    assert_eq!(second["reset_time"].as_str().map(str::len), Some(19));
    assert_eq!(status().await["remaining_user_hits"], second["remaining_user_hits"]);
}

#[tokio::test]
async fn weibo_ip_rate_limit_is_10022() {
    let house = house().await;
    house.switches(r#"{"ip_limit":0}"#).await;
    assert_eq!(code(&house.api("account/get_uid.json?", &house.token().await).await), (403, 10_022));
}

#[tokio::test]
async fn weibo_unknown_calls_and_wrong_methods_are_told_in_json() {
    let house = house().await;
    assert_eq!(code(&house.get("/2/statuses/nothing.json").await), (404, 10_020));
    assert_eq!(code(&house.post(UID, "").await), (405, 10_021));
}

#[tokio::test]
async fn weibo_any_known_number_can_be_ordered_at_every_endpoint() {
    let house = house().await;
    let order = async |path: &str, number: u64| {
        let body = format!("{{\"at\":\"{path}\",\"kind\":\"error\",\"error\":{number}}}");
        let answer = house.control("faults", &body).await;
        assert!(answer.status < 300, "{}", answer.text());
    };
    let system = (10_001..=10_014).chain(10_016..=10_018).chain(10_020..=10_024);
    for number in system.chain([20_003, 21_301]).chain(21_314..=21_317).chain([21_319]).chain(21_321..=21_338) {
        order(UID, number).await;
        let answer = house.get(UID).await;
        assert_eq!(code(&answer).1, number);
        assert!(answer.status >= 400 && answer.json().get("error_uri").is_none());
    }
    order("/oauth2/access_token", 21_331).await;
    let answer = house.redeem("x").await;
    assert_eq!((code(&answer), answer.json()["error_uri"].as_str()), ((503, 21_331), Some("/oauth2/access_token")));
    let unknown = house.control("faults", &format!("{{\"at\":\"{UID}\",\"kind\":\"error\",\"error\":1}}")).await;
    assert_eq!(unknown.status, 400);
    house.control("faults", &format!("{{\"at\":\"{UID}\",\"kind\":\"rate_limit\"}}")).await;
    assert_eq!(code(&house.get(UID).await), (403, 10_023));
}

#[tokio::test]
async fn weibo_control_tells_what_there_is() {
    let house = house().await;
    let index = house.get("/_simulate").await.json();
    assert_eq!((index["provider"].as_str(), &index["switches"]["is_real_name"]), (Some("weibo"), &Value::Bool(true)));
    assert_eq!(index["apps"][0]["client_id"], DEFAULT_CLIENT_ID);
}
