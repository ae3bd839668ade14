//! What a person reads of a GitHub event: who did what where.
//!
//! The payloads are those of GitHub's webhooks; their members are trusted for nothing but words.

use serde_json::Value;

use super::{Facts, Message, SHOWN_MAX, first_line, joined};
use crate::message::Language;

/// The event `name` of `X-GitHub-Event`.
pub(super) fn message(name: &str, facts: &Facts<'_>) -> Message {
    let github = Github {
        facts,
        who: facts.text("/sender/login").or_else(|| facts.text("/pusher/name")).unwrap_or("GitHub"),
        repository: facts.text("/repository/full_name").or_else(|| facts.attribute("subject")).unwrap_or("GitHub"),
        action: facts.text("/action").unwrap_or_default(),
    };
    // Where the payload was too long for the line, only the type is known.
    if facts.event.get("data").is_none() {
        return Message::new(facts.language, &joined(facts.attribute("subject"), name, facts.language));
    }
    match name {
        "push" => github.push(),
        "issues" => github.numbered("/issue", ("议题", "issue")),
        "pull_request" => github.pull_request(),
        "issue_comment" => github.comment(),
        "release" => github.release(),
        "star" => github.star(),
        "workflow_run" => github.workflow_run(),
        "ping" => github.ping(),
        other => github.other(other),
    }
}

struct Github<'a> {
    facts: &'a Facts<'a>,
    who: &'a str,
    repository: &'a str,
    action: &'a str,
}

