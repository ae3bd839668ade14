//! Where a topic's events go: group robots, which owners add, and browsers, which each member adds for themselves.

use fujie_channel::{
    outbox::Recipient,
    robot::{AddressError, Kind, Robot},
    web_push::Subscription,
};
use fujie_core::{id::Id, random::SystemRandom, request::parameters::Parameters, secret::Digest};
use fujie_store::{NewTarget, Role, StoreError, Target, TargetAdded, TargetKind};
use http::header;

use super::{
    topic::{Here, language},
    topic_settings::{done, odd, wrong, wrong_robot},
};
use crate::{
    channel::targets::seal_of,
    form::Visit,
    http::{Request, Response, see_other},
    page::{ErrorKind, SettingsError, SettingsSaid},
    server::Server,
};

/// Characters of a label, at most.
const LABEL_LENGTH_MAX: usize = 60;

/// POST: adds one.
pub async fn post(server: &Server, request: &Request, name: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let kind = fields.text("kind").and_then(TargetKind::parse);
    let entered = match kind {
        Some(TargetKind::WebPush) => Here::enter(&visit, name).await,
        _ => Here::enter_as_owner(&visit, name).await,
    };
    let here = match entered {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let done = match kind {
        Some(TargetKind::WebPush) => add_browser(&visit, &here, &fields).await,
        Some(kind) => add_robot(&visit, &here, &fields, kind).await,
        None => Ok(odd(&visit)),
    };
    done.unwrap_or_else(|error| visit.unavailable(&error))
}

async fn add_browser(visit: &Visit<'_>, here: &Here, fields: &Parameters) -> Result<Response, StoreError> {
    let text = fields.text("subscription").unwrap_or_default();
    let simulator = visit.server.settings.channel.simulators.push_at.as_ref();
    let back = |said: &str| see_other(&format!("/topics/{}?said={said}", here.topic.name));
    let Ok(subscription) = Subscription::parse(text.as_bytes(), simulator) else {
        return Ok(back("device-refused"));
    };
    let label = device(visit.request.header(header::USER_AGENT).unwrap_or_default());
    let added = add(visit, here, TargetKind::WebPush, &Recipient::WebPush(subscription), label).await?;
    Ok(match added {
        Some(TargetAdded::Added | TargetAdded::Renewed(_)) => back("device-added"),
        Some(TargetAdded::TooMany) => wrong(visit, here, SettingsError::TooManyTargets).await,
        Some(TargetAdded::NotMember) | None => visit.error(ErrorKind::Unavailable),
    })
}

async fn add_robot(
    visit: &Visit<'_>,
    here: &Here,
    fields: &Parameters,
    kind: TargetKind,
) -> Result<Response, StoreError> {
    let Some(robot_kind) = Kind::parse(kind.as_str()) else { return Ok(odd(visit)) };
    let label: String = fields.text("label").unwrap_or_default().trim().chars().take(LABEL_LENGTH_MAX).collect();
    let is_label = !label.is_empty() && !label.chars().any(char::is_control);
    let label = if is_label { label } else { kind.as_str().to_owned() };
    let simulator = visit.server.settings.channel.simulators.robot_at.as_ref();
    let address = fields.text("address").unwrap_or_default();
    let robot = match Robot::parse(robot_kind, address, fields.text("secret"), simulator) {
        Ok(robot) => robot,
        Err(error) => {
            let error = match error {
                AddressError::Malformed => SettingsError::RobotAddress,
                AddressError::OtherHost => SettingsError::RobotHost,
                AddressError::Secret => SettingsError::RobotSecret,
            };
            return Ok(wrong_robot(visit, here, (kind, label), error).await);
        }
    };
    let added = add(visit, here, kind, &Recipient::Robot(robot), label).await?;
    Ok(match added {
        Some(TargetAdded::Added | TargetAdded::Renewed(_)) => done(&here.topic.name, SettingsSaid::RobotAdded),
        Some(TargetAdded::TooMany) => wrong(visit, here, SettingsError::TooManyTargets).await,
        Some(TargetAdded::NotMember) | None => visit.error(ErrorKind::Unavailable),
    })
}

/// Adds a target of the visitor's, or renews the one that the topic has at this address. `None` when it cannot be
/// sealed.
async fn add(
    visit: &Visit<'_>,
    here: &Here,
    kind: TargetKind,
    recipient: &Recipient,
    label: String,
) -> Result<Option<TargetAdded>, StoreError> {
    let server = visit.server;
    let (topic, address) = (&here.topic.name, Digest::from_bytes(recipient.digest()));
    let text = recipient.to_secret(language(visit.lang));
    let standing = server.store.targets(topic).await?.into_iter().find(|target| target.address.matches(&address));
    let mut id = standing.map_or_else(|| Id::new(visit.now, &mut SystemRandom), |target| target.id);
    loop {
        let Ok(sealed) = server.seal_secret(seal_of(kind), &id.to_string(), &text) else { return Ok(None) };
        let account = Some(here.session.account.id);
        let new = NewTarget { id, topic: topic.clone(), kind, account, label: label.clone(), address, sealed };
        match server.store.add_target(new, visit.now).await? {
            // What is sealed is bound to its row: somebody added the same address between the look and the act.
            TargetAdded::Renewed(row) if row != id => id = row,
            added => return Ok(Some(added)),
        }
    }
}

/// POST below one: removes it, or tries it again.
pub async fn post_one(server: &Server, request: &Request, name: &str, id: &str) -> Response {
    let visit = Visit::new(server, request);
    let fields = match visit.form(&server.snapshot(), "topic", "") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let here = match Here::enter(&visit, name).await {
        Ok(here) => here,
        Err(response) => return *response,
    };
    let done = async {
        let found = match Id::parse(id) {
            Some(id) => server.store.target(id).await?,
            None => None,
        };
        match found.filter(|target| may_change(&here, target)) {
            Some(target) => change(&visit, &here, &fields, target).await,
            None => Ok(visit.error(ErrorKind::NotFound)),
        }
    };
    done.await.unwrap_or_else(|error| visit.unavailable(&error))
}

/// A robot is its topic's owners' matter, a browser that of whom it belongs to.
fn may_change(here: &Here, target: &Target) -> bool {
    let is_own = target.account == Some(here.session.account.id);
    let may = if target.kind == TargetKind::WebPush { is_own } else { here.role == Role::Owner };
    target.topic == here.topic.name && may
}

async fn change(visit: &Visit<'_>, here: &Here, fields: &Parameters, target: Target) -> Result<Response, StoreError> {
    let topic = &here.topic.name;
    match fields.text("action") {
        Some("remove") => {
            visit.server.store.remove_target(target.id, Some(here.session.account.id), visit.now).await?;
            if fields.text("from") == Some("topic") {
                return Ok(see_other(&format!("/topics/{topic}?said=device-removed")));
            }
            Ok(done(topic, SettingsSaid::TargetRemoved))
        }
        Some("retry") => {
            let Target { id, topic: of, kind, account, label, address, sealed, .. } = target;
            let again = NewTarget { id, topic: of, kind, account, label, address, sealed };
            visit.server.store.add_target(again, visit.now).await?;
            Ok(done(topic, SettingsSaid::TargetRetried))
        }
        _ => Ok(odd(visit)),
    }
}

/// What a person recognises a browser by, from what it says of itself.
fn device(user_agent: &str) -> String {
    let first = |words: &[(&str, &'static str)]| {
        words.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("HarmonyOS", "HarmonyOS"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_browser_is_called_as_its_person_would() {
        let android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        assert_eq!(device(android), "Chrome, Android");
        assert_eq!(device(&format!("{android} Edg/140.0")), "Edge, Android");
        assert_eq!(device(iphone), "Safari, iPhone");
        assert_eq!(device("curl/8.0"), "Browser");
    }
}
