//! Answers of token, refresh, check and user endpoint, as WeChat gives them and as it must not.

use fujie_client::{ProviderError, Response};
use serde_json::{Value, json};

use crate::world::{
    ACCESS_TOKEN, APP, NOW, OPENID, REFRESH_TOKEN, UNIONID, after, answer, callback, changed, client, client_of,
    counting, read_tokens, read_user, token_answer, tokens, user_answer,
};

#[test]
fn tokens_are_read() {
    let tokens = tokens(&client());
    assert_eq!(tokens.access_token.expose(), ACCESS_TOKEN);
    assert_eq!(tokens.refresh_token.unwrap().expose(), REFRESH_TOKEN);
    assert_eq!(tokens.expires_at, Some(after(7200)));
    assert_eq!(tokens.scope, ["snsapi_login"]);
    assert_eq!(tokens.subject.as_deref(), Some(OPENID));
    assert_eq!(tokens.union_subject.as_deref(), Some(UNIONID));
    assert!(!tokens.provisional);
}

#[test]
fn a_chinese_nickname_with_an_emoji_arrives_whole_without_a_charset() {
    let client = client();
    let body = user_answer().to_string().replace('/', "\\/");
    assert!(body.contains("小明🦊"));
    let identity = client.read_user(&tokens(&client), &answer(body)).unwrap();
    assert_eq!(identity.nickname.as_deref(), Some("小明🦊"));
    assert_eq!(identity.avatar_url.as_deref(), Some("https://thirdwx.qlogo.cn/mmopen/vi_32/x/132"));
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("wechat", APP));
    assert_eq!(identity.subject, OPENID);
    assert_eq!(identity.union_subject.as_deref(), Some(UNIONID));
    assert_eq!(identity.raw["privilege"], json!([]));
}

#[test]
fn every_error_code_of_wechat_has_its_cause_at_the_token_endpoint() {
    let cases = [
        (-1, "busy"),
        (40001, "credentials_refused"),
        (40002, "request_refused"),
        (40003, "credentials_refused"),
        (40013, "credentials_refused"),
        (40014, "credentials_refused"),
        (40029, "code_refused"),
        (40030, "refresh_token_refused"),
        (40066, "request_refused"),
        (40125, "credentials_refused"),
        (40163, "code_used"),
        (40226, "account_restricted"),
        (40243, "credentials_refused"),
        (41001, "request_refused"),
        (41002, "request_refused"),
        (41003, "request_refused"),
        (41004, "request_refused"),
        (41006, "refused"),
        (41008, "request_refused"),
        (41009, "request_refused"),
        (42001, "credentials_refused"),
        (42002, "refresh_token_refused"),
        (42003, "code_refused"),
        (42007, "refresh_token_refused"),
        (43001, "request_refused"),
        (43002, "request_refused"),
        (43003, "request_refused"),
        (45009, "rate_limited"),
        (45011, "rate_limited"),
        (48001, "not_permitted"),
        (48004, "not_permitted"),
        (50001, "not_permitted"),
        (50002, "account_restricted"),
        (99999, "refused"),
    ];
    for (code, expected) in cases {
        for errcode in [json!(code), json!(code.to_string())] {
            let error = read_tokens(&client(), &json!({"errcode": errcode, "errmsg": "x"})).unwrap_err();
            assert_eq!(error.name(), expected, "{code}");
            assert_eq!(error.errcode(), Some(code.to_string().as_str()));
        }
    }
}

#[test]
fn the_endpoint_decides_what_an_ambiguous_error_code_means() {
    let client = client();
    let failed = |code: i32| answer(json!({"errcode": code, "errmsg": "x"}).to_string());
    for code in [40001, 40003, 40014, 42001] {
        let user = client.read_user(&tokens(&client), &failed(code)).unwrap_err();
        let check = client.read_check(&tokens(&client), &failed(code)).unwrap_err();
        assert_eq!((user.name(), check.name()), ("access_token_refused", "access_token_refused"));
    }
    for code in [40029, 40030, 42002, 42007, 40001, 42001] {
        let error = client.read_refreshed(&tokens(&client), &failed(code), NOW).unwrap_err();
        assert_eq!(error.name(), "refresh_token_refused", "{code}");
    }
}

