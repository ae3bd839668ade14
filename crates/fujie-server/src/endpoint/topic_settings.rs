//! A topic's settings: members, sources and targets on one page; and its end.

use fujie_channel::post::Trouble;
use fujie_core::time::Timestamp;
use fujie_store::{Ended, Integration, Member, StoreError, Target, TargetKind, TopicMember};
use http::StatusCode;

use super::topic::{Here, language, shown_role};
use crate::{
    form::Visit,
    http::{Request, Response, see_other},
    page::{
        self, ErrorKind, IntegrationKind, IntegrationRow, Lang, MemberKind, MemberRow, SettingsError, SettingsSaid,
        TargetRow, TargetState,
    },
    server::Server,
};

/// GET.
pub async fn get(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let here = match Here::enter(&visit, name).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let said = request.query().unwrap_or_default().text("said").and_then(SettingsSaid::parse);
    show(&visit, &here, said, None).await
}

/// Back to the page, with a word of what happened.
pub(super) fn done(topic: &str, said: SettingsSaid) -> Response {
    see_other(&format!("/topics/{topic}/settings?said={}", said.as_str()))
}

/// The page with what is wrong.
pub(super) async fn wrong(visit: &Visit<'_>, here: &Here, error: SettingsError) -> Response {
    show(visit, here, None, Some(error)).await
}

/// The same for a robot, with what was typed of it.
pub(super) async fn wrong_robot(
    visit: &Visit<'_>,
    here: &Here,
    (kind, label): (TargetKind, String),
    error: SettingsError,
) -> Response {
    match load(visit, here).await {
        Ok(page) => {
            let (error, robot_kind) = (Some(error), Some(shown_target(kind)));
            let page = page::TopicSettings { error, robot_kind, robot_label: label, ..page };
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page, &[])
        }
        Err(error) => visit.unavailable(&error),
    }
}

/// POST: deletes the topic, when its name was typed.
pub async fn delete(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let here = match Here::enter_as_owner(&visit, name).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    if fields.text("name").unwrap_or_default().trim() != here.topic.name {
        return wrong(&visit, &here, SettingsError::NameDiffers).await;
    }
    match server.store.delete_topic(name, Some(here.session.account.id), visit.now).await {
        Ok(Ended::Ended | Ended::Absent) => see_other("/topics"),
        Err(error) => visit.unavailable(&error),
    }
}

async fn show(visit: &Visit<'_>, here: &Here, said: Option<SettingsSaid>, error: Option<SettingsError>) -> Response {
    let code = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    match load(visit, here).await {
        Ok(page) => visit.page(code, &page::TopicSettings { said, error, ..page }, &[]),
        Err(error) => visit.unavailable(&error),
    }
}

async fn load(visit: &Visit<'_>, here: &Here) -> Result<page::TopicSettings, StoreError> {
    let (store, name) = (&visit.server.store, &here.topic.name);
    let own = here.session.account.id;
    let members = store.members(name).await?;
    let mut integrations = Vec::new();
    for integration in store.integrations(name).await? {
        let last = store.deliveries(&integration.id, None, 1).await?;
        integrations.push(integration_row(integration, last.first().map(|last| last.received_at)));
    }
    let targets = store.targets(name).await?;
    let rows = |wanted: &dyn Fn(&Target) -> bool| {
        targets.iter().filter(|target| wanted(target)).map(|target| target_row(target, visit.lang)).collect()
    };
    Ok(page::TopicSettings {
        name: name.clone(),
        title: here.topic.title.clone(),
        role: here.shown_role(),
        csrf: visit.csrf(&visit.server.snapshot(), "topic", ""),
        members: members.into_iter().map(|member| member_row(member, &Member::Account(own))).collect(),
        integrations,
        robots: rows(&|target| target.kind != TargetKind::WebPush),
        devices: rows(&|target| target.kind == TargetKind::WebPush && target.account == Some(own)),
        robot_kind: None,
        robot_label: String::new(),
        said: None,
        error: None,
    })
}

fn member_row(member: TopicMember, own: &Member) -> MemberRow {
    let is_you = member.member == *own;
    let (kind, id) = match member.member {
        Member::Account(id) => (MemberKind::Account, id.to_string()),
        Member::Client(id) => (MemberKind::Client, id),
    };
    MemberRow { kind, id, name: member.name, role: shown_role(member.role), is_you }
}

fn integration_row(integration: Integration, last_at: Option<Timestamp>) -> IntegrationRow {
    IntegrationRow {
        kind: shown_kind(integration.kind),
        id: integration.id,
        label: integration.label,
        repository: integration.hook.map(|hook| hook.repository),
        last_at_milliseconds: last_at.map(Timestamp::millis),
    }
}

/// As pages show it.
pub(super) const fn shown_kind(kind: fujie_store::IntegrationKind) -> IntegrationKind {
    match kind {
        fujie_store::IntegrationKind::Github => IntegrationKind::Github,
        fujie_store::IntegrationKind::Hmac => IntegrationKind::Hmac,
        fujie_store::IntegrationKind::Token => IntegrationKind::Token,
    }
}

fn target_row(target: &Target, lang: Lang) -> TargetRow {
    let trouble = || {
        let kept = target.last_error.as_deref().unwrap_or_default();
        kept.parse::<Trouble>().map_or_else(|_| kept.to_owned(), |trouble| trouble.say(language(lang)))
    };
    let state = match (target.disabled_at, target.next_at) {
        (Some(since), _) => TargetState::Disabled { trouble: trouble(), since_milliseconds: since.millis() },
        (None, Some(next_at)) if target.failures > 0 => {
            TargetState::Waiting { trouble: trouble(), next_at_milliseconds: next_at.millis() }
        }
        _ => TargetState::Well,
    };
    TargetRow {
        id: target.id.to_string(),
        kind: shown_target(target.kind),
        label: target.label.clone(),
        state,
        added_at_milliseconds: target.created_at.millis(),
    }
}

const fn shown_target(kind: TargetKind) -> page::TargetKind {
    match kind {
        TargetKind::Dingtalk => page::TargetKind::Dingtalk,
        TargetKind::Feishu => page::TargetKind::Feishu,
        TargetKind::Wecom => page::TargetKind::Wecom,
        TargetKind::WebPush => page::TargetKind::WebPush,
    }
}

/// The page for what has no place in a form of ours.
pub(super) fn odd(visit: &Visit<'_>) -> Response {
    visit.error(ErrorKind::Expired)
}
