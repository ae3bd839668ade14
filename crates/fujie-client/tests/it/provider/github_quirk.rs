//! What breaks a generic client at GitHub, one quirk each; then its errors and what the network may do.

use fujie_client::Endpoint::{Api, DeviceAuthorization, Refresh, Token, User};
use fujie_client::{Method, provider};
use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET};
use serde_json::json;

use super::fault::{self, Row};
use super::github::{asking, expiring_house, house, house_with, refused};
use super::house::{BACK, after, cookie};

#[tokio::test]
async fn github_token_answer_is_a_form_json_or_xml_by_accept() {
    let house = house().await;
    house.tokens("zoe").await;
    let exchange = house.sent().remove(0);
    assert_eq!((exchange.method, exchange.header("accept")), (Method::Post, Some("application/json")));
    for (accept, answer, expected) in [
        ("*/*", "form", "ok"),
        ("application/json", "form", "ok"),
        ("*/*", "json", "unreadable"),
        ("application/xml", "json", "unreadable"),
    ] {
        let other = house.client_with(&json!({"token": {"headers": [["accept", accept]], "answer": answer}}));
        assert_eq!(house.name_of(house.sign_in_at(&other, "zoe").await), expected, "{accept} as {answer}");
    }
    fault::labels(&house).await;
}

#[tokio::test]
async fn github_token_endpoint_reads_form_json_query_and_basic() {
    let house = house().await;
    for changes in [
        json!({"token": {"method": "post_json"}}),
        json!({"token": {"method": "post_query"}}),
        json!({"client_authentication": "client_secret_basic"}),
    ] {
        assert!(house.sign_in_at(&house.client_with(&changes), "zoe").await.is_ok(), "{changes}");
    }
}

#[tokio::test]
async fn github_get_at_the_token_endpoint_is_404_unless_switched_on() {
    let house = house().await;
    let get = house.client_with(&json!({"token": {"method": "get"}}));
    let error = house.sign_in_at(&get, "zoe").await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("unreadable", 404));
    house.switch(json!({"token_endpoint_get": true})).await;
    assert!(house.sign_in_at(&get, "zoe").await.is_ok());
}

#[tokio::test]
async fn github_errors_have_status_200_and_say_where_to_read() {
    let house = house().await;
    let begun = house.client.registration().read_code("c0de").unwrap();
    let error = house.client.redeem(begun).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "bad_verification_code".to_owned()));
    let evidence = error.evidence().unwrap();
    let message = "The code passed is incorrect or expired.";
    assert_eq!((evidence.status, evidence.message.as_deref()), (200, Some(message)));
    assert_eq!(evidence.content_type.as_deref(), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn github_unknown_client_at_the_token_endpoint_is_404_json() {
    let house = house().await;
    let unknown = house.client_of(&provider::github(), "Ov23nobodynobodynobo", DEFAULT_SECRET);
    let error = unknown.redeem(unknown.registration().read_code("c0de").unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "Not Found".to_owned()));
    assert_eq!((error.evidence().unwrap().status, error.retry()), (404, false));
}

#[tokio::test]
async fn github_wrong_secret_comes_before_a_bad_code() {
    let house = house().await;
    let wrong = house.client_of(&provider::github(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret-1");
    let error = wrong.redeem(wrong.registration().read_code("c0de").unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "incorrect_client_credentials".to_owned()));
    assert!(!error.retry(), "nothing changes by itself");
}

#[tokio::test]
async fn github_a_code_is_redeemed_once_within_ten_minutes_by_its_app() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "zoe").await;
    house.advance_provider(600).await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "bad_verification_code".to_owned()));
    let app = house.client_of(&provider::github(), DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET);
    let (ours, theirs) = (house.begin(), app.begin(BACK).unwrap());
    let callback = house.agree(&ours, "zoe").await;
    let state = theirs.url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let code = callback.split("&state=").next().unwrap();
    let error = app.finish(&format!("{code}&state={state}"), &cookie(&theirs)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "bad_verification_code".to_owned()));
    assert!(house.client.finish(&callback, &cookie(&ours)).await.is_ok());
}

#[tokio::test]
async fn github_a_sent_redirect_uri_must_be_the_first_one() {
    let house = house().await;
    house.tokens("zoe").await;
    assert_eq!(house.sent()[0].in_body("redirect_uri").as_deref(), Some(BACK));
    let other = house.client_with(&json!({"token": {"parameters": [
        ["code", "{code}"], ["redirect_uri", "http://127.0.0.1:8080/other"], ["code_verifier", "{code_verifier}"],
    ]}}));
    let error = house.sign_in_at(&other, "zoe").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "redirect_uri_mismatch".to_owned()));
}

