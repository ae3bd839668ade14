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
    /// A connection that has no name of its own.
    #[must_use]
    pub fn of(kind: ProviderKind) -> Self {
        Self { id: kind.name().to_owned(), kind, label: None }
    }
}

/// The providers that pages know by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the providers' own")]
pub enum ProviderKind {
    Wechat,
    Qq,
    Weibo,
    Github,
    Gitee,
    Dingtalk,
    Feishu,
    Wecom,
    Douyin,
    Alipay,
    Baidu,
    Google,
    Microsoft,
    Apple,
    Gitlab,
    Discord,
    /// Any other; named by its label or id.
    Other,
}

impl ProviderKind {
    /// Those that have a name.
    pub const NAMED: [Self; 16] = [
        Self::Wechat,
        Self::Qq,
        Self::Weibo,
        Self::Github,
        Self::Gitee,
        Self::Dingtalk,
        Self::Feishu,
        Self::Wecom,
        Self::Douyin,
        Self::Alipay,
        Self::Baidu,
        Self::Google,
        Self::Microsoft,
        Self::Apple,
        Self::Gitlab,
        Self::Discord,
    ];

    /// The kind by the id that `fujie-client` gives a provider's record.
    #[must_use]
    pub fn of(provider: &str) -> Self {
        Self::NAMED.into_iter().find(|kind| kind.name() == provider).unwrap_or(Self::Other)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Qq => "qq",
            Self::Weibo => "weibo",
            Self::Github => "github",
            Self::Gitee => "gitee",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Wecom => "wecom",
            Self::Douyin => "douyin",
            Self::Alipay => "alipay",
            Self::Baidu => "baidu",
            Self::Google => "google",
            Self::Microsoft => "microsoft",
            Self::Apple => "apple",
            Self::Gitlab => "gitlab",
            Self::Discord => "discord",
            Self::Other => "other",
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

#[cfg(test)]
mod tests {
    use super::ProviderKind;

    #[test]
    fn every_preset_with_a_page_has_a_name_here() {
        for preset in fujie_client::provider::names() {
            let record = fujie_client::provider::named(preset).unwrap();
            assert_ne!(ProviderKind::of(&record.id), ProviderKind::Other, "{preset}");
        }
        assert_eq!(ProviderKind::of("sso.example-0123456789"), ProviderKind::Other);
    }

    #[test]
    fn a_kind_is_called_on_pages_as_in_records() {
        for kind in ProviderKind::NAMED {
            assert_eq!(serde_json::to_value(kind).unwrap()["is"], kind.name());
        }
    }
}
