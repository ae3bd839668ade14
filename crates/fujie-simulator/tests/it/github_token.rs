//! GitHub's token endpoint: bodies it reads, formats it answers in, errors with status 200.

use crate::github_story::{House, error_of, field_of, house, house_with, house_with_app, text};
use crate::http;
use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET};
use serde_json::{Value, json};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> String {
    format!("client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}")
}

async fn expiring(house: &House) -> Value {
    let code = house.code("&scope=repo+offline_access", "zoe").await;
    house.token_json(&format!("&code={code}")).await
}

async fn refreshed(house: &House, refresh_token: &str) -> Value {
    house.token_json(&format!("&grant_type=refresh_token&refresh_token={refresh_token}")).await
}

#[tokio::test]
async fn github_token_answer_is_a_form_json_or_xml_by_accept() {
    let house = house().await;
    let cases: [(&[&str], &str, &str, &str); 4] = [
        (
            &[],
            "application/x-www-form-urlencoded; charset=utf-8",
            "access_token=gho_",
            "&scope=repo%2Cgist&token_type=bearer",
        ),
        (
            &["Accept: */*"],
            "application/x-www-form-urlencoded; charset=utf-8",
            "access_token=gho_",
            "&scope=repo%2Cgist&token_type=bearer",
        ),
        (
            &["Accept: application/json"],
            "application/json; charset=utf-8",
            "{\"access_token\":\"gho_",
            "\",\"token_type\":\"bearer\",\"scope\":\"repo,gist\"}",
        ),
        (
            &["Accept: application/xml"],
            "application/xml; charset=utf-8",
            "<OAuth><token_type>bearer</token_type><scope>repo,gist</scope><access_token>gho_",
            "</access_token></OAuth>",
        ),
    ];
    for (headers, content_type, beginning, end) in cases {
        let code = house.code("&scope=repo%20gist", "zoe").await;
        let answer = house.token(headers, &format!("{}&code={code}", client())).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)));
        let body = answer.text();
        assert!(body.starts_with(beginning) && body.ends_with(end), "{body}");
        assert_eq!(body.len(), beginning.len() + 36 + end.len(), "a token has 40 characters");
    }
}

#[tokio::test]
async fn github_token_answer_has_the_live_headers() {
    let house = house().await;
    let answer = house.token(&[], &client()).await;
    assert_eq!(answer.header("cache-control"), Some("max-age=0, private, must-revalidate"));
    assert_eq!(answer.header("vary"), Some("X-PJAX, Accept-Encoding"));
    assert!(answer.header("etag").unwrap().starts_with("W/\""));
    assert_eq!(answer.head.lines().filter(|line| line.to_lowercase().starts_with("set-cookie:")).count(), 2);
}

