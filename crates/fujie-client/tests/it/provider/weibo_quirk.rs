//! What breaks a generic client at Weibo, one quirk each; then its error numbers and what the network may do.

use fujie_client::Endpoint::{Check, Refresh, Revocation, Token, User};
use fujie_client::{Ask, Method, provider};
use fujie_simulator::weibo::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::json;

use super::fault::{self, Row};
use super::house::{BACK, after, cookie};
use super::weibo::{MOBILE_CLIENT_ID, house, mobile, refused};

#[tokio::test]
async fn weibo_token_answer_has_its_five_fields_and_no_token_type_or_scope() {
    let house = house().await;
    let asked = house.client_with(&json!({"scope": ["email"]}));
    let tokens = house.sign_in_at(&asked, "xiaoming").await.unwrap().tokens;
    assert!(tokens.access_token.expose().starts_with("2.00"));
    assert_eq!((tokens.token_type, tokens.refresh_token.is_none()), (None, true));
    assert_eq!((tokens.scope, tokens.scope_missing.len()), (vec!["email".to_owned()], 0), "nothing is said of it");
}

#[tokio::test]
async fn weibo_expires_in_is_a_number_or_by_switch_a_string() {
    let house = house().await;
    for (seconds, is_string) in [(157_679_999, false), (7200, true)] {
        house.switch(json!({"expires_in_string": is_string, "access_token_lifetime_seconds": seconds})).await;
        assert_eq!(house.tokens("xiaoming").await.expires_at, after(seconds));
    }
}

#[tokio::test]
async fn weibo_answers_are_json_or_by_switch_text_plain() {
    let house = house().await;
    house.switch(json!({"text_plain": true, "is_real_name": null})).await;
    assert!(house.sign_in("xiaoming").await.is_ok());
    fault::labels(&house).await;
}

#[tokio::test]
async fn weibo_token_takes_a_form_or_a_query_with_an_empty_body() {
    let house = house().await;
    house.tokens("xiaoming").await;
    let exchange = house.sent().remove(0);
    assert_eq!((exchange.method, exchange.query(), exchange.header("authorization")), (Method::Post, "", None));
    assert_eq!(exchange.in_body("client_secret").as_deref(), Some(DEFAULT_SECRET));
    assert_eq!(exchange.in_body("redirect_uri").as_deref(), Some(BACK));
    let query = house.client_with(&json!({"token": {"method": "post_query"}}));
    assert!(house.sign_in_at(&query, "xiaoming").await.is_ok());
}

#[tokio::test]
async fn weibo_token_takes_the_credentials_as_basic() {
    let house = house().await;
    let basic = house.client_with(&json!({"client_authentication": "client_secret_basic"}));
    assert!(house.sign_in_at(&basic, "xiaoming").await.is_ok());
    assert!(house.sent()[0].header("authorization").unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn weibo_token_refuses_get() {
    let house = house().await;
    let get = house.client_with(&json!({"token": {"method": "get"}}));
    let error = house.sign_in_at(&get, "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "10021".to_owned()));
    assert_eq!(error.evidence().unwrap().status, 405);
}

#[tokio::test]
async fn weibo_error_bodies_are_those_of_live_logs() {
    let house = house().await;
    let wrong = house.client_of(&provider::weibo(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let error = wrong.redeem(wrong.registration().read_code("c0de").unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("credentials_refused", "21324".to_owned()));
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("client_secret error."));
    // 21322 has no description: its name stands in for one.
    let moved = house.client_with(&json!({"token": {"parameters": [
        ["grant_type", "authorization_code"], ["code", "{code}"], ["redirect_uri", "http://127.0.0.1/other"],
    ]}}));
    let error = house.sign_in_at(&moved, "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "21322".to_owned()));
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("redirect_uri_mismatch"));
}

#[tokio::test]
async fn weibo_code_is_used_once_within_ten_minutes_and_the_error_repeats_it() {
    let house = house().await;
    let (first, late) = (house.begin(), house.begin());
    let callback = house.agree(&first, "xiaoming").await;
    assert!(house.client.finish(&callback, &cookie(&first)).await.is_ok());
    let error = house.client.finish(&callback, &cookie(&first)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "21325".to_owned()));
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    assert!(!error.report().contains(code), "{}", error.report());
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("invalid authorization code:[redacted]"));
    let callback = house.agree(&late, "xiaoming").await;
    house.advance_provider(600).await;
    let error = house.client.finish(&callback, &cookie(&late)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "21325".to_owned()));
}

#[tokio::test]
async fn weibo_another_apps_code_is_invalid() {
    let house = house().await;
    let (ours, theirs) = (house.begin(), mobile(&house));
    let callback = house.agree(&ours, "xiaoming").await;
    let begun = theirs.begin(BACK).unwrap();
    let state = begun.url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let stolen = format!("{}&state={state}", callback.split("&state=").next().unwrap());
    let error = theirs.finish(&stolen, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "21325".to_owned()));
    assert!(house.client.finish(&callback, &cookie(&ours)).await.is_ok());
}

