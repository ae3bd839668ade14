//! What goes over the wire to each robot, and what comes back. The signatures were computed with Python's `hmac`.

use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_123);
const DINGTALK: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123abcd";
const FEISHU: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/0f0e-1d";
const WECOM: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7abc";
const SECRET: &str = "SECfa4e0123456789";

fn robot(kind: Kind, secret: Option<&str>) -> Robot {
    let address = match kind {
        Kind::Dingtalk => DINGTALK,
        Kind::Feishu => FEISHU,
        Kind::Wecom => WECOM,
    };
    Robot::parse(kind, address, secret, None).unwrap()
}

fn message(title: &str, lines: &[&str], link: Option<&str>) -> Message {
    let data = json!({ "title": title, "text": lines.join("\n"), "url": link });
    let event = json!({ "type": "hook", "data": data });
    let read = Message::of(event.to_string().as_bytes(), Language::English);
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Message { title: title.to_owned(), lines, ..read }
}

fn sent(kind: Kind, message: &Message) -> Value {
    serde_json::from_slice(&robot(kind, None).request(message, NOW).body).unwrap()
}

#[test]
fn dingtalk_is_signed_in_the_query_with_milliseconds() {
    let message = message("zoe pushed", &["one", "two"], Some("https://github.com/zoe"));
    let request = robot(Kind::Dingtalk, Some(SECRET)).request(&message, NOW);
    let sign = "BnLfhHjW8uP4yCrcytgLQqDPzvG6%2BGZVBYSpBhurLJk%3D";
    assert_eq!(request.url.as_str(), format!("{DINGTALK}&timestamp=1800000000123&sign={sign}"));
    assert_eq!(
        (request.reach, request.headers),
        (Reach::Provider, vec![("content-type", "application/json; charset=utf-8".to_owned())],)
    );
    let expected = json!({
        "msgtype": "markdown",
        "markdown": {
            "title": "zoe pushed",
            "text": "#### zoe pushed\n\none\n\ntwo\n\n[Details](https://github.com/zoe)",
        },
        "at": { "isAtAll": false },
    });
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
    assert_eq!(robot(Kind::Dingtalk, None).request(&message, NOW).url.as_str(), DINGTALK);
}

#[test]
fn feishu_is_signed_in_the_body_with_seconds() {
    let message = message("zoe pushed", &["one"], Some("https://github.com/zoe"));
    let request = robot(Kind::Feishu, Some(SECRET)).request(&message, NOW);
    let content = json!([[{ "tag": "text", "text": "one" }], [{ "tag": "a", "text": "Details", "href": "https://github.com/zoe" }]]);
    let expected = json!({
        "timestamp": "1800000000",
        "sign": "DW+ltUoRbZBf3yafZUCJscRXgzZJ55DY6SK2hfQFc8E=",
        "msg_type": "post",
        "content": { "post": { "en_us": { "title": "zoe pushed", "content": content } } },
    });
    assert_eq!(request.url.as_str(), FEISHU);
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
    let unsigned = sent(Kind::Feishu, &Message { language: Language::Chinese, ..message });
    assert!(unsigned.get("sign").is_none() && unsigned.get("timestamp").is_none());
    assert_eq!(unsigned["content"]["post"]["zh_cn"]["content"][1][0]["text"], "查看详情");
}

#[test]
fn wecom_is_not_signed() {
    let message = message("zoe pushed", &["one"], Some("https://github.com/zoe"));
    let request = robot(Kind::Wecom, None).request(&message, NOW);
    assert_eq!(request.url.as_str(), WECOM);
    let expected = json!({
        "msgtype": "markdown",
        "markdown": { "content": "**zoe pushed**\none\n[Details](https://github.com/zoe)" },
    });
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
}

