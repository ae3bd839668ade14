//! GitHub's page and the way back from it, quirk by quirk.

use fujie_client::{Provider, ReqwestTransport, provider};
use fujie_simulator::github::{App, Callback, DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::json;

use super::github::{house, house_with, refused};
use super::house::{BACK, cookie};

#[tokio::test]
async fn github_unknown_client_is_a_404_page_and_never_a_redirect() {
    let house = house().await;
    let unknown = house.client_of(&provider::github(), "Ov23nobodynobodynobo", DEFAULT_SECRET);
    assert_eq!(house.follow(&unknown.begin(BACK).unwrap().url).await.unwrap().status, 404);
}

#[tokio::test]
async fn github_callback_carries_code_state_and_iss_in_this_order() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "zoe").await;
    let (code, rest) = callback.strip_prefix(&format!("{BACK}?code=")).unwrap().split_once("&state=").unwrap();
    let state = rest.strip_suffix("&iss=https%3A%2F%2Fgithub.com%2Flogin%2Foauth").unwrap();
    assert_eq!(code.len(), 20);
    // The order is nobody's promise.
    let other = format!("{BACK}?code={code}&iss=https%3A%2F%2Fgithub.com%2Flogin%2Foauth&state={state}");
    assert!(house.client.finish(&other, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn github_iss_can_be_switched_off_or_be_this_hosts() {
    let house = house().await;
    house.switch(json!({"issuer_of_this_host": true})).await;
    let begun = house.begin();
    let callback = house.agree(&begun, "zoe").await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.retry()), ("issuer_mismatch", false));
    assert!(house.sent().is_empty(), "the code of another server goes nowhere");
    let issuer = format!("{}/login/oauth", house.base());
    let ours = house.client_with(&json!({"callback": {"issuer": issuer, "issuer_required": true}}));
    assert!(house.sign_in_at(&ours, "zoe").await.is_ok());
    house.switch(json!({"iss_in_callback": false})).await;
    assert!(house.sign_in("zoe").await.is_ok(), "as before 2026 and on Enterprise Server");
    assert_eq!(house.name_of(house.sign_in_at(&ours, "zoe").await), "issuer_mismatch");
}

#[tokio::test]
async fn github_a_query_in_the_redirect_uri_is_kept_and_no_state_is_no_field() {
    let house = house().await;
    let begun = house.client.begin(&format!("{BACK}?next=%2Fcart")).unwrap();
    let callback = house.agree(&begun, "zoe").await;
    assert!(callback.starts_with(&format!("{BACK}?next=%2Fcart&code=")), "{callback}");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn github_access_denied_has_the_exact_query() {
    let house = house().await;
    house.switch(json!({"iss_in_callback": false})).await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    let beginning = "error=access_denied&error_description=The+user+has+denied+your+application+access.&error_uri=";
    assert!(callback.starts_with(&format!("{BACK}?{beginning}")), "{callback}");
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
}

#[tokio::test]
async fn github_error_callback_ends_with_iss() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    assert!(callback.ends_with("&iss=https%3A%2F%2Fgithub.com%2Flogin%2Foauth"), "{callback}");
    let forged = callback.replace("github.com", "evil.test");
    assert_eq!(house.name_of(house.client.finish(&forged, &cookie(&begun)).await), "issuer_mismatch");
}

#[tokio::test]
async fn github_redirect_uri_that_is_not_registered_gets_a_page_or_by_switch_a_redirect() {
    let registered = App { callbacks: vec![Callback::exact("http://127.0.0.1/registered")], ..App::demo() };
    let house = house_with(|config| config.apps = vec![registered]).await;
    let page = house.follow(&house.begin().url).await.unwrap();
    assert!(page.status == 200 && page.text.contains("redirect_uri"));
    house.switch(json!({"redirect_uri_mismatch_redirects": true})).await;
    let begun = house.begin();
    let callback = house.follow(&begun.url).await.err().unwrap();
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error).0, "authorization_refused");
    assert!(error.report().contains("redirect_uri_mismatch"), "{}", error.report());
}

#[tokio::test]
async fn github_suspended_app_is_told_at_its_callback() {
    let house = house_with(|config| config.apps = vec![App { suspended: true, ..App::demo() }]).await;
    let begun = house.begin();
    let callback = house.follow(&begun.url).await.err().unwrap();
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.retry()), ("authorization_refused", false));
    assert!(error.report().contains("application_suspended"), "{}", error.report());
}

#[tokio::test]
async fn github_pkce_is_s256_with_43_characters_and_both_or_neither() {
    let house = house().await;
    let url = house.begin().url;
    let challenge = url.split_once("&code_challenge=").unwrap().1.split('&').next().unwrap();
    assert!(challenge.len() == 43 && url.contains("&code_challenge_method=S256"), "{url}");
    let neither = house.client_with(&json!({"pkce": "none"}));
    assert!(!neither.begin(BACK).unwrap().url.contains("code_challenge"));
    assert!(house.sign_in_at(&neither, "zoe").await.is_ok());
    house.switch(json!({"pkce": false})).await;
    assert!(house.sign_in("zoe").await.is_ok(), "ignored as on Enterprise Server");
}

#[tokio::test]
async fn github_pkce_needs_the_verifier_and_does_not_replace_the_secret() {
    let house = house().await;
    house.sign_in("zoe").await.unwrap();
    assert_eq!(house.sent()[0].in_body("code_verifier").map(|verifier| verifier.len()), Some(43));
    // A code that was stolen on its way back is of no use without this browser's verifier.
    let callback = house.agree(&house.begin(), "zoe").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    let error = house.client.redeem(house.client.registration().read_code(code).unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "bad_verification_code".to_owned()));
    let error = house.sign_in_at(&house.public_client(), "zoe").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "incorrect_client_credentials".to_owned()));
}

#[tokio::test]
async fn github_unknown_parameters_and_any_prompt_are_ignored() {
    let house = house().await;
    let record = provider::github().with_authorization_parameter("prompt", "select_account");
    let picky = house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    assert!(picky.begin(BACK).unwrap().url.ends_with("&prompt=select_account"));
    assert!(house.sign_in_at(&picky, "zoe").await.is_ok());
}

#[tokio::test]
async fn github_discovery_has_exactly_these_members_and_no_root_form() {
    let house = house().await;
    house.switch(json!({"issuer_of_this_host": true})).await;
    let transport = ReqwestTransport::new().unwrap();
    let issuer = format!("{}/login/oauth", house.base());
    let record = Provider::discover(&transport, &issuer).await.unwrap();
    assert_eq!((record.token.endpoint, record.id_token.is_some()), (format!("{issuer}/access_token"), false));
    assert_eq!((record.callback.issuer, record.callback.issuer_required), (Some(issuer), true));
    assert_eq!(house.name_of(Provider::discover(&transport, house.base()).await), "discovery");
}
