//! Events as the log holds them, and what people read.

use super::*;
use serde_json::json;

fn read(event: &Value) -> [Message; 2] {
    let line = event.to_string();
    [Language::Chinese, Language::English].map(|language| Message::of(line.as_bytes(), language))
}

fn github(name: &str, data: Value) -> [Message; 2] {
    read(
        &json!({ "specversion": "1.0", "id": "17", "source": "/hooks/h", "type": format!("com.github.{name}"), "data": data }),
    )
}

fn check(messages: &[Message; 2], chinese: &[&str], english: &[&str], link: Option<&str>) {
    for (message, expected) in messages.iter().zip([chinese, english]) {
        let lines: Vec<&str> = [&message.title].into_iter().chain(&message.lines).map(String::as_str).collect();
        assert_eq!(lines, expected);
        assert_eq!(message.link.as_deref(), link);
    }
}

const REPOSITORY: &str = "zoe/garden";

fn repository() -> Value {
    json!({ "full_name": REPOSITORY, "html_url": "https://github.com/zoe/garden", "stargazers_count": 12 })
}

fn commits(count: usize) -> Vec<Value> {
    (1..=count)
        .map(|number| json!({ "id": format!("{number}23456789abcdef"), "message": format!("步骤 {number}\n\nmore") }))
        .collect()
}

#[test]
fn a_push_names_repository_branch_person_and_five_commits() {
    let compare = "https://github.com/zoe/garden/compare/a...b";
    let push = |changes: Value| {
        let mut data = json!({
            "ref": "refs/heads/main", "compare": compare, "commits": commits(1),
            "repository": repository(), "sender": { "login": "lihua" },
        });
        data.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        github("push", data)
    };
    check(
        &push(json!({})),
        &["lihua 向 zoe/garden 的 main 推送了 1 个提交", "1234567 步骤 1"],
        &["lihua pushed 1 commit to main of zoe/garden", "1234567 步骤 1"],
        Some(compare),
    );
    let many = push(json!({ "commits": commits(7), "forced": true }));
    assert_eq!(many[0].title, "lihua 强制推送了 zoe/garden 的 main（7 个提交）");
    assert_eq!(many[1].title, "lihua force-pushed main of zoe/garden (7 commits)");
    assert_eq!((many[0].lines.len(), many[0].lines[5].as_str()), (6, "……还有 2 条"));
    assert_eq!(many[1].lines[5], "… and 2 more");
    let deleted = push(json!({ "commits": [], "deleted": true, "ref": "refs/heads/old/one" }));
    assert_eq!(deleted[0].title, "lihua 删除了 zoe/garden 的分支 old/one");
    let tagged = push(json!({ "created": true, "ref": "refs/tags/v1" }));
    assert_eq!(
        (tagged[0].title.as_str(), tagged[1].title.as_str()),
        ("lihua 在 zoe/garden 新建了标签 v1", "lihua created the tag v1 in zoe/garden",)
    );
}

#[test]
fn issues_pull_requests_and_comments_name_their_number_and_title() {
    let issue = json!({ "number": 12, "title": "浇水", "html_url": "https://github.com/zoe/garden/issues/12" });
    let of = |action: &str| json!({ "action": action, "issue": issue, "repository": repository(), "sender": { "login": "lihua" } });
    let link = Some("https://github.com/zoe/garden/issues/12");
    check(
        &github("issues", of("opened")),
        &["lihua 新建了议题 zoe/garden#12", "浇水"],
        &["lihua opened issue zoe/garden#12", "浇水"],
        link,
    );
    check(
        &github("issues", of("pinned")),
        &["议题 zoe/garden#12：pinned（lihua）", "浇水"],
        &["issue zoe/garden#12: pinned by lihua", "浇水"],
        link,
    );
    let mut commented = of("created");
    commented["comment"] = json!({ "body": "\n好的\n明天", "html_url": "https://github.com/zoe/garden/issues/12#c1" });
    check(
        &github("issue_comment", commented),
        &["lihua 评论了 zoe/garden#12", "浇水", "好的"],
        &["lihua commented on zoe/garden#12", "浇水", "好的"],
        Some("https://github.com/zoe/garden/issues/12#c1"),
    );
    let pull_request = json!({
        "number": 3, "title": "Roses", "html_url": "https://github.com/zoe/garden/pull/3", "merged": true,
        "head": { "ref": "roses" }, "base": { "ref": "main" },
    });
    let data = json!({ "action": "closed", "pull_request": pull_request, "repository": repository(), "sender": { "login": "zoe" } });
    check(
        &github("pull_request", data),
        &["zoe 合并了拉取请求 zoe/garden#3", "Roses", "roses → main"],
        &["zoe merged pull request zoe/garden#3", "Roses", "roses → main"],
        Some("https://github.com/zoe/garden/pull/3"),
    );
}

