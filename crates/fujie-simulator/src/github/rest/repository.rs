//! Repositories: lists, one of them, and who may do what in it.
//!
//! What is private and not the caller's is not there: 404, never 403.

use super::view::{RepositoryView, Standing, UserView};
use super::{Answer, Call, Caller, RestError, hook, list};
use crate::github::config::Repository;
use crate::github::world::World;
use serde_json::Value;

/// `GET /user/repos`: one's own and those one works on.
pub(crate) fn own(call: &Call<'_>, world: &World) -> Result<Answer, RestError> {
    call.user()?;
    let affiliation = call.query.filled("affiliation").unwrap_or("owner,collaborator,organization_member");
    let visibility = call.query.filled("visibility").unwrap_or("all");
    let wanted = |one: &Repository| {
        let is_affiliated = match standing(call, one) {
            Standing::Admin => affiliation.split(',').any(|word| word == "owner"),
            Standing::Collaborator => affiliation.split(',').any(|word| word == "collaborator"),
            Standing::Visitor => false,
        };
        is_affiliated && (visibility == "all" || one.private == (visibility == "private"))
    };
    Ok(list::page(call, views(call, world, wanted), &format!("{}/user/repos", call.api)))
}

/// `GET /users/{login}/repos`: the public ones.
pub(crate) fn of_person(call: &Call<'_>, world: &World, login: &str) -> Result<Answer, RestError> {
    let person = world.person_by_login(login).ok_or(RestError::NOT_FOUND)?;
    let wanted = |one: &Repository| one.owner == person.name && !one.private;
    Ok(list::page(call, views(call, world, wanted), &format!("{}/users/{login}/repos", call.api)))
}

/// The part of the URL table below a repository, whether it was named or numbered.
pub(crate) fn route(
    call: &Call<'_>,
    world: &mut World,
    found: Option<Repository>,
    rest: &[&str],
) -> Result<Answer, RestError> {
    match (call.method.as_str(), rest) {
        ("GET", []) => told(call, world, found),
        (_, ["hooks", rest @ ..]) => hook::route(call, world, found, rest),
        _ => Err(RestError::NOT_FOUND),
    }
}

fn told(call: &Call<'_>, world: &World, found: Option<Repository>) -> Result<Answer, RestError> {
    let repository = found.filter(|one| sees(call, one)).ok_or(RestError::NOT_FOUND)?;
    let view = view(call, world, &repository).ok_or(RestError::NOT_FOUND)?;
    Ok(Answer::ok(view.for_caller(standing(call, &repository))))
}

fn views(call: &Call<'_>, world: &World, wanted: impl Fn(&Repository) -> bool) -> Vec<Value> {
    let repositories = world.repositories();
    let seen = repositories.iter().filter(|one| wanted(one) && sees(call, one));
    seen.filter_map(|one| Some(view(call, world, one)?.for_caller(standing(call, one)))).collect()
}

/// Whether a call may know of a repository.
fn sees(call: &Call<'_>, repository: &Repository) -> bool {
    let Caller::User(user) = &call.caller else { return !repository.private };
    let may_see_private = user.is_of_github_app() || user.may("repo", "metadata", false);
    !repository.private || (may_see_private && standing(call, repository) != Standing::Visitor)
}

/// What the caller is in a repository, whatever its token allows.
pub(crate) fn standing(call: &Call<'_>, repository: &Repository) -> Standing {
    match &call.caller {
        Caller::User(user) if repository.owner == user.person.name => Standing::Admin,
        Caller::User(user) if repository.collaborators.contains(&user.person.name) => Standing::Collaborator,
        _ => Standing::Visitor,
    }
}

/// The repository as this call sees it; `None` when its owner is gone.
pub(crate) fn view<'a>(call: &'a Call<'_>, world: &'a World, repository: &'a Repository) -> Option<RepositoryView<'a>> {
    let base_url = &world.base_url;
    let owner = UserView { person: world.person(&repository.owner)?, base_url, api: &call.api };
    Some(RepositoryView { repository, owner, base_url, api: &call.api })
}
