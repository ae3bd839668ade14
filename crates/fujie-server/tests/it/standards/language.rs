//! The language of pages: the request's `ui_locales`, what somebody chose, what their browser says, then English.

use crate::{
    browser::{Browser, Page},
    house::House,
};

fn speaks(page: &Page) -> &str {
    let told = page.header("content-language");
    assert!(page.body.contains(&format!("<html lang=\"{told}\">")), "{}", page.body);
    told
}

/// Where the switch on this page leads for a language.
fn switch(page: &Page, lang: &str) -> String {
    let link = page.body.split("<a href=\"").find(|rest| rest.contains(&format!("hreflang=\"{lang}\""))).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&").replace("&#x2f;", "/").replace("&#x3d;", "=");
    url::Url::parse(&page.url).unwrap().join(&link).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_answered_in_its_language() {
    let house = House::new().await;
    for (language, expected) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("en-GB", "en"),
        ("fr, zh;q=0.1", "zh-CN"),
        ("fr", "en"),
        ("", "en"),
        (";;;q=x,,", "en"),
    ] {
        let page = Browser::speaking(language).get(&format!("{}/sign-in", house.issuer)).await;
        assert_eq!(speaks(&page), expected, "{language}");
        assert_eq!(page.body.contains("登录"), expected == "zh-CN");
        let page = Browser::speaking(language).get(&format!("{}/nothing", house.issuer)).await;
        assert_eq!(speaks(&page), expected, "{language}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_outranks_the_browser_on_each_of_its_pages() {
    let house = House::new().await;
    let mut browser = Browser::speaking("en");
    let page = browser.get(&house.authorize(&house.app, &[("ui_locales", "fr zh-CN en")])).await;
    let page = browser.follow(&page).await;
    assert_eq!(speaks(&page), "zh-CN");
    let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", "wrong")]).await;
    assert_eq!((page.status, speaks(&page)), (422, "zh-CN"));
    let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", crate::house::PASSWORD)]).await;
    let page = browser.follow(&page).await;
    assert_eq!(speaks(&page), "zh-CN", "the consent page too");
    assert!(page.body.contains("同意"), "{}", page.body);
    let page = browser.get(&format!("{}/account", house.issuer)).await;
    assert_eq!(speaks(&page), "en", "and no other page");
    let mut stranger = Browser::speaking("en");
    let page = stranger.get(&house.authorize(&house.app, &[("ui_locales", "zh")])).await;
    let page = stranger.follow(&page).await;
    let page = stranger.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = stranger.follow(&page).await;
    let page = stranger.get(&house.confirmed(&qr, "lihua").await).await;
    let page = stranger.follow(&page).await;
    assert_eq!(speaks(&page), "zh-CN", "the bind page as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_switch_and_the_choice_stays() {
    let house = House::new().await;
    let mut browser = Browser::speaking("en");
    let page = browser.get(&house.authorize(&house.app, &[("ui_locales", "en")])).await;
    let page = browser.follow(&page).await;
    let page = browser.get(&switch(&page, "zh-CN")).await;
    assert_eq!(speaks(&page), "zh-CN", "for this request the person outranks the application");
    assert!(page.body.contains("name=\"resume\" value=\"fj_rq_"), "the request is still there: {}", page.body);
    let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", crate::house::PASSWORD)]).await;
    let page = browser.follow(&page).await;
    assert_eq!(speaks(&page), "zh-CN");
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(page.answered("code").is_some());
    assert_eq!(speaks(&browser.get(&format!("{}/account", house.issuer)).await), "zh-CN", "remembered");
    // Another request that asks for English gets it; switched there, it is switched.
    let again = house.authorize(&house.app, &[("ui_locales", "en"), ("prompt", "consent")]);
    let page = browser.get(&again).await;
    assert_eq!(speaks(&page), "en");
    let page = browser.get(&switch(&page, "zh-CN")).await;
    assert_eq!(speaks(&page), "zh-CN");
    let page = browser.submit(&page, "/consent", &[("decision", "deny")]).await;
    assert_eq!(page.answered("error").as_deref(), Some("access_denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_nobody_speaks_here_changes_nothing() {
    let house = House::new().await;
    let mut browser = Browser::speaking("zh-CN");
    for lang in ["fr", "", "zh-CN%0d%0aSet-Cookie:%20evil=1", "../en", "<script>"] {
        let page = browser.get(&format!("{}/sign-in?lang={lang}", house.issuer)).await;
        assert_eq!(speaks(&page), "zh-CN", "{lang}");
        assert!(browser.cookie("lang").is_none() && !browser.cookies.contains_key("evil"), "{lang}");
        assert!(!page.body.contains("<script>"), "{lang}");
    }
    let page = browser.get(&format!("{}/sign-in?lang=en", house.issuer)).await;
    assert_eq!(speaks(&page), "en");
    assert!(browser.cookie("lang").is_some());
}
