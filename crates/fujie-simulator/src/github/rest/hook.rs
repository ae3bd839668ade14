//! `…/hooks` of a repository: hooks are made, read, changed, tried and removed.
//!
//! Without the scope they are not there (404); a GitHub App without the permission is told (403);
//! only administrators of the repository come through.

use super::view::Standing;
use super::{Answer, Call, RestError, delivery, list, repository};
use crate::github::config::Repository;
use crate::github::hook::request::Wish;
use crate::github::hook::{Hook, deliver, events, payload};
use crate::github::world::World;
use serde_json::Value;

/// What a call wants of hooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Read,
    Write,
    Delete,
}

/// The part of the URL table below `hooks`.
pub(crate) fn route(
    call: &Call<'_>,
    world: &mut World,
    found: Option<Repository>,
    rest: &[&str],
) -> Result<Answer, RestError> {
    let act = match call.method.as_str() {
        "GET" => Act::Read,
        "DELETE" => Act::Delete,
        _ => Act::Write,
    };
    let repository = admitted(call, world, found, act)?;
    let (id, rest) = match (call.method.as_str(), rest) {
        ("GET", []) => return Ok(all(call, world, &repository)),
        ("POST", []) => return create(call, world, &repository),
        (_, [id, rest @ ..]) => (id, rest),
        _ => return Err(RestError::NOT_FOUND),
    };
    let id = id.parse().ok();
    let hook = id.and_then(|id| world.hooks.hook(repository.id(), id)).cloned().ok_or(RestError::NOT_FOUND)?;
    match (call.method.as_str(), rest) {
        ("GET", []) => Ok(Answer::ok(view(call, world, &repository, &hook))),
        ("PATCH", []) => edit(call, world, &repository, &hook),
        ("DELETE", []) => {
            world.hooks.remove(hook.id);
            Ok(Answer::no_content())
        }
        ("GET", ["config"]) => Ok(Answer::ok(hook.config.view())),
        ("PATCH", ["config"]) => configure(call, world, &hook),
        ("POST", ["pings"]) => {
            ping(call, world, &repository, &hook)?;
            Ok(Answer::no_content())
        }
        ("POST", ["tests" | "test"]) => test(call, world, &repository, &hook),
        ("GET", ["deliveries"]) => delivery::all(call, world, &repository, &hook),
        ("GET", ["deliveries", id]) => delivery::one(call, world, &hook, id),
        ("POST", ["deliveries", id, "attempts"]) => delivery::attempt(call, world, &hook, id),
        _ => Err(RestError::NOT_FOUND),
    }
}

fn admitted(call: &Call<'_>, world: &World, found: Option<Repository>, act: Act) -> Result<Repository, RestError> {
    let user = call.user()?;
    let repository = found.ok_or(RestError::NOT_FOUND)?;
    let standing = repository::standing(call, &repository);
    if repository.private && standing == Standing::Visitor {
        return Err(RestError::NOT_FOUND);
    }
    if user.is_of_github_app() {
        if !world.app(&user.app.client_id).is_some_and(|app| app.permits("repository_hooks", act != Act::Read)) {
            return Err(RestError::NOT_ACCESSIBLE);
        }
    } else {
        let own_scope = match act {
            Act::Read => "read:repo_hook",
            Act::Write => "write:repo_hook",
            Act::Delete => "admin:repo_hook",
        };
        let code_scope = if repository.private { "repo" } else { "public_repo" };
        let scopes = &user.token.holder.scopes;
        if !scopes.allow(own_scope) && !scopes.allow(code_scope) {
            return Err(RestError::NOT_FOUND);
        }
    }
    if standing == Standing::Admin { Ok(repository) } else { Err(RestError::MUST_BE_ADMIN) }
}

/// A list's address by ids, which links use.
pub(crate) fn hooks_url(call: &Call<'_>, repository: &Repository) -> String {
    format!("{}/repositories/{}/hooks", call.api, repository.id())
}

fn test_segment(world: &World) -> &'static str {
    if world.switches().older_test_url { "tests" } else { "test" }
}

fn view(call: &Call<'_>, world: &World, repository: &Repository, hook: &Hook) -> Value {
    let address = repository::view(call, world, repository).map(|view| view.api_url());
    hook.view(&address.unwrap_or_default(), test_segment(world))
}

fn all(call: &Call<'_>, world: &World, repository: &Repository) -> Answer {
    let views = world.hooks.of(repository.id()).map(|hook| view(call, world, repository, hook)).collect();
    list::page(call, views, &hooks_url(call, repository))
}

/// 201, and a ping is on its way.
fn create(call: &Call<'_>, world: &mut World, repository: &Repository) -> Result<Answer, RestError> {
    let wish = Wish::to_create(&call.json()?)?;
    wish.judge(world.hooks.of(repository.id()), world.switches().refuse_localhost_hooks)?;
    let hook = world.hooks.add(repository.id(), wish, call.now);
    ping(call, world, repository, &hook)?;
    let created = view(call, world, repository, &hook);
    let location = created.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Answer::created(created, location))
}

fn edit(call: &Call<'_>, world: &mut World, repository: &Repository, hook: &Hook) -> Result<Answer, RestError> {
    let wish = Wish::to_edit(hook, &call.json()?)?;
    let changed = change(call, world, hook, wish)?;
    Ok(Answer::ok(view(call, world, repository, &changed)))
}

fn configure(call: &Call<'_>, world: &mut World, hook: &Hook) -> Result<Answer, RestError> {
    let wish = Wish::to_configure(hook, &call.json()?)?;
    Ok(Answer::ok(change(call, world, hook, wish)?.config.view()))
}

fn change(call: &Call<'_>, world: &mut World, hook: &Hook, wish: Wish) -> Result<Hook, RestError> {
    let others = world.hooks.of(hook.repository_id).filter(|other| other.id != hook.id);
    wish.judge(others, world.switches().refuse_localhost_hooks)?;
    world.hooks.change(hook.id, wish, call.now).cloned().ok_or(RestError::NOT_FOUND)
}

fn ping(call: &Call<'_>, world: &mut World, repository: &Repository, hook: &Hook) -> Result<(), RestError> {
    let sender = &call.user()?.person.name;
    let scene = events::scene(world, repository, sender, call.now).ok_or(RestError::NOT_FOUND)?;
    let payload = payload::ping(hook, test_segment(world), &scene);
    dispatch(world, hook, "ping", payload)
}

/// The latest push again, if the hook wants pushes; else nothing.
fn test(call: &Call<'_>, world: &mut World, repository: &Repository, hook: &Hook) -> Result<Answer, RestError> {
    if hook.wants("push") {
        let payload = match world.hooks.latest_push(repository.id()) {
            Some(payload) => payload.clone(),
            None => {
                let sender = &call.user()?.person.name;
                let scene = events::scene(world, repository, sender, call.now).ok_or(RestError::NOT_FOUND)?;
                payload::skeleton("push", None, &scene, "first")
            }
        };
        dispatch(world, hook, "push", payload)?;
    }
    Ok(Answer::no_content())
}

/// Delivered when the lock is free.
fn dispatch(world: &mut World, hook: &Hook, event: &str, payload: Value) -> Result<(), RestError> {
    let parcel = deliver::parcel(&mut world.hooks, hook, event, payload)?;
    world.hooks.outbox.push(parcel);
    Ok(())
}
