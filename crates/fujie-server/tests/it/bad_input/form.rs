//! Forms that come from elsewhere: another site, another browser, another session, another page.

use fujie_core::{
    random::SystemRandom,
    secret::{Digest, Kind, Secret},
    time::Lifetime,
};

use crate::{
    browser::{Browser, Page, form},
    house::{House, PASSWORD},
};

/// A form in front of somebody: the browser, its page, the form's action, what the person fills in.
struct Shown {
    browser: Browser,
    page: Page,
    action: String,
    typed: Vec<(&'static str, &'static str)>,
}

/// Every form there is, each in a browser of its own.
async fn every_form(house: &House) -> Vec<Shown> {
    let mut alice = Browser::new();
    house.code(&mut alice, &house.app, &[]).await;
    let code = house.code(&mut alice, &house.app, &[]).await;
    house.redeem(&house.app, &code).await;
    let account = alice.get(&format!("{}/account", house.issuer)).await;
    let consent = alice.get(&house.authorize(&house.app, &[("prompt", "consent")])).await;
    let mut nobody = Browser::new();
    let page = nobody.get(&house.authorize(&house.app, &[])).await;
    let sign_in = nobody.follow(&page).await;
    let mut stranger = Browser::new();
    let bind = house.by_wechat(&mut stranger, "wechat", "lihua").await;
    let mut first = Browser::new();
    let link = Secret::random(Kind::SetupLink, &mut SystemRandom);
    let digest = Digest::of(Kind::SetupLink, link.expose());
    let until = house.clock.now() + Lifetime::from_seconds(3600);
    house.server.store().put_setup_link(digest, until).await.unwrap();
    let setup = first.get(&format!("{}/setup?token={}", house.issuer, link.expose())).await;
    let setup_fields = vec![("username", "root"), ("password", PASSWORD), ("password_repeat", PASSWORD)];
    let mut leaving = Browser::new();
    house.bound(&mut leaving, "wechat", "xiaoming", "alice").await;
    let path = house.identity_paths(&mut leaving).await.remove(0);
    let unbind = house.asked(&mut leaving, &path, "alice").await;
    let shown = |browser: &Browser, page: &Page, action: &str, typed| {
        let page = Page { url: page.url.clone(), headers: page.headers.clone(), body: page.body.clone(), ..*page };
        Shown { browser: browser.clone(), page, action: action.to_owned(), typed }
    };
    vec![
        shown(&nobody, &sign_in, "/sign-in", vec![("username", "alice"), ("password", PASSWORD)]),
        shown(&nobody, &sign_in, "/broker/wechat/start", vec![]),
        shown(&alice, &consent, "/consent", vec![("decision", "allow")]),
        shown(&stranger, &bind, "/bind", vec![("action", "create")]),
        shown(&first, &setup, "/setup", setup_fields),
        shown(&alice, &account, "/account/revoke", vec![]),
        shown(&alice, &consent, "/sign-in/other", vec![]),
        shown(&alice, &account, "/sign-out", vec![]),
        shown(&leaving, &unbind, &path, vec![]),
    ]
}

impl Shown {
    fn url(&self) -> String {
        url::Url::parse(&self.page.url).unwrap().join(&self.action).unwrap().to_string()
    }

    fn fields(&self) -> Vec<(String, String)> {
        let typed = self.typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.page.hidden(&self.action).into_iter().chain(typed).collect()
    }

