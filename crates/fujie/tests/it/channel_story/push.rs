//! Web Push without a push service on the internet: the page's own script subscribes, and what it asks the browser for
//! is answered with a subscription at the simulated service. Messages are read by http_ece, in Python.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use fujie_simulator::{Push as Simulator, PushConfig, Running};
use serde_json::{Value, json};

use crate::webdriver::Window;

pub struct Push {
    simulator: Running,
    /// The browser's keys, as `decrypt.py` made them.
    keys: Value,
}

impl Push {
    pub async fn start() -> Self {
        let simulator = Simulator::start("127.0.0.1:0", PushConfig::default()).await.unwrap();
        Self { simulator, keys: python("keys", &json!({})) }
    }

    pub fn base(&self) -> &str {
        self.simulator.base_url()
    }

    /// From the next page on, subscriptions of this window are at the simulated service, which takes what is signed by
    /// `key` alone.
    pub async fn stand_in(&self, window: &Window, key: &str) {
        let phone = json!({ "id": "phone", "application_server_key": key });
        super::control(self.base(), "apps", Some(phone)).await;
        let subscription = json!({ "endpoint": format!("{}/push/phone", self.base()), "keys": self.keys["keys"] });
        let script = SUBSCRIPTION.replace("SUBSCRIPTION", &subscription.to_string());
        window.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// The key that the page's script gave the browser, in base64url.
    pub async fn key_given(&self, window: &Window) -> String {
        let key = window.script("return localStorage.getItem('subscribed')").await;
        URL_SAFE_NO_PAD.encode(STANDARD.decode(key.as_str().unwrap()).unwrap())
    }

    /// What the service has for the phone by now, decrypted.
    pub async fn read(&self) -> Vec<Value> {
        let kept = super::control(self.base(), "messages", None).await;
        let bodies: Vec<&Value> = kept.as_array().unwrap().iter().map(|message| &message["body"]).collect();
        let input = json!({ "private": self.keys["private"], "keys": self.keys["keys"], "bodies": bodies });
        serde_json::from_value(python("decrypt", &input)).unwrap()
    }
}

const SUBSCRIPTION: &str = r"
if (window.PushManager) {
  const { endpoint, keys } = SUBSCRIPTION;
  const made = (key) => ({
    endpoint,
    options: { applicationServerKey: key.buffer },
    toJSON: () => ({ endpoint, expirationTime: null, keys }),
    unsubscribe: async () => { localStorage.removeItem('subscribed'); return true; },
  });
  PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => {
    localStorage.setItem('subscribed', btoa(String.fromCharCode(...key)));
    return made(key);
  };
  PushManager.prototype.getSubscription = async () => {
    const kept = localStorage.getItem('subscribed');
    return kept && made(Uint8Array.from(atob(kept), (sign) => sign.charCodeAt(0)));
  };
  Notification.requestPermission = async () => 'granted';
}";

/// What `decrypt.py` says.
fn python(argument: &str, input: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fujie-channel/tests/it/decrypt.py");
    let mut command = Command::new(super::listener::python());
    command.arg(script).arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "decrypt.py {argument}");
    serde_json::from_slice(&output.stdout).unwrap()
}
