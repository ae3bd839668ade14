//! A new source for a topic: a door whose sender is told by hand, or a hook made in a repository at GitHub.
//!
//! For a hook, the row comes first, then the call, then the hook's number: a crash between them leaves a door without a
//! hook, never a hook without a door, and continuing finds what is there.

use fujie_channel::webhook::{
    Secrets, secrets,
    sender::{self, Described, Invalid, Sender},
};
use fujie_client::{Part, ProviderError, Repository};
use fujie_core::{
    account::Session, id::Id, random::SystemRandom, request::parameters::Parameters, secret::Secret,
    token::at_rest::AtRest,
};
use fujie_store::{Hook, Integration, IntegrationAdded, IntegrationKind, StoreError};
use http::StatusCode;

use super::{
    hook_at_github::{self, Wish},
    integration,
    topic::Here,
    topic_settings::odd,
};
use crate::{
    broker::{Connection, connect},
    form::Visit,
    http::{Request, Response, see_other},
    page::{
        ConnectState, ErrorKind, EventChoice, GithubFault, HookEvent, IntegrationChoice, IntegrationError,
        IntegrationForm, Preset, RepositoryChoice,
    },
    server::Server,
};

/// Parts of the list of repositories that are looked through for a name.
const PARTS_MAX: u32 = 10;
/// Repositories that are shown for a name.
const FOUND_MAX: usize = 60;

/// GET: which kind; then the form for it, or the repositories of a connection.
pub async fn get(server: &Server, request: &Request, topic: &str) -> Response {
    let visit = Visit::new(server, request);
    let here = match Here::enter_as_owner(&visit, topic).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let query = request.query().unwrap_or_default();
    if let Some(connection) = query.text("connection").and_then(|id| github(server, id)) {
        let fault = query.text("fault").and_then(GithubFault::parse);
        let ask = Choice { typed: String::new(), events: usual_events(), fault };
        return repositories(&visit, &here, connection, ask).await;
    }
    if let Some(preset) = query.text("preset").and_then(Preset::parse) {
        let id = Id::new(visit.now, &mut SystemRandom).to_string();
        return form(&visit, &here, Typed::of(preset, id), None);
    }
    let connections = server.settings.connections.iter().filter(|own| own.is_github()).map(Connection::shown);
    let page = IntegrationChoice {
        topic: here.topic.name.clone(),
        title: here.topic.title.clone(),
        connections: connections.collect(),
    };
    visit.page(StatusCode::OK, &page, &[])
}

/// POST: makes it.
pub async fn post(server: &Server, request: &Request, topic: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let here = match Here::enter_as_owner(&visit, topic).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let Some(id) = fields.text("id").and_then(Id::parse).map(|id| id.to_string()) else { return odd(&visit) };
    // The same form twice: it is made already.
    match server.store.integration(&id).await {
        Ok(Some(standing)) if standing.topic == topic => {
            return see_other(&format!("/topics/{topic}/integrations/{id}"));
        }
        Ok(Some(_)) => return odd(&visit),
        Ok(None) => {}
        Err(error) => return visit.unavailable(&error),
    }
    // An id that the inbox knows was a source that is removed: what came in there is not shown to whom has it next.
    match server.store.deliveries(&id, None, 1).await {
        Ok(known) if known.is_empty() => {}
        Ok(_) => return odd(&visit),
        Err(error) => return visit.unavailable(&error),
    }
    let made = match fields.text("connection") {
        Some(connection) => match github(server, connection) {
            Some(connection) => make_hook(&visit, &here, connection, &fields, id).await,
            None => Ok(odd(&visit)),
        },
        None => make_door(&visit, &here, &fields, id).await,
    };
    made.unwrap_or_else(|error| visit.unavailable(&error))
}

/// The connection with this id, if it leads to GitHub.
pub(super) fn github<'a>(server: &'a Server, id: &str) -> Option<&'a Connection> {
    server.connection(id).filter(|connection| connection.is_github())
}

/// What was typed of a door.
struct Typed {
    id: String,
    preset: Preset,
    label: String,
    header: String,
    prefix: String,
    id_header: String,
    event_header: String,
}

