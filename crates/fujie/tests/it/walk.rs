//! The main job, in a real browser, in both languages: application → sign-in page → WeChat QR → phone → bind → consent
//! → contacts → refresh → revoked token refused; and the ways that end earlier.

use crate::{
    demo::Demo,
    durable::house::lasting_port,
    webdriver::{Driver, Window},
};

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 780);

/// A language of the walk: what a browser asks for, and words by which the story knows where it is.
struct Tongue {
    code: &'static str,
    sign_in_with_wechat: &'static str,
    refused: &'static str,
}

const ZH: Tongue = Tongue { code: "zh-CN", sign_in_with_wechat: "微信", refused: "拒绝" };
const EN: Tongue = Tongue { code: "en", sign_in_with_wechat: "WeChat", refused: "refused" };

/// From the application to the QR page of WeChat.
async fn to_qr(window: &Window, demo: &Demo, tongue: &Tongue) {
    window.open(&format!("{}/?lang={}", demo.friends, tongue.code)).await;
    check(window, tongue, "friends").await;
    window.click("form[action='/sign-in'] button.primary").await;
    window.wait_text(tongue.sign_in_with_wechat).await;
    check(window, tongue, "sign-in").await;
    window.click("form[action='/broker/wechat/start'] button").await;
    window.wait_url("/connect/qrconnect").await;
}

/// Scans the code that the window shows with a phone, which is another browser, and lets it decide.
async fn phone(driver: &Driver, window: &Window, tongue: &Tongue, decision: &str) -> Window {
    let folder = tempfile::tempdir().unwrap();
    let address = window.scan(folder.path()).await;
    let phone = driver.window(PHONE, tongue.code, false).await;
    phone.open(&address).await;
    check(&phone, tongue, "phone").await;
    phone.click(&format!("button[name=decision][value={decision}]")).await;
    phone
}

/// A page is in one language, and as wide as its window. A picture is kept for people.
async fn check(window: &Window, tongue: &Tongue, name: &str) {
    let lang = window.script("return document.documentElement.lang").await;
    assert!(lang.as_str().unwrap().starts_with(&tongue.code[..2]), "{name}: lang={lang}");
    let overflow = window.script("return document.documentElement.scrollWidth - window.innerWidth").await;
    assert!(overflow.as_i64().unwrap() <= 0, "{name}: wider than its window by {overflow}");
    if tongue.code == "zh-CN" {
        assert_no_english(window, name).await;
    }
    window.keep(&format!("{name}-{}", tongue.code)).await;
}

/// No sentence of English: four words of Latin letters in a row, outside of code and of what others wrote.
pub async fn assert_no_english(window: &Window, name: &str) {
    let script = "const copy = document.body.cloneNode(true); \
                  copy.querySelectorAll('pre, code, script, style, svg, .events, [lang=en]').forEach((part) => part.remove()); \
                  return copy.textContent";
    let text = window.script(script).await;
    for line in text.as_str().unwrap().lines() {
        let mut row = 0;
        for word in line.split_whitespace() {
            let is_word = word.chars().filter(char::is_ascii_alphabetic).count() > 1
                && word.chars().all(|c| c.is_ascii_alphabetic() || ".,;:!?'’".contains(c));
            row = if is_word { row + 1 } else { 0 };
            assert!(row < 4, "{name}: English on a Chinese page: {line}");
        }
    }
}

/// Signs in by password on the page in front of the window.
async fn sign_in_as_alice(window: &Window, demo: &Demo) {
    window.write("#username", "alice").await;
    window.write("#password", &demo.password()).await;
    window.click("form[action='/sign-in'] button[type=submit]").await;
}

/// Presses a button of the application that draws one more picture, and waits for the picture.
async fn press(window: &Window, action: &str) {
    let pictures = window.script("return document.querySelectorAll('.act').length").await.as_i64().unwrap();
    window.click(&format!("form[action='{action}'] button")).await;
    window.wait_true(&format!("return document.querySelectorAll('.act').length > {pictures}")).await;
}