#[tokio::test]
async fn weibo_refresh_tokens_are_for_mobile_sdk_apps_alone() {
    let house = house().await;
    let mobile = mobile(&house);
    let tokens = house.sign_in_at(&mobile, "xiaoming").await.unwrap().tokens;
    house.sent();
    mobile.refresh(&tokens).await.unwrap();
    let refresh = house.sent().remove(0);
    assert_eq!(refresh.in_body("redirect_uri").as_deref(), Some(BACK), "it is asked for here too");
    // Of an app without the SDK nobody takes one.
    let error = house.client.refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "21326".to_owned()));
}

#[tokio::test]
async fn weibo_refresh_tokens_rotate_by_switch() {
    let house = house().await;
    house.switch(json!({"refresh_token_rotates": true})).await;
    let mobile = mobile(&house);
    let first = house.sign_in_at(&mobile, "xiaoming").await.unwrap().tokens;
    let second = mobile.refresh(&first).await.unwrap();
    assert!(second.refresh_token != first.refresh_token);
    let error = mobile.refresh(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "21325".to_owned()));
    assert!(mobile.refresh(&second).await.is_ok());
}

#[tokio::test]
async fn weibo_token_info_says_create_at_and_expire_in() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    let info = house.client.check(&tokens).await.unwrap();
    assert!(info["create_at"].is_u64() && info["expire_in"].is_u64() && info["appkey"].is_string(), "{info}");
    house.switch(json!({"appkey_string": false, "token_info_expires_in": true})).await;
    let info = house.client.check(&tokens).await.unwrap();
    assert!(info["expires_in"].is_u64() && info["appkey"].is_u64(), "{info}");
}

#[tokio::test]
async fn weibo_revoke_answers_the_string_true_by_get_and_post() {
    let house = house().await;
    let get = house.client_with(&json!({"revocation": {"method": "get"}}));
    assert!(get.revoke(&house.tokens("xiaoming").await).await.is_ok());
    let tokens = house.tokens("xiaoming").await;
    assert!(house.client.revoke(&tokens).await.is_ok());
    assert_eq!(house.name_of(house.client.user(&tokens).await), "access_token_refused");
}

#[tokio::test]
async fn weibo_token_is_carried_by_query_or_oauth2_header_and_never_by_bearer() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    let user = house.sent().pop().unwrap();
    assert_eq!(user.header("authorization"), Some(format!("OAuth2 {}", tokens.access_token.expose()).as_str()));
    assert_eq!(user.names(), ["uid"]);
    let query = house.client_with(&json!({"user": {"headers": [],
        "parameters": [["access_token", "{access_token}"], ["uid", "{subject}"]]}}));
    assert!(query.user(&tokens).await.is_ok());
    let bearer = house.client_with(&json!({"user": {"headers": [["authorization", "Bearer {access_token}"]]}}));
    let error = bearer.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "21301".to_owned()));
}

#[tokio::test]
async fn weibo_malformed_oauth2_header_is_ignored_beside_a_token_in_the_query() {
    let house = house().await;
    let header = json!([["authorization", "OAuth2 uid={subject}&access_token={access_token}"]]);
    let both = house.client_with(&json!({"user": {"headers": header,
        "parameters": [["access_token", "{access_token}"], ["uid", "{subject}"]]}}));
    assert!(house.sign_in_at(&both, "xiaoming").await.is_ok());
    let alone = house.client_with(&json!({"user": {"headers": header}}));
    assert_eq!(house.name_of(house.sign_in_at(&alone, "xiaoming").await), "access_token_refused");
}

#[tokio::test]
async fn weibo_dead_tokens_are_21332_and_21327() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.client.revoke(&tokens).await.unwrap();
    for (status, is_string) in [(403, false), (401, true), (400, true)] {
        house.switch(json!({"invalid_token_status": status, "error_code_string": is_string})).await;
        let error = house.client.user(&tokens).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("access_token_refused", "21332".to_owned()), "{status}");
    }
    let tokens = house.tokens("xiaoming").await;
    house.advance(157_679_999).await;
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "21327".to_owned()));
}

