//! Errors of `api.weixin.qq.com` that depend on a switch, on a method, or on an order.

use crate::http;
use crate::story::{house, house_with, tokens_in};
use std::time::Duration;

const PATHS: [&str; 5] =
    ["/sns/oauth2/access_token", "/sns/oauth2/refresh_token", "/sns/auth", "/sns/userinfo", "/sns/jscode2session"];

#[tokio::test]
async fn a_method_that_is_neither_get_nor_post_is_43001_with_status_200() {
    let house = house().await;
    for path in PATHS {
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer = http::send(house.base(), method, path, &[], "").await;
            assert_eq!((answer.status, answer.errcode()), (200, 43001), "{method} {path}");
        }
        for method in ["GET", "POST"] {
            let errcode = http::send(house.base(), method, path, &[], "").await.errcode();
            assert!(matches!(errcode, 41001 | 41002), "{method} {path} {errcode}");
        }
    }
}

#[tokio::test]
async fn an_expired_code_is_40029_and_42003_where_the_switch_says_so() {
    let house = house().await;
    let (used, unused) = (house.sign_in("zoe").await, house.sign_in("zoe").await);
    house.redeem(&used).await;
    house.advance(600).await;
    assert_eq!(house.redeem(&used).await.errcode(), 40029);
    assert_eq!(house.redeem(&unused).await.errcode(), 40029);
    house.switch("expired_code_is_42003", true).await;
    assert_eq!(house.redeem(&used).await.errcode(), 42003);
    assert_eq!(house.redeem(&unused).await.errcode(), 42003);
    assert_eq!(house.redeem("unknown").await.errcode(), 40029);
}

#[tokio::test]
async fn a_used_code_is_40163_and_was_40029_in_former_days() {
    let house = house().await;
    let code = house.sign_in("zoe").await;
    house.redeem(&code).await;
    assert_eq!(house.redeem(&code).await.errcode(), 40163);
    house.switch("used_code_is_40029", true).await;
    assert_eq!(house.redeem(&code).await.errcode(), 40029);
}

#[tokio::test]
async fn a_refreshed_scope_ends_with_a_comma_where_the_switch_says_so() {
    let house = house().await;
    let (_, refresh_token, _) = house.tokens("zoe").await;
    assert!(house.refresh(&refresh_token).await.text().ends_with("\"scope\":\"snsapi_login\"}"));
    house.switch("scope_ends_with_comma", true).await;
    assert!(house.refresh(&refresh_token).await.text().ends_with("\"scope\":\"snsapi_login,\"}"));
}

#[tokio::test]
async fn a_refresh_token_lives_180_days_where_it_is_configured_so() {
    let house = house_with(|config| config.refresh_token_lifetime = Duration::from_secs(180 * 86_400)).await;
    let (_, refresh_token, _) = house.tokens("zoe").await;
    house.advance(180 * 86_400 - 60).await;
    assert_eq!(house.refresh(&refresh_token).await.errcode(), 0);
    house.advance(60).await;
    assert_eq!(house.refresh(&refresh_token).await.errcode(), 42002);
}

#[tokio::test]
async fn userinfo_names_the_country_in_the_language_asked_for_and_as_a_code_without() {
    let house = house().await;
    house.switch("full_profile", true).await;
    let (access_token, _, openid) = house.tokens("zoe").await;
    for (lang, expected) in [("", "CN"), ("&lang=en", "CN"), ("&lang=zh_CN", "中国"), ("&lang=zh_TW", "中國")] {
        let profile = house.userinfo(&access_token, &format!("{openid}{lang}")).await.json();
        assert_eq!(profile.get("country"), Some(&expected.into()), "{lang}");
    }
}

#[tokio::test]
async fn a_website_app_of_no_account_is_told_no_unionid_and_others_are() {
    let house = house_with(|config| {
        if let Some(app) = config.apps.first_mut() {
            app.open_platform_account = String::new();
        }
    })
    .await;
    let answer = house.redeem(&house.sign_in("zoe").await).await;
    assert!(answer.json().get("unionid").is_none());
    let (access_token, _, openid) = tokens_in(&answer);
    assert!(house.userinfo(&access_token, &openid).await.json().get("unionid").is_none());
}

#[tokio::test]
async fn every_known_errcode_can_be_ordered_at_every_endpoint_and_spends_nothing() {
    let house = house().await;
    let code = house.sign_in("zoe").await;
    let numbers = [
        -1, 40001, 40002, 40003, 40013, 40014, 40029, 40030, 40066, 40125, 40163, 40226, 40243, 41001, 41002, 41003,
        41004, 41008, 41009, 42001, 42002, 42003, 42007, 43001, 43002, 43003, 45009, 45011, 48001, 48004, 50001, 50002,
    ];
    for path in PATHS {
        for number in numbers {
            let fault = format!("{{\"at\":\"{path}\",\"kind\":\"error\",\"error\":{number}}}");
            assert_eq!(house.control("faults", &fault).await.status, 204, "{number} {path}");
            let answer = house.get(&format!("{path}?code={code}")).await;
            assert_eq!((answer.status, answer.errcode()), (200, number), "{path}");
            assert_eq!(answer.header("content-type"), Some("text/plain"));
            assert_ne!(answer.json().get("errmsg").unwrap().as_str().unwrap(), "");
        }
    }
    assert_eq!(house.redeem(&code).await.errcode(), 0);
}

#[tokio::test]
async fn too_many_calls_are_45011_and_jscode2session_words_it_in_its_own_way() {
    let house = house().await;
    house.control("switches", r#"{"errmsg_suffix":"plain"}"#).await;
    for (path, errmsg) in [
        ("/sns/oauth2/access_token", "api minute-quota reach limit, must slower, retry next minute"),
        ("/sns/jscode2session", "api minute-quota reach limit  mustslower  retry next minute"),
    ] {
        for kind in [r#""kind":"rate_limit""#, r#""kind":"error","error":45011"#] {
            house.control("faults", &format!("{{\"at\":\"{path}\",{kind}}}")).await;
            let answer = house.get(path).await;
            assert_eq!(answer.text(), format!("{{\"errcode\":45011,\"errmsg\":\"{errmsg}\"}}"), "{path} {kind}");
        }
    }
}
