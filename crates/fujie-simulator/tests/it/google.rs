//! Google's quirks.

use crate::oauth::{BACK_ENCODED, House, parameter, parts, text};
use crate::oidc_flow::CLIENT;
use fujie_simulator::oidc::House as Whose;
use fujie_simulator::{Oidc, OidcConfig};
use serde_json::json;

async fn house() -> House {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::of(Whose::Google)).await.unwrap();
    House { running, authorize: "/o/oauth2/v2/auth", token: "/token" }
}

fn request(extra: &str) -> String {
    format!(
        "response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&scope=openid+email+profile&state=s{extra}"
    )
}

#[tokio::test]
async fn google_gives_a_refresh_token_on_the_first_offline_consent_only() {
    let house = house().await;
    let has_refresh = async |extra: &str| {
        let back = house.agree(&request(extra), "xiaoming").await;
        house.redeem(&parameter(&back, "code").unwrap()).await.get("refresh_token").is_some()
    };
    assert!(has_refresh("&access_type=offline").await);
    assert!(!has_refresh("&access_type=offline").await);
    assert!(has_refresh("&access_type=offline&prompt=consent").await);
    assert!(!has_refresh("&prompt=consent").await);
}

#[tokio::test]
async fn google_answers_scopes_as_urls_and_3599_seconds() {
    let house = house().await;
    let back = house.agree(&request(""), "xiaoming").await;
    let full = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile";
    assert_eq!(parameter(&back, "scope").as_deref(), Some(full));
    assert_eq!(parameter(&back, "authuser").as_deref(), Some("0"));
    let tokens = house.redeem(&parameter(&back, "code").unwrap()).await;
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!(full), &json!(3599)));
    let (_, claims) = parts(&text(&tokens, "id_token"));
    assert_eq!((&claims["azp"], text(&claims, "sub").len()), (&json!("fujie-demo"), 21));
    let userinfo = house.get_as("/v1/userinfo", &format!("Bearer {}", text(&tokens, "access_token"))).await.json();
    assert_eq!(userinfo["sub"], claims["sub"]);
}

#[tokio::test]
async fn google_does_not_rotate_refresh_tokens_unless_switched() {
    let house = house().await;
    let back = house.agree(&request("&access_type=offline"), "xiaoming").await;
    let token = text(&house.redeem(&parameter(&back, "code").unwrap()).await, "refresh_token");
    let form = format!("grant_type=refresh_token&refresh_token={token}&{CLIENT}");
    for _ in 0..2 {
        assert_eq!(text(&house.tokens(&form).await.json(), "refresh_token"), token);
    }
    house.switch("refresh_rotates", json!(true)).await;
    assert_ne!(text(&house.tokens(&form).await.json(), "refresh_token"), token);
}

#[tokio::test]
async fn google_says_bad_request_for_any_bad_code_and_unauthorized_for_a_client() {
    let house = house().await;
    let answer = house.redeem("wrong").await;
    assert_eq!(answer, json!({ "error": "invalid_grant", "error_description": "Bad Request" }));
    let answer = house.tokens("grant_type=refresh_token&client_id=fujie-demo&client_secret=wrong").await;
    assert_eq!((answer.status, &answer.json()["error_description"]), (401, &json!("Unauthorized")));
    let denied = house.refuse(&request("")).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn google_redirect_uri_mismatch_is_a_page() {
    let house = house().await;
    let query = "client_id=fujie-demo&redirect_uri=https%3A%2F%2Fapp.example%2F&response_type=code";
    let answer = house.get(&format!("/o/oauth2/v2/auth?{query}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("redirect_uri_mismatch"));
}

#[tokio::test]
async fn google_device_says_verification_url_and_wants_the_secret() {
    let house = house().await;
    let device = house.post_form("/device/code", &format!("scope=email&{CLIENT}")).await.json();
    assert_eq!(text(&device, "verification_url"), format!("{}/device", house.base()));
    assert_eq!(device.get("verification_uri"), None);
    assert_eq!(house.post_form("/device/code", "scope=email&client_id=fujie-demo").await.status, 401);
}