#[tokio::test]
async fn weibo_user_has_a_number_above_32_bits_and_its_text() {
    let house = house().await;
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!(identity.raw["id"].to_string(), identity.subject);
    // The number alone is enough.
    let number = house.client_with(&json!({"identity": {"subject": ["id"]}}));
    assert_eq!(house.sign_in_at(&number, "xiaoming").await.unwrap().identity.subject, identity.subject);
    house.switch(json!({"province_number": true, "latest_status": false})).await;
    let other = house.sign_in("xiaoming").await.unwrap().identity;
    assert!(other.raw["province"].is_number() && other.subject == identity.subject);
}

#[tokio::test]
async fn weibo_unknown_user_is_told_in_weibos_own_grammar() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    tokens.subject = Some("1".to_owned());
    let error = house.client.user(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("account_restricted", "20003".to_owned()));
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("User does not exists!"));
}

#[tokio::test]
async fn weibo_denial_puts_error_uri_first_and_carries_a_second_number() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    assert!(callback.starts_with(&format!("{BACK}?error_uri=%2Foauth2%2Fauthorize&error=access_denied&")));
    assert!(callback.contains("&error_code=21330&state="), "{callback}");
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
    let callback = house.decide(&begun.url.replace("type=code", "type=token"), "refuse", "").await.unwrap();
    assert!(callback.contains("#error_uri="), "{callback}");
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
}

#[tokio::test]
async fn weibo_implicit_answer_is_in_the_fragment() {
    let house = house().await;
    assert!(house.client.begin_with(BACK, &Ask { is_implicit: true, ..Ask::default() }).is_err());
    let begun = house.begin();
    let callback = house.decide(&begun.url.replace("type=code", "type=token"), "confirm", "xiaoming").await.unwrap();
    assert!(callback.starts_with(&format!("{BACK}#access_token=2.00")), "{callback}");
    // Weibo does not say for which application it was issued: nobody is signed in by it.
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "callback_unreadable");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn weibo_wrong_client_or_callback_is_an_html_page_with_the_number() {
    let house = house().await;
    let unknown = house.client_of(&provider::weibo(), "1999999999", DEFAULT_SECRET).begin(BACK).unwrap();
    let elsewhere = house.client.begin("https://elsewhere.example/").unwrap();
    for (begun, number) in [(unknown, "21324"), (elsewhere, "21322")] {
        let page = house.follow(&begun.url).await.unwrap();
        assert_eq!(page.status, 400);
        assert!(page.text.contains(number), "{}", page.text);
    }
}

#[tokio::test]
async fn weibo_other_authorize_errors_are_redirected() {
    let house = house().await;
    for (number, name) in [(21331, "temporarily_unavailable"), (21329, "unsupported_response_type")] {
        let fault = json!({"at": "/oauth2/authorize", "kind": "error", "error": number});
        house.control("faults", &fault).await;
        let begun = house.begin();
        let callback = house.follow(&begun.url).await.err().unwrap();
        let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
        assert_eq!(refused(&house, &error).0, "authorization_refused");
        assert!(error.report().contains(name), "{}", error.report());
    }
}

#[tokio::test]
async fn weibo_authorize_takes_get_and_post_and_an_older_path() {
    let house = house().await;
    let older = |path: &str| format!("{}/2/oauth2/{path}", house.base());
    let client = house.client_with(&json!({
        "authorization_endpoint": older("authorize"), "token": {"endpoint": older("access_token")},
    }));
    assert!(house.sign_in_at(&client, "xiaoming").await.is_ok());
}

