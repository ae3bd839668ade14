//! The plain OpenID provider: discovery, the authorization endpoint and what it sends back.

use crate::oauth::{BACK, BACK_ENCODED, House, hidden, is_verified, parameter, parts, text};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use fujie_simulator::{Oidc, OidcConfig};
use serde_json::json;

pub const CLIENT: &str = "client_id=fujie-demo&client_secret=fa4efa4efa4efa4efa4efa4efa4efa4e";

pub async fn house() -> House {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::default()).await.unwrap();
    House { running, authorize: "/authorize", token: "/token" }
}

/// A good request.
pub fn request(extra: &str) -> String {
    format!(
        "response_type=code&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&scope=openid+profile+email\
         &state=s%26t&nonce=n1{extra}"
    )
}

impl House {
    /// A code for xiaoming.
    pub async fn code(&self, extra: &str) -> String {
        parameter(&self.agree(&request(extra), "xiaoming").await, "code").unwrap()
    }

    /// A code becomes tokens.
    pub async fn redeem(&self, code: &str) -> serde_json::Value {
        let form = format!("grant_type=authorization_code&code={code}&redirect_uri={BACK_ENCODED}&{CLIENT}");
        self.tokens(&form).await.json()
    }
}

#[tokio::test]
async fn discovery_names_every_endpoint_under_the_issuer() {
    let house = house().await;
    let document = house.get("/.well-known/openid-configuration").await.json();
    assert_eq!(text(&document, "issuer"), house.base());
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "device_authorization_endpoint",
        "end_session_endpoint",
    ] {
        assert!(text(&document, name).starts_with(&format!("{}/", house.base())), "{name}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], json!(true));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
}

#[tokio::test]
async fn a_person_agrees_and_the_client_learns_who() {
    let house = house().await;
    let back = house.agree(&request(""), "xiaoming").await;
    assert!(back.starts_with(&format!("{BACK}?code=")), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("s&t"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some(house.base()));
    let tokens = house.redeem(&parameter(&back, "code").unwrap()).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let id_token = text(&tokens, "id_token");
    let (header, claims) = parts(&id_token);
    assert_eq!(
        (&header["alg"], &claims["aud"], &claims["nonce"]),
        (&json!("RS256"), &json!(DEFAULT_CLIENT_ID), &json!("n1"))
    );
    assert_eq!(text(&claims, "iss"), house.base());
    assert!(is_verified(&id_token, &house.get("/jwks").await.json()));
    let userinfo = house.get_as("/userinfo", &format!("Bearer {}", text(&tokens, "access_token"))).await.json();
    assert_eq!(userinfo["sub"], claims["sub"]);
    assert_eq!((&userinfo["name"], &userinfo["email"]), (&json!("小明🌟"), &json!("xiaoming@example.com")));
    assert_eq!(userinfo["email_verified"], json!(true));
}

#[tokio::test]
async fn a_refusal_comes_back_as_access_denied_with_state_and_iss() {
    let house = house().await;
    let back = house.refuse(&request("")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s&t"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some(house.base()));
    assert_eq!(parameter(&back, "code"), None);
}

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_gets_a_page_and_no_redirect() {
    let house = house().await;
    for query in [
        format!("client_id=other&redirect_uri={BACK_ENCODED}&response_type=code"),
        "client_id=fujie-demo&redirect_uri=https%3A%2F%2Fevil.example%2F&response_type=code".to_owned(),
        "client_id=fujie-demo&response_type=code".to_owned(),
    ] {
        let answer = house.get(&format!("/authorize?{query}")).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{query}");
    }
}

#[tokio::test]
async fn a_wrong_request_goes_back_as_an_error() {
    let house = house().await;
    for (extra, error) in [
        ("&response_mode=web_message", "invalid_request"),
        ("&prompt=none+login", "invalid_request"),
        ("&request=eyJ9", "request_not_supported"),
        ("&code_challenge=abc&code_challenge_method=plain", "invalid_request"),
    ] {
        let back = house.land(&request(extra)).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{extra}");
    }
    let query = format!("response_type=token&client_id=fujie-demo&redirect_uri={BACK_ENCODED}&state=s");
    let back = house.land(&query).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("unsupported_response_type"));
}

#[tokio::test]
async fn the_fragment_mode_answers_behind_the_hash() {
    let house = house().await;
    let back = house.agree(&request("&response_mode=fragment"), "lihua").await;
    assert!(back.starts_with(&format!("{BACK}#code=")), "{back}");
}

#[tokio::test]
async fn the_form_post_mode_answers_with_a_form_that_posts_itself() {
    let house = house().await;
    let address = house.agree(&request("&response_mode=form_post"), "lihua").await;
    let page = house.get(address.strip_prefix(house.base()).unwrap()).await;
    assert!(page.text().contains(&format!("<form method=\"post\" action=\"{BACK}\"")), "{}", page.text());
    assert_eq!(hidden(page.text(), "state").as_deref(), Some("s&t"));
    assert_eq!(hidden(page.text(), "iss").as_deref(), Some(house.base()));
    let tokens = house.redeem(&hidden(page.text(), "code").unwrap()).await;
    assert!(tokens.get("id_token").is_some(), "{tokens}");
    let denied = house.get(&format!("/authorize?{}", request("&response_mode=form_post&prompt=none"))).await;
    assert_eq!(denied.status, 200);
}

#[tokio::test]
async fn prompt_none_needs_a_session_a_consent_and_a_fresh_enough_sign_in() {
    let house = house().await;
    let error = |back: String| parameter(&back, "error").unwrap_or_default();
    assert_eq!(error(house.land(&request("&prompt=none")).await), "login_required");
    house.code("").await;
    let tokens = house.redeem(&parameter(&house.land(&request("&prompt=none")).await, "code").unwrap()).await;
    let (_, first) = parts(&text(&tokens, "id_token"));
    house.pass(100).await;
    let tokens = house.redeem(&parameter(&house.land(&request("&prompt=none")).await, "code").unwrap()).await;
    let (_, second) = parts(&text(&tokens, "id_token"));
    assert_eq!(first["auth_time"], second["auth_time"]);
    assert_eq!(error(house.land(&request("&prompt=none&max_age=60")).await), "login_required");
    let other = json!({ "client_id": "other", "redirect_uris": ["*loopback*"], "client_secret": "x" });
    house.control("apps", other).await;
    let query = request("&prompt=none").replace("fujie-demo", "other");
    assert_eq!(error(house.land(&query).await), "consent_required");
}

#[tokio::test]
async fn prompt_login_signs_in_anew() {
    let house = house().await;
    let auth_time = async |extra: &str| {
        let tokens = house.redeem(&house.code(extra).await).await;
        parts(&text(&tokens, "id_token")).1["auth_time"].as_u64().unwrap()
    };
    let first = auth_time("").await;
    house.pass(100).await;
    assert!(auth_time("&prompt=login").await >= first + 100);
}

#[tokio::test]
async fn login_hint_chooses_the_person_beforehand() {
    let house = house().await;
    for hint in ["lihua", "lihua%40example.com"] {
        let page = house.get(&format!("/authorize?{}", request(&format!("&login_hint={hint}")))).await;
        assert!(page.text().contains("value=\"lihua\" checked"), "{hint}");
        assert_eq!(page.text().matches(" checked").count(), 1);
    }
}

#[tokio::test]
async fn auto_confirm_answers_without_a_page() {
    let house = house().await;
    house.switch("auto_confirm", json!("zoe")).await;
    let code = parameter(&house.land(&request("")).await, "code").unwrap();
    let (_, claims) = parts(&text(&house.redeem(&code).await, "id_token"));
    assert_eq!(claims["preferred_username"], json!("zoe"));
}

#[tokio::test]
async fn a_challenge_wants_its_verifier_and_a_verifier_its_challenge() {
    let house = house().await;
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let code = house.code(challenge).await;
    assert_eq!(house.redeem(&code).await["error"], json!("invalid_grant"));
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let tokens = house.redeem(&format!("{code}&code_verifier={verifier}")).await;
    assert!(tokens.get("access_token").is_some(), "{tokens}");
    let code = house.code("").await;
    assert_eq!(house.redeem(&format!("{code}&code_verifier={verifier}")).await["error"], json!("invalid_grant"));
    house.switch("pkce_required", json!(true)).await;
    assert_eq!(parameter(&house.land(&request("")).await, "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn end_session_ends_the_session_and_goes_back_to_a_registered_address_only() {
    let house = house().await;
    house.code("").await;
    let query = format!("client_id={DEFAULT_CLIENT_ID}&state=bye&post_logout_redirect_uri=");
    let answer = house.get(&format!("/end_session?{query}{BACK_ENCODED}")).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some(&*format!("{BACK}?state=bye"))));
    let stays = house.get(&format!("/end_session?{query}https%3A%2F%2Fevil.example%2F")).await;
    assert_eq!((stays.status, stays.header("location")), (200, None));
    let back = house.land(&request("&prompt=none")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn an_ordered_error_at_the_page_goes_back_to_the_client() {
    let house = house().await;
    let fault = json!({ "at": "/authorize", "kind": "error", "error": "temporarily_unavailable" });
    house.control("faults", fault).await;
    let back = house.land(&request("")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s&t"));
}

#[tokio::test]
async fn the_default_secret_is_the_documented_one() {
    assert!(CLIENT.ends_with(DEFAULT_SECRET));
}
