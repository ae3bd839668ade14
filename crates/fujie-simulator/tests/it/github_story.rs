//! The words the tests of GitHub are told in: a browser asks, a person agrees, an app redeems, a
//! receiver is told.

use crate::http::{self, Answer};
use fujie_simulator::Running;
use fujie_simulator::github::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Github, GithubConfig, Repository};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Where the app of these tests is called back.
pub const BACK: &str = "http://127.0.0.1:8080/back";

pub struct House {
    pub github: Running,
}

pub async fn house() -> House {
    house_with(|_| ()).await
}

/// Everybody but zoe owns the default repository; zoe owns a private one, and lihua works on it.
pub async fn house_with(change: impl FnOnce(&mut GithubConfig)) -> House {
    let mut config = GithubConfig { delivery_timeout: Duration::from_secs(5), ..Default::default() };
    config.repositories.push(Repository {
        owner: "zoe".to_owned(),
        name: "secret-garden".to_owned(),
        private: true,
        collaborators: vec!["lihua".to_owned()],
    });
    change(&mut config);
    House { github: Github::start("127.0.0.1:0", config).await.unwrap() }
}

/// A house in which one app differs.
pub async fn house_with_app(change: impl FnOnce(&mut App)) -> House {
    house_with(|config| {
        let mut app = App::demo();
        change(&mut app);
        config.apps = vec![app];
    })
    .await
}

pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl House {
    pub fn base(&self) -> &str {
        self.github.base_url()
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::get(self.base(), path).await
    }

    pub async fn control(&self, path: &str, body: &Value) -> Answer {
        http::send(self.base(), "POST", &format!("/_simulate/{path}"), &[], &body.to_string()).await
    }

    pub async fn switch(&self, name: &str, value: Value) {
        assert_eq!(self.control("switches", &json!({ name: value })).await.status, 200);
    }

    pub async fn advance(&self, seconds: u64) {
        assert_eq!(self.control("clock", &json!({ "advance_seconds": seconds })).await.status, 200);
    }

    /// The authorize page for this query.
    pub async fn ask(&self, query: &str) -> Answer {
        self.get(&format!("/login/oauth/authorize?{query}")).await
    }

    /// The newest sign-in as the control API tells it.
    pub async fn sign_in(&self) -> Value {
        self.get("/_simulate/sign-ins").await.json().get(0).unwrap().clone()
    }

    /// Decides the newest sign-in; where the browser goes.
    pub async fn decide(&self, act: &str, person: &str) -> Value {
        let id = self.sign_in().await.get("id").unwrap().as_str().unwrap().to_owned();
        let body = if act == "confirm" { json!({ "person": person }) } else { json!({}) };
        let answer = self.control(&format!("sign-ins/{id}/{act}"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().get("redirect_url").unwrap().clone()
    }

    /// From the page to the callback, for the default app.
    pub async fn callback(&self, more: &str, person: &str) -> String {
        let back = encoded(BACK);
        let page = self.ask(&format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={back}&state=s{more}")).await;
        assert_eq!(page.status, 200);
        self.decide("confirm", person).await.as_str().unwrap().to_owned()
    }

    pub async fn code(&self, more: &str, person: &str) -> String {
        field_of(&self.callback(more, person).await, "code")
    }

    /// One request at the token endpoint.
    pub async fn token(&self, headers: &[&str], body: &str) -> Answer {
        let mut all = vec!["Content-Type: application/x-www-form-urlencoded"];
        all.extend(headers);
        http::send(self.base(), "POST", "/login/oauth/access_token", &all, body).await
    }

    /// The JSON that the token endpoint answers the default app with.
    pub async fn token_json(&self, more: &str) -> Value {
        let body = format!("client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}{more}");
        let answer = self.token(&["Accept: application/json"], &body).await;
        assert_eq!(answer.status, 200);
        answer.json()
    }

    /// A token of the default app with these scopes, comma separated.
    pub async fn access_token(&self, scope: &str, person: &str) -> String {
        let code = self.code(&format!("&scope={scope}"), person).await;
        text(&self.token_json(&format!("&code={code}")).await, "access_token")
    }

    /// One call of the API with a token.
    pub async fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let authorization = format!("Authorization: Bearer {token}");
        http::send(self.base(), method, path, &["User-Agent: test", &authorization], body).await
    }

    /// Creates a hook on xiaoming's repository; its address at the API.
    pub async fn hook(&self, token: &str, config: Value, events: &[&str]) -> String {
        let body = json!({ "config": config, "events": events });
        let answer = self.call(token, "POST", "/repos/xiaoming/demo/hooks", &body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        format!("/repos/xiaoming/demo/hooks/{}", answer.json().get("id").unwrap())
    }

    /// Something happens in xiaoming's repository; the deliveries, when all are made.
    pub async fn happen(&self, event: &str) -> Vec<Value> {
        let answer = self.control("events", &json!({ "repository": "xiaoming/demo", "event": event })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().get("deliveries").unwrap().as_array().unwrap().clone()
    }
}

/// The answer to a bad request at the token endpoint, `error` alone.
pub fn error_of(json: &Value) -> &str {
    json.get("error").and_then(Value::as_str).unwrap_or("none")
}

pub fn text(json: &Value, name: &str) -> String {
    json.get(name).unwrap().as_str().unwrap().to_owned()
}

/// A field of an address's query, as it stands there.
pub fn field_of(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap().to_owned()
}

/// A request that came to a receiver.
pub struct Delivered {
    pub head: String,
    pub body: String,
}

impl Delivered {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who is told; each request is answered with the same bytes.
pub struct Receiver {
    listener: TcpListener,
    answer: String,
}

impl Receiver {
    pub async fn new(status: &str, body: &str) -> Self {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nX-Told: yes\r\n\r\n{body}", body.len());
        Self::saying(answer).await
    }

    pub async fn saying(answer: String) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), answer }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?x=1", self.listener.local_addr().unwrap())
    }

    /// The next request, answered.
    pub async fn next(&self) -> Delivered {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                if body.len() >= length.parse().unwrap() {
                    stream.write_all(self.answer.as_bytes()).await.unwrap();
                    return Delivered { head: head.to_owned(), body: body.to_owned() };
                }
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "cut off: {text}");
        }
    }
}

/// Waits until a hook's list of deliveries is so long.
pub async fn deliveries(house: &House, token: &str, hook: &str, count: usize) -> Vec<Value> {
    loop {
        let list = house.call(token, "GET", &format!("{hook}/deliveries"), "").await.json();
        let list = list.as_array().unwrap().clone();
        if list.len() >= count {
            return list;
        }
        let _waited = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    }
}
