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

#[test]
fn every_answer_has_its_verdict() {
    let later = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let verdict = |kind: Kind, status: u16, body: &str| {
        robot(kind, None).judge(&Response { status, retry_after: None, body: body.into() }, NOW)
    };
    let ding =
        |code: i64, text: &str| verdict(Kind::Dingtalk, 200, &json!({ "errcode": code, "errmsg": text }).to_string());
    let feishu = |code: i64, text: &str| verdict(Kind::Feishu, 200, &json!({ "code": code, "msg": text }).to_string());
    let wecom =
        |code: i64, text: &str| verdict(Kind::Wecom, 200, &json!({ "errcode": code, "errmsg": text }).to_string());
    let cause = |verdict: Verdict| match verdict {
        Verdict::Delivered => ("delivered", None, None),
        Verdict::TryLater(wait, trouble) => ("later", Some(trouble.cause), wait),
        Verdict::Unfit(trouble) => ("unfit", Some(trouble.cause), None),
        Verdict::Broken(trouble) => ("broken", Some(trouble.cause), None),
        Verdict::Gone(trouble) => ("gone", Some(trouble.cause), None),
    };
    let more = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]";
    let cases = [
        (ding(0, "ok"), ("delivered", None, None)),
        (
            ding(130_101, "send too fast, exceed 20 times per minute"),
            ("later", Some(Cause::TooOften), later(Some(600))),
        ),
        (ding(-1, "系统繁忙"), ("later", Some(Cause::ServerFault), None)),
        (ding(310_000, &format!("sign not match{more}")), ("broken", Some(Cause::Signature), None)),
        (ding(310_000, &format!("invalid timestamp{more}")), ("broken", Some(Cause::Signature), None)),
        (ding(310_000, &format!("keywords not in content{more}")), ("broken", Some(Cause::Keyword), None)),
        (ding(310_000, &format!("ip 1.2.3.4 not in whitelist{more}")), ("broken", Some(Cause::AddressList), None)),
        (ding(300_005, "token is not exist"), ("broken", Some(Cause::Address), None)),
        (ding(400_102, "机器人已停用"), ("broken", Some(Cause::Stopped), None)),
        (ding(460_101, "message too long, exceed 20000 bytes"), ("unfit", Some(Cause::TooLarge), None)),
        (ding(99, "?"), ("broken", Some(Cause::Refused), None)),
        (feishu(0, "success"), ("delivered", None, None)),
        (feishu(11_232, "frequency limited psm[x]"), ("later", Some(Cause::TooOften), later(Some(60)))),
        (feishu(9499, "too many request"), ("later", Some(Cause::TooOften), later(Some(60)))),
        (feishu(9499, "Bad Request"), ("unfit", Some(Cause::Refused), None)),
        (
            feishu(19_001, "param invalid: incoming webhook access token invalid"),
            ("broken", Some(Cause::Address), None),
        ),
        (
            feishu(19_021, "sign match fail or timestamp is not within one hour from current time"),
            ("broken", Some(Cause::Signature), None),
        ),
        (feishu(19_022, "Ip Not Allowed"), ("broken", Some(Cause::AddressList), None)),
        (feishu(19_024, "Key Words Not Found"), ("broken", Some(Cause::Keyword), None)),
        (feishu(19_007, "Bot Not Enabled"), ("broken", Some(Cause::Stopped), None)),
        (wecom(0, "ok"), ("delivered", None, None)),
        (wecom(45_009, "api freq out of limit"), ("later", Some(Cause::TooOften), later(Some(60)))),
        (wecom(93_000, "invalid webhook url"), ("broken", Some(Cause::Address), None)),
        (wecom(93_000, "Invalid input : content exceed max length."), ("unfit", Some(Cause::TooLarge), None)),
        (wecom(40_058, "markdown.content exceed max length 4096"), ("unfit", Some(Cause::TooLarge), None)),
        (verdict(Kind::Wecom, 502, "<html>"), ("later", Some(Cause::ServerFault), None)),
        (verdict(Kind::Wecom, 429, ""), ("later", Some(Cause::TooOften), None)),
        (verdict(Kind::Wecom, 404, ""), ("broken", Some(Cause::Refused), None)),
        (
            verdict(Kind::Feishu, 400, r#"{"code":9499,"msg":"too many request","data":{}}"#),
            ("later", Some(Cause::TooOften), later(Some(60))),
        ),
        // 200 and no word of success is none.
        (verdict(Kind::Wecom, 200, "ok"), ("later", Some(Cause::ServerFault), None)),
        (verdict(Kind::Wecom, 200, "{}"), ("later", Some(Cause::ServerFault), None)),
        (verdict(Kind::Wecom, 200, r#"{"errcode":"0"}"#), ("later", Some(Cause::ServerFault), None)),
    ];
    for (verdict, expected) in cases {
        assert_eq!(cause(verdict.clone()), expected, "{verdict:?}");
    }
    let hint = "invalid webhook url, hint: [1592021214], from ip: 171.43.164.231, more info at https://x";
    assert_eq!(wecom(93_000, hint), Verdict::Broken(Trouble::new(Cause::Address, "93000 invalid webhook url")));
}
