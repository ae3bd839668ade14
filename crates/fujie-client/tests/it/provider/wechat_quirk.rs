//! What breaks a generic client at WeChat, one quirk each; then its error numbers and what the network may do.

use fujie_client::Endpoint::{Check, Refresh, Token, User};
use fujie_client::{Method, provider};
use fujie_simulator::wechat::{App, DEFAULT_APPID, DEFAULT_SECRET};
use serde_json::json;

use super::fault::{self, Row};
use super::house::{BACK, cookie};
use super::wechat::{house, house_with, refused};

#[tokio::test]
async fn names_are_appid_and_secret_in_the_query_of_a_get() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.client.finish(&callback, &cookie(&begun)).await.unwrap();
    let exchange = house.sent().remove(0);
    assert_eq!((exchange.method, exchange.body.as_deref()), (Method::Get, None));
    assert_eq!(exchange.names(), ["appid", "secret", "code", "grant_type"]);
    assert_eq!(exchange.in_query("secret").as_deref(), Some(DEFAULT_SECRET));
    assert_eq!(exchange.header("authorization"), None);
}

#[tokio::test]
async fn answers_are_text_plain_without_a_charset_in_utf_8() {
    let house = house().await;
    let identity = house.sign_in("zoe").await.unwrap().identity;
    assert_eq!(identity.nickname.as_deref(), Some("Zoë 👩‍💻"));
    assert!(!identity.avatar_url.unwrap().contains('\\'), "slashes come escaped and are read");
    fault::labels(&house).await;
}

#[tokio::test]
async fn a_failure_has_status_200_and_an_errcode() {
    let house = house().await;
    let callback = house.client.registration().read_code("c0de").unwrap();
    let error = house.client.redeem(callback).await.unwrap_err();
    let evidence = error.evidence().unwrap();
    assert_eq!((evidence.status, evidence.content_type.as_deref()), (200, Some("text/plain")));
    assert_eq!(evidence.errcode.as_deref(), Some("40029"));
    assert!(evidence.message.as_ref().unwrap().starts_with("invalid code, rid: "), "{evidence}");
}

#[tokio::test]
async fn the_suffix_of_an_error_follows_the_fashion() {
    let house = house().await;
    for suffix in ["plain", "hints", "rid"] {
        house.switch(json!({"errmsg_suffix": suffix})).await;
        let callback = house.client.registration().read_code("c0de").unwrap();
        let error = house.client.redeem(callback).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()), "{suffix}");
    }
}

#[tokio::test]
async fn a_token_answer_has_no_token_type() {
    let house = house().await;
    assert_eq!(house.tokens("xiaoming").await.token_type, None);
}

#[tokio::test]
async fn scopes_are_joined_by_a_comma() {
    let house = house().await;
    let record = provider::wechat().with_scope(&["snsapi_login", "snsapi_runtime_pcsdk"]);
    let client = house.client_of(&record, DEFAULT_APPID, DEFAULT_SECRET);
    assert!(client.begin(BACK).unwrap().url.contains("&scope=snsapi_login%2Csnsapi_runtime_pcsdk&"));
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    assert_eq!(
        (tokens.scope, tokens.scope_missing),
        (vec!["snsapi_login".into()], vec!["snsapi_runtime_pcsdk".into()])
    );
}

#[tokio::test]
async fn the_openid_is_in_the_token_answer_and_the_user_call_needs_it() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    let user = house.sent().pop().unwrap();
    assert_eq!(user.names(), ["access_token", "openid", "lang"]);
    assert_eq!(user.in_query("openid"), tokens.subject);
    assert_eq!(user.header("authorization"), None);
}

#[tokio::test]
async fn a_bearer_header_is_not_accepted() {
    let house = house().await;
    let bearer = json!({"user": {
        "parameters": [["openid", "{subject}"]],
        "headers": [["authorization", "Bearer {access_token}"]],
    }});
    let error = house.sign_in_at(&house.client_with(&bearer), "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "41001".to_owned()));
}

#[tokio::test]
async fn auth_says_ok_with_an_errcode_of_zero() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.client.check(&tokens).await.unwrap()["errcode"], 0);
}

