//! `/sns/jscode2session`: the sign-in of mini-programs.

use crate::story::{house, house_with};
use fujie_simulator::wechat::{App, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_SECRET};

const SESSION: &str = "/sns/jscode2session";

#[tokio::test]
async fn jscode2session_answers_a_session_key_and_an_openid_and_no_errcode() {
    let house = house().await;
    let js_code = house.js_code("xiaoming").await;
    assert!(js_code.len() == 32 && js_code.starts_with("0f"), "{js_code}");
    let answer = house.jscode2session(&js_code).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["openid", "session_key"]);
    assert!(answer.text().starts_with("{\"session_key\":\""));
    let session_key = json.get("session_key").unwrap().as_str().unwrap();
    assert!(session_key.len() == 24 && session_key.ends_with("=="), "{session_key}");
    let openid = json.get("openid").unwrap().as_str().unwrap();
    assert!(openid.len() == 28 && openid.starts_with('o'));
}

#[tokio::test]
async fn jscode2session_escapes_the_slashes_of_a_session_key() {
    let house = house().await;
    let mut slashes = 0;
    for _ in 0..60 {
        let answer = house.jscode2session(&house.js_code("zoe").await).await;
        assert_eq!(answer.text().matches('/').count(), answer.text().matches("\\/").count());
        slashes += answer.text().matches("\\/").count();
    }
    assert!(slashes > 0);
}

#[tokio::test]
async fn a_js_code_is_used_once_and_dies_after_five_minutes() {
    let house = house().await;
    let (used, fresh, late) = (house.js_code("zoe").await, house.js_code("zoe").await, house.js_code("zoe").await);
    assert_eq!(house.jscode2session(&used).await.errcode(), 0);
    assert_eq!(house.jscode2session(&used).await.errcode(), 40163);
    house.advance(270).await;
    assert_eq!(house.jscode2session(&fresh).await.errcode(), 0);
    house.advance(30).await;
    assert_eq!(house.jscode2session(&late).await.errcode(), 40029);
}

#[tokio::test]
async fn jscode2session_finds_errors_in_the_known_order() {
    let house = house().await;
    let good = format!("appid={DEFAULT_MINI_PROGRAM_APPID}&secret={DEFAULT_SECRET}");
    let cases = [
        ("secret=x&js_code=x".to_owned(), 41002),
        ("appid=wx0000000000000000".to_owned(), 40013),
        (format!("appid={DEFAULT_MINI_PROGRAM_APPID}&js_code=x"), 41004),
        (format!("appid={DEFAULT_MINI_PROGRAM_APPID}&secret=wrong"), 40125),
        (format!("{good}&grant_type=authorization_code&code=x"), 41008),
        (format!("{good}&js_code=x"), 40002),
        (format!("{good}&js_code=x&grant_type=authorization_code"), 40029),
    ];
    for (query, expected) in cases {
        let answer = house.get(&format!("{SESSION}?{query}")).await;
        assert_eq!((answer.status, answer.errcode()), (200, expected), "{query}");
    }
}

#[tokio::test]
async fn jscode2session_reads_the_query_alone_so_a_posted_form_is_appid_missing() {
    let house = house().await;
    let js_code = house.js_code("lihua").await;
    let form = format!(
        "appid={DEFAULT_MINI_PROGRAM_APPID}&secret={DEFAULT_SECRET}&js_code={js_code}&grant_type=authorization_code"
    );
    assert_eq!(house.post_form(SESSION, &form).await.errcode(), 41002);
    assert_eq!(house.post_form(&format!("{SESSION}?{form}"), "").await.errcode(), 0);
}

#[tokio::test]
async fn a_js_code_becomes_no_token_and_a_websites_code_no_session() {
    let house = house().await;
    let js_code = house.js_code("lihua").await;
    let query = format!(
        "appid={DEFAULT_MINI_PROGRAM_APPID}&secret={DEFAULT_SECRET}&code={js_code}&grant_type=authorization_code"
    );
    assert_eq!(house.get(&format!("/sns/oauth2/access_token?{query}")).await.errcode(), 40029);
    assert_eq!(house.jscode2session(&js_code).await.errcode(), 0);
    let code = house.sign_in("lihua").await;
    let query = format!("appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}&js_code={code}&grant_type=authorization_code");
    assert_eq!(house.get(&format!("{SESSION}?{query}")).await.errcode(), 40029);
    assert_eq!(house.redeem(&code).await.errcode(), 0);
}

#[tokio::test]
async fn a_mini_program_bound_to_an_account_is_told_the_unionid() {
    let house = house_with(|config| {
        config.apps.retain(|app| app.appid != DEFAULT_MINI_PROGRAM_APPID);
        config.apps.push(App { open_platform_account: "demo".to_owned(), ..App::demo_mini_program() });
    })
    .await;
    let session = house.jscode2session(&house.js_code("zoe").await).await.json();
    let website = house.redeem(&house.sign_in("zoe").await).await.json();
    assert_eq!(session.get("unionid"), website.get("unionid"));
    assert!(session.get("unionid").is_some() && session.get("openid") != website.get("openid"));
}

#[tokio::test]
async fn js_codes_are_for_mini_programs_and_known_people() {
    let house = house().await;
    let cases = [
        (format!("{{\"appid\":\"{DEFAULT_APPID}\"}}"), 400),
        ("{\"appid\":\"wx0000000000000000\"}".to_owned(), 400),
        (format!("{{\"appid\":\"{DEFAULT_MINI_PROGRAM_APPID}\",\"person\":\"nobody\"}}"), 400),
        ("{}".to_owned(), 400),
        (format!("{{\"appid\":\"{DEFAULT_MINI_PROGRAM_APPID}\"}}"), 201),
    ];
    for (body, expected) in cases {
        assert_eq!(house.control("js-codes", &body).await.status, expected, "{body}");
    }
}

#[tokio::test]
async fn a_mini_program_has_no_qr_page() {
    let house = house().await;
    let query = crate::story::page_query("s").replace(DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID);
    let page = house.get(&format!("/connect/qrconnect?{query}")).await;
    assert!(page.text().contains("Scope 参数错误或没有 Scope 权限"));
}
