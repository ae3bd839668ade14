//! What breaks a generic client at QQ, one quirk each; then its error numbers and what the network may do.

use fujie_client::Endpoint::{Refresh, Subject, Token, User};
use fujie_client::{Ask, Credential, Method, provider};
use fujie_simulator::qq::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::json;

use super::browser;
use super::fault::{self, Row};
use super::house::{BACK, after, cookie};
use super::qq::{OTHER_CLIENT_ID, house, house_with, refused};

#[tokio::test]
async fn qq_token_takes_get_and_tolerates_a_posted_form() {
    let house = house().await;
    house.tokens("xiaoming").await;
    let exchange = house.sent().remove(0);
    assert_eq!((exchange.method, exchange.body.as_deref()), (Method::Get, None));
    assert_eq!(exchange.names(), ["grant_type", "client_id", "client_secret", "code", "redirect_uri"]);
    assert_eq!(exchange.header("authorization"), None);
    let form = house.client_with(&json!({"token": {"method": "post_form"}}));
    assert!(house.sign_in_at(&form, "xiaoming").await.is_ok());
}

#[tokio::test]
async fn qq_token_is_form_text_by_default_without_token_type_or_scope() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!((tokens.access_token.expose().len(), tokens.token_type), (32, None));
    assert_eq!((tokens.scope, tokens.scope_missing.len()), (vec!["get_user_info".to_owned()], 0));
}

#[tokio::test]
async fn qq_token_is_json_with_fmt_json_and_expires_in_is_a_number_or_by_switch_a_string() {
    let house = house().await;
    let asked = json!({"token": {"parameters": [
        ["grant_type", "authorization_code"], ["client_id", "{client_id}"], ["client_secret", "{client_secret}"],
        ["code", "{code}"], ["redirect_uri", "{redirect_uri}"], ["fmt", "json"],
    ]}});
    for is_string in [false, true] {
        house.switch(json!({"expires_in_string": is_string})).await;
        let tokens = house.sign_in_at(&house.client_with(&asked), "xiaoming").await.unwrap().tokens;
        assert_eq!(tokens.expires_at, after(7_776_000), "{is_string}");
    }
    let error = house.client_with(&asked);
    let error = error.redeem(error.registration().read_code("c0de").unwrap()).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "100010".to_owned()), "the bare object");
}

#[tokio::test]
async fn qq_token_adds_the_openid_with_need_openid() {
    let house = house().await;
    let mut record = house.client.provider().clone();
    record.token.parameters.push(("need_openid".into(), "1".into()));
    record.identity.token_subject = Some("openid".into());
    let asked = house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    let signed_in = house.sign_in_at(&asked, "xiaoming").await.unwrap();
    assert_eq!(signed_in.identity.subject, house.sign_in("xiaoming").await.unwrap().identity.subject);
}

#[tokio::test]
async fn qq_token_errors_are_jsonp_with_status_200_and_a_numeric_error() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.client.finish(&callback, &cookie(&begun)).await.unwrap();
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_used", "100020".to_owned()));
    let evidence = error.evidence().unwrap();
    assert_eq!((evidence.status, evidence.message.as_deref()), (200, Some("code is reused error")));
    assert!(evidence.excerpt.starts_with("callback( {\"error\":100020,"), "{}", evidence.excerpt);
}

#[tokio::test]
async fn qq_answers_are_text_html_and_by_switch_something_else() {
    let house = house().await;
    for label in ["html", "plain", "json_failure"] {
        house.switch(json!({"content_type": label})).await;
        assert!(house.sign_in("xiaoming").await.is_ok(), "{label}");
        let begun = house.client.registration().read_code("c0de").unwrap();
        assert_eq!(house.name_of(house.client.redeem(begun).await), "request_refused", "{label}");
    }
    fault::labels(&house).await;
}

#[tokio::test]
async fn qq_me_is_exactly_callback_space_json() {
    let house = house().await;
    for has_newline in [true, false] {
        house.switch(json!({"jsonp_newline": has_newline})).await;
        assert_eq!(house.sign_in("xiaoming").await.unwrap().identity.subject.len(), 32, "{has_newline}");
    }
    let me = house.sent().into_iter().find(|sent| sent.url.contains("/me?")).unwrap();
    assert_eq!(me.names(), ["access_token", "unionid"]);
}

