//! What python-requests offers (seed 002, 1.1.3), fourteen features, each against a server. Those
//! that ask for a password stand in `authentication`.

use std::io::Write;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll};
use std::time::Duration;

use fujie_client::session::{Form, Part, Proxies};
use tokio::io::{AsyncRead, ReadBuf};

use super::hostile::{Hostile, Reply, answer, head, ok, soon};
use super::{UNKNOWN, builder, limits, session, told};
use crate::server::nobody;

/// 保持活力和连接池
#[tokio::test]
async fn keep_alive_and_connection_pooling() {
    let server = Hostile::new(|_| ok("x")).await;
    let session = session(&server.base);
    for _ in 0..5 {
        session.get("a").send().await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 1), "one connection serves them all");

    // A server may close a connection that is idle; the next request then finds another.
    let server = Hostile::new(|_| match ok("x") {
        Reply::Keep(bytes) => Reply::Close(bytes),
        other => other,
    })
    .await;
    let session = super::session(&server.base);
    for number in 1..=3 {
        assert_eq!(session.get("a").send().await.unwrap().text(), "x");
        assert_eq!(server.connections(), number);
    }
}

/// 支持国际域名和网址
#[tokio::test]
async fn international_domains_and_urls() {
    let proxy = Hostile::new(|_| ok("x")).await;
    let proxies = Proxies::all(&proxy.base).unwrap();
    let session = builder("http://例子.测试/路").proxies(proxies).build().unwrap();
    session.get("用户").query("名", "小明 & co").send().await.unwrap();
    let received = proxy.last();
    let path = "/%E8%B7%AF/%E7%94%A8%E6%88%B7?%E5%90%8D=%E5%B0%8F%E6%98%8E%20%26%20co";
    assert_eq!(received.target(), format!("http://xn--fsqu00a.xn--0zwm56d{path}"));
    assert_eq!(received.header("host"), Some("xn--fsqu00a.xn--0zwm56d"));
}

/// 会话与 Cookie 持久性
#[tokio::test]
async fn sessions_with_cookie_persistence() {
    let server = Hostile::new(|received| match received.target() {
        "/login" => answer(
            "200 OK",
            &[
                ("Set-Cookie", "sid=one; Path=/; HttpOnly"),
                ("Set-Cookie", "deep=two; Path=/deep"),
                ("Set-Cookie", "theirs=three; Domain=example.com"),
                ("Set-Cookie", "late=four; Max-Age=0"),
            ],
            "",
        ),
        "/flood" => {
            let many: Vec<String> = (0..90).map(|n| format!("c{}-{n}=x", received.earlier)).collect();
            let headers: Vec<(&str, &str)> = many.iter().map(|cookie| ("Set-Cookie", cookie.as_str())).collect();
            answer("200 OK", &headers, "")
        }
        "/long" => answer("200 OK", &[("Set-Cookie", &format!("long={}", "x".repeat(5000)))], ""),
        _ => ok(""),
    })
    .await;
    let session = session(&server.base);
    session.get("login").send().await.unwrap();
    session.get("a").send().await.unwrap();
    assert_eq!(server.last().header("cookie"), Some("sid=one"));
    session.get("deep/b").send().await.unwrap();
    let both = server.last().header("cookie").unwrap().to_owned();
    assert!(both.contains("sid=one") && both.contains("deep=two") && both.len() == "sid=one; deep=two".len());
    session.get("long").send().await.unwrap();
    session.get("a").header("cookie", "mine=1").send().await.unwrap();
    assert_eq!(server.last().header("cookie"), Some("mine=1"), "what the caller sets stays");

    super::session(&server.base).get("a").send().await.unwrap();
    assert_eq!(server.last().header("cookie"), None, "another session is another person");
    let forgetful = builder(&server.base).without_cookies().build().unwrap();
    forgetful.get("login").send().await.unwrap();
    forgetful.get("a").send().await.unwrap();
    assert_eq!(server.last().header("cookie"), None);

    for _ in 0..5 {
        session.get("flood").send().await.unwrap();
    }
    assert!(server.last().header("cookie").unwrap().split("; ").count() <= 180, "a flood is not kept");
    session.clear_cookies();
    session.get("a").send().await.unwrap();
    assert_eq!(server.last().header("cookie"), None);
}

