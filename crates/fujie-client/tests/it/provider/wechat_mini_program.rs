//! WeChat's mini-programs: no page, a code from the phone, a session key in the token's place.

use fujie_client::{Endpoint, ProviderError, SignedIn, provider};
use fujie_simulator::wechat::{App, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_SECRET, Wechat, WechatConfig};
use serde_json::{Value, json};

use super::fault::{self, Row};
use super::house::{BACK, House};
use super::wechat::refused;

async fn house() -> House {
    house_with(|_| ()).await
}

async fn house_with(change: impl FnOnce(&mut WechatConfig)) -> House {
    let mut config = WechatConfig::default();
    change(&mut config);
    let wechat = Wechat::start("127.0.0.1:0", config).await.unwrap();
    House::new(wechat, &provider::wechat_mini_program(), DEFAULT_MINI_PROGRAM_APPID, DEFAULT_SECRET)
}

/// What `wx.login` gives.
async fn js_code(house: &House, person: &str) -> String {
    let answer = house.control("js-codes", &json!({"appid": DEFAULT_MINI_PROGRAM_APPID, "person": person})).await;
    answer["js_code"].as_str().unwrap().to_owned()
}

async fn redeem(house: &House, js_code: &str) -> Result<SignedIn, ProviderError> {
    house.client.redeem(house.client.registration().read_code(js_code).unwrap()).await
}

#[tokio::test]
async fn jscode2session_answers_a_session_key_and_an_openid_and_no_errcode() {
    let house = house().await;
    let signed_in = redeem(&house, &js_code(&house, "xiaoming").await).await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("wechat", DEFAULT_MINI_PROGRAM_APPID));
    assert_eq!((identity.subject.len(), identity.nickname, identity.union_subject), (28, None, None));
    assert_eq!(identity.raw, json!({}), "nobody described the person, and no session key is in it");
    assert_eq!(tokens.access_token.expose().len(), 24, "the session key stands in the token's place");
    assert!(!tokens.access_token.expose().contains('\\'));
    assert_eq!((tokens.expires_at, tokens.scope.len(), tokens.refresh_token.is_none()), (None, 0, true));
    let exchange = house.sent().remove(0);
    assert_eq!(exchange.names(), ["appid", "secret", "js_code", "grant_type"]);
}

#[tokio::test]
async fn a_mini_program_has_no_page_and_no_other_endpoint() {
    let house = house().await;
    assert_eq!(house.name_of(house.client.begin(BACK)), "not_offered");
    let tokens = redeem(&house, &js_code(&house, "xiaoming").await).await.unwrap().tokens;
    assert_eq!(house.name_of(house.client.user(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.refresh(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.check(&tokens).await), "not_offered");
    assert_eq!(house.name_of(house.client.revoke(&tokens).await), "not_offered");
}

#[tokio::test]
async fn a_js_code_is_used_once_and_dies_after_five_minutes() {
    let house = house().await;
    let code = js_code(&house, "xiaoming").await;
    assert!(redeem(&house, &code).await.is_ok());
    let error = redeem(&house, &code).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_used", "40163".to_owned()));
    let code = js_code(&house, "xiaoming").await;
    house.advance(300).await;
    let error = redeem(&house, &code).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
}

#[tokio::test]
async fn jscode2session_reads_the_query_alone_so_a_posted_form_is_appid_missing() {
    let house = house().await;
    let form = house.client_with(&json!({"token": {"method": "post_form"}}));
    let callback = form.registration().read_code(&js_code(&house, "xiaoming").await).unwrap();
    let error = form.redeem(callback).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "41002".to_owned()));
}

#[tokio::test]
async fn a_js_code_becomes_no_token_and_a_websites_code_no_session() {
    let house = house().await;
    let website = house.client_of(&provider::wechat(), DEFAULT_APPID, DEFAULT_SECRET);
    let callback = house.agree(&website.begin(BACK).unwrap(), "xiaoming").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    let error = redeem(&house, code).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
    let code = js_code(&house, "xiaoming").await;
    let error = website.redeem(website.registration().read_code(&code).unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
}

#[tokio::test]
async fn a_mini_program_bound_to_an_account_is_told_the_unionid() {
    let bound = App { open_platform_account: "demo".to_owned(), ..App::demo_mini_program() };
    let house = house_with(|config| config.apps = vec![App::demo(), bound]).await;
    let inside = redeem(&house, &js_code(&house, "zoe").await).await.unwrap().identity;
    let website = house.client_of(&provider::wechat(), DEFAULT_APPID, DEFAULT_SECRET);
    let outside = house.sign_in_at(&website, "zoe").await.unwrap().identity;
    assert!(inside.union_subject.is_some() && inside.union_subject == outside.union_subject);
}

#[tokio::test]
async fn the_documented_sample_with_an_errcode_of_zero_is_a_success_too() {
    let house = house().await;
    let answer: Value =
        json!({"openid": "oFromTheDocumentation", "session_key": "tiihtNczf5v6AKRyjwEUhQ==", "errcode": 0});
    house.order(Endpoint::Token, &json!({"kind": "status", "status": 200, "body": answer.to_string()})).await;
    assert_eq!(redeem(&house, "c0de").await.unwrap().identity.subject, "oFromTheDocumentation");
}

const CODES: &[Row] = &[
    ("-1", "system error", &["busy"]),
    ("40013", "invalid appid", &["credentials_refused"]),
    ("40029", "invalid code", &["code_refused"]),
    ("40125", "invalid appsecret", &["credentials_refused"]),
    ("40163", "code been used", &["code_used"]),
    ("40226", "code blocked", &["account_restricted"]),
    ("41002", "appid missing", &["request_refused"]),
    ("41004", "appsecret missing", &["request_refused"]),
    ("41008", "missing code", &["request_refused"]),
    ("45011", "api minute-quota reach limit", &["rate_limited"]),
];

#[tokio::test]
async fn every_errcode_of_jscode2session_ends_in_its_cause() {
    let house = house().await;
    let tokens = redeem(&house, &js_code(&house, "xiaoming").await).await.unwrap().tokens;
    fault::codes_with(&house, &tokens, &[Endpoint::Token], CODES).await;
}

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    let house = house().await;
    let tokens = redeem(&house, &js_code(&house, "xiaoming").await).await.unwrap().tokens;
    fault::faults_with(&house, &tokens, &[Endpoint::Token], &["rate_limited"]).await;
}
