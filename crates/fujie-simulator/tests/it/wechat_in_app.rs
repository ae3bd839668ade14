//! `/connect/oauth2/authorize`: web authorization inside WeChat, for official accounts.

use crate::http::{self, Answer};
use crate::story::{House, between, house, house_with, tokens_in};
use fujie_simulator::wechat::{
    App, AppKind, CallbackDomain, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_OFFICIAL_ACCOUNT_APPID,
    DEFAULT_SECRET,
};

const AUTHORIZE: &str = "/connect/oauth2/authorize";
const SCOPE_FAULT: &str = "Scope 参数错误或没有 Scope 权限";
const BACK: &str = "http%3A%2F%2F127.0.0.1%3A8080%2Fback";

/// In the documented order.
fn query(scope: &str) -> String {
    format!("appid={DEFAULT_OFFICIAL_ACCOUNT_APPID}&redirect_uri={BACK}&response_type=code&scope={scope}&state=s1")
}

async fn authorize(house: &House, query: &str) -> Answer {
    house.get(&format!("{AUTHORIZE}?{query}")).await
}

/// Presses a button of the page that asks.
async fn press(house: &House, page: &Answer, decision: &str, person: &str) -> Answer {
    let action = between(page.text(), "<form method=\"post\" action=\"", "\"");
    house.post_form(action, &format!("decision={decision}&person={person}")).await
}

