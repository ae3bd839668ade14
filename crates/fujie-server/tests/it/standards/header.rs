//! The headers of every answer: what pages may do, what caches may keep, which scripts may read, how cookies travel.

use reqwest::header::HeaderMap;

use crate::{
    browser::{Browser, Page},
    house::House,
};

fn get<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Every rule for one page, by its kind.
fn lint(page: &Page) {
    let (headers, url) = (&page.headers, &page.url);
    let kind = get(headers, "content-type");
    assert!(![301, 302, 307, 308].contains(&page.status), "{url}: only 303 changes a POST into a GET");
    if (300..400).contains(&page.status) {
        assert_eq!(
            (get(headers, "cache-control"), get(headers, "referrer-policy")),
            ("no-store", "no-referrer"),
            "{url}"
        );
        return;
    }
    if kind.starts_with("text/html") {
        let expected = [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ];
        for (name, value) in expected {
            assert_eq!(get(headers, name), value, "{url}: {name}");
        }
        lint_policy(get(headers, "content-security-policy"), url);
        lint_markup(&page.body, url);
    } else if !page.body.is_empty() {
        assert_eq!(get(headers, "x-content-type-options"), "nosniff", "{url}");
        let is_document = url.ends_with("/jwks") || url.contains("/.well-known/") || url.contains("/assets/");
        assert!(is_document || get(headers, "cache-control") == "no-store", "{url}");
    }
}

fn lint_policy(policy: &str, url: &str) {
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    for needed in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "script-src 'self'",
    ] {
        assert!(directives.contains(&needed), "{url}: {needed} in {policy}");
    }
    assert!(directives.iter().any(|directive| directive.starts_with("form-action 'self'")), "{url}: {policy}");
    for forbidden in ["unsafe-inline", "unsafe-eval", "*", "data:"] {
        assert!(!policy.contains(forbidden), "{url}: {policy}");
    }
}

fn lint_markup(body: &str, url: &str) {
    for inline in
        ["<style", " style=", " onclick=", " onload=", " onerror=", "javascript:", "<script>", "<iframe", "<base"]
    {
        assert!(!body.contains(inline), "{url}: {inline}");
    }
    for attribute in ["src=\"", "<link rel=\"stylesheet\" href=\""] {
        for rest in body.split(attribute).skip(1) {
            assert!(rest.starts_with("/assets/"), "{url}: something foreign is loaded: {:.60}", rest);
        }
    }
}