impl Github<'_> {
    fn push(&self) -> Message {
        let Self { facts, who, repository, .. } = self;
        let reference = facts.text("/ref").unwrap_or_default();
        let (kind, name) = match reference.strip_prefix("refs/tags/") {
            Some(tag) => (("标签", "tag"), tag),
            None => (("分支", "branch"), reference.strip_prefix("refs/heads/").unwrap_or(reference)),
        };
        let commits = facts.value("/commits").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let count = commits.len();
        let plural = if count == 1 { "" } else { "s" };
        let mut message = if facts.is("/deleted") {
            let chinese = format!("{who} 删除了 {repository} 的{} {name}", kind.0);
            facts.message(chinese, format!("{who} deleted the {} {name} of {repository}", kind.1))
        } else if facts.is("/created") && (count == 0 || kind.1 == "tag") {
            let chinese = format!("{who} 在 {repository} 新建了{} {name}", kind.0);
            facts.message(chinese, format!("{who} created the {} {name} in {repository}", kind.1))
        } else if facts.is("/forced") {
            let chinese = format!("{who} 强制推送了 {repository} 的 {name}（{count} 个提交）");
            facts.message(chinese, format!("{who} force-pushed {name} of {repository} ({count} commit{plural})"))
        } else {
            let chinese = format!("{who} 向 {repository} 的 {name} 推送了 {count} 个提交");
            facts.message(chinese, format!("{who} pushed {count} commit{plural} to {name} of {repository}"))
        };
        for commit in commits.iter().take(SHOWN_MAX) {
            let text = |member: &str| commit.get(member).and_then(Value::as_str).unwrap_or_default();
            let id = text("id");
            message.line(&format!("{} {}", id.get(..7).unwrap_or(id), first_line(text("message"))));
        }
        message.rest(count);
        message.link(facts.text("/compare").or_else(|| facts.text("/repository/html_url")));
        message
    }

    /// An issue or a pull request, by its number.
    fn numbered(&self, member: &str, noun: (&str, &str)) -> Message {
        let Self { facts, who, action, .. } = self;
        let thing = self.thing(member);
        let mut message = match verb(action) {
            Some((chinese, english)) => facts
                .message(format!("{who} {chinese}了{} {thing}", noun.0), format!("{who} {english} {} {thing}", noun.1)),
            None => facts.message(
                format!("{} {thing}：{action}（{who}）", noun.0),
                format!("{} {thing}: {action} by {who}", noun.1),
            ),
        };
        message.line(facts.text(&format!("{member}/title")).unwrap_or_default());
        message.link(facts.text(&format!("{member}/html_url")));
        message
    }

    /// `owner/name#12`
    fn thing(&self, member: &str) -> String {
        match self.facts.value(&format!("{member}/number")).and_then(Value::as_u64) {
            Some(number) => format!("{}#{number}", self.repository),
            None => self.repository.to_owned(),
        }
    }

    fn pull_request(&self) -> Message {
        let Self { facts, .. } = self;
        let action = if self.action == "closed" && facts.is("/pull_request/merged") { "merged" } else { self.action };
        let mut message = Self { action, ..*self }.numbered("/pull_request", ("拉取请求", "pull request"));
        if let (Some(from), Some(into)) = (facts.text("/pull_request/head/ref"), facts.text("/pull_request/base/ref")) {
            message.line(&format!("{from} → {into}"));
        }
        message
    }

    fn comment(&self) -> Message {
        let Self { facts, who, action, .. } = self;
        let thing = self.thing("/issue");
        let mut message = match *action {
            "created" => facts.message(format!("{who} 评论了 {thing}"), format!("{who} commented on {thing}")),
            "edited" => {
                facts.message(format!("{who} 修改了 {thing} 的评论"), format!("{who} edited a comment on {thing}"))
            }
            "deleted" => {
                facts.message(format!("{who} 删除了 {thing} 的评论"), format!("{who} deleted a comment on {thing}"))
            }
            other => facts
                .message(format!("{thing} 的评论：{other}（{who}）"), format!("comment on {thing}: {other} by {who}")),
        };
        message.line(facts.text("/issue/title").unwrap_or_default());
        if *action != "deleted" {
            message.line(first_line(facts.text("/comment/body").unwrap_or_default()));
        }
        message.link(facts.text("/comment/html_url"));
        message
    }

    fn release(&self) -> Message {
        let Self { facts, who, repository, action } = self;
        let tag = facts.text("/release/tag_name").unwrap_or_default();
        let mut message = match *action {
            "published" => facts.message(format!("{repository} 发布了 {tag}"), format!("{repository} released {tag}")),
            other => facts.message(
                format!("{repository} 的发行版 {tag}：{other}（{who}）"),
                format!("release {tag} of {repository}: {other} by {who}"),
            ),
        };
        message.line(facts.text("/release/name").filter(|name| *name != tag).unwrap_or_default());
        message.link(facts.text("/release/html_url"));
        message
    }

    fn star(&self) -> Message {
        let Self { facts, who, repository, action } = self;
        let mut message = match *action {
            "deleted" => {
                facts.message(format!("{who} 取消了 {repository} 的星标"), format!("{who} unstarred {repository}"))
            }
            _ => facts.message(format!("{who} 给 {repository} 加了星标"), format!("{who} starred {repository}")),
        };
        if let Some(count) = facts.value("/repository/stargazers_count").and_then(Value::as_u64) {
            let plural = if count == 1 { "" } else { "s" };
            message.line(facts.language.choose(&format!("共 {count} 个星标"), &format!("{count} star{plural} in all")));
        }
        message.link(facts.text("/repository/html_url"));
        message
    }

    fn workflow_run(&self) -> Message {
        let Self { facts, repository, action, .. } = self;
        let name = facts.text("/workflow_run/name").unwrap_or("workflow");
        let state = facts.text("/workflow_run/conclusion").filter(|_| *action == "completed").unwrap_or(action);
        let (chinese, english) = match state {
            "success" => ("运行成功", "succeeded"),
            "failure" => ("运行失败", "failed"),
            "cancelled" => ("已取消", "was cancelled"),
            "timed_out" => ("运行超时", "timed out"),
            "skipped" => ("已跳过", "was skipped"),
            "requested" => ("已排队", "is queued"),
            "in_progress" => ("正在运行", "is running"),
            other => (other, other),
        };
        let branch = facts.text("/workflow_run/head_branch").unwrap_or_default();
        let mut message = facts.message(
            format!("{repository} 的工作流“{name}”{chinese}（{branch}）"),
            format!("{name} of {repository} {english} on {branch}"),
        );
        message.line(facts.text("/workflow_run/display_title").unwrap_or_default());
        message.link(facts.text("/workflow_run/html_url"));
        message.is_urgent = matches!(state, "failure" | "timed_out");
        message
    }

    fn ping(&self) -> Message {
        let Self { facts, repository, .. } = self;
        let mut message =
            facts.message(format!("{repository} 的 Webhook 已接通"), format!("The webhook of {repository} works"));
        message.line(facts.text("/zen").unwrap_or_default());
        message.link(facts.text("/repository/html_url"));
        message
    }

    fn other(&self, name: &str) -> Message {
        let Self { facts, who, repository, action } = self;
        let what = match (*action, facts.language) {
            ("", _) => name.to_owned(),
            (action, Language::Chinese) => format!("{name}（{action}）"),
            (action, Language::English) => format!("{name} ({action})"),
        };
        let mut message = facts.message(format!("{repository}：{what}"), format!("{repository}: {what}"));
        message.line(who);
        message.link(facts.text("/repository/html_url"));
        message
    }
}

/// What was done to an issue or a pull request.
fn verb(action: &str) -> Option<(&'static str, &'static str)> {
    Some(match action {
        "opened" => ("新建", "opened"),
        "closed" => ("关闭", "closed"),
        "reopened" => ("重新打开", "reopened"),
        "merged" => ("合并", "merged"),
        "edited" => ("修改", "edited"),
        "deleted" => ("删除", "deleted"),
        "assigned" => ("指派", "assigned"),
        "synchronize" => ("更新", "updated"),
        _ => return None,
    })
}
