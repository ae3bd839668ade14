//! `/oauth2.0/token`: form text or JSON, JSONP errors, one-time refresh tokens.

use crate::http;
use crate::qq_story::{BACK, OTHER_CLIENT_ID, OTHER_SECRET, error, field, house, house_with, jsonp};
use fujie_simulator::qq::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::Value;

fn is_upper_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

#[tokio::test]
async fn qq_token_is_form_text_by_default_without_token_type_or_scope() {
    let house = house().await;
    let answer = house.redeem(&house.code().await, "").await;
    let (access_token, refresh_token) = (field(answer.text(), "access_token"), field(answer.text(), "refresh_token"));
    let expected = format!("access_token={access_token}&expires_in=7776000&refresh_token={refresh_token}");
    assert_eq!((answer.status, answer.text()), (200, expected.as_str()));
    assert!(is_upper_hex(&access_token) && is_upper_hex(&refresh_token));
}

#[tokio::test]
async fn qq_token_is_json_with_fmt_json_and_expires_in_is_a_number_or_by_switch_a_string() {
    let house = house().await;
    let json = house.redeem(&house.code().await, "&fmt=json").await.json();
    assert_eq!(json["expires_in"], 7_776_000);
    assert!(json["access_token"].is_string() && json["refresh_token"].is_string());
    assert_eq!(json.as_object().unwrap().len(), 3);
    house.switches(r#"{"expires_in_string":true}"#).await;
    assert_eq!(house.redeem(&house.code().await, "&fmt=json").await.json()["expires_in"], "7776000");
}

#[tokio::test]
async fn qq_token_adds_the_openid_with_need_openid() {
    let house = house().await;
    let form = house.redeem(&house.code().await, "&need_openid=1").await;
    let openid = field(form.text(), "openid");
    assert!(form.text().ends_with(&format!("&openid={openid}")) && is_upper_hex(&openid));
    let json = house.redeem(&house.code().await, "&need_openid=1&fmt=json").await.json();
    assert_eq!(json["openid"], Value::from(openid.clone()));
    assert_eq!(house.openid(json["access_token"].as_str().unwrap()).await, openid);
}

#[tokio::test]
async fn qq_token_errors_are_jsonp_with_status_200_and_a_numeric_error() {
    let house = house().await;
    let code = house.code().await;
    house.redeem(&code, "").await;
    let answer = house.redeem(&code, "").await;
    let json = r#"{"error":100020,"error_description":"code is reused error"}"#;
    assert_eq!((answer.status, answer.text()), (200, format!("callback( {json} );\n").as_str()));
    let bare = house.redeem(&code, "&fmt=json").await;
    assert_eq!((bare.status, bare.text()), (200, json));
}

#[tokio::test]
async fn qq_answers_are_text_html_and_by_switch_something_else() {
    let house = house().await;
    let labels = async |house: &crate::qq_story::House| {
        let success = house.redeem(&house.code().await, "").await;
        let failure = house.token("").await;
        [success, failure].map(|answer| answer.header("content-type").unwrap().to_owned())
    };
    assert_eq!(labels(&house).await, ["text/html; charset=utf-8"; 2]);
    house.switches(r#"{"content_type":"plain"}"#).await;
    assert_eq!(labels(&house).await, ["text/plain"; 2]);
    house.switches(r#"{"content_type":"json_failure"}"#).await;
    assert_eq!(labels(&house).await, ["text/plain", "application/json"]);
}

#[tokio::test]
async fn qq_token_takes_get_and_tolerates_a_posted_form() {
    let house = house().await;
    let form = format!(
        "grant_type=authorization_code&client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}&code={}\
         &redirect_uri={BACK}",
        house.code().await
    );
    let answer = http::post_form(house.base(), "/oauth2.0/token", &form).await;
    assert!(answer.text().starts_with("access_token="), "{}", answer.text());
}

#[tokio::test]
async fn qq_token_errors_are_found_in_this_order() {
    let house = house().await;
    let (code, id) = (house.code().await, format!("client_id={DEFAULT_CLIENT_ID}"));
    let app = format!("{id}&client_secret={DEFAULT_SECRET}");
    let grant = format!("{app}&grant_type=authorization_code");
    let cases = [
        (String::new(), 100_001),
        (id.clone(), 100_002),
        ("client_id=x&client_secret=x".to_owned(), 100_001),
        ("client_id=999999999&client_secret=x".to_owned(), 100_008),
        (format!("{id}&client_secret=wrong"), 100_009),
        (app.clone(), 100_004),
        (format!("{app}&grant_type=password"), 100_004),
        (grant.clone(), 100_005),
        (format!("{grant}&code={code}"), 100_010),
        (format!("{grant}&code={code}&redirect_uri={BACK}%2F"), 100_010),
        (format!("{grant}&code=x&redirect_uri={BACK}"), 100_019),
        (format!("{app}&grant_type=refresh_token"), 100_006),
        (format!("{app}&grant_type=refresh_token&refresh_token=x"), 100_022),
    ];
    for (query, expected) in cases {
        assert_eq!(error(&house.get(&format!("/oauth2.0/token?{query}")).await), expected, "{query}");
    }
    assert!(house.redeem(&code, "").await.text().starts_with("access_token="), "no failure burnt the code");
}

#[tokio::test]
async fn qq_says_which_secret_is_wrong_in_its_own_words() {
    let house = house().await;
    let text = async |query: &str| {
        let answer = house.get(&format!("/oauth2.0/token?{query}")).await;
        jsonp(&answer)["error_description"].as_str().unwrap().to_owned()
    };
    let missing = text(&format!("client_id={DEFAULT_CLIENT_ID}")).await;
    assert_eq!(missing, "param client_secret is wrong or lost ");
    let wrong = text(&format!("client_id={DEFAULT_CLIENT_ID}&client_secret=x")).await;
    assert_eq!(wrong, "client secret is illegal");
}

#[tokio::test]
async fn qq_code_is_good_for_ten_minutes_once_and_for_its_own_app() {
    let house = house().await;
    let (code, late) = (house.code().await, house.code().await);
    assert!(is_upper_hex(&code));
    let foreign = format!(
        "/oauth2.0/token?client_id={OTHER_CLIENT_ID}&client_secret={OTHER_SECRET}&grant_type=authorization_code\
         &code={code}&redirect_uri={BACK}"
    );
    assert_eq!(error(&house.get(&foreign).await), 100_019);
    house.advance(590).await;
    assert!(house.redeem(&code, "").await.text().starts_with("access_token="));
    assert_eq!(error(&house.redeem(&code, "").await), 100_020);
    house.advance(10).await;
    assert_eq!(error(&house.redeem(&late, "").await), 100_019);
}

#[tokio::test]
async fn qq_mobile_app_need_not_repeat_the_redirect_uri() {
    let house = house_with(|config| config.apps.iter_mut().for_each(|app| app.is_mobile_app = true)).await;
    let code = house.code().await;
    let answer = house.token(&format!("grant_type=authorization_code&code={code}")).await;
    assert!(answer.text().starts_with("access_token="));
}

#[tokio::test]
async fn qq_refresh_token_is_single_use_and_rotates() {
    let house = house().await;
    let (first_access, first) = house.tokens().await;
    let answer = house.refresh(&first).await;
    let (access_token, second) = (field(answer.text(), "access_token"), field(answer.text(), "refresh_token"));
    assert!(access_token != first_access && second != first);
    assert_eq!(error(&house.refresh(&first).await), 100_021);
    assert!(house.refresh(&second).await.text().starts_with("access_token="));
    assert_eq!(house.openid(&first_access).await, house.openid(&access_token).await);
}

#[tokio::test]
async fn qq_refresh_chain_ends_three_months_after_the_sign_in() {
    let house = house().await;
    let (_, first) = house.tokens().await;
    house.advance(7_776_000 - 60).await;
    let second = field(house.refresh(&first).await.text(), "refresh_token");
    house.advance(60).await;
    assert_eq!(error(&house.refresh(&second).await), 100_021);
}

#[tokio::test]
async fn qq_token_lifetime_is_three_months_or_by_switch_sixty_days() {
    let house = house().await;
    house.switches(r#"{"access_token_lifetime_seconds":5184000}"#).await;
    let answer = house.redeem(&house.code().await, "").await;
    assert_eq!(field(answer.text(), "expires_in"), "5184000");
    let access_token = field(answer.text(), "access_token");
    house.advance(5_184_000 - 60).await;
    assert!(jsonp(&house.me(&access_token, "").await).get("openid").is_some());
    house.advance(60).await;
    assert_eq!(error(&house.me(&access_token, "").await), 100_016);
}

#[tokio::test]
async fn qq_new_sign_in_ends_the_earlier_token_only_when_told_so() {
    let house = house().await;
    let (first, _) = house.tokens().await;
    let (second, _) = house.tokens().await;
    house.openid(&first).await;
    house.switches(r#"{"invalidate_previous_token":true}"#).await;
    let (third, _) = house.tokens().await;
    assert_eq!(error(&house.me(&first, "").await), 100_013);
    assert_eq!(error(&house.me(&second, "").await), 100_013);
    house.openid(&third).await;
}
