//! A topic's page: what happened there, newest first, and a form for notices. Reading and posting by programs is in
//! [`super::topic_events`].

use fujie_channel::{
    event::{NOTICE, is_topic},
    message::{Language, Message},
    web_push::vapid,
};
use fujie_core::account::Session;
use fujie_store::{ChannelEvent, Integration, Member, OWN_TOPIC, Role, StoreError, TargetKind, Topic};
use http::StatusCode;

use crate::{
    channel::{
        access::{Denied, Visitor},
        log,
        post::{self, PostError},
    },
    form::{ContentPolicy, Stopped, Visit, topic_path},
    http::{Request, Response, json, refusal, see_other},
    notice::{self, Draft, Notice},
    page::{
        self, Card, CardLink, ErrorKind, Lang, NoticeDraft, NoticeError, NoticeKind, PushDevice, PushOffer, TopicRole,
        TopicSaid,
    },
    server::Server,
};

/// Events of one part of the list.
const CARDS_MAX: u32 = 50;

/// Characters of a notice's text by the form: encoded they fit into what is read of a form.
const TEXT_LENGTH_MAX: usize = 5000;

/// Somebody at a topic that they belong to.
pub(crate) struct Here {
    pub session: Session,
    pub topic: Topic,
    pub role: Role,
}

impl Here {
    /// The visitor, if they belong to the topic of this name. Who is not signed in is led to do so and back; who does
    /// not belong to it is not told whether there is such a topic.
    pub async fn enter(visit: &Visit<'_>, name: &str) -> Result<Self, Stopped> {
        let failed = |error: StoreError| Box::new(visit.unavailable(&error));
        let Some(session) = visit.session().await.map_err(failed)? else {
            let path = topic_path(&visit.request.path).unwrap_or_default();
            return Err(Box::new(visit.remember(see_other(&format!("/sign-in?resume={path}")))));
        };
        let found = if is_topic(name) { visit.server.store.topic(name).await.map_err(failed)? } else { None };
        if let Some(topic) = found {
            match Visitor::of_session(&session).role(visit.server, name).await {
                Ok(role) => return Ok(Self { session, topic, role }),
                Err(Denied::Store(error)) => return Err(failed(error)),
                Err(Denied::NotMember | Denied::Session | Denied::Token(_)) => {}
            }
        }
        Err(Box::new(visit.error(ErrorKind::NotFound)))
    }

    /// The same for owners only; a member sees as much as a stranger.
    pub async fn enter_as_owner(visit: &Visit<'_>, name: &str) -> Result<Self, Stopped> {
        let here = Self::enter(visit, name).await?;
        if here.role == Role::Owner { Ok(here) } else { Err(Box::new(visit.error(ErrorKind::NotFound))) }
    }

    /// As pages show the role.
    pub const fn shown_role(&self) -> TopicRole {
        shown_role(self.role)
    }
}

/// As pages show it.
pub(super) const fn shown_role(role: Role) -> TopicRole {
    match role {
        Role::Owner => TopicRole::Owner,
        Role::Member => TopicRole::Member,
    }
}

/// The language of messages that goes with a page's.
pub(super) const fn language(lang: Lang) -> Language {
    match lang {
        Lang::En => Language::English,
        Lang::Zh => Language::Chinese,
    }
}

/// GET.
pub async fn get(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let here = match Here::enter(&visit, name).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let said = match request.query().unwrap_or_default().text("said") {
        Some("posted") => Some(TopicSaid::Posted),
        Some("device-added") => Some(TopicSaid::DeviceAdded),
        Some("device-removed") => Some(TopicSaid::DeviceRemoved),
        Some("device-refused") => Some(TopicSaid::DeviceRefused),
        _ => None,
    };
    show(&visit, &here, said, NoticeDraft::empty(), None).await
}

