//! The control API, and the scripts the pages load.

use crate::story::{OTHER_APPID, house, page_query};
use fujie_simulator::wechat::DEFAULT_APPID;
use serde_json::{Value, json};

#[tokio::test]
async fn a_harness_can_walk_a_sign_in_without_a_browser() {
    let house = house().await;
    let uuid = house.open_page("s%201").await;
    let listed = house.get("/_simulate/sign-ins").await.json();
    let expected = json!([{
        "id": uuid,
        "uuid": uuid,
        "appid": DEFAULT_APPID,
        "status": "waiting",
        "wx_errcode": 408,
        "redirect_uri": "http://127.0.0.1:8080/back",
        "state": "s 1",
        "expires_in_seconds": listed.get(0).unwrap().get("expires_in_seconds"),
        "confirm_url": format!("{}/connect/confirm?uuid={uuid}", house.base()),
        "person": Value::Null,
        "redirect_url": Value::Null,
    }]);
    assert_eq!(listed, expected);
    house.control(&format!("sign-ins/{uuid}/scan"), "").await;
    assert_eq!(house.poll(&uuid, "").await.0, 404);
    let confirmed = house.control(&format!("sign-ins/{uuid}/confirm"), r#"{"person":"zoe"}"#).await.json();
    assert_eq!(confirmed.get("person"), Some(&"zoe".into()));
    let code = house.poll(&uuid, "&last=404").await.1;
    let redirect_url = format!("http://127.0.0.1:8080/back?code={code}&state=s%201");
    assert_eq!(confirmed.get("redirect_url"), Some(&redirect_url.into()));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let cases = [
        (format!("sign-ins/{uuid}/dance"), "", 400),
        (format!("sign-ins/{uuid}/confirm"), r#"{"person":"nobody"}"#, 400),
        (format!("sign-ins/{uuid}/confirm"), r#"{"persona":"zoe"}"#, 400),
        ("sign-ins/091AZFu52T9S000X/scan".to_owned(), "", 404),
        (format!("sign-ins/{uuid}/confirm"), "", 200),
        (format!("sign-ins/{uuid}/refuse"), "", 409),
        (format!("sign-ins/{uuid}/expire"), "", 409),
        ("clock".to_owned(), r#"{"advance_seconds":-1}"#, 400),
        ("switches".to_owned(), r#"{"unknown":true}"#, 400),
        ("switches".to_owned(), r#"{"unionid":"yes"}"#, 400),
        ("faults".to_owned(), r#"{"at":"/sns/oauth2/access_token","kind":"error","error":123456}"#, 400),
        ("faults".to_owned(), r#"{"at":"/sns/auth","kind":"rate_limit","times":0}"#, 400),
        ("faults".to_owned(), r#"{"at":"/sns/auth","kind":"rate_limit","times":"never"}"#, 400),
        ("people".to_owned(), r#"{"name":"wang","nickname":"W","sex":9}"#, 400),
        ("apps".to_owned(), "[1", 400),
    ];
    for (path, body, expected) in cases {
        let answer = house.control(&path, body).await;
        assert_eq!(answer.status, expected, "{path} {body}");
        assert_eq!(answer.json().get("error").is_some(), expected >= 400, "{path} {body}");
    }
}

#[tokio::test]
async fn an_ordered_fault_strikes_as_often_as_ordered() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    house.control("faults", r#"{"at":"/sns/oauth2/access_token","kind":"error","error":45011,"times":2}"#).await;
    house.control("faults", r#"{"at":"/sns/userinfo","kind":"error","error":7,"description":"odd"}"#).await;
    assert_eq!(house.redeem(&code).await.errcode(), 45011);
    assert_eq!(house.redeem(&code).await.errcode(), 45011);
    assert_eq!(house.redeem(&code).await.errcode(), 0);
    assert!(house.userinfo("x", "y").await.text().starts_with(r#"{"errcode":7,"errmsg":"odd, rid: "#));
    house.control("faults", r#"{"at":"/sns/auth","kind":"error","error":-1,"times":99}"#).await;
    crate::http::send(house.base(), "DELETE", "/_simulate/faults", &[], "").await;
    assert_eq!(house.auth("", "").await.errcode(), 41001);
}

#[tokio::test]
async fn a_fault_everywhere_spares_the_control_api() {
    let house = house().await;
    house.control("faults", r#"{"at":"/*","kind":"status","status":503,"times":"always"}"#).await;
    assert_eq!((house.get("/sns/auth").await.status, house.get("/_simulate").await.status), (503, 200));
    crate::http::send(house.base(), "DELETE", "/_simulate/faults", &[], "").await;
    assert_eq!(house.get("/sns/auth").await.status, 200);
}

#[tokio::test]
async fn apps_and_people_can_be_added_while_running() {
    let house = house().await;
    let app = r#"{"appid":"wxaaaaaaaaaaaaaaaa","secret":"s","name":"新网站","callback_domain":"*loopback*"}"#;
    assert_eq!(house.control("apps", app).await.status, 201);
    assert_eq!(house.control("people", r#"{"name":"wang","nickname":"老王","avatar":"none"}"#).await.status, 201);
    let query = page_query("").replace(DEFAULT_APPID, "wxaaaaaaaaaaaaaaaa");
    let page = house.get(&format!("/connect/qrconnect?{query}")).await;
    let uuid = crate::story::uuid_in(page.text());
    house.control(&format!("sign-ins/{uuid}/confirm"), r#"{"person":"wang"}"#).await;
    let code = house.poll(&uuid, "").await.1;
    let token = house
        .get(&format!(
            "/sns/oauth2/access_token?appid=wxaaaaaaaaaaaaaaaa&secret=s&code={code}&grant_type=authorization_code"
        ))
        .await;
    let (access_token, _, openid) = crate::story::tokens_in(&token);
    let profile = house.userinfo(&access_token, &openid).await.json();
    assert_eq!(profile.get("nickname"), Some(&"老王".into()));
    assert_eq!(profile.get("headimgurl"), Some(&"".into()));
}

#[tokio::test]
async fn the_index_tells_a_harness_all_it_needs() {
    let house = house().await;
    let index = house.get("/_simulate").await.json();
    assert_eq!(index.get("base_url"), Some(&house.base().into()));
    let apps = index.get("apps").unwrap().as_array().unwrap();
    assert_eq!(apps.first().unwrap().get("appid"), Some(&DEFAULT_APPID.into()));
    assert_eq!(apps.first().unwrap().get("callback_domain"), Some(&"*loopback*".into()));
    assert_eq!(apps.last().unwrap().get("appid"), Some(&OTHER_APPID.into()));
    assert_eq!(index.get("people").unwrap().as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn scripts_and_style_sheets_are_served_with_their_types() {
    let house = house().await;
    for (path, expected) in [
        ("/_simulate/assets/qrconnect.js", "text/javascript; charset=utf-8"),
        ("/_simulate/assets/qrconnect.css", "text/css; charset=utf-8"),
        ("/_simulate/assets/phone.js", "text/javascript; charset=utf-8"),
        ("/_simulate/assets/phone.css", "text/css; charset=utf-8"),
        ("/connect/zh_CN/htmledition/js/wxLogin.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(expected)), "{path}");
    }
}

#[tokio::test]
async fn a_person_who_agrees_to_everything_needs_no_phone() {
    let house = house().await;
    let nobody = house.control("switches", r#"{"auto_confirm":"nobody"}"#).await;
    assert_eq!(nobody.status, 400);
    let switched = house.control("switches", r#"{"auto_confirm":"zoe"}"#).await.json();
    assert_eq!((switched.get("auto_confirm"), switched.get("unionid")), (Some(&"zoe".into()), Some(&true.into())));
    let answer = house.get(&format!("/connect/qrconnect?{}", page_query("s1"))).await;
    assert_eq!(answer.status, 302);
    let (code, state) = answer.header("location").unwrap().split_once("code=").unwrap().1.split_once('&').unwrap();
    assert_eq!(state, "state=s1");
    assert_eq!(house.redeem(code).await.errcode(), 0);
    let listed = house.get("/_simulate/sign-ins").await.json();
    assert_eq!(listed.get(0).unwrap().get("person"), Some(&"zoe".into()));
    house.control("switches", r#"{"auto_confirm":null}"#).await;
    assert_eq!(house.get(&format!("/connect/qrconnect?{}", page_query("s1"))).await.status, 200);
}