#[test]
fn releases_stars_runs_and_pings_are_told() {
    let with = |member: &str, value: Value| {
        let mut data = json!({ "action": "published", "repository": repository(), "sender": { "login": "zoe" } });
        data[member] = value;
        data
    };
    let release =
        json!({ "tag_name": "v1.0", "name": "春天", "html_url": "https://github.com/zoe/garden/releases/v1.0" });
    check(
        &github("release", with("release", release)),
        &["zoe/garden 发布了 v1.0", "春天"],
        &["zoe/garden released v1.0", "春天"],
        Some("https://github.com/zoe/garden/releases/v1.0"),
    );
    let page = Some("https://github.com/zoe/garden");
    check(
        &github("star", with("action", json!("created"))),
        &["zoe 给 zoe/garden 加了星标", "共 12 个星标"],
        &["zoe starred zoe/garden", "12 stars in all"],
        page,
    );
    let mut run = with(
        "workflow_run",
        json!({
            "name": "CI", "conclusion": "failure", "head_branch": "main", "display_title": "Roses",
            "html_url": "https://github.com/zoe/garden/actions/runs/1",
        }),
    );
    run["action"] = json!("completed");
    let run = github("workflow_run", run);
    check(
        &run,
        &["zoe/garden 的工作流“CI”运行失败（main）", "Roses"],
        &["CI of zoe/garden failed on main", "Roses"],
        Some("https://github.com/zoe/garden/actions/runs/1"),
    );
    assert!(run[0].is_urgent);
    check(
        &github("ping", with("zen", json!("Design for failure."))),
        &["zoe/garden 的 Webhook 已接通", "Design for failure."],
        &["The webhook of zoe/garden works", "Design for failure."],
        page,
    );
    check(
        &github("watch", with("action", json!("started"))),
        &["zoe/garden：watch（started）", "zoe"],
        &["zoe/garden: watch (started)", "zoe"],
        page,
    );
}

#[test]
fn a_notice_says_what_when_and_who() {
    let notice = read(&json!({ "type": "notice", "data": {
        "kind": "meeting", "title": "周会", "text": "议程：\n\n1. 发布\n2. 分工", "at": "2026-11-23T10:00:00+08:00", "author": "小明",
    } }));
    let lines = ["议程：", "1. 发布", "2. 分工"];
    check(
        &notice,
        &["【会议】周会", "时间：2026-11-23 10:00 UTC+8", lines[0], lines[1], lines[2], "发布人：小明"],
        &["Meeting: 周会", "When: 2026-11-23 10:00 UTC+8", lines[0], lines[1], lines[2], "From: 小明"],
        None,
    );
    assert!(notice[0].is_urgent);
}

#[test]
fn what_happened_in_fujie_is_told_in_words() {
    let event = json!({ "type": "fujie.identity_bound", "data": {
        "account": "01J", "client": null, "detail": { "provider": "wechat" },
    } });
    check(
        &read(&event),
        &["Fujie：账号绑定了第三方登录", "账号：01J", "provider：wechat"],
        &["Fujie: A way to sign in was bound to an account", "Account: 01J", "provider: wechat"],
        None,
    );
}

#[test]
fn other_types_name_themselves_and_their_project() {
    let gitlab = json!({ "type": "Push Hook", "data": { "project": { "path_with_namespace": "zoe/shed" } } });
    check(&read(&gitlab), &["zoe/shed：Push Hook"], &["zoe/shed: Push Hook"], None);
    let plain = json!({ "type": "hook", "subject": "door", "data": { "message": "opened\nby the wind" } });
    check(&read(&plain), &["door：收到一个 Webhook 事件", "opened"], &["door: A webhook was called", "opened"], None);
}

#[test]
fn what_is_too_long_for_the_line_leads_to_its_topic() {
    let event = json!({
        "type": "com.github.push", "subject": "zoe/garden",
        "dataref": "https://id.example/topics/team/events/17",
    });
    check(&read(&event), &["zoe/garden：push"], &["zoe/garden: push"], Some("https://id.example/topics/team"));
}

#[test]
fn odd_events_make_plain_messages() {
    let events = [
        json!({}),
        json!([]),
        json!({ "type": 5, "data": 6 }),
        json!({ "type": "", "data": null }),
        json!({ "type": "notice", "data": [] }),
        json!({ "type": "fujie.", "data": {} }),
        json!({ "type": "com.github.push", "data": { "commits": [1, {}, { "id": "日本語日本語", "message": 3 }], "ref": 1 } }),
        json!({ "type": "com.github.issues", "data": { "issue": [] } }),
        json!({ "type": "com.github.workflow_run", "data": { "workflow_run": null } }),
    ];
    for event in &events {
        for message in read(event) {
            assert!(!message.title.is_empty(), "{event}");
            assert!(message.lines.iter().all(|line| !line.is_empty()));
        }
    }
    assert!(!Message::of(b"\xff", Language::English).title.is_empty());
}

#[test]
fn text_is_one_line_of_limited_length_that_turns_nothing_round() {
    assert_eq!(clean("a\r\n\tb\u{202e}c\u{0} d", 100), "a b c d");
    assert_eq!(clean("一二三四五", 5), "一二三四五");
    assert_eq!(clean("一二三四五六", 5), "一二三四…");
    let title = format!("{}\u{2066}", "字 ".repeat(4000));
    let message = read(&json!({ "type": "notice", "data": { "title": title, "text": "行\n".repeat(1000) } }));
    assert!(message[0].title.chars().count() <= TITLE_LENGTH_MAX && message[0].lines.len() <= LINES_MAX);
}

#[test]
fn a_link_is_a_web_address_without_a_disguise() {
    for (address, expected) in [
        ("https://github.com/zoe", true),
        ("http://git.internal/x?y=1#z", true),
        ("https://github.com@evil.example/", false),
        ("javascript:alert(1)", false),
        ("/relative", false),
        ("data:text/html,x", false),
    ] {
        assert_eq!(link(address).is_some(), expected, "{address}");
    }
    assert!(link(&format!("https://x.example/{}", "a".repeat(2000))).is_none());
}

#[test]
fn several_events_are_told_in_one() {
    let messages: Vec<_> =
        (1..=7).map(|number| Message::new(Language::Chinese, &format!("第 {number} 件事"))).collect();
    let whole = Message::several(&messages, Language::Chinese);
    assert_eq!((whole.title.as_str(), whole.lines.len()), ("另有 7 条新消息", 6));
    assert_eq!((whole.lines[0].as_str(), whole.lines[5].as_str()), ("第 1 件事", "……还有 2 条"));
}
