//! People: the caller's own account and addresses, public profiles; and what is about the API
//! itself.
//!
//! The number `id` is the only stable subject: a login may change and be taken by another.

use super::view::{UserView, joined, user_id};
use super::{Answer, Call, RestError};
use crate::github::limit::Standing;
use crate::github::world::World;
use crate::people::Person;
use serde_json::{Value, json};

/// `GET /`: where the other addresses are. Programs call it to see a token's scopes.
pub(crate) fn root(call: &Call<'_>) -> Answer {
    let api = &call.api;
    Answer::ok(json!({
        "current_user_url": format!("{api}/user"),
        "emails_url": format!("{api}/user/emails"),
        "current_user_repositories_url": format!("{api}/user/repos{{?type,page,per_page,sort}}"),
        "rate_limit_url": format!("{api}/rate_limit"),
        "repository_url": format!("{api}/repos/{{owner}}/{{repo}}"),
        "user_url": format!("{api}/users/{{user}}"),
        "user_organizations_url": format!("{api}/user/orgs"),
        "user_repositories_url": format!("{api}/users/{{user}}/repos{{?type,page,per_page,sort}}"),
    }))
}

/// `GET /meta`: from which addresses deliveries come.
pub(crate) fn meta() -> Answer {
    Answer::ok(json!({ "verifiable_password_authentication": false, "hooks": ["127.0.0.1/32", "::1/128"] }))
}

/// `GET /rate_limit`
pub(crate) fn rate_limit(standing: Standing) -> Answer {
    let core = json!({
        "limit": standing.limit,
        "used": standing.used,
        "remaining": standing.remaining(),
        "reset": standing.reset,
        "resource": "core",
    });
    Answer::ok(json!({ "resources": { "core": core }, "rate": core }))
}

/// `GET /user`
pub(crate) fn own(call: &Call<'_>, world: &World) -> Result<Answer, RestError> {
    let user = call.user()?;
    let profile = public(call, world, &user.person);
    if !user.may("read:user", "profile", false) {
        return Ok(Answer::ok(profile));
    }
    let is_own = |one: &&crate::github::config::Repository| one.owner == user.person.name && one.private;
    let private_repos = world.repositories().iter().filter(is_own).count();
    Ok(Answer::ok(joined(profile, view(call, world, &user.person).private(private_repos))))
}

/// `GET /user/emails`: hidden without the scope, refused without the permission.
pub(crate) fn emails(call: &Call<'_>, world: &World) -> Result<Answer, RestError> {
    let user = call.user()?;
    if !user.may("user:email", "emails", false) {
        return Err(if user.is_of_github_app() { RestError::NOT_ACCESSIBLE } else { RestError::NOT_FOUND });
    }
    let verified = !world.switches().unverified_user_email;
    let entry = |email: &str, primary: bool| {
        let visibility = primary.then_some("private");
        json!({ "email": email, "primary": primary, "verified": verified, "visibility": visibility })
    };
    let noreply = view(call, world, &user.person).noreply();
    let emails = match &user.person.email {
        Some(email) => vec![entry(email, true), entry(&noreply, false)],
        None => vec![entry(&noreply, true)],
    };
    Ok(Answer::ok(Value::Array(emails)))
}

/// `GET /user/orgs`: nobody is in an organization here.
pub(crate) fn organizations(call: &Call<'_>) -> Result<Answer, RestError> {
    call.user()?;
    Ok(Answer::ok(json!([])))
}

/// `GET /user/{id}`, which outlives a change of login.
pub(crate) fn by_id(call: &Call<'_>, world: &World, id: &str) -> Result<Answer, RestError> {
    let is_it = |person: &&Person| user_id(person).to_string() == id;
    let person = world.people().iter().find(is_it).ok_or(RestError::NOT_FOUND)?;
    Ok(Answer::ok(public(call, world, person)))
}

/// `GET /users/{login}`
pub(crate) fn by_login(call: &Call<'_>, world: &World, login: &str) -> Result<Answer, RestError> {
    let person = world.person_by_login(login).ok_or(RestError::NOT_FOUND)?;
    Ok(Answer::ok(public(call, world, person)))
}

fn view<'a>(call: &'a Call<'_>, world: &'a World, person: &'a Person) -> UserView<'a> {
    UserView { person, base_url: &world.base_url, api: &call.api }
}

fn public(call: &Call<'_>, world: &World, person: &Person) -> Value {
    let repositories = world.repositories();
    let count = repositories.iter().filter(|one| one.owner == person.name && !one.private).count();
    view(call, world, person).public(count, world.switches().public_email)
}