/// 浏览器式 SSL 验证
#[tokio::test]
async fn browser_style_tls_verification() {
    let (server, pem) = Hostile::tls(&["127.0.0.1"], |_| ok("x")).await;
    let unknown = session(&server.base).get("a").query("t", "canary").send().await.unwrap_err();
    assert_eq!(unknown.name(), "tls", "{}", told(&unknown));
    assert!(server.requests().is_empty(), "nothing was said to a server that is not trusted");

    let trusting = builder(&server.base).root_certificates_pem(pem.as_bytes()).build().unwrap();
    assert_eq!(trusting.get("a").send().await.unwrap().text(), "x");

    let (other, pem) = Hostile::tls(&["other.example"], |_| ok("x")).await;
    let wrong_host = builder(&other.base).root_certificates_pem(pem.as_bytes()).build().unwrap();
    let error = wrong_host.get("a").send().await.unwrap_err();
    assert_eq!(error.name(), "tls", "{}", told(&error));
    assert!(other.requests().is_empty());

    let plain = Hostile::new(|_| ok("x")).await;
    let error = session(&plain.base.replace("http:", "https:")).get("a").send().await.unwrap_err();
    assert!(error.is_connection(), "{}", told(&error));
    for odd in ["", "x", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"] {
        let built = builder(&server.base).root_certificates_pem(odd.as_bytes()).build();
        assert_eq!(built.unwrap_err().name(), "setup", "{odd}");
    }
}

/// 自动内容解码
#[tokio::test]
async fn automatic_content_decoding() {
    let server = Hostile::new(|received| match received.target() {
        "/latin" => answer("200 OK", &[("Content-Type", "text/plain; charset=ISO-8859-1")], b"caf\xe9"),
        "/gbk" => {
            answer("200 OK", &[("Content-Type", "application/json;charset=\"GBK\"")], b"{\"a\":\"\xce\xa2\xd0\xc5\"}")
        }
        "/bom" => answer("200 OK", &[("Content-Type", "application/json")], "\u{feff}{\"a\":\"b\"}"),
        _ => answer("200 OK", &[("Content-Type", "text/html")], "<html>{\"a\": canary"),
    })
    .await;
    let session = session(&server.base);
    assert_eq!(session.get("latin").send().await.unwrap().text(), "café");
    let json: serde_json::Value = session.get("gbk").send().await.unwrap().json().unwrap();
    assert_eq!(json["a"], "微信");
    let json: serde_json::Value = session.get("bom").send().await.unwrap().json().unwrap();
    assert_eq!(json["a"], "b");
    let error = session.get("page").send().await.unwrap().json::<serde_json::Value>().unwrap_err();
    assert_eq!(error.name(), "decode", "{}", told(&error));
    let error = session.get("bom").send().await.unwrap().json::<Vec<u8>>().unwrap_err();
    assert_eq!(error.name(), "decode", "{}", told(&error));
}

/// 自动解压缩
#[tokio::test]
async fn automatic_decompression() {
    // Made before anybody waits for it: server and client share one thread.
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    let server = Hostile::new(move |received| {
        let plain = "微信".repeat(1000);
        match received.target() {
            "/gzip" => answer("200 OK", &[("Content-Encoding", "gzip")], gzip(plain.as_bytes())),
            "/deflate" => answer("200 OK", &[("Content-Encoding", "deflate")], deflate(plain.as_bytes())),
            "/br" => answer("200 OK", &[("Content-Encoding", "br")], brotli(plain.as_bytes())),
            "/bomb" => answer("200 OK", &[("Content-Encoding", "gzip")], &bomb),
            "/head" => Reply::Keep(head("200 OK", &[("Content-Encoding", "gzip")], Some(123))),
            "/cut" => answer("200 OK", &[("Content-Encoding", "gzip")], &gzip(plain.as_bytes())[..20]),
            "/gone" => Reply::Close(
                [head("200 OK", &[("Content-Encoding", "gzip")], Some(99)).as_slice(), &gzip(plain.as_bytes())[..20]]
                    .concat(),
            ),
            _ => answer("200 OK", &[("Content-Encoding", "gzip")], "this is not compressed"),
        }
    })
    .await;
    let session = session(&server.base);
    for way in ["gzip", "deflate", "br"] {
        assert_eq!(session.get(way).send().await.unwrap().text(), "微信".repeat(1000), "{way}");
        assert!(server.last().header("accept-encoding").unwrap().contains(way), "{way} is asked for");
    }
    let error = session.get("bomb").send().await.unwrap_err();
    assert_eq!(error.name(), "too_large", "{}", told(&error));
    for (odd, expected) in [("cut", "decode"), ("odd", "decode"), ("gone", "body")] {
        let error = session.get(odd).send().await.unwrap_err();
        assert_eq!(error.name(), expected, "{}", told(&error));
    }
    let answer = session.head("head").send().await.unwrap();
    assert_eq!((answer.status(), answer.bytes().len()), (200, 0));
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut compressed, 4096, 5, 20);
    encoder.write_all(plain).unwrap();
    drop(encoder);
    compressed
}

