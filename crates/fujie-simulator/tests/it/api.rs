//! The endpoints of `api.weixin.qq.com`.

use crate::http;
use crate::story::{OTHER_APPID, OTHER_SECRET, house, tokens_in};
use fujie_simulator::wechat::{DEFAULT_APPID, DEFAULT_SECRET};

const TOKEN: &str = "/sns/oauth2/access_token";

#[tokio::test]
async fn a_code_becomes_tokens_in_the_documented_shape() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    let answer = house.redeem(&code).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
    let (access_token, refresh_token, openid) = tokens_in(&answer);
    let json = answer.json();
    let unionid = json.get("unionid").unwrap().as_str().unwrap();
    let expected = format!(
        "{{\"access_token\":\"{access_token}\",\"expires_in\":7200,\"refresh_token\":\"{refresh_token}\",\
         \"openid\":\"{openid}\",\"scope\":\"snsapi_login\",\"unionid\":\"{unionid}\"}}"
    );
    assert_eq!(answer.text(), expected);
    let (number, rest) = access_token.split_once('_').unwrap();
    assert!(number.len() == 2 && rest.len() == 100, "{access_token}");
    assert!(openid.len() == 28 && openid.starts_with('o'));
    assert!(unionid.len() == 28 && unionid != openid);
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    assert_eq!(house.redeem(&code).await.errcode(), 0);
    let again = house.redeem(&code).await;
    assert_eq!((again.status, again.errcode()), (200, 40163));
    assert!(again.text().starts_with("{\"errcode\":40163,\"errmsg\":\"code been used, rid: "));
}

#[tokio::test]
async fn a_code_dies_after_ten_minutes() {
    let house = house().await;
    let (fresh, late) = (house.sign_in("xiaoming").await, house.sign_in("xiaoming").await);
    house.advance(570).await;
    assert_eq!(house.redeem(&fresh).await.errcode(), 0);
    house.advance(30).await;
    assert_eq!(house.redeem(&late).await.errcode(), 40029);
}

#[tokio::test]
async fn another_apps_code_is_invalid_and_stays_good_for_its_own() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    let query = format!("appid={OTHER_APPID}&secret={OTHER_SECRET}&code={code}&grant_type=authorization_code");
    assert_eq!(house.get(&format!("{TOKEN}?{query}")).await.errcode(), 40029);
    assert_eq!(house.redeem(&code.to_lowercase()).await.errcode(), 40029);
    assert_eq!(house.redeem(&code).await.errcode(), 0);
}

#[tokio::test]
async fn errors_are_found_in_the_known_order() {
    let house = house().await;
    let good = format!("appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}");
    let cases = [
        (String::new(), 41002),
        ("secret=x&code=x".to_owned(), 41002),
        ("appid=&secret=x".to_owned(), 41002),
        ("appid=wx0000000000000000".to_owned(), 40013),
        (format!("appid={}", DEFAULT_APPID.to_uppercase()), 40013),
        (format!("appid={DEFAULT_APPID}&code=x"), 41004),
        (format!("appid={DEFAULT_APPID}&secret=wrong"), 40125),
        (good.clone(), 41008),
        (format!("{good}&grant_type=password"), 41008),
        (format!("{good}&code=x"), 40002),
        (format!("{good}&code=x&grant_type=refresh_token"), 40002),
        (format!("{good}&code=x&grant_type=authorization_code"), 40029),
    ];
    for (query, expected) in cases {
        let answer = house.get(&format!("{TOKEN}?{query}")).await;
        assert_eq!((answer.status, answer.errcode()), (200, expected), "{query}");
        assert_eq!(answer.header("content-type"), Some("text/plain"), "{query}");
    }
}

#[tokio::test]
async fn the_token_endpoint_takes_a_form_and_ignores_what_it_does_not_know() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    let form = format!(
        "appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}&code={code}&grant_type=authorization_code\
         &redirect_uri=http%3A%2F%2Felsewhere%2F&scope=x&code_verifier=y&client_id=z"
    );
    let headers = ["Content-Type: application/x-www-form-urlencoded", "Authorization: Basic eDp5"];
    house.switch("form_body", false).await;
    assert_eq!(http::send(house.base(), "POST", TOKEN, &headers, &form).await.errcode(), 41002);
    house.switch("form_body", true).await;
    assert_eq!(http::send(house.base(), "POST", TOKEN, &headers, &form).await.errcode(), 0);
}

