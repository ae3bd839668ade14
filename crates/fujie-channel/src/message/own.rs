//! What a person reads of a notice that somebody wrote, and of what happened in Fujie itself.

use serde_json::Value;

use super::{Facts, Message, SHOWN_MAX, joined};

/// Somebody's notice: a meeting, an activity, a notice.
pub(super) fn notice(facts: &Facts<'_>) -> Message {
    let language = facts.language;
    let kind = facts.text("/kind").unwrap_or_default();
    let title = facts.text("/title").unwrap_or_default();
    let (chinese, english) = match kind {
        "meeting" => ("会议", "Meeting"),
        "activity" => ("活动", "Activity"),
        _ => ("通知", "Notice"),
    };
    let mut message = facts.message(format!("【{chinese}】{title}"), format!("{english}: {title}"));
    message.is_urgent = kind == "meeting";
    if let Some(at) = facts.text("/at") {
        message.line(&joined(Some(language.choose("时间", "When")), &moment(at), language));
    }
    let text = facts.text("/text").unwrap_or_default();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.by_ref().take(SHOWN_MAX).for_each(|line| message.line(line));
    if lines.next().is_some() {
        message.line("……");
    }
    if let Some(author) = facts.text("/author") {
        message.line(&joined(Some(language.choose("发布人", "From")), author, language));
    }
    message
}

/// `2026-11-22T14:00:00+08:00` as people write it; anything else as it is.
fn moment(at: &str) -> String {
    let written = || {
        let (day, rest) = at.split_once(['T', 't'])?;
        let minute = rest.get(..5)?;
        let zone = rest.get(5..)?.trim_start_matches(|c: char| c == ':' || c == '.' || c.is_ascii_digit());
        let zone = match zone {
            "" => String::new(),
            "Z" | "z" | "+00:00" => " UTC".to_owned(),
            // +08:00 is UTC+8.
            zone => format!(" UTC{}", zone.trim_end_matches(":00").replacen("+0", "+", 1).replacen("-0", "-", 1)),
        };
        Some(format!("{day} {minute}{zone}"))
    };
    written().unwrap_or_else(|| at.to_owned())
}

/// An event of Fujie itself, by its kind.
pub(super) fn happening(kind: &str, facts: &Facts<'_>) -> Message {
    let (chinese, english) = match kind {
        "signed_in" => ("有人登录了", "Somebody signed in"),
        "refused" => ("有请求被拒绝", "Requests were refused"),
        "account_made" => ("新建了账号", "An account was made"),
        "administrator_made" => ("创建了管理员账号", "The administrator was made"),
        "password_set" => ("账号设置了密码", "A password was set"),
        "account_disabled" => ("账号已停用", "An account was disabled"),
        "identity_bound" => ("账号绑定了第三方登录", "A way to sign in was bound to an account"),
        "identity_unbound" => ("账号解除了第三方登录", "A way to sign in was taken from an account"),
        "consent_given" => ("账号授权了应用", "Consent was given to an application"),
        "consent_withdrawn" => ("账号取消了对应用的授权", "Consent was withdrawn from an application"),
        "grant_ended" => ("一项授权已终止", "A grant has ended"),
        "token_revoked" => ("访问令牌已撤销", "An access token was revoked"),
        "refresh_repeated" => ("刷新令牌被重复使用", "A refresh token came twice"),
        "client_added" => ("登记了应用", "An application was registered"),
        "client_disabled" => ("应用已停用", "An application was disabled"),
        "client_enabled" => ("应用已启用", "An application was enabled"),
        "client_ended" => ("应用的全部授权已终止", "All grants of an application were ended"),
        "topic_made" => ("新建了话题", "A topic was made"),
        "topic_deleted" => ("删除了话题", "A topic was deleted"),
        "member_added" => ("话题添加了成员", "A member was added to a topic"),
        "member_removed" => ("话题移除了成员", "A member was removed from a topic"),
        "integration_added" => ("话题接入了 Webhook", "An integration was added to a topic"),
        "integration_secret_replaced" => ("Webhook 更换了密钥", "An integration got another secret"),
        "integration_removed" => ("移除了 Webhook", "An integration was removed"),
        "target_added" => ("话题添加了推送目标", "A target was added to a topic"),
        "target_removed" => ("移除了推送目标", "A target was removed"),
        "target_disabled" => ("推送目标已停用", "A target was given up"),
        "key_rotated" => ("密钥已轮换", "A key was rotated"),
        other => (other, other),
    };
    let language = facts.language;
    let mut message =
        Message::new(language, &format!("Fujie{}{}", language.choose("：", ": "), language.choose(chinese, english)));
    for (member, chinese, english) in [("account", "账号", "Account"), ("client", "应用", "Application")] {
        if let Some(value) = facts.text(&format!("/{member}")) {
            message.line(&joined(Some(language.choose(chinese, english)), value, language));
        }
    }
    for (name, value) in facts.value("/detail").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        message.line(&joined(Some(name), &value, language));
    }
    message.is_urgent = matches!(kind, "refused" | "refresh_repeated" | "administrator_made");
    message
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        for (at, expected) in [
            ("2026-11-22T14:00:00+08:00", "2026-11-22 14:00 UTC+8"),
            ("2026-11-22T14:00:00.000Z", "2026-11-22 14:00 UTC"),
            ("2026-11-22T14:00:00+05:30", "2026-11-22 14:00 UTC+5:30"),
            ("2026-11-22T14:00", "2026-11-22 14:00"),
            ("周五下午两点", "周五下午两点"),
            ("T", "T"),
            ("2026-11-22T两点整啊", "2026-11-22T两点整啊"),
        ] {
            assert_eq!(moment(at), expected);
        }
    }
}
