//! The page of one source of a topic: what came in, what GitHub says it sent, and everything that can be done with it.
//! What is asked of GitHub is in `hook_at_github`.

use fujie_channel::webhook::{Secrets, secrets};
use fujie_client::ProviderError;
use fujie_core::{random::SystemRandom, request::parameters::Parameters, secret::Secret};
use fujie_store::{Ended, Hook, Integration, IntegrationKind, StoreError};
use http::StatusCode;

use super::{
    delivery,
    hook_at_github::{self, Acting, Made, Removed, Replaced, Wish},
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
        (Some("attach"), Some(Hook { id: None, .. })) => continue_attaching(&visit, &here, &row, &fields).await,
        (Some(action), Some(Hook { id: Some(_), .. })) => act(&visit, &here, &row, action, &fields).await,
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
    let made = row.hook.as_ref().and_then(Made::of);
    let (hook, deliveries) = match (place(server, &row), &row.hook, made) {
        (Some(connection), _, Some(made)) => {
            let (told, rows) = compare(visit, here, &row, connection, made).await?;
            let Made { repository, id } = made;
            let url = format!("{}/{repository}/settings/hooks/{id}", connection.upstream.origin());
            (HookState::Made { provider: connection.shown(), repository: repository.to_owned(), url, told }, rows)
        }
        (Some(connection), Some(hook), None) => {
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
    hook: Made<'_>,
) -> Result<(HookTold, Vec<page::DeliveryRow>), StoreError> {
    let server = visit.server;
    let Some(tokens) = connect::token(server, here.session.account.id, connection).await? else {
        return Ok((HookTold::NotConnected, delivery::received(server, &row.id).await?));
    };
    let listed = async {
        let client = connection.upstream.client(visit.now).await?;
        client.github(&tokens).hook_deliveries(hook.repository, hook.id, None).await
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

async fn continue_attaching(
    visit: &Visit<'_>,
    here: &Here,
    row: &Integration,
    fields: &Parameters,
) -> Result<Response, StoreError> {
    let (Some(connection), Some(hook)) = (place(visit.server, row), &row.hook) else { return Ok(odd(visit)) };
    let secrets = hook_at_github::secrets_of(visit.server, row);
    let Some(secret) = secrets.as_ref().and_then(Secrets::newest) else {
        return Ok(visit.error(ErrorKind::Unavailable));
    };
    let events = chosen(fields).unwrap_or_else(usual_events);
    let wish = Wish { connection, repository: &hook.repository, events: &names(&events), secret };
    let attached = hook_at_github::attach(visit, here, row, &wish).await?;
    Ok(back(row, attached.map(|()| "said=hook-made".to_owned())))
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
    action: &str,
    fields: &Parameters,
) -> Result<Response, StoreError> {
    let made = row.hook.as_ref().and_then(Made::of);
    let (Some(connection), Some(hook)) = (place(visit.server, row), made) else { return Ok(odd(visit)) };
    let Some(acting) = Acting::of(visit, here, connection).await? else {
        return Ok(back(row, Err(GithubFault::TokenOver)));
    };
    let api = acting.api();
    let told = |outcome: Result<String, ProviderError>| back(row, outcome.map_err(|error| acting.told(&error)));
    Ok(match action {
        "ping" => told(api.ping_hook(hook.repository, hook.id).await.map(|()| "said=pinged".to_owned())),
        "again" => {
            let Some(delivery) = fields.text("delivery").and_then(|id| id.parse().ok()) else { return Ok(odd(visit)) };
            let asked = api.deliver_again(hook.repository, hook.id, delivery).await;
            told(asked.map(|()| "said=again&count=1".to_owned()))
        }
        "again_all" => {
            let count = delivery::again_all(visit.server, &row.id, api, hook).await?;
            told(count.map(|count| format!("said=again&count={count}")))
        }
        "secret" => match hook_at_github::replace_secret(visit, here, row, &acting, hook).await? {
            Replaced::Done => back(row, Ok("said=secret-replaced".to_owned())),
            Replaced::Fault(fault) => back(row, Err(fault)),
            Replaced::Nothing => odd(visit),
        },
        "remove" => removed(row, hook_at_github::remove(visit, here, row, &acting, hook).await?),
        _ => odd(visit),
    })
}

fn removed(row: &Integration, removed: Removed) -> Response {
    match removed {
        Removed::Done => done(&row.topic, SettingsSaid::IntegrationRemoved),
        Removed::NotPermitted => back(row, Ok("said=not-removed".to_owned())),
        Removed::Fault(fault) => back(row, Err(fault)),
    }
}

async fn replace_secret(visit: &Visit<'_>, here: &Here, row: Integration) -> Result<Response, StoreError> {
    let secret = secrets::new(&mut SystemRandom);
    if !hook_at_github::keep_secrets(visit, here, &row, &Secrets::only(&secret)).await? {
        return Ok(odd(visit));
    }
    Ok(show_secret(visit, here, row, &secret).await)
}

async fn remove_here(visit: &Visit<'_>, here: &Here, row: &Integration) -> Result<Response, StoreError> {
    let by = Some(here.session.account.id);
    match visit.server.store.remove_integration(&row.id, by, visit.now).await? {
        Ended::Ended | Ended::Absent => Ok(done(&row.topic, SettingsSaid::IntegrationRemovedHere)),
    }
}

/// Removes a source and its hook with tokens that were obtained for that and nothing else, by the hook's own connection:
/// at another place the same number is somebody else's hook.
pub(crate) async fn remove_with(visit: &Visit<'_>, topic: &str, id: &str, acting: &Acting<'_>) -> Response {
    let (here, row) = match enter(visit, topic, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let hook = row.hook.as_ref().filter(|hook| hook.connection == acting.connection.id);
    let Some(hook) = hook.and_then(Made::of) else { return odd(visit) };
    match hook_at_github::remove(visit, &here, &row, acting, hook).await {
        Ok(outcome) => removed(&row, outcome),
        Err(error) => visit.unavailable(&error),
    }
}
