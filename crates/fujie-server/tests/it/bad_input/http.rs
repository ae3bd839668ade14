//! What is wrong below the parameters: methods, hosts, sizes, bytes.

use crate::{
    browser::{Browser, form},
    house::House,
};

async fn ask(house: &House, method: &str, path: &str) -> reqwest::Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    house.http.request(method, format!("{}{path}", house.issuer)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_told_the_right_one() {
    let house = House::new().await;
    let cases: &[(&str, &str, &[&str])] = &[
        ("/token", "POST", &["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"]),
        ("/introspect", "POST", &["GET", "PUT", "OPTIONS"]),
        ("/revoke", "POST", &["GET", "DELETE"]),
        ("/userinfo", "GET, POST", &["PUT", "DELETE"]),
        ("/jwks", "GET", &["POST", "PUT"]),
        ("/.well-known/openid-configuration", "GET", &["POST", "PUT"]),
        ("/.well-known/oauth-authorization-server", "GET", &["POST"]),
        ("/authorize", "GET, POST", &["PUT", "DELETE", "OPTIONS"]),
        ("/sign-in", "GET, POST", &["PUT", "OPTIONS"]),
        ("/sign-in/other", "POST", &["GET"]),
        ("/consent", "POST", &["GET", "HEAD"]),
        ("/bind", "GET, POST", &["PUT"]),
        ("/sign-out", "GET, POST", &["PUT"]),
        ("/account", "GET", &["POST"]),
        ("/account/revoke", "POST", &["GET"]),
        ("/setup", "GET, POST", &["PUT"]),
        ("/broker/wechat/start", "POST", &["GET", "HEAD"]),
        ("/broker/wechat/callback", "GET", &["POST"]),
    ];
    for (path, allow, methods) in cases {
        for method in *methods {
            let response = ask(&house, method, path).await;
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers()["allow"], *allow, "{method} {path}: RFC 9110 section 15.5.6");
            assert!(response.headers().get("access-control-allow-origin").is_none(), "{method} {path}");
            let cookies = response.headers().get_all("set-cookie").iter();
            let mut names = cookies.map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap());
            assert!(names.all(|name| !name.contains("flow")), "{method} {path}");
        }
    }
    let page = Browser::new().post(&format!("{}/jwks", house.issuer), &[]).await;
    assert!(page.body.contains("use GET"), "{}", page.body);
    for path in
        ["/nothing", "/broker/qq/start", "/broker/wechat/", "/broker//callback", "/token/", "//token", "/assets/../x"]
    {
        assert_eq!(ask(&house, "GET", path).await.status(), 404, "{path}");
        assert_eq!(ask(&house, "POST", path).await.status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let house = House::new().await;
    for path in [
        "/sign-in",
        "/jwks",
        "/.well-known/openid-configuration",
        "/healthz",
        "/readyz",
        "/assets/style.css",
        "/account",
        "/nothing",
        "/sign-out",
    ] {
        let (get, head) = (ask(&house, "GET", path).await, ask(&house, "HEAD", path).await);
        assert_eq!(get.status(), head.status(), "{path}");
        assert_eq!(get.headers().get("content-type"), head.headers().get("content-type"), "{path}");
        let length = get.headers().get("content-length").cloned();
        let told = head.headers().get("content-length");
        assert!(told.is_none() || told == length.as_ref(), "{path}: {told:?}, but GET has {length:?}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_where_scripts_may_call() {
    let house = House::new().await;
    for path in ["/token", "/revoke", "/userinfo", "/jwks", "/.well-known/openid-configuration"] {
        let request = house.http.request(reqwest::Method::OPTIONS, format!("{}{path}", house.issuer));
        let request = request.header("origin", "https://spa.example").header("access-control-request-method", "POST");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 204, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert!(response.headers().get("access-control-allow-credentials").is_none(), "never with cookies");
        assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_the_issuers_is_misdirected() {
    let house = House::new().await;
    let authority = house.issuer.strip_prefix("http://").unwrap();
    let port = authority.split_once(':').unwrap().1;
    let hosts = [
        "evil.test",
        "127.0.0.1",
        &format!("localhost:{port}"),
        &format!("{authority}.evil.test"),
        &format!("evil@{authority}"),
        "",
    ];
    for path in ["/authorize", "/sign-in", "/account", "/jwks", "/.well-known/openid-configuration", "/nothing"] {
        for host in hosts {
            let answer =
                house.raw(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 421 "), "{path} {host}: {answer}");
            // The cookie's value is random, and may say anything.
            let said: Vec<_> = answer.lines().filter(|line| !line.starts_with("set-cookie: ")).collect();
            assert!(!said.concat().contains("evil"), "{answer}");
        }
        let answer = house.raw(format!("GET {path} HTTP/1.1\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "without a Host: {answer}");
    }
    let body = form(&[("grant_type", "client_credentials")]);
    let post = format!(
        "POST /token HTTP/1.1\r\nhost: evil.test\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    assert!(house.raw(post.as_bytes()).await.starts_with("HTTP/1.1 421 "));
    // Probes speak to an address.
    let probe = "GET /healthz HTTP/1.1\r\nhost: 10.0.0.7\r\nconnection: close\r\n\r\n";
    assert!(house.raw(probe.as_bytes()).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_proxy_headers_change_nothing() {
    let house = House::new().await;
    let forged = [
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "host=evil.test;proto=https;for=10.0.0.1"),
        ("x-original-url", "/account"),
        ("x-rewrite-url", "/account"),
        ("x-http-method-override", "POST"),
        ("x-forwarded-uri", "/token"),
    ];
    for path in ["/.well-known/openid-configuration", "/jwks", "/account", "/sign-in", "/consent", "/nothing"] {
        let url = format!("{}{path}", house.issuer);
        let mut browser = Browser::new();
        browser.get(&url).await;
        let (plain, other) = (browser.clone().get(&url).await, browser.clone().send_as(&url, &forged, None).await);
        assert_eq!((plain.status, plain.header("location")), (other.status, other.header("location")), "{path}");
        assert_eq!(plain.body, other.body, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_64_kib_is_refused_before_it_is_read() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let host = house.issuer.strip_prefix("http://").unwrap();
    let head =
        |path: &str, rest: &str| format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{rest}\r\n\r\n");
    for path in
        ["/token", "/introspect", "/revoke", "/userinfo", "/authorize", "/sign-in", "/consent", "/bind", "/setup"]
    {
        for length in ["65537", "10000000000"] {
            let answer = house.raw(head(path, &format!("content-length: {length}")).as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("invalid_request"), "{path}: {answer}");
        }
    }
    // Nothing declared: counted as it comes.
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let chunked = head("/token", "transfer-encoding: chunked") + &chunk + &chunk + "1\r\nx\r\n";
    assert!(house.raw(chunked.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    // One that just fits is read.
    let page = house.post_raw("/token", &format!("a={}", "x".repeat(65_534))).await;
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"));
    assert_eq!(house.redeem(&house.app, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_headers_have_limits() {
    let house = House::new().await;
    let host = house.issuer.strip_prefix("http://").unwrap();
    let long = "x".repeat(400_000);
    let many: String = (0..300).map(|n| format!("x-{n}: y\r\n")).collect();
    for head in [
        format!("GET /authorize?state={long} HTTP/1.1\r\nhost: {host}\r\n"),
        format!("GET /sign-in HTTP/1.1\r\nhost: {host}\r\ncookie: {long}\r\n"),
        format!("GET /userinfo HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {long}\r\n"),
        format!("GET /sign-in HTTP/1.1\r\nhost: {host}\r\n{many}"),
    ] {
        let answer = house.raw(format!("{head}connection: close\r\n\r\n").as_bytes()).await;
        let is_refused = answer.is_empty() || ["414", "431"].iter().any(|code| answer[9..].starts_with(code));
        assert!(is_refused, "{}", answer.lines().next().unwrap_or_default());
    }
    assert_eq!(ask(&house, "GET", "/sign-in").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_http_is_refused_and_the_next_request_is_served() {
    let house = House::new().await;
    let host = house.issuer.strip_prefix("http://").unwrap();
    let cases: &[&[u8]] = &[
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nho st: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for bytes in cases {
        let answer = house.raw(&[bytes, b"\r\n\r\n".as_slice()].concat()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 505"),
            "{answer}"
        );
    }
    // Two lengths, or a length beside chunks, is how requests are smuggled.
    let two = format!("POST /token HTTP/1.1\r\nhost: {host}\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\na=1");
    let answer = house.raw(two.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    // Headers that are not text, and cookies that are not pairs, are as good as none.
    let odd: &[&[u8]] = &[
        b"cookie: \xff\xfe=\x80; a; =; ;;; =b; fujie_session",
        b"accept-language: \xff\xfe;q=x,,;=",
        b"authorization: \xff\xfe",
        b"content-type: \xff",
        b"origin: \xff",
    ];
    for header in odd {
        let head = format!("GET /sign-in HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        let answer = house.raw(&[head.as_bytes(), header, b"\r\n\r\n"].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(header));
    }
    assert_eq!(house.redeem(&house.app, "x").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_forms_change_nothing() {
    let house = House::new().await;
    let mut browser = house.alices_browser().await;
    let paths =
        ["/sign-in", "/sign-in/other", "/consent", "/bind", "/account/revoke", "/setup", "/broker/wechat/start"];
    let bodies =
        ["", "%", "csrf=%ff", "csrf=a&csrf=b", "\u{0}", "csrf[]=x", "resume=%00&csrf=%0d%0a", "{\"csrf\":1}", "&&&==="];
    for path in paths {
        for body in bodies {
            for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"] {
                let page =
                    browser.send_as(&format!("{}{path}", house.issuer), &[("content-type", kind)], Some(body)).await;
                assert_eq!(page.status, 403, "{path} {body:?} {kind}");
            }
        }
    }
    // A sign-out without a token of ours is a client's request: the person is asked.
    for body in bodies {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let page = browser.send_as(&format!("{}/sign-out", house.issuer), &headers, Some(body)).await;
        assert!([200, 403].contains(&page.status), "{body:?} {}", page.status);
    }
    assert_eq!(house.session(&browser).await.unwrap().account.id, house.alice, "alice is still signed in");
}
