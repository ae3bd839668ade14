//! A person's topics, and a new one.

use fujie_channel::event::{is_title, is_topic};
use fujie_core::{account::Session, request::parameters::Parameters};
use fujie_store::{Member, NewTopic, StoreError, TopicCreated};
use http::StatusCode;

use super::topic::shown_role;
use crate::{
    channel::may_belong,
    form::Visit,
    http::{Request, Response, see_other},
    page::{self, ErrorKind, TopicError, TopicRow},
    server::Server,
};

/// GET: the list, or the way to sign in.
pub async fn get(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    match visit.session().await {
        Ok(Some(session)) => show(&visit, &session, ("", ""), None).await,
        Ok(None) => visit.remember(see_other("/sign-in?resume=/topics")),
        Err(error) => visit.unavailable(&error),
    }
}

/// POST: makes a topic.
pub async fn post(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let session = match visit.session().await {
        Ok(Some(session)) => session,
        Ok(None) => return visit.error(ErrorKind::Forbidden),
        Err(error) => return visit.unavailable(&error),
    };
    let (name, title) = typed(&fields);
    let fault = fault(name, title, &session);
    let error = match fault {
        Some(error) => error,
        None => {
            let new = NewTopic { name: name.to_owned(), title: title.to_owned(), owner: session.account.id };
            match server.store.create_topic(new, visit.now).await {
                Ok(TopicCreated::Created(topic)) => return see_other(&format!("/topics/{}", topic.name)),
                Ok(TopicCreated::Taken) => TopicError::NameTaken,
                Ok(TopicCreated::TooMany) => TopicError::TooMany,
                Ok(TopicCreated::AccountGone) => return visit.error(ErrorKind::AccountDisabled),
                Err(error) => return visit.unavailable(&error),
            }
        }
    };
    show(&visit, &session, (name, title), Some(error)).await
}

fn typed(fields: &Parameters) -> (&str, &str) {
    let text = |field| fields.text(field).unwrap_or_default().trim();
    (text("name"), text("title"))
}

fn fault(name: &str, title: &str, session: &Session) -> Option<TopicError> {
    if !is_title(title) {
        return Some(TopicError::TitleInvalid);
    }
    if !is_topic(name) {
        return Some(TopicError::NameInvalid);
    }
    (!may_belong(&session.account, name)).then_some(TopicError::NameReserved)
}

async fn show(
    visit: &Visit<'_>,
    session: &Session,
    (name, title): (&str, &str),
    error: Option<TopicError>,
) -> Response {
    let topics = match rows(visit, session).await {
        Ok(topics) => topics,
        Err(error) => return visit.unavailable(&error),
    };
    let page = page::Topics {
        topics,
        username: session.account.username.clone(),
        account_id: session.account.id.to_string(),
        csrf: visit.csrf(&visit.server.snapshot(), "topic", ""),
        name: name.to_owned(),
        title: title.to_owned(),
        error,
    };
    let code = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    visit.page(code, &page, &[])
}

async fn rows(visit: &Visit<'_>, session: &Session) -> Result<Vec<TopicRow>, StoreError> {
    let store = &visit.server.store;
    let mut rows = Vec::new();
    for (topic, role) in store.topics_of(&Member::Account(session.account.id)).await? {
        let last = store.events_before(&topic.name, None, 1).await?;
        rows.push(TopicRow {
            name: topic.name,
            title: topic.title,
            role: shown_role(role),
            last_at_milliseconds: last.first().map(|event| event.at.millis()),
        });
    }
    Ok(rows)
}