#[tokio::test]
async fn github_unverified_email_and_unknown_grant_are_errors_of_their_own() {
    let house = house().await;
    house.switch(json!({"unverified_user_email": true})).await;
    let error = house.sign_in("zoe").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("account_restricted", "unverified_user_email".to_owned()));
    let error = house.client.client_credentials(&[]).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "unsupported_grant_type".to_owned()));
}

#[tokio::test]
async fn github_scopes_are_asked_with_spaces_or_commas_and_answered_with_commas() {
    let house = house().await;
    for (asked, granted, missing) in [
        (&["repo", "gist"][..], &["repo", "gist"][..], &[][..]),
        // A scope that another one implies is not named again, and an unknown one is dropped.
        (&["user", "gist", "user:email"], &["user", "gist"], &["user:email"]),
        (&["repo", "nonsense"], &["repo"], &["nonsense"]),
        // It is no scope of the token: the refresh token is the answer.
        (&["repo", "offline_access"], &["repo"], &[]),
    ] {
        let client = asking(&house, asked);
        assert!(
            client.begin(BACK).unwrap().url.contains(&format!("&scope={}&", asked.join("%20").replace(':', "%3A")))
        );
        let tokens = house.sign_in_at(&client, "zoe").await.unwrap().tokens;
        assert_eq!((tokens.scope, tokens.scope_missing), (texts(granted), texts(missing)), "{asked:?}");
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn github_empty_scope_gives_all_that_was_granted_before() {
    let house = house().await;
    assert_eq!(house.tokens("zoe").await.scope, texts(&[]));
    house.sign_in_at(&asking(&house, &["gist"]), "zoe").await.unwrap();
    let tokens = house.tokens("zoe").await;
    assert_eq!((tokens.scope, tokens.scope_missing), (texts(&["gist"]), texts(&[])));
}

#[tokio::test]
async fn github_github_app_tokens_are_ghu_without_scope_and_expire() {
    let house = house().await;
    let app = house.client_of(&provider::github(), DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET);
    let tokens = house.sign_in_at(&app, "zoe").await.unwrap().tokens;
    assert!(tokens.access_token.expose().starts_with("ghu_") && tokens.refresh_token.is_some());
    assert_eq!((tokens.scope.len(), tokens.expires_at), (0, after(28_800)));
    assert!(app.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn github_expires_in_can_be_text_as_in_2020_and_offline_access_can_be_ignored() {
    let house = house().await;
    let offline = asking(&house, &["repo", "offline_access"]);
    house.switch(json!({"expires_in_as_text": true})).await;
    let tokens = house.sign_in_at(&offline, "zoe").await.unwrap().tokens;
    assert_eq!((tokens.expires_at, tokens.refresh_token.is_some()), (after(28_800), true));
    house.switch(json!({"offline_access": false})).await;
    let tokens = house.sign_in_at(&offline, "zoe").await.unwrap().tokens;
    assert_eq!((tokens.expires_at, tokens.refresh_token.is_none()), (None, true));
    assert_eq!(tokens.scope_missing, ["offline_access"]);
    assert_eq!(house.name_of(offline.refresh(&tokens).await), "not_offered");
}

#[tokio::test]
async fn github_a_refresh_kills_both_old_tokens_at_once() {
    let house = expiring_house().await;
    let first = house.tokens("zoe").await;
    let second = house.client.refresh(&first).await.unwrap();
    assert_eq!(house.name_of(house.client.user(&first).await), "access_token_refused");
    let error = house.client.refresh(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "bad_refresh_token".to_owned()));
    assert!(house.client.user(&second).await.is_ok());
}

#[tokio::test]
async fn github_an_expired_token_is_refused_and_can_still_be_refreshed() {
    let house = expiring_house().await;
    let tokens = house.tokens("zoe").await;
    house.advance(28_800).await;
    assert_eq!(house.name_of(house.client.user(&tokens).await), "access_token_refused");
    assert!(house.client.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn github_a_refresh_needs_the_secret_and_its_own_app() {
    let house = house_with(|config| config.apps[0].expiring_tokens = Some(true)).await;
    let tokens = house.tokens("zoe").await;
    let error = house.public_client().refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "incorrect_client_credentials".to_owned()));
    let app = house.client_of(&provider::github(), DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET);
    assert_eq!(house.name_of(app.refresh(&tokens).await), "refresh_token_refused");
    assert!(house.client.refresh(&tokens).await.is_ok(), "neither spent it");
}

#[tokio::test]
async fn github_an_eleventh_token_revokes_the_oldest() {
    let house = house().await;
    let oldest = house.tokens("zoe").await;
    for _ in 0..9 {
        house.tokens("zoe").await;
    }
    assert!(house.client.user(&oldest).await.is_ok());
    house.tokens("zoe").await;
    assert_eq!(house.name_of(house.client.user(&oldest).await), "access_token_refused");
}

#[tokio::test]
async fn github_without_a_user_agent_is_403_html_that_is_not_json() {
    let house = house().await;
    let tokens = house.tokens("zoe").await;
    // Ours is sent by the transport. Of one that sends none, this is what is heard.
    let body = "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header.";
    let page = json!({"kind": "status", "status": 403, "body": body, "content_type": "text/html"});
    house.order(User, &page).await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error).0, "not_permitted");
    assert!(error.report().contains("content type text/html"), "{}", error.report());
    assert!(error.report().contains("has a User-Agent header"), "{}", error.report());
}

#[tokio::test]
async fn github_api_is_at_the_root_and_under_api_v3() {
    let house = house().await;
    let user = format!("{}/api/v3/user", house.base());
    let enterprise = house.client_with(&json!({"user": {"endpoint": user}}));
    let (there, here) = (house.sign_in_at(&enterprise, "zoe").await, house.sign_in("zoe").await);
    assert_eq!(there.unwrap().identity.subject, here.unwrap().identity.subject);
}

#[tokio::test]
async fn github_bad_credentials_are_401_with_a_status_that_is_text() {
    let house = house().await;
    let mut tokens = house.tokens("zoe").await;
    tokens.access_token = fujie_client::Secret::new("gho_123456789012345678901234567890123456");
    for has_status in [true, false] {
        house.switch(json!({"status_in_errors": has_status})).await;
        let error = house.client.user(&tokens).await.unwrap_err();
        assert_eq!(refused(&house, &error).0, "access_token_refused");
        let evidence = error.evidence().unwrap();
        assert_eq!((evidence.status, evidence.message.as_deref()), (401, Some("Bad credentials")));
    }
}

#[tokio::test]
async fn github_bearer_and_token_are_both_understood_in_any_case() {
    let house = house().await;
    let tokens = house.tokens("zoe").await;
    let sent = house.sent().pop().unwrap();
    assert_eq!(sent.header("authorization"), Some(format!("Bearer {}", tokens.access_token.expose()).as_str()));
    assert_eq!((sent.query(), sent.header("accept")), ("", Some("application/vnd.github+json")));
    let word = house.client_with(&json!({"user": {"headers": [["authorization", "token {access_token}"]]}}));
    assert!(word.user(&tokens).await.is_ok());
    let query =
        house.client_with(&json!({"user": {"headers": [], "parameters": [["access_token", "{access_token}"]]}}));
    assert!(!house.name_of(query.user(&tokens).await).starts_with("ok"), "gone since 2021");
}

#[tokio::test]
async fn github_no_credentials_are_requires_authentication() {
    let house = house().await;
    let nothing = house.client_with(&json!({"user": {"headers": []}}));
    let error = house.sign_in_at(&nothing, "zoe").await.unwrap_err();
    assert_eq!(refused(&house, &error).0, "access_token_refused");
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("Requires authentication"));
}

