//! Redirect URIs that are not the registered ones: nothing is ever sent there.

use fujie_core::{client::Client, request::redirect_uri::RegisteredUri};

use crate::{
    browser::Browser,
    house::{CALLBACK, House, client},
};

/// Each is one way in which somebody was once redirected somewhere else. `{}` stands for the registered host.
const ATTACKS: &[&str] = &[
    "https://evil.test/callback",
    "https://evil.test",
    "https://{}.evil.test/callback",
    "https://evil.test/{}/callback",
    "https://evil.test?{}/callback",
    "https://evil.test#{}/callback",
    "https://evil{}/callback",
    "https://{}evil.test/callback",
    "https://evil.test%2f{}/callback",
    "https://{}%2eevil.test/callback",
    "https://{}@evil.test/callback",
    "https://{}:pw@evil.test/callback",
    "https://{}:443@evil.test/callback",
    "https://evil.test@{}/callback",
    "https://a@b@{}/callback",
    "https://{}%40evil.test/callback",
    "https://{}\\@evil.test/callback",
    "https://{}\\.evil.test/callback",
    "https://evil.test\\@{}/callback",
    "https://evil.test\\.{}/callback",
    "https:\\\\evil.test\\callback",
    "https:/\\evil.test/callback",
    "https:///evil.test/callback",
    "https:////{}/callback",
    "https:/{}/callback",
    "https:{}/callback",
    "//{}/callback",
    "//evil.test/callback",
    "/\\evil.test/callback",
    "/callback",
    "callback",
    "?x=1",
    "http://{}/callback",
    "HTTPS://{}/callback",
    "Https://{}/callback",
    "httpss://{}/callback",
    "ftp://{}/callback",
    "ws://{}/callback",
    "file:///etc/passwd",
    "file://{}/callback",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "javascript://{}/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://{}/callback",
    "view-source:https://{}/callback",
    "intent://{}/callback#Intent;end",
    "com.evil.app:/callback",
    "about:blank",
    "mailto:a@{}",
    "urn:ietf:wg:oauth:2.0:oob",
    "oob",
    "null",
    "https://{}:444/callback",
    "https://{}:443/callback",
    "https://{}:0443/callback",
    "https://{}:/callback",
    "https://{}:99999/callback",
    "https://{}:-1/callback",
    "https://{}:443:443/callback",
    "https://{}./callback",
    "https://.{}/callback",
    "https://www.{}/callback",
    "https://{}%00.evil.test/callback",
    "https://{}\0.evil.test/callback",
    "https://{}%20.evil.test/callback",
    "https://{} .evil.test/callback",
    "https://{}\t/callback",
    "https://{}\n/callback",
    "https://{}\r\n/callback",
    "https://{}\u{2028}/callback",
    "https://{}\u{3002}evil.test/callback",
    "https://{}\u{ff0f}evil.test/callback",
    "https://{}\u{ff20}evil.test/callback",
    "https://{}\u{2044}evil.test/callback",
    "https://\u{ff41}pp.example/callback",
    "https://\u{430}pp.example/callback",
    "https://xn--pp-5cd.example/callback",
    "https://APP.example/callback",
    "https://app.EXAMPLE/callback",
    "https://[{}]/callback",
    "https://{}/",
    "https://{}",
    "https://{}/Callback",
    "https://{}/CALLBACK",
    "https://{}/callback/",
    "https://{}/callback//",
    "https://{}//callback",
    "https://{}/callback.",
    "https://{}/callback%20",
    "https://{}/callback ",
    " https://{}/callback",
    "https://{}/callback\t",
    "https://{}/callback\n",
    "https://{}/callback\r\nLocation: https://evil.test/",
    "https://{}/callback\0",
    "https://{}/callback%00",
    "https://{}/callback%0d%0aLocation:%20https://evil.test/",
    "https://{}/callback/../evil",
    "https://{}/x/../callback",
    "https://{}/./callback",
    "https://{}/callback/.",
    "https://{}/callback/..",
    "https://{}/callback/..;/evil",
    "https://{}/callback;/../evil",
    "https://{}/callback;x=1",
    "https://{}/..;/callback",
    "https://{}/%2e%2e/callback",
    "https://{}/callback/%2e%2e/evil",
    "https://{}/callback%2f..%2fevil",
    "https://{}/callback%5c..%5cevil",
    "https://{}/callback\\..\\evil",
    "https://{}/callback/..%252fevil",
    "https://{}/%63allback",
    "https://{}/callbac%6b",
    "https://{}/callback?",
    "https://{}/callback?x=1",
    "https://{}/callback?code=evil",
    "https://{}/callback?next=https://evil.test/",
    "https://{}/callback&next=https://evil.test/",
    "https://{}/callback%3fx=1",
    "https://{}/callback#",
    "https://{}/callback#x",
    "https://{}/callback#@evil.test",
    "https://{}/callback#/../evil",
    "https://{}/callback%23x",
    "https://{}/callback,https://evil.test/",
    "https://{}/callback https://evil.test/",
    "https://{}/callback|https://evil.test/",
    "https://{}/callback'",
    "https://{}/callback\"><script>alert(1)</script>",
    "https://{}/callbackevil",
    "https://{}/callback*",
    "https://*.{}/callback",
    "https://*/callback",
    "*",
    "https://{}/.well-known/../callback",
    "https://{}/callback\u{202e}",
    "https://{}/callback\u{200b}",
    "https://{}/ca\u{301}llback",
    "https://127.0.0.1/callback",
    "https://2130706433/callback",
    "https://0x7f.1/callback",
    "https://[::1]/callback",
    "https://[::ffff:127.0.0.1]/callback",
];

