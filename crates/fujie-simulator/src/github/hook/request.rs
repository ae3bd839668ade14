//! What a caller wants of a hook: the bodies of create, edit and config, read and judged.
//!
//! The texts of errors are the real ones where a source has them; the others are choices. Whether
//! another hook stands in the way is judged here too, against the hooks that are there.

use super::{ContentType, HOOKS_PER_EVENT_MAX, Hook, HookConfig, event};
use crate::github::rest::RestError;
use serde_json::{Map, Value, json};
use url::{Host, Url};

/// A hook as it would be.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) active: bool,
    pub(crate) events: Vec<String>,
    pub(crate) config: HookConfig,
}

impl Wish {
    /// `POST /hooks`: what is not said has a default.
    pub(crate) fn to_create(body: &Map<String, Value>) -> Result<Self, RestError> {
        if text(body, "name")?.is_some_and(|name| name != "web") {
            return Err(invalid("name"));
        }
        let config = object(body, "config")?.ok_or_else(|| missing("config"))?;
        Ok(Self {
            active: boolean(body, "active")?.unwrap_or(true),
            events: match names(body, "events")? {
                Some(events) => events,
                None => vec!["push".to_owned()],
            },
            config: config_of(config, None)?,
        })
    }

    /// `PATCH /hooks/{id}`: `config` replaces the whole one, and a secret it does not repeat is gone.
    pub(crate) fn to_edit(hook: &Hook, body: &Map<String, Value>) -> Result<Self, RestError> {
        let mut events = names(body, "events")?.unwrap_or_else(|| hook.events.clone());
        for added in names(body, "add_events")?.unwrap_or_default() {
            if !events.contains(&added) {
                events.push(added);
            }
        }
        let removed = names(body, "remove_events")?.unwrap_or_default();
        events.retain(|event| !removed.contains(event));
        Ok(Self {
            active: boolean(body, "active")?.unwrap_or(hook.active),
            events,
            config: match object(body, "config")? {
                Some(config) => config_of(config, None)?,
                None => hook.config.clone(),
            },
        })
    }

    /// `PATCH /hooks/{id}/config`: what is not said stays.
    pub(crate) fn to_configure(hook: &Hook, body: &Map<String, Value>) -> Result<Self, RestError> {
        let config = config_of(body, Some(&hook.config))?;
        Ok(Self { active: hook.active, events: hook.events.clone(), config })
    }

    /// Refuses what the other hooks of the repository, or a switch, stand against.
    pub(crate) fn judge<'a>(
        &self,
        others: impl Iterator<Item = &'a Hook>,
        refuse_localhost: bool,
    ) -> Result<(), RestError> {
        let others: Vec<&Hook> = others.collect();
        if refuse_localhost && is_localhost(&self.config.url) {
            let message = "url is not supported because it isn't reachable over the public Internet (localhost)";
            let element = json!({ "resource": "Hook", "code": "custom", "field": "url", "message": message });
            return Err(RestError::validation_failed(vec![element]));
        }
        let sorted = |events: &[String]| {
            let mut events = events.to_vec();
            events.sort_unstable();
            events
        };
        let events = sorted(&self.events);
        if others.iter().any(|hook| sorted(&hook.events) == events && hook.config.url == self.config.url) {
            return Err(custom("Hook already exists on this repository".to_owned()));
        }
        let is_full =
            |event: &&String| others.iter().filter(|hook| hook.events.contains(event)).count() >= HOOKS_PER_EVENT_MAX;
        let full = self.events.iter().filter(is_full).map(|event| {
            custom_element(format!("The \"{event}\" event cannot have more than {HOOKS_PER_EVENT_MAX} hooks"))
        });
        let full: Vec<Value> = full.collect();
        if full.is_empty() { Ok(()) } else { Err(RestError::validation_failed(full)) }
    }
}