#[tokio::test]
async fn weibo_code_is_32_lowercase_hex_and_response_type_may_be_absent() {
    let house = house().await;
    let silent = house.client_with(&json!({"authorization_parameters": [
        ["client_id", "{client_id}"], ["redirect_uri", "{redirect_uri}"], ["state", "{state}"],
    ]}));
    let begun = silent.begin(BACK).unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert_eq!(callback.split_once("code=").unwrap().1.split('&').next().unwrap().len(), 32);
    assert!(silent.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn weibo_page_is_chinese_unless_english_is_asked_for() {
    let house = house().await;
    for (language, expected) in [(None, "zh-CN"), (Some("zh-Hans-CN"), "zh-CN"), (Some("en-GB"), "en")] {
        let begun = house.client.begin_with(BACK, &Ask { language, ..Ask::default() }).unwrap();
        let page = house.follow(&begun.url).await.unwrap();
        assert!(page.text.contains(&format!("<html lang=\"{expected}\"")), "{language:?}");
    }
}

#[tokio::test]
async fn weibo_scopes_are_joined_by_a_comma() {
    let house = house().await;
    let both = house.client_with(&json!({"scope": ["email", "invitation_write"]}));
    assert!(both.begin(BACK).unwrap().url.contains("&scope=email%2Cinvitation_write&"));
    let tokens = house.sign_in_at(&both, "xiaoming").await.unwrap().tokens;
    assert_eq!(house.client.check(&tokens).await.unwrap()["scope"], "email,invitation_write");
}

#[tokio::test]
async fn weibo_knows_no_pkce_and_ignores_a_code_challenge() {
    let house = house().await;
    assert!(!house.begin().url.contains("code_challenge"));
    let asked = house.client_with(&json!({"pkce": "S256"}));
    assert!(asked.begin(BACK).unwrap().url.contains("code_challenge="));
    assert!(house.sign_in_at(&asked, "xiaoming").await.is_ok());
}

#[cfg(feature = "session")]
mod resource {
    //! Calls beyond sign-in, by a session.

    use std::sync::Arc;

    use super::super::house::House;
    use super::*;

    /// A session for somebody who was asked for these scopes.
    async fn session(house: &House, scope: &[&str]) -> fujie_client::Session {
        let record = provider::weibo().with_scope(scope);
        let client = Arc::new(house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET));
        let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
        client.session(&tokens).unwrap().build().unwrap()
    }

    async fn get(session: &fujie_client::Session, path: &str) -> (u16, serde_json::Value) {
        let answer = session.get(path).send().await.unwrap();
        (answer.status(), answer.json().unwrap())
    }

    #[tokio::test]
    async fn weibo_email_is_an_array_or_by_switch_an_object() {
        let house = house().await;
        let session = session(&house, &["email"]).await;
        let array = json!([{"email": "xiaoming@example.com"}]);
        assert_eq!(get(&session, "account/profile/email.json").await, (200, array));
        house.switch(json!({"email_object": true})).await;
        let object = json!({"email": "xiaoming@example.com"});
        assert_eq!(get(&session, "account/profile/email.json").await, (200, object));
    }

    #[tokio::test]
    async fn weibo_email_without_the_scope_is_403_and_a_scope_can_be_unticked() {
        let house = house().await;
        house.switch(json!({"withheld_scopes": ["email"]})).await;
        // Nobody is asked for an address at the sign-in, so that it does not fail for want of one.
        let session = session(&house, &["email"]).await;
        let (status, answer) = get(&session, "account/profile/email.json").await;
        assert_eq!((status, &answer["error_code"]), (403, &json!(21330)));
        let answer = session.get("account/profile/email.json").send().await.unwrap();
        assert_eq!(answer.error_for_status().unwrap_err().name(), "status");
    }

    #[tokio::test]
    async fn weibo_user_rate_limit_is_10023_until_the_hour_is_over() {
        let house = house().await;
        let session = session(&house, &[]).await;
        let (_, status) = get(&session, "account/rate_limit_status.json").await;
        house.advance_provider(status["reset_time_in_seconds"].as_i64().unwrap()).await;
        house.switch(json!({"user_limit": 1})).await;
        let tokens = house.tokens("xiaoming").await;
        for has_request in [true, false] {
            house.switch(json!({"rate_limit_request": has_request})).await;
            let error = house.client.user(&tokens).await.unwrap_err();
            assert_eq!(refused(&house, &error), ("rate_limited", "10023".to_owned()));
            assert_eq!((error.retry(), error.evidence().unwrap().status), (true, 403));
        }
        house.advance_provider(3600).await;
        assert!(house.client.user(&tokens).await.is_ok());
    }

    #[tokio::test]
    async fn weibo_rate_limit_status_counts_down_and_is_free() {
        let house = house().await;
        let session = session(&house, &[]).await;
        for _ in 0..2 {
            let (status, limits) = get(&session, "account/rate_limit_status.json").await;
            assert_eq!((status, &limits["user_limit"]), (200, &json!(150)));
        }
        assert_eq!(get(&session, "account/get_uid.json").await.0, 200);
    }

    #[tokio::test]
    async fn weibo_unknown_calls_and_wrong_methods_are_told_in_json() {
        let house = house().await;
        let session = session(&house, &[]).await;
        let (status, answer) = get(&session, "statuses/nothing.json").await;
        assert_eq!((status, &answer["error_code"]), (404, &json!(10020)));
        assert_eq!(session.post("account/get_uid.json").send().await.unwrap().status(), 405);
    }
}

#[tokio::test]
async fn weibo_ip_rate_limit_is_10022() {
    let house = house().await;
    house.switch(json!({"ip_limit": 0})).await;
    let error = house.sign_in("xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("rate_limited", "10022".to_owned()));
}

/// The revocation is the last: an answer that is lost has ended the token all the same.
const AT: [fujie_client::Endpoint; 5] = [Token, Refresh, Check, User, Revocation];

/// No access token was sent to the first two: what is said of one there is about something else.
const OF_ACCESS_TOKEN: &[&str] = &[
    "credentials_refused",
    "refresh_token_refused",
    "access_token_refused",
    "access_token_refused",
    "access_token_refused",
];

const CODES: &[Row] = &[
    ("21301", "auth faild!", OF_ACCESS_TOKEN),
    ("21314", "token used", OF_ACCESS_TOKEN),
    ("21315", "token expired", OF_ACCESS_TOKEN),
    ("21316", "token revoked", OF_ACCESS_TOKEN),
    ("21317", "token rejected", OF_ACCESS_TOKEN),
    ("21319", "accesstoken revoked", OF_ACCESS_TOKEN),
    ("21321", "not a tester", &["not_permitted"]),
    ("21322", "redirect_uri_mismatch", &["request_refused"]),
    ("21323", "invalid_request", &["request_refused"]),
    ("21324", "invalid_client", &["credentials_refused"]),
    (
        "21325",
        "invalid_grant",
        &["code_refused", "refresh_token_refused", "code_refused", "code_refused", "code_refused"],
    ),
    ("21326", "unauthorized_client", &["not_permitted"]),
    ("21327", "expired_token", OF_ACCESS_TOKEN),
    ("21328", "unsupported_grant_type", &["request_refused"]),
    ("21329", "unsupported_response_type", &["request_refused"]),
    ("21330", "access_denied", &["denied", "denied", "not_permitted", "not_permitted", "denied"]),
    ("21331", "temporarily_unavailable", &["busy"]),
    ("21332", "invalid_access_token", OF_ACCESS_TOKEN),
    ("21333", "disallowed for now", &["busy"]),
    ("21334", "account abnormal", &["account_restricted"]),
    ("21335", "the token's own user alone", &["not_permitted"]),
    ("21336", "unauthorized app", &["not_permitted"]),
    ("21337", "appkey permission denied", &["not_permitted"]),
    ("21338", "sso package or sign error", &["not_permitted"]),
    ("10001", "System error", &["busy"]),
    ("10002", "Service unavailable", &["busy"]),
    ("10003", "Remote service error", &["busy"]),
    ("10004", "IP limit", &["rate_limited"]),
    ("10005", "need a high level appkey", &["not_permitted"]),
    ("10006", "Source paramter (appkey) is missing", &["credentials_refused"]),
    ("10007", "Unsupport mediatype", &["request_refused"]),
    ("10008", "Param error", &["request_refused"]),
    ("10009", "Too many pending tasks", &["busy"]),
    ("10010", "Job expired", &["busy"]),
    ("10011", "RPC error", &["busy"]),
    ("10012", "Illegal request", &["request_refused"]),
    ("10013", "Invalid weibo user", &["account_restricted"]),
    ("10014", "Insufficient app permissions", &["not_permitted"]),
    ("10016", "Miss required parameter", &["request_refused"]),
    ("10017", "Parameter's value invalid", &["request_refused"]),
    ("10018", "Request body length over limit", &["request_refused"]),
    ("10020", "Request api not found", &["request_refused"]),
    ("10021", "HTTP method is not suported", &["request_refused"]),
    ("10022", "IP requests out of rate limit", &["rate_limited"]),
    ("10023", "User requests out of rate limit", &["rate_limited"]),
    ("10024", "User requests for one API out of rate limit", &["rate_limited"]),
    ("20003", "User does not exists!", &["account_restricted"]),
];

#[tokio::test]
async fn weibo_any_known_number_can_be_ordered_at_every_endpoint() {
    let house = house().await;
    let mobile = mobile(&house);
    let tokens = house.sign_in_at(&mobile, "xiaoming").await.unwrap().tokens;
    assert_eq!(mobile.registration().client_id(), MOBILE_CLIENT_ID);
    fault::codes_with(&house, &tokens, &AT, CODES).await;
}

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    let house = house().await;
    let tokens = house.sign_in_at(&mobile(&house), "xiaoming").await.unwrap().tokens;
    fault::faults_with(&house, &tokens, &AT, &["rate_limited"]).await;
}