/// The same for a client on the person's own device, whose port alone is free.
const NATIVE_ATTACKS: &[&str] = &[
    "http://127.0.0.1/cb/",
    "http://127.0.0.1/CB",
    "http://127.0.0.1/cb?x=1",
    "http://127.0.0.1:1234/cb#x",
    "http://127.0.0.1:1234/evil",
    "http://127.0.0.1:1234",
    "http://127.0.0.1:1234//cb",
    "http://127.0.0.1:1234/./cb",
    "http://127.0.0.1:1234/cb/..",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:01234/cb",
    "http://127.0.0.1:+1234/cb",
    "http://127.0.0.1:-1/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:99999/cb",
    "http://127.0.0.1:1e3/cb",
    "http://127.0.0.1:12 34/cb",
    "http://127.0.0.1:1234:1234/cb",
    "http://127.0.0.1:\u{661}234/cb",
    "http://127.0.0.1:1234@evil.test/cb",
    "http://127.0.0.1@evil.test/cb",
    "http://127.0.0.1:80@evil.test:80/cb",
    "http://127.0.0.1.evil.test/cb",
    "http://127.0.0.1evil.test/cb",
    "http://127.0.0.1:1234.evil.test/cb",
    "http://127.0.0.1\\.evil.test/cb",
    "http://127.0.0.1:1234\\@evil.test/cb",
    "http://127.0.0.1%2eevil.test/cb",
    "http://127.0.0.1#.evil.test/cb",
    "http://127.0.0.1?.evil.test/cb",
    "http://127.0.0.2/cb",
    "http://127.1/cb",
    "http://127.0.1/cb",
    "http://127.000.000.001/cb",
    "http://0177.0.0.1/cb",
    "http://0x7f000001/cb",
    "http://2130706433/cb",
    "http://0.0.0.0/cb",
    "http://0/cb",
    "http://localhost/cb",
    "http://localhost:1234/cb",
    "http://LOCALHOST/cb",
    "http://localhost.evil.test/cb",
    "http://localhost@evil.test/cb",
    "http://[::1]/cb",
    "http://[::1]:1234/cb",
    "http://[0:0:0:0:0:0:0:1]/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[::1%25lo]/cb",
    "https://127.0.0.1/cb",
    "https://127.0.0.1:1234/cb",
    "HTTP://127.0.0.1/cb",
    "http:127.0.0.1/cb",
    "http:/127.0.0.1/cb",
    "http:///127.0.0.1/cb",
    "//127.0.0.1/cb",
    "http://user@127.0.0.1/cb",
    "http://:@127.0.0.1/cb",
    "com.example.app:/cb/",
    "com.example.app:/CB",
    "com.example.app:/cb?x=1",
    "com.example.app:/cb#x",
    "com.example.app://cb",
    "com.example.app:///cb",
    "com.example.app:cb",
    "COM.example.app:/cb",
    "com.example.app.evil:/cb",
    "com.example.apps:/cb",
    "com.example.app:/cb@evil.test",
    "com.example.app:/../cb",
    "com.example.app:/cb\n",
];