#[tokio::test]
async fn github_unknown_path_method_or_trailing_slash_is_404() {
    let house = house().await;
    let slash = house.client_with(&json!({"user": {"endpoint": format!("{}/user/", house.base())}}));
    let error = house.sign_in_at(&slash, "zoe").await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("refused", 404));
}

#[tokio::test]
async fn github_expiring_tokens_come_with_a_refresh_token_in_this_order() {
    let house = expiring_house().await;
    for (accept, answer) in [("application/json", "json"), ("*/*", "form")] {
        let client = house.client_with(&json!({"token": {"headers": [["accept", accept]], "answer": answer}}));
        let tokens = house.sign_in_at(&client, "zoe").await.unwrap().tokens;
        assert!(tokens.refresh_token.unwrap().expose().starts_with("ghr_"), "{accept}");
        assert_eq!(tokens.expires_at, after(28_800), "{accept}");
    }
}

#[tokio::test]
async fn github_unknown_api_version_is_400() {
    let house = house().await;
    let tokens = house.tokens("zoe").await;
    assert_eq!(house.sent().pop().unwrap().header("x-github-api-version"), Some("2022-11-28"));
    let version = |version: &str| {
        json!({"user": {"headers": [
            ["authorization", "Bearer {access_token}"], ["x-github-api-version", version],
        ]}})
    };
    assert!(house.client_with(&version("2026-03-10")).user(&tokens).await.is_ok());
    let error = house.client_with(&version("2000-01-01")).user(&tokens).await.unwrap_err();
    assert_eq!((refused(&house, &error).0, error.evidence().unwrap().status), ("refused", 400));
}

#[tokio::test]
async fn github_user_has_every_member_and_a_number_for_ever() {
    let house = house().await;
    let identity = house.sign_in("zoe").await.unwrap().identity;
    assert!(identity.raw["id"].is_u64() && identity.raw["email"].is_null());
    assert_eq!(identity.raw["id"].to_string(), identity.subject);
    house.switch(json!({"public_email": true})).await;
    let identity = house.sign_in("zoe").await.unwrap().identity;
    assert_eq!(identity.raw["email"], "zoe@example.com");
}