/// POST of the page's form: a notice.
pub async fn post(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let here = match Here::enter(&visit, name).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let text = |field: &str| fields.text(field).unwrap_or_default();
    let at = zoned(text("at"), text("offset"));
    let draft = Draft { title: text("title"), text: text("text"), kind: fields.text("kind"), at: Some(&at) };
    let is_too_long = draft.text.chars().count() > TEXT_LENGTH_MAX;
    let error = match Notice::new(draft, &here.session.account.name) {
        Ok(_) if is_too_long => NoticeError::TextTooLong,
        Ok(notice) => return append(&visit, &here, &notice).await,
        Err(notice::NoticeError::Title | notice::NoticeError::Kind) => NoticeError::TitleInvalid,
        Err(notice::NoticeError::Text) => NoticeError::TextTooLong,
        Err(notice::NoticeError::At) => NoticeError::AtInvalid,
    };
    let kind = match fields.text("kind") {
        Some("meeting") => NoticeKind::Meeting,
        Some("activity") => NoticeKind::Activity,
        _ => NoticeKind::Notice,
    };
    let typed =
        NoticeDraft { kind, title: text("title").to_owned(), at: text("at").to_owned(), text: text("text").to_owned() };
    show(&visit, &here, None, typed, Some(error)).await
}

async fn append(visit: &Visit<'_>, here: &Here, notice: &Notice) -> Response {
    let (author, topic) = (Member::Account(here.session.account.id), &here.topic.name);
    match post::append(visit.server, &author, topic, || Ok(notice.posted())).await {
        Ok(_) => see_other(&format!("/topics/{topic}?said=posted")),
        Err(PostError::OwnTopic | PostError::Topic(_)) => visit.error(ErrorKind::NotFound),
        Err(PostError::TooMany) => visit.error(ErrorKind::TooManyRequests),
        Err(PostError::Data(_) | PostError::Full) => visit.error(ErrorKind::Unavailable),
        Err(PostError::Store(error)) => visit.unavailable(&error),
    }
}

