//! Who belongs to a topic: added, given another role, removed, gone.

use fujie_core::{id::Id, request::parameters::Parameters};
use fujie_store::{Member, MemberChanged, Role, StoreError};

use super::{
    sign_in::fold,
    topic::Here,
    topic_settings::{done, odd, wrong},
};
use crate::{
    channel::may_belong,
    form::Visit,
    http::{Request, Response, see_other},
    page::{ErrorKind, SettingsError, SettingsSaid},
    server::Server,
};

/// Names that one person may try in a minute: nobody lists who has an account here.
const NAMES_MAX: u64 = 30;

/// POST.
pub async fn post(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let action = fields.text("action").unwrap_or_default();
    let entered =
        if action == "leave" { Here::enter(&visit, name).await } else { Here::enter_as_owner(&visit, name).await };
    let here = match entered {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let done = match action {
        "add" => add(&visit, &here, &fields).await,
        "make-owner" => change(&visit, &here, &fields, Role::Owner).await,
        "make-member" => change(&visit, &here, &fields, Role::Member).await,
        "remove" => remove(&visit, &here, &fields).await,
        "leave" => leave(&visit, &here).await,
        _ => Ok(odd(&visit)),
    };
    done.unwrap_or_else(|error| visit.unavailable(&error))
}

async fn add(visit: &Visit<'_>, here: &Here, fields: &Parameters) -> Result<Response, StoreError> {
    if visit.server.channel_limit.count(&("member", here.session.account.id), visit.now) > NAMES_MAX {
        return Ok(visit.error(ErrorKind::TooManyRequests));
    }
    let typed = fields.text("member").unwrap_or_default().trim();
    let found = match fields.text("kind") {
        Some("client") => Ok(client(visit, typed)),
        _ => account(visit, here, typed).await?,
    };
    let member = match found {
        Ok(Some(member)) => member,
        Ok(None) => {
            let error = SettingsError::MemberUnknown { member: typed.chars().take(128).collect() };
            return Ok(wrong(visit, here, error).await);
        }
        Err(error) => return Ok(wrong(visit, here, error).await),
    };
    // Who belongs to it already keeps their role.
    if visit.server.store.role(&here.topic.name, &member).await?.is_some() {
        return Ok(done(&here.topic.name, SettingsSaid::MemberAdded));
    }
    set(visit, here, member, Role::Member, SettingsSaid::MemberAdded).await
}

/// The account with this user name, or with this number.
async fn account(
    visit: &Visit<'_>,
    here: &Here,
    typed: &str,
) -> Result<Result<Option<Member>, SettingsError>, StoreError> {
    let store = &visit.server.store;
    let found = match store.account_named(&fold(typed)).await? {
        Some(account) => Some(account),
        None => match Id::parse(typed) {
            Some(id) => store.account(id).await?,
            None => None,
        },
    };
    let Some(account) = found.filter(|account| account.disabled_at.is_none()) else { return Ok(Ok(None)) };
    if !may_belong(&account, &here.topic.name) {
        return Ok(Err(SettingsError::MemberNotAdministrator));
    }
    Ok(Ok(Some(Member::Account(account.id))))
}

/// The application with this id. An API is none: it gets no tokens.
fn client(visit: &Visit<'_>, typed: &str) -> Option<Member> {
    let snapshot = visit.server.snapshot();
    let client = snapshot.registry.client(typed)?;
    (!client.is_disabled && client.api.is_none()).then(|| Member::Client(client.id.clone()))
}

async fn change(visit: &Visit<'_>, here: &Here, fields: &Parameters, role: Role) -> Result<Response, StoreError> {
    let Some(member @ Member::Account(_)) = named(fields) else { return Ok(odd(visit)) };
    // Whoever left meanwhile is not brought back.
    if visit.server.store.role(&here.topic.name, &member).await?.is_none() {
        return Ok(done(&here.topic.name, SettingsSaid::MemberRemoved));
    }
    set(visit, here, member, role, SettingsSaid::RoleChanged).await
}

async fn set(
    visit: &Visit<'_>,
    here: &Here,
    member: Member,
    role: Role,
    said: SettingsSaid,
) -> Result<Response, StoreError> {
    let by = Some(here.session.account.id);
    let changed = visit.server.store.add_member(&here.topic.name, member, role, by, visit.now).await?;
    Ok(match changed {
        MemberChanged::Changed | MemberChanged::Unchanged => done(&here.topic.name, said),
        MemberChanged::LastOwner => wrong(visit, here, SettingsError::LastOwner).await,
        MemberChanged::TooMany => wrong(visit, here, SettingsError::TooManyMembers).await,
        MemberChanged::Absent => odd(visit),
    })
}

async fn remove(visit: &Visit<'_>, here: &Here, fields: &Parameters) -> Result<Response, StoreError> {
    let Some(member) = named(fields) else { return Ok(odd(visit)) };
    let by = Some(here.session.account.id);
    let removed = visit.server.store.remove_member(&here.topic.name, member, by, visit.now).await?;
    Ok(match removed {
        MemberChanged::LastOwner => wrong(visit, here, SettingsError::LastOwner).await,
        _ => done(&here.topic.name, SettingsSaid::MemberRemoved),
    })
}

async fn leave(visit: &Visit<'_>, here: &Here) -> Result<Response, StoreError> {
    let own = here.session.account.id;
    let left = visit.server.store.remove_member(&here.topic.name, Member::Account(own), Some(own), visit.now).await?;
    Ok(match left {
        MemberChanged::LastOwner => wrong(visit, here, SettingsError::LastOwner).await,
        _ => see_other("/topics"),
    })
}

/// The member that a row's form names.
fn named(fields: &Parameters) -> Option<Member> {
    let id = fields.text("id")?;
    match fields.text("kind")? {
        "account" => Id::parse(id).map(Member::Account),
        "client" => Some(Member::Client(id.to_owned())),
        _ => None,
    }
}
