//! GitHub's API: what every call meets, people, repositories, limits.

use crate::github_story::{House, house, house_with, text};
use crate::http;
use fujie_simulator::github::{DEFAULT_GITHUB_APP_CLIENT_ID, DEFAULT_SECRET};
use serde_json::{Value, json};
use std::time::Duration;

async fn anonymous(house: &House, path: &str, headers: &[&str]) -> http::Answer {
    let mut all = vec!["User-Agent: test"];
    all.extend(headers);
    http::send(house.base(), "GET", path, &all, "").await
}

async fn github_app_token(house: &House) -> String {
    house.ask(&format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}")).await;
    let address = house.decide("confirm", "xiaoming").await;
    let code = crate::github_story::field_of(address.as_str().unwrap(), "code");
    let body = format!("client_id={DEFAULT_GITHUB_APP_CLIENT_ID}&client_secret={DEFAULT_SECRET}&code={code}");
    text(&house.token(&["Accept: application/json"], &body).await.json(), "access_token")
}

#[tokio::test]
async fn github_without_a_user_agent_is_403_html_that_is_not_json() {
    let house = house().await;
    let answer = house.get("/user").await;
    assert_eq!((answer.status, answer.header("content-type")), (403, Some("text/html")));
    assert_eq!(answer.header("connection"), Some("close"));
    let lines: Vec<_> = answer.text().lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines.first(), Some(&"Request forbidden by administrative rules."));
    assert!(lines.get(1).unwrap().starts_with("Please make sure your request has a User-Agent header"));
}

#[tokio::test]
async fn github_api_is_at_the_root_and_under_api_v3() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    for (prefix, login) in [("", "zoe"), ("/api/v3", "zoe")] {
        let user = house.call(&token, "GET", &format!("{prefix}/user"), "").await.json();
        assert_eq!(text(&user, "login"), login);
        assert_eq!(text(&user, "url"), format!("{}{prefix}/users/zoe", house.base()));
        for root in [format!("{prefix}/"), if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }] {
            let answer = house.call(&token, "GET", &root, "").await;
            assert_eq!(text(&answer.json(), "current_user_url"), format!("{}{prefix}/user", house.base()), "{root}");
        }
    }
    let browser = anonymous(&house, "/", &["Accept: text/html"]).await;
    assert_eq!((browser.status, browser.header("location")), (303, Some("/phone")));
}

#[tokio::test]
async fn github_bad_credentials_are_401_with_a_status_that_is_text() {
    let house = house().await;
    let expected =
        "{\"message\":\"Bad credentials\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"401\"}";
    let answer = house.call("gho_nonsense", "GET", "/user", "").await;
    assert_eq!((answer.status, answer.text()), (401, expected));
    let public = house.call("gho_nonsense", "GET", "/users/zoe", "").await;
    assert_eq!(public.status, 401, "a bad token is refused where none is needed");
    house.switch("status_in_errors", json!(false)).await;
    assert!(!house.call("gho_nonsense", "GET", "/user", "").await.text().contains("\"status\""));
}

#[tokio::test]
async fn github_no_credentials_are_requires_authentication() {
    let house = house().await;
    let answer = anonymous(&house, "/user", &[]).await;
    assert_eq!((answer.status, text(&answer.json(), "message").as_str()), (401, "Requires authentication"));
}

#[tokio::test]
async fn github_bearer_and_token_are_both_understood_in_any_case() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    for (word, status) in [("Bearer", 200), ("bearer", 200), ("token", 200), ("TOKEN", 200), ("Digest", 401)] {
        let header = format!("Authorization: {word} {token}");
        assert_eq!(anonymous(&house, "/user", &[&header]).await.status, status, "{word}");
    }
    assert_eq!(anonymous(&house, &format!("/user?access_token={token}"), &[]).await.status, 400, "not in the query");
}

#[tokio::test]
async fn github_unknown_api_version_is_400() {
    let house = house().await;
    for (version, status) in [("2022-11-28", 200), ("2026-03-10", 200), ("2020-01-01", 400)] {
        let answer = anonymous(&house, "/users/zoe", &[&format!("X-GitHub-Api-Version: {version}")]).await;
        assert_eq!(answer.status, status, "{version}");
    }
    assert_eq!(anonymous(&house, "/users/zoe", &[]).await.header("x-github-api-version-selected"), Some("2022-11-28"));
}