#[test]
fn an_address_lies_on_the_providers_own_host() {
    let simulator = SimulatorAt::parse("http://127.0.0.1:9300").unwrap();
    let cases = [
        (Kind::Dingtalk, DINGTALK, Ok(Reach::Provider)),
        (Kind::Feishu, FEISHU, Ok(Reach::Provider)),
        (Kind::Feishu, "https://open.larksuite.com/open-apis/bot/v2/hook/0f", Ok(Reach::Provider)),
        (Kind::Wecom, "  https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1-2\n", Ok(Reach::Provider)),
        (Kind::Dingtalk, "http://127.0.0.1:9300/robot/send?access_token=1", Ok(Reach::Loopback)),
        (Kind::Dingtalk, "http://127.0.0.1:9301/robot/send?access_token=1", Err(AddressError::OtherHost)),
        (Kind::Dingtalk, "http://oapi.dingtalk.com/robot/send?access_token=1", Err(AddressError::OtherHost)),
        (Kind::Dingtalk, "https://oapi.dingtalk.com:8443/robot/send?access_token=1", Err(AddressError::OtherHost)),
        (
            Kind::Dingtalk,
            "https://oapi.dingtalk.com.evil.example/robot/send?access_token=1",
            Err(AddressError::OtherHost),
        ),
        (Kind::Dingtalk, "https://oapi.dingtalk.com@10.0.0.1/robot/send?access_token=1", Err(AddressError::OtherHost)),
        (Kind::Dingtalk, "https://u@oapi.dingtalk.com/robot/send?access_token=1", Err(AddressError::OtherHost)),
        (Kind::Dingtalk, WECOM, Err(AddressError::OtherHost)),
        (Kind::Dingtalk, "https://oapi.dingtalk.com/robot/send", Err(AddressError::Malformed)),
        (Kind::Dingtalk, "https://oapi.dingtalk.com/robot/send?access_token=", Err(AddressError::Malformed)),
        (Kind::Dingtalk, "https://oapi.dingtalk.com/robot/send?access_token=1&x=2", Err(AddressError::Malformed)),
        (Kind::Dingtalk, "https://oapi.dingtalk.com/gettoken?access_token=1", Err(AddressError::Malformed)),
        (Kind::Feishu, "https://open.feishu.cn/open-apis/bot/v2/hook/a/b", Err(AddressError::Malformed)),
        (Kind::Feishu, "https://open.feishu.cn/open-apis/bot/v2/hook/a?b", Err(AddressError::Malformed)),
        (Kind::Wecom, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1#x", Err(AddressError::Malformed)),
        (Kind::Wecom, "qyapi.weixin.qq.com", Err(AddressError::Malformed)),
    ];
    for (kind, address, expected) in cases {
        let read = Robot::parse(kind, address, None, Some(&simulator)).map(|robot| robot.reach);
        assert_eq!(read, expected, "{address}");
    }
    assert!(Robot::parse(Kind::Dingtalk, "http://127.0.0.1:9300/robot/send?access_token=1", None, None).is_err());
    assert_eq!(Robot::parse(Kind::Wecom, WECOM, Some("x"), None).unwrap_err(), AddressError::Secret);
    assert_eq!(Robot::parse(Kind::Feishu, FEISHU, Some(&"x".repeat(300)), None).unwrap_err(), AddressError::Secret);
}

#[test]
fn a_robot_shows_nothing_of_its_address() {
    let own = robot(Kind::Dingtalk, Some(SECRET));
    let shown = format!("{own:?} {:?}", own.request(&message("x", &[], None), NOW));
    assert!(!shown.contains("0123abcd") && !shown.contains("SECfa4e") && !shown.contains("sign="), "{shown}");
}

/// What people write into commits.
const HOSTILE: [&str; 9] = [
    "[sign in](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<@all> <font color=\"warning\">x</font>",
    "<https://evil.example>",
    "@all @所有人 @13800000000",
    "&lt;@all&gt; &#64;all",
    "# heading",
    "- [ ] list **bold** `code` \\[a\\](b)",
    "<at user_id=\"all\">所有人</at>",
];

#[test]
fn nothing_in_a_commit_is_markup_or_a_mention() {
    let hostile = message(HOSTILE[0], &HOSTILE, Some("https://github.com/zoe/(x)?q=[y]@all"));
    for kind in [Kind::Dingtalk, Kind::Wecom] {
        let body = sent(kind, &hostile);
        let text = body["markdown"]["text"].as_str().or(body["markdown"]["content"].as_str()).unwrap();
        assert_eq!(text.matches("](").count(), 1, "{text}");
        assert!(text.ends_with("[Details](https://github.com/zoe/%28x%29?q=%5By%5D%40all)"), "{text}");
        assert!(!text.contains(['<', '>', '@', '&', '`', '\\', '!', ']'].as_slice()) || text.matches(']').count() == 1);
        assert!(!text.contains('<') && !text.contains('@') && !text.contains('&'), "{text}");
        assert!(!text.contains("\n# ") && !text.contains("\n- "), "{text}");
        // A person still reads what was written.
        assert!(text.contains("＠all ＠所有人") && text.contains("－ ［ ］ list"), "{text}");
    }
    let body = sent(Kind::Feishu, &hostile).to_string();
    assert!(!body.contains("<at") && !body.contains("\"at\""), "{body}");
    let dingtalk = sent(Kind::Dingtalk, &hostile);
    assert_eq!(dingtalk["at"], json!({ "isAtAll": false }));
}

#[test]
fn what_is_too_long_loses_lines_and_keeps_its_link() {
    let line = "字".repeat(200);
    let lines: Vec<&str> = (0..10).map(|_| line.as_str()).collect();
    let long = message(&"题".repeat(120), &lines, Some(&format!("https://github.com/{}", "(".repeat(900))));
    let wecom = sent(Kind::Wecom, &long);
    let content = wecom["markdown"]["content"].as_str().unwrap();
    assert!(content.len() <= 4096 && content.ends_with("%28)"), "{}", content.len());
    let shorter = message("t", &lines, None);
    let wecom = sent(Kind::Wecom, &shorter);
    assert_eq!(wecom["markdown"]["content"].as_str().unwrap().lines().count(), 1 + 4096 / 601);
    for kind in [Kind::Dingtalk, Kind::Feishu] {
        assert!(sent(kind, &long).to_string().len() <= 20_000);
    }
}

/// Answers of one robot: status, code and text, and the verdict with its cause and the seconds to wait.
fn check(kind: Kind, cases: &[(i64, &str, &str)]) {
    for (code, text, expected) in cases {
        let (number, words) = if kind == Kind::Feishu { ("code", "msg") } else { ("errcode", "errmsg") };
        let body = json!({ number: code, words: text }).to_string();
        assert_eq!(verdict(kind, 200, &body), *expected, "{kind:?} {body}");
    }
}

fn verdict(kind: Kind, status: u16, body: &str) -> String {
    match robot(kind, None).judge(&Response { status, retry_after: None, body: body.into() }, NOW) {
        Verdict::Delivered => "delivered".to_owned(),
        Verdict::TryLater(None, trouble) => format!("later {}", trouble.cause.as_str()),
        Verdict::TryLater(Some(wait), trouble) => format!("later {} {}", trouble.cause.as_str(), wait.as_secs()),
        Verdict::Unfit(trouble) => format!("unfit {}", trouble.cause.as_str()),
        Verdict::Broken(trouble) => format!("broken {}", trouble.cause.as_str()),
        Verdict::Gone(trouble) => format!("gone {}", trouble.cause.as_str()),
    }
}

#[test]
fn every_answer_of_dingtalk_has_its_verdict() {
    const MORE: &str = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]";
    check(
        Kind::Dingtalk,
        &[
            (0, "ok", "delivered"),
            (130_101, "send too fast, exceed 20 times per minute", "later too_often 600"),
            (-1, "系统繁忙", "later server_fault"),
            (310_000, &format!("sign not match{MORE}"), "broken signature"),
            (310_000, &format!("invalid timestamp{MORE}"), "broken signature"),
            (310_000, &format!("keywords not in content{MORE}"), "broken keyword"),
            (310_000, &format!("ip 1.2.3.4 not in whitelist{MORE}"), "broken address_list"),
            (300_001, "token is not exist", "broken address"),
            (300_005, "token is not exist", "broken address"),
            (400_102, "机器人已停用", "broken stopped"),
            (460_101, "message too long, exceed 20000 bytes", "unfit too_large"),
            (99, "?", "broken refused"),
        ],
    );
}