impl Typed {
    /// The habits of a sender, before anything was typed.
    fn of(preset: Preset, id: String) -> Self {
        let Sender { proof, prefix, delivery, event } = match preset {
            Preset::Github => sender::GITHUB,
            Preset::Gitlab => sender::GITLAB,
            Preset::Gitee => sender::GITEE,
            Preset::Hmac => sender::HMAC,
            Preset::Token => sender::TOKEN,
        };
        let [id_header, event_header] = [delivery, event].map(|name| name.unwrap_or_default().to_owned());
        let (header, prefix) = (proof.to_owned(), prefix.to_owned());
        Self { id, preset, label: String::new(), header, prefix, id_header, event_header }
    }

    fn read(fields: &Parameters, id: String) -> Option<Self> {
        let preset = Preset::parse(fields.text("preset")?)?;
        let text = |name: &str| fields.text(name).unwrap_or_default().trim().to_owned();
        let own = Self { label: text("label"), ..Self::of(preset, id) };
        Some(match preset {
            Preset::Github | Preset::Gitlab | Preset::Gitee => own,
            Preset::Hmac | Preset::Token => Self {
                header: text("header"),
                prefix: if preset == Preset::Hmac { text("prefix") } else { String::new() },
                id_header: text("id_header"),
                event_header: text("event_header"),
                ..own
            },
        })
    }

    fn described(&self) -> Result<Described, IntegrationError> {
        let typed = sender::Typed {
            label: &self.label,
            proof: &self.header,
            prefix: &self.prefix,
            delivery: &self.id_header,
            event: &self.event_header,
        };
        Described::parse(&typed).map_err(|invalid| match invalid {
            Invalid::Label => IntegrationError::LabelInvalid,
            Invalid::Header(_) => IntegrationError::HeaderInvalid,
            Invalid::Proof(_) => IntegrationError::HeaderTwice,
            Invalid::Prefix => IntegrationError::PrefixInvalid,
        })
    }

    const fn kind(&self) -> IntegrationKind {
        match self.preset {
            Preset::Github => IntegrationKind::Github,
            Preset::Hmac => IntegrationKind::Hmac,
            Preset::Gitlab | Preset::Gitee | Preset::Token => IntegrationKind::Token,
        }
    }
}

fn form(visit: &Visit<'_>, here: &Here, typed: Typed, error: Option<IntegrationError>) -> Response {
    let Typed { id, preset, label, header, prefix, id_header, event_header } = typed;
    let page = IntegrationForm {
        topic: here.topic.name.clone(),
        title: here.topic.title.clone(),
        csrf: visit.csrf(&visit.server.snapshot(), "topic", ""),
        id,
        preset,
        label,
        header,
        prefix,
        id_header,
        event_header,
        error,
    };
    let code = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    visit.page(code, &page, &[])
}

async fn make_door(visit: &Visit<'_>, here: &Here, fields: &Parameters, id: String) -> Result<Response, StoreError> {
    let Some(typed) = Typed::read(fields, id) else { return Ok(odd(visit)) };
    let described = match typed.described() {
        Ok(described) => described,
        Err(error) => return Ok(form(visit, here, typed, Some(error))),
    };
    let Some((row, secret)) = door(visit, here, &typed, described) else {
        return Ok(visit.error(ErrorKind::Unavailable));
    };
    match visit.server.store.add_integration(row.clone()).await? {
        IntegrationAdded::Added => Ok(integration::show_secret(visit, here, row, &secret).await),
        IntegrationAdded::TooMany => Ok(form(visit, here, typed, Some(IntegrationError::TooMany))),
        IntegrationAdded::UnknownTopic => Ok(visit.error(ErrorKind::NotFound)),
    }
}

/// A row with a secret of its own; `None` when it cannot be sealed.
fn door(visit: &Visit<'_>, here: &Here, typed: &Typed, described: Described) -> Option<(Integration, Secret)> {
    let secret = secrets::new(&mut SystemRandom);
    let sealed = visit.server.seal_secret(AtRest::WebhookSecret, &typed.id, &Secrets::only(&secret).text());
    let row = Integration {
        id: typed.id.clone(),
        topic: here.topic.name.clone(),
        kind: typed.kind(),
        label: described.label,
        header: described.header,
        prefix: described.prefix,
        id_header: described.id_header,
        event_header: described.event_header,
        sealed_secret: sealed.ok()?,
        created_by: Some(here.session.account.id),
        hook: None,
        created_at: visit.now,
    };
    Some((row, secret))
}

