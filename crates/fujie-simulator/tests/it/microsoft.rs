//! Microsoft's quirks.

use crate::oauth::{BACK_ENCODED, House, is_verified, parameter, parts, text};
use crate::oidc_flow::CLIENT;
use fujie_simulator::oidc::House as Whose;
use fujie_simulator::{Oidc, OidcConfig};
use serde_json::json;

async fn house() -> House {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::of(Whose::Microsoft)).await.unwrap();
    House { running, authorize: "/common/oauth2/v2.0/authorize", token: "/common/oauth2/v2.0/token" }
}

fn request() -> String {
    let scope = "openid+profile+email+offline_access+User.Read";
    format!("response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&scope={scope}&state=s&nonce=n")
}

async fn tokens(house: &House) -> serde_json::Value {
    let back = house.agree(&request(), "xiaoming").await;
    assert!(parameter(&back, "session_state").is_some() && parameter(&back, "iss").is_none());
    house.redeem(&parameter(&back, "code").unwrap()).await
}

#[tokio::test]
async fn microsoft_common_has_a_literal_tenantid_in_its_issuer() {
    let house = house().await;
    let document = house.get("/common/v2.0/.well-known/openid-configuration").await.json();
    assert_eq!(text(&document, "issuer"), format!("{}/{{tenantid}}/v2.0", house.base()));
    let token = text(&tokens(&house).await, "id_token");
    let (_, claims) = parts(&token);
    assert_eq!(text(&claims, "iss"), format!("{}/{}/v2.0", house.base(), text(&claims, "tid")));
    assert!(is_verified(&token, &house.get("/common/discovery/v2.0/keys").await.json()));
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let document = house.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await.json();
    assert_eq!(text(&document, "issuer"), format!("{}/{tenant}/v2.0", house.base()));
    assert_eq!(text(&document, "token_endpoint"), format!("{}/{tenant}/oauth2/v2.0/token", house.base()));
}

#[tokio::test]
async fn microsoft_says_no_word_on_whether_an_address_is_verified() {
    let house = house().await;
    let (_, claims) = parts(&text(&tokens(&house).await, "id_token"));
    assert_eq!((claims.get("email_verified"), &claims["email"]), (None, &json!("xiaoming@example.com")));
    assert_eq!((&claims["ver"], claims["oid"].is_string()), (&json!("2.0"), true));
}

#[tokio::test]
async fn microsoft_sub_is_pairwise_and_oid_is_not() {
    let house = house().await;
    house.control("apps", json!({ "client_id": "other", "client_secret": "x", "redirect_uris": ["*loopback*"] })).await;
    let (_, first) = parts(&text(&tokens(&house).await, "id_token"));
    let back = house.agree(&request().replace("fujie-demo", "other"), "xiaoming").await;
    let code = parameter(&back, "code").unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&client_id=other&client_secret=x"
    );
    let (_, second) = parts(&text(&house.tokens(&form).await.json(), "id_token"));
    assert_eq!(first["oid"], second["oid"]);
    assert_ne!(first["sub"], second["sub"]);
}

#[tokio::test]
async fn microsoft_errors_are_numbered() {
    let house = house().await;
    let answer = house.redeem("wrong").await;
    assert_eq!((&answer["error"], &answer["error_codes"]), (&json!("invalid_grant"), &json!([70008])));
    let description = text(&answer, "error_description");
    assert!(description.starts_with("AADSTS70008: ") && description.contains("Trace ID: "), "{description}");
    assert!(text(&answer, "timestamp").ends_with('Z'));
    let answer = house.tokens("grant_type=authorization_code&client_id=fujie-demo&client_secret=wrong").await;
    assert_eq!((answer.status, &answer.json()["error_codes"]), (401, &json!([7_000_215])));
}

#[tokio::test]
async fn microsoft_denial_has_a_subcode() {
    let house = house().await;
    let back = house.refuse(&request()).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "error_subcode").as_deref(), Some("cancel"));
}

#[tokio::test]
async fn microsoft_refreshes_and_tells_the_graphs_me() {
    let house = house().await;
    let first = tokens(&house).await;
    assert_eq!(first["expires_in"], first["ext_expires_in"]);
    let form = format!("grant_type=refresh_token&refresh_token={}&{CLIENT}", text(&first, "refresh_token"));
    let second = house.tokens(&form).await.json();
    let me = house.get_as("/v1.0/me", &format!("Bearer {}", text(&second, "access_token"))).await.json();
    assert_eq!((&me["displayName"], &me["mail"]), (&json!("小明🌟"), &json!("xiaoming@example.com")));
    let refused = house.get_as("/v1.0/me", "Bearer wrong").await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (401, &json!("InvalidAuthenticationToken")));
}