#[test]
fn an_error_tells_the_log_what_was_seen_and_what_to_do() {
    let body = json!({"errcode": 40029, "errmsg": "invalid code, rid: 6583f22d-35b1b023-4a6d02b6"});
    let error = read_tokens(&client(), &body).unwrap_err();
    assert_eq!(
        error.report(),
        "the code was refused: token endpoint, status 200, content type text/plain, \
         error code 40029 (invalid code, rid: 6583f22d-35b1b023-4a6d02b6), \
         74 bytes: {\"errcode\":40029,\"errmsg\":\"…\"}; retry: yes; next: begin anew; \
         if it repeats, is the exchange prompt, and the client id the page's?"
    );
    assert_eq!(error.description(), "Please start the sign-in again.");
}

#[test]
fn a_failure_beats_tokens_in_the_same_answer() {
    let body = changed(&token_answer(), "errcode", Some(json!(40029)));
    assert_eq!(read_tokens(&client(), &body).unwrap_err().name(), "code_refused");
    for success in [json!(0), json!("0"), json!(""), Value::Null] {
        assert!(read_tokens(&client(), &changed(&token_answer(), "errcode", Some(success))).is_ok());
    }
    for odd in [json!(true), json!([]), json!({})] {
        let body = changed(&token_answer(), "errcode", Some(odd));
        assert_eq!(read_tokens(&client(), &body).unwrap_err().name(), "unreadable");
    }
}

#[test]
fn a_missing_subject_never_becomes_an_identity() {
    let unusable = [
        None,
        Some(Value::Null),
        Some(json!("")),
        Some(json!(0)),
        Some(json!("0")),
        Some(json!("null")),
        Some(json!("undefined")),
        Some(json!(1.5)),
        Some(json!(-7)),
        Some(json!(true)),
        Some(json!([OPENID])),
        Some(json!({"id": OPENID})),
        Some(json!(" ")),
        Some(json!("o1\n")),
        Some(json!("o".repeat(256))),
    ];
    for value in unusable {
        let token = read_tokens(&client(), &changed(&token_answer(), "openid", value.clone()));
        let user = read_user(&client(), &changed(&user_answer(), "openid", value.clone()));
        assert_eq!(token.unwrap_err().name(), "subject_missing", "{value:?}");
        assert_eq!(user.unwrap_err().name(), "subject_missing", "{value:?}");
    }
    let longest = changed(&token_answer(), "openid", Some(json!("字".repeat(255))));
    assert!(read_tokens(&client(), &longest).is_ok());
}

#[test]
fn an_absent_unionid_is_none_and_a_placeholder_is_refused() {
    for absent in [None, Some(Value::Null), Some(json!(""))] {
        let client = client();
        let token = changed(&token_answer(), "unionid", absent.clone());
        let tokens = read_tokens(&client, &token).unwrap();
        assert_eq!(tokens.union_subject, None);
        let user = changed(&user_answer(), "unionid", absent).to_string();
        assert_eq!(client.read_user(&tokens, &answer(user)).unwrap().union_subject, None);
        // It may also appear in the second answer only, or in the first only.
        let user = answer(user_answer().to_string());
        assert!(client.read_user(&tokens, &user).unwrap().union_subject.is_some());
    }
    let user = changed(&user_answer(), "unionid", None);
    assert_eq!(read_user(&client(), &user).unwrap().union_subject.as_deref(), Some(UNIONID));
    for unusable in [json!("null"), json!("0"), json!(0), json!(12345), json!(-1), json!([]), json!("o".repeat(256))] {
        let user = changed(&user_answer(), "unionid", Some(unusable.clone()));
        assert_eq!(read_user(&client(), &user).unwrap_err().name(), "subject_missing", "{unusable}");
    }
}

