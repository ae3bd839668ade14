//! Authorization requests that cannot be granted: told to the client once its target is proven, else on a page.

use fujie_core::client::{Client, PkcePolicy};

use crate::{
    browser::{Browser, Page, form},
    house::{CALLBACK, House, client},
};

/// The error that the client is told, at its own address, with its state and our name.
fn told(house: &House, page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(page.location().starts_with(CALLBACK), "{}", page.location());
    assert_eq!(page.answered("state").as_deref(), Some("xyz"));
    assert_eq!(page.answered("iss").unwrap(), house.issuer);
    assert!(page.answered("code").is_none());
    page.answered("error").unwrap()
}

/// The page that says it here; nothing is sent anywhere.
fn assert_page(page: &Page, status: u16, words: &[&str]) {
    assert_eq!(page.status, status, "{}", page.body);
    assert!(page.leads_nowhere(), "{} {}", page.header("location"), page.body);
    assert!(page.header("content-type").starts_with("text/html"));
    for word in words {
        assert!(page.body.contains(word), "no {word}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_known_client_has_the_standards_error() {
    let house = House::new().await;
    let long = "n".repeat(513);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "id_token")], "unsupported_response_type"),
        (&[("response_type", "code token")], "unsupported_response_type"),
        (&[("response_type", "CODE")], "unsupported_response_type"),
        (&[("response_type", "token"), ("response_mode", "fragment")], "unauthorized_client"),
        (&[("response_mode", "web_message")], "invalid_request"),
        (&[("scope", "admin")], "invalid_scope"),
        (&[("scope", "openid \"")], "invalid_scope"),
        (&[("scope", "小")], "invalid_scope"),
        (&[("resource", "https://elsewhere.example/")], "invalid_target"),
        (&[("resource", "contacts")], "invalid_target"),
        (&[("nonce", &long)], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("max_age", "+1")], "invalid_request"),
        (&[("max_age", "1.5")], "invalid_request"),
        (&[("max_age", "99999999999999999999")], "invalid_request"),
        (&[("request", "e30.e30.")], "request_not_supported"),
        (&[("request_uri", "https://evil.test/request")], "request_uri_not_supported"),
        (&[("prompt", "none")], "login_required"),
    ];
    let mut browser = Browser::new();
    for (fields, expected) in cases {
        let page = browser.get(&house.authorize(&house.app, fields)).await;
        assert_eq!(told(&house, &page), *expected, "{fields:?}");
    }
    house.code(&mut browser, &house.app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pkce_cannot_be_left_out_stripped_or_downgraded() {
    let house = House::new().await;
    let optional = house.add(Client { pkce: PkcePolicy::Optional, ..client("classic") }).await;
    let mut browser = Browser::new();
    let plain = [("code_challenge_method", "plain"), ("code_challenge", crate::house::VERIFIER)];
    let cases: &[(&_, &[(&str, &str)])] = &[
        (&house.app, &[("code_challenge", ""), ("code_challenge_method", "")]),
        (&house.app, &[("code_challenge", "")]),
        (&house.app, &[("code_challenge_method", "")]),
        (&house.app, &plain),
        (&house.app, &[("code_challenge_method", "s256")]),
        (&house.app, &[("code_challenge", "short")]),
        (&house.app, &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]),
        (&optional, &[("code_challenge", "")]),
        (&optional, &plain),
        (&optional, &[("code_challenge_method", "")]),
    ];
    for (client, fields) in cases {
        let page = browser.get(&house.authorize(client, fields)).await;
        assert_eq!(told(&house, &page), "invalid_request", "{} {fields:?}", client.id);
        assert!(page.answered("error_description").unwrap().contains("code_challenge"), "{fields:?}");
    }
    house.code(&mut browser, &house.app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_parameter_is_named_on_a_page() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let good = house.authorize(&house.app, &[("nonce", "n"), ("prompt", "login"), ("max_age", "1")]);
    let names = url::Url::parse(&good).unwrap();
    for (name, value) in names.query_pairs() {
        for again in
            [form(&[(&name, &value)]), format!("{name}="), format!("%{:02x}{}=x", name.as_bytes()[0], &name[1..])]
        {
            let page = browser.get(&format!("{good}&{again}")).await;
            assert_page(&page, 400, &[&name, "more than once"]);
        }
    }
    // Only `resource` may come twice (RFC 8707 section 2).
    let api = form(&[("resource", "https://contacts.example/")]);
    let asked = house.authorize(&house.app, &[("scope", "openid read_contacts")]);
    let page = browser.get(&format!("{asked}&{api}&{api}")).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(page.location().contains("/sign-in?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_disabled_client_gets_a_page_and_no_redirect() {
    let house = House::new().await;
    let off = house.add(Client { is_disabled: true, ..client("off") }).await;
    house.server.store().disable_client("off", house.clock.now()).await.unwrap();
    house.server.renew(true).await.unwrap();
    let mut browser = house.alices_browser().await;
    let mut ids = vec!["nobody", "Friends", "friends ", "friends\u{0}", "<script>alert(1)</script>", "' OR 1=1 --"];
    ids.push(&off.id);
    for id in ids {
        for prompt in ["", "none"] {
            let page = browser.get(&house.authorize(&house.app, &[("client_id", id), ("prompt", prompt)])).await;
            assert_page(&page, 400, &["not known here"]);
            assert!(!page.body.contains("<script>"), "{}", page.body);
        }
    }
    let page = browser.get(&house.authorize(&house.app, &[("client_id", "")])).await;
    assert_page(&page, 400, &["client_id"]);
    house.code(&mut browser, &house.app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_are_refused_and_split_no_header() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let states = ["a\r\nSet-Cookie: evil=1", "a\nb", "a\u{0}b", "\r\n\r\n<script>", "\u{7f}", "tab\there", "\u{85}"];
    for state in states {
        let page = browser.get(&house.authorize(&house.app, &[("state", state)])).await;
        assert_eq!(page.status, 303, "{}", page.body);
        assert_eq!(page.answered("error").as_deref(), Some("invalid_request"));
        // Echoed as it was sent (RFC 6749 section 4.1.2.1), percent-encoded.
        assert_eq!(page.answered("state").as_deref(), Some(state));
        assert!(page.header("location").bytes().all(|b| b.is_ascii_graphic()));
        assert!(!browser.cookies.contains_key("evil"));
        let page = browser.get(&house.authorize(&house.app, &[("state", state), ("response_mode", "form_post")])).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("invalid_request") && !page.body.contains("<script>"), "{}", page.body);
    }
    for name in ["nonce", "scope", "prompt", "ui_locales", "code_challenge", "response_mode", "max_age", "resource"] {
        let page = browser.get(&house.authorize(&house.app, &[(name, "a\r\nb")])).await;
        assert_eq!(told(&house, &page), "invalid_request", "{name}");
    }
    // Whatever else a state holds comes back as it was.
    let state = "a b&c=d#é小🌟%41+\"'<>";
    let page = browser.get(&house.authorize(&house.app, &[("state", state), ("prompt", "none")])).await;
    assert_eq!(page.answered("state").as_deref(), Some(state));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_long_for_an_address_is_told_of_par() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let base = house.authorize(&house.app, &[("state", "")]);
    let of_length = |length: usize| {
        let query = base.split_once('?').unwrap().1.len() + "&state=".len();
        format!("{base}&state={}", "s".repeat(length - query))
    };
    for length in [4301, 8_000, 30_000] {
        let page = browser.get(&of_length(length)).await;
        assert_page(&page, 414, &["PAR", "4300"]);
    }
    let url = of_length(4301);
    let (path, query) = url.split_once('?').unwrap();
    let page = browser.post(path, &[]).await;
    assert_page(&page, 400, &["client_id"]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_page(&browser.send_as(path, &headers, Some(query)).await, 414, &["PAR"]);
    // The longest that is admitted goes all the way, and none of our own addresses grows beyond 6,000 characters.
    let page = browser.get(&of_length(4300)).await;
    let page = house.sign_in(&mut browser, page, "alice").await;
    assert!(page.url.len() < 6000, "{}", page.url.len());
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(page.answered("code").is_some() && page.answered("state").unwrap().len() > 3900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_read_gets_a_page() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let many: String = (0..101).map(|n| format!("&p{n}=1")).collect();
    let good = house.authorize(&house.app, &[]);
    for junk in ["&a=%", "&a=%zz", "&a=%ff", "&%c3%28=1", "&a=%F0%9F%8C", "&a=%ed%a0%80", many.as_str()] {
        assert_page(&browser.get(&format!("{good}{junk}")).await, 400, &["cannot be read"]);
    }
    for junk in ["?", "?&&&", "?=", "?client_id", "?%00=1", ""] {
        assert_page(&browser.get(&format!("{}/authorize{junk}", house.issuer)).await, 400, &["client_id"]);
    }
    // Empty pairs and unknown parameters are ignored (RFC 6749 section 3.1).
    let page = browser.get(&format!("{good}&&foo=bar&=x&baz")).await;
    assert!(page.location().contains("/sign-in?"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_grants_nothing() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let resumed = page.location().replace("/sign-in?", "/authorize?");
    for url in [house.authorize(&house.app, &[]), resumed, format!("{}/broker/wechat/callback?state=x", house.issuer)] {
        assert_eq!(house.http.head(&url).send().await.unwrap().status(), 405, "{url}");
    }
    let head = house.http.head(format!("{}/sign-in", house.issuer)).send().await.unwrap();
    assert_eq!(head.status(), 200, "a page is safe to ask about");
}
