//! The QR page, its refusals, its picture.

use crate::http;
use crate::story::{OTHER_APPID, between, house, house_with, page_query, uuid_in};
use fujie_simulator::wechat::{DEFAULT_APPID, Wechat, WechatConfig};
use std::io::Write;
use std::process::{Command, Stdio};

const APPID_FAULT: &str = "AppID 参数错误";
const SCOPE_FAULT: &str = "Scope 参数错误或没有 Scope 权限";
const REDIRECT_URI_FAULT: &str = "redirect_uri 参数错误";

#[tokio::test]
async fn the_page_carries_what_scrapers_and_scripts_look_for() {
    let house = house().await;
    let page = house.get(&format!("/connect/qrconnect?{}", page_query("abc"))).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let html = page.text();
    let uuid = uuid_in(html);
    assert!(uuid.len() == 16 && uuid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{uuid}");
    let (waiting, hidden) = ("status status_browser js_status normal\" id=\"wx_default_tip\">", " hidden>");
    assert!(html.contains(waiting));
    assert!(html.contains(&format!("id=\"wx_after_scan\"{hidden}")));
    assert!(html.contains(&format!("id=\"wx_after_cancel\"{hidden}")));
    for class in ["main impowerBox", "loginPanel normalPanel", "waiting panelContent", "wrp_code"] {
        assert!(html.contains(&format!("class=\"{class}\"")), "{class}");
    }
    assert!(html.contains("data-redirect-uri=\"http://127.0.0.1:8080/back\" data-state=\"abc\""));
    let link = format!("href=\"{}/connect/confirm?uuid={uuid}&amp;lang=cn\" target=\"_blank\"", house.base());
    assert!(html.contains(&link));
    assert!(html.contains("打开模拟手机") && html.contains("模拟器"));
}

#[tokio::test]
async fn every_page_load_gives_a_new_uuid_and_both_spellings_of_the_path_work() {
    let house = house().await;
    let first = house.open_page("").await;
    let other = house.get(&format!("/connect/qrConnect?{}", page_query(""))).await;
    assert_ne!(first, uuid_in(other.text()));
}

#[tokio::test]
async fn the_page_speaks_english_when_asked_and_answers_xml_when_asked() {
    let house = house().await;
    let english = house.get(&format!("/connect/qrconnect?{}&lang=en", page_query(""))).await;
    assert!(english.text().contains("<html lang=\"en\">"));
    assert!(english.text().contains("Open the simulated phone"));
    let xml = house.get(&format!("/connect/qrconnect?{}&f=xml&1700000000000", page_query(""))).await;
    let uuid = between(xml.text(), "<uuid><![CDATA[", "]]></uuid>");
    assert_eq!(house.poll(uuid, "").await.0, 408);
}

#[tokio::test]
async fn a_refused_request_gets_a_page_with_the_real_words_and_no_redirect() {
    let house = house_with(|config| {
        config.apps.push(fujie_simulator::wechat::App {
            appid: "wx00000000000000aa".to_owned(),
            kind: fujie_simulator::wechat::AppKind::MiniProgram,
            ..fujie_simulator::wechat::App::demo()
        });
    })
    .await;
    let back = "redirect_uri=http%3A%2F%2Flocalhost%2Fback";
    let cases = [
        (format!("appid=wx0000000000000000&{back}&scope=snsapi_login"), APPID_FAULT),
        (format!("{back}&scope=snsapi_login"), APPID_FAULT),
        (format!("appid={DEFAULT_APPID}&{back}&scope=snsapi_userinfo"), SCOPE_FAULT),
        (format!("appid={DEFAULT_APPID}&{back}"), SCOPE_FAULT),
        (format!("appid=wx00000000000000aa&{back}&scope=snsapi_login"), SCOPE_FAULT),
        (format!("appid={OTHER_APPID}&{back}&scope=snsapi_login"), REDIRECT_URI_FAULT),
        (format!("appid={DEFAULT_APPID}&scope=snsapi_login"), REDIRECT_URI_FAULT),
        (format!("appid={DEFAULT_APPID}&redirect_uri=javascript%3Aalert(1)&scope=snsapi_login"), REDIRECT_URI_FAULT),
    ];
    for (query, expected) in cases {
        let page = house.get(&format!("/connect/qrconnect?{query}")).await;
        assert_eq!((page.status, page.header("location")), (200, None), "{query}");
        assert!(page.text().contains(expected), "{query}");
        assert!(!page.text().contains("/connect/qrcode/"), "{query}");
    }
}

#[tokio::test]
async fn a_request_needs_no_response_type_and_may_ask_for_more_than_one_scope() {
    let house = house().await;
    let query = format!(
        "scope=snsapi_login%2Csnsapi_userinfo&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F&appid={DEFAULT_APPID}\
         &login_type=jssdk&self_redirect=true&styletype=&sizetype=&bgcolor=&rst=&stylelite=1&fast_login=0"
    );
    let page = house.get(&format!("/connect/qrconnect?{query}")).await;
    assert!(page.text().contains("data-self-redirect=\"true\""));
    assert!(page.text().contains("<body class=\"sign-in embedded lite\""));
}

#[tokio::test]
async fn a_hostile_state_is_text_in_an_attribute_and_comes_back_unchanged() {
    let house = house().await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%26a%3D'";
    let page = house.get(&format!("/connect/qrconnect?{}", page_query(hostile))).await;
    assert!(!page.text().contains("<script>alert"));
    let escaped = "data-state=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;a=&#39;\"";
    assert!(page.text().contains(escaped));
    let uuid = uuid_in(page.text());
    house.control(&format!("sign-ins/{uuid}/confirm"), "").await;
    let told = house.get(&format!("/_simulate/sign-ins/{uuid}")).await.json();
    let redirect_url = url::Url::parse(told.get("redirect_url").unwrap().as_str().unwrap()).unwrap();
    let state = redirect_url.query_pairs().find(|(name, _)| name == "state").unwrap().1;
    assert_eq!(state, "\"><script>alert(1)</script>&a='");
}

#[tokio::test]
async fn a_hostile_style_sheet_or_self_redirect_adds_no_markup() {
    let house = house().await;
    let hostile = "href=https%3A%2F%2Fx%2F%22%3E%3Cscript%3Ealert(1)&self_redirect=%22%3E%3Cscript%3Ealert(2)";
    let page = house.get(&format!("/connect/qrconnect?{}&{hostile}", page_query(""))).await;
    assert!(!page.text().contains("<script>alert"));
    let script = house.get(&format!("/connect/qrconnect?{}&href=javascript%3Aalert(3)", page_query(""))).await;
    assert!(!script.text().contains("javascript:alert(3)"));
}

#[tokio::test]
async fn the_qr_code_is_a_jpeg_that_a_scanner_reads_as_the_confirm_address() {
    let house = house().await;
    let uuid = house.open_page("").await;
    let picture = house.get(&format!("/connect/qrcode/{uuid}")).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")));
    assert!(picture.body.starts_with(&[0xff, 0xd8, 0xff]));
    let mut scanner = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| unreachable!("zbarimg is needed (package zbar-tools): {error}"));
    scanner.stdin.take().unwrap().write_all(&picture.body).unwrap();
    let read = String::from_utf8(scanner.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(read.trim(), format!("{}/connect/confirm?uuid={uuid}", house.base()));
}

#[tokio::test]
async fn an_unknown_uuid_has_no_picture_and_avatars_are_jpegs() {
    let house = house().await;
    assert_eq!(house.get("/connect/qrcode/091AZFu52T9S000X").await.status, 404);
    let avatar = house.get("/mmopen/vi_32/anything/132").await;
    assert!(avatar.body.starts_with(&[0xff, 0xd8, 0xff]));
    assert_eq!(house.get("/mmopen/vi_32/anything/133").await.status, 404);
}

#[tokio::test]
async fn the_page_is_also_served_on_a_listener_of_the_callers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let wechat = Wechat::on(listener, WechatConfig::default()).unwrap();
    assert_eq!(wechat.base_url(), base);
    let page = http::get(&base, &format!("/connect/qrconnect?{}", page_query(""))).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn shutdown_answers_a_held_poll_and_frees_the_port() {
    // An address of its own: at the usual one a neighbour may take the port in the moment in which it is free.
    let wechat = Wechat::start("127.0.0.88:0", WechatConfig::default()).await.unwrap();
    let base = wechat.base_url().to_owned();
    let page = http::get(&base, &format!("/connect/qrconnect?{}", page_query(""))).await;
    let path = format!("/connect/l/qrconnect?uuid={}", uuid_in(page.text()));
    let held = http::begin(&base, "GET", &path, &[], "").await;
    // Connections are accepted in order: once this is answered, the poll before it is held.
    assert_eq!(http::get(&base, "/_simulate").await.status, 200);
    wechat.shutdown().await.unwrap();
    assert_eq!(http::finish(held).await.text(), "window.wx_errcode=408;window.wx_code='';");
    let address = base.strip_prefix("http://").unwrap();
    assert!(tokio::net::TcpListener::bind(address).await.is_ok());
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_does_not_start() {
    let mut twice = WechatConfig::default();
    twice.apps.extend(WechatConfig::default().apps);
    let nobody = WechatConfig { people: Vec::new(), ..WechatConfig::default() };
    for config in [twice, nobody] {
        let refused = Wechat::start("127.0.0.1:0", config).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    }
}
