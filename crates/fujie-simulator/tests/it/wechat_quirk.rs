//! What breaks a generic client at WeChat, one quirk each. The tests of clients have the same names.

use crate::http;
use crate::story::{House, house, tokens_in};
use fujie_simulator::wechat::{DEFAULT_APPID, DEFAULT_SECRET};

const TOKEN: &str = "/sns/oauth2/access_token";
const GRANT: &str = "grant_type=authorization_code";

/// The token endpoint's answer to a fresh code and the client named so.
async fn redeem(house: &House, client: &str, headers: &[&str]) -> http::Answer {
    let code = house.sign_in("zoe").await;
    http::send(house.base(), "GET", &format!("{TOKEN}?{client}&code={code}&{GRANT}"), headers, "").await
}

#[tokio::test]
async fn names_are_appid_and_secret_in_the_query_of_a_get() {
    let house = house().await;
    let own = format!("appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}");
    let standard = format!("client_id={DEFAULT_APPID}&client_secret={DEFAULT_SECRET}");
    assert_eq!(redeem(&house, &own, &[]).await.errcode(), 0);
    assert_eq!(redeem(&house, &standard, &[]).await.errcode(), 41002);
    let half = format!("appid={DEFAULT_APPID}&client_secret={DEFAULT_SECRET}");
    assert_eq!(redeem(&house, &half, &[]).await.errcode(), 41004);
    // The letters of Basic for this app.
    let basic = "Authorization: Basic d3gwMTIzNDU2Nzg5YWJjZGVmOmZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRl";
    assert_eq!(redeem(&house, "x=1", &[basic]).await.errcode(), 41002, "nobody reads it");
}

#[tokio::test]
async fn answers_are_text_plain_without_a_charset_in_utf_8() {
    let house = house().await;
    let (access_token, _, openid) = house.tokens("xiaoming").await;
    let profile = house.userinfo(&access_token, &openid).await;
    assert!(profile.text().contains("小明🌟") && profile.text().contains("\\/"), "raw, with escaped slashes");
    for answer in [profile, house.auth(&access_token, &openid).await, house.redeem("unknown").await] {
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
    }
}

#[tokio::test]
async fn a_failure_has_status_200_and_an_errcode() {
    let house = house().await;
    let answer = house.redeem("unknown").await;
    assert_eq!((answer.status, answer.errcode()), (200, 40029));
    let json = answer.json();
    assert!(json["errcode"].is_i64() && json["errmsg"].is_string(), "{json}");
    assert_eq!(json.as_object().unwrap().len(), 2, "and nothing else");
}

#[tokio::test]
async fn a_token_answer_has_no_token_type() {
    let house = house().await;
    let answer = house.redeem(&house.sign_in("zoe").await).await;
    for name in ["token_type", "id_token", "errcode"] {
        assert!(answer.json().get(name).is_none(), "{name}");
    }
    assert!(answer.json()["expires_in"].is_u64());
}

#[tokio::test]
async fn scopes_are_joined_by_a_comma() {
    let house = house().await;
    let page = async |scope: &str| {
        let path = format!(
            "/connect/qrconnect?appid={DEFAULT_APPID}&redirect_uri=http%3A%2F%2F127.0.0.1%2F&scope={scope}&state=s"
        );
        house.get(&path).await.text().contains("class=\"qrcode")
    };
    assert!(page("snsapi_login").await && page("snsapi_login,snsapi_runtime_pcsdk").await);
    assert!(page("snsapi_login%2Csnsapi_runtime_pcsdk").await);
    assert!(!page("snsapi_userinfo").await, "sign-in is not among them");
}

#[tokio::test]
async fn the_openid_is_in_the_token_answer_and_the_user_call_needs_it() {
    let house = house().await;
    let (access_token, _, openid) = house.tokens("zoe").await;
    let alone = house.get(&format!("/sns/userinfo?access_token={access_token}")).await;
    assert_eq!(alone.errcode(), 41009);
    assert_eq!(house.userinfo(&access_token, &openid).await.json()["openid"], openid.as_str());
}

#[tokio::test]
async fn a_bearer_header_is_not_accepted() {
    let house = house().await;
    let (access_token, _, openid) = house.tokens("zoe").await;
    let header = format!("Authorization: Bearer {access_token}");
    let path = format!("/sns/userinfo?openid={openid}");
    assert_eq!(http::send(house.base(), "GET", &path, &[&header], "").await.errcode(), 41001);
}

#[tokio::test]
async fn the_redirect_uri_is_not_asked_for_at_the_token_endpoint() {
    let house = house().await;
    let client = format!("appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}");
    assert_eq!(redeem(&house, &client, &[]).await.errcode(), 0);
    let other = format!("{client}&redirect_uri=https%3A%2F%2Felsewhere.example%2F");
    assert_eq!(redeem(&house, &other, &[]).await.errcode(), 0);
}

#[tokio::test]
async fn is_snapshotuser_is_the_number_one_and_signs_nobody_in() {
    let house = house().await;
    house.switch("snapshot_user", true).await;
    let answer = house.redeem(&house.sign_in("zoe").await).await;
    assert_eq!(answer.json()["is_snapshotuser"].as_u64(), Some(1));
    house.switch("snapshot_user", false).await;
    let real = house.redeem(&house.sign_in("zoe").await).await;
    assert!(real.json().get("is_snapshotuser").is_none());
    assert_ne!(tokens_in(&answer).2, tokens_in(&real).2, "it is nobody's openid");
}

#[tokio::test]
async fn a_state_is_letters_and_digits_and_comes_back_unchanged() {
    let house = house().await;
    let state = "0123456789abcdefABCDEF".repeat(5);
    house.open_page(&state).await;
    let listed = house.get("/_simulate/sign-ins").await.json();
    assert_eq!(listed[0]["state"], state.as_str());
}

#[tokio::test]
async fn a_code_challenge_is_ignored() {
    let house = house().await;
    let client = format!("appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}&code_verifier=anything");
    assert_eq!(redeem(&house, &client, &[]).await.errcode(), 0);
}
