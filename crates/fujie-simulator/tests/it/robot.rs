//! Group robots as a program and a member of the group see them. Signatures are made here, with the library alone.

use crate::http::{self, Answer};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fujie_simulator::robot::{App, DEFAULT_DINGTALK_SECRET, DEFAULT_FEISHU_SECRET, Kind};
use fujie_simulator::{Robot, RobotConfig, Running};
use serde_json::{Value, json};

struct House(Running);

const JSON: &str = "Content-Type: application/json";

async fn house() -> House {
    House(Robot::start("127.0.0.1:0", RobotConfig::default()).await.unwrap())
}

fn sign(key: &str, message: &str) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes()))
}

impl House {
    fn base(&self) -> &str {
        self.0.base_url()
    }

    async fn now(&self) -> u64 {
        http::get(self.base(), "/_simulate").await.json()["now"].as_u64().unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        http::send(self.base(), "POST", path, &[JSON], &body.to_string()).await
    }

    async fn control(&self, path: &str, body: &Value) {
        assert!(self.post(&format!("/_simulate/{path}"), body).await.status < 300, "{path}");
    }

    async fn heard(&self) -> Vec<Value> {
        http::get(self.base(), "/_simulate/messages").await.json().as_array().unwrap().clone()
    }

    /// DingTalk, signed for a time in milliseconds.
    async fn dingtalk_at(&self, millis: u64, body: &Value) -> Value {
        let sign = sign(DEFAULT_DINGTALK_SECRET, &format!("{millis}\n{DEFAULT_DINGTALK_SECRET}"));
        let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let token = App::demo(Kind::Dingtalk).token;
        self.post(&format!("/robot/send?access_token={token}&timestamp={millis}&sign={sign}"), body).await.json()
    }

    async fn dingtalk(&self, body: &Value) -> Value {
        self.dingtalk_at(self.now().await * 1000, body).await
    }

    /// Feishu, signed for a time in seconds.
    async fn feishu_at(&self, seconds: u64, mut body: Value) -> Answer {
        body["timestamp"] = json!(seconds.to_string());
        body["sign"] = json!(sign(&format!("{seconds}\n{DEFAULT_FEISHU_SECRET}"), ""));
        self.post(&format!("/open-apis/bot/v2/hook/{}", App::demo(Kind::Feishu).token), &body).await
    }

    async fn feishu(&self, body: Value) -> Value {
        self.feishu_at(self.now().await, body).await.json()
    }

    async fn wecom(&self, body: &Value) -> Value {
        self.post(&format!("/cgi-bin/webhook/send?key={}", App::demo(Kind::Wecom).token), body).await.json()
    }
}

fn markdown(text: &str) -> Value {
    json!({ "msgtype": "markdown", "markdown": { "title": "t", "text": text, "content": text } })
}

fn code(answer: &Value) -> i64 {
    answer["errcode"].as_i64().or(answer["code"].as_i64()).unwrap()
}

#[tokio::test]
async fn dingtalk_takes_what_is_signed_for_about_now() {
    let house = house().await;
    let now = house.now().await * 1000;
    assert_eq!(house.dingtalk_at(now, &markdown("hello")).await, json!({ "errcode": 0, "errmsg": "ok" }));
    for offset in [3_500_000, -3_500_000] {
        assert_eq!(code(&house.dingtalk_at(now.strict_add_signed(offset), &markdown("hello")).await), 0);
    }
    for offset in [3_700_000, -3_700_000] {
        let answer = house.dingtalk_at(now.strict_add_signed(offset), &markdown("hello")).await;
        assert!(answer["errmsg"].as_str().unwrap().starts_with("invalid timestamp, more: ["), "{answer}");
        assert_eq!(code(&answer), 310_000);
    }
    let token = App::demo(Kind::Dingtalk).token;
    let other = sign("another", &format!("{now}\nanother")).replace('+', "%2B");
    let answer =
        house.post(&format!("/robot/send?access_token={token}&timestamp={now}&sign={other}"), &markdown("x")).await;
    assert_eq!(answer.status, 200);
    let more = "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]";
    assert_eq!(answer.json(), json!({ "errcode": 310_000, "errmsg": more }));
    // A plus sign that was not encoded arrives as a space.
    assert_eq!(code(&house.post(&format!("/robot/send?access_token={token}"), &markdown("x")).await.json()), 310_000);
    assert_eq!(house.heard().await.len(), 3);
}

