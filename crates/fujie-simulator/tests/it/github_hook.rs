//! GitHub's hooks: made, read, changed, refused in the real words.

use crate::github_story::{House, deliveries, house, text};
use fujie_simulator::github::DEFAULT_SECRET;
use serde_json::{Value, json};

const HOOKS: &str = "/repos/xiaoming/demo/hooks";
/// Nobody is told here: connecting fails at once.
const NOWHERE: &str = "https://example.invalid/hook";

async fn create(house: &House, token: &str, body: Value) -> (u16, Value) {
    let answer = house.call(token, "POST", HOOKS, &body.to_string()).await;
    (answer.status, answer.json())
}

/// The `errors` of a refusal.
async fn refused(house: &House, token: &str, body: Value) -> Value {
    let (status, json) = create(house, token, body).await;
    assert_eq!((status, text(&json, "message").as_str()), (422, "Validation Failed"), "{json}");
    assert_eq!(text(&json, "status"), "422");
    json.get("errors").unwrap().clone()
}

#[tokio::test]
async fn github_hook_is_created_with_201_location_and_defaults() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let body = json!({ "config": { "url": NOWHERE } });
    let answer = house.call(&token, "POST", HOOKS, &body.to_string()).await;
    assert_eq!(answer.status, 201);
    let hook = answer.json();
    let url = format!("{}{HOOKS}/{}", house.base(), hook.get("id").unwrap());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    let expected = json!({
        "type": "Repository",
        "id": hook.get("id"),
        "name": "web",
        "active": true,
        "events": ["push"],
        "config": { "content_type": "form", "insecure_ssl": "0", "url": NOWHERE },
        "updated_at": hook.get("updated_at"),
        "created_at": hook.get("created_at"),
        "url": url,
        "test_url": format!("{url}/test"),
        "ping_url": format!("{url}/pings"),
        "deliveries_url": format!("{url}/deliveries"),
        "last_response": { "code": null, "status": "unused", "message": null },
    });
    assert_eq!(hook, expected);
    house.switch("older_test_url", json!(true)).await;
    let listed = house.call(&token, "GET", HOOKS, "").await.json();
    assert!(text(listed.get(0).unwrap(), "test_url").ends_with("/tests"));
}

#[tokio::test]
async fn github_hook_secret_is_told_as_eight_asterisks() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let body = json!({ "name": "web", "events": ["push"], "config": { "url": NOWHERE, "secret": DEFAULT_SECRET } });
    let (_, hook) = create(&house, &token, body).await;
    assert_eq!(hook.pointer("/config/secret"), Some(&json!("********")));
}

#[tokio::test]
async fn github_hook_events_are_sorted_in_later_reads() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let events = json!(["push", "issues", "create"]);
    let (_, hook) = create(&house, &token, json!({ "events": events, "config": { "url": NOWHERE } })).await;
    assert_eq!(hook.get("events"), Some(&events));
    let path = format!("{HOOKS}/{}", hook.get("id").unwrap());
    let read = house.call(&token, "GET", &path, "").await.json();
    assert_eq!(read.get("events"), Some(&json!(["create", "issues", "push"])));
}

#[tokio::test]
async fn github_hook_insecure_ssl_is_text_whatever_was_sent() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    for (sent, told) in [(json!("1"), "1"), (json!(1), "1"), (json!(0), "0")] {
        let config = json!({ "url": format!("{NOWHERE}?{sent}{}", sent.is_string()), "insecure_ssl": sent });
        let (_, hook) = create(&house, &token, json!({ "config": config })).await;
        assert_eq!(hook.pointer("/config/insecure_ssl"), Some(&json!(told)), "{sent}");
    }
}

#[tokio::test]
async fn github_hook_patch_replaces_the_whole_config() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": NOWHERE, "secret": "s", "content_type": "json" }), &["push"]).await;
    let body =
        json!({ "config": { "url": NOWHERE }, "add_events": ["issues"], "remove_events": ["push"], "active": false });
    let patched = house.call(&token, "PATCH", &hook, &body.to_string()).await;
    assert_eq!(patched.status, 200);
    let patched = patched.json();
    let config = json!({ "content_type": "form", "insecure_ssl": "0", "url": NOWHERE });
    assert_eq!(patched.get("config"), Some(&config), "the secret is gone");
    assert_eq!((patched.get("events"), patched.get("active")), (Some(&json!(["issues"])), Some(&json!(false))));
}

#[tokio::test]
async fn github_hook_config_patch_keeps_the_other_keys() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": NOWHERE, "secret": "s", "content_type": "json" }), &["push"]).await;
    let other = format!("{NOWHERE}/other");
    let patched = house.call(&token, "PATCH", &format!("{hook}/config"), &json!({ "url": other }).to_string()).await;
    let expected = json!({ "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": other });
    assert_eq!((patched.status, patched.json()), (200, expected.clone()));
    assert_eq!(house.call(&token, "GET", &format!("{hook}/config"), "").await.json(), expected);
}

#[tokio::test]
async fn github_hook_delete_is_204_and_then_404() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": NOWHERE }), &["push"]).await;
    assert_eq!(house.call(&token, "DELETE", &hook, "").await.status, 204);
    assert_eq!(house.call(&token, "DELETE", &hook, "").await.status, 404);
    assert_eq!(house.call(&token, "GET", HOOKS, "").await.json(), json!([]));
}

#[tokio::test]
async fn github_hook_exists_already_on_this_repository() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let body = json!({ "events": ["push", "issues"], "config": { "url": NOWHERE } });
    assert_eq!(create(&house, &token, body).await.0, 201);
    let same = json!({ "events": ["issues", "push"], "config": { "url": NOWHERE, "secret": "x" } });
    let message = "Hook already exists on this repository";
    assert_eq!(
        refused(&house, &token, same).await,
        json!([{ "resource": "Hook", "code": "custom", "message": message }])
    );
    let other = json!({ "events": ["push"], "config": { "url": NOWHERE } });
    assert_eq!(create(&house, &token, other).await.0, 201);
}