/// Unicode响应body
#[tokio::test]
async fn unicode_response_bodies() {
    let server = Hostile::new(|received| match received.target() {
        "/none" => ok("你好🦊"),
        "/unknown" => answer("200 OK", &[("Content-Type", "text/plain; charset=klingon")], "你好🦊"),
        "/broken" => answer("200 OK", &[("Content-Type", "text/plain; charset=utf-8")], b"a\xff\xfeb"),
        "/utf16" => answer("200 OK", &[("Content-Type", "text/plain; charset=utf-16le")], b"`O}Y"),
        _ => answer("200 OK", &[("Content-Type", "text/plain; charset=utf-8")], b"\xc4\xe3\xba\xc3"),
    })
    .await;
    let session = session(&server.base);
    assert_eq!(session.get("none").send().await.unwrap().text(), "你好🦊");
    assert_eq!(session.get("unknown").send().await.unwrap().text(), "你好🦊");
    assert_eq!(session.get("broken").send().await.unwrap().text(), "a\u{fffd}\u{fffd}b");
    assert_eq!(session.get("utf16").send().await.unwrap().text(), "你好");
    let mislabelled = session.get("wrong").send().await.unwrap();
    assert!(mislabelled.text().contains('\u{fffd}'));
    assert_eq!(mislabelled.text_in("gb18030").unwrap(), "你好");
    assert_eq!(mislabelled.text_in("klingon").unwrap_err().name(), "bad_request");
}

/// HTTP(s)代理支持
#[tokio::test]
async fn http_and_https_proxy_support() {
    let (server, pem) = Hostile::tls(&["service.example"], |_| ok("from the server")).await;
    let target = format!("127.0.0.1:{}", server.port);
    let proxy = Hostile::new(move |received| match received.method() {
        _ if received.header("proxy-authorization") != Some("Basic dTpjYW5hcnk=") => {
            answer("407 Proxy Authentication Required", &[("Proxy-Authenticate", "Basic")], "")
        }
        "CONNECT" => Reply::Tunnel(target.clone()),
        _ => ok("from the proxy"),
    })
    .await;
    let with_password = proxy.base.replace("http://", "http://u:canary@");
    let through = |base: &str, proxies: Proxies| {
        builder(base).root_certificates_pem(pem.as_bytes()).proxies(proxies).build().unwrap()
    };

    let session = through("http://service.example", Proxies::all(&with_password).unwrap());
    assert_eq!(session.get("a").send().await.unwrap().text(), "from the proxy");
    assert_eq!(proxy.last().target(), "http://service.example/a");

    let session = through("https://service.example", Proxies::all(&with_password).unwrap());
    for _ in 0..3 {
        assert_eq!(session.get("a").query("t", "canary").send().await.unwrap().text(), "from the server");
    }
    let tunnels: Vec<_> = proxy.requests().into_iter().filter(|request| request.method() == "CONNECT").collect();
    assert_eq!(tunnels.len(), 1, "one tunnel serves them all");
    assert_eq!(tunnels[0].target(), "service.example:443");
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);

    let refused = through("https://service.example", Proxies::all(&proxy.base).unwrap());
    let error = refused.get("a").send().await.unwrap_err();
    assert_eq!(error.name(), "proxy", "{}", told(&error));
    let nobody = nobody();
    let absent = format!("http://u:canary@{}", nobody.local_addr().unwrap());
    let error = through("https://service.example", Proxies::all(&absent).unwrap()).get("a").send().await.unwrap_err();
    assert_eq!(error.name(), "proxy", "{}", told(&error));

    let direct = Hostile::new(|_| ok("direct")).await;
    let here = through(&direct.base, Proxies::all(&absent).unwrap());
    assert_eq!(here.get("a").send().await.unwrap().text(), "direct", "this machine needs no proxy");
}

/// The environment belongs to a process, so this story needs one of its own.
#[tokio::test(flavor = "multi_thread")]
async fn proxies_from_the_environment() {
    if std::env::var_os("FUJIE_STORY_PROXY").is_some() {
        let proxies = Proxies::from_environment().unwrap();
        let exception = format!("http://{UNKNOWN}.inner.invalid");
        for (base, expected) in [("http://service.example", "from the proxy"), (exception.as_str(), "connect")] {
            let session = builder(base).proxies(proxies.clone()).build().unwrap();
            let outcome = session.get("a").send().await;
            assert_eq!(outcome.map_or_else(|error| error.name().to_owned(), |answer| answer.text()), expected);
        }
        return;
    }
    let proxy = Hostile::new(|_| ok("from the proxy")).await;
    let base = proxy.base.clone();
    let status = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "session::feature::proxies_from_the_environment"])
            .env("FUJIE_STORY_PROXY", "1")
            .env("http_proxy", &base)
            .env("NO_PROXY", ".inner.invalid")
            .env_remove("no_proxy")
            .output()
            .unwrap()
    });
    let output = soon(status).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(proxy.requests().len(), 1);
}

