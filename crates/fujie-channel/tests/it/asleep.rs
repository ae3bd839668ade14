//! People who are not connected: what goes to group robots and to browsers, taken by simulators that share no code with
//! us, and read by a library that somebody else wrote (http_ece, in Python).

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_channel::{
    message::{Language, Message},
    post::{Cause, Request, Response, SimulatorAt, Verdict},
    robot::{self, Robot},
    web_push::{self, Origin, Subscription, vapid},
};
use fujie_core::{
    jose::jws::{Algorithm, SigningKey},
    time::Timestamp,
};
use fujie_simulator::{Push, PushConfig, RobotConfig, Running};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// One request over a connection of its own.
async fn call(host: &str, request: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let border = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(bytes[..border].to_vec()).unwrap(), bytes[border + 4..].to_vec())
}

async fn send(request: Request) -> Response {
    let host = format!("{}:{}", request.url.host_str().unwrap(), request.url.port().unwrap());
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut head = format!("POST {}{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", request.url.path());
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
    let (head, body) = call(&host, &head, &request.body).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| line.to_lowercase().strip_prefix("retry-after:").map(|value| value.trim().to_owned());
    Response { status, retry_after: head.lines().find_map(header), body }
}

/// A simulator's control API.
async fn control(simulator: &Running, method: &str, path: &str, body: &Value) -> Value {
    let host = simulator.address().to_string();
    let body = body.to_string();
    let head = format!(
        "{method} /_simulate{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (_head, body) = call(&host, &head, body.as_bytes()).await;
    serde_json::from_slice(&body).unwrap_or_default()
}

/// The simulator's clock, which is the machine's.
async fn now(simulator: &Running) -> Timestamp {
    Timestamp::from_seconds(control(simulator, "GET", "", &json!({})).await["now"].as_i64().unwrap())
}

struct Robots {
    simulator: Running,
    config: RobotConfig,
}

impl Robots {
    async fn start() -> Self {
        let config = RobotConfig::default();
        Self { simulator: fujie_simulator::Robot::start("127.0.0.1:0", config.clone()).await.unwrap(), config }
    }

    fn robot(&self, kind: robot::Kind, secret: Option<&str>) -> Robot {
        use fujie_simulator::robot::Kind;
        let base = self.simulator.base_url();
        let token = |kind: Kind| self.config.apps.iter().find(|app| app.kind == kind).unwrap().token.clone();
        let address = match kind {
            robot::Kind::Dingtalk => format!("{base}/robot/send?access_token={}", token(Kind::Dingtalk)),
            robot::Kind::Feishu => format!("{base}/open-apis/bot/v2/hook/{}", token(Kind::Feishu)),
            robot::Kind::Wecom => format!("{base}/cgi-bin/webhook/send?key={}", token(Kind::Wecom)),
        };
        Robot::parse(kind, &address, secret, SimulatorAt::parse(base).as_ref()).unwrap()
    }

    fn secret(&self, kind: robot::Kind) -> Option<String> {
        let own = |app: &&fujie_simulator::robot::App| json!(app.kind) == json!(kind.as_str());
        self.config.apps.iter().find(own).unwrap().secret.clone()
    }

    async fn say(&self, robot: &Robot, message: &Message) -> Verdict {
        let now = now(&self.simulator).await;
        robot.judge(&send(robot.request(message, now)).await, now)
    }

    async fn heard(&self) -> Vec<Value> {
        control(&self.simulator, "GET", "/messages", &json!({})).await.as_array().unwrap().clone()
    }
}

fn push_event(message: &str) -> String {
    let commit = json!({ "id": "0123456789abcdef", "message": message });
    let repository = json!({ "full_name": "zoe/garden", "html_url": "https://github.com/zoe/garden" });
    let data = json!({
        "ref": "refs/heads/main", "commits": [commit], "repository": repository, "sender": { "login": "zoe" },
        "compare": "https://github.com/zoe/garden/compare/a...b",
    });
    json!({ "specversion": "1.0", "id": "17", "type": "com.github.push", "topic": "team", "data": data }).to_string()
}

#[tokio::test]
async fn every_robot_takes_a_push_and_shows_its_link() {
    let robots = Robots::start().await;
    let message = Message::of(push_event("浇水 🌹").as_bytes(), Language::Chinese);
    for kind in robot::Kind::ALL {
        let robot = robots.robot(kind, robots.secret(kind).as_deref());
        assert_eq!(robots.say(&robot, &message).await, Verdict::Delivered, "{kind:?}");
    }
    let heard = robots.heard().await;
    assert_eq!(heard.len(), 3);
    for one in &heard {
        let whole = format!("{}\n{}", one["title"].as_str().unwrap(), one["text"].as_str().unwrap());
        assert!(
            whole.contains("zoe 向 zoe/garden 的 main 推送了 1 个提交") && whole.contains("0123456 浇水 🌹"),
            "{whole}"
        );
        let link = json!({ "text": "查看详情", "href": "https://github.com/zoe/garden/compare/a...b" });
        assert_eq!((&one["links"], &one["mentions"]), (&json!([link]), &json!([])), "{one}");
    }
}

#[tokio::test]
async fn a_commit_mentions_nobody_and_forges_no_link() {
    let robots = Robots::start().await;
    control(&robots.simulator, "POST", "/switches", &json!({ "limits": false })).await;
    for hostile in [
        "[sign in again](https://evil.example)",
        "![](https://evil.example/x.png) [a](b)",
        "<@all> <https://evil.example> <a href=x>",
        "\\[x\\](https://evil.example)",
        "@all @所有人 &lt;@all&gt;",
        "<at user_id=\"all\">所有人</at>",
    ] {
        let message = Message::of(push_event(hostile).as_bytes(), Language::English);
        for kind in robot::Kind::ALL {
            let robot = robots.robot(kind, robots.secret(kind).as_deref());
            assert_eq!(robots.say(&robot, &message).await, Verdict::Delivered, "{kind:?}");
        }
    }
    for one in robots.heard().await {
        assert_eq!(one["mentions"], json!([]), "{one}");
        // A bare address may become a link, to what it says.
        let forged = |link: &&Value| link["text"] != "Details" && link["text"] != link["href"];
        assert_eq!(one["links"].as_array().unwrap().iter().find(forged), None, "{one}");
    }
}

#[tokio::test]
async fn a_robot_that_refuses_says_why() {
    let robots = Robots::start().await;
    let message = Message::of(push_event("x").as_bytes(), Language::English);
    let cause = async |robot: &Robot| match robots.say(robot, &message).await {
        Verdict::Broken(trouble) | Verdict::TryLater(_, trouble) => trouble.cause,
        other => panic!("{other:?}"),
    };
    use robot::Kind::{Dingtalk, Feishu, Wecom};
    assert_eq!(cause(&robots.robot(Dingtalk, Some("SECwrong"))).await, Cause::Signature);
    assert_eq!(cause(&robots.robot(Dingtalk, None)).await, Cause::Signature);
    assert_eq!(cause(&robots.robot(Feishu, Some("wrong"))).await, Cause::Signature);
    let apps = |name: &str, value: Value| {
        let apps = robots.config.apps.iter().map(|app| serde_json::to_value(app).unwrap());
        let changed = move |mut app: Value| {
            app[name] = value.clone();
            app
        };
        apps.map(changed).collect::<Vec<_>>()
    };
    let good = [Dingtalk, Feishu, Wecom].map(|kind| robots.robot(kind, robots.secret(kind).as_deref()));
    for app in apps("keyword", json!("部署")) {
        control(&robots.simulator, "POST", "/apps", &app).await;
    }
    assert_eq!((cause(&good[0]).await, cause(&good[1]).await), (Cause::Keyword, Cause::Keyword));
    for app in apps("stopped", json!(true)) {
        control(&robots.simulator, "POST", "/apps", &app).await;
    }
    assert_eq!(
        (cause(&good[0]).await, cause(&good[1]).await, cause(&good[2]).await),
        (Cause::Stopped, Cause::Stopped, Cause::Address,)
    );
    for at in ["/robot/send", "/open-apis/*", "/cgi-bin/*"] {
        control(&robots.simulator, "POST", "/faults", &json!({ "at": at, "kind": "rate_limit" })).await;
    }
    for robot in &good {
        assert_eq!(cause(robot).await, Cause::TooOften, "{robot:?}");
    }
}

struct Service {
    simulator: Running,
    key: SigningKey,
}

impl Service {
    /// A push service with one subscription, made for our key.
    async fn start() -> Self {
        let simulator = Push::start("127.0.0.1:0", PushConfig::default()).await.unwrap();
        let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es256, String::new(), &pkcs8).unwrap();
        let app = json!({ "id": "phone", "application_server_key": vapid::public_key(&key) });
        control(&simulator, "POST", "/apps", &app).await;
        Self { simulator, key }
    }

    fn subscription(&self, keys: &Value) -> Subscription {
        let base = self.simulator.base_url();
        let text = json!({ "endpoint": format!("{base}/push/phone"), "keys": keys }).to_string();
        Subscription::parse(text.as_bytes(), SimulatorAt::parse(base).as_ref()).unwrap()
    }

    async fn push(&self, subscription: &Subscription, message: &Message) -> Verdict {
        let now = now(&self.simulator).await;
        let audience = subscription.audience();
        let authorization = vapid::authorization(&self.key, "mailto:admin@example.com", &audience, now).unwrap();
        let request = web_push::request(subscription, message, Origin { id: 17, topic: "team" }, authorization);
        web_push::judge(&send(request.unwrap()).await, now)
    }
}

