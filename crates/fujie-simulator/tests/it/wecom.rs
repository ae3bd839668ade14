//! WeCom's quirks.

use crate::oauth::{BACK, BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::json;

async fn house() -> House {
    modest(Kind::Wecom, "/wwlogin/sso/login", "/cgi-bin/gettoken").await
}

fn request() -> String {
    let id = Kind::Wecom.default_client_id();
    format!("login_type=CorpApp&appid={id}&agentid=1000002&redirect_uri={BACK_ENCODED}&state=s")
}

async fn app_token(house: &House) -> String {
    let id = Kind::Wecom.default_client_id();
    let answer = house.get(&format!("/cgi-bin/gettoken?corpid={id}&corpsecret={DEFAULT_SECRET}")).await.json();
    assert_eq!((&answer["errcode"], &answer["errmsg"]), (&json!(0), &json!("ok")));
    text(&answer, "access_token")
}

async fn code(house: &House) -> String {
    parameter(&house.agree(&request(), "lihua").await, "code").unwrap()
}

#[tokio::test]
async fn wecom_app_token_is_the_same_until_it_ends() {
    let house = house().await;
    let first = app_token(&house).await;
    assert_eq!(app_token(&house).await, first);
    house.pass(7200).await;
    assert_ne!(app_token(&house).await, first);
    let answer = house.get(&format!("/cgi-bin/auth/getuserinfo?access_token={first}&code=x")).await.json();
    assert_eq!(answer["errcode"], json!(42001));
}

#[tokio::test]
async fn wecom_spells_the_user_in_two_ways() {
    let house = house().await;
    let token = app_token(&house).await;
    let ask =
        async |path: &str, code: String| house.get(&format!("{path}?access_token={token}&code={code}")).await.json();
    let new = ask("/cgi-bin/auth/getuserinfo", code(&house).await).await;
    assert_eq!(new, json!({ "errcode": 0, "errmsg": "ok", "userid": "lihua" }));
    let old = ask("/cgi-bin/user/getuserinfo", code(&house).await).await;
    assert_eq!(old, json!({ "errcode": 0, "errmsg": "ok", "UserId": "lihua", "DeviceId": "" }));
    house.switch("outsiders", json!(true)).await;
    let new = ask("/cgi-bin/auth/getuserinfo", code(&house).await).await;
    assert!(new["openid"].is_string() && new.get("userid").is_none());
    let old = ask("/cgi-bin/user/getuserinfo", code(&house).await).await;
    assert!(old["OpenId"].is_string() && old.get("UserId").is_none());
}

#[tokio::test]
async fn wecom_tells_a_members_name_by_userid() {
    let house = house().await;
    let token = app_token(&house).await;
    let user = house.get(&format!("/cgi-bin/user/get?access_token={token}&userid=lihua")).await.json();
    assert_eq!((&user["userid"], &user["name"]), (&json!("lihua"), &json!("李华")));
    let nobody = house.get(&format!("/cgi-bin/user/get?access_token={token}&userid=nobody")).await.json();
    assert_eq!(nobody["errcode"], json!(60111));
}

#[tokio::test]
async fn wecom_errors_come_with_200() {
    let house = house().await;
    let id = Kind::Wecom.default_client_id();
    let token = app_token(&house).await;
    let used = code(&house).await;
    house.get(&format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={used}")).await;
    for (path, errcode) in [
        ("/cgi-bin/gettoken?corpid=ww0&corpsecret=x".to_owned(), 40013),
        (format!("/cgi-bin/gettoken?corpid={id}&corpsecret=x"), 40001),
        ("/cgi-bin/auth/getuserinfo?code=x".to_owned(), 41001),
        ("/cgi-bin/auth/getuserinfo?code=x&access_token=x".to_owned(), 40014),
        (format!("/cgi-bin/auth/getuserinfo?code=x&access_token={token}"), 40029),
        (format!("/cgi-bin/auth/getuserinfo?code={used}&access_token={token}"), 40029),
    ] {
        let answer = house.get(&path).await;
        assert_eq!((answer.status, &answer.json()["errcode"]), (200, &json!(errcode)), "{path}");
    }
    house.control("faults", json!({ "at": "/cgi-bin/gettoken", "kind": "error", "error": 60020 })).await;
    let refused = house.get("/cgi-bin/gettoken").await.json();
    assert_eq!(refused, json!({ "errcode": 60020, "errmsg": "not allow to access from your ip" }));
}

#[tokio::test]
async fn wecom_denial_is_state_alone_or_nothing() {
    let house = house().await;
    assert_eq!(house.refuse(&request()).await, format!("{BACK}?state=s"));
    house.switch("denial_redirects", json!(false)).await;
    let answer = house.press(&request(), "refuse", "").await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
}

#[tokio::test]
async fn wecom_compares_the_domain_with_its_port_and_wants_an_agent() {
    let house = house().await;
    let app = json!({ "client_id": "ww1", "client_secret": "x", "redirect_uris": ["app.example.com:8443"] });
    house.control("apps", app).await;
    let ask = async |uri: &str, agent: &str| {
        house.get(&format!("/wwopen/sso/qrConnect?appid=ww1{agent}&redirect_uri={uri}")).await.status
    };
    assert_eq!(ask("http%3A%2F%2Fapp.example.com%3A8443%2Fany%3Fx=1", "&agentid=1").await, 200);
    assert_eq!(ask("https%3A%2F%2Fapp.example.com%2Fany", "&agentid=1").await, 400);
    assert_eq!(ask("http%3A%2F%2Fapp.example.com%3A8443%2Fany", "").await, 400);
}