/// The events that a form begins with.
pub(super) fn usual_events() -> Vec<EventChoice> {
    let is_usual =
        |event| matches!(event, HookEvent::Push | HookEvent::Issues | HookEvent::PullRequest | HookEvent::Release);
    HookEvent::ALL.map(|event| EventChoice { event, is_chosen: is_usual(event) }).to_vec()
}

/// The events that were ticked; `None` when there was none.
pub(super) fn chosen(fields: &Parameters) -> Option<Vec<EventChoice>> {
    let is_ticked = |event: HookEvent| fields.text(&format!("event-{}", event.as_str())).is_some();
    let events = HookEvent::ALL.map(|event| EventChoice { event, is_chosen: is_ticked(event) }).to_vec();
    events.iter().any(|choice| choice.is_chosen).then_some(events)
}

/// As GitHub is told them.
pub(super) fn names(events: &[EventChoice]) -> Vec<&'static str> {
    if events.iter().any(|choice| choice.is_chosen && choice.event == HookEvent::Everything) {
        return vec![HookEvent::Everything.as_str()];
    }
    events.iter().filter(|choice| choice.is_chosen).map(|choice| choice.event.as_str()).collect()
}

async fn make_hook(
    visit: &Visit<'_>,
    here: &Here,
    connection: &Connection,
    fields: &Parameters,
    id: String,
) -> Result<Response, StoreError> {
    // What is typed outranks what is ticked: whoever types wants that one.
    let named = |field| fields.text(field).map(str::trim).filter(|name| !name.is_empty());
    let repository = named("repository_typed").or_else(|| named("repository")).unwrap_or_default();
    let events = chosen(fields).unwrap_or_else(usual_events);
    let again = |fault| Choice { typed: repository.chars().take(201).collect(), events: events.clone(), fault };
    if !Repository::is_name(repository) {
        let fault = if repository.is_empty() { GithubFault::NotChosen } else { GithubFault::Hidden };
        return Ok(repositories(visit, here, connection, again(Some(fault))).await);
    }
    let label = repository.chars().take(sender::LABEL_LENGTH_MAX).collect();
    let typed = Typed { label, ..Typed::of(Preset::Github, id) };
    let made = typed.described().ok().and_then(|described| door(visit, here, &typed, described));
    let Some((row, secret)) = made else { return Ok(visit.error(ErrorKind::Unavailable)) };
    let unfinished = Hook { connection: connection.id.clone(), repository: repository.to_owned(), id: None };
    let row = Integration { hook: Some(unfinished), ..row };
    match visit.server.store.add_integration(row.clone()).await? {
        IntegrationAdded::Added => {}
        IntegrationAdded::TooMany => return Ok(form(visit, here, typed, Some(IntegrationError::TooMany))),
        IntegrationAdded::UnknownTopic => return Ok(visit.error(ErrorKind::NotFound)),
    }
    let wish = Wish { connection, repository, events: &names(&events), secret: &secret };
    match hook_at_github::attach(visit, here, &row, &wish).await? {
        Ok(()) => Ok(see_other(&format!("/topics/{}/integrations/{}?said=hook-made", row.topic, row.id))),
        Err(fault) if fault.is_final() => {
            let by = Some(here.session.account.id);
            visit.server.store.remove_integration(&row.id, by, visit.now).await?;
            Ok(repositories(visit, here, connection, again(Some(fault))).await)
        }
        Err(fault) => {
            let fault = fault.as_str();
            Ok(see_other(&format!("/topics/{}/integrations/{}?fault={fault}", row.topic, row.id)))
        }
    }
}

/// What a person has chosen so far.
struct Choice {
    typed: String,
    events: Vec<EventChoice>,
    fault: Option<GithubFault>,
}