#[tokio::test]
async fn github_token_endpoint_reads_form_json_query_and_basic() {
    let house = house().await;
    let path = "/login/oauth/access_token";
    let (form, accept) = ("Content-Type: application/x-www-form-urlencoded", "Accept: application/json");
    let send = async |path: &str, headers: &[&str], body: &str| {
        let answer = http::send(house.base(), "POST", path, headers, body).await.json();
        assert_eq!(text(&answer, "token_type"), "bearer", "{answer}");
    };
    let code = house.code("", "zoe").await;
    let body = json!({ "client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_SECRET, "code": code });
    send(path, &["Content-Type: application/json; charset=utf-8", accept], &body.to_string()).await;
    let code = house.code("", "zoe").await;
    send(&format!("{path}?{}&code={code}", client()), &[accept], "").await;
    let code = house.code("", "zoe").await;
    // The word and the letters of Basic for the default app.
    let basic =
        "Authorization: Basic T3YyM2ZhNGVmYTRlZmE0ZWZhNGU6ZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZWZhNGVmYTRlZmE0ZQ==";
    send(path, &[form, accept, basic], &format!("grant_type=authorization_code&code={code}")).await;
}

#[tokio::test]
async fn github_get_at_the_token_endpoint_is_404_unless_switched_on() {
    let house = house().await;
    let path = format!("/login/oauth/access_token?{}&code={}", client(), house.code("", "zoe").await);
    assert_eq!(house.get(&path).await.status, 404);
    house.switch("token_endpoint_get", json!(true)).await;
    assert!(house.get(&path).await.text().starts_with("access_token=gho_"));
}

#[tokio::test]
async fn github_errors_have_status_200_and_say_where_to_read() {
    let house = house().await;
    let answer = house.token(&[], &format!("{}&code=nonsense", client())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        "error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.\
         &error_uri=https%3A%2F%2Fdocs.github.com%2Fapps%2Fmanaging-oauth-apps%2F\
         troubleshooting-oauth-app-access-token-request-errors%2F%23bad-verification-code"
    );
    let error = house.token_json("&code=nonsense").await;
    assert_eq!(
        text(&error, "error_uri"),
        "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/\
         #bad-verification-code"
    );
}

#[tokio::test]
async fn github_unknown_client_at_the_token_endpoint_is_404_json() {
    let house = house().await;
    for body in ["", "client_id=nobody&client_secret=x&code=y"] {
        let answer = house.token(&[], body).await;
        assert_eq!((answer.status, answer.text()), (404, "{\"error\":\"Not Found\"}"), "{body}");
    }
}

#[tokio::test]
async fn github_wrong_secret_comes_before_a_bad_code() {
    let house = house().await;
    for body in ["&client_secret=wrong&code=nonsense", "&code=nonsense", "&client_secret=wrong"] {
        let answer = house.token(&["Accept: application/json"], &format!("client_id={DEFAULT_CLIENT_ID}{body}")).await;
        assert_eq!((answer.status, error_of(&answer.json())), (200, "incorrect_client_credentials"), "{body}");
    }
}

#[tokio::test]
async fn github_a_code_is_redeemed_once_within_ten_minutes_by_its_app() {
    let house = house().await;
    let code = house.code("", "zoe").await;
    let other = format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}&client_secret={DEFAULT_SECRET}&code={code}");
    assert_eq!(error_of(&house.token(&["Accept: application/json"], &other).await.json()), "bad_verification_code");
    let first = house.token_json(&format!("&code={code}")).await;
    assert_eq!(error_of(&first), "none");
    assert_eq!(error_of(&house.token_json(&format!("&code={code}")).await), "bad_verification_code");
    let code = house.code("", "zoe").await;
    house.advance(600).await;
    assert_eq!(error_of(&house.token_json(&format!("&code={code}")).await), "bad_verification_code");
}

#[tokio::test]
async fn github_a_sent_redirect_uri_must_be_the_first_one() {
    let house = house().await;
    let code = house.code("", "zoe").await;
    let other = house.token_json(&format!("&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fother")).await;
    assert_eq!(error_of(&other), "redirect_uri_mismatch");
    assert!(text(&other, "error_uri").ends_with("#redirect-uri-mismatch2"));
    let same = house.token_json(&format!("&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fback")).await;
    assert_eq!(error_of(&same), "none");
}

#[tokio::test]
async fn github_pkce_needs_the_verifier_and_does_not_replace_the_secret() {
    let house = house().await;
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = house.code(&challenge, "zoe").await;
    for verifier in ["", "&code_verifier=wrong"] {
        let answer = house.token_json(&format!("&code={code}{verifier}")).await;
        assert_eq!(error_of(&answer), "bad_verification_code", "{verifier}");
    }
    let body = format!("client_id={DEFAULT_CLIENT_ID}&code={code}&code_verifier={VERIFIER}");
    let answer = house.token(&["Accept: application/json"], &body).await.json();
    assert_eq!(error_of(&answer), "incorrect_client_credentials");
    let answer = house.token_json(&format!("&code={code}&code_verifier={VERIFIER}")).await;
    assert_eq!(error_of(&answer), "none");
}

#[tokio::test]
async fn github_unverified_email_and_unknown_grant_are_errors_of_their_own() {
    let house = house().await;
    assert_eq!(error_of(&house.token_json("&grant_type=password").await), "unsupported_grant_type");
    house.switch("unverified_user_email", json!(true)).await;
    let code = house.code("", "zoe").await;
    let error = house.token_json(&format!("&code={code}")).await;
    assert_eq!(error_of(&error), "unverified_user_email");
    assert_eq!(text(&error, "error_description"), "The user must have a verified primary email.");
}

#[tokio::test]
async fn github_scopes_are_asked_with_spaces_or_commas_and_answered_with_commas() {
    let house = house().await;
    for (asked, told) in [
        ("repo%20gist", "repo,gist"),
        ("gist,repo", "gist,repo"),
        ("user,gist,user:email", "user,gist"),
        ("repo+nonsense", "repo"),
        ("repo+offline_access", "repo"),
    ] {
        let code = house.code(&format!("&scope={asked}"), "zoe").await;
        assert_eq!(text(&house.token_json(&format!("&code={code}")).await, "scope"), told, "{asked}");
    }
}

#[tokio::test]
async fn github_empty_scope_gives_all_that_was_granted_before() {
    let house = house().await;
    assert_eq!(text(&house.token_json(&format!("&code={}", house.code("", "zoe").await)).await, "scope"), "");
    house.access_token("gist", "zoe").await;
    house.access_token("user:email", "zoe").await;
    let code = house.code("", "zoe").await;
    assert_eq!(text(&house.token_json(&format!("&code={code}")).await, "scope"), "gist,user:email");
}

#[tokio::test]
async fn github_github_app_tokens_are_ghu_without_scope_and_expire() {
    let house = house().await;
    house.ask(&format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}&scope=repo")).await;
    let code = field_of(house.decide("confirm", "zoe").await.as_str().unwrap(), "code");
    let body = format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}&client_secret={DEFAULT_SECRET}&code={code}");
    let answer = house.token(&[], &body).await;
    let form = format!("?{}", answer.text());
    assert!(field_of(&form, "access_token").starts_with("ghu_"));
    assert_eq!(field_of(&form, "scope"), "");
    assert_eq!(field_of(&form, "expires_in"), "28800");
}

