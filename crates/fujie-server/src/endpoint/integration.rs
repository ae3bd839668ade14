//! One source of a topic: what came in, what GitHub says it sent, and everything that can be done with it.
//!
//! What is asked of GitHub is asked in the name of whom looks at the page, with their own token: nobody acts with
//! somebody else's.

use std::sync::Arc;

use fujie_channel::webhook::{Secrets, secrets};
use fujie_client::{Client, Hook as Wanted, ProviderError, Tokens};
use fujie_core::{
    random::SystemRandom, request::parameters::Parameters, secret::Secret, token::at_rest::AtRest,
};
use fujie_store::{Ended, Hook, Integration, IntegrationChanged, IntegrationKind, StoreError};
use http::StatusCode;

use super::{
    delivery,
    integration_new::{chosen, github, names, usual_events},
    topic::Here,
    topic_settings::{done, odd, shown_kind},
};
use crate::{
    broker::{Connection, connect},
    form::Visit,
    http::{Request, Response, see_other},
    page::{self, ErrorKind, GithubFault, HookState, HookTold, IntegrationSaid, SettingsSaid},
    server::Server,
};

/// GET.
pub async fn get(server: &Server, request: &Request, topic: &str, id: &str) -> Response {
    let visit = Visit::new(server, request);
    let (here, row) = match enter(&visit, topic, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let query = request.query().unwrap_or_default();
    let count = query.text("count").and_then(|count| count.parse().ok()).unwrap_or(1);
    let said = match query.text("said") {
        Some("hook-made") => Some(IntegrationSaid::HookMade),
        Some("pinged") => Some(IntegrationSaid::Pinged),
        Some("again") => Some(IntegrationSaid::Again { count }),
        Some("secret-replaced") => Some(IntegrationSaid::SecretReplaced),
        Some("not-removed") => Some(IntegrationSaid::NotRemoved),
        _ => None,
    };
    let fault = query.text("fault").and_then(GithubFault::parse);
    show(&visit, &here, row, News { said, fault, secret: None }).await
}

/// POST.
pub async fn post(server: &Server, request: &Request, topic: &str, id: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let (here, row) = match enter(&visit, topic, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let done = match (fields.text("action"), &row.hook) {
        (Some("secret"), None) => replace_secret(&visit, &here, row).await,
        (Some("remove_here"), _) => remove_here(&visit, &here, &row).await,
        (Some("attach"), Some(hook @ Hook { id: None, .. })) => {
            continue_attaching(&visit, &here, &row, (hook, &fields)).await
        }
        (Some(action), Some(hook @ Hook { id: Some(_), .. })) => {
            act(&visit, &here, &row, hook, (action, &fields)).await
        }
        _ => Ok(odd(&visit)),
    };
    done.unwrap_or_else(|error| visit.unavailable(&error))
}

async fn enter(visit: &Visit<'_>, topic: &str, id: &str) -> Result<(Here, Integration), Box<Response>> {
    let here = Here::enter_as_owner(visit, topic).await?;
    match visit.server.store.integration(id).await {
        Ok(Some(row)) if row.topic == topic => Ok((here, row)),
        Ok(_) => Err(Box::new(visit.error(ErrorKind::NotFound))),
        Err(error) => Err(Box::new(visit.unavailable(&error))),
    }
}

/// What is told once.
#[derive(Default)]
struct News {
    said: Option<IntegrationSaid>,
    fault: Option<GithubFault>,
    secret: Option<Secret>,
}

/// The page of a source that was made just now, or got a new secret: the one time that it is shown.
pub(super) async fn show_secret(visit: &Visit<'_>, here: &Here, row: Integration, secret: &Secret) -> Response {
    let secret = Some(Secret::new(secret.expose().to_owned()));
    show(visit, here, row, News { secret, ..News::default() }).await
}

async fn show(visit: &Visit<'_>, here: &Here, row: Integration, news: News) -> Response {
    let targets: Vec<_> = place(visit.server, &row).iter().map(|own| own.upstream.origin()).collect();
    match load(visit, here, row, news).await {
        Ok(page) => visit.page(StatusCode::OK, &page, &targets),
        Err(error) => visit.unavailable(&error),
    }
}

/// The connection that a hook is made by, or was to be made by.
fn place<'a>(server: &'a Server, row: &Integration) -> Option<&'a Connection> {
    github(server, &row.hook.as_ref()?.connection)
}

