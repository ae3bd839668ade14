//! WeChat's website sign-in: the QR page, tokens and their ends, refusals.

use fujie_client::{Client, ProviderError, provider};
use fujie_simulator::wechat::{App, DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig};
use serde_json::json;

use super::browser;
use super::house::{BACK, House, after, cookie};
use super::story::stories;

pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut WechatConfig)) -> House {
    let mut config = WechatConfig::default();
    change(&mut config);
    let wechat = Wechat::start("127.0.0.1:0", config).await.unwrap();
    House::new(wechat, &provider::wechat(), DEFAULT_APPID, DEFAULT_SECRET)
}

/// What the provider says, by its number, having made sure that no secret is in it.
pub fn refused(house: &House, error: &ProviderError) -> (&'static str, String) {
    house.is_silent(error);
    (error.name(), error.errcode().unwrap_or_default().to_owned())
}

stories!(super::wechat::house, "code_used", Some(7200));

#[tokio::test]
async fn a_person_signs_in_from_the_qr_page() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((identity.provider.as_str(), identity.app.as_str()), ("wechat", DEFAULT_APPID));
    assert!(identity.subject.starts_with('o') && identity.subject.len() == 28, "{}", identity.subject);
    assert_eq!(identity.union_subject.as_ref().map(String::len), Some(28));
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert!(identity.avatar_url.unwrap().ends_with("/132"));
    assert!(!identity.provisional);
    assert_eq!(identity.raw["privilege"], json!([]));
    assert_eq!((tokens.expires_at, tokens.scope), (after(7200), vec!["snsapi_login".to_owned()]));
    assert_eq!((tokens.scope_missing, tokens.redirect_uri.as_deref()), (Vec::new(), Some(BACK)));
    let paths: Vec<_> = house.sent().iter().map(|sent| sent.url[house.base().len()..].to_owned()).collect();
    assert_eq!(paths.len(), 2, "one exchange and one question");
    assert!(paths[0].starts_with("/sns/oauth2/access_token?appid=wx") && paths[1].starts_with("/sns/userinfo?"));
}

#[tokio::test]
async fn the_phone_scans_and_agrees_as_a_browser_does() {
    let house = house().await;
    let begun = house.begin();
    let page = browser::get(&begun.url).await;
    assert!(page.text.contains("class=\"qrcode lightBorder\""), "{}", page.text);
    let listed = browser::get(&format!("{}/_simulate/sign-ins", house.base())).await.json();
    let confirm = listed[0]["confirm_url"].as_str().unwrap();
    let phone = browser::get(confirm).await.text;
    let phone = phone.split_once("name=\"phone\" value=\"").unwrap().1.split('"').next().unwrap();
    let uuid = confirm.rsplit_once("uuid=").unwrap().1;
    let form = format!("uuid={uuid}&phone={phone}&person=zoe&decision=agree");
    assert_eq!(browser::post_form(confirm.split('?').next().unwrap(), &form).await.status, 200);
    let poll = browser::get(&format!("{}/connect/l/qrconnect?uuid={uuid}", house.base())).await.text;
    let code = poll.split_once("wx_code='").unwrap().1.split('\'').next().unwrap();
    let state = listed[0]["state"].as_str().unwrap();
    let callback = format!("{BACK}?code={code}&state={state}");
    let signed_in = house.client.finish(&callback, &cookie(&begun)).await.unwrap();
    assert_eq!(signed_in.identity.nickname.as_deref(), Some("Zoë 👩‍💻"));
}

#[tokio::test]
async fn the_embedded_page_leads_to_the_same_callback() {
    let house = house().await;
    let (embedded, sealed) = house.client.begin_embedded(BACK, "login_container", true).unwrap();
    // The script joins the pieces as they are, in this order.
    let address = format!(
        "{}/connect/qrconnect?appid={}&scope={}&redirect_uri={}&state={}&login_type=jssdk&self_redirect=true&styletype=\
         &sizetype=&bgcolor=&rst=",
        house.base(),
        embedded.appid,
        embedded.scope,
        embedded.redirect_uri,
        embedded.state
    );
    let callback = house.decide(&address, "confirm", "lihua").await.unwrap();
    let cookie = format!("{}={}", sealed.name, sealed.value);
    let signed_in = house.client.finish(&callback, &cookie).await.unwrap();
    assert_eq!(signed_in.identity.nickname.as_deref(), Some("李华"));
}

#[tokio::test]
async fn a_refusal_goes_nowhere_today_and_back_with_the_state_alone_in_former_days() {
    let house = house().await;
    assert_eq!(house.decide(&house.begin().url, "refuse", "").await, None);
    assert_eq!(house.decide(&house.begin().url, "expire", "").await, None);
    house.switch(json!({"denial_redirects": true})).await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    assert!(!callback.contains("code="), "{callback}");
    assert_eq!(house.name_of(house.client.finish(&callback, &cookie(&begun)).await), "denied");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_refused_request_gets_a_page_with_the_real_words_and_no_redirect() {
    let house = house().await;
    let wechat = provider::wechat();
    let unknown = house.client_of(&wechat, "wx0000000000000000", DEFAULT_SECRET).begin(BACK).unwrap();
    let scope = house.client_of(&wechat.with_scope(&["snsapi_userinfo"]), DEFAULT_APPID, DEFAULT_SECRET);
    let elsewhere = house.client.begin("https://elsewhere.example/").unwrap();
    for (begun, words) in [
        (unknown, "AppID 参数错误"),
        (scope.begin(BACK).unwrap(), "Scope 参数错误或没有 Scope 权限"),
        (elsewhere, "redirect_uri 参数错误"),
    ] {
        let page = house.follow(&begun.url).await.unwrap();
        assert_eq!(page.status, 200);
        assert!(page.text.contains(words), "{}", page.text);
    }
}

#[tokio::test]
async fn a_code_dies_after_ten_minutes() {
    let house = house().await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.advance_provider(600).await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
}

#[tokio::test]
async fn an_expired_code_is_40029_and_42003_where_the_switch_says_so() {
    let house = house().await;
    house.switch(json!({"expired_code_is_42003": true})).await;
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    house.advance_provider(600).await;
    let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "42003".to_owned()));
}