fn code_in(answer: &Answer) -> String {
    let location = url::Url::parse(answer.header("location").unwrap()).unwrap();
    location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

async fn redeem(house: &House, code: &str) -> Answer {
    house
        .get(&format!(
            "/sns/oauth2/access_token?appid={DEFAULT_OFFICIAL_ACCOUNT_APPID}&secret={DEFAULT_SECRET}&code={code}\
             &grant_type=authorization_code"
        ))
        .await
}

/// The code of a person who agrees to `query`.
async fn agree(house: &House, query: &str, person: &str) -> String {
    let page = authorize(house, query).await;
    code_in(&press(house, &page, "agree", person).await)
}

#[tokio::test]
async fn snsapi_base_redirects_silently_and_tells_the_openid_alone() {
    let house = house().await;
    let answer = authorize(&house, &query("snsapi_base")).await;
    assert_eq!(answer.status, 302);
    let code = code_in(&answer);
    let expected = format!("http://127.0.0.1:8080/back?code={code}&state=s1");
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    let tokens = redeem(&house, &code).await;
    assert!(tokens.text().ends_with("\"scope\":\"snsapi_base\"}"), "{}", tokens.text());
    let (access_token, _, openid) = tokens_in(&tokens);
    assert_eq!(house.auth(&access_token, &openid).await.errcode(), 0);
}

#[tokio::test]
async fn userinfo_with_snsapi_base_is_48001() {
    let house = house().await;
    let code = code_in(&authorize(&house, &query("snsapi_base")).await);
    let (access_token, _, openid) = tokens_in(&redeem(&house, &code).await);
    let answer = house.userinfo(&access_token, &openid).await;
    assert_eq!((answer.status, answer.errcode()), (200, 48001));
    assert!(answer.text().contains("\"api unauthorized, rid: "));
}

#[tokio::test]
async fn snsapi_userinfo_asks_on_a_page_and_opens_the_profile() {
    let house = house().await;
    let page = authorize(&house, &query("snsapi_userinfo")).await;
    assert_eq!((page.status, page.header("location")), (200, None));
    assert!(page.text().contains("演示公众号") && page.text().contains("小明🌟"));
    let back = press(&house, &page, "agree", "lihua").await;
    assert_eq!(back.status, 303);
    assert!(back.header("location").unwrap().starts_with("http://127.0.0.1:8080/back?code="));
    assert!(back.header("location").unwrap().ends_with("&state=s1"));
    let tokens = redeem(&house, &code_in(&back)).await;
    assert_eq!(tokens.json().get("scope"), Some(&"snsapi_userinfo".into()));
    assert!(tokens.json().get("is_snapshotuser").is_none());
    let (access_token, _, openid) = tokens_in(&tokens);
    let profile = house.userinfo(&access_token, &openid).await.json();
    assert_eq!(profile.get("nickname"), Some(&"李华".into()));
}

#[tokio::test]
async fn both_scopes_joined_by_a_comma_come_back_as_they_were_sent() {
    let house = house().await;
    let code = agree(&house, &query("snsapi_base%2Csnsapi_userinfo"), "zoe").await;
    let tokens = redeem(&house, &code).await.json();
    assert_eq!(tokens.get("scope"), Some(&"snsapi_base,snsapi_userinfo".into()));
}

#[tokio::test]
async fn parameters_out_of_order_are_a_scope_fault_for_snsapi_userinfo_alone() {
    let house = house().await;
    let swapped = |scope: &str| {
        format!("appid={DEFAULT_OFFICIAL_ACCOUNT_APPID}&redirect_uri={BACK}&scope={scope}&response_type=code&state=s1")
    };
    let refused = authorize(&house, &swapped("snsapi_userinfo")).await;
    assert_eq!((refused.status, refused.header("location")), (200, None));
    assert!(refused.text().contains(SCOPE_FAULT));
    assert_eq!(authorize(&house, &swapped("snsapi_base")).await.status, 302);
    house.switch("strict_order", false).await;
    assert!(!authorize(&house, &swapped("snsapi_userinfo")).await.text().contains(SCOPE_FAULT));
}

#[tokio::test]
async fn the_alphabetical_order_of_query_builders_happens_to_be_right() {
    let house = house().await;
    let mut pairs: Vec<_> = query("snsapi_userinfo").split('&').map(str::to_owned).collect();
    pairs.sort();
    assert!(authorize(&house, &pairs.join("&")).await.text().contains("name=\"decision\""));
}

#[tokio::test]
async fn extras_behind_the_state_are_accepted() {
    let house = house().await;
    let query = format!("{}&forcePopup=true&connect_redirect=1&uin=x", query("snsapi_userinfo"));
    assert!(authorize(&house, &query).await.text().contains("name=\"decision\""));
}

#[tokio::test]
async fn page_errors_carry_their_number_and_never_redirect() {
    let house = house_with(|config| {
        config.apps.push(App {
            appid: "wx00000000000000bb".to_owned(),
            callback_domain: CallbackDomain::Host("m.example.com".to_owned()),
            ..App::demo_official_account()
        });
    })
    .await;
    let userinfo = query("snsapi_userinfo");
    let official = DEFAULT_OFFICIAL_ACCOUNT_APPID;
    let at = |uri: &str| query("snsapi_base").replace(official, "wx00000000000000bb").replace(BACK, uri);
    let cases = [
        (at("https%3A%2F%2Fwww.m.example.com%2F"), "10003"),
        (at("https%3A%2F%2Fexample.com%2F"), "10003"),
        (at("https%3A%2F%2Fm.example.com%3A8443%2F"), "10003"),
        (userinfo.replace("127.0.0.1", "127.0.0.2"), "10003"),
        (userinfo.replace(official, DEFAULT_MINI_PROGRAM_APPID), "10005"),
        (query(""), "10010"),
        (userinfo.replace(BACK, ""), "10011"),
        (userinfo.replace(official, ""), "10012"),
        ("scope=snsapi_base".to_owned(), "10012"),
        (format!("{userinfo}&component_appid=wx1"), "10015"),
        (userinfo.replace(official, DEFAULT_APPID), "10016"),
        (userinfo.replace(official, "wx0000000000000000"), "AppID 参数错误"),
        (query("snsapi_login"), SCOPE_FAULT),
        (query("snsapi_base%20snsapi_userinfo"), SCOPE_FAULT),
    ];
    for (query, expected) in cases {
        let page = authorize(&house, &query).await;
        assert_eq!((page.status, page.header("location")), (200, None), "{query}");
        assert!(page.text().contains(expected), "{expected} {query}");
    }
    assert_eq!(authorize(&house, &at("https%3A%2F%2Fm.example.com%2Fa%3Fb%3D1")).await.status, 302);
}

#[tokio::test]
async fn page_errors_that_no_state_leads_to_can_be_ordered() {
    let house = house().await;
    for number in [10003, 10004, 10005, 10006, 10009, 10010, 10011, 10012, 10013, 10015, 10016] {
        let fault = format!("{{\"at\":\"{AUTHORIZE}\",\"kind\":\"error\",\"error\":{number}}}");
        assert_eq!(house.control("faults", &fault).await.status, 204, "{number}");
        let page = authorize(&house, &query("snsapi_base")).await;
        assert_eq!((page.status, page.header("location")), (200, None));
        assert!(page.text().contains(&number.to_string()), "{number}");
        assert_eq!(authorize(&house, &query("snsapi_base")).await.status, 302);
    }
    let unknown = format!("{{\"at\":\"{AUTHORIZE}\",\"kind\":\"error\",\"error\":40029}}");
    assert_eq!(house.control("faults", &unknown).await.status, 400);
}

#[tokio::test]
async fn a_state_of_128_bytes_comes_back_and_a_longer_one_is_refused() {
    let house = house().await;
    for (length, is_short_enough) in [(128, true), (129, false)] {
        let state = "x".repeat(length);
        let answer = authorize(&house, &query("snsapi_base").replace("state=s1", &format!("state={state}"))).await;
        if is_short_enough {
            assert!(answer.header("location").unwrap().ends_with(&format!("&state={state}")));
        } else {
            assert_eq!((answer.status, answer.header("location")), (200, None));
            assert!(answer.text().contains("too long state parameters"));
        }
    }
}

#[tokio::test]
async fn an_absent_state_comes_back_empty_and_is_10013_where_the_switch_says_so() {
    let house = house().await;
    let stateless = query("snsapi_base").replace("&state=s1", "");
    assert!(authorize(&house, &stateless).await.header("location").unwrap().ends_with("&state="));
    assert_eq!(authorize(&house, &query("snsapi_userinfo").replace("&state=s1", "")).await.status, 200);
    house.switch("state_is_required", true).await;
    assert!(authorize(&house, &stateless).await.text().contains("10013"));
}

#[tokio::test]
async fn other_browsers_are_sent_to_wechat_only_where_the_switch_says_so() {
    let house = house().await;
    assert_eq!(authorize(&house, &query("snsapi_base")).await.status, 302);
    house.switch("only_in_wechat", true).await;
    let page = authorize(&house, &query("snsapi_base")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("请在微信客户端打开链接"));
    let agent = "User-Agent: Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.49.2600(0x28003133)";
    let path = format!("{AUTHORIZE}?{}", query("snsapi_base"));
    assert_eq!(http::send(house.base(), "GET", &path, &[agent], "").await.status, 302);
}

#[tokio::test]
async fn a_refusal_in_app_goes_nowhere_today_and_back_with_the_state_alone_in_former_days() {
    let house = house().await;
    let page = authorize(&house, &query("snsapi_userinfo")).await;
    let refused = press(&house, &page, "refuse", "").await;
    assert_eq!((refused.status, refused.header("location")), (200, None));
    assert!(refused.text().contains("已拒绝登录"));
    house.switch("denial_redirects", true).await;
    let page = authorize(&house, &query("snsapi_userinfo")).await;
    let refused = press(&house, &page, "refuse", "").await;
    assert_eq!(refused.header("location"), Some("http://127.0.0.1:8080/back?state=s1"));
}

#[tokio::test]
async fn an_in_app_code_dies_after_five_minutes_and_works_once() {
    let house = house().await;
    let (used, fresh, late) = (
        code_in(&authorize(&house, &query("snsapi_base")).await),
        agree(&house, &query("snsapi_userinfo"), "zoe").await,
        agree(&house, &query("snsapi_userinfo"), "zoe").await,
    );
    assert_eq!(redeem(&house, &used).await.errcode(), 0);
    assert_eq!(redeem(&house, &used).await.errcode(), 40163);
    house.advance(270).await;
    assert_eq!(redeem(&house, &fresh).await.errcode(), 0);
    house.advance(30).await;
    assert_eq!(redeem(&house, &late).await.errcode(), 40029);
}

#[tokio::test]
async fn the_code_stands_before_a_fragment_and_a_parameter_named_open_id_is_lost() {
    let house = house().await;
    let to = |uri: &str| query("snsapi_base").replace(BACK, uri);
    let location = |answer: &Answer| answer.header("location").unwrap().replace(&code_in(answer), "CODE");
    let fragment = authorize(&house, &to("http%3A%2F%2Flocalhost%2F%23%2Fhome")).await;
    assert_eq!(location(&fragment), "http://localhost/?code=CODE&state=s1#/home");
    let open_id = to("http%3A%2F%2Flocalhost%2F%3FopenId%3D1%26a%3D2");
    assert_eq!(location(&authorize(&house, &open_id).await), "http://localhost/?a=2&code=CODE&state=s1");
    house.switch("open_id_is_dropped", false).await;
    assert_eq!(location(&authorize(&house, &open_id).await), "http://localhost/?openId=1&a=2&code=CODE&state=s1");
}

#[tokio::test]
async fn is_snapshotuser_is_the_number_one_and_comes_with_somebody_elses_openid_and_profile() {
    let house = house().await;
    let real = redeem(&house, &agree(&house, &query("snsapi_userinfo"), "zoe").await).await;
    let forced = format!("{}&forceSnapShot=true", query("snsapi_userinfo"));
    let snapshot = redeem(&house, &agree(&house, &forced, "zoe").await).await;
    assert!(snapshot.text().ends_with(",\"is_snapshotuser\":1}"), "{}", snapshot.text());
    for field in ["openid", "unionid"] {
        assert_ne!(real.json().get(field), snapshot.json().get(field), "{field}");
    }
    let (access_token, _, openid) = tokens_in(&snapshot);
    let profile = house.userinfo(&access_token, &openid).await.json();
    assert_ne!(profile.get("nickname"), Some(&"Zoë 👩‍💻".into()));
    house.switch("snapshot_user", true).await;
    let switched = redeem(&house, &agree(&house, &query("snsapi_userinfo"), "zoe").await).await;
    assert_eq!(switched.json().get("openid"), Some(&openid.into()));
    let silent = redeem(&house, &code_in(&authorize(&house, &query("snsapi_base")).await)).await;
    assert!(silent.json().get("is_snapshotuser").is_none());
}

#[tokio::test]
async fn unionid_is_one_across_the_apps_of_an_account_and_told_with_snsapi_userinfo_alone() {
    let house = house().await;
    let website = house.redeem(&house.sign_in("lihua").await).await.json();
    let in_app = redeem(&house, &agree(&house, &query("snsapi_userinfo"), "lihua").await).await.json();
    assert!(in_app.get("unionid").is_some());
    assert_eq!(in_app.get("unionid"), website.get("unionid"));
    assert_ne!(in_app.get("openid"), website.get("openid"));
    let base = redeem(&house, &code_in(&authorize(&house, &query("snsapi_base")).await)).await.json();
    assert!(base.get("unionid").is_none());
}

#[tokio::test]
async fn an_account_can_be_unbound_while_running_and_then_has_no_unionid() {
    let house = house().await;
    let unbound = App { open_platform_account: String::new(), ..App::demo_official_account() };
    let body = serde_json::to_string(&unbound).unwrap();
    assert_eq!(house.control("apps", &body).await.status, 201);
    let in_app = redeem(&house, &agree(&house, &query("snsapi_userinfo"), "lihua").await).await.json();
    assert!(in_app.get("unionid").is_none());
    let website = house.redeem(&house.sign_in("lihua").await).await.json();
    assert!(website.get("unionid").is_some());
}

#[tokio::test]
async fn followers_from_the_accounts_own_chat_see_no_page_and_force_popup_changes_nothing() {
    let house = house().await;
    house.switch("silent_userinfo", true).await;
    for query in [query("snsapi_userinfo"), format!("{}&forcePopup=true", query("snsapi_userinfo"))] {
        let answer = authorize(&house, &query).await;
        assert_eq!(answer.status, 302);
        assert_eq!(redeem(&house, &code_in(&answer)).await.json().get("scope"), Some(&"snsapi_userinfo".into()));
    }
}

#[tokio::test]
async fn auto_confirm_names_who_is_signed_in_to_wechat() {
    let house = house().await;
    let openid = |answer: Answer| answer.json().get("openid").unwrap().clone();
    let zoe = openid(redeem(&house, &agree(&house, &query("snsapi_userinfo"), "zoe").await).await);
    let first = openid(redeem(&house, &code_in(&authorize(&house, &query("snsapi_base")).await)).await);
    assert_ne!(first, zoe);
    assert_eq!(house.control("switches", r#"{"auto_confirm":"zoe"}"#).await.status, 200);
    for scope in ["snsapi_base", "snsapi_userinfo"] {
        let answer = authorize(&house, &query(scope)).await;
        assert_eq!(answer.status, 302, "{scope}");
        assert_eq!(openid(redeem(&house, &code_in(&answer)).await), zoe, "{scope}");
    }
}

#[tokio::test]
async fn a_waiting_in_app_sign_in_is_listed_and_can_be_decided_elsewhere() {
    let house = house().await;
    authorize(&house, &query("snsapi_userinfo")).await;
    let listed = house.get("/_simulate/sign-ins").await.json();
    let id = listed.get(0).unwrap().get("id").unwrap().as_str().unwrap().to_owned();
    assert!(house.get("/phone").await.text().contains(&id));
    let confirmed = house.control(&format!("sign-ins/{id}/confirm"), r#"{"person":"zoe"}"#).await.json();
    let redirect_url = confirmed.get("redirect_url").unwrap().as_str().unwrap();
    let code = between(redirect_url, "?code=", "&state=s1");
    assert_eq!(redeem(&house, code).await.errcode(), 0);
}

#[tokio::test]
async fn a_website_code_is_of_no_use_to_the_official_account_of_its_own_account() {
    let house = house().await;
    let code = house.sign_in("lihua").await;
    assert_eq!(redeem(&house, &code).await.errcode(), 40029);
    assert_eq!(house.redeem(&code).await.errcode(), 0);
    assert_eq!(App::demo_official_account().kind, AppKind::OfficialAccount);
}

#[tokio::test]
async fn an_official_account_has_no_qr_page() {
    let house = house().await;
    let query = query("snsapi_login");
    let page = house.get(&format!("/connect/qrconnect?{query}")).await;
    assert!(page.text().contains(SCOPE_FAULT));
}

#[tokio::test]
async fn too_many_calls_are_page_error_10009() {
    let house = house().await;
    house.control("faults", &format!("{{\"at\":\"{AUTHORIZE}\",\"kind\":\"rate_limit\"}}")).await;
    let page = authorize(&house, &query("snsapi_base")).await;
    assert!(page.text().contains("10009"));
}

#[tokio::test]
async fn a_hostile_state_is_text_on_the_page_and_comes_back_unchanged() {
    let house = house().await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%26a%3D'";
    let page = authorize(&house, &query("snsapi_userinfo").replace("state=s1", &format!("state={hostile}"))).await;
    assert!(!page.text().contains("<script>alert"));
    let back = press(&house, &page, "agree", "zoe").await;
    let location = url::Url::parse(back.header("location").unwrap()).unwrap();
    let state = location.query_pairs().find(|(name, _)| name == "state").unwrap().1;
    assert_eq!(state, "\"><script>alert(1)</script>&a='");
}

#[tokio::test]
async fn sign_ins_of_both_kinds_are_listed_together_the_newest_first() {
    let house = house().await;
    authorize(&house, &query("snsapi_userinfo")).await;
    house.control("clock", r#"{"advance_seconds":1}"#).await;
    let uuid = house.open_page("s2").await;
    let listed = house.get("/_simulate/sign-ins").await.json();
    assert_eq!(listed.get(0).unwrap().get("id"), Some(&uuid.into()));
    assert_eq!(listed.get(1).unwrap().get("state"), Some(&"s1".into()));
}