fn lint_cookies(page: &Page, is_secure: bool) {
    for cookie in page.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let attributes: Vec<_> = attributes.split(';').map(str::trim).collect();
        assert!(["HttpOnly", "SameSite=Lax", "Path=/"].iter().all(|needed| attributes.contains(needed)), "{cookie}");
        assert!(attributes.iter().any(|attribute| attribute.starts_with("Max-Age=")), "{cookie}");
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{cookie}");
        assert_eq!(attributes.contains(&"Secure"), is_secure, "{cookie}");
        assert_eq!(pair.starts_with("__Host-fujie_"), is_secure, "{cookie}");
        assert!(cookie.len() < 4096, "browsers drop it: {cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_on_every_way_has_the_headers_that_protect_it() {
    let house = House::new().await;
    let issuer = house.issuer.clone();
    let mut pages = Vec::new();
    let mut nobody = Browser::new();
    for path in [
        "/",
        "/sign-in",
        "/sign-in?error=lost",
        "/account",
        "/bind",
        "/setup",
        "/sign-out",
        "/consent",
        "/nothing",
        "/authorize",
        "/authorize?client_id=x",
        "/authorize?resume=x",
        "/broker/wechat/start",
        "/broker/wechat/callback?state=x",
        "/jwks",
        "/.well-known/openid-configuration",
        "/healthz",
        "/readyz",
        "/userinfo",
        "/token",
        "/introspect",
        "/revoke",
        "/assets/style.css",
        "/assets/form_post.js",
        "/assets/mark.svg",
        "/assets/nothing",
    ] {
        pages.push(nobody.get(&format!("{issuer}{path}")).await);
        pages.push(nobody.post(&format!("{issuer}{path}"), &[("a", "b")]).await);
    }
    let mut alice = Browser::new();
    let mut stranger = Browser::new();
    let page = alice.get(&house.authorize(&house.app, &[])).await;
    pages.push(house.sign_in(&mut alice, page, "alice").await);
    pages.push(house.by_wechat(&mut stranger, "wechat", "lihua").await);
    for (path, browser) in [("/account", &mut alice), ("/sign-out", &mut nobody), ("/bind", &mut stranger)] {
        pages.push(browser.get(&format!("{issuer}{path}")).await);
    }
    house.code(&mut alice, &house.app, &[]).await;
    pages.push(alice.get(&house.authorize(&house.app, &[("response_mode", "form_post")])).await);
    pages.push(alice.get(&house.authorize(&house.app, &[("redirect_uri", "https://evil.test/")])).await);
    for page in &pages {
        lint(page);
        lint_cookies(page, false);
    }
    assert!(pages.iter().filter(|page| page.body.contains("<!doctype html>")).count() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_may_lead_away_only_where_a_request_is_under_way() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    let page = browser.follow(&page).await;
    let allowed = |page: &Page| {
        let policy = page.header("content-security-policy").to_owned();
        policy
            .split(';')
            .find_map(|directive| directive.trim().strip_prefix("form-action ").map(str::to_owned))
            .unwrap()
    };
    // Schemes, not origins: an application may redirect on from its callback, and browsers hold that to the policy too.
    assert_eq!(allowed(&page), "'self' https: http:");
    let page = house.sign_in(&mut browser, page, "alice").await;
    assert_eq!(allowed(&page), "'self' https: http:");
    assert_eq!(allowed(&browser.get(&format!("{}/account", house.issuer)).await), "'self'");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_other_origins_read_what_is_public_and_nothing_of_a_person() {
    let house = House::new().await;
    let tokens = house.tokens(&house.app, &[]).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let mut alice = house.alices_browser().await;
    let origin = ("origin", "https://spa.example");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let open = ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/userinfo"];
    for path in open {
        let page = Browser::new()
            .send_as(&format!("{}{path}", house.issuer), &[origin, ("authorization", &bearer)], None)
            .await;
        assert_eq!((page.status, page.header("access-control-allow-origin")), (200, "*"), "{path}");
        assert_eq!(page.header("access-control-allow-credentials"), "");
    }
    for path in ["/token", "/revoke"] {
        let page = Browser::new().send_as(&format!("{}{path}", house.issuer), &[origin, form], Some("a=b")).await;
        assert_eq!(page.header("access-control-allow-origin"), "*", "{path}: errors are read too");
    }
    let closed = [
        "/account",
        "/sign-in",
        "/authorize",
        "/bind",
        "/setup",
        "/sign-out",
        "/nothing",
        "/healthz",
        "/assets/style.css",
    ];
    for path in closed {
        let page = alice.send_as(&format!("{}{path}", house.issuer), &[origin], None).await;
        assert_eq!(page.header("access-control-allow-origin"), "", "{path}");
    }
    for path in ["/introspect", "/consent", "/sign-in", "/bind", "/account/revoke", "/broker/wechat/start"] {
        let page = alice.send_as(&format!("{}{path}", house.issuer), &[origin, form], Some("a=b")).await;
        assert_eq!(page.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_cookies_are_bound_to_the_host_and_the_host_to_https() {
    let house = House::behind_tls("https://id.example").await;
    for path in ["/sign-in", "/sign-in?lang=zh-CN", "/nothing"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: id.example\r\nconnection: close\r\n\r\n");
        let answer = house.raw(request.as_bytes()).await;
        let head = answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(head.contains("strict-transport-security: max-age=63072000"), "{head}");
        let cookies: Vec<_> = head.lines().filter(|line| line.starts_with("set-cookie: ")).collect();
        assert!(!cookies.is_empty());
        for cookie in cookies {
            assert!(cookie.starts_with("set-cookie: __host-fujie_"), "{cookie}");
            for needed in ["; path=/", "; secure", "; httponly", "; samesite=lax"] {
                assert!(cookie.contains(needed), "{cookie}");
            }
            assert!(!cookie.contains("domain"), "{cookie}");
        }
    }
    let request = "GET /.well-known/openid-configuration HTTP/1.1\r\nhost: id.example\r\nx-forwarded-proto: http\r\nconnection: close\r\n\r\n";
    assert!(house.raw(request.as_bytes()).await.contains("\"token_endpoint\":\"https://id.example/token\""));
    let request = "GET /sign-in HTTP/1.1\r\nhost: id.example:443\r\nconnection: close\r\n\r\n";
    assert!(house.raw(request.as_bytes()).await.starts_with("HTTP/1.1 421 "), "one spelling of the host");
}
