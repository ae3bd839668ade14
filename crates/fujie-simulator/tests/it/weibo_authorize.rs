//! `/oauth2/authorize`: the page, the redirects, the denial.

use crate::http;
use crate::weibo_story::{BACK, House, OTHER_BACK, OTHER_CLIENT_ID, between, house};
use fujie_simulator::weibo::DEFAULT_CLIENT_ID;

const APP: &str = "client_id=1000000001&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fback";

/// Opens the sign-in page; presses a button; where the browser goes.
async fn press(house: &House, query: &str, decision: &str) -> String {
    house.switches(r#"{"auto_confirm":null}"#).await;
    let page = house.get(&format!("/oauth2/authorize?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let action = between(page.text(), "action=\"", "\"").to_owned();
    let answer = http::post_form(house.base(), &action, &format!("decision={decision}&person=lihua")).await;
    answer.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn weibo_code_is_32_lowercase_hex_and_response_type_may_be_absent() {
    let house = house().await;
    for query in [APP.to_owned(), format!("{APP}&response_type=code")] {
        let address = press(&house, &format!("{query}&state=a%20b"), "agree").await;
        let code = between(&address, "http://127.0.0.1:8080/back?code=", "&");
        assert_eq!(address, format!("http://127.0.0.1:8080/back?code={code}&state=a%20b"));
        assert!(code.len() == 32 && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(house.redeem(code).await.status, 200);
    }
}

#[tokio::test]
async fn weibo_authorize_takes_get_and_post_and_an_older_path() {
    let house = house().await;
    for answer in [
        house.get(&format!("/oauth2/authorize?{APP}")).await,
        house.post("/oauth2/authorize", APP).await,
        house.get(&format!("/2/oauth2/authorize?{APP}")).await,
    ] {
        assert_eq!(answer.status, 302);
        assert!(answer.header("location").unwrap().starts_with("http://127.0.0.1:8080/back?code="));
    }
}

#[tokio::test]
async fn weibo_implicit_answer_is_in_the_fragment() {
    let house = house().await;
    let address = press(&house, &format!("{APP}&response_type=token&state=s"), "agree").await;
    let (token, uid) = (between(&address, "access_token=", "&"), between(&address, "uid=", "&"));
    let expected = format!("{BACK}#access_token={token}&remind_in=157679999&expires_in=157679999&uid={uid}&state=s");
    assert_eq!(address, expected);
    assert_eq!(house.uid(token).await.to_string(), uid);
}

#[tokio::test]
async fn weibo_denial_puts_error_uri_first_and_carries_a_second_number() {
    let house = house().await;
    let denial = "error_uri=%2Foauth2%2Fauthorize&error=access_denied\
                  &error_description=user%20denied%20your%20request.&error_code=21330";
    assert_eq!(press(&house, APP, "refuse").await, format!("{BACK}?{denial}"));
    assert_eq!(press(&house, &format!("{APP}&state=s"), "refuse").await, format!("{BACK}?{denial}&state=s"));
    let implicit = format!("{APP}&response_type=token");
    assert_eq!(press(&house, &implicit, "refuse").await, format!("{BACK}#{denial}"));
}

#[tokio::test]
async fn weibo_wrong_client_or_callback_is_an_html_page_with_the_number() {
    let house = house().await;
    let cases = [
        ("redirect_uri=http://127.0.0.1/".to_owned(), "21324"),
        ("client_id=1&redirect_uri=http://127.0.0.1/".to_owned(), "21324"),
        (format!("client_id={DEFAULT_CLIENT_ID}"), "21322"),
        (format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri=http://evil.test/"), "21322"),
        (format!("client_id={OTHER_CLIENT_ID}&redirect_uri={OTHER_BACK}?x=1"), "21322"),
    ];
    for (query, number) in cases {
        let answer = house.get(&format!("/oauth2/authorize?{query}")).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{query}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
        assert!(answer.text().contains(number), "{query}");
    }
}

#[tokio::test]
async fn weibo_other_authorize_errors_are_redirected() {
    let house = house().await;
    let answer = house.get(&format!("/oauth2/authorize?{APP}&response_type=id_token&state=s")).await;
    let expected = format!(
        "{BACK}?error_uri=%2Foauth2%2Fauthorize&error=unsupported_response_type\
         &error_description=unsupported_response_type&error_code=21329&state=s"
    );
    assert_eq!((answer.status, answer.header("location")), (302, Some(expected.as_str())));
    house.control("faults", r#"{"at":"/oauth2/authorize","kind":"error","error":21331}"#).await;
    let ordered = house.get(&format!("/oauth2/authorize?{APP}")).await;
    assert!(ordered.header("location").unwrap().contains("&error=temporarily_unavailable&"));
    house.control("faults", r#"{"at":"/oauth2/authorize","kind":"error","error":21322}"#).await;
    let page = house.get(&format!("/oauth2/authorize?{APP}")).await;
    assert!(page.status == 400 && page.text().contains("21322"));
}

#[tokio::test]
async fn weibo_page_is_chinese_unless_english_is_asked_for() {
    let house = house().await;
    house.switches(r#"{"auto_confirm":null}"#).await;
    let lang = async |more: &str| {
        let path = format!("/oauth2/authorize?{APP}&display=mobile&forcelogin=true{more}");
        let page = http::send(house.base(), "GET", &path, &["Accept-Language: en"], "").await;
        between(page.text(), "<html lang=\"", "\"").to_owned()
    };
    assert_eq!((lang("").await, lang("&language=en").await), ("zh-CN".to_owned(), "en".to_owned()));
}

#[tokio::test]
async fn weibo_frame_inside_of_weibo_com_gets_no_code() {
    let house = house().await;
    let answer = house.get(&format!("/oauth2/authorize?{APP}&display=apponweibo")).await;
    let address = answer.header("location").unwrap();
    assert!(!address.contains("code="), "{address}");
    assert!(house.get(address).await.text().contains("parent.location.reload()"));
}