#[tokio::test]
async fn qq_me_with_a_comma_behind_its_last_field_is_read_too() {
    let house = house().await;
    // As the documentation prints it.
    let body = format!("callback(\n{{\n\"client_id\":\"{DEFAULT_CLIENT_ID}\",\n\"openid\":\"ABC\",\n}}\n);\n");
    house.order(Subject, &json!({"kind": "status", "status": 200, "body": body})).await;
    // The openid is invented, so that the profile refuses it: `/me` itself was understood.
    let error = house.sign_in("xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "-1".to_owned()));
    assert_eq!(house.sent().pop().unwrap().in_query("openid").as_deref(), Some("ABC"));
}

#[tokio::test]
async fn qq_me_that_is_not_a_call_with_an_object_is_not_run_or_guessed() {
    let house = house().await;
    for body in ["callback( \"openid\" );", "callback();", "while(1);", "callback( {\"openid\":\"A\" );", "{}{}"] {
        house.order(Subject, &json!({"kind": "status", "status": 200, "body": body})).await;
        assert_eq!(house.name_of(house.sign_in("xiaoming").await), "unreadable", "{body}");
        house.clear_faults().await;
    }
}

#[tokio::test]
async fn qq_me_adds_the_unionid_and_is_bare_json_on_request() {
    let house = house().await;
    let bare = json!({"subject": {"parameters": [["access_token", "{access_token}"], ["fmt", "json"]]}});
    let identity = house.sign_in_at(&house.client_with(&bare), "xiaoming").await.unwrap().identity;
    assert_eq!(identity.union_subject, None, "it was not asked for");
    let asked = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!((identity.subject, asked.union_subject.unwrap().len()), (asked.subject, 36));
}

#[tokio::test]
async fn qq_me_tells_whose_token_it_is_and_another_apps_is_refused() {
    let house = house().await;
    let body = format!("callback( {{\"client_id\":\"{OTHER_CLIENT_ID}\",\"openid\":\"{}\"}} );", "A".repeat(32));
    house.order(Subject, &json!({"kind": "status", "status": 200, "body": body})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "other_audience");
    let unnamed = "callback( {\"openid\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"} );";
    house.clear_faults().await;
    house.order(Subject, &json!({"kind": "status", "status": 200, "body": unnamed})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "other_audience");
}

#[tokio::test]
async fn qq_unionid_is_one_for_all_apps_of_a_developer_and_the_openid_is_not() {
    let house = house().await;
    let first = house.sign_in("xiaoming").await.unwrap().identity;
    let other = house.client_of(&provider::qq(), OTHER_CLIENT_ID, DEFAULT_SECRET);
    let second = house.sign_in_at(&other, "xiaoming").await.unwrap().identity;
    assert_eq!(first.union_subject, second.union_subject);
    assert_ne!((first.app, first.subject), (second.app, second.subject));
}

