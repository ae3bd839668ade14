//! People and repositories as the API and the payloads tell them.
//!
//! Ids depend on names in the configuration alone. Who may see what is decided by the endpoints.

use crate::clock::Timestamp;
use crate::github::config::Repository;
use crate::github::date;
use crate::github::world::settled_number;
use crate::people::Person;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// When everybody came and every repository was made: 2020-01-01.
const CREATED_AT: u64 = 1_577_836_800;

/// The number that a person has for ever.
pub(crate) fn user_id(person: &Person) -> u64 {
    settled_number(&["github user", &person.name], 10_000_000)
}

impl Repository {
    /// The number that a repository has for ever.
    pub(crate) fn id(&self) -> u64 {
        settled_number(&["github repository", &self.key()], 100_000_000)
    }
}

fn node_id(kind: &str, id: u64) -> String {
    STANDARD.encode(format!("0{}:{kind}{id}", kind.len()))
}

/// A person, seen at an address.
#[derive(Clone, Copy)]
pub(crate) struct UserView<'a> {
    pub(crate) person: &'a Person,
    pub(crate) base_url: &'a str,
    /// Where the API is, without a slash at its end.
    pub(crate) api: &'a str,
}

impl<'a> UserView<'a> {
    pub(crate) fn login(&self) -> &'a str {
        self.person.login()
    }

    pub(crate) fn nickname(&self) -> &'a str {
        &self.person.nickname
    }

    /// The address of one who tells none.
    pub(crate) fn noreply(&self) -> String {
        format!("{}+{}@users.noreply.github.com", user_id(self.person), self.login())
    }

    pub(crate) fn email(&self) -> String {
        self.person.email.clone().unwrap_or_else(|| self.noreply())
    }

    /// As owner, sender, author.
    pub(crate) fn simple(&self) -> Value {
        let (id, login) = (user_id(self.person), self.login());
        let url = format!("{}/users/{login}", self.api);
        json!({
            "login": login,
            "id": id,
            "node_id": node_id("User", id),
            "avatar_url": format!("{}/u/{id}?v=4", self.base_url),
            "gravatar_id": "",
            "url": url,
            "html_url": format!("{}/{login}", self.base_url),
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": "User",
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    /// As anybody sees the profile.
    pub(crate) fn public(&self, public_repos: usize, tells_email: bool) -> Value {
        let email = self.person.email.as_deref().filter(|_| tells_email);
        joined(
            self.simple(),
            json!({
                "name": self.nickname(),
                "company": null,
                "blog": "",
                "location": null,
                "email": email,
                "hireable": null,
                "bio": null,
                "twitter_username": null,
                "notification_email": email,
                "public_repos": public_repos,
                "public_gists": 0,
                "followers": 0,
                "following": 0,
                "created_at": date::iso(CREATED_AT),
                "updated_at": date::iso(CREATED_AT),
            }),
        )
    }

    /// What the person's own token with the scope `user` or `read:user` adds.
    pub(crate) fn private(&self, private_repos: usize) -> Value {
        json!({
            "user_view_type": "private",
            "private_gists": 0,
            "total_private_repos": private_repos,
            "owned_private_repos": private_repos,
            "disk_usage": 0,
            "collaborators": 0,
            "two_factor_authentication": true,
            "plan": { "name": "free", "space": 976_562_499, "private_repos": 10_000, "collaborators": 0 },
        })
    }
}

/// What a caller may do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Admin,
    Collaborator,
    Visitor,
}

/// A repository, seen at an address.
#[derive(Clone, Copy)]
pub(crate) struct RepositoryView<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) owner: UserView<'a>,
    pub(crate) base_url: &'a str,
    pub(crate) api: &'a str,
}

impl RepositoryView<'_> {
    fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login(), self.repository.name)
    }

    pub(crate) fn html_url(&self) -> String {
        format!("{}/{}", self.base_url, self.full_name())
    }

    pub(crate) fn api_url(&self) -> String {
        format!("{}/repos/{}", self.api, self.full_name())
    }

    /// As events carry it.
    pub(crate) fn simple(&self) -> Value {
        let (id, url, html_url) = (self.repository.id(), self.api_url(), self.html_url());
        let at = date::iso(CREATED_AT);
        let addresses = ["hooks", "issues", "branches", "commits", "contents", "deployments", "events", "git", "keys"];
        let addresses = addresses.map(|name| (format!("{name}_url"), json!(format!("{url}/{name}"))));
        joined(
            Value::Object(Map::from_iter(addresses)),
            json!({
                "id": id,
                "node_id": node_id("Repository", id),
                "name": self.repository.name,
                "full_name": self.full_name(),
                "private": self.repository.private,
                "owner": self.owner.simple(),
                "html_url": html_url,
                "description": null,
                "fork": false,
                "url": url,
                "git_url": format!("{}.git", html_url.replacen("http", "git", 1)),
                "clone_url": format!("{html_url}.git"),
                "homepage": null,
                "size": 0,
                "stargazers_count": 0,
                "watchers_count": 0,
                "forks_count": 0,
                "open_issues_count": 0,
                "forks": 0,
                "watchers": 0,
                "open_issues": 0,
                "language": null,
                "license": null,
                "topics": [],
                "archived": false,
                "disabled": false,
                "has_issues": true,
                "is_template": false,
                "allow_forking": true,
                "visibility": if self.repository.private { "private" } else { "public" },
                "default_branch": "main",
                "created_at": at,
                "updated_at": at,
                "pushed_at": at,
            }),
        )
    }

    /// As a push carries it: times are numbers, the owner has a name and an address.
    pub(crate) fn in_push(&self, pushed_at: Timestamp) -> Value {
        let owner = json!({ "name": self.owner.login(), "email": self.owner.email() });
        joined(
            self.simple(),
            json!({
                "owner": joined(self.owner.simple(), owner),
                "url": self.html_url(),
                "created_at": CREATED_AT,
                "pushed_at": pushed_at.unix_seconds(),
                "stargazers": 0,
                "master_branch": "main",
            }),
        )
    }

    /// As the API tells it to a caller.
    pub(crate) fn for_caller(&self, standing: Standing) -> Value {
        let (is_admin, can_push) = (standing == Standing::Admin, standing != Standing::Visitor);
        let permissions = json!({
            "admin": is_admin, "maintain": is_admin, "push": can_push, "triage": can_push, "pull": true,
        });
        joined(self.simple(), json!({ "permissions": permissions }))
    }
}

/// Both objects in one; the second wins.
pub(crate) fn joined(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Value::Object(first)
        }
        (_, second) => second,
    }
}