#[tokio::test]
async fn query_and_form_are_merged_and_the_query_wins() {
    let house = house().await;
    let code = house.sign_in("xiaoming").await;
    let path = format!("{TOKEN}?appid={DEFAULT_APPID}&grant_type=authorization_code");
    let form = format!("appid=wx0000000000000000&secret={DEFAULT_SECRET}&code={code}");
    assert_eq!(house.post_form(&path, &form).await.errcode(), 0);
}

#[tokio::test]
async fn refreshing_renews_a_live_access_token_and_replaces_a_dead_one() {
    let house = house().await;
    let (first, refresh_token, openid) = house.tokens("xiaoming").await;
    house.advance(7000).await;
    let renewed = house.refresh(&refresh_token).await;
    assert_eq!(tokens_in(&renewed), (first.clone(), refresh_token.clone(), openid.clone()));
    assert!(!renewed.text().contains("unionid"));
    house.advance(7000).await;
    assert_eq!(house.auth(&first, &openid).await.errcode(), 0);
    house.advance(200).await;
    assert_eq!(house.auth(&first, &openid).await.errcode(), 42001);
    let (second, same_refresh_token, _) = tokens_in(&house.refresh(&refresh_token).await);
    assert_ne!(second, first);
    assert_eq!(same_refresh_token, refresh_token);
    assert_eq!(house.auth(&second, &openid).await.errcode(), 0);
    assert_eq!(house.auth(&first, &openid).await.errcode(), 42001);
}

#[tokio::test]
async fn a_refresh_token_ends_thirty_days_after_its_first_issue_however_often_it_is_used() {
    let house = house().await;
    let (_, refresh_token, _) = house.tokens("xiaoming").await;
    house.advance(30 * 86_400 - 60).await;
    assert_eq!(house.refresh(&refresh_token).await.errcode(), 0);
    house.advance(60).await;
    assert_eq!(house.refresh(&refresh_token).await.errcode(), 42002);
}

#[tokio::test]
async fn refreshing_needs_no_secret_but_the_right_app() {
    let house = house().await;
    let (_, refresh_token, _) = house.tokens("xiaoming").await;
    let path = "/sns/oauth2/refresh_token?";
    let cases = [
        (String::new(), 41002),
        (format!("appid=wx0000000000000000&refresh_token={refresh_token}"), 40013),
        (format!("appid={DEFAULT_APPID}&refresh_token={refresh_token}"), 40002),
        (format!("appid={DEFAULT_APPID}&grant_type=refresh_token"), 41003),
        (format!("appid={DEFAULT_APPID}&grant_type=refresh_token&refresh_token=x"), 40030),
        (format!("appid={OTHER_APPID}&grant_type=refresh_token&refresh_token={refresh_token}"), 40030),
    ];
    for (query, expected) in cases {
        assert_eq!(house.get(&format!("{path}{query}")).await.errcode(), expected, "{query}");
    }
}

