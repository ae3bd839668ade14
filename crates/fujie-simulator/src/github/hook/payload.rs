//! What events carry: skeletons with every member that receivers rely on.
//!
//! A push differs from all others in its `repository`: times are numbers, the owner has `name`
//! and `email`. Whoever needs more gives a payload of their own to `events`.

use super::Hook;
use crate::clock::Timestamp;
use crate::github::date;
use crate::github::rest::view::{RepositoryView, UserView};
use crate::random;
use serde_json::{Value, json};

const ZEN: &str = "Design for failure.";

/// Who did what where.
pub(crate) struct Scene<'a> {
    pub(crate) repository: RepositoryView<'a>,
    pub(crate) sender: UserView<'a>,
    pub(crate) now: Timestamp,
}

/// The payload of an event whose particulars nobody gave.
pub(crate) fn skeleton(event: &str, action: Option<&str>, scene: &Scene<'_>, seed: &str) -> Value {
    match event {
        "push" => push(scene, seed),
        "issues" => issues(action.unwrap_or("opened"), scene),
        "star" => json!({
            "action": action.unwrap_or("created"),
            "starred_at": date::iso(scene.now.unix_seconds()),
            "repository": scene.repository.simple(),
            "sender": scene.sender.simple(),
        }),
        "create" | "delete" => json!({
            "ref": "topic",
            "ref_type": "branch",
            "pusher_type": "user",
            "repository": scene.repository.simple(),
            "sender": scene.sender.simple(),
        }),
        _ => json!({
            "action": action.unwrap_or("created"),
            "repository": scene.repository.simple(),
            "sender": scene.sender.simple(),
        }),
    }
}

/// What a hook gets when it is created and when it is asked for.
pub(crate) fn ping(hook: &Hook, test: &str, scene: &Scene<'_>) -> Value {
    json!({
        "zen": ZEN,
        "hook_id": hook.id,
        "hook": hook.view(&scene.repository.api_url(), test),
        "repository": scene.repository.simple(),
        "sender": scene.sender.simple(),
    })
}

/// One commit on the default branch. `seed` makes its ids differ from those of other pushes.
fn push(scene: &Scene<'_>, seed: &str) -> Value {
    let commit_id = |which: &str| random::settled(&["commit", which, seed], random::HEX, 40);
    let (before, after) = (commit_id("before"), commit_id("after"));
    let html_url = scene.repository.html_url();
    let login = scene.sender.login();
    let author = json!({ "name": scene.sender.nickname(), "email": scene.sender.email(), "username": login });
    let commit = json!({
        "id": after,
        "tree_id": commit_id("tree"),
        "distinct": true,
        "message": "Say hello",
        "timestamp": date::iso_with_offset(scene.now.unix_seconds()),
        "url": format!("{html_url}/commit/{after}"),
        "author": author,
        "committer": author,
        "added": [],
        "removed": [],
        "modified": ["README.md"],
    });
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    json!({
        "ref": "refs/heads/main",
        "compare": format!("{html_url}/compare/{}...{}", short(&before), short(&after)),
        "before": before,
        "after": after,
        "created": false,
        "deleted": false,
        "forced": false,
        "base_ref": null,
        "commits": [commit],
        "head_commit": commit,
        "repository": scene.repository.in_push(scene.now),
        "pusher": { "name": login, "email": scene.sender.email() },
        "sender": scene.sender.simple(),
    })
}

fn issues(action: &str, scene: &Scene<'_>) -> Value {
    let api_url = scene.repository.api_url();
    let at = date::iso(scene.now.unix_seconds());
    let is_closed = action == "closed";
    let issue = json!({
        "url": format!("{api_url}/issues/1"),
        "repository_url": api_url,
        "labels_url": format!("{api_url}/issues/1/labels{{/name}}"),
        "comments_url": format!("{api_url}/issues/1/comments"),
        "events_url": format!("{api_url}/issues/1/events"),
        "html_url": format!("{}/issues/1", scene.repository.html_url()),
        "id": 2_000_000_001_u64,
        "node_id": "I_kwDOsimulated",
        "number": 1,
        "title": "你好，世界",
        "user": scene.sender.simple(),
        "labels": [],
        "state": if is_closed { "closed" } else { "open" },
        "locked": false,
        "assignee": null,
        "assignees": [],
        "milestone": null,
        "comments": 0,
        "created_at": at,
        "updated_at": at,
        "closed_at": is_closed.then_some(&at),
        "author_association": "OWNER",
        "active_lock_reason": null,
        "body": null,
        "state_reason": is_closed.then_some("completed"),
    });
    json!({
        "action": action,
        "issue": issue,
        "repository": scene.repository.simple(),
        "sender": scene.sender.simple(),
    })
}