async fn load(visit: &Visit<'_>, here: &Here, row: Integration, news: News) -> Result<page::Integration, StoreError> {
    let server = visit.server;
    let (hook, deliveries) = match (place(server, &row), &row.hook) {
        (Some(connection), Some(hook @ Hook { id: Some(id), .. })) => {
            let (told, rows) = compare(visit, here, &row, connection, hook).await?;
            let url = format!("{}/{}/settings/hooks/{id}", connection.upstream.origin(), hook.repository);
            (HookState::Made { provider: connection.shown(), repository: hook.repository.clone(), url, told }, rows)
        }
        (Some(connection), Some(hook)) => {
            let tokens = connect::token(server, here.session.account.id, connection).await?;
            let state = HookState::Unfinished {
                provider: connection.shown(),
                repository: hook.repository.clone(),
                events: usual_events(),
                is_connected: tokens.is_some(),
            };
            (state, delivery::received(server, &row.id).await?)
        }
        _ => (HookState::None, delivery::received(server, &row.id).await?),
    };
    let url = address(server, &row.id);
    Ok(page::Integration {
        topic: here.topic.name.clone(),
        title: here.topic.title.clone(),
        label: row.label.clone(),
        kind: shown_kind(row.kind),
        example: matches!(hook, HookState::None).then(|| example(&row, &url)),
        url,
        csrf: visit.csrf(&server.snapshot(), "topic", ""),
        hook,
        missing: delivery::missing(&deliveries),
        deliveries,
        id: row.id,
        header: row.header,
        prefix: row.prefix,
        id_header: row.id_header,
        event_header: row.event_header,
        secret: news.secret.map(|secret| secret.expose().to_owned()),
        said: news.said,
        fault: news.fault,
    })
}

async fn compare(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    connection: &Connection,
    hook: &Hook,
) -> Result<(HookTold, Vec<page::DeliveryRow>), StoreError> {
    let server = visit.server;
    let Some(tokens) = connect::token(server, here.session.account.id, connection).await? else {
        return Ok((HookTold::NotConnected, delivery::received(server, &row.id).await?));
    };
    let listed = async {
        let client = connection.upstream.client(visit.now).await?;
        client.github(&tokens).hook_deliveries(&hook.repository, hook.id.unwrap_or_default(), None).await
    };
    match listed.await {
        Ok(part) => Ok((HookTold::Deliveries, delivery::compared(server, &row.id, part.items).await?)),
        Err(error) => {
            let fault = connect::told(connection, &error);
            Ok((HookTold::Fault { fault }, delivery::received(server, &row.id).await?))
        }
    }
}

/// Where deliveries go.
pub(super) fn address(server: &Server, id: &str) -> String {
    format!("{}/hooks/{id}", server.issuer())
}

/// A command that tries a door, with the secret in a variable of the shell.
fn example(row: &Integration, url: &str) -> String {
    let mut lines =
        vec!["body='{\"text\": \"hello\"}'".to_owned(), "curl -H 'Content-Type: application/json' \\".to_owned()];
    let value = match row.kind {
        IntegrationKind::Token => "$SECRET".to_owned(),
        IntegrationKind::Github | IntegrationKind::Hmac => {
            format!("{}$(printf %s \"$body\" | openssl dgst -sha256 -hmac \"$SECRET\" | sed 's/^.* //')", row.prefix)
        }
    };
    lines.push(format!("  -H \"{}: {value}\" \\", row.header));
    lines.extend(row.event_header.iter().map(|header| format!("  -H '{header}: ping' \\")));
    lines.extend(row.id_header.iter().map(|header| format!("  -H '{header}: try-1' \\")));
    lines.push(format!("  -d \"$body\" {url}"));
    lines.join("\n")
}

/// The hook that is wanted.
pub(super) struct Wish<'a> {
    pub connection: &'a Connection,
    pub repository: &'a str,
    pub events: &'a [&'a str],
    pub secret: &'a Secret,
}