#[test]
fn an_answer_about_somebody_else_is_refused() {
    for field in ["openid", "unionid"] {
        let user = changed(&user_answer(), field, Some(json!("oSomebodyElse")));
        assert_eq!(read_user(&client(), &user).unwrap_err().name(), "subject_mismatch");
        let refreshed = changed(&token_answer(), field, Some(json!("oSomebodyElse")));
        let refreshed = answer(refreshed.to_string());
        let error = client().read_refreshed(&tokens(&client()), &refreshed, NOW).unwrap_err();
        assert_eq!(error.name(), "subject_mismatch");
    }
}

#[test]
fn numbers_and_scopes_are_read_as_they_come() {
    let read = |field: &str, value| read_tokens(&client(), &changed(&token_answer(), field, value));
    assert_eq!(read("expires_in", Some(json!("7200"))).unwrap().expires_at, Some(after(7200)));
    assert_eq!(read("expires_in", None).unwrap().expires_at, None);
    for bad in [json!(-1), json!("soon"), json!(1.5), json!(1e300), json!([]), json!("99999999999")] {
        assert_eq!(read("expires_in", Some(bad)).unwrap_err().name(), "unreadable");
    }
    // No word about scope means what was asked for; a difference is told, not refused.
    assert_eq!(read("scope", None).unwrap().scope, ["snsapi_login"]);
    assert_eq!(read("scope", Some(json!("a, snsapi_login,"))).unwrap().scope, ["a", "snsapi_login"]);
    assert_eq!(read("scope", Some(json!(["a", "b c"]))).unwrap().scope, ["a", "b", "c"]);
    assert_eq!(read("scope", Some(json!(""))).unwrap().scope_missing, ["snsapi_login"]);
    assert!(read("scope", Some(json!(""))).unwrap().scope.is_empty());
    assert_eq!(read("scope", Some(json!("snsapi_base"))).unwrap().scope_missing, ["snsapi_login"]);
    assert!(read("token_type", Some(json!("bearer"))).is_ok());
    assert!(read("refresh_token", None).unwrap().refresh_token.is_none());
    for bad in [None, Some(json!("")), Some(json!(1)), Some(Value::Null)] {
        assert_eq!(read("access_token", bad).unwrap_err().name(), "unreadable");
    }
}

#[test]
fn a_snapshot_visitor_is_provisional() {
    for (value, expected) in [(json!(1), true), (json!("1"), true), (json!(true), true), (json!(0), false)] {
        let token = changed(&token_answer(), "is_snapshotuser", Some(value));
        assert_eq!(read_tokens(&client(), &token).unwrap().provisional, expected);
    }
}

#[test]
fn what_is_only_for_show_never_stops_a_sign_in() {
    for odd in [None, Some(Value::Null), Some(json!(5)), Some(json!("")), Some(json!("\u{0}\n"))] {
        let user = changed(&user_answer(), "nickname", odd.clone());
        assert_eq!(read_user(&client(), &user).unwrap().nickname, None, "{odd:?}");
    }
    let long = changed(&user_answer(), "nickname", Some(json!("长".repeat(9999))));
    assert_eq!(read_user(&client(), &long).unwrap().nickname, Some("长".repeat(64)));
    for odd in [json!("javascript:alert(1)"), json!("data:text/html,x"), json!("x"), json!("")] {
        let user = changed(&user_answer(), "headimgurl", Some(odd.clone()));
        assert_eq!(read_user(&client(), &user).unwrap().avatar_url, None, "{odd}");
    }
}

#[test]
fn garbage_is_refused_by_cause() {
    let client = client();
    let cases: [(u16, &[u8], &str); 14] = [
        (200, b"", "unreadable"),
        (200, b"ok", "unreadable"),
        (200, b"null", "unreadable"),
        (200, b"[]", "unreadable"),
        (200, b"{}", "unreadable"),
        (200, b"{\"access_token\":\"80_can", "unreadable"),
        (200, b"{\"nickname\":\"\xff\xfe\"}", "unreadable"),
        (200, b"{\"nickname\":\"\\ud83d\"}", "unreadable"),
        (200, b"<html>login</html>", "unreadable"),
        (302, b"", "redirected"),
        (404, b"not found", "unreadable"),
        (429, b"slow down", "rate_limited"),
        (502, b"<h1>Bad Gateway</h1>", "busy"),
        (500, b"{\"errcode\":40029}", "code_refused"),
    ];
    for (status, body, expected) in cases {
        let response = Response::new(status, None, body.to_vec());
        let error = client.read_tokens(&callback(&client), &response, NOW).unwrap_err();
        assert_eq!(error.name(), expected, "{status} {}", String::from_utf8_lossy(body));
    }
    let huge = answer(vec![b' '; 256 * 1024 + 1]);
    let error = client.read_tokens(&callback(&client), &huge, NOW).unwrap_err();
    assert!(matches!(error, ProviderError::TooLarge { .. }));
}