#[test]
fn every_answer_of_feishu_has_its_verdict() {
    check(
        Kind::Feishu,
        &[
            (0, "success", "delivered"),
            (11_232, "frequency limited psm[x]", "later too_often 60"),
            (9499, "too many request", "later too_often 60"),
            (9499, "Bad Request", "unfit refused"),
            (19_001, "param invalid: incoming webhook access token invalid", "broken address"),
            (19_007, "Bot Not Enabled", "broken stopped"),
            (19_021, "sign match fail or timestamp is not within one hour from current time", "broken signature"),
            (19_022, "Ip Not Allowed", "broken address_list"),
            (19_024, "Key Words Not Found", "broken keyword"),
        ],
    );
    let busy = r#"{"code":9499,"msg":"too many request","data":{}}"#;
    assert_eq!(verdict(Kind::Feishu, 400, busy), "later too_often 60");
}

#[test]
fn every_answer_of_wecom_has_its_verdict() {
    check(
        Kind::Wecom,
        &[
            (0, "ok", "delivered"),
            (45_009, "api freq out of limit", "later too_often 60"),
            (93_000, "invalid webhook url", "broken address"),
            (93_000, "Invalid input : content exceed max length.", "unfit too_large"),
            (40_058, "markdown.content exceed max length 4096", "unfit too_large"),
        ],
    );
    let hint = "invalid webhook url, hint: [1592021214], from ip: 171.43.164.231, more info at https://x";
    let body = json!({ "errcode": 93_000, "errmsg": hint }).to_string().into_bytes();
    let told = robot(Kind::Wecom, None).judge(&Response { status: 200, retry_after: None, body }, NOW);
    assert_eq!(told, Verdict::Broken(Trouble::new(Cause::Address, "93000 invalid webhook url")));
}