async fn repositories(visit: &Visit<'_>, here: &Here, connection: &Connection, choice: Choice) -> Response {
    let code = if choice.fault.is_some() && visit.request.method == http::Method::POST {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    match load(visit, here, connection, choice).await {
        Ok(page) => visit.page(code, &page, &[connection.upstream.origin()]),
        Err(error) => visit.unavailable(&error),
    }
}

async fn load(
    visit: &Visit<'_>,
    here: &Here,
    connection: &Connection,
    choice: Choice,
) -> Result<RepositoryChoice, StoreError> {
    let (server, snapshot) = (visit.server, visit.server.snapshot());
    let query = visit.request.query().unwrap_or_default();
    let filter: String = query.text("q").unwrap_or_default().trim().chars().take(100).collect();
    let part = query.text("part").and_then(|part| part.parse().ok()).unwrap_or(1_u32).clamp(1, 1000);
    let mut page = RepositoryChoice {
        topic: here.topic.name.clone(),
        title: here.topic.title.clone(),
        provider: connection.shown(),
        state: ConnectState::Connected,
        csrf: visit.csrf(&snapshot, "topic", ""),
        csrf_sign_in: visit.csrf(&snapshot, "sign-in", &format!("/topics/{}", here.topic.name)),
        id: Id::new(visit.now, &mut SystemRandom).to_string(),
        repositories: Vec::new(),
        filter,
        part,
        has_more: false,
        typed: choice.typed,
        events: choice.events,
        fault: choice.fault,
    };
    let Some(tokens) = connect::token(server, here.session.account.id, connection).await? else {
        let is_bound = is_bound(server, &here.session, connection).await?;
        page.state = if is_bound { ConnectState::NotConnected } else { ConnectState::NotBound };
        return Ok(page);
    };
    let listed = async {
        let client = connection.upstream.client(visit.now).await?;
        let api = client.github(&tokens);
        if page.filter.is_empty() {
            return api.repositories(page.part).await;
        }
        found(&api, &page.filter).await
    };
    match listed.await {
        Ok(Part { items, next }) => {
            let may = items.into_iter().filter(|own| own.is_administered);
            page.repositories = may.map(|own| own.full_name).collect();
            page.has_more = next.is_some();
        }
        Err(error) => page.fault = Some(connect::told(connection, &error)),
    }
    Ok(page)
}

/// Repositories with this in their name, of the first parts of the list.
async fn found(api: &fujie_client::Github<'_>, filter: &str) -> Result<Part<Repository>, ProviderError> {
    let wanted = filter.to_lowercase();
    let mut items = Vec::new();
    for part in 1..=PARTS_MAX {
        let listed = api.repositories(part).await?;
        items.extend(listed.items.into_iter().filter(|own| own.full_name.to_lowercase().contains(&wanted)));
        if listed.next.is_none() || items.len() >= FOUND_MAX {
            break;
        }
    }
    items.truncate(FOUND_MAX);
    Ok(Part { items, next: None })
}

/// Has this account an identity there?
async fn is_bound(server: &Server, session: &Session, connection: &Connection) -> Result<bool, StoreError> {
    let identities = server.store.identities_of(session.account.id).await?;
    Ok(identities.iter().any(|bound| bound.identity.provider == connection.provider_key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_github_name_an_event_alike() {
        for event in HookEvent::ALL {
            let shown = serde_json::to_value(event).unwrap();
            assert_eq!(shown["is"], event.as_str(), "the form's field");
            let ticked = Parameters::parse(format!("event-{}=1", event.as_str()).as_bytes()).unwrap();
            assert_eq!(names(&chosen(&ticked).unwrap()), [event.as_str()]);
        }
    }

    #[test]
    fn everything_outranks_what_else_was_ticked() {
        let tick = |events: &[HookEvent]| {
            let choice = |event| EventChoice { event, is_chosen: events.contains(&event) };
            names(&HookEvent::ALL.map(choice))
        };
        assert_eq!(tick(&[HookEvent::PullRequest, HookEvent::Push]), ["push", "pull_request"]);
        assert_eq!(tick(&[HookEvent::Push, HookEvent::Everything]), ["*"]);
    }
}