/// What `decrypt.py` says.
fn python(argument: &str, input: &Value) -> Value {
    let python = std::env::var_os("FUJIE_TEST_PYTHON");
    let python = python.unwrap_or_else(|| panic!("FUJIE_TEST_PYTHON is not set: run ./test, which installs http_ece"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/decrypt.py");
    let mut command = Command::new(python);
    command.arg(script).arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "decrypt.py {argument}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_push_message_is_read_by_a_library_that_somebody_else_wrote() {
    let service = Service::start().await;
    let browser = python("keys", &json!({}));
    let subscription = service.subscription(&browser["keys"]);
    let mut long = Message::of(push_event("浇水 🌹").as_bytes(), Language::Chinese);
    assert_eq!(service.push(&subscription, &long).await, Verdict::Delivered);
    long.lines = vec!["字".repeat(200); 10];
    assert_eq!(service.push(&subscription, &long).await, Verdict::Delivered);
    let kept = control(&service.simulator, "GET", "/messages", &json!({})).await;
    let bodies: Vec<&Value> = kept.as_array().unwrap().iter().map(|message| &message["body"]).collect();
    let read = python("decrypt", &json!({ "private": browser["private"], "keys": browser["keys"], "bodies": bodies }));
    let first = json!({
        "title": "zoe 向 zoe/garden 的 main 推送了 1 个提交",
        "body": "0123456 浇水 🌹",
        "url": "https://github.com/zoe/garden/compare/a...b",
        "id": 17,
        "topic": "team",
    });
    assert_eq!(read[0], first);
    assert_eq!(read[1]["body"].as_str().unwrap().lines().count(), 6);
    let length = |body: &Value| URL_SAFE_NO_PAD.decode(body.as_str().unwrap()).unwrap().len();
    assert!(length(bodies[1]) <= 4096 && kept[0]["topic"] == "event-17" && kept[0]["urgency"] == "normal");
}

#[tokio::test]
async fn a_push_service_takes_later_refuses_or_forgets() {
    let service = Service::start().await;
    let keys = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let subscription = service.subscription(&keys);
    let message = Message::of(push_event("x").as_bytes(), Language::English);
    let order = async |fault: Value| {
        let mut whole = json!({ "at": "/push/phone" });
        whole.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        control(&service.simulator, "POST", "/faults", &whole).await;
        service.push(&subscription, &message).await
    };
    let later = order(json!({ "kind": "rate_limit" })).await;
    assert!(
        matches!(&later, Verdict::TryLater(Some(wait), trouble)
        if wait.as_secs() == 60 && trouble.cause == Cause::TooOften),
        "{later:?}"
    );
    let unfit = order(json!({ "kind": "error", "error": 413 })).await;
    assert!(matches!(&unfit, Verdict::Unfit(trouble) if trouble.cause == Cause::TooLarge), "{unfit:?}");
    assert_eq!(service.push(&subscription, &message).await, Verdict::Delivered);
    // The subscription is for our key alone.
    let other = Service::start().await;
    let wrong = Service { simulator: service.simulator, key: other.key };
    let refused = wrong.push(&subscription, &message).await;
    assert!(matches!(&refused, Verdict::Broken(trouble) if trouble.detail.contains("another key")), "{refused:?}");
    control(&wrong.simulator, "POST", "/apps", &json!({ "id": "phone", "ended": true })).await;
    assert!(matches!(wrong.push(&subscription, &message).await, Verdict::Gone(_)));
}
