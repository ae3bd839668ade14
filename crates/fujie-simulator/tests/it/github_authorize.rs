//! GitHub's authorize endpoint: who is asked, where the browser goes, in which words.

use crate::github_story::{BACK, House, encoded, field_of, house, house_with_app};
use fujie_simulator::github::{Callback, DEFAULT_CLIENT_ID};
use serde_json::json;

/// 43 characters, as S256 leaves them.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn asked(house: &House, query: &str) -> (u16, Option<String>) {
    let answer = house.ask(&format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={}&{query}", encoded(BACK))).await;
    (answer.status, answer.header("location").map(str::to_owned))
}

#[tokio::test]
async fn github_unknown_client_is_a_404_page_and_never_a_redirect() {
    let house = house().await;
    for query in ["", "client_id=", "client_id=nobody&redirect_uri=http%3A%2F%2F127.0.0.1%2F"] {
        let answer = house.ask(query).await;
        assert_eq!((answer.status, answer.header("location")), (404, None), "{query}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    }
}

#[tokio::test]
async fn github_callback_carries_code_state_and_iss_in_this_order() {
    let house = house().await;
    let address = house.callback("&scope=repo", "zoe").await;
    let code = field_of(&address, "code");
    assert!(code.len() == 20 && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(address, format!("{BACK}?code={code}&state=s&iss=https%3A%2F%2Fgithub.com%2Flogin%2Foauth"));
}

#[tokio::test]
async fn github_iss_can_be_switched_off_or_be_this_hosts() {
    let house = house().await;
    house.switch("issuer_of_this_host", json!(true)).await;
    let issuer = encoded(&format!("{}/login/oauth", house.base()));
    assert_eq!(field_of(&house.callback("", "zoe").await, "iss").replace('.', "%2E"), issuer);
    house.switch("iss_in_callback", json!(false)).await;
    assert!(!house.callback("", "zoe").await.contains("iss="));
}

#[tokio::test]
async fn github_a_query_in_the_redirect_uri_is_kept_and_no_state_is_no_field() {
    let house = house().await;
    let back = encoded(&format!("{BACK}?next=%2Fhome"));
    house.ask(&format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={back}")).await;
    let address = house.decide("confirm", "zoe").await;
    let address = address.as_str().unwrap();
    assert!(address.starts_with(&format!("{BACK}?next=%2Fhome&code=")), "{address}");
    assert!(!address.contains("state="));
}

#[tokio::test]
async fn github_access_denied_has_the_exact_query() {
    let house = house().await;
    asked(&house, "state=STATE").await;
    house.switch("iss_in_callback", json!(false)).await;
    assert_eq!(
        house.decide("refuse", "zoe").await,
        json!(format!(
            "{BACK}?error=access_denied&error_description=The+user+has+denied+your+application+access.\
             &error_uri=https%3A%2F%2Fdocs.github.com%2Fapps%2Fmanaging-oauth-apps%2F\
             troubleshooting-authorization-request-errors%2F%23access-denied&state=STATE"
        ))
    );
}

#[tokio::test]
async fn github_error_callback_ends_with_iss() {
    let house = house().await;
    asked(&house, "state=STATE").await;
    let address = house.decide("refuse", "zoe").await;
    assert!(address.as_str().unwrap().ends_with("&state=STATE&iss=https%3A%2F%2Fgithub.com%2Flogin%2Foauth"));
}

#[tokio::test]
async fn github_redirect_uri_that_is_not_registered_gets_a_page_or_by_switch_a_redirect() {
    let house = house_with_app(|app| app.callbacks = vec![Callback::exact("https://example.com/back")]).await;
    let query = format!("client_id={DEFAULT_CLIENT_ID}&state=s&redirect_uri=https%3A%2F%2Fexample.com%2Fother");
    let page = house.ask(&query).await;
    assert_eq!((page.status, page.header("location")), (200, None));
    assert!(page.text().contains("redirect_uri"));
    house.switch("redirect_uri_mismatch_redirects", json!(true)).await;
    let answer = house.ask(&query).await;
    assert_eq!(answer.status, 302);
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://example.com/back?error=redirect_uri_mismatch&"), "{location}");
    assert!(location.contains("%23redirect-uri-mismatch&state=s"), "{location}");
}

#[tokio::test]
async fn github_without_a_redirect_uri_the_first_callback_is_meant() {
    let callbacks = vec![Callback::exact("https://example.com/first"), Callback::exact("https://example.com/second")];
    let house = house_with_app(|app| app.callbacks = callbacks).await;
    house.ask(&format!("client_id={DEFAULT_CLIENT_ID}")).await;
    let address = house.decide("confirm", "zoe").await;
    assert!(address.as_str().unwrap().starts_with("https://example.com/first?code="));
}

#[tokio::test]
async fn github_an_app_has_at_most_ten_callbacks() {
    use fujie_simulator::github::{App, Github, GithubConfig};
    for (count, is_good) in [(10, true), (11, false), (0, false)] {
        let callbacks = (0..count).map(|n| Callback::exact(&format!("https://example.com/{n}"))).collect();
        let config = GithubConfig { apps: vec![App { callbacks, ..App::demo() }], ..Default::default() };
        assert_eq!(Github::start("127.0.0.1:0", config).await.is_ok(), is_good, "{count}");
    }
}

#[tokio::test]
async fn github_suspended_app_is_told_at_its_callback() {
    let house = house_with_app(|app| app.suspended = true).await;
    let (status, location) = asked(&house, "state=s").await;
    assert_eq!(status, 302);
    let location = location.unwrap();
    assert!(location.starts_with("http://127.0.0.1/?error=application_suspended&error_description=Your+application+"));
    assert!(location.contains("%23application-suspended&state=s"), "{location}");
}

#[tokio::test]
async fn github_pkce_is_s256_with_43_characters_and_both_or_neither() {
    let house = house().await;
    let short = CHALLENGE.get(..42).unwrap();
    let bad = [
        format!("code_challenge={CHALLENGE}"),
        "code_challenge_method=S256".to_owned(),
        format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
        format!("code_challenge={CHALLENGE}&code_challenge_method=s256"),
        format!("code_challenge={short}&code_challenge_method=S256"),
        format!("code_challenge={CHALLENGE}x&code_challenge_method=S256"),
        format!("code_challenge={short}%2B&code_challenge_method=S256"),
    ];
    for query in &bad {
        let (status, location) = asked(&house, query).await;
        assert_eq!(status, 302, "{query}");
        assert!(location.unwrap().starts_with(&format!("{BACK}?error=invalid_request&")), "{query}");
    }
    let good = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    assert_eq!(asked(&house, &good).await.0, 200);
    house.switch("pkce", json!(false)).await;
    for query in &bad {
        assert_eq!(asked(&house, query).await.0, 200, "ignored as on Enterprise Server: {query}");
    }
}

#[tokio::test]
async fn github_unknown_parameters_and_any_prompt_are_ignored() {
    let house = house().await;
    for query in ["prompt=select_account", "prompt=none", "response_type=token", "allow_signup=false&login=zoe&x=y"] {
        assert_eq!(asked(&house, query).await.0, 200, "{query}");
    }
}

#[tokio::test]
async fn github_auto_confirm_needs_no_browser() {
    let house = house().await;
    house.switch("auto_confirm", json!("lihua")).await;
    let (status, location) = asked(&house, "state=s").await;
    assert_eq!(status, 302);
    assert!(location.unwrap().starts_with(&format!("{BACK}?code=")));
}

#[tokio::test]
async fn github_discovery_has_exactly_these_members_and_no_root_form() {
    let house = house().await;
    let answer = house.get("/.well-known/oauth-authorization-server/login/oauth").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let base = house.base();
    assert_eq!(
        answer.json(),
        json!({
            "issuer": "https://github.com/login/oauth",
            "authorization_endpoint": format!("{base}/login/oauth/authorize"),
            "token_endpoint": format!("{base}/login/oauth/access_token"),
            "response_types_supported": ["code"],
            "grant_types_supported":
                ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "service_documentation":
                "https://docs.github.com/apps/creating-github-apps/registering-a-github-app/registering-a-github-app",
            "code_challenge_methods_supported": ["S256"],
            "device_authorization_endpoint": format!("{base}/login/device/code"),
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["offline_access"],
        })
    );
    let real_length = answer.text().replace(base, "https://github.com").len();
    assert_eq!(real_length, 653, "as long as the real one was on 2026-09-19");
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn github_an_ordered_error_goes_to_the_callback() {
    let house = house().await;
    let fault = json!({ "at": "/login/oauth/authorize", "kind": "error", "error": "application_suspended" });
    assert_eq!(house.control("faults", &fault).await.status, 204);
    let (status, location) = asked(&house, "state=s").await;
    assert_eq!(status, 302);
    assert!(location.unwrap().starts_with(&format!("{BACK}?error=application_suspended&")));
}