/// The time that a form's field names, with the zone that the browser is in, in minutes east of UTC, if it said so.
fn zoned(at: &str, offset: &str) -> String {
    let offset = offset.parse::<i32>().ok().filter(|minutes| minutes.abs() <= 15 * 60);
    let (Some(minutes), false) = (offset, at.is_empty()) else { return at.to_owned() };
    let sign = if minutes < 0 { '-' } else { '+' };
    let seconds = if at.len() == "2026-11-22T14:00".len() { ":00" } else { "" };
    format!("{at}{seconds}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

async fn show(
    visit: &Visit<'_>,
    here: &Here,
    said: Option<TopicSaid>,
    notice: NoticeDraft,
    error: Option<NoticeError>,
) -> Response {
    let code = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    match load(visit, here).await {
        Ok(page) => {
            let page = page::Topic { said, notice, error, ..page };
            visit.page_under(code, &page, &ContentPolicy { is_live: true, ..ContentPolicy::default() })
        }
        Err(error) => visit.unavailable(&error),
    }
}

async fn load(visit: &Visit<'_>, here: &Here) -> Result<page::Topic, StoreError> {
    let (server, name) = (visit.server, &here.topic.name);
    let before = visit.request.query().unwrap_or_default().text("before").and_then(|id| id.parse().ok());
    let mut rows = server.store.events_before(name, before, CARDS_MAX + 1).await?;
    let has_older = rows.len() > CARDS_MAX as usize;
    rows.truncate(CARDS_MAX as usize);
    let snapshot = server.snapshot();
    let key = snapshot.ring.vapid(visit.now).and_then(vapid::public_key);
    let push = match key {
        None => None,
        Some(public_key) => Some(PushOffer { public_key, devices: devices(server, here).await? }),
    };
    Ok(page::Topic {
        name: name.clone(),
        title: here.topic.title.clone(),
        older_before: rows.last().filter(|_| has_older).map(|last| last.id),
        newest: rows.first().map_or(0, |first| first.id),
        cards: cards(server, name, rows, visit.lang).await?,
        is_older: before.is_some(),
        may_post: name != OWN_TOPIC,
        csrf: visit.csrf(&snapshot, "topic", ""),
        notice: NoticeDraft::empty(),
        error: None,
        said: None,
        push,
    })
}

/// The person's own browsers that this topic's events go to.
async fn devices(server: &Server, here: &Here) -> Result<Vec<PushDevice>, StoreError> {
    let targets = server.store.targets(&here.topic.name).await?;
    let is_own = |target: &&fujie_store::Target| {
        target.kind == TargetKind::WebPush && target.account == Some(here.session.account.id)
    };
    let device = |target: &fujie_store::Target| PushDevice { id: target.id.to_string(), address: target.address.hex() };
    Ok(targets.iter().filter(is_own).map(device).collect())
}

/// GET, by the script of the page: what came after `after`, in the language of the page.
pub async fn cards_after(server: &Server, request: &Request, name: &str) -> Response {
    #[derive(serde::Serialize)]
    struct News {
        cards: Vec<Card>,
        has_gap: bool,
    }
    let visit = Visit::new(server, request);
    let here = match Here::enter(&visit, name).await {
        Ok(here) => here,
        Err(response) if response.status() == StatusCode::SEE_OTHER => {
            return refusal(StatusCode::UNAUTHORIZED, "access_denied", "the session has ended");
        }
        Err(response) => return *response,
    };
    let after = request.query().unwrap_or_default().text("after").and_then(|id| id.parse().ok()).unwrap_or(0_i64);
    let news = async {
        let mut rows = server.store.events_before(&here.topic.name, None, CARDS_MAX + 1).await?;
        rows.retain(|row| row.id > after);
        let has_gap = rows.len() > CARDS_MAX as usize;
        rows.truncate(CARDS_MAX as usize);
        Ok::<_, StoreError>(News { cards: cards(server, &here.topic.name, rows, visit.lang).await?, has_gap })
    };
    match news.await {
        Ok(news) => json(StatusCode::OK, &news),
        Err(error) => visit.unavailable(&error),
    }
}

async fn cards(server: &Server, topic: &str, rows: Vec<ChannelEvent>, lang: Lang) -> Result<Vec<Card>, StoreError> {
    let integrations = server.store.integrations(topic).await?;
    Ok(rows.iter().map(|row| card(server, row, &integrations, lang)).collect())
}

fn card(server: &Server, row: &ChannelEvent, integrations: &[Integration], lang: Lang) -> Card {
    let mut message = Message::of(&log::event(server.issuer(), row).line, language(lang));
    let is_of_person = row.event_type == NOTICE && row.source.starts_with("/topics/");
    if is_of_person {
        // Its last line says who wrote it, and so does the foot of the card.
        message.lines.pop();
    }
    // Where the data is too long for a line, the page of the topic is no place to read on: we are there.
    let address = row.is_kept.then(|| log::address(server.issuer(), row)).or(message.link);
    let link = address.and_then(|url| {
        let host = url::Url::parse(&url).ok()?.host_str()?.to_owned();
        Some(CardLink { url, host })
    });
    Card {
        id: row.id,
        title: message.title,
        lines: message.lines,
        link,
        from: from(server, row, integrations),
        at_milliseconds: row.at.millis(),
    }
}

/// Who says so: a source by its name, a person by theirs, or this server.
fn from(server: &Server, row: &ChannelEvent, integrations: &[Integration]) -> String {
    let source = row.source.strip_prefix("/hooks/").and_then(|id| integrations.iter().find(|own| own.id == id));
    let author = || {
        let data: serde_json::Value = serde_json::from_str(row.data.as_deref()?).ok()?;
        data.get("author")?.as_str().map(str::to_owned)
    };
    match source {
        Some(integration) => integration.label.clone(),
        None if row.event_type == NOTICE => author().unwrap_or_default(),
        None if row.source == "/" => server.settings.name.clone(),
        None => row.event_type.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::zoned;

    #[test]
    fn a_time_gets_the_zone_of_the_browser() {
        for (at, offset, expected) in [
            ("2026-11-22T14:00", "480", "2026-11-22T14:00:00+08:00"),
            ("2026-11-22T14:00:30", "-210", "2026-11-22T14:00:30-03:30"),
            ("2026-11-22T14:00", "0", "2026-11-22T14:00:00+00:00"),
            ("2026-11-22T14:00", "", "2026-11-22T14:00"),
            ("2026-11-22T14:00", "99999", "2026-11-22T14:00"),
            ("", "480", ""),
        ] {
            assert_eq!(zoned(at, offset), expected);
        }
    }
}