fn attacks() -> impl Iterator<Item = String> {
    ATTACKS.iter().map(|line| line.replace("{}", "app.example"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_redirect_stays_closed_on_each_way_an_answer_is_given() {
    assert!(ATTACKS.len() + NATIVE_ATTACKS.len() >= 200);
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    house.code(&mut browser, &house.app, &[]).await;
    // The same person would go straight through: only the address differs. Errors are answers too (D9).
    let ways: [&[(&str, &str)]; 4] =
        [&[], &[("prompt", "none"), ("scope", "x")], &[("response_mode", "form_post")], &[("response_type", "token")]];
    for uri in attacks() {
        for way in ways {
            let page = browser.get(&house.authorize(&house.app, &[&[("redirect_uri", &*uri)], way].concat())).await;
            assert_eq!(page.status, 400, "{uri:?} {way:?}");
            assert!(page.leads_nowhere(), "{uri:?} {}", page.body);
            assert!(page.body.contains("Cannot return"), "{uri:?} {}", page.body);
            assert!(!page.body.contains("<script>alert"), "{uri:?}");
        }
    }
    assert!(browser.get(&house.authorize(&house.app, &[])).await.answered("code").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_client_may_choose_its_port_and_nothing_else() {
    let house = House::new().await;
    let uris = ["http://127.0.0.1/cb", "com.example.app:/cb"].map(|uri| RegisteredUri::parse(uri).unwrap());
    let native = house.add(Client { redirect_uris: uris.to_vec(), ..crate::house::public("native") }).await;
    let mut browser = house.alices_browser().await;
    for uri in NATIVE_ATTACKS.iter().map(|uri| (*uri).to_owned()).chain(attacks()) {
        let page = browser.get(&house.authorize(&native, &[("redirect_uri", &uri)])).await;
        assert_eq!(page.status, 400, "{uri:?}");
        assert!(page.leads_nowhere(), "{uri:?} {}", page.body);
    }
    for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:80/cb", "http://127.0.0.1:65535/cb", "com.example.app:/cb"] {
        let page = browser.get(&house.authorize(&native, &[("redirect_uri", uri)])).await;
        assert_eq!(page.status, 200, "{uri}");
        let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        assert!(page.header("location").starts_with(&format!("{uri}?code=")), "{}", page.header("location"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_differs() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let cases = [
        ("https://app.example/callback/", "a slash at the end counts", "/callback/"),
        ("http://app.example/callback", "scheme differs", "http"),
        ("https://evil.test/callback", "host differs", "evil.test"),
        ("https://app.example:444/callback", "port differs", "444"),
        ("https://app.example/callback?x=1", "query differs", "x=1"),
        ("https://app.example/callback#x", "may not have a fragment", "x"),
    ];
    for (uri, words, part) in cases {
        let page = browser.get(&house.authorize(&house.app, &[("redirect_uri", uri)])).await;
        assert!(page.body.contains(words), "{uri}: {}", page.body);
        let marked = format!("<mark>{}</mark>", part.replace('/', "&#x2f;"));
        assert!(page.body.contains(&marked), "{uri}: {}", page.body);
        assert!(page.body.contains(&CALLBACK.replace('/', "&#x2f;")), "{}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_several_addresses_must_name_one() {
    let house = House::new().await;
    let uris = [CALLBACK, "https://app.example/other"].map(|uri| RegisteredUri::parse(uri).unwrap());
    let several = house.add(Client { redirect_uris: uris.to_vec(), ..client("several") }).await;
    let mut browser = house.alices_browser().await;
    let page = browser.get(&house.authorize(&several, &[("redirect_uri", "")])).await;
    assert_eq!(page.status, 400);
    assert!(page.leads_nowhere() && page.body.contains("redirect_uri"), "{}", page.body);
    // With one it may be left out, and then the token request leaves it out too.
    let code = house.code(&mut browser, &house.app, &[("redirect_uri", "")]).await;
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", crate::house::VERIFIER)];
    assert_eq!(house.post("/token", &house.app, &fields).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leads_back_to_registered_addresses_only() {
    let house = House::new().await;
    let mut browser = Browser::new();
    for uri in attacks().chain(["https://app.example/callback".to_owned()]) {
        let fields = crate::browser::form(&[("client_id", "friends"), ("post_logout_redirect_uri", &uri)]);
        let page = browser.get(&format!("{}/sign-out?{fields}", house.issuer)).await;
        assert_eq!(page.status, 200, "{uri:?}");
        assert!(page.leads_nowhere(), "{uri:?} {}", page.body);
    }
    let fields =
        crate::browser::form(&[("client_id", "friends"), ("post_logout_redirect_uri", "https://app.example/bye")]);
    let page = browser.get(&format!("{}/sign-out?{fields}", house.issuer)).await;
    assert_eq!(page.location(), "https://app.example/bye");
}
