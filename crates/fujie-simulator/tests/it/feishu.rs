//! Feishu's quirks.

use crate::http::Answer;
use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind};
use serde_json::{Value, json};

const V2: &str = "/open-apis/authen/v2/oauth/token";
const V3: &str = "/oauth/v3/token";

async fn house() -> House {
    modest(Kind::Feishu, "/open-apis/authen/v1/authorize", V2).await
}

fn request(scope: &str) -> String {
    format!("client_id={}&redirect_uri={BACK_ENCODED}&scope={scope}&state=s", Kind::Feishu.default_client_id())
}

async fn exchange(house: &House, path: &str, changes: Value) -> Answer {
    let mut body = json!({
        "client_id": Kind::Feishu.default_client_id(), "client_secret": DEFAULT_SECRET,
        "grant_type": "authorization_code",
    });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    house.post_json(path, &body).await
}

async fn code(house: &House, scope: &str) -> String {
    parameter(&house.agree(&request(scope), "lihua").await, "code").unwrap()
}

#[tokio::test]
async fn feishu_token_answer_has_a_code_of_zero_on_success_at_v2_and_v3() {
    let house = house().await;
    for path in [V2, V3] {
        let code = code(&house, "contact").await;
        let tokens = exchange(&house, path, json!({ "code": code })).await.json();
        assert_eq!((&tokens["code"], &tokens["expires_in"]), (&json!(0), &json!(7200)));
        assert_eq!((&tokens["token_type"], tokens.get("refresh_token")), (&json!("Bearer"), None));
    }
}

#[tokio::test]
async fn feishu_refresh_token_needs_offline_access_and_rotates() {
    let house = house().await;
    let code = code(&house, "contact+offline_access").await;
    let tokens = exchange(&house, V2, json!({ "code": code })).await.json();
    assert_eq!(tokens["refresh_token_expires_in"], json!(604_800));
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    assert_eq!(exchange(&house, V2, refresh.clone()).await.json()["code"], json!(0));
    assert_eq!(exchange(&house, V2, refresh).await.json()["code"], json!(20073));
}

#[tokio::test]
async fn feishu_v3_rejects_a_verifier_that_nobody_announced_and_v2_ignores_it() {
    let house = house().await;
    let code = code(&house, "contact").await;
    let body = json!({ "code": code, "code_verifier": "unannounced" });
    let refused = exchange(&house, V3, body.clone()).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(20049)));
    assert_eq!(exchange(&house, V2, body).await.status, 200);
}

#[tokio::test]
async fn feishu_token_errors_carry_a_number_and_the_standards_word() {
    let house = house().await;
    let code = code(&house, "contact").await;
    for (changes, number, error) in [
        (json!({ "client_secret": "wrong" }), 20002, "invalid_client"),
        (json!({ "code": "wrong" }), 20003, "invalid_grant"),
        (json!({ "code": code, "redirect_uri": "http://127.0.0.1:7/other" }), 20071, "invalid_grant"),
        (json!({ "grant_type": "password" }), 20036, "unsupported_grant_type"),
    ] {
        let answer = exchange(&house, V2, changes).await;
        assert_eq!(
            (answer.status, &answer.json()["code"], &answer.json()["error"]),
            (400, &json!(number), &json!(error))
        );
    }
    assert_eq!(exchange(&house, V2, json!({ "code": code })).await.status, 200);
    assert_eq!(exchange(&house, V2, json!({ "code": code })).await.json()["code"], json!(20065));
}

#[tokio::test]
async fn feishu_code_lives_for_five_minutes() {
    let house = house().await;
    let code = code(&house, "contact").await;
    house.pass(300).await;
    assert_eq!(exchange(&house, V2, json!({ "code": code })).await.json()["code"], json!(20004));
}

#[tokio::test]
async fn feishu_user_comes_in_an_envelope() {
    let house = house().await;
    let code = code(&house, "contact").await;
    let form = format!(
        "grant_type=authorization_code&client_id={}&client_secret={DEFAULT_SECRET}&code={code}",
        Kind::Feishu.default_client_id()
    );
    let token = text(&house.tokens(&form).await.json(), "access_token");
    let answer = house.get_as("/open-apis/authen/v1/user_info", &format!("Bearer {token}")).await.json();
    assert_eq!((&answer["code"], &answer["msg"]), (&json!(0), &json!("success")));
    assert!(text(&answer["data"], "union_id").starts_with("on_"));
    assert!(text(&answer["data"], "open_id").starts_with("ou_"));
    assert_eq!(answer["data"]["name"], json!("李华"));
    let refused = house.get_as("/open-apis/authen/v1/user_info", "Bearer wrong").await.json();
    assert_eq!(refused["code"], json!(20005));
}

#[tokio::test]
async fn feishu_denial_and_the_older_page() {
    let house = house().await;
    let back = house.refuse(&request("contact")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
    let older = request("").replace("client_id", "app_id");
    assert_eq!(house.get(&format!("/open-apis/authen/v1/index?{older}")).await.status, 200);
}
