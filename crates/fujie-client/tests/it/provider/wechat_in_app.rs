//! WeChat's sign-in inside the app, for official accounts: the page that asks, or none, and what each scope opens.

use fujie_client::Endpoint::{Check, Refresh, Token, User};
use fujie_client::provider;
use fujie_simulator::wechat::{DEFAULT_OFFICIAL_ACCOUNT_APPID, DEFAULT_SECRET, Wechat, WechatConfig};
use serde_json::json;

use super::browser;
use super::fault::{self, Row};
use super::house::{BACK, House, after, cookie};
use super::story::stories;
use super::wechat::refused;

pub async fn house() -> House {
    let wechat = Wechat::start("127.0.0.1:0", WechatConfig::default()).await.unwrap();
    House::new(wechat, &provider::wechat_in_app(), DEFAULT_OFFICIAL_ACCOUNT_APPID, DEFAULT_SECRET)
}

stories!(super::wechat_in_app::house, "code_used", Some(7200));

#[tokio::test]
async fn snsapi_userinfo_asks_on_a_page_and_opens_the_profile() {
    let house = house().await;
    let signed_in = house.sign_in("lihua").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("wechat", DEFAULT_OFFICIAL_ACCOUNT_APPID));
    assert_eq!((identity.nickname.as_deref(), identity.subject.len()), (Some("李华"), 28));
    assert!(identity.union_subject.is_some() && identity.avatar_url.is_some());
    assert_eq!((tokens.scope, tokens.expires_at), (vec!["snsapi_userinfo".to_owned()], after(7200)));
}

#[tokio::test]
async fn snsapi_base_redirects_silently_and_tells_the_openid_alone() {
    let house = house().await;
    house.switch(json!({"auto_confirm": "lihua"})).await;
    let asked = house.sign_in("lihua").await.unwrap().identity;
    house.switch(json!({"auto_confirm": null})).await;
    let base = house.client_with(&json!({"scope": ["snsapi_base"], "user": null}));
    let begun = base.begin(BACK).unwrap();
    let callback = house.follow(&begun.url).await.err().unwrap();
    house.sent();
    let identity = base.finish(&callback, &cookie(&begun)).await.unwrap().identity;
    assert_eq!(house.sent().len(), 1, "nobody is asked about");
    assert_eq!((identity.nickname, identity.avatar_url, identity.union_subject), (None, None, None));
    assert_eq!(identity.subject.len(), asked.subject.len());
}

#[tokio::test]
async fn userinfo_with_snsapi_base_is_48001() {
    let house = house().await;
    let base = house.client_with(&json!({"scope": ["snsapi_base"]}));
    let error = house.sign_in_at(&base, "lihua").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "48001".to_owned()));
}

#[tokio::test]
async fn parameters_are_in_the_order_that_the_page_insists_on() {
    let house = house().await;
    let url = house.begin().url;
    let (_, query) = url.split_once('?').unwrap();
    let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(names, ["appid", "redirect_uri", "response_type", "scope", "state"]);
    assert!(url.ends_with("#wechat_redirect"));
    // The neighbouring order is refused, so the one above was needed.
    let other = house.client_with(&json!({"authorization_parameters": [
        ["appid", "{client_id}"], ["redirect_uri", "{redirect_uri}"], ["scope", "{scope}"],
        ["response_type", "{response_type}"], ["state", "{state}"],
    ]}));
    let page = house.follow(&other.begin(BACK).unwrap().url).await.unwrap();
    assert!(page.text.contains("Scope 参数错误或没有 Scope 权限"), "{}", page.text);
}

#[tokio::test]
async fn extras_behind_the_state_are_accepted() {
    let house = house().await;
    let record = provider::wechat_in_app().with_authorization_parameter("forcePopup", "true");
    let client = house.client_of(&record, DEFAULT_OFFICIAL_ACCOUNT_APPID, DEFAULT_SECRET);
    assert!(client.begin(BACK).unwrap().url.ends_with("&forcePopup=true#wechat_redirect"));
    assert!(house.sign_in_at(&client, "xiaoming").await.is_ok());
}

