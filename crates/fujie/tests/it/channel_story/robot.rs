//! Simulated group robots, and a wire before them on which the story reads what really came: the signatures are judged
//! by code of its own.

use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
pub use fujie_simulator::robot::DEFAULT_DINGTALK_SECRET as DINGTALK_SECRET;
use fujie_simulator::{Robot as Simulator, RobotConfig, Running, robot::DEFAULT_FEISHU_SECRET as FEISHU_SECRET};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What each connection was told, byte by byte.
type Heard = Arc<Mutex<Vec<Vec<u8>>>>;

pub struct Robots {
    simulator: Running,
    config: RobotConfig,
    /// Where the wire begins.
    pub base: String,
    heard: Heard,
}

/// What an owner knows of a robot.
pub struct Robot {
    pub kind: &'static str,
    pub group: &'static str,
    pub address: String,
    pub secret: Option<&'static str>,
}

impl Robots {
    pub async fn start() -> Self {
        let config = RobotConfig::default();
        let simulator = Simulator::start("127.0.0.1:0", config.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (heard, to) = (Heard::default(), simulator.address().to_string());
        tokio::spawn(listen(listener, to, Arc::clone(&heard)));
        Self { simulator, config, base, heard }
    }

    pub fn all(&self) -> [Robot; 3] {
        let base = &self.base;
        let token = |at: usize| &self.config.apps[at].token;
        let [dingtalk, feishu, wecom] = [
            format!("{base}/robot/send?access_token={}", token(0)),
            format!("{base}/open-apis/bot/v2/hook/{}", token(1)),
            format!("{base}/cgi-bin/webhook/send?key={}", token(2)),
        ];
        [
            Robot { kind: "dingtalk", group: "项目群", address: dingtalk, secret: Some(DINGTALK_SECRET) },
            Robot { kind: "feishu", group: "研发群", address: feishu, secret: Some(FEISHU_SECRET) },
            Robot { kind: "wecom", group: "值班群", address: wecom, secret: None },
        ]
    }

    /// What the members of this robot's group read by now.
    pub async fn said(&self, kind: &str) -> Vec<String> {
        let told = super::control(self.simulator.base_url(), "messages", None).await;
        let own = told.as_array().unwrap().iter().filter(|message| message["kind"] == kind);
        let text = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
        let whole = |message: &Value| format!("{}\n{}", text(message, "title"), text(message, "text"));
        own.map(whole).collect()
    }

    /// Judges every request that came over the wire; how many were signed, at DingTalk and at Feishu.
    pub fn judge(&self) -> (usize, usize) {
        let heard = self.heard.lock().unwrap().clone();
        let (mut dingtalk, mut feishu) = (0, 0);
        for (target, body) in heard.iter().flat_map(|bytes| requests(bytes)) {
            let url = url::Url::parse(&format!("http://robot{target}")).unwrap();
            let query =
                |name: &str| url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
            if url.path() == "/robot/send" {
                // Signed is the time with the secret, under the secret; both stand in the query.
                let signed = format!("{}\n{DINGTALK_SECRET}", query("timestamp").unwrap());
                verify(DINGTALK_SECRET, &signed, &query("sign").unwrap());
                dingtalk += 1;
            } else if url.path().starts_with("/open-apis/") {
                // Signed is nothing, under the time with the secret; both stand in the body.
                let text = |name: &str| body[name].as_str().unwrap();
                verify(&format!("{}\n{FEISHU_SECRET}", text("timestamp")), "", text("sign"));
                feishu += 1;
            }
        }
        (dingtalk, feishu)
    }
}

fn verify(key: &str, signed: &str, signature: &str) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).expect("a wrong signature");
}

async fn listen(listener: TcpListener, to: String, heard: Heard) {
    while let Ok((near, _)) = listener.accept().await {
        let place = {
            let mut heard = heard.lock().unwrap();
            heard.push(Vec::new());
            heard.len() - 1
        };
        let far = TcpStream::connect(&to).await.unwrap();
        let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_far, &mut to_near).await });
        let heard = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = from_near.read(&mut buffer).await {
                heard.lock().unwrap()[place].extend_from_slice(&buffer[..length]);
                if to_far.write_all(&buffer[..length]).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// The requests of a connection: target and body of each.
fn requests(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    while let Some(border) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = std::str::from_utf8(&bytes[..border]).unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let (body, rest) = bytes[border + 4..].split_at(length.unwrap_or(0));
        found.push((target, serde_json::from_slice(body).unwrap()));
        bytes = rest;
    }
    found
}