#[test]
fn a_status_of_failure_is_no_success_whatever_the_body_says() {
    let success = r#"{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}"#;
    let refused = r#"{"errcode":300001,"errmsg":"no such robot","code":19001,"msg":"no such robot"}"#;
    for kind in Kind::ALL {
        for (status, body, expected) in [
            (200, success, "delivered"),
            (201, success, "delivered"),
            (302, success, "broken refused"),
            (400, success, "broken refused"),
            (404, "{}", "broken refused"),
            (408, success, "later server_fault"),
            (413, success, "unfit too_large"),
            (429, success, "later too_often"),
            (500, success, "later server_fault"),
            (500, "{}", "later server_fault"),
            // A server that fails says nothing of the robot.
            (502, refused, "later server_fault"),
        ] {
            assert_eq!(verdict(kind, status, body), expected, "{kind:?} {status} {body}");
        }
    }
    let judged = |status| {
        let body = refused.as_bytes().to_vec();
        robot(Kind::Feishu, None).judge(&Response { status, retry_after: Some("30".to_owned()), body }, NOW)
    };
    let words = Trouble::new(Cause::Address, "19001 no such robot");
    assert_eq!(judged(400), Verdict::Broken(words), "what a provider says of its refusal is kept");
    let failed = Trouble::new(Cause::ServerFault, "HTTP 503");
    assert_eq!(judged(503), Verdict::TryLater(Some(Duration::from_secs(30)), failed));
}

#[test]
fn an_answer_without_a_code_is_judged_by_its_status_and_200_is_no_success() {
    for (status, body, expected) in [
        (502, "<html>", "later server_fault"),
        (429, "", "later too_often"),
        (404, "", "broken refused"),
        (200, "ok", "later server_fault"),
        (200, "{}", "later server_fault"),
        (200, r#"{"errcode":"0"}"#, "later server_fault"),
    ] {
        assert_eq!(verdict(Kind::Wecom, status, body), expected, "{status} {body}");
    }
}