#[tokio::test]
async fn github_limits_are_exceeded_by_switch_or_order() {
    let house = house().await;
    let tokens = house.tokens("zoe").await;
    for status in [403, 429] {
        for limit in ["rate_limit_exceeded", "secondary_rate_limit_exceeded"] {
            house.switch(json!({limit: true, "rate_limit_status": status})).await;
            let error = house.client.user(&tokens).await.unwrap_err();
            house.switch(json!({limit: false})).await;
            assert_eq!((refused(&house, &error).0, error.retry()), ("rate_limited", true), "{limit} {status}");
            assert_eq!(error.evidence().unwrap().status, status);
        }
    }
    // Without `Retry-After`, a 403 says in its text alone what it is about, and texts are not believed.
    house.switch(json!({"secondary_rate_limit_exceeded": true, "retry_after": false, "rate_limit_status": 403})).await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error).0, "not_permitted");
    assert!(error.report().contains("You have exceeded a secondary rate limit."), "{}", error.report());
}

#[tokio::test]
async fn github_primary_limit_is_60_without_a_token_and_begins_anew() {
    let house = house_with(|config| config.rate_limit = 2).await;
    let tokens = house.tokens("zoe").await;
    assert!(house.client.user(&tokens).await.is_ok());
    assert_eq!(house.name_of(house.client.user(&tokens).await), "rate_limited");
    house.advance_provider(3600).await;
    assert!(house.client.user(&tokens).await.is_ok());
}

#[tokio::test]
async fn github_ordered_errors_of_the_api_are_json() {
    let house = house().await;
    let tokens = house.sign_in_at(&asking(&house, &["repo"]), "xiaoming").await.unwrap().tokens;
    for (code, status, at_user, at_api) in [
        ("400", 400, "refused", "request_refused"),
        ("bad_credentials", 401, "access_token_refused", "access_token_refused"),
        ("requires_authentication", 401, "access_token_refused", "access_token_refused"),
        ("not_accessible", 403, "not_permitted", "not_permitted"),
        ("not_found", 404, "refused", "not_permitted"),
        ("validation_failed", 422, "refused", "request_refused"),
        ("429", 429, "rate_limited", "rate_limited"),
        ("server_error", 500, "busy", "busy"),
        ("503", 503, "busy", "busy"),
    ] {
        for (endpoint, expected) in [(User, at_user), (Api, at_api)] {
            house.order(endpoint, &json!({"kind": "error", "error": code})).await;
            let error = fault::ask(&house, &house.client, endpoint, &tokens).await.unwrap_err();
            house.clear_faults().await;
            assert_eq!(refused(&house, &error).0, expected, "{code} at the {endpoint}");
            fault::advises(&error);
            let evidence = error.evidence().unwrap();
            assert_eq!((evidence.status, evidence.message.is_some()), (status, true), "{code} at the {endpoint}");
        }
    }
}

const LOGIN: [fujie_client::Endpoint; 3] = [Token, Refresh, DeviceAuthorization];
const OF_CODE: &[&str] = &["code_refused", "refresh_token_refused", "code_refused"];

const CODES: &[Row] = &[
    ("incorrect_client_credentials", "the id or the secret is wrong", &["credentials_refused"]),
    ("redirect_uri_mismatch", "another one than before", &["request_refused"]),
    ("bad_verification_code", "the code is wrong or expired", OF_CODE),
    ("unverified_user_email", "no verified primary address", &["account_restricted"]),
    ("bad_refresh_token", "the refresh token is wrong or expired", &["refresh_token_refused"]),
    ("unsupported_grant_type", "no such grant", &["request_refused"]),
    ("invalid_request", "a parameter is wrong", &["request_refused"]),
    ("access_denied", "the person refused", &["denied"]),
    ("application_suspended", "GitHub has suspended us", &["not_permitted"]),
    ("device_flow_disabled", "not switched on", &["not_permitted"]),
    ("incorrect_device_code", "unknown or spent", OF_CODE),
    ("slow_down", "too many requests", &["rate_limited"]),
];

#[tokio::test]
async fn github_every_error_of_the_login_endpoints_ends_in_its_cause() {
    fault::codes(&expiring_house().await, &LOGIN, CODES).await;
}

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    let house = expiring_house().await;
    let tokens = house.sign_in_at(&asking(&house, &["repo"]), "xiaoming").await.unwrap().tokens;
    // The refresh is the last: an answer that is lost has ended both old tokens all the same.
    fault::faults_with(&house, &tokens, &[Token, DeviceAuthorization, User, Api, Refresh], &["rate_limited"]).await;
}
