//! `/oauth2.0/me` and `/user/get_user_info`.

use crate::http;
use crate::qq_story::{OTHER_CLIENT_ID, between, error, field, house, house_with, jsonp};
use fujie_simulator::qq::{App, Callback, DEFAULT_CLIENT_ID, DEFAULT_SECRET};

#[tokio::test]
async fn qq_me_is_exactly_callback_space_json() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let answer = house.me(&access_token, "").await;
    let openid = between(answer.text(), "\"openid\":\"", "\"");
    let expected = format!("callback( {{\"client_id\":\"{DEFAULT_CLIENT_ID}\",\"openid\":\"{openid}\"}} );\n");
    assert_eq!((answer.status, answer.text()), (200, expected.as_str()));
    assert!(openid.len() == 32 && openid == openid.to_uppercase());
    house.switches(r#"{"jsonp_newline":false}"#).await;
    assert_eq!(house.me(&access_token, "").await.text(), expected.trim_end());
}

#[tokio::test]
async fn qq_me_adds_the_unionid_and_is_bare_json_on_request() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let json = house.me(&access_token, "&unionid=1&fmt=json").await;
    let unionid = between(json.text(), "\"unionid\":\"", "\"");
    let expected = format!(
        "{{\"client_id\":\"{DEFAULT_CLIENT_ID}\",\"openid\":\"{}\",\"unionid\":\"{unionid}\"}}",
        house.openid(&access_token).await
    );
    assert_eq!(json.text(), expected);
    assert!(unionid.len() == 36 && unionid.starts_with("UID_"));
    assert_eq!(jsonp(&house.me(&access_token, "&unionid=1").await)["unionid"], unionid);
    assert!(!house.me(&access_token, "&unionid=0").await.text().contains("unionid"));
}

#[tokio::test]
async fn qq_unionid_is_one_for_all_apps_of_a_developer_and_the_openid_is_not() {
    let sibling = App { client_id: "101000003".to_owned(), callback: Callback::Loopback, ..App::demo() };
    let house = house_with(|config| config.apps.push(sibling)).await;
    let (access_token, _) = house.tokens().await;
    let first = house.me(&access_token, "&unionid=1&fmt=json").await.json();
    let answer = house
        .get("/oauth2.0/authorize?response_type=token&client_id=101000003&redirect_uri=http%3A%2F%2Flocalhost%2F")
        .await;
    let token = between(answer.header("location").unwrap(), "access_token=", "&");
    let second = house.me(token, "&unionid=1&fmt=json").await.json();
    assert_eq!(second["client_id"], "101000003");
    assert_eq!(first["unionid"], second["unionid"]);
    assert_ne!(first["openid"], second["openid"]);
}

#[tokio::test]
async fn qq_unionid_without_the_right_is_100048() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    house.switches(r#"{"unionid":false}"#).await;
    let answer = house.me(&access_token, "&unionid=1").await;
    assert_eq!(answer.text(), "callback( {\"error\":100048,\"error_description\":\"companyid not set\"} );\n");
    house.openid(&access_token).await;
}

#[tokio::test]
async fn qq_me_takes_the_token_from_the_query_and_ignores_a_bearer_header() {
    let house = house().await;
    let (access_token, refresh_token) = house.tokens().await;
    let with = async |path: &str| {
        let header = format!("Authorization: Bearer {access_token}");
        http::send(house.base(), "GET", path, &[&header], "").await
    };
    let both = with(&format!("/oauth2.0/me?access_token={access_token}")).await;
    assert!(jsonp(&both).get("openid").is_some());
    let alone = with("/oauth2.0/me").await;
    assert_eq!(jsonp(&alone)["error_description"], "param access token is wrong or lost ");
    assert_eq!(error(&alone), 100_007);
    assert_eq!(error(&house.me("junk", "").await), 100_013);
    assert_eq!(error(&house.me(&refresh_token, "").await), 100_013);
}

#[tokio::test]
async fn qq_user_info_is_written_by_hand_with_its_own_spaces_and_escapes() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let openid = house.openid(&access_token).await;
    let answer = house.user_info(&access_token, &openid, "").await;
    let body = answer.text();
    let start = "{\n    \"ret\": 0,\n    \"msg\": \"\",\n    \"is_lost\":0,\n    \"nickname\": \"小明🌟\",\n    \
                 \"gender\": \"男\",\n    \"gender_type\": 2,\n    \"province\": \"\",\n";
    assert!(body.starts_with(start), "{body}");
    assert!(body.contains("\"figureurl\": \"http:\\/\\/127.0.0.1"));
    assert!(body.contains("\"figureurl_qq_1\": \"http://127.0.0.1"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let json = answer.json();
    for name in ["year", "figureurl_type", "is_yellow_vip", "vip", "yellow_vip_level", "level", "is_yellow_year_vip"] {
        assert!(json[name].is_string(), "{name}");
    }
    assert!(json.get("openid").is_none());
}

#[tokio::test]
async fn qq_user_info_names_pictures_that_exist() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let json = house.user_info(&access_token, &house.openid(&access_token).await, "").await.json();
    for name in ["figureurl", "figureurl_1", "figureurl_2", "figureurl_qq_1", "figureurl_qq_2", "figureurl_qq"] {
        let path = json[name].as_str().unwrap().strip_prefix(house.base()).unwrap();
        let picture = house.get(path).await;
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")), "{path}");
    }
}