#[tokio::test]
async fn auth_says_ok_with_an_errcode_of_zero() {
    let house = house().await;
    let (access_token, refresh_token, openid) = house.tokens("xiaoming").await;
    assert_eq!(house.auth(&access_token, &openid).await.text(), r#"{"errcode":0,"errmsg":"ok"}"#);
    let unknown = format!("99_{}", "x".repeat(100));
    let cases = [
        (access_token.as_str(), "oSomebodyElse", 40003),
        (refresh_token.as_str(), openid.as_str(), 40001),
        (unknown.as_str(), openid.as_str(), 40001),
        ("junk", openid.as_str(), 40014),
        ("", openid.as_str(), 41001),
        (access_token.as_str(), "", 41009),
    ];
    for (access_token, openid, expected) in cases {
        assert_eq!(house.auth(access_token, openid).await.errcode(), expected);
    }
}

#[tokio::test]
async fn userinfo_is_raw_utf8_with_escaped_slashes_in_the_known_order() {
    let house = house().await;
    let (access_token, _, openid) = house.tokens("xiaoming").await;
    let answer = house.userinfo(&access_token, &openid).await;
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let json = answer.json();
    let text = |name: &str| json.get(name).unwrap().as_str().unwrap().to_owned();
    let headimgurl = text("headimgurl");
    assert!(headimgurl.starts_with(&format!("{}/mmopen/vi_32/", house.base())));
    assert!(headimgurl.ends_with("/132"));
    let expected = format!(
        "{{\"openid\":\"{openid}\",\"nickname\":\"小明🌟\",\"sex\":0,\"language\":\"\",\"city\":\"\",\
         \"province\":\"\",\"country\":\"\",\"headimgurl\":\"{}\",\"privilege\":[],\"unionid\":\"{}\"}}",
        headimgurl.replace('/', "\\/"),
        text("unionid"),
    );
    assert_eq!(answer.body, expected.as_bytes());
    let raw = [0xe5, 0xb0, 0x8f, 0xe6, 0x98, 0x8e, 0xf0, 0x9f, 0x8c, 0x9f];
    assert!(answer.body.windows(raw.len()).any(|window| window == raw));
    assert!(answer.text().contains("\"http:\\/\\/127.0.0.1"));
}

#[tokio::test]
async fn a_token_opens_its_own_openid_alone() {
    let house = house().await;
    let (_, _, openid_of_lihua) = house.tokens("lihua").await;
    let (access_token, _, _) = house.tokens("xiaoming").await;
    let answer = house.userinfo(&access_token, &openid_of_lihua).await;
    assert_eq!((answer.status, answer.errcode()), (200, 40003));
    assert!(answer.text().starts_with("{\"errcode\":40003,\"errmsg\":\"invalid openid"));
}

#[tokio::test]
async fn profiles_of_former_days_carry_sex_and_region() {
    let house = house().await;
    house.switch("full_profile", true).await;
    let (access_token, _, openid) = house.tokens("lihua").await;
    let country = |answer: http::Answer| answer.json().get("country").unwrap().as_str().unwrap().to_owned();
    assert_eq!(country(house.userinfo(&access_token, &openid).await), "CN");
    let chinese = house.userinfo(&access_token, &format!("{openid}&lang=zh_CN")).await;
    assert!(chinese.text().contains("\"sex\":2,"));
    assert_eq!(country(chinese), "中国");
}

#[tokio::test]
async fn a_new_sign_in_ends_the_earlier_token_only_when_told_so() {
    let house = house().await;
    let (first, refresh_token, openid) = house.tokens("xiaoming").await;
    let (second, _, _) = house.tokens("xiaoming").await;
    assert_eq!(house.auth(&first, &openid).await.errcode(), 0);
    house.switch("invalidate_previous_token", true).await;
    let (third, _, _) = house.tokens("xiaoming").await;
    assert_eq!(house.auth(&first, &openid).await.errcode(), 40001);
    assert_eq!(house.auth(&second, &openid).await.errcode(), 40001);
    assert_eq!(house.auth(&third, &openid).await.errcode(), 0);
    let (renewed, _, _) = tokens_in(&house.refresh(&refresh_token).await);
    assert!(renewed != first && house.auth(&renewed, &openid).await.errcode() == 0);
}

#[tokio::test]
async fn unionid_and_snapshot_user_are_switches() {
    let house = house().await;
    house.switch("unionid", false).await;
    house.switch("snapshot_user", true).await;
    let code = house.sign_in("xiaoming").await;
    let answer = house.redeem(&code).await;
    assert!(answer.text().ends_with(",\"scope\":\"snsapi_login\",\"is_snapshotuser\":1}"));
    let (access_token, _, openid) = tokens_in(&answer);
    assert!(house.userinfo(&access_token, &openid).await.text().ends_with("\"privilege\":[]}"));
}

#[tokio::test]
async fn the_suffix_of_an_error_follows_the_fashion() {
    let house = house().await;
    let rid = house.get(&format!("{TOKEN}?appid=x")).await;
    let groups = rid.text().rsplit_once("invalid appid, rid: ").unwrap().1.trim_end_matches("\"}");
    assert_eq!(groups.split('-').map(str::len).collect::<Vec<_>>(), [8, 8, 8]);
    assert!(house.get(TOKEN).await.text().contains("appid missing rid: "));
    house.control("switches", r#"{"errmsg_suffix":"plain"}"#).await;
    let plain = house.get(TOKEN).await;
    assert_eq!(plain.text(), r#"{"errcode":41002,"errmsg":"appid missing"}"#);
    house.control("switches", r#"{"errmsg_suffix":"hints"}"#).await;
    assert!(house.get(TOKEN).await.text().contains("appid missing, hints: [ req_id: "));
}

#[tokio::test]
async fn a_wrong_api_path_is_an_invalid_url() {
    let house = house().await;
    for path in ["/sns/oauth2/token", "/sns/nothing", "/cgi-bin/token"] {
        assert_eq!(house.get(path).await.errcode(), 40066, "{path}");
    }
}