#[tokio::test]
async fn github_unknown_path_method_or_trailing_slash_is_404() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    for (method, path) in [("GET", "/user/"), ("DELETE", "/user"), ("GET", "/nothing"), ("GET", "/api/v3/nothing")] {
        let answer = house.call(&token, method, path, "").await;
        assert_eq!((answer.status, text(&answer.json(), "message").as_str()), (404, "Not Found"), "{method} {path}");
    }
}

#[tokio::test]
async fn github_answers_have_the_live_headers() {
    let house = house().await;
    let token = house.access_token("user,repo,gist,admin:repo_hook", "zoe").await;
    let answer = house.call(&token, "GET", "/user", "").await;
    for (name, value) in [
        ("server", "GitHub.com"),
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "private, max-age=60, s-maxage=60"),
        ("vary", "Accept, Authorization, Cookie, X-GitHub-OTP"),
        ("x-oauth-scopes", "admin:repo_hook, gist, repo, user"),
        ("x-accepted-oauth-scopes", ""),
        ("x-github-media-type", "github.v3; format=json"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-resource", "core"),
        ("access-control-allow-origin", "*"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert!(answer.header("x-github-request-id").is_some());
    assert!(answer.header("x-ratelimit-reset").unwrap().parse::<u64>().is_ok());
    let emails = house.call(&token, "GET", "/user/emails", "").await;
    assert_eq!(emails.header("x-accepted-oauth-scopes"), Some("user, user:email"));
}

#[tokio::test]
async fn github_app_tokens_have_permissions_in_place_of_scopes_and_tell_their_end() {
    let house = house().await;
    let token = github_app_token(&house).await;
    let answer = house.call(&token, "GET", "/user/emails", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-accepted-github-permissions"), Some("emails=read"));
    assert_eq!((answer.header("x-oauth-scopes"), answer.header("x-accepted-oauth-scopes")), (None, None));
    let expiration = answer.header("github-authentication-token-expiration").unwrap();
    assert!(expiration.ends_with(" UTC") && expiration.len() == "2026-11-21 16:00:00 UTC".len());
}

#[tokio::test]
async fn github_etag_answers_304_which_costs_nothing() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    let first = house.call(&token, "GET", "/user", "").await;
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.len() == 66 && etag.starts_with('"'), "64 hexadecimal digits in quotes: {etag}");
    let again =
        anonymous(&house, "/user", &[&format!("Authorization: Bearer {token}"), &format!("If-None-Match: W/{etag}")])
            .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("x-ratelimit-used"), Some("1"));
    assert_eq!(again.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn github_user_has_every_member_and_a_number_for_ever() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    let user = house.call(&token, "GET", "/user", "").await.json();
    for name in ["id", "public_repos", "public_gists", "followers", "following"] {
        assert!(user.get(name).unwrap().is_u64(), "{name}");
    }
    for name in
        ["login", "node_id", "avatar_url", "gravatar_id", "html_url", "type", "blog", "created_at", "updated_at"]
    {
        assert!(user.get(name).unwrap().is_string(), "{name}");
    }
    for name in ["company", "location", "email", "bio", "hireable", "twitter_username"] {
        assert_eq!(user.get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(user.get("plan"), None, "without a scope");
    let other = self::house().await;
    let again = other.call(&other.access_token("read:user", "zoe").await, "GET", "/user", "").await.json();
    assert_eq!(again.get("id"), user.get("id"));
    assert!(again.get("plan").is_some() && text(&again, "user_view_type") == "private");
    let by_id = other.get_json(&format!("/user/{}", user.get("id").unwrap())).await;
    assert_eq!(text(&by_id, "login"), "zoe");
    let avatar = text(&user, "avatar_url");
    let picture = house.get(avatar.strip_prefix(house.base()).unwrap()).await;
    assert_eq!(picture.header("content-type"), Some("image/jpeg"));
}

impl House {
    async fn get_json(&self, path: &str) -> Value {
        anonymous(self, path, &[]).await.json()
    }
}

#[tokio::test]
async fn github_emails_are_hidden_without_the_scope_and_null_in_the_profile() {
    let house = house().await;
    let without = house.access_token("read:user", "zoe").await;
    assert_eq!(house.call(&without, "GET", "/user/emails", "").await.status, 404);
    let with = house.access_token("user:email", "zoe").await;
    let emails = house.call(&with, "GET", "/user/emails", "").await.json();
    let first = json!({ "email": "zoe@example.com", "primary": true, "verified": true, "visibility": "private" });
    assert_eq!(emails.get(0), Some(&first));
    let second = emails.get(1).unwrap();
    assert!(text(second, "email").ends_with("+zoe@users.noreply.github.com"));
    assert_eq!((second.get("primary"), second.get("visibility")), (Some(&json!(false)), Some(&Value::Null)));
    house.switch("public_email", json!(true)).await;
    assert_eq!(text(&house.get_json("/users/ZOE").await, "email"), "zoe@example.com");
}

#[tokio::test]
async fn github_app_without_the_permission_is_not_accessible_by_integration() {
    let house = house_with(|config| config.apps.iter_mut().for_each(|app| app.permissions.clear())).await;
    let token = github_app_token(&house).await;
    for path in ["/user/emails", "/repos/xiaoming/demo/hooks"] {
        let answer = house.call(&token, "GET", path, "").await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(text(&answer.json(), "message"), "Resource not accessible by integration");
    }
}

#[tokio::test]
async fn github_private_repositories_are_404_for_strangers_and_without_the_scope() {
    let house = house().await;
    let path = "/repos/zoe/secret-garden";
    for (scope, person, status) in
        [("repo", "zoe", 200), ("repo", "lihua", 200), ("repo", "xiaoming", 404), ("public_repo", "zoe", 404)]
    {
        let token = house.access_token(scope, person).await;
        assert_eq!(house.call(&token, "GET", path, "").await.status, status, "{scope} {person}");
    }
    assert_eq!(anonymous(&house, path, &[]).await.status, 404);
    assert_eq!(anonymous(&house, "/repos/XIAOMING/Demo", &[]).await.status, 200);
}

#[tokio::test]
async fn github_repositories_tell_who_may_administer_them() {
    let house = house().await;
    let token = house.access_token("repo", "lihua").await;
    let list = house.call(&token, "GET", "/user/repos?per_page=100&sort=updated", "").await.json();
    let told: Vec<_> = (list.as_array().unwrap().iter())
        .map(|one| (text(one, "full_name"), one.pointer("/permissions/admin").unwrap().as_bool().unwrap()))
        .collect();
    assert_eq!(told, [("zoe/secret-garden".to_owned(), false), ("lihua/demo".to_owned(), true)]);
    let own = house.call(&token, "GET", "/user/repos?affiliation=owner,organization_member", "").await.json();
    assert_eq!(own.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn github_lists_come_in_parts_with_links() {
    use fujie_simulator::github::Repository;
    let house = house_with(|config| {
        config.repositories.extend((0..5).map(|n| Repository::public("lihua", &format!("r{n}"))));
    })
    .await;
    let token = house.access_token("", "lihua").await;
    let answer = house.call(&token, "GET", "/user/repos?per_page=2&page=2&visibility=all", "").await;
    assert_eq!(answer.json().as_array().unwrap().len(), 2);
    let at = |page: u32| format!("<{}/user/repos?per_page=2&visibility=all&page={page}>", house.base());
    let link =
        format!("{}; rel=\"prev\", {}; rel=\"next\", {}; rel=\"last\", {}; rel=\"first\"", at(1), at(3), at(3), at(1));
    assert_eq!(answer.header("link"), Some(link.as_str()));
    assert_eq!(house.call(&token, "GET", "/user/repos", "").await.header("link"), None);
}

#[tokio::test]
async fn github_primary_limit_is_60_without_a_token_and_begins_anew() {
    let house = house_with(|config| config.rate_limit_without_token = 2).await;
    for remaining in ["1", "0"] {
        assert_eq!(anonymous(&house, "/users/zoe", &[]).await.header("x-ratelimit-remaining"), Some(remaining));
    }
    let over = anonymous(&house, "/users/zoe", &[]).await;
    assert_eq!((over.status, over.header("x-ratelimit-remaining")), (403, Some("0")));
    assert!(text(&over.json(), "message").starts_with("API rate limit exceeded for "));
    assert_eq!(anonymous(&house, "/rate_limit", &[]).await.status, 200, "asking costs nothing");
    house.advance(3600).await;
    assert_eq!(anonymous(&house, "/users/zoe", &[]).await.status, 200);
}

#[tokio::test]
async fn github_limits_are_exceeded_by_switch_or_order() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    house.switch("rate_limit_exceeded", json!(true)).await;
    house.switch("rate_limit_status", json!(429)).await;
    let primary = house.call(&token, "GET", "/user", "").await;
    assert_eq!((primary.status, primary.header("x-ratelimit-remaining")), (429, Some("0")));
    assert!(text(&primary.json(), "message").starts_with("API rate limit exceeded for user ID "));
    assert_eq!(primary.header("retry-after"), None);
    house.switch("rate_limit_exceeded", json!(false)).await;
    let fault = json!({ "at": "/user", "kind": "rate_limit" });
    assert_eq!(house.control("faults", &fault).await.status, 204);
    let secondary = house.call(&token, "GET", "/user", "").await;
    assert_eq!((secondary.status, secondary.header("retry-after")), (429, Some("60")));
    assert!(text(&secondary.json(), "message").starts_with("You have exceeded a secondary rate limit"));
    assert_eq!(house.call(&token, "GET", "/user", "").await.status, 200);
    house.switch("secondary_rate_limit_exceeded", json!(true)).await;
    house.switch("retry_after", json!(false)).await;
    let secondary = house.call(&token, "GET", "/user", "").await;
    assert_eq!((secondary.status, secondary.header("retry-after")), (429, None));
}

#[tokio::test]
async fn github_ordered_errors_of_the_api_are_json() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    for (error, status) in [("bad_credentials", 401), ("not_found", 404), ("502", 502)] {
        let fault = json!({ "at": "/user", "kind": "error", "error": error });
        assert_eq!(house.control("faults", &fault).await.status, 204);
        let answer = house.call(&token, "GET", "/user", "").await;
        assert_eq!(answer.status, status);
        assert!(answer.json().get("message").is_some());
    }
    let five =
        json!({ "at": "/user", "kind": "status", "status": 503, "body": "<html>", "content_type": "application/json" });
    assert_eq!(house.control("faults", &five).await.status, 204);
    assert_eq!(house.call(&token, "GET", "/user", "").await.text(), "<html>", "HTML under a JSON type");
}

#[tokio::test]
async fn github_a_grant_taken_back_ends_its_tokens() {
    let house = house().await;
    let token = house.access_token("repo", "zoe").await;
    let path = format!("/_simulate/grants/{}/zoe", fujie_simulator::github::DEFAULT_CLIENT_ID);
    assert_eq!(http::send(house.base(), "DELETE", &path, &[], "").await.status, 204);
    assert_eq!(text(&house.call(&token, "GET", "/user", "").await.json(), "message"), "Bad credentials");
}

#[tokio::test]
async fn github_a_token_nobody_used_for_a_year_is_over() {
    let house = house().await;
    let token = house.access_token("", "zoe").await;
    house.advance(Duration::from_secs(366 * 86_400).as_secs()).await;
    assert_eq!(house.call(&token, "GET", "/user", "").await.status, 401);
}

#[tokio::test]
async fn github_repositories_can_be_added_while_running() {
    let house = house().await;
    let body = json!({ "owner": "lihua", "name": "new" });
    assert_eq!(house.control("repositories", &body).await.status, 201);
    assert_eq!(text(&house.get_json("/repos/lihua/new").await, "name"), "new");
    assert_eq!(house.control("repositories", &json!({ "owner": "nobody", "name": "new" })).await.status, 400);
}

#[tokio::test]
async fn github_meta_tells_where_deliveries_come_from() {
    assert!(house().await.get_json("/meta").await.get("hooks").unwrap().is_array());
}