#[tokio::test]
async fn dingtalk_errors_have_their_numbers() {
    let house = house().await;
    let nobody = house.post("/robot/send?access_token=0000", &markdown("x")).await;
    assert_eq!((nobody.status, nobody.json()), (200, json!({ "errcode": 300_005, "errmsg": "token is not exist" })));
    house.control("switches", &json!({ "new_token_error": false })).await;
    assert_eq!(code(&house.post("/robot/send?access_token=0000", &markdown("x")).await.json()), 300_001);
    assert_eq!(code(&house.post("/robot/send", &markdown("x")).await.json()), 40_035);
    assert_eq!(code(&http::get(house.base(), "/robot/send?access_token=1").await.json()), 43_002);
    let token = App::demo(Kind::Dingtalk).token;
    let unlabelled = http::send(house.base(), "POST", &format!("/robot/send?access_token={token}"), &[], "{}").await;
    assert_eq!(code(&unlabelled.json()), 43_004);
    assert_eq!(code(&house.dingtalk(&json!({ "msgtype": "fax" })).await), 400_105);
    assert_eq!(code(&house.dingtalk(&json!({ "msgtype": "markdown", "markdown": { "text": "x" } })).await), 40_035);
    assert_eq!(code(&house.dingtalk(&markdown(&"x".repeat(20_001))).await), 460_101);
    let strict = App { keyword: Some("部署".to_owned()), ..App::demo(Kind::Dingtalk) };
    house.control("apps", &serde_json::to_value(&strict).unwrap()).await;
    let answer = house.dingtalk(&markdown("x")).await;
    assert!(answer["errmsg"].as_str().unwrap().starts_with("keywords not in content, more: ["), "{answer}");
    assert_eq!(code(&house.dingtalk(&markdown("部署完成")).await), 0);
    house.control("apps", &serde_json::to_value(App { stopped: true, ..strict }).unwrap()).await;
    assert_eq!(code(&house.dingtalk(&markdown("部署")).await), 400_102);
}

#[tokio::test]
async fn dingtalk_shuts_a_robot_off_for_ten_minutes_after_twenty_in_one() {
    let house = house().await;
    for _ in 0..20 {
        assert_eq!(code(&house.dingtalk(&markdown("x")).await), 0);
    }
    let refused = house.dingtalk(&markdown("x")).await;
    assert_eq!(refused, json!({ "errcode": 130_101, "errmsg": "send too fast, exceed 20 times per minute" }));
    house.control("clock", &json!({ "advance_seconds": 590 })).await;
    assert_eq!(code(&house.dingtalk(&markdown("x")).await), 130_101);
    house.control("clock", &json!({ "advance_seconds": 15 })).await;
    assert_eq!(code(&house.dingtalk(&markdown("x")).await), 0);
    assert_eq!(code(&house.wecom(&markdown("x")).await), 0, "another robot is not touched");
}

#[tokio::test]
async fn feishu_is_signed_in_the_body_with_an_empty_message() {
    let house = house().await;
    let text = |text: &str| json!({ "msg_type": "text", "content": { "text": text } });
    let success = json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" });
    assert_eq!(house.feishu(text("hello")).await, success);
    let now = house.now().await;
    let late = house.feishu_at(now - 3700, text("x")).await;
    let msg = "sign match fail or timestamp is not within one hour from current time";
    assert_eq!((late.status, late.json()), (200, json!({ "code": 19_021, "data": {}, "msg": msg })));
    let hook = format!("/open-apis/bot/v2/hook/{}", App::demo(Kind::Feishu).token);
    assert_eq!(code(&house.post(&hook, &text("unsigned")).await.json()), 19_021);
    let mut swapped = text("x");
    swapped["timestamp"] = json!(now.to_string());
    swapped["sign"] = json!(sign(DEFAULT_FEISHU_SECRET, &format!("{now}\n{DEFAULT_FEISHU_SECRET}")));
    assert_eq!(code(&house.post(&hook, &swapped).await.json()), 19_021, "DingTalk's way is another");
    assert_eq!(code(&house.post("/open-apis/bot/v2/hook/none", &text("x")).await.json()), 19_001);
    assert_eq!(code(&house.feishu(json!({ "content": {} })).await), 19_002);
    let bad = house
        .feishu_at(now, json!({ "msg_type": "post", "content": { "post": { "zh_cn": { "content": [5] } } } }))
        .await;
    assert_eq!((bad.status, code(&bad.json())), (400, 9499));
    assert_eq!(code(&house.feishu(text(&"x".repeat(20_001))).await), 9499);
}

#[tokio::test]
async fn feishu_takes_five_in_a_second_and_a_hundred_in_a_minute() {
    let house = house().await;
    let text = || json!({ "msg_type": "text", "content": { "text": "x" } });
    let mut taken = 0;
    for _ in 0..25 {
        for _ in 0..4 {
            assert_eq!(code(&house.feishu(text()).await), 0);
            taken += 1;
        }
        house.control("clock", &json!({ "advance_seconds": 1 })).await;
    }
    assert_eq!((taken, code(&house.feishu(text()).await)), (100, 11_232));
    house.control("clock", &json!({ "advance_seconds": 61 })).await;
    // However slow this machine is: at five in a second it is never refused.
    let mut burst = 0;
    while burst < 50 && code(&house.feishu(text()).await) == 0 {
        burst += 1;
    }
    assert!((5..50).contains(&burst), "{burst}");
}