/// Reads a `config`, on top of an earlier one or of the defaults.
fn config_of(body: &Map<String, Value>, earlier: Option<&HookConfig>) -> Result<HookConfig, RestError> {
    let url = match (text(body, "url")?, earlier) {
        (Some(url), _) if !url.is_empty() => url.to_owned(),
        (None, Some(earlier)) => earlier.url.clone(),
        _ => return Err(custom("Config must contain URL for webhooks".to_owned())),
    };
    if !Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        let element =
            json!({ "resource": "Hook", "code": "custom", "field": "url", "message": "url is missing a scheme" });
        return Err(RestError::validation_failed(vec![element]));
    }
    let content_type = match text(body, "content_type")? {
        Some("json") => ContentType::Json,
        Some("form") => ContentType::Form,
        Some(_) => return Err(invalid("content_type")),
        None => earlier.map_or(ContentType::Form, |earlier| earlier.content_type),
    };
    let secret = match body.get("secret") {
        None => earlier.and_then(|earlier| earlier.secret.clone()),
        Some(Value::Null) => None,
        Some(_) => text(body, "secret")?.filter(|secret| !secret.is_empty()).map(str::to_owned),
    };
    let insecure_ssl = match body.get("insecure_ssl") {
        None => earlier.map_or_else(|| "0".to_owned(), |earlier| earlier.insecure_ssl.clone()),
        Some(value) if matches!(value.as_str(), Some("0" | "1")) => value.as_str().unwrap_or("0").to_owned(),
        Some(value) if matches!(value.as_u64(), Some(0 | 1)) => value.to_string(),
        Some(_) => return Err(invalid("insecure_ssl")),
    };
    Ok(HookConfig { url, content_type, secret, insecure_ssl })
}

/// The name and the addresses; a switch asks for this, for tests need loopback.
fn is_localhost(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

fn names(body: &Map<String, Value>, field: &str) -> Result<Option<Vec<String>>, RestError> {
    let Some(value) = body.get(field) else { return Ok(None) };
    let list = value.as_array().ok_or_else(|| wrong_type(field, value, "an array"))?;
    let mut read = Vec::new();
    for entry in list {
        let name = entry.as_str().ok_or_else(|| wrong_type(field, entry, "a string"))?;
        if !event::is_known(name) {
            return Err(invalid("events"));
        }
        if !read.iter().any(|known| known == name) {
            read.push(name.to_owned());
        }
    }
    Ok(Some(read))
}

fn text<'a>(body: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, RestError> {
    let Some(value) = body.get(field) else { return Ok(None) };
    value.as_str().map(Some).ok_or_else(|| wrong_type(field, value, "a string"))
}

fn boolean(body: &Map<String, Value>, field: &str) -> Result<Option<bool>, RestError> {
    let Some(value) = body.get(field) else { return Ok(None) };
    value.as_bool().map(Some).ok_or_else(|| wrong_type(field, value, "a boolean"))
}

fn object<'a>(body: &'a Map<String, Value>, field: &str) -> Result<Option<&'a Map<String, Value>>, RestError> {
    let Some(value) = body.get(field) else { return Ok(None) };
    value.as_object().map(Some).ok_or_else(|| wrong_type(field, value, "an object"))
}

fn wrong_type(field: &str, value: &Value, expected: &str) -> RestError {
    let told = if value.is_null() { "nil".to_owned() } else { value.to_string() };
    RestError::invalid_request(&format!("For 'properties/{field}', {told} is not {expected}."))
}

fn missing(field: &str) -> RestError {
    RestError::invalid_request(&format!("\"{field}\" wasn't supplied."))
}

fn invalid(field: &str) -> RestError {
    RestError::validation_failed(vec![json!({ "resource": "Hook", "code": "invalid", "field": field })])
}

fn custom(message: String) -> RestError {
    RestError::validation_failed(vec![custom_element(message)])
}

fn custom_element(message: String) -> Value {
    json!({ "resource": "Hook", "code": "custom", "message": message })
}
