//! A team's topic in a real browser: made, joined to a repository at GitHub, followed live on a computer and a phone,
//! and a device that is notified.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::house::{House, control};
use crate::webdriver::{Driver, Window};

const GITHUB: &str = "[connection.github]\nclient_id = \"simulated\"\nclient_secret = \"simulated\"\n";
const WIDE: (u32, u32) = (1280, 1000);
const PHONE: (u32, u32) = (390, 844);

/// Signs in with GitHub as this person, which makes an account the first time; the simulator's address.
async fn sign_in(house: &House, window: &Window, person: &str) -> String {
    window.open(&format!("{}/sign-in", house.issuer)).await;
    window.click("form[action='/broker/github/start'] button").await;
    let base = agree(window, person).await;
    window.wait_true("return ['/bind', '/account'].includes(location.pathname)").await;
    if window.url().await.contains("/bind") {
        window.click("button[name=action][value=create]").await;
    }
    window.wait_url("/account").await;
    base
}

/// On GitHub's page, this person agrees; the simulator's address.
async fn agree(window: &Window, person: &str) -> String {
    window.wait_url("/login/oauth/authorize").await;
    let base = url::Url::parse(&window.url().await).unwrap().origin().ascii_serialization();
    window.click(&format!("input[name=person][value={person}]")).await;
    window.click("button[name=decision][value=agree]").await;
    base
}

/// A page is no wider than its window. A picture is kept for people.
async fn look(window: &Window, name: &str) {
    let overflow = window.script("return document.documentElement.scrollWidth - window.innerWidth").await;
    assert!(overflow.as_i64().unwrap() <= 0, "{name}: wider than its window by {overflow}");
    window.keep(name).await;
}

async fn make_topic(window: &Window, house: &House, name: &str, title: &str) {
    window.open(&format!("{}/topics", house.issuer)).await;
    window.write("#title", title).await;
    window.write("#name", name).await;
    window.click("form[action='/topics'] button").await;
    window.wait_url(&format!("/topics/{name}")).await;
}