#[tokio::test]
async fn github_expiring_tokens_come_with_a_refresh_token_in_this_order() {
    let house = house().await;
    let code = house.code("&scope=repo+offline_access", "zoe").await;
    let answer = house.token(&["Accept: application/json"], &format!("{}&code={code}", client())).await;
    let names = ["access_token", "token_type", "scope", "expires_in", "refresh_token", "refresh_token_expires_in"];
    let at: Vec<_> = names.iter().map(|name| answer.text().find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(at.is_sorted(), "{}", answer.text());
    let json = answer.json();
    let refresh_token = text(&json, "refresh_token");
    assert!(refresh_token.starts_with("ghr_") && refresh_token.len() == 80);
    assert_eq!(json.get("expires_in"), Some(&json!(28800)));
    assert_eq!(json.get("refresh_token_expires_in"), Some(&json!(15_897_600)));
    let refreshed =
        house.token(&[], &format!("{}&grant_type=refresh_token&refresh_token={refresh_token}", client())).await;
    let form = refreshed.text().split('&').map(|pair| pair.split_once('=').unwrap().0).collect::<Vec<_>>();
    let alphabetical =
        ["access_token", "expires_in", "refresh_token", "refresh_token_expires_in", "scope", "token_type"];
    assert_eq!(form, alphabetical);
}

#[tokio::test]
async fn github_expires_in_can_be_text_as_in_2020_and_offline_access_can_be_ignored() {
    let house = house().await;
    house.switch("expires_in_as_text", json!(true)).await;
    assert_eq!(expiring(&house).await.get("expires_in"), Some(&json!("28800")));
    house.switch("offline_access", json!(false)).await;
    assert_eq!(expiring(&house).await.get("refresh_token"), None);
}

#[tokio::test]
async fn github_a_refresh_kills_both_old_tokens_at_once() {
    let house = house().await;
    let first = expiring(&house).await;
    let second = refreshed(&house, &text(&first, "refresh_token")).await;
    assert_eq!(text(&second, "scope"), "repo");
    let repeated = refreshed(&house, &text(&first, "refresh_token")).await;
    assert_eq!(error_of(&repeated), "bad_refresh_token");
    assert_eq!(text(&repeated, "error_description"), "The refresh token passed is incorrect or expired.");
    assert_eq!(house.call(&text(&first, "access_token"), "GET", "/user", "").await.status, 401);
    assert_eq!(house.call(&text(&second, "access_token"), "GET", "/user", "").await.status, 200);
}

#[tokio::test]
async fn github_an_expired_token_is_refused_and_can_still_be_refreshed() {
    let house = house().await;
    let first = expiring(&house).await;
    house.advance(28_800).await;
    assert_eq!(house.call(&text(&first, "access_token"), "GET", "/user", "").await.status, 401);
    assert_eq!(error_of(&refreshed(&house, &text(&first, "refresh_token")).await), "none");
}

#[tokio::test]
async fn github_a_refresh_needs_the_secret_and_its_own_app() {
    let house = house().await;
    let refresh_token = text(&expiring(&house).await, "refresh_token");
    let refresh = format!("&grant_type=refresh_token&refresh_token={refresh_token}");
    let accept = ["Accept: application/json"];
    let without = house.token(&accept, &format!("client_id={DEFAULT_CLIENT_ID}{refresh}")).await;
    assert_eq!(error_of(&without.json()), "incorrect_client_credentials");
    let other = format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}&client_secret={DEFAULT_SECRET}{refresh}");
    assert_eq!(error_of(&house.token(&accept, &other).await.json()), "bad_refresh_token");
    assert_eq!(error_of(&refreshed(&house, &refresh_token).await), "none");
}

#[tokio::test]
async fn github_an_eleventh_token_revokes_the_oldest() {
    let house = house().await;
    let mut tokens = Vec::new();
    for _ in 0..11 {
        tokens.push(house.access_token("repo", "zoe").await);
    }
    let mut statuses = Vec::new();
    for token in &tokens {
        statuses.push(house.call(token, "GET", "/user", "").await.status);
    }
    assert_eq!(statuses, [401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]);
}

#[tokio::test]
async fn github_an_oauth_app_can_be_set_to_expire() {
    let house = house_with_app(|app| app.expiring_tokens = Some(true)).await;
    let code = house.code("", "zoe").await;
    assert!(house.token_json(&format!("&code={code}")).await.get("refresh_token").is_some());
    let house = house_with(|config| config.refresh_token_lifetime = std::time::Duration::from_secs(15_811_200)).await;
    assert_eq!(expiring(&house).await.get("refresh_token_expires_in"), Some(&json!(15_811_200)));
}

#[tokio::test]
async fn github_an_ordered_error_is_told_in_the_callers_format() {
    let house = house().await;
    let fault = json!({ "at": "/login/oauth/access_token", "kind": "error", "error": "bad_verification_code" });
    assert_eq!(house.control("faults", &fault).await.status, 204);
    assert!(house.token(&[], &client()).await.text().starts_with("error=bad_verification_code&"));
    let unknown = json!({ "at": "/login/oauth/access_token", "kind": "error", "error": "never_heard_of" });
    assert_eq!(house.control("faults", &unknown).await.status, 400);
}
