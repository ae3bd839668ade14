//! Who may speak to the control API and the phone: programs, and a browser on the simulator's own pages; never a web
//! page of somebody else's.

use crate::http;
use crate::story::house;
use fujie_simulator::wechat::{Wechat, WechatConfig};
use tokio::net::TcpListener;

const GUARDED: [(&str, &str, &str); 5] = [
    ("GET", "/_simulate", ""),
    ("POST", "/_simulate/switches", "{}"),
    ("DELETE", "/_simulate/faults", ""),
    ("GET", "/phone", ""),
    ("POST", "/phone/091AZFu52T9S000X", "act=confirm"),
];

/// The statuses of the guarded calls with one header more.
async fn statuses(at: &str, header: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (method, path, body) in GUARDED {
        let answer = http::send(at, method, path, &[header], body).await;
        if matches!(answer.status, 403 | 421) {
            let told = answer.json();
            assert!(told.get("error").unwrap().as_str().unwrap().contains("base_url"), "{path} {header}: {told}");
        }
        statuses.push(answer.status);
    }
    statuses
}

const OPEN: [u16; 5] = [200, 200, 204, 200, 404];

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let house = house().await;
    let port = house.base().rsplit_once(':').unwrap().1;
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        "http://localhost".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost.evil.example:{port}"),
        "odd".to_owned(),
    ];
    for origin in foreign {
        assert_eq!(statuses(house.base(), &format!("Origin: {origin}")).await, [403; 5], "{origin}");
    }
    let own = ["127.0.0.1", "localhost", "[::1]", "wechat.localhost"].map(|host| format!("http://{host}:{port}"));
    for origin in own {
        assert_eq!(statuses(house.base(), &format!("Origin: {origin}")).await, OPEN, "{origin}");
    }
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_is_refused() {
    let house = house().await;
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "192.0.2.1:9300", "notlocalhost", "?"] {
        assert_eq!(statuses(house.base(), &format!("Host: {host}")).await, [421; 5], "{host}");
    }
    for host in ["127.0.0.1", "127.9.9.9:1", "LOCALHOST:80", "wechat.localhost", "[::1]:9300"] {
        assert_eq!(statuses(house.base(), &format!("Host: {host}")).await, OPEN, "{host}");
    }
}

#[tokio::test]
async fn the_base_url_names_one_more_host_and_one_more_origin() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    let config = WechatConfig { base_url: Some("http://simulator:9300".to_owned()), ..Default::default() };
    let _wechat = Wechat::on(listener, config).unwrap();
    for header in ["Host: simulator:9300", "Host: simulator", "Origin: http://simulator:9300"] {
        assert_eq!(statuses(&at, header).await, OPEN, "{header}");
    }
    assert_eq!(statuses(&at, &format!("Origin: {at}")).await, OPEN);
    assert_eq!(statuses(&at, "Host: simulator.evil.example").await, [421; 5]);
    for origin in ["http://simulator:9301", "https://simulator:9300"] {
        assert_eq!(statuses(&at, &format!("Origin: {origin}")).await, [403; 5], "{origin}");
    }
}

#[tokio::test]
async fn the_providers_own_endpoints_answer_by_any_name() {
    let house = house().await;
    for header in ["Host: api.weixin.qq.com", "Origin: https://app.example"] {
        assert_eq!(http::send(house.base(), "GET", "/sns/auth", &[header], "").await.status, 200, "{header}");
    }
}