/// Joins xiaoming/demo to the topic, by clicks alone.
async fn join_repository(window: &Window) {
    window.click("nav a[href$='/settings']").await;
    window.click("a[href$='/integrations/new']").await;
    look(window, "topic-new-source").await;
    window.click("a[href*='connection=github']").await;
    look(window, "topic-connect").await;
    window.click("form[action='/broker/github/connect'] button").await;
    agree(window, "xiaoming").await;
    window.wait_has("input[name=repository]").await;
    look(window, "topic-repositories").await;
    window.click("input[name=repository][value='xiaoming/demo']").await;
    window.click("form[action$='/integrations'] button.primary").await;
    window.wait_url("said=hook-made").await;
    look(window, "topic-source").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_at_github_is_on_the_page_at_once() {
    let mut house = House::serving(GITHUB);
    let driver = Driver::start();
    let (wide, phone) = (driver.window(WIDE, "en", false).await, driver.window(PHONE, "zh-CN", true).await);
    let base = sign_in(&house, &wide, "xiaoming").await;
    make_topic(&wide, &house, "team", "The team").await;
    join_repository(&wide).await;
    let page = format!("{}/topics/team", house.issuer);
    wide.open(&page).await;
    wide.wait_text("The webhook of xiaoming/demo works").await;
    // The same person on a phone.
    sign_in(&house, &phone, "xiaoming").await;
    phone.open(&page).await;
    for window in [&wide, &phone] {
        window.wait_has("#status.on").await;
    }
    let push = json!({ "repository": "xiaoming/demo", "event": "push" });
    control(&house.http, &base, "events", push).await;
    wide.wait_text("pushed 1 commit to main of xiaoming/demo").await;
    phone.wait_text("的 main 推送了 1 个提交").await;
    look(&wide, "topic-live").await;
    look(&phone, "topic-live-phone-dark").await;
    // A notice from the phone, in whose zone the time is.
    phone.click("summary").await;
    phone.write("#notice #title", "周会 <b>").await;
    phone.script("document.getElementById('at').value = '2026-11-23T10:00'").await;
    look(&phone, "topic-notice-phone-dark").await;
    phone.click("#notice button").await;
    phone.wait_url("said=posted").await;
    wide.wait_text("Notice: 周会 <b>").await;
    assert!(wide.text().await.contains("2026-11-23 10:00 UTC"), "{}", wide.text().await);
    // The server goes and comes: nothing has to be reloaded.
    house.stop();
    wide.wait_has("#status.off").await;
    house.serve(GITHUB);
    wide.wait_has("#status.on").await;
    phone.open(&page).await;
    phone.click("summary").await;
    phone.write("#notice #title", "回来了").await;
    phone.click("#notice button").await;
    wide.wait_text("Notice: 回来了").await;
    // Without its session, the page says that it is over.
    wide.command("Network.clearBrowserCookies", json!({})).await;
    house.stop();
    wide.wait_has("#status.off").await;
    house.serve(GITHUB);
    wide.wait_text("Not live any more. Reload the page.").await;
}

/// A push service's answer to a browser that has none to ask: this machine is alone.
const SUBSCRIPTION: &str = r#"
    const key = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const subscription = () => ({
      endpoint: "https://push.example.net/send/1",
      options: { applicationServerKey: key(localStorage.subscribed).buffer },
      toJSON: () => ({ endpoint: "https://push.example.net/send/1", expirationTime: null, keys: {
        auth: "BTBZMqHH6r4Tts7J_aSIgg",
        p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4" } }),
      unsubscribe: async () => { delete localStorage.subscribed; return true; },
    });
    PushManager.prototype.subscribe = async ({ applicationServerKey: own }) => {
      localStorage.subscribed = btoa(String.fromCharCode(...own)).replaceAll("+", "-").replaceAll("/", "_");
      return subscription();
    };
    PushManager.prototype.getSubscription = async () => (localStorage.subscribed ? subscription() : null);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_notified_until_it_is_told_to_stop() {
    let house = House::serving(GITHUB);
    let driver = Driver::start();
    let window = driver.window(PHONE, "en", false).await;
    sign_in(&house, &window, "xiaoming").await;
    window.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": SUBSCRIPTION })).await;
    make_topic(&window, &house, "team", "The team").await;
    let (on, off) = ("#notify-on button", "#notify form[data-address] button");
    let is_seen = |selector: &str| format!("return document.querySelector({selector:?})?.checkVisibility() ?? false");
    // Refused by the person.
    let denied = json!({ "permission": { "name": "notifications" }, "setting": "denied", "origin": house.issuer });
    window.command("Browser.setPermission", denied).await;
    window.wait_true(&is_seen(on)).await;
    window.click(on).await;
    window.wait_text("Notifications are blocked for this site.").await;
    let granted = json!({ "permission": { "name": "notifications" }, "setting": "granted", "origin": house.issuer });
    window.command("Browser.setPermission", granted).await;
    window.click(on).await;
    window.wait_text("This device will be notified.").await;
    window.wait_true(&is_seen(off)).await;
    assert_eq!(window.script(&is_seen(on)).await, Value::Bool(false));
    look(&window, "topic-notified-phone").await;
    shown_by_the_worker(&window, &house).await;
    // The settings know the device; the page takes it back.
    window.open(&format!("{}/topics/team/settings", house.issuer)).await;
    window.wait_text("Chrome, Linux").await;
    window.open(&format!("{}/topics/team", house.issuer)).await;
    window.wait_true(&is_seen(off)).await;
    window.click(off).await;
    window.wait_text("This device is not notified any more.").await;
    window.wait_true(&is_seen(on)).await;
}

/// What a push service would bring is shown by the service worker, and leads to the topic.
async fn shown_by_the_worker(window: &Window, house: &House) {
    let said = json!({ "title": "【会议】周会", "body": "10:00", "url": null, "id": 7, "topic": "team" }).to_string();
    window.command("ServiceWorker.enable", json!({})).await;
    let ready = "window.isReady = false; navigator.serviceWorker.ready.then((own) => own.active.state) \
                 .then((state) => { window.isReady = state === 'activated'; })";
    let ask = "window.shown = null; navigator.serviceWorker.ready.then((own) => own.getNotifications()) \
               .then((all) => { window.shown = all.map(({ title, body, data }) => ({ title, body, data })); })";
    let is_there = async |script: &str, is_there: &str| {
        window.script(script).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        window.script(is_there).await == Value::Bool(true)
    };
    let until = Instant::now() + Duration::from_secs(60);
    while !is_there(ready, "return window.isReady").await {
        assert!(Instant::now() < until, "the worker is not activated");
    }
    // Brought again until it is shown: a push service would do so too.
    loop {
        // The registration's number is Chromium's own, counted from 0.
        for registration in 0..4 {
            let message = json!({ "origin": house.issuer, "registrationId": registration.to_string(), "data": said });
            window.command("ServiceWorker.deliverPushMessage", message).await;
        }
        if is_there(ask, "return window.shown?.length > 0").await {
            break;
        }
        assert!(Instant::now() < until, "the worker shows nothing");
    }
    let shown = window.script("return window.shown[0]").await;
    assert_eq!(shown, json!({ "title": "【会议】周会", "body": "10:00", "data": { "path": "/topics/team" } }));
}