#[tokio::test]
async fn a_used_code_is_40163_and_was_40029_in_former_days() {
    let house = house().await;
    for (switch, expected) in [(false, ("code_used", "40163")), (true, ("code_refused", "40029"))] {
        house.switch(json!({"used_code_is_40029": switch})).await;
        let begun = house.begin();
        let callback = house.agree(&begun, "xiaoming").await;
        assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
        let error = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
        assert_eq!(refused(&house, &error), (expected.0, expected.1.to_owned()));
    }
}

#[tokio::test]
async fn another_apps_code_is_invalid_and_stays_good_for_its_own() {
    let second = App { appid: "wx1111111111111111".to_owned(), ..App::demo() };
    let house = house_with(|config| config.apps.push(second)).await;
    let other = house.client_of(&provider::wechat(), "wx1111111111111111", DEFAULT_SECRET);
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    let stolen = other.registration().read_code(code).unwrap();
    let error = other.redeem(stolen).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("code_refused", "40029".to_owned()));
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_wrong_appid_or_secret_is_ours_to_correct() {
    let house = house().await;
    let wechat = provider::wechat();
    for (appid, secret, errcode) in
        [("wx0000000000000000", DEFAULT_SECRET, "40013"), (DEFAULT_APPID, "wrong-secret-wrong-secret", "40125")]
    {
        let client = house.client_of(&wechat, appid, secret);
        let callback = client.registration().read_code("c0de").unwrap();
        let error = client.redeem(callback).await.unwrap_err();
        assert_eq!(refused(&house, &error), ("credentials_refused", errcode.to_owned()));
        assert!(!error.retry(), "nothing changes by itself");
    }
}

#[tokio::test]
async fn refreshing_renews_a_live_access_token_and_replaces_a_dead_one() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.advance(7000).await;
    let renewed = house.client.refresh(&first).await.unwrap();
    assert_eq!(renewed.access_token, first.access_token, "the same token lives longer");
    assert_eq!(renewed.refresh_token, first.refresh_token);
    assert_eq!(renewed.expires_at, after(7000 + 7200));
    assert_eq!((&renewed.subject, &renewed.union_subject), (&first.subject, &first.union_subject));
    house.advance(7100).await;
    assert!(house.client.user(&renewed).await.is_ok());
    house.advance(100).await;
    let error = house.client.user(&renewed).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "42001".to_owned()));
    let replaced = house.client.refresh(&renewed).await.unwrap();
    assert_ne!(replaced.access_token, first.access_token);
    assert_eq!(replaced.refresh_token, first.refresh_token);
    assert_eq!(house.client.user(&replaced).await.unwrap().nickname.as_deref(), Some("小明🌟"));
}

#[tokio::test]
async fn a_refresh_token_ends_thirty_days_after_its_first_issue_however_often_it_is_used() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    for _ in 0..29 {
        house.advance(86_400).await;
        tokens = house.client.refresh(&tokens).await.unwrap();
    }
    house.advance(86_400).await;
    let error = house.client.refresh(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("refresh_token_refused", "42002".to_owned()));
}

#[tokio::test]
async fn a_new_sign_in_ends_the_earlier_token_only_when_told_so() {
    let house = house().await;
    let first = house.tokens("xiaoming").await;
    house.tokens("xiaoming").await;
    assert!(house.client.user(&first).await.is_ok());
    house.switch(json!({"invalidate_previous_token": true})).await;
    house.tokens("xiaoming").await;
    let error = house.client.user(&first).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "40001".to_owned()));
    let refreshed = house.client.refresh(&first).await.unwrap();
    assert!(house.client.user(&refreshed).await.is_ok());
}

#[tokio::test]
async fn a_check_says_whether_the_token_is_good_and_nothing_can_end_it() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(house.client.check(&tokens).await.unwrap(), json!({"errcode": 0, "errmsg": "ok"}));
    assert_eq!(house.name_of(house.client.revoke(&tokens).await), "not_offered");
    house.advance(7200).await;
    let error = house.client.check(&tokens).await.unwrap_err();
    assert_eq!(refused(&house, &error), ("access_token_refused", "42001".to_owned()));
}

#[tokio::test]
async fn a_token_opens_its_own_openid_alone() {
    let house = house().await;
    let mut tokens = house.tokens("xiaoming").await;
    tokens.subject = house.tokens("lihua").await.subject;
    for error in [house.client.user(&tokens).await.map(drop), house.client.check(&tokens).await.map(drop)] {
        assert_eq!(refused(&house, &error.unwrap_err()), ("access_token_refused", "40003".to_owned()));
    }
}

#[tokio::test]
async fn a_code_that_did_not_come_through_a_browser_is_redeemed_too() {
    let house = house().await;
    let callback = house.agree(&house.begin(), "zoe").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    let redeem = |client: &Client| client.registration().read_code(code).unwrap();
    let signed_in = house.client.redeem(redeem(&house.client)).await.unwrap();
    assert_eq!(signed_in.identity.nickname.as_deref(), Some("Zoë 👩‍💻"));
}