#[test]
fn an_answer_cut_or_bent_anywhere_never_panics() {
    let client = client();
    let whole = token_answer().to_string().into_bytes();
    for at in 0..whole.len() {
        let cut = client.read_tokens(&callback(&client), &answer(&whole[..at]), NOW);
        assert!(cut.is_err());
        for byte in [0, b'"', b'{', b'\\', 0xff] {
            let mut bent = whole.clone();
            bent[at] = byte;
            drop(client.read_tokens(&callback(&client), &answer(bent), NOW));
        }
    }
}

#[test]
fn a_refresh_sends_no_secret_and_keeps_what_the_answer_leaves_out() {
    let client = client();
    let old = tokens(&client);
    assert_eq!(
        client.refresh_request(&old, &mut counting(), NOW).unwrap().url(),
        format!(
            "https://api.weixin.qq.com/sns/oauth2/refresh_token?appid={APP}\
             &grant_type=refresh_token&refresh_token={REFRESH_TOKEN}"
        )
    );
    let body = json!({
        "openid": OPENID, "access_token": "81_new", "expires_in": 7200,
        "scope": "snsapi_login,snsapi_runtime_pcsdk,",
    });
    let new = client.read_refreshed(&old, &answer(body.to_string()), after(9000)).unwrap();
    assert_eq!(new.access_token.expose(), "81_new");
    assert_eq!(new.refresh_token, old.refresh_token);
    assert_eq!(new.expires_at, Some(after(16_200)));
    assert_eq!(new.union_subject, old.union_subject);
    assert_eq!(new.scope, ["snsapi_login", "snsapi_runtime_pcsdk"]);

    let provisional = changed(&token_answer(), "is_snapshotuser", Some(json!(1)));
    let mut old = read_tokens(&client, &changed(&provisional, "token_type", Some(json!("bearer")))).unwrap();
    old = client.read_refreshed(&old, &answer(body.to_string()), after(9000)).unwrap();
    assert!(old.provisional, "nobody becomes a real account by a refresh");
    assert_eq!(old.token_type.as_deref(), Some("bearer"));
}

#[test]
fn a_check_succeeds_only_when_the_answer_says_so() {
    let client = client();
    let tokens = tokens(&client);
    assert_eq!(
        client.check_request(&tokens, NOW).unwrap().url(),
        format!("https://api.weixin.qq.com/sns/auth?access_token={ACCESS_TOKEN}&openid={OPENID}")
    );
    let check = |body: Value| client.read_check(&tokens, &answer(body.to_string()));
    assert!(check(json!({"errcode": 0, "errmsg": "ok"})).is_ok());
    assert_eq!(check(json!({})).unwrap_err().name(), "unreadable");
    assert_eq!(check(json!({"errcode": 40003})).unwrap_err().name(), "access_token_refused");
}

#[test]
fn a_user_request_names_token_and_person() {
    let client = client();
    assert_eq!(
        client.user_request(&tokens(&client), None, NOW).unwrap().url(),
        format!(
            "https://api.weixin.qq.com/sns/userinfo?access_token={ACCESS_TOKEN}\
             &openid={OPENID}&lang=zh_CN"
        )
    );
}

#[test]
fn what_a_provider_does_not_offer_is_said() {
    let record = fujie_client::provider::wechat().with(&json!({"refresh": null, "check": null})).unwrap();
    let client = client_of(record);
    let tokens = tokens(&client);
    assert_eq!(client.refresh_request(&tokens, &mut counting(), NOW).unwrap_err().name(), "not_offered");
    assert_eq!(client.check_request(&tokens, NOW).unwrap_err().name(), "not_offered");
}