#[tokio::test]
async fn qq_user_info_tells_errors_as_ret_and_msg() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let openid = house.openid(&access_token).await;
    let path = "/user/get_user_info?";
    let app = format!("oauth_consumer_key={DEFAULT_CLIENT_ID}");
    let invalid = r#"{"ret":-1,"msg":"client request's parameters are invalid"}"#;
    let cases = [
        (app.clone(), r#"{"ret":1002,"msg":"请先登录"}"#),
        (format!("access_token={access_token}&appid={DEFAULT_CLIENT_ID}&openid={openid}"), invalid),
        (format!("access_token={access_token}&oauth_consumer_key={OTHER_CLIENT_ID}&openid={openid}"), invalid),
        (
            format!("access_token={access_token}&{app}&openid=ABC"),
            r#"{"ret":-1,"msg":"client request's parameters are invalid, invalid openid"}"#,
        ),
        (format!("access_token=junk&{app}&openid={openid}"), r#"{"ret":100013,"msg":"access token is illegal"}"#),
    ];
    for (query, expected) in cases {
        let answer = house.get(&format!("{path}{query}")).await;
        assert_eq!((answer.status, answer.text()), (200, expected), "{query}");
    }
    house.advance(7_776_000).await;
    assert_eq!(house.user_info(&access_token, &openid, "").await.json()["ret"], 100_014);
}

#[tokio::test]
async fn qq_me_tells_whose_token_it_is_and_another_apps_is_refused() {
    let sibling = App { client_id: "101000003".to_owned(), callback: Callback::Loopback, ..App::demo() };
    let house = house_with(|config| config.apps.push(sibling)).await;
    let (access_token, _) = house.tokens().await;
    let told = jsonp(&house.me(&access_token, "").await);
    assert_eq!(told["client_id"], DEFAULT_CLIENT_ID, "a client compares it with its own");
    let openid = house.openid(&access_token).await;
    let path = format!("/user/get_user_info?access_token={access_token}&oauth_consumer_key=101000003&openid={openid}");
    assert_eq!(house.get(&path).await.json()["ret"], -1);
}

#[tokio::test]
async fn qq_user_info_wants_oauth_consumer_key_and_the_openid() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let openid = house.openid(&access_token).await;
    let ret = async |query: String| {
        let path = format!("/user/get_user_info?access_token={access_token}{query}");
        house.get(&path).await.json()["ret"].as_i64().unwrap()
    };
    assert_eq!(ret(format!("&oauth_consumer_key={DEFAULT_CLIENT_ID}&openid={openid}")).await, 0);
    assert_eq!(ret(format!("&appid={DEFAULT_CLIENT_ID}&openid={openid}")).await, -1);
    assert_eq!(ret(format!("&client_id={DEFAULT_CLIENT_ID}&openid={openid}")).await, -1);
    assert_eq!(ret(format!("&oauth_consumer_key={DEFAULT_CLIENT_ID}")).await, -1);
}

#[tokio::test]
async fn qq_user_info_needs_its_scope() {
    let house = house().await;
    for (scope, expected) in [("list_album", 100_030), ("list_album,get_user_info", 0), ("all", 0)] {
        let code = house.code_for(&format!("&scope={scope}")).await;
        let access_token = field(house.redeem(&code, "").await.text(), "access_token");
        let answer = house.user_info(&access_token, &house.openid(&access_token).await, "").await;
        assert_eq!(answer.json()["ret"], expected, "{scope}");
    }
}

#[tokio::test]
async fn qq_user_info_is_xml_on_request_in_lower_case_alone() {
    let house = house().await;
    let (access_token, _) = house.tokens().await;
    let openid = house.openid(&access_token).await;
    let xml = house.user_info(&access_token, &openid, "&format=xml").await;
    assert!(xml.text().contains("<nickname>小明🌟</nickname>"), "{}", xml.text());
    for other in ["json", "XML", "x"] {
        let answer = house.user_info(&access_token, &openid, &format!("&format={other}")).await;
        assert_eq!(answer.json()["ret"], 0, "{other}");
    }
}

#[tokio::test]
async fn qq_large_avatar_and_full_profile_are_switches() {
    let house = house().await;
    house.switches(r#"{"full_profile":true,"figureurl_qq_2":"absent"}"#).await;
    let (access_token, _) = house.tokens().await;
    let json = house.user_info(&access_token, &house.openid(&access_token).await, "").await.json();
    assert_eq!((json["gender_type"].as_i64(), json["year"].as_str()), (Some(1), Some("1990")));
    assert!(json.get("figureurl_qq_2").is_none() && json.get("figureurl_qq_1").is_some());
}

#[tokio::test]
async fn qq_any_known_number_can_be_ordered_at_every_endpoint() {
    let house = house().await;
    let order = async |path: &str, code: i64| {
        let body = format!("{{\"at\":\"{path}\",\"kind\":\"error\",\"error\":{code}}}");
        let answer = house.control("faults", &body).await;
        assert!(answer.status < 300, "{}", answer.text());
    };
    let sign_in = (100_000..=100_031).chain([100_046, 100_048]);
    for code in sign_in {
        order("/oauth2.0/token", code).await;
        assert_eq!(error(&house.token("").await), code);
    }
    for code in [1, 2, 1000, 1001, 1002, 1003, 1006, -1, -2, -3, -4, -5, -6, -7, -8, -9, -20, -21, -22, -23, -24, -58] {
        order("/user/get_user_info", code).await;
        assert_eq!(house.user_info("x", "x", "").await.json()["ret"], code);
    }
    order("/oauth2.0/me", 100_016).await;
    assert_eq!(error(&house.me("x", "").await), 100_016);
    let secret = DEFAULT_SECRET;
    assert!(!house.token("").await.text().contains(secret));
}