#[tokio::test]
async fn wecom_tells_a_hint_with_its_errors_and_takes_4096_bytes() {
    let house = house().await;
    assert_eq!(house.wecom(&markdown("x")).await, json!({ "errcode": 0, "errmsg": "ok" }));
    let nobody = house.post("/cgi-bin/webhook/send?key=1", &markdown("x")).await.json();
    let errmsg = nobody["errmsg"].as_str().unwrap();
    assert!(
        errmsg.starts_with("invalid webhook url, hint: [") && errmsg.ends_with("/devtool/query?e=93000"),
        "{errmsg}"
    );
    assert_eq!(code(&house.wecom(&markdown(&"字".repeat(1365))).await), 0);
    assert_eq!(code(&house.wecom(&markdown(&"字".repeat(1366))).await), 40_058);
    assert_eq!(code(&house.wecom(&json!({ "msgtype": "markdown" })).await), 44_004);
    assert_eq!(code(&house.wecom(&json!({ "msgtype": "fax" })).await), 40_008);
    for _ in 0..18 {
        assert_eq!(code(&house.wecom(&markdown("x")).await), 0);
    }
    assert_eq!(code(&house.wecom(&markdown("x")).await), 45_009);
    house.control("clock", &json!({ "advance_seconds": 61 })).await;
    assert_eq!(code(&house.wecom(&markdown("x")).await), 0);
}

#[tokio::test]
async fn a_message_is_seen_with_its_links_and_mentions() {
    let house = house().await;
    let mut ding = markdown("#### **t**\n\n[a](https://a.example)");
    ding["at"] = json!({ "isAtAll": true });
    house.dingtalk(&ding).await;
    house.wecom(&markdown("<@all> see https://b.example\n<font color=\"info\">ok</font>")).await;
    let content = json!([[{ "tag": "text", "text": "x" }, { "tag": "a", "text": "c", "href": "https://c.example" }],
        [{ "tag": "at", "user_id": "all" }]]);
    house
        .feishu(
            json!({ "msg_type": "post", "content": { "post": { "zh_cn": { "title": "周会", "content": content } } } }),
        )
        .await;
    let heard = house.heard().await;
    let told: Vec<_> = heard
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["text"].as_str().unwrap(), one["mentions"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("dingtalk", "t\na\n@all", json!(["all"])),
            ("wecom", "@all see https://b.example\nok", json!(["all"])),
            ("feishu", "xc\n@all", json!(["all"])),
        ]
    );
    assert_eq!(heard[0]["links"], json!([{ "text": "a", "href": "https://a.example" }]));
    assert_eq!(heard[1]["links"][0]["href"], "https://b.example");
    assert_eq!(heard[2]["title"], "周会");
    let cleared = http::send(house.base(), "DELETE", "/_simulate/messages", &[], "").await;
    assert_eq!((cleared.status, house.heard().await.len()), (204, 0));
}

#[tokio::test]
async fn the_groups_are_on_the_phone_in_two_languages() {
    let house = house().await;
    let chinese = http::get(house.base(), "/phone?lang=cn").await;
    let text = chinese.text();
    for expected in
        ["群聊", "项目群", "研发群", "值班群", "钉钉 · 3 人", "企业微信 · 3 人", "还没有消息", "并非真实群机器人"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    house.wecom(&markdown("<script>alert(1)</script> [x](javascript:alert(1)) [y](https://y.example/?a=\"b)")).await;
    let english = http::get(house.base(), "/phone?lang=en").await;
    let text = english.text();
    for expected in ["Group chats", "WeCom · 3 members", "alert(1) x) <a href=\"https://y.example/?a=&quot;b\""] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("<script>alert") && !text.contains("javascript:"), "{text}");
    let root = http::get(house.base(), "/").await;
    assert_eq!((root.status, root.header("location")), (303, Some("/phone")));
}

#[tokio::test]
async fn an_ordered_error_is_in_the_words_of_each() {
    let house = house().await;
    let order = |at: &str, more: Value| {
        let mut fault = json!({ "at": at });
        fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fault
    };
    house.control("faults", &order("/robot/send", json!({ "kind": "rate_limit" }))).await;
    assert_eq!(code(&house.dingtalk(&markdown("x")).await), 130_101);
    house.control("faults", &order("/cgi-bin/webhook/send", json!({ "kind": "error", "error": -1 }))).await;
    assert_eq!(code(&house.wecom(&markdown("x")).await), -1);
    house
        .control(
            "faults",
            &order("/open-apis/*", json!({ "kind": "error", "error": 9499, "description": "too many request" })),
        )
        .await;
    let text = json!({ "msg_type": "text", "content": { "text": "x" } });
    let now = house.now().await;
    let answer = house.feishu_at(now, text).await;
    assert_eq!((answer.status, answer.json()["msg"].clone()), (400, json!("too many request")));
    let odd = house.post("/_simulate/faults", &order("/robot/send", json!({ "kind": "error", "error": "no" }))).await;
    assert_eq!(odd.status, 400);
}
