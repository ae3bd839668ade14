//! WeChat's code inside a page of ours, in a real browser: provider and server are two sites, so cookies and frames are
//! as they are in the world.

use serde_json::Value;

use super::house::{House, decide};
use crate::webdriver::{Driver, Window};

const FRAME: &str = "return document.querySelector('#frame iframe')?.getAttribute('src') ?? null";

/// A house at `localhost`, with the simulator at `127.0.0.1`.
fn house(lines: &str) -> House {
    let mut house = House::at("localhost");
    let section = "[connection.wechat]\nclient_id = \"simulated\"\nclient_secret = \"simulated\"\nembedded = true\n";
    house.serve(&format!("{section}{lines}"));
    house
}

/// From the sign-in page to the page with the code; the simulator's address.
async fn embedded(window: &Window, house: &House) -> String {
    window.open(&format!("{}/sign-in", house.issuer)).await;
    window.click("form[action='/broker/wechat/start'] button").await;
    window.wait_url("/broker/wechat/embedded?state=").await;
    window.wait_true("return document.querySelector('#frame iframe') !== null").await;
    let frame = window.script(FRAME).await;
    url::Url::parse(frame.as_str().unwrap()).unwrap().origin().ascii_serialization()
}

async fn confirm(house: &House, base: &str) {
    // The frame asks for its code on its own time; until then the newest sign-in is one that was decided before.
    for _ in 0..1200 {
        let listed = house.http.get(format!("{base}/_simulate/sign-ins")).send().await.unwrap().text().await.unwrap();
        if serde_json::from_str::<Value>(&listed).unwrap()[0]["status"] == "waiting" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    decide(&house.http, base, "confirm", "xiaoming").await;
}

/// In the whole window, a new person and then a known one.
async fn signs_in(lines: &str, self_redirect: &str) {
    let house = house(lines);
    let driver = Driver::start();
    for is_new in [true, false] {
        let window = driver.window((1280, 900), "en", false).await;
        let base = embedded(&window, &house).await;
        assert_ne!(base, house.issuer);
        let frame = window.script(FRAME).await.as_str().unwrap().to_owned();
        assert!(frame.contains(self_redirect) && frame.contains("&login_type=jssdk"), "{frame}");
        confirm(&house, &base).await;
        if is_new {
            window.wait_url("/bind").await;
            window.wait_text("小明🌟").await;
            window.click("button[name=action][value=create]").await;
        }
        window.wait_url("/account").await;
        window.wait_text("小明🌟").await;
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_window_comes_back_from_the_frame() {
    signs_in("", "&self_redirect=false").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_frame_comes_back_and_leads_the_window_out() {
    signs_in("self_redirect = true\n", "&self_redirect=true").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_see_the_frame_opens_the_full_page() {
    let house = house("");
    let driver = Driver::start();
    let window = driver.window((360, 780), "zh-CN", true).await;
    embedded(&window, &house).await;
    window.keep("embedded-phone-dark-zh-CN").await;
    window.click("button.quiet[type=submit]").await;
    window.wait_url("/connect/qrconnect").await;
    window.close().await;
    for (language, name) in [("zh-CN", "embedded-zh-CN"), ("en", "embedded-en")] {
        let window = driver.window((1280, 900), language, false).await;
        embedded(&window, &house).await;
        let overflow = window.script("return document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(overflow.as_i64().unwrap() <= 0, "{name}: wider than its window by {overflow}");
        window.keep(name).await;
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_lets_in_one_script_and_one_frame_and_nothing_else_is_framed() {
    let house = house("self_redirect = true\n");
    let mut browser = super::browser::Browser::new();
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let page = browser.follow(&page).await;
    let script = page.body.split_once("<script src=\"").unwrap().1.split_once('"').unwrap().0.replace("&#x2f;", "/");
    let (base, path) = script.split_once("/connect/").unwrap();
    assert_eq!(path, "zh_CN/htmledition/js/wxLogin.js");
    assert!(page.body.contains("data-self-redirect=\"true\""), "{}", page.body);
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        &format!("script-src 'self' {script};"),
        &format!("frame-src {base} 'self';"),
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part} is missing in {policy}");
    }
    // In the frame nothing is judged, nothing is set, and only we may be around it.
    let state = page.url.split_once("state=").unwrap().1;
    let framed = [("sec-fetch-dest", "iframe")];
    let callback = format!("{}/broker/wechat/callback?code=c&state={state}", house.issuer);
    browser.cookies.clear();
    let page = browser.send_as(&callback, &framed, None).await;
    assert_eq!((page.status, page.header("x-frame-options")), (200, "SAMEORIGIN"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'self'"));
    assert!(
        page.headers.get("set-cookie").is_none() && page.body.contains("top&#x3d;1") || page.body.contains("top=1")
    );
    // Whoever leads a window there without the cookie of the flow is lost.
    let page = browser.get(&format!("{callback}&top=1")).await;
    assert!(page.location().ends_with("/sign-in?error=lost"), "{}", page.location());
}
