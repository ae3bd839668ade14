//! Pushed authorization requests (RFC 9126): left by the client, named by the browser, once.

use crate::oauth::{House, parameter, text};
use crate::oidc_flow::{CLIENT, house, request};
use serde_json::json;

/// The name under which a request was left.
async fn push(house: &House, changes: &str) -> String {
    let answer = house.post_form("/par", &format!("{}&{CLIENT}", request(changes))).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")), "{}", answer.text());
    assert_eq!(answer.json()["expires_in"], 60);
    text(&answer.json(), "request_uri").replace(':', "%3A")
}

#[tokio::test]
async fn a_pushed_request_is_answered_as_if_the_browser_had_brought_it() {
    let house = house().await;
    let name = push(&house, "").await;
    assert!(name.starts_with("urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A"), "{name}");
    let back = house.agree(&format!("client_id=fujie-demo&request_uri={name}"), "xiaoming").await;
    assert_eq!(parameter(&back, "state"), parameter(&house.agree(&request(""), "xiaoming").await, "state"));
    assert!(house.redeem(&parameter(&back, "code").unwrap()).await["id_token"].is_string());
}

#[tokio::test]
async fn a_name_is_good_once_and_for_a_minute_and_for_its_client() {
    let house = house().await;
    let refused = async |query: String| house.get(&format!("/authorize?{query}")).await.status;
    let name = push(&house, "").await;
    assert_eq!(refused(format!("client_id=other&request_uri={name}")).await, 400);
    assert_eq!(refused(format!("client_id=fujie-demo&request_uri={name}")).await, 200);
    assert_eq!(refused(format!("client_id=fujie-demo&request_uri={name}")).await, 400, "used");
    let name = push(&house, "").await;
    house.pass(60).await;
    assert_eq!(refused(format!("client_id=fujie-demo&request_uri={name}")).await, 400, "too late");
}

#[tokio::test]
async fn a_bad_request_is_refused_at_the_push() {
    let house = house().await;
    for (form, status, error) in [
        (request(""), 401, "invalid_client"),
        (format!("{}&{CLIENT}&request_uri=urn%3Ax", request("")), 400, "invalid_request"),
        (
            format!("{}&{CLIENT}", request("").replace("response_type=code", "response_type=token")),
            400,
            "unsupported_response_type",
        ),
        (format!("{CLIENT}&response_type=code&redirect_uri=https%3A%2F%2Fevil.example%2F"), 400, "invalid_request"),
    ] {
        let answer = house.post_form("/par", &form).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{form}");
    }
}

#[tokio::test]
async fn where_pushing_is_required_a_brought_request_goes_back() {
    let house = house().await;
    house.switch("pushed_requests_required", json!(true)).await;
    let metadata = house.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(metadata["pushed_authorization_request_endpoint"], format!("{}/par", house.base()));
    assert_eq!(parameter(&house.land(&request("")).await, "error").as_deref(), Some("invalid_request"));
    let name = push(&house, "").await;
    assert_eq!(house.get(&format!("/authorize?client_id=fujie-demo&request_uri={name}")).await.status, 200);
}