#[tokio::test]
async fn refreshing_needs_no_secret_but_the_right_app() {
    let second = App { appid: "wx1111111111111111".to_owned(), ..App::demo() };
    let house = house_with(|config| config.apps.push(second)).await;
    let tokens = house.tokens("xiaoming").await;
    house.sent();
    assert!(house.client.refresh(&tokens).await.is_ok());
    assert_eq!(house.sent()[0].names(), ["appid", "grant_type", "refresh_token"]);
    let other = house.client_of(&provider::wechat(), "wx1111111111111111", DEFAULT_SECRET);
    let error = other.refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "40030".to_owned()));
}

#[tokio::test]
async fn the_token_endpoint_takes_a_form_and_ignores_what_it_does_not_know() {
    let house = house().await;
    let form = house.client_with(&json!({"token": {"method": "post_form", "parameters": [
        ["appid", "{client_id}"], ["secret", "{client_secret}"], ["code", "{code}"],
        ["grant_type", "authorization_code"], ["redirect_uri", "https://another.example/"], ["scope", "{scope}"],
    ]}}));
    assert!(house.sign_in_at(&form, "xiaoming").await.is_ok());
    let basic = house.client_with(&json!({"client_authentication": "client_secret_basic"}));
    assert!(house.sign_in_at(&basic, "xiaoming").await.is_ok());
    assert!(house.sent().iter().any(|sent| sent.header("authorization").is_some_and(|it| it.starts_with("Basic "))));
}

#[tokio::test]
async fn the_redirect_uri_is_not_asked_for_at_the_token_endpoint() {
    let house = house().await;
    house.tokens("xiaoming").await;
    assert_eq!(house.sent()[0].in_query("redirect_uri"), None);
}

#[tokio::test]
async fn a_refreshed_scope_ends_with_a_comma_where_the_switch_says_so() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.switch(json!({"scope_ends_with_comma": true})).await;
    let refreshed = house.client.refresh(&tokens).await.unwrap();
    assert_eq!((refreshed.scope, refreshed.scope_missing), (vec!["snsapi_login".to_owned()], Vec::new()));
}

#[tokio::test]
async fn a_code_challenge_is_ignored() {
    let house = house().await;
    assert!(!house.begin().url.contains("code_challenge"));
    let mut record = provider::wechat().with_authorization_parameter("code_challenge", "anything");
    record.token.parameters.push(("code_verifier".into(), "anything".into()));
    assert!(house.sign_in_at(&house.client_of(&record, DEFAULT_APPID, DEFAULT_SECRET), "zoe").await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_lives_180_days_where_it_is_configured_so() {
    let life = std::time::Duration::from_secs(180 * 86_400);
    let house = house_with(|config| config.refresh_token_lifetime = life).await;
    let tokens = house.tokens("xiaoming").await;
    house.advance(180 * 86_400 - 60).await;
    let tokens = house.client.refresh(&tokens).await.unwrap();
    house.advance(60).await;
    let error = house.client.refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "42002".to_owned()));
}

#[tokio::test]
async fn userinfo_names_the_country_in_the_language_asked_for_and_as_a_code_without() {
    let house = house().await;
    house.switch(json!({"full_profile": true})).await;
    assert_eq!(house.sign_in("zoe").await.unwrap().identity.raw["country"], "中国", "we ask for Chinese");
    let silent = house.client_with(&json!({"user": {"parameters": [
        ["access_token", "{access_token}"], ["openid", "{subject}"],
    ]}}));
    assert_eq!(house.sign_in_at(&silent, "zoe").await.unwrap().identity.raw["country"], "CN");
}

#[tokio::test]
async fn a_website_app_of_no_account_is_told_no_unionid_and_others_are() {
    let house = house().await;
    assert!(house.sign_in("xiaoming").await.unwrap().identity.union_subject.is_some());
    house.switch(json!({"unionid": false})).await;
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!((identity.union_subject, identity.subject.len()), (None, 28));
}

#[tokio::test]
async fn is_snapshotuser_is_the_number_one_and_signs_nobody_in() {
    let house = house().await;
    house.switch(json!({"snapshot_user": true})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "provisional");
    assert_eq!(house.sent().len(), 1, "nobody is asked about");
}