#[tokio::test]
async fn both_scopes_joined_by_a_comma_come_back_as_they_were_sent() {
    let house = house().await;
    let both = house.client_with(&json!({"scope": ["snsapi_base", "snsapi_userinfo"]}));
    let tokens = house.sign_in_at(&both, "xiaoming").await.unwrap().tokens;
    assert_eq!((tokens.scope, tokens.scope_missing.len()), (vec!["snsapi_base".into(), "snsapi_userinfo".into()], 0));
}

#[tokio::test]
async fn a_refusal_in_app_goes_nowhere_today_and_back_with_the_state_alone_in_former_days() {
    let house = house().await;
    assert_eq!(house.decide(&house.begin().url, "refuse", "").await, None);
    house.switch(json!({"denial_redirects": true})).await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn page_errors_carry_their_number_and_never_redirect() {
    let house = house().await;
    for number in [10003, 10004, 10005, 10006, 10009, 10010, 10011, 10012, 10013, 10015, 10016] {
        let fault = json!({"at": "/connect/oauth2/authorize", "kind": "error", "error": number});
        house.control("faults", &fault).await;
        let page = house.follow(&house.begin().url).await.unwrap();
        assert_eq!(page.status, 200);
        assert!(page.text.contains(&number.to_string()), "{number}");
    }
}

#[tokio::test]
async fn a_website_appid_is_not_supported_inside_the_app() {
    let house = house().await;
    let website = house.client_of(&provider::wechat_in_app(), "wx0123456789abcdef", DEFAULT_SECRET);
    let page = house.follow(&website.begin(BACK).unwrap().url).await.unwrap();
    assert!(page.text.contains("10016"), "{}", page.text);
}

#[tokio::test]
async fn an_in_app_code_dies_after_five_minutes_and_works_once() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.advance(300).await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
}

#[tokio::test]
async fn is_snapshotuser_is_the_number_one_and_comes_with_somebody_elses_openid_and_profile() {
    let house = house().await;
    let real = house.tokens("xiaoming").await;
    house.switch(json!({"snapshot_user": true})).await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "provisional");
    assert!(house.client.user(&real).await.is_ok(), "the person's own tokens are as they were");
}

#[tokio::test]
async fn unionid_is_one_across_the_apps_of_an_account_and_told_with_snsapi_userinfo_alone() {
    let house = house().await;
    let inside = house.sign_in("zoe").await.unwrap().identity;
    let website = house.client_of(&provider::wechat(), "wx0123456789abcdef", DEFAULT_SECRET);
    let outside = house.sign_in_at(&website, "zoe").await.unwrap().identity;
    assert_eq!(inside.union_subject, outside.union_subject);
    assert_ne!((inside.app, inside.subject), (outside.app, outside.subject));
}

#[tokio::test]
async fn the_callback_keeps_its_query_but_a_parameter_named_open_id_is_lost() {
    let house = house().await;
    let begun = house.client.begin(&format!("{BACK}?next=%2Fcart&openId=1")).unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(callback.starts_with(&format!("{BACK}?next=%2Fcart&code=")), "{callback}");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn other_browsers_are_sent_to_wechat_only_where_the_switch_says_so() {
    let house = house().await;
    house.switch(json!({"only_in_wechat": true})).await;
    let begun = house.begin();
    let page = house.follow(&begun.url).await.unwrap();
    assert!(page.text.contains("请在微信客户端打开链接"), "{}", page.text);
    let inside = browser::send("GET", &begun.url, "User-Agent: MicroMessenger/8.0\r\n", "").await;
    assert!(!inside.text.contains("请在微信客户端打开链接"));
}

#[tokio::test]
async fn refresh_and_check_are_those_of_the_website() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.client.check(&tokens).await.unwrap()["errcode"], 0);
    house.advance(7200).await;
    assert_eq!(house.name_of(house.client.check(&tokens).await), "access_token_refused");
    let refreshed = house.client.refresh(&tokens).await.unwrap();
    assert_eq!(refreshed.scope, ["snsapi_userinfo"]);
    assert!(house.client.user(&refreshed).await.is_ok());
    house.advance(30 * 86_400).await;
    let error = house.client.refresh(&refreshed).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "42002".to_owned()));
}

const CODES: &[Row] = &[("40163", "code been used", &["code_used", "refresh_token_refused", "code_used", "code_used"])];

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    let house = house().await;
    fault::codes(&house, &[Token, Refresh, Check, User], CODES).await;
    fault::faults(&house, &[Token, Refresh, Check, User], &["rate_limited"]).await;
}
