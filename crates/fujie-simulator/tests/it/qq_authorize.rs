//! `/oauth2.0/authorize` and `/oauth2.0/show`: redirects, pages, and what refusing does.

use crate::http;
use crate::qq_story::{House, OTHER_CLIENT_ID, between, house};
use fujie_simulator::qq::DEFAULT_CLIENT_ID;
use serde_json::Value;

const APP: &str = "response_type=code&client_id=101000001&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fback";

/// A simulator where nobody agrees by itself.
async fn waiting_house() -> House {
    let house = house().await;
    house.switches(r#"{"auto_confirm":null}"#).await;
    house
}

/// Opens the sign-in page; presses a button; where the browser goes, if anywhere.
async fn press(house: &House, query: &str, decision: &str) -> Option<String> {
    let page = house.get(&format!("/oauth2.0/show?which=Login&display=pc&{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let action = between(page.text(), "action=\"", "\"").to_owned();
    let answer = http::post_form(house.base(), &action, &format!("decision={decision}&person=lihua")).await;
    answer.header("location").map(str::to_owned)
}

#[tokio::test]
async fn qq_authorize_redirects_to_the_visible_login_page_with_the_original_query() {
    let house = waiting_house().await;
    let answer = house.get(&format!("/oauth2.0/authorize?{APP}&state=a%26b&scope=get_user_info")).await;
    let expected = format!("/oauth2.0/show?which=Login&display=pc&{APP}&state=a%26b&scope=get_user_info");
    assert_eq!((answer.status, answer.header("location")), (302, Some(expected.as_str())));
    let page = house.get(&expected).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("演示网站") && page.text().contains("李华"));
}

#[tokio::test]
async fn qq_agreeing_on_the_page_sends_code_and_state() {
    let house = waiting_house().await;
    let address = press(&house, &format!("{APP}&state=a%26b%20c"), "agree").await.unwrap();
    let code = between(&address, "http://127.0.0.1:8080/back?code=", "&");
    assert_eq!(address, format!("http://127.0.0.1:8080/back?code={code}&state=a%26b%20c"));
    assert!(house.redeem(code, "").await.text().starts_with("access_token="));
    let without = press(&house, APP, "agree").await.unwrap();
    assert!(!without.contains("state"), "{without}");
}

#[tokio::test]
async fn qq_implicit_answer_stands_behind_a_question_mark_and_a_hash() {
    let house = waiting_house().await;
    let query = APP.replace("response_type=code", "response_type=token");
    let address = press(&house, &format!("{query}&state=s"), "agree").await.unwrap();
    let token = between(&address, "access_token=", "&");
    let expected = format!("http://127.0.0.1:8080/back?#access_token={token}&expires_in=7776000&state=s");
    assert_eq!(address, expected);
    house.openid(token).await;
}

#[tokio::test]
async fn qq_cancel_on_a_pc_closes_the_window_and_redirects_nowhere() {
    let house = waiting_house().await;
    assert_eq!(press(&house, &format!("{APP}&state=s"), "refuse").await, None);
    let listed = house.get("/_simulate/sign-ins").await.json();
    assert_eq!((&listed[0]["status"], &listed[0]["redirect_url"]), (&"refused".into(), &Value::Null));
}

#[tokio::test]
async fn qq_cancel_on_a_mobile_page_says_usercancel() {
    let house = waiting_house().await;
    let told = "http://127.0.0.1:8080/back?usercancel=1&state=s";
    let mobile = format!("{APP}&state=s&g_ut=2");
    assert_eq!(press(&house, &mobile, "refuse").await.as_deref(), Some(told));
    let implicit = mobile.replace("response_type=code", "response_type=token");
    let told_implicitly = "http://127.0.0.1:8080/back?#usercancel=1&state=s";
    assert_eq!(press(&house, &implicit, "refuse").await.as_deref(), Some(told_implicitly));
}

#[tokio::test]
async fn qq_cancel_is_a_switch() {
    let house = waiting_house().await;
    house.switches(r#"{"cancel":"redirects"}"#).await;
    let told = "http://127.0.0.1:8080/back?usercancel=1";
    assert_eq!(press(&house, APP, "refuse").await.as_deref(), Some(told));
    house.switches(r#"{"cancel":"closes"}"#).await;
    assert_eq!(press(&house, &format!("{APP}&g_ut=1"), "refuse").await, None);
}

#[tokio::test]
async fn qq_mobile_display_is_the_one_in_the_original_query() {
    let house = waiting_house().await;
    let start = house.get(&format!("/oauth2.0/authorize?{APP}&state=s&display=mobile")).await;
    let page = house.get(start.header("location").unwrap()).await;
    let action = between(page.text(), "action=\"", "\"").to_owned();
    let answer = http::post_form(house.base(), &action, "decision=refuse").await;
    assert_eq!(answer.header("location"), Some("http://127.0.0.1:8080/back?usercancel=1&state=s"));
}

#[tokio::test]
async fn qq_authorize_errors_go_to_an_error_page_and_never_to_the_application() {
    let house = house().await;
    let cases = [
        ("response_type=code&redirect_uri=http://127.0.0.1/", 100_001, "param client_id is wrong or lost (100001)"),
        ("client_id=999999999", 100_008, "(100008)"),
        ("client_id=101000001&redirect_uri=http://127.0.0.1/", 100_000, "(100000)"),
        (
            "which=Login&response_type=code&client_id=101000001&redirect_uri=http://evil.test/",
            100_010,
            "redirect uri is illegal(100010)",
        ),
    ];
    for (query, number, text) in cases {
        let answer = house.get(&format!("/oauth2.0/authorize?{query}")).await;
        let expected = format!("/oauth2.0/show?which=error&display=pc&error={number}&{query}");
        assert_eq!((answer.status, answer.header("location")), (302, Some(expected.as_str())));
        let page = house.get(&expected).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(text), "{text}");
        let direct = house.get(&format!("/oauth2.0/show?which=Login&{query}")).await;
        assert_eq!(direct.status, 302, "{query}");
    }
    assert!(house.get("/oauth2.0/show").await.text().contains("(100028)"));
}

#[tokio::test]
async fn qq_redirect_uri_is_compared_by_scheme_host_and_path_and_its_query_is_free() {
    let house = house().await;
    let ask = async |uri: &str| {
        let path = format!("/oauth2.0/authorize?response_type=code&client_id={OTHER_CLIENT_ID}&redirect_uri={uri}");
        house.get(&path).await.header("location").unwrap().to_owned()
    };
    assert!(ask("https://app.example.com/back").await.starts_with("https://app.example.com/back?code="));
    assert!(ask("https://app.example.com/back?a=1").await.starts_with("https://app.example.com/back?a=1&code="));
    assert!(ask("http://m.example.com/in").await.starts_with("http://m.example.com/in?code="));
    for uri in [
        "http://app.example.com/back",
        "https://app.example.com/back/",
        "https://app.example.com/",
        "https://app.example.com:8443/back",
        "https://app.example.com.evil.test/back",
        "https://app.example.com/back%23x",
    ] {
        assert!(ask(uri).await.starts_with("/oauth2.0/show?which=error&display=pc&error=100010&"), "{uri}");
    }
    house.switches(r#"{"callback_rule":"host"}"#).await;
    assert!(ask("http://app.example.com:81/any").await.starts_with("http://app.example.com:81/any?code="));
}

#[tokio::test]
async fn qq_console_refuses_ports_and_localhost() {
    let house = house().await;
    let app = |callback: &str| {
        format!("{{\"client_id\":\"101000009\",\"secret\":\"x\",\"name\":\"x\",\"callback\":\"{callback}\"}}")
    };
    for callback in ["http://localhost/", "https://a.example:8443/", "a.example", "https://a.example/#x"] {
        assert_eq!(house.control("apps", &app(callback)).await.status, 400, "{callback}");
    }
    assert_eq!(house.control("apps", &app("https://a.example/;http://b.example/x")).await.status, 201);
}

#[tokio::test]
async fn qq_app_that_is_not_online_is_100011() {
    let house = house().await;
    let app = format!(
        "{{\"client_id\":\"{DEFAULT_CLIENT_ID}\",\"secret\":\"x\",\"name\":\"x\",\"callback\":\"*loopback*\",\
         \"is_online\":false}}"
    );
    house.control("apps", &app).await;
    let answer = house.authorize("").await;
    assert!(answer.header("location").unwrap().contains("which=error&display=pc&error=100011&"));
}

#[tokio::test]
async fn qq_authorize_can_be_ordered_to_fail() {
    let house = house().await;
    house.control("faults", r#"{"at":"/oauth2.0/authorize","kind":"error","error":100046}"#).await;
    let answer = house.authorize("").await;
    assert!(answer.header("location").unwrap().starts_with("/oauth2.0/show?which=error&display=pc&error=100046&"));
    let unknown = house.control("faults", r#"{"at":"/oauth2.0/me","kind":"error","error":123456}"#).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn qq_control_tells_what_there_is() {
    let house = house().await;
    let index = house.get("/_simulate").await.json();
    assert_eq!((index["provider"].as_str(), index["base_url"].as_str()), (Some("qq"), Some(house.base())));
    assert_eq!(index["apps"][0]["client_id"], DEFAULT_CLIENT_ID);
    assert_eq!(index["apps"][1]["callback"], "https://app.example.com/back;http://m.example.com/in");
    assert_eq!(index["switches"]["content_type"], "html");
    house.control("faults", r#"{"at":"/user/get_user_info","kind":"rate_limit"}"#).await;
    assert_eq!(house.user_info("x", "x", "").await.json()["ret"], -6);
}