#[tokio::test]
async fn a_state_is_letters_and_digits_and_comes_back_unchanged() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let state = callback.split_once("state=").unwrap().1;
    assert!(begun.url.contains(&format!("&state={state}#wechat_redirect")), "{}", begun.url);
    assert!(state.len() <= 128 && state.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

const AT: [fujie_client::Endpoint; 4] = [Token, Refresh, Check, User];

/// At the token and refresh endpoints no access token was sent: what is said of one there is about something else.
const OF_ACCESS_TOKEN: &[&str] =
    &["credentials_refused", "refresh_token_refused", "access_token_refused", "access_token_refused"];
const OF_CODE: &[&str] = &["code_refused", "refresh_token_refused", "code_refused", "code_refused"];

const CODES: &[Row] = &[
    ("-1", "system error", &["busy"]),
    ("40001", "invalid credential", OF_ACCESS_TOKEN),
    ("40002", "invalid grant_type", &["request_refused"]),
    ("40003", "invalid openid", OF_ACCESS_TOKEN),
    ("40013", "invalid appid", &["credentials_refused"]),
    ("40014", "invalid access_token", OF_ACCESS_TOKEN),
    ("40029", "invalid code", OF_CODE),
    ("40030", "invalid refresh_token", &["refresh_token_refused"]),
    ("40066", "invalid url", &["request_refused"]),
    ("40125", "invalid appsecret", &["credentials_refused"]),
    ("40163", "code been used", &["code_used", "refresh_token_refused", "code_used", "code_used"]),
    ("40226", "code blocked", &["account_restricted"]),
    ("40243", "appsecret frozen", &["credentials_refused"]),
    ("41001", "access_token missing", &["request_refused"]),
    ("41002", "appid missing", &["request_refused"]),
    ("41003", "refresh_token missing", &["request_refused"]),
    ("41004", "appsecret missing", &["request_refused"]),
    ("41008", "missing code", &["request_refused"]),
    ("41009", "missing openid", &["request_refused"]),
    ("42001", "access_token expired", OF_ACCESS_TOKEN),
    ("42002", "refresh_token expired", &["refresh_token_refused"]),
    ("42003", "code expired", OF_CODE),
    ("42007", "user changed password", &["refresh_token_refused"]),
    ("43001", "require GET method", &["request_refused"]),
    ("43002", "require POST method", &["request_refused"]),
    ("43003", "require https", &["request_refused"]),
    ("45009", "reach max api daily quota limit", &["rate_limited"]),
    ("45011", "api minute-quota reach limit", &["rate_limited"]),
    ("48001", "api unauthorized", &["not_permitted"]),
    ("48004", "api forbidden for irregularities", &["not_permitted"]),
    ("50001", "user unauthorized", &["not_permitted"]),
    ("50002", "user limited", &["account_restricted"]),
];

#[tokio::test]
async fn every_known_errcode_ends_in_its_cause_at_every_endpoint() {
    fault::codes(&house().await, &AT, CODES).await;
}

#[tokio::test]
async fn an_errcode_that_nobody_knows_is_a_refusal_with_its_number() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.order(User, &json!({"kind": "error", "error": 99999, "description": "something new"})).await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refused", "99999".to_owned()));
}

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    fault::faults(&house().await, &AT, &["rate_limited"]).await;
}

#[tokio::test]
async fn a_question_that_fails_in_passing_is_asked_once_more_and_the_exchange_never() {
    let house = house().await;
    for fault in [json!({"kind": "cut", "bytes": 3}), json!({"kind": "status", "status": 503})] {
        let mut once = fault.clone();
        once["at"] = "/sns/userinfo".into();
        house.control("faults", &once).await;
        assert!(house.sign_in("xiaoming").await.is_ok(), "{fault}");
        assert_eq!(house.sent().len(), 3, "{fault}");
        once["at"] = "/sns/oauth2/access_token".into();
        house.control("faults", &once).await;
        assert!(house.sign_in("xiaoming").await.is_err(), "{fault}");
        assert_eq!(house.sent().len(), 1, "{fault}");
    }
}
