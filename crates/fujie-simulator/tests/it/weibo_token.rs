//! `/oauth2/access_token` and the OAuth endpoints beside it.

use crate::http;
use crate::weibo_story::{BACK, House, OTHER_CLIENT_ID, OTHER_SECRET, TOKEN, code, house};
use fujie_simulator::weibo::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::Value;

#[tokio::test]
async fn weibo_token_answer_has_its_five_fields_and_no_token_type_or_scope() {
    let house = house().await;
    let answer = house.redeem(&house.code_for("&scope=email").await).await;
    let json = answer.json();
    let (token, uid) = (json["access_token"].as_str().unwrap(), json["uid"].as_str().unwrap());
    let expected = format!(
        "{{\"access_token\":\"{token}\",\"remind_in\":\"157679999\",\"expires_in\":157679999,\"uid\":\"{uid}\",\
         \"isRealName\":\"true\"}}"
    );
    assert_eq!((answer.status, answer.text()), (200, expected.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    assert!(token.len() == 32 && token.starts_with("2.00") && uid.parse::<u64>().unwrap() > 1 << 31);
}

#[tokio::test]
async fn weibo_expires_in_is_a_number_or_by_switch_a_string() {
    let house = house().await;
    house
        .switches(
            r#"{"expires_in_string":true,"access_token_lifetime_seconds":7200,"is_real_name":null,"text_plain":true}"#,
        )
        .await;
    let answer = house.redeem(&house.code().await).await;
    let json = answer.json();
    assert_eq!((json["expires_in"].as_str(), json["remind_in"].as_str()), (Some("7200"), Some("7200")));
    assert!(json.get("isRealName").is_none());
    assert_eq!(answer.header("content-type"), Some("text/plain;charset=UTF-8"));
}

#[tokio::test]
async fn weibo_token_takes_a_form_or_a_query_with_an_empty_body() {
    let house = house().await;
    assert_eq!(house.redeem(&house.code().await).await.status, 200);
    let query = format!("{TOKEN}?{}", House::form(&house.code().await));
    assert_eq!(http::send(house.base(), "POST", &query, &[], "").await.status, 200);
    let older = format!("/2{TOKEN}");
    assert_eq!(house.post(&older, &House::form(&house.code().await)).await.status, 200);
}

#[tokio::test]
async fn weibo_token_takes_the_credentials_as_basic() {
    let house = house().await;
    let form = format!("grant_type=authorization_code&code={}&redirect_uri={BACK}", house.code().await);
    // 1000000001 and the default secret.
    let basic = "Authorization: Basic MTAwMDAwMDAwMTpmYTRlZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZQ==";
    let kind = "Content-Type: application/x-www-form-urlencoded";
    assert_eq!(http::send(house.base(), "POST", TOKEN, &[kind, basic], &form).await.status, 200);
}

#[tokio::test]
async fn weibo_token_refuses_get() {
    let house = house().await;
    let code = house.code().await;
    let answer = house.get(&format!("{TOKEN}?{}", House::form(&code))).await;
    assert_eq!((answer.status, answer.json()["error_code"].as_u64()), (405, Some(10_021)));
    assert_eq!(house.redeem(&code).await.status, 200, "the code is not burnt");
    assert_eq!(house.get("/oauth2/get_token_info?access_token=x").await.status, 405);
}

#[tokio::test]
async fn weibo_token_errors_have_their_statuses_and_are_found_in_this_order() {
    let house = house().await;
    let id = format!("client_id={DEFAULT_CLIENT_ID}");
    let app = format!("{id}&client_secret={DEFAULT_SECRET}");
    let fresh = house.code().await;
    let grant = format!("{app}&grant_type=authorization_code");
    let cases = [
        (String::new(), (400, 21_323)),
        (id.clone(), (400, 21_323)),
        ("client_id=1&client_secret=x".to_owned(), (401, 21_324)),
        (format!("{id}&client_secret=x"), (401, 21_324)),
        (app.clone(), (400, 21_323)),
        (format!("{app}&grant_type=x"), (400, 21_328)),
        (format!("{app}&grant_type=password"), (400, 21_326)),
        (format!("{app}&grant_type=refresh_token&refresh_token=x"), (400, 21_326)),
        (format!("{grant}&redirect_uri={BACK}"), (400, 21_323)),
        (format!("{grant}&code={fresh}"), (400, 21_323)),
        (format!("{grant}&code={fresh}&redirect_uri={BACK}2"), (400, 21_322)),
        (format!("{grant}&code=x&redirect_uri={BACK}"), (400, 21_325)),
    ];
    for (form, expected) in cases {
        assert_eq!(code(&house.post(TOKEN, &form).await), expected, "{form}");
    }
    assert_eq!(house.redeem(&fresh).await.status, 200);
}

#[tokio::test]
async fn weibo_error_bodies_are_those_of_live_logs() {
    let house = house().await;
    let wrong_secret = house.post(TOKEN, &format!("client_id={DEFAULT_CLIENT_ID}&client_secret=x")).await;
    let expected = "{\"error\":\"invalid_client\",\"error_code\":21324,\"request\":\"/oauth2/access_token\",\
                    \"error_uri\":\"/oauth2/access_token\",\"error_description\":\"client_secret error.\"}";
    assert_eq!(wrong_secret.text(), expected);
    let mismatch = house.post(TOKEN, &format!("{}x", House::form(&house.code().await))).await;
    let expected = "{\"request\":\"/oauth2/access_token\",\"error_code\":21322,\"error\":\"redirect_uri_mismatch\",\
                    \"error_uri\":\"/oauth2/access_token\"}";
    assert_eq!(mismatch.text(), expected);
}

#[tokio::test]
async fn weibo_code_is_used_once_within_ten_minutes_and_the_error_repeats_it() {
    let house = house().await;
    let (first, late) = (house.code().await, house.code().await);
    assert_eq!(house.redeem(&first).await.status, 200);
    let again = house.redeem(&first).await;
    assert_eq!(code(&again), (400, 21_325));
    assert_eq!(again.json()["error_description"], Value::from(format!("invalid authorization code:{first}")));
    house.advance(600).await;
    assert_eq!(code(&house.redeem(&late).await), (400, 21_325));
}

#[tokio::test]
async fn weibo_refresh_tokens_are_for_mobile_sdk_apps_alone() {
    let house = house().await;
    let json = house.mobile_tokens().await.json();
    assert_eq!(json["scope"], "email");
    let refresh_token = json["refresh_token"].as_str().unwrap();
    let answer = house.refresh(refresh_token).await;
    let refreshed = answer.json();
    assert_eq!(refreshed.as_object().unwrap().keys().collect::<Vec<_>>(), ["access_token", "expires_in"]);
    let token = refreshed["access_token"].as_str().unwrap();
    assert_eq!(house.uid(token).await.to_string(), json["uid"].as_str().unwrap());
    assert_eq!(house.refresh(refresh_token).await.status, 200);
    house.advance(157_679_999).await;
    assert_eq!(code(&house.refresh(refresh_token).await), (401, 21_327));
}

#[tokio::test]
async fn weibo_refresh_tokens_rotate_by_switch() {
    let house = house().await;
    house.switches(r#"{"refresh_token_rotates":true}"#).await;
    let first = house.mobile_tokens().await.json()["refresh_token"].as_str().unwrap().to_owned();
    let second = house.refresh(&first).await.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(code(&house.refresh(&first).await), (400, 21_325));
    assert_eq!(house.refresh(&second).await.status, 200);
}

#[tokio::test]
async fn weibo_token_info_says_create_at_and_expire_in() {
    let house = house().await;
    let token = house.token().await;
    house.advance(9).await;
    let info = async |path: String| http::send(house.base(), "POST", &path, &[], "").await;
    let json = info(format!("/oauth2/get_token_info?access_token={token}")).await.json();
    assert!(json["uid"].is_u64() && json["create_at"].is_u64() && json["scope"].is_null(), "{json}");
    // The machine's time goes by too.
    assert!((157_679_900..=157_679_990).contains(&json["expire_in"].as_u64().unwrap()), "{json}");
    assert_eq!(json["appkey"], DEFAULT_CLIENT_ID);
    house.switches(r#"{"appkey_string":false,"token_info_expires_in":true}"#).await;
    let json = house.post("/2/oauth2/get_token_info", &format!("access_token={token}")).await.json();
    assert_eq!(json["appkey"].as_u64(), Some(1_000_000_001));
    assert!(json.get("expire_in").is_none() && json["expires_in"].is_u64());
    assert_eq!(code(&info("/oauth2/get_token_info?access_token=2.00x".to_owned()).await), (403, 21_332));
    assert_eq!(code(&info("/oauth2/get_token_info".to_owned()).await), (400, 21_323));
}

#[tokio::test]
async fn weibo_revoke_answers_the_string_true_by_get_and_post() {
    let house = house().await;
    let (first, second) = (house.token().await, house.token().await);
    let revoked = house.get(&format!("/oauth2/revokeoauth2?access_token={first}")).await;
    assert_eq!((revoked.status, revoked.text()), (200, r#"{"result":"true"}"#));
    assert_eq!(code(&house.api("account/get_uid.json?", &first).await), (403, 21_332));
    let revoked = house.post("/oauth2/revokeoauth2", &format!("access_token={second}")).await;
    assert_eq!(revoked.text(), r#"{"result":"true"}"#);
    let again = house.get(&format!("/oauth2/revokeoauth2?access_token={first}")).await;
    assert!(again.json()["error"].is_string());
}

#[tokio::test]
async fn weibo_oauth1_migration_is_refused_and_the_default_page_is_there() {
    let house = house().await;
    let migration = house.post("/oauth2/get_oauth2_token", "").await;
    assert_eq!(code(&migration), (400, 21_326));
    let page = house.get("/oauth2/default.html?code=x").await;
    assert!(page.status == 200 && page.header("content-type").unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn weibo_another_apps_code_is_invalid() {
    let house = house().await;
    let fresh = house.code().await;
    let form = format!(
        "client_id={OTHER_CLIENT_ID}&client_secret={OTHER_SECRET}&grant_type=authorization_code&code={fresh}\
         &redirect_uri={BACK}"
    );
    assert_eq!(code(&house.post(TOKEN, &form).await), (400, 21_325));
    assert_eq!(house.redeem(&fresh).await.status, 200);
}

#[tokio::test]
async fn weibo_answers_are_json_or_by_switch_text_plain() {
    let house = house().await;
    let label = async || house.redeem(&house.code().await).await.header("content-type").unwrap().to_owned();
    assert_eq!(label().await, "application/json;charset=UTF-8");
    house.switches(r#"{"text_plain":true}"#).await;
    assert_eq!(label().await, "text/plain;charset=UTF-8");
    assert!(house.redeem(&house.code().await).await.json()["access_token"].is_string(), "the body stays JSON");
}

#[tokio::test]
async fn weibo_scopes_are_joined_by_a_comma() {
    let house = house().await;
    let token = house.token_for("&scope=email,invitation_write").await;
    let info = house.post("/oauth2/get_token_info", &format!("access_token={token}")).await.json();
    assert_eq!(info["scope"], "email,invitation_write");
}

#[tokio::test]
async fn weibo_knows_no_pkce_and_ignores_a_code_challenge() {
    let house = house().await;
    let code = house.code_for("&code_challenge=x&code_challenge_method=S256").await;
    assert_eq!(house.redeem(&code).await.status, 200, "and no verifier is asked for");
    let answer = house.post(TOKEN, &format!("{}&code_verifier=y", House::form(&house.code().await))).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json().get("id_token").is_none());
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}