/// 多部分文件上传
#[tokio::test]
async fn multipart_file_uploads() {
    let server = Hostile::new(|_| ok("")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("照\"片.bin");
    let large: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    std::fs::write(&path, &large).unwrap();
    let form = Form::new()
        .text("status", "天气\r\n--x")
        .part("pic\"\r\nX: y", Part::bytes("a.png", *b"\x89PNG").content_type("image/png"))
        .part("file", Part::file(&path));
    session(&server.base).post("up").multipart(form).send().await.unwrap();

    let received = server.last();
    assert_eq!(
        received.header("content-length"),
        Some(received.body.len().to_string().as_str()),
        "the length is known"
    );
    let boundary = received.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let mut expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n天气\r\n--x\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"pic%22%0D%0AX: y\"; filename=\"a.png\"\r\n\
         Content-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    expected.extend_from_slice(b"\x89PNG\r\n");
    expected.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"照%22片.bin\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    expected.extend_from_slice(&large);
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert!(received.body == expected, "{}", String::from_utf8_lossy(&received.body[..600]));

    let missing = Form::new().part("file", Part::file("/nowhere/to/be/found"));
    let error = session(&server.base).post("up").multipart(missing).send().await.unwrap_err();
    assert_eq!(error.name(), "body", "{}", told(&error));
    let odd = Form::new().part("file", Part::bytes("a", *b"a").content_type("text/plain\r\nX: y"));
    let error = session(&server.base).post("up").multipart(odd).send().await.unwrap_err();
    assert_eq!(error.name(), "bad_request", "{}", told(&error));
}

/// 流媒体下载
#[tokio::test]
async fn streaming_downloads() {
    let server = Hostile::new(|received| match received.target() {
        "/endless" => Reply::Endless(head("200 OK", &[], None), vec![b'x'; 64 * 1024]),
        "/cut" => Reply::Close([head("200 OK", &[], Some(99)).as_slice(), b"short"].concat()),
        "/refused" => answer("403 Forbidden", &[], "no"),
        _ => answer("200 OK", &[("X-Name", "film")], vec![b'x'; 1_000_000]),
    })
    .await;
    let session = session(&server.base);
    let mut file = Vec::new();
    let download = session.get("film").download(2_000_000).await.unwrap();
    assert_eq!((download.status(), download.header("x-name")), (200, Some("film")));
    assert_eq!(download.write_to(&mut file).await.unwrap(), 1_000_000);
    assert_eq!(file.len(), 1_000_000);

    let mut endless = session.get("endless").download(u64::MAX).await.unwrap();
    for _ in 0..10 {
        assert!(endless.chunk().await.unwrap().is_some(), "what has come is there before the end");
    }
    drop(endless);
    let limited = session.get("endless").download(1_000_000).await.unwrap();
    let error = limited.write_to(&mut tokio::io::sink()).await.unwrap_err();
    assert_eq!(error.name(), "too_large", "{}", told(&error));
    let error = session.get("endless").send().await.unwrap_err();
    assert_eq!(error.name(), "too_large", "{}", told(&error));
    let error = session.get("cut").send().await.unwrap_err();
    assert_eq!(error.name(), "body", "{}", told(&error));
    let refused = session.get("refused").download(1000).await.unwrap();
    assert_eq!(refused.error_for_status().unwrap_err().status(), Some(403));
}

/// 连接超时
#[tokio::test]
async fn connection_timeouts() {
    // It accepts, and never says a word of TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let short = limits(|limits| limits.connect = Duration::from_millis(300));
    let session = builder(&base).limits(short).build().unwrap();
    let error = session.get("a").query("t", "canary").send().await.unwrap_err();
    assert_eq!(error.name(), "connect_timeout", "{}", told(&error));
}

/// 分块的请求
#[tokio::test]
async fn chunked_requests() {
    let server = Hostile::new(|_| ok("")).await;
    let session = session(&server.base);
    session.post("log").body_reader(Counting { left: 1000 }).send().await.unwrap();
    let received = server.last();
    assert_eq!(received.header("transfer-encoding"), Some("chunked"));
    assert_eq!(received.header("content-length"), None);
    assert_eq!(received.body, b"12345678".repeat(1000));

    // A file knows its length, and is streamed all the same.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, vec![b'x'; 200_000]).unwrap();
    session.put("file").body_file(&path).send().await.unwrap();
    assert_eq!(server.last().header("content-length"), Some("200000"));
    assert_eq!(server.last().body.len(), 200_000);
    session.delete("file").send().await.unwrap();
    assert_eq!(server.last().body, b"");
}

/// Yields eight bytes at a time.
struct Counting {
    left: usize,
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.left > 0 {
            self.left -= 1;
            buffer.put_slice(b"12345678");
        }
        Poll::Ready(Ok(()))
    }
}