/// Makes the hook of a source, or finds the one that was made for it before, and remembers it.
pub(super) async fn attach(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    wish: &Wish<'_>,
) -> Result<Result<(), GithubFault>, StoreError> {
    let Some((client, tokens)) = acting(visit, here, wish.connection).await? else {
        return Ok(Err(GithubFault::TokenOver));
    };
    let url = address(visit.server, &row.id);
    let secret = fujie_client::Secret::new(wish.secret.expose());
    let wanted = Wanted { url: &url, events: wish.events, secret: Some(&secret) };
    let api = client.github(&tokens);
    let made = async {
        if let Some(id) = api.find_hook(wish.repository, &url).await? {
            api.change_hook(wish.repository, id, &wanted).await?;
            return Ok(id);
        }
        api.create_hook(wish.repository, &wanted).await
    };
    let id = match made.await {
        Ok(id) => id,
        Err(error) => return Ok(Err(connect::told(wish.connection, &error))),
    };
    let hook = Hook {
        connection: wish.connection.id.clone(),
        repository: wish.repository.to_owned(),
        id: Some(id),
    };
    if visit.server.store.set_hook(&row.id, hook).await? == IntegrationChanged::Absent {
        // Somebody removed the source meanwhile: its hook must not go on calling.
        drop(api.disable_hook(wish.repository, id).await);
    }
    Ok(Ok(()))
}

/// What acts in the name of the visitor at this connection.
async fn acting(
    visit: &Visit<'_>,
    here: &Here,
    connection: &Connection,
) -> Result<Option<(Arc<Client>, Tokens)>, StoreError> {
    let Some(tokens) = connect::token(visit.server, here.session.account.id, connection).await? else {
        return Ok(None);
    };
    Ok(connection.upstream.client(visit.now).await.ok().map(|client| (client, tokens)))
}

async fn continue_attaching(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    (hook, fields): (&Hook, &Parameters),
) -> Result<Response, StoreError> {
    let Some(connection) = github(visit.server, &hook.connection) else { return Ok(odd(visit)) };
    let secrets = secrets_of(visit.server, row);
    let Some(secret) = secrets.as_ref().and_then(Secrets::newest) else {
        return Ok(visit.error(ErrorKind::Unavailable));
    };
    let events = chosen(fields).unwrap_or_else(usual_events);
    let wish = Wish { connection, repository: &hook.repository, events: &names(&events), secret };
    let attached = attach(visit, here, row, &wish).await?;
    Ok(back(row, attached.map(|()| "said=hook-made".to_owned())))
}

/// What a source's deliveries may be signed with.
fn secrets_of(server: &Server, row: &Integration) -> Option<Secrets> {
    let kept = server.open_secret(AtRest::WebhookSecret, &row.id, &row.sealed_secret).ok()?;
    Some(Secrets::read(&kept))
}

/// Back to the page, with a word of what happened.
fn back(row: &Integration, outcome: Result<String, GithubFault>) -> Response {
    let word = outcome.unwrap_or_else(|fault| format!("fault={}", fault.as_str()));
    see_other(&format!("/topics/{}/integrations/{}?{word}", row.topic, row.id))
}

/// What is done with a hook at GitHub.
async fn act(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    hook: &Hook,
    (action, fields): (&str, &Parameters),
) -> Result<Response, StoreError> {
    let Some(connection) = github(visit.server, &hook.connection) else { return Ok(odd(visit)) };
    let Some((client, tokens)) = acting(visit, here, connection).await? else {
        return Ok(back(row, Err(GithubFault::TokenOver)));
    };
    let api = client.github(&tokens);
    let (repository, id) = (hook.repository.as_str(), hook.id.unwrap_or_default());
    let told =
        |outcome: Result<String, ProviderError>| back(row, outcome.map_err(|error| connect::told(connection, &error)));
    Ok(match action {
        "ping" => told(api.ping_hook(repository, id).await.map(|()| "said=pinged".to_owned())),
        "again" => {
            let Some(delivery) = fields.text("delivery").and_then(|id| id.parse().ok()) else { return Ok(odd(visit)) };
            told(api.deliver_again(repository, id, delivery).await.map(|()| "said=again&count=1".to_owned()))
        }
        "again_all" => {
            let count = delivery::again_all(visit.server, &row.id, api, (repository, id)).await?;
            told(count.map(|count| format!("said=again&count={count}")))
        }
        "secret" => replace_hook_secret(visit, here, row, (connection, &client, &tokens)).await?,
        "remove" => remove_at(visit, here, row, hook, (connection, &client, &tokens)).await?,
        _ => odd(visit),
    })
}

