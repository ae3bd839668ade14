//! What a hook delivered in the last days, and the same once more.

use fujie_core::time::Timestamp;
use serde_json::{Value, json};

use super::{Ask, Github, Part, moment, path};
use crate::error::ProviderError;
use crate::request::Method;

/// Characters of a text that is shown, at most.
const TEXT_LENGTH_MAX: usize = 100;

/// An attempt to deliver one event to a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookDelivery {
    /// The number of this attempt.
    pub id: u64,
    /// The event's own name, `X-GitHub-Delivery`: every attempt to deliver the same event has it.
    pub guid: String,
    /// When.
    pub delivered_at: Option<Timestamp>,
    /// Somebody asked for it.
    pub is_redelivery: bool,
    /// The receiver answered 2xx.
    pub is_success: bool,
    /// What GitHub says of the outcome, for example `OK` or `timed out`.
    pub status: String,
    /// The event, for example `push`.
    pub event: String,
    /// What happened to its subject, for example `opened`.
    pub action: Option<String>,
}

impl Github<'_> {
    /// What a hook delivered, the newest first; GitHub keeps three days, an Enterprise Server seven. `cursor` is what an
    /// earlier part named as its next. Scope `read:repo_hook`.
    ///
    /// # Errors
    /// As [`crate::Client::create_hook`].
    pub async fn hook_deliveries(
        &self,
        repository: &str,
        id: u64,
        cursor: Option<&str>,
    ) -> Result<Part<HookDelivery>, ProviderError> {
        let own = format!("/repos/{}/hooks/{id}/deliveries", path(repository)?);
        let mut query = vec![("per_page", "100")];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let told = self.call(Ask { query: &query, ..Ask::new(Method::Get, &own) }).await?;
        let items = told.items(delivery).ok_or_else(|| self.odd("the deliveries are not a list"))?;
        Ok(Part { items, next: told.next("cursor") })
    }

    /// Has GitHub deliver the same again, by the number of an attempt. Scope `write:repo_hook`.
    ///
    /// # Errors
    /// As [`crate::Client::create_hook`].
    pub async fn deliver_again(&self, repository: &str, hook: u64, delivery: u64) -> Result<(), ProviderError> {
        let own = format!("/repos/{}/hooks/{hook}/deliveries/{delivery}/attempts", path(repository)?);
        self.call(Ask { body: Some(json!({})), ..Ask::new(Method::Post, &own) }).await.map(drop)
    }
}

fn delivery(value: &Value) -> Option<HookDelivery> {
    let text = |name: &str| {
        let text = value.get(name)?.as_str().filter(|text| !text.is_empty())?;
        Some(text.chars().filter(|c| !c.is_control()).take(TEXT_LENGTH_MAX).collect::<String>())
    };
    let status_code = value.get("status_code").and_then(Value::as_u64);
    Some(HookDelivery {
        id: value.get("id")?.as_u64()?,
        guid: text("guid")?,
        delivered_at: text("delivered_at").as_deref().and_then(moment::parse),
        is_redelivery: value.get("redelivery").and_then(Value::as_bool).unwrap_or_default(),
        is_success: status_code.is_some_and(|code| (200..300).contains(&code)),
        status: text("status").unwrap_or_default(),
        event: text("event")?,
        action: text("action"),
    })
}
