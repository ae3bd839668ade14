//! Every provider that has a simulator: the same stories, with the section of the configuration as the only difference.

use serde_json::json;

use super::{
    browser::{Browser, Page},
    house::{House, control},
};

/// Connections, and what their buttons say in English and in Chinese.
const PROVIDERS: [(&str, &str, &str); 18] = [
    ("wechat", "WeChat", "微信"),
    ("qq", "QQ", "QQ"),
    ("weibo", "Weibo", "微博"),
    ("github", "GitHub", "GitHub"),
    ("gitee", "Gitee", "Gitee"),
    ("dingtalk", "DingTalk", "钉钉"),
    ("feishu", "Feishu", "飞书"),
    ("wecom", "WeCom", "企业微信"),
    ("douyin", "Douyin", "抖音"),
    ("alipay", "Alipay", "支付宝"),
    ("baidu", "Baidu", "百度"),
    ("google", "Google", "Google"),
    ("microsoft", "Microsoft", "Microsoft"),
    ("apple", "Apple", "Apple"),
    ("gitlab", "GitLab", "GitLab"),
    ("discord", "Discord", "Discord"),
    ("openid", "Example SSO", "Example SSO"),
    (IN_APP, "WeChat", "微信"),
];

/// The one whose name does not tell the provider.
const IN_APP: &str = "in-app";

fn names() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|(name, ..)| *name)
}

/// Two lines for each, and hardly more.
fn sections() -> String {
    let section = |(name, ..): &(&str, &str, &str)| {
        let proof = if ["apple", "alipay"].contains(name) { "private_key" } else { "client_secret" };
        let more = match *name {
            "openid" => "label = \"Example SSO\"\n",
            IN_APP => "provider = \"wechat_in_app\"\n",
            _ => "",
        };
        format!("[connection.{name}]\nclient_id = \"simulated\"\n{proof} = \"simulated\"\n{more}")
    };
    PROVIDERS.iter().map(section).collect()
}

fn base(address: &str) -> String {
    url::Url::parse(address).unwrap().origin().ascii_serialization()
}

fn says(page: &Page, words: &str) {
    assert!(page.url.contains("/sign-in?") && page.body.contains(words), "{}: {}", page.url, page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_has_its_button_in_both_languages() {
    let house = House::serving(&sections());
    for (language, with) in [("en", "Continue with "), ("zh-CN", "使用")] {
        let page = house.sign_in_page(&mut Browser::speaking(language)).await;
        for (name, en, zh) in PROVIDERS {
            let button = page.body.split_once(&format!("action=\"/broker/{name}/start\"")).unwrap().1;
            let button = button.split_once("</button>").unwrap().0;
            let word = if language == "en" { en } else { zh };
            assert!(button.contains(word) && button.contains(with), "{name} in {language}: {button}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_signs_in_and_the_second_time_as_the_same_person() {
    let house = House::serving(&sections());
    for provider in names() {
        let mut subs = Vec::new();
        for person in ["xiaoming", "xiaoming", "lihua"] {
            let mut browser = Browser::new();
            let address = house.decided(&mut browser, provider, "confirm", person).await;
            let page = house.arrive(&mut browser, &address.unwrap()).await;
            subs.push(house.sub(&mut browser, page).await);
        }
        let [(first, true), (second, false), (other, true)] = subs.as_slice() else { panic!("{provider}: {subs:?}") };
        assert_eq!(first, second, "{provider}");
        assert_ne!(first, other, "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_comes_back_to_the_sign_in_page_and_another_try_is_open() {
    let house = House::serving(&sections());
    let http = &house.http;
    for provider in names() {
        let mut browser = Browser::new();
        // Some leave the person on their page unless told otherwise.
        let redirects = match provider {
            "wechat" | IN_APP => Some(json!({ "denial_redirects": true })),
            "qq" => Some(json!({ "cancel": "redirects" })),
            _ => None,
        };
        if let Some(redirects) = redirects {
            let base = base(&house.start(&mut Browser::new(), provider).await);
            control(http, &base, "switches", redirects).await;
        }
        let address = house.decided(&mut browser, provider, "refuse", "").await;
        let address = address.unwrap_or_else(|| panic!("{provider} has no way back"));
        let page = house.arrive(&mut browser, &address).await;
        says(&page, "was refused or cancelled");
        assert!(browser.flows().is_empty(), "{provider}: the flow is spent");
        let page = browser.submit(&page, &format!("/broker/{provider}/start"), &[]).await;
        assert_eq!(page.status, 303, "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_in_another_browser_signs_nobody_in() {
    let house = House::serving(&sections());
    for provider in names() {
        let (mut own, mut other) = (Browser::new(), Browser::new());
        house.start(&mut other, provider).await;
        let address = house.decided(&mut own, provider, "confirm", "xiaoming").await.unwrap();
        let page = house.arrive(&mut other, &address).await;
        says(&page, "started in another browser or window");
        assert!(other.cookie("session").is_none() && other.cookie("bind").is_none(), "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_or_babbles_is_told_plainly_and_the_next_try_succeeds() {
    let house = House::serving(&sections());
    let faults = [json!({ "at": "/*", "kind": "status", "status": 500 }), json!({ "at": "/*", "kind": "garbage" })];
    for provider in names() {
        for fault in &faults {
            let mut browser = Browser::new();
            let base = base(&house.start(&mut browser, provider).await);
            let address = house.decided(&mut browser, provider, "confirm", "xiaoming").await.unwrap();
            // A page that posts is the provider's too: it came before the fault.
            let page = if address.starts_with(&base) { Some(browser.get(&address).await) } else { None };
            control(&house.http, &base, "faults", fault.clone()).await;
            let page = match page {
                Some(page) => house.post_answer(&mut browser, &page).await,
                None => house.arrive(&mut browser, &address).await,
            };
            says(&page, "did not answer as it should");
            assert!(browser.cookie("session").is_none() && browser.cookie("bind").is_none(), "{provider} {fault}");
            let forgotten = house.http.delete(format!("{base}/_simulate/faults")).send().await.unwrap();
            assert!(forgotten.status().is_success(), "{provider} {fault} {}", forgotten.status());
        }
        let mut browser = Browser::new();
        let address = house.decided(&mut browser, provider, "confirm", "xiaoming").await.unwrap();
        let page = house.arrive(&mut browser, &address).await;
        assert!(page.body.contains("action=\"/bind\""), "{provider}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_wechat_it_is_the_official_account_that_asks() {
    let house = House::serving(&sections());
    let mut browser = Browser::new();
    let address = house.start(&mut browser, IN_APP).await;
    assert!(address.contains("/connect/oauth2/authorize?appid=wxabcdef0123456789&"), "{address}");
    let website = house.start(&mut browser, "wechat").await;
    assert!(website.contains("/connect/qrconnect?appid=wx0123456789abcdef&"), "{website}");
}