async fn whole_walk(tongue: &Tongue) {
    let demo = Demo::start(lasting_port(), lasting_port());
    let driver = Driver::start();
    let window = driver.window(WIDE, tongue.code, false).await;
    to_qr(&window, &demo, tongue).await;
    let phone = phone(&driver, &window, tongue, "agree").await;
    check(&phone, tongue, "phone-done").await;

    // The first time: the person says that this is to be a new account.
    window.wait_url("/bind").await;
    window.wait_text("小明🌟").await;
    check(&window, tongue, "bind").await;
    window.click("button[name=action][value=create]").await;
    window.wait_url("/authorize").await;
    check(&window, tongue, "consent").await;
    window.click("button[name=decision][value=allow]").await;

    // The nickname arrives whole, and the contacts are shown.
    window.wait_url(&demo.friends).await;
    window.wait_text("小明🌟").await;
    window.wait_has(".contacts li").await;
    check(&window, tongue, "friends-signed-in").await;
    let sub = window.script("return document.querySelector('.who code').textContent").await;

    press(&window, "/expired").await;
    window.wait_text("401").await;
    press(&window, "/refresh").await;
    window.wait_has(".contacts li").await;
    press(&window, "/revoke").await;
    press(&window, "/call").await;
    assert!(!window.has(".contacts li").await, "a revoked token is refused:\n{}", window.text().await);
    check(&window, tongue, "friends-revoked").await;

    // Later, in another browser: no bind page, and the same person.
    let again = driver.window(PHONE, tongue.code, true).await;
    to_qr(&again, &demo, tongue).await;
    check(&again, tongue, "qr-phone-dark").await;
    let phone = self::phone(&driver, &again, tongue, "agree").await;
    again.wait_url(&demo.friends).await;
    again.wait_text("小明🌟").await;
    let second = again.script("return document.querySelector('.who code').textContent").await;
    assert_eq!(second, sub);
    check(&again, tongue, "friends-phone-dark").await;
    for window in [phone, again, window] {
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_wechat_in_chinese() {
    whole_walk(&ZH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_wechat_in_english() {
    whole_walk(&EN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_on_the_phone_an_expired_code_and_another_try() {
    let demo = Demo::start(lasting_port(), lasting_port());
    let driver = Driver::start();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let control = format!("{}/_simulate", demo.wechat());
    let window = driver.window(WIDE, ZH.code, false).await;
    to_qr(&window, &demo, &ZH).await;

    // Today's page says so itself and does not redirect.
    let first = phone(&driver, &window, &ZH, "refuse").await;
    window.wait_text("取消").await;
    assert!(window.url().await.contains("/connect/qrconnect"));

    // An expired code is replaced by a new one.
    let before = window.script("return document.querySelector('img.qrcode').getAttribute('src')").await;
    let before = before.as_str().unwrap();
    let id = before.rsplit('/').next().unwrap();
    let expired = http.post(format!("{control}/sign-ins/{id}/expire")).send().await.unwrap();
    assert!(expired.status().is_success());
    window.wait_has(&format!("img.qrcode:not([src='{before}'])")).await;

    // The older page redirects with the state alone: a plain message, and another try.
    let switches = http.post(format!("{control}/switches")).header("content-type", "application/json");
    assert!(switches.body(r#"{"denial_redirects":true}"#).send().await.unwrap().status().is_success());
    to_qr(&window, &demo, &ZH).await;
    let second = phone(&driver, &window, &ZH, "refuse").await;
    window.wait_url("/sign-in").await;
    window.wait_text(ZH.refused).await;
    check(&window, &ZH, "sign-in-refused").await;
    window.click("form[action='/broker/wechat/start'] button").await;
    window.wait_url("/connect/qrconnect").await;
    let third = phone(&driver, &window, &ZH, "agree").await;
    window.wait_url("/bind").await;
    for window in [first, second, third, window] {
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_denies_consent_then_signs_in_by_password_and_allows() {
    let demo = Demo::start(lasting_port(), lasting_port());
    let driver = Driver::start();
    let window = driver.window(PHONE, EN.code, false).await;
    window.open(&format!("{}/?lang=en", demo.friends)).await;
    window.click("form[action='/sign-in'] button.primary").await;
    window.write("#username", "alice").await;
    window.write("#password", "not her password").await;
    window.click("form[action='/sign-in'] button[type=submit]").await;
    window.wait_has("[role=alert]").await;
    check(&window, &EN, "sign-in-wrong-password").await;
    sign_in_as_alice(&window, &demo).await;
    window.wait_url("/authorize").await;
    check(&window, &EN, "consent-phone").await;

    // The picture ends at the arrow that brought the refusal.
    window.click("button[name=decision][value=deny]").await;
    window.wait_text("access_denied").await;
    check(&window, &EN, "friends-denied").await;
    assert!(!window.has(".contacts li").await);

    window.click("form[action='/sign-in'] button.primary").await;
    window.wait_url("/authorize").await;
    window.click("button[name=decision][value=allow]").await;
    window.wait_text("alice").await;
    window.wait_has(".contacts li").await;
    check(&window, &EN, "friends-alice").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_adds_wechat_as_a_way_in_and_removes_it_again() {
    let demo = Demo::start(lasting_port(), lasting_port());
    let driver = Driver::start();
    let window = driver.window(PHONE, ZH.code, false).await;
    window.open(&format!("{}/account", demo.told("server (issuer)"))).await;
    window.click("form[action='/broker/wechat/start'] button").await;
    window.wait_url("/connect/qrconnect").await;
    let phone = phone(&driver, &window, &ZH, "agree").await;
    window.wait_url("/bind").await;
    window.click("button[name=action][value=attach]").await;
    window.wait_has("#password").await;
    sign_in_as_alice(&window, &demo).await;
    window.click("button[name=action][value=confirm]").await;
    window.wait_url("/account").await;
    check(&window, &ZH, "account-bound").await;

    // From here on it is one sign-in and one button.
    window.click("a[href^='/account/identities/']").await;
    window.wait_text("解除绑定前").await;
    check(&window, &ZH, "sign-in-unbind").await;
    sign_in_as_alice(&window, &demo).await;
    window.wait_text("要解除绑定微信吗").await;
    check(&window, &ZH, "unbind").await;
    window.click("button.grave").await;
    window.wait_text("尚未绑定第三方账号").await;
    for window in [phone, window] {
        window.close().await;
    }
}
