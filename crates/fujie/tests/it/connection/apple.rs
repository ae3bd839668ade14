//! Apple's answer by POST: it comes from another site and brings no cookie, so it is judged one request later.

use super::{
    browser::{Browser, Page, form},
    house::House,
};

const SECTIONS: &str = "[connection.apple]\nclient_id = \"simulated\"\nprivate_key = \"simulated\"\n\
                        [connection.apple-b]\nclient_id = \"simulated\"\nprivate_key = \"simulated\"\n\
                        [connection.gitee]\nclient_id = \"simulated\"\nclient_secret = \"simulated\"\n";

/// What Apple's page would post, from a sign-in that this browser began.
async fn answer(house: &House, browser: &mut Browser) -> Vec<(String, String)> {
    let address = house.decided(browser, "apple", "confirm", "xiaoming").await.unwrap();
    let page = browser.get(&address).await;
    let to = page.body.split_once("action=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    assert_eq!(to, format!("{}/broker/apple/callback", house.issuer));
    page.hidden(&to)
}

async fn post(house: &House, connection: &str, body: &str) -> Page {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://appleid.apple.com")];
    let url = format!("{}/broker/{connection}/callback", house.issuer);
    Browser::new().send_as(&url, &headers, Some(body)).await
}

fn body(fields: &[(String, String)]) -> String {
    form(&fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sealed_for_its_connection_and_its_browser() {
    let house = House::serving(SECTIONS);
    let mut browser = Browser::new();
    let fields = answer(&house, &mut browser).await;
    let sealed = post(&house, "apple", &body(&fields)).await;
    let to = sealed.location();
    assert!(sealed.status == 303 && to.contains("/broker/apple/callback?answer=fj_cb_"), "{to}");
    for (_, value) in fields.iter().filter(|(name, _)| name == "code" || name == "state") {
        assert!(!to.contains(value.as_str()), "what came stands in no address of ours");
    }
    // To another connection it says nothing, nor in another browser, nor bent.
    let lost = |page: Page| assert!(page.location().ends_with("/sign-in?error=lost"), "{}", page.location());
    lost(browser.get(&to.replace("/apple/", "/apple-b/")).await);
    lost(Browser::new().get(&to).await);
    let bent = if to.ends_with('A') { 'B' } else { 'A' };
    lost(browser.get(&format!("{}{bent}", &to[..to.len() - 1])).await);
    // Nor is anything heard that did not come sealed.
    let plain = format!("{}/broker/apple/callback?{}", house.issuer, body(&fields));
    lost(browser.get(&plain).await);
    // None of that has spent it.
    let page = browser.get(&to).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(house.sub(&mut browser, page).await.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_is_told_plainly() {
    let house = House::serving(SECTIONS);
    let long = format!("state=s&code={}", "c".repeat(4000));
    for bad in ["", "code=c", "state=s&state=t", long.as_str()] {
        let page = post(&house, "apple", bad).await;
        assert!(page.location().ends_with("/sign-in?error=failed&provider=apple"), "{}", page.location());
        assert!(page.headers.get("set-cookie").is_none());
    }
    let page = Browser::new().send_as(&format!("{}/broker/apple/callback", house.issuer), &[], Some("state=s")).await;
    assert!(page.location().contains("error=failed"), "another content type is no form");
    // A provider that answers by GET is not heard by POST.
    let page = post(&house, "gitee", "state=s&code=c").await;
    assert_eq!((page.status, page.header("allow")), (405, "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_that_apple_tells_once_is_kept() {
    let house = House::serving(SECTIONS);
    let mut browser = Browser::new();
    let fields = answer(&house, &mut browser).await;
    assert!(fields.iter().any(|(name, _)| name == "user"));
    let page = browser.get(&post(&house, "apple", &body(&fields)).await.location()).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.body.contains("小明🌟"), "{}", page.body);
}