#[tokio::test]
async fn qq_unionid_without_the_right_is_100048() {
    let house = house().await;
    house.switch(json!({"unionid": false})).await;
    let error = house.sign_in("xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "100048".to_owned()));
    assert_eq!(error.evidence().unwrap().message.as_deref(), Some("companyid not set"));
    let without = house.client_with(&json!({"subject": {"parameters": [["access_token", "{access_token}"]]}}));
    assert_eq!(house.sign_in_at(&without, "xiaoming").await.unwrap().identity.union_subject, None);
}

#[tokio::test]
async fn qq_me_takes_the_token_from_the_query_and_ignores_a_bearer_header() {
    let house = house().await;
    let header = json!([["authorization", "Bearer {access_token}"]]);
    let both = house.client_with(&json!({"subject": {"headers": header}}));
    assert!(house.sign_in_at(&both, "xiaoming").await.is_ok());
    let alone = house.client_with(&json!({"subject": {"parameters": [["unionid", "1"]], "headers": header}}));
    let error = house.sign_in_at(&alone, "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "100007".to_owned()));
}

#[tokio::test]
async fn qq_user_info_is_written_by_hand_with_its_own_spaces_and_escapes() {
    let house = house().await;
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert!(!identity.avatar_url.unwrap().contains('\\'));
    assert!(!identity.raw["figureurl"].as_str().unwrap().contains('\\'));
    assert_eq!((&identity.raw["ret"], &identity.raw["vip"]), (&json!(0), &json!("0")));
}

#[tokio::test]
async fn qq_user_info_wants_oauth_consumer_key_and_the_openid() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    let user = house.sent().pop().unwrap();
    assert_eq!(user.names(), ["access_token", "oauth_consumer_key", "openid"]);
    assert_eq!((user.in_query("openid"), user.header("authorization")), (tokens.subject, None));
    let appid = house.client_with(&json!({"user": {"parameters": [
        ["access_token", "{access_token}"], ["appid", "{client_id}"], ["openid", "{subject}"],
    ]}}));
    let error = house.sign_in_at(&appid, "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("request_refused", "-1".to_owned()));
}

#[tokio::test]
async fn qq_user_info_tells_errors_as_ret_and_msg() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    // Above nought and below: both are failures.
    for (ret, name) in [(1002, "access_token_refused"), (-1, "request_refused"), (77, "refused")] {
        house.order(User, &json!({"kind": "error", "error": ret, "description": "请先登录"})).await;
        let error = house.client.user(&tokens).await.unwrap_err();
        house.clear_faults().await;
        assert_eq!(refused(&house, &error), (name, ret.to_string()));
        let evidence = error.evidence().unwrap();
        assert_eq!((evidence.status, evidence.message.as_deref()), (200, Some("请先登录")));
    }
}

#[tokio::test]
async fn qq_user_info_names_pictures_that_exist() {
    let house = house().await;
    let identity = house.sign_in("xiaoming").await.unwrap().identity;
    assert_eq!(browser::get(&identity.avatar_url.unwrap()).await.status, 200);
}

#[tokio::test]
async fn qq_user_info_is_xml_on_request_in_lower_case_alone() {
    let house = house().await;
    for (format, expected) in [("xml", "unreadable"), ("XML", "ok"), ("json", "ok")] {
        let mut record = house.client.provider().clone();
        record.user.as_mut().unwrap().parameters.push(("format".into(), format.into()));
        let client = house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
        assert_eq!(house.name_of(house.sign_in_at(&client, "xiaoming").await), expected, "{format}");
    }
}

#[tokio::test]
async fn qq_user_info_needs_its_scope() {
    let house = house().await;
    let other = house.client_with(&json!({"scope": ["list_album", "list_photo"]}));
    assert!(other.begin(BACK).unwrap().url.contains("&scope=list_album%2Clist_photo&"), "joined by a comma");
    let error = house.sign_in_at(&other, "xiaoming").await.unwrap_err();
    assert_eq!(refused(&house, &error), ("not_permitted", "100030".to_owned()));
}

#[tokio::test]
async fn qq_large_avatar_and_full_profile_are_switches() {
    let house = house().await;
    for (large, expected) in [("present", "&s=100"), ("small", "&s=40"), ("empty", "&s=40"), ("absent", "&s=40")] {
        house.switch(json!({"figureurl_qq_2": large, "full_profile": true})).await;
        let identity = house.sign_in("xiaoming").await.unwrap().identity;
        assert!(identity.avatar_url.as_ref().unwrap().contains(expected), "{large}: {:?}", identity.avatar_url);
    }
}

#[tokio::test]
async fn qq_authorize_redirects_to_the_visible_login_page_with_the_original_query() {
    let house = house().await;
    let begun = house.begin();
    let query = begun.url.split_once('?').unwrap().1;
    let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(names, ["client_id", "redirect_uri", "response_type", "scope", "state"]);
    assert_eq!(house.follow(&begun.url).await.unwrap().status, 200);
}

#[tokio::test]
async fn qq_authorize_errors_go_to_an_error_page_and_never_to_the_application() {
    let reviewed = App { client_id: "101000003".to_owned(), is_online: false, ..App::demo() };
    let house = house_with(|config| config.apps.push(reviewed)).await;
    let of = |id: &str| house.client_of(&provider::qq(), id, DEFAULT_SECRET).begin(BACK).unwrap();
    for (begun, words) in [
        (of("not-a-number"), "param client_id is wrong or lost (100001)"),
        (of("101999999"), "(100008)"),
        (of("101000003"), "(100011)"),
        (house.client.begin("https://elsewhere.example/").unwrap(), "redirect uri is illegal(100010)"),
    ] {
        let page = house.follow(&begun.url).await.unwrap();
        assert_eq!(page.status, 200);
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
}

#[tokio::test]
async fn qq_cancel_on_a_pc_closes_the_window_and_redirects_nowhere() {
    let house = house().await;
    assert_eq!(house.decide(&house.begin().url, "refuse", "").await, None);
    assert_eq!(house.decide(&house.begin().url, "expire", "").await, None);
}

#[tokio::test]
async fn qq_cancel_on_a_mobile_page_says_usercancel() {
    let house = house().await;
    let record = provider::qq().with_authorization_parameter("display", "mobile");
    let mobile = house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    for is_implicit in [false, true] {
        let begun = mobile.begin_with(BACK, &Ask { is_implicit, ..Ask::default() }).unwrap();
        let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
        assert!(callback.contains("usercancel=1"), "{callback}");
        assert_eq!(house.name_of(mobile.finish(&callback, &cookie(&begun)).await), "denied", "{callback}");
        let not_cancelled = callback.replace("usercancel=1", "usercancel=0");
        let outcome = mobile.finish(&not_cancelled, &cookie(&begun)).await;
        assert_eq!(house.name_of(outcome), "callback_unreadable");
    }
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn qq_cancel_is_a_switch() {
    let house = house().await;
    house.switch(json!({"cancel": "redirects"})).await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
}

#[tokio::test]
async fn qq_implicit_answer_stands_behind_a_question_mark_and_a_hash() {
    let house = house().await;
    let begun = house.client.begin_with(BACK, &Ask { is_implicit: true, ..Ask::default() }).unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(callback.starts_with(&format!("{BACK}?#access_token=")), "{callback}");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn qq_redirect_uri_is_compared_by_scheme_host_and_path_and_its_query_is_free() {
    let house = house().await;
    let begun = house.client.begin(&format!("{BACK}?next=%2Fcart")).unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(callback.starts_with(&format!("{BACK}?next=%2Fcart&code=")), "{callback}");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn qq_code_is_good_for_ten_minutes_once_and_for_its_own_app() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.advance_provider(600).await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "100019".to_owned()));
    let other = house.client_of(&provider::qq(), OTHER_CLIENT_ID, DEFAULT_SECRET);
    let callback = house.agree(&house.begin(), "xiaoming").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    let begun = other.begin(BACK).unwrap();
    let state = begun.url.split_once("state=").unwrap().1;
    let stolen = format!("{BACK}?code={code}&state={state}");
    let error = other.finish(&stolen, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "100019".to_owned()));
}

#[tokio::test]
async fn qq_says_which_secret_is_wrong_in_its_own_words() {
    let house = house().await;
    let wrong = house.client_of(&provider::qq(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let mut lost = provider::qq();
    lost.token.parameters.retain(|(name, _)| name != "client_secret");
    let lost = house.client_proving(&lost, DEFAULT_CLIENT_ID, Credential::None);
    let words = [("100002", "param client_secret is wrong or lost "), ("100009", "client secret is illegal")];
    for (client, (number, words)) in [lost, wrong].iter().zip(words) {
        let error = house.sign_in_at(client, "xiaoming").await.unwrap_err();
        assert_eq!(refused(&house, &error), ("credentials_refused", number.to_owned()));
        assert_eq!(error.evidence().unwrap().message.as_deref(), Some(words));
    }
}

#[tokio::test]
async fn qq_mobile_app_need_not_repeat_the_redirect_uri() {
    let mobile = App { client_id: "101000003".to_owned(), is_mobile_app: true, ..App::demo() };
    let house = house_with(|config| config.apps.push(mobile)).await;
    for (id, expected) in [("101000003", "ok"), (DEFAULT_CLIENT_ID, "request_refused")] {
        let client = house.client_of(&provider::qq(), id, DEFAULT_SECRET);
        let callback = house.agree(&client.begin(BACK).unwrap(), "xiaoming").await;
        let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
        let outcome = client.redeem(client.registration().read_code(code).unwrap()).await;
        assert_eq!(house.name_of(outcome), expected, "{id}");
    }
}

#[tokio::test]
async fn qq_refresh_token_is_single_use_and_rotates() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    house.sent();
    for _ in 0..3 {
        let next = house.client.refresh(&tokens).await.unwrap();
        let error = house.client.refresh(&tokens).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("refresh_token_refused", "100021".to_owned()));
        tokens = next;
    }
    assert_eq!(house.sent()[0].names(), ["grant_type", "client_id", "client_secret", "refresh_token"]);
}

#[tokio::test]
async fn qq_refresh_chain_ends_three_months_after_the_sign_in() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    for _ in 0..89 {
        house.advance(86_400).await;
        tokens = house.client.refresh(&tokens).await.unwrap();
    }
    house.advance(86_400).await;
    assert!(house.client.user(&tokens).await.is_ok(), "the last access token lives on");
    let error = house.client.refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "100021".to_owned()));
}