    /// Sends it with these headers, and with `csrf` in place of its own.
    async fn send(&self, browser: &Browser, headers: &[(&str, &str)], csrf: Option<&str>) -> Page {
        let mut fields = self.fields();
        if let Some(csrf) = csrf {
            fields.iter_mut().filter(|(name, _)| name == "csrf").for_each(|(_, value)| csrf.clone_into(value));
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let all = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
        browser.clone().send_as(&self.url(), &all, Some(&form(&fields))).await
    }
}

fn assert_forbidden(page: &Page, what: &str) {
    assert_eq!(page.status, 403, "{what}: {}", page.body);
    assert!(page.leads_nowhere(), "{what}");
    let cookies: Vec<_> = page.headers.get_all("set-cookie").iter().collect();
    assert!(cookies.iter().all(|cookie| cookie.to_str().unwrap().contains("_browser=")), "{what}: {cookies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_by_another_site_is_refused() {
    let house = House::new().await;
    let grants = house.grants().await.len();
    let forms = every_form(&house).await;
    let elsewhere = house.issuer.replace("127.0.0.1", "localhost");
    let foreign: [&[(&str, &str)]; 8] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &house.issuer)],
        &[("origin", "https://evil.test")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("origin", &elsewhere)],
        &[("origin", &format!("{}.evil.test", house.issuer)), ("sec-fetch-site", "same-origin")],
    ];
    for shown in &forms {
        for headers in foreign {
            assert_forbidden(
                &shown.send(&shown.browser, headers, None).await,
                &format!("{} {headers:?}", shown.action),
            );
        }
    }
    assert_eq!(house.grants().await.len(), grants + 1, "nothing was granted, nothing was ended");
    assert!(house.grants().await[0].ended.is_none());
    assert!(!house.server.store().has_administrator().await.unwrap());
    for shown in &forms {
        // As browsers send the forms of pages without referrer.
        let own = [("origin", "null"), ("sec-fetch-site", "same-origin")];
        let page = shown.send(&shown.browser, &own, None).await;
        assert!([200, 303].contains(&page.status), "{}: {} {}", shown.action, page.status, page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_needs_its_own_token_of_its_own_browser() {
    let house = House::new().await;
    let forms = every_form(&house).await;
    let others = every_form(&house).await;
    let csrf = |shown: &Shown| shown.fields().into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    for (shown, other) in forms.iter().zip(&others) {
        let what = shown.action.as_str();
        for token in ["", "x", "fj_cf_AAAA", &csrf(shown)[..50]] {
            let page = shown.send(&shown.browser, &[], Some(token)).await;
            if (what, token) == ("/sign-out", "") {
                // A client may send the browser here by POST; then the person is asked.
                assert!(page.status == 200 && page.body.contains("Sign out?"), "{}", page.body);
            } else {
                assert_forbidden(&page, what);
            }
        }
        assert_forbidden(
            &shown.send(&shown.browser, &[], Some(&csrf(other))).await,
            &format!("{what}: another browser's"),
        );
        assert_forbidden(&shown.send(&Browser::new(), &[], None).await, &format!("{what}: without cookies"));
        assert_forbidden(&shown.send(&other.browser, &[], None).await, &format!("{what}: in another browser"));
        // The token of one page is none for another, but for those that share a purpose.
        for page in &forms {
            let purposes = [
                ["/sign-in", "/broker/wechat/start"],
                ["/consent", "/sign-in/other"],
                ["/account/revoke", "/sign-out"],
            ];
            let is_shared = purposes.iter().any(|pair| pair.contains(&page.action.as_str()) && pair.contains(&what));
            if page.action != what && !is_shared {
                let sent = shown.send(&page.browser, &[], Some(&csrf(page))).await;
                assert_forbidden(&sent, &format!("{what} with the token of {}", page.action));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_dies_with_the_session_it_was_shown_to() {
    let house = House::new().await;
    house.person("bob").await;
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let consent = house.sign_in(&mut browser, page, "alice").await;
    // Bob signs in on the same device: alice's form must not grant as bob.
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    house.sign_in(&mut browser, page, "bob").await;
    let page = browser.submit(&consent, "/consent", &[("decision", "allow")]).await;
    assert_forbidden(&page, "alice's consent form in bob's session");
    let bob = house.session(&browser).await.unwrap().account.id;
    assert!(house.server.store().consent(bob, "friends").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_form_is_about_its_own_request() {
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    let small = browser.get(&house.authorize(&house.app, &[("scope", "openid")])).await;
    let large = browser.get(&house.authorize(&house.app, &[("scope", "openid offline_access read_contacts")])).await;
    let field = |page: &Page, name: &str| page.hidden("/consent").into_iter().find(|(own, _)| own == name).unwrap().1;
    let url = format!("{}/consent", house.issuer);
    let mixed =
        [("resume", field(&large, "resume")), ("csrf", field(&small, "csrf")), ("decision", "allow".to_owned())];
    let mixed: Vec<_> = mixed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_forbidden(&browser.post(&url, &mixed).await, "the token of one request with another");
    assert!(house.server.store().consent(house.alice, "friends").await.unwrap().is_none());
    // No answer is no consent; an answer twice is no form.
    let page = browser.submit(&small, "/consent", &[]).await;
    assert!(page.status == 200 && page.body.contains("action=\"/consent\""), "{}", page.body);
    let page = browser.submit(&small, "/consent", &[("decision", "deny"), ("decision", "allow")]).await;
    assert_eq!(page.status, 403);
    let page = browser.submit(&small, "/consent", &[("decision", "ALLOW")]).await;
    assert!(page.body.contains("action=\"/consent\""), "{}", page.body);
    let page = browser.submit(&small, "/consent", &[("decision", "deny")]).await;
    assert_eq!(page.answered("error").as_deref(), Some("access_denied"));
    assert!(house.server.store().consent(house.alice, "friends").await.unwrap().is_none());
    assert!(browser.submit(&large, "/consent", &[("decision", "allow")]).await.answered("code").is_some());
}