#[tokio::test]
async fn github_hook_events_have_at_most_twenty_hooks_each() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    for number in 0..20 {
        let config = json!({ "url": format!("{NOWHERE}/{number}") });
        assert_eq!(create(&house, &token, json!({ "events": ["push", "issues"], "config": config })).await.0, 201);
    }
    let body = json!({ "events": ["push", "issues", "create"], "config": { "url": NOWHERE } });
    let element = |event: &str| {
        let message = format!("The \"{event}\" event cannot have more than 20 hooks");
        json!({ "resource": "Hook", "code": "custom", "message": message })
    };
    assert_eq!(refused(&house, &token, body).await, json!([element("push"), element("issues")]));
}

#[tokio::test]
async fn github_hook_on_localhost_is_refused_only_by_switch() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    assert_eq!(create(&house, &token, json!({ "config": { "url": "http://127.0.0.1:9/" } })).await.0, 201);
    house.switch("refuse_localhost_hooks", json!(true)).await;
    for url in ["http://localhost:9/x", "http://127.0.0.1:9/x", "http://[::1]:9/x"] {
        assert_eq!(
            refused(&house, &token, json!({ "config": { "url": url } })).await,
            json!([{
                "resource": "Hook",
                "code": "custom",
                "field": "url",
                "message": "url is not supported because it isn't reachable over the public Internet (localhost)",
            }]),
            "{url}"
        );
    }
}

#[tokio::test]
async fn github_hook_bodies_that_make_no_sense_are_told_how() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    for (body, status, message) in [
        ("{", 400, "Problems parsing JSON"),
        ("", 400, "Problems parsing JSON"),
        ("[]", 400, "Body should be a JSON object"),
        ("{}", 422, "Invalid request.\n\n\"config\" wasn't supplied."),
        (r#"{"config":"x"}"#, 422, "Invalid request.\n\nFor 'properties/config', \"x\" is not an object."),
        (
            r#"{"config":{},"active":"yes"}"#,
            422,
            "Invalid request.\n\nFor 'properties/active', \"yes\" is not a boolean.",
        ),
    ] {
        let answer = house.call(&token, "POST", HOOKS, body).await;
        assert_eq!((answer.status, text(&answer.json(), "message").as_str()), (status, message), "{body}");
    }
    let at = json!({ "url": NOWHERE });
    for body in [
        json!({ "config": {} }),
        json!({ "config": { "url": "no address" } }),
        json!({ "config": { "url": "ftp://example.com/" } }),
        json!({ "config": at, "events": ["nonsense"] }),
        json!({ "config": at, "name": "irc" }),
        json!({ "config": { "url": NOWHERE, "content_type": "xml" } }),
    ] {
        refused(&house, &token, body).await;
    }
}

#[tokio::test]
async fn github_hooks_are_404_without_the_scope() {
    let house = house().await;
    let hook = house.hook(&house.access_token("repo", "xiaoming").await, json!({ "url": NOWHERE }), &["push"]).await;
    for (scope, read, ping, delete) in [
        ("", 404, 404, 404),
        ("user", 404, 404, 404),
        ("read:repo_hook", 200, 404, 404),
        ("write:repo_hook", 200, 204, 404),
        ("public_repo", 200, 204, 204),
    ] {
        house.access_token("user", "xiaoming").await;
        let path = format!("/_simulate/grants/{}/xiaoming", fujie_simulator::github::DEFAULT_CLIENT_ID);
        crate::http::send(house.base(), "DELETE", &path, &[], "").await;
        let token = house.access_token(scope, "xiaoming").await;
        let status = async |method: &str, path: &str| house.call(&token, method, path, "").await.status;
        let met =
            (status("GET", &hook).await, status("POST", &format!("{hook}/pings")).await, status("DELETE", &hook).await);
        assert_eq!(met, (read, ping, delete), "{scope}");
    }
}

#[tokio::test]
async fn github_hooks_are_for_administrators_of_the_repository() {
    let house = house().await;
    for (person, path, status) in [
        ("lihua", HOOKS, 403),
        ("lihua", "/repos/zoe/secret-garden/hooks", 403),
        ("xiaoming", "/repos/zoe/secret-garden/hooks", 404),
        ("zoe", "/repos/zoe/secret-garden/hooks", 200),
    ] {
        let token = house.access_token("repo", person).await;
        let answer = house.call(&token, "GET", path, "").await;
        assert_eq!(answer.status, status, "{person} {path}");
        if status == 403 {
            assert_eq!(text(&answer.json(), "message"), "Must have admin rights to Repository.");
        }
    }
    let hooks_only = house.access_token("admin:repo_hook", "zoe").await;
    assert_eq!(house.call(&hooks_only, "GET", "/repos/zoe/secret-garden/hooks", "").await.status, 200);
    assert_eq!(house.call(&hooks_only, "GET", "/repos/zoe/secret-garden", "").await.status, 404);
}

#[tokio::test]
async fn github_hook_after_a_failure_tells_it() {
    let house = house().await;
    let token = house.access_token("repo", "xiaoming").await;
    let hook = house.hook(&token, json!({ "url": NOWHERE }), &["push"]).await;
    deliveries(&house, &token, &hook, 1).await;
    let read = house.call(&token, "GET", &hook, "").await.json();
    let expected = json!({ "code": 502, "message": "failed to connect to host", "status": "connection_error" });
    assert_eq!(read.get("last_response"), Some(&expected));
}
