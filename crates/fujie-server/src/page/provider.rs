//! How a third-party provider is named and coloured on a page.
//!
//! Deliberately not here: what a provider can do (`fujie-client` knows). No brand images are
//! shipped: the marks' owners set terms for them; a plain letter in a calm colour stands instead.

use minijinja::value::Value;
use serde::Serialize;

use super::Lang;
use super::words::Words;

/// A provider as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// The connection's id, as it stands in `/broker/{id}/start`.
    pub id: String,
    /// Which provider it is: gives its name in each language, its letter and its colour.
    pub kind: ProviderKind,
    /// The operator's own name for the connection, shown as it is in every language; without it
    /// the kind's name is shown, and for [`ProviderKind::Other`] the id.
    pub label: Option<String>,
}

impl Provider {
    /// A connection whose kind is guessed from its id (`wechat`, `wechat-mp`, `github-work`).
    #[must_use]
    pub fn new(id: &str, label: Option<&str>) -> Self {
        let name = id.split(['-', '_', '.']).next().unwrap_or(id);
        Self { id: id.to_owned(), kind: ProviderKind::of(name), label: label.map(str::to_owned) }
    }
}

/// The providers that pages know by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum ProviderKind {
    /// 微信.
    Wechat,
    /// QQ.
    Qq,
    /// 微博.
    Weibo,
    /// GitHub.
    Github,
    /// Any other; named by its label or id.
    Other,
}

impl ProviderKind {
    /// The kind by the name that `fujie-client` gives a provider.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "wechat" => Self::Wechat,
            "qq" => Self::Qq,
            "weibo" => Self::Weibo,
            "github" => Self::Github,
            _ => Self::Other,
        }
    }
}

/// The name shown for a serialised [`Provider`].
pub(super) fn name(words: &Words, lang: Lang, provider: &Value) -> Result<String, minijinja::Error> {
    let label = provider.get_attr("label")?;
    if let Some(label) = label.as_str() {
        return Ok(label.to_owned());
    }
    let kind = provider.get_attr("kind")?.get_attr("is")?;
    match kind.as_str() {
        Some("other") | None => Ok(provider.get_attr("id")?.to_string()),
        Some(known) => words.say_plain(lang, &format!("provider-{known}")),
    }
}