#[tokio::test]
async fn qq_token_lifetime_is_three_months_or_by_switch_sixty_days() {
    let house = house().await;
    assert_eq!(house.tokens("xiaoming").await.expires_at, after(7_776_000));
    house.switch(json!({"access_token_lifetime_seconds": 5_184_000})).await;
    assert_eq!(house.tokens("xiaoming").await.expires_at, after(5_184_000));
}

#[tokio::test]
async fn qq_new_sign_in_ends_the_earlier_token_only_when_told_so() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.tokens("xiaoming").await;
    assert!(house.client.user(&first).await.is_ok());
    house.switch(json!({"invalidate_previous_token": true})).await;
    house.tokens("xiaoming").await;
    let error = house.client.user(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "100013".to_owned()));
}

const AT: [fujie_client::Endpoint; 4] = [Token, Refresh, Subject, User];

/// No access token was sent to the first two: what is said of one there is about something else.
const OF_ACCESS_TOKEN: &[&str] =
    &["credentials_refused", "refresh_token_refused", "access_token_refused", "access_token_refused"];

const CODES: &[Row] = &[
    ("100000", "response_type missing or illegal", &["request_refused"]),
    ("100001", "client_id missing", &["credentials_refused"]),
    ("100002", "client_secret missing", &["credentials_refused"]),
    ("100003", "no Authorization header", &["request_refused"]),
    ("100004", "grant_type missing or illegal", &["request_refused"]),
    ("100005", "code missing", &["request_refused"]),
    ("100006", "refresh token missing", &["request_refused"]),
    ("100007", "access token missing", OF_ACCESS_TOKEN),
    ("100008", "appid does not exist", &["credentials_refused"]),
    ("100009", "appkey wrong", &["credentials_refused"]),
    ("100010", "redirect uri is illegal", &["request_refused"]),
    ("100011", "app not online", &["not_permitted"]),
    ("100012", "not POST", &["request_refused"]),
    ("100013", "access token is illegal", OF_ACCESS_TOKEN),
    ("100014", "token expired", OF_ACCESS_TOKEN),
    ("100015", "token revoked", OF_ACCESS_TOKEN),
    ("100016", "access token check failed", OF_ACCESS_TOKEN),
    ("100017", "get appid failed", &["busy"]),
    ("100018", "get code failed", &["busy"]),
    (
        "100019",
        "code to access token error",
        &["code_refused", "refresh_token_refused", "code_refused", "code_refused"],
    ),
    ("100020", "code is reused error", &["code_used", "refresh_token_refused", "code_used", "code_used"]),
    ("100021", "get access token failed", &["refresh_token_refused"]),
    ("100022", "get refresh token failed", &["busy"]),
    ("100023", "app rights list failed", &["busy"]),
    ("100024", "openid rights list failed", &["busy"]),
    ("100025", "full api list failed", &["busy"]),
    ("100026", "set user rights failed", &["busy"]),
    ("100027", "set user time failed", &["busy"]),
    ("100028", "which missing", &["request_refused"]),
    ("100029", "bad http request", &["request_refused"]),
    ("100030", "this api without user authorization", &["not_permitted"]),
    ("100031", "app lacks API right", &["not_permitted"]),
    ("100046", "nobody knows what it means", &["refused"]),
    ("100048", "companyid not set", &["not_permitted"]),
    ("1", "bad parameter", &["request_refused"]),
    ("2", "platform not opened", &["not_permitted"]),
    ("1000", "illegal operation", &["request_refused"]),
    ("1001", "busy", &["busy"]),
    ("1002", "no login state", OF_ACCESS_TOKEN),
    ("1003", "account frozen", &["account_restricted"]),
    ("1006", "no Qzone", &["account_restricted"]),
    ("-1", "invalid parameters", &["request_refused"]),
    ("-2", "appid unknown", &["credentials_refused"]),
    ("-3", "no API right", &["not_permitted"]),
    ("-4", "IP not allowed", &["not_permitted"]),
    ("-5", "signature", &["credentials_refused"]),
    ("-6", "rate", &["rate_limited"]),
    ("-7", "https required", &["request_refused"]),
    ("-8", "restricted", &["account_restricted"]),
    ("-9", "no such API", &["request_refused"]),
    ("-20", "not authorized by user", &["not_permitted"]),
    ("-21", "token revoked", OF_ACCESS_TOKEN),
    ("-22", "openid bad", OF_ACCESS_TOKEN),
    ("-23", "openkey bad", OF_ACCESS_TOKEN),
    ("-24", "openid and openkey check failed", OF_ACCESS_TOKEN),
    ("-58", "transient", &["busy"]),
    ("-60", "transient", &["busy"]),
];

#[tokio::test]
async fn qq_any_known_number_can_be_ordered_at_every_endpoint() {
    fault::codes(&house().await, &AT, CODES).await;
}

#[tokio::test]
async fn whatever_the_network_does_ends_in_a_cause() {
    fault::faults(&house().await, &AT, &["busy", "busy", "busy", "rate_limited"]).await;
}