async fn replace_secret(visit: &Visit<'_>, here: &Here, row: Integration) -> Result<Response, StoreError> {
    let secret = secrets::new(&mut SystemRandom);
    if !keep_secrets(visit, here, &row, &Secrets::only(&secret)).await? {
        return Ok(odd(visit));
    }
    Ok(show_secret(visit, here, row, &secret).await)
}

/// A new secret here and at GitHub. What was good stays good until GitHub has the new one, so that nothing is lost
/// between.
async fn replace_hook_secret(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    (connection, client, tokens): (&Connection, &Client, &Tokens),
) -> Result<Response, StoreError> {
    let (Some(standing), Some(hook)) = (secrets_of(visit.server, row), &row.hook) else { return Ok(odd(visit)) };
    let renewed = standing.renewed(&mut SystemRandom);
    let Some(new) = renewed.newest() else { return Ok(odd(visit)) };
    if !keep_secrets(visit, here, row, &renewed).await? {
        return Ok(odd(visit));
    }
    let told = fujie_client::Secret::new(new.expose());
    let changed = client.github(tokens).change_hook_secret(&hook.repository, hook.id.unwrap_or_default(), &told).await;
    let fault = changed.err().map(|error| connect::told(connection, &error));
    match fault {
        None => {
            keep_secrets(visit, here, row, &Secrets::only(new)).await?;
            Ok(back(row, Ok("said=secret-replaced".to_owned())))
        }
        Some(fault) => {
            // Where it is not known which one GitHub has, all stay good.
            if fault.is_final() {
                keep_secrets(visit, here, row, &standing).await?;
            }
            Ok(back(row, Err(fault)))
        }
    }
}

async fn keep_secrets(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    secrets: &Secrets,
) -> Result<bool, StoreError> {
    let sealed = visit.server.seal_secret(AtRest::WebhookSecret, &row.id, &secrets.text());
    let Ok(sealed) = sealed else { return Ok(false) };
    let by = Some(here.session.account.id);
    let changed = visit.server.store.replace_integration_secret(&row.id, sealed, by, visit.now).await?;
    Ok(changed == IntegrationChanged::Changed)
}

/// Removes the hook at GitHub, then the row. When GitHub refuses, both stay.
async fn remove_at(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    hook: &Hook,
    (connection, client, tokens): (&Connection, &Client, &Tokens),
) -> Result<Response, StoreError> {
    let api = client.github(tokens);
    let fault = match api.remove_hook(&hook.repository, hook.id.unwrap_or_default()).await {
        Ok(()) => {
            visit.server.store.remove_integration(&row.id, Some(here.session.account.id), visit.now).await?;
            return Ok(done(&row.topic, SettingsSaid::IntegrationRemoved));
        }
        Err(error) => connect::told(connection, &error),
    };
    // To make a hook is a smaller permission than to remove it, and GitHub says "not found" for both.
    let is_there =
        fault == GithubFault::Hidden && api.has_hook(&hook.repository, hook.id.unwrap_or_default()).await.unwrap_or_default();
    Ok(back(row, if is_there { Ok("said=not-removed".to_owned()) } else { Err(fault) }))
}

async fn remove_here(visit: &Visit<'_>, here: &Here, row: &Integration) -> Result<Response, StoreError> {
    let by = Some(here.session.account.id);
    match visit.server.store.remove_integration(&row.id, by, visit.now).await? {
        Ended::Ended | Ended::Absent => Ok(done(&row.topic, SettingsSaid::IntegrationRemovedHere)),
    }
}

/// Removes a source and its hook with tokens that were obtained for that and nothing else, by the hook's own connection:
/// at another place the same number is somebody else's hook.
pub(crate) async fn remove_with(
    visit: &Visit<'_>,
    topic: &str,
    id: &str,
    (connection, client, tokens): (&Connection, &Client, &Tokens),
) -> Response {
    let (here, row) = match enter(visit, topic, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let hook = row.hook.as_ref().filter(|hook| hook.id.is_some() && hook.connection == connection.id);
    let Some(hook) = hook else { return odd(visit) };
    let removed = remove_at(visit, &here, &row, hook, (connection, client, tokens)).await;
    removed.unwrap_or_else(|error| visit.unavailable(&error))
}
