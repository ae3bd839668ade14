//! The words of the page in two languages, and which of the two a visitor reads.
//!
//! A template or a drawing that asks for a word that is not there fails, and a test asks for all of them.

use std::collections::BTreeMap;

use anyhow::Context as _;

/// The words of one language by key.
pub type Words = BTreeMap<String, String>;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese, shown for every kind of Chinese.
    Zh,
}

impl Lang {
    /// Both.
    #[cfg(test)]
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The language tag (BCP 47), as for `lang` and `ui_locales`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The language of a tag, when it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "zh" => Some(Self::Zh),
            _ => None,
        }
    }

    /// The language that `Accept-Language` (RFC 9110 §12.5.4) likes best; the first of equals, else English.
    pub fn accepted(header: &str) -> Self {
        let ranges = header.split(',').take(RANGES_MAX).filter_map(|range| {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
            Some((Self::of_tag(tag)?, weight)).filter(|(_, weight)| *weight > 0.0 && *weight <= 1.0)
        });
        ranges.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(Self::En, |(lang, _)| lang)
    }

    /// Its words.
    pub fn words(self) -> anyhow::Result<Words> {
        let source = match self {
            Self::En => include_str!("../../templates/demo/words.en.toml"),
            Self::Zh => include_str!("../../templates/demo/words.zh.toml"),
        };
        toml::from_str(source).with_context(|| format!("the words of {} cannot be read", self.tag()))
    }
}

/// How many parts of `Accept-Language` are read at most.
const RANGES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_words_and_none_is_empty() {
        let [en, zh] = Lang::ALL.map(|lang| lang.words().unwrap());
        assert!(en.keys().eq(zh.keys()), "one language has a word that the other lacks");
        for (key, word) in en.iter().chain(&zh) {
            assert!(!word.trim().is_empty(), "{key}");
        }
        assert!(en.values().all(|word| !word.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))));
    }

    #[test]
    fn the_language_is_the_one_liked_best() {
        let cases = [
            ("", Lang::En),
            ("fr", Lang::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("fr,zh-TW;q=0.5,en;q=0.4", Lang::Zh),
            ("zh;q=0.3,en;q=0.7", Lang::En),
            ("zh;q=0", Lang::En),
            ("zh;q=NaN,;;,🌟", Lang::En),
        ];
        for (header, expected) in cases {
            assert_eq!(Lang::accepted(header), expected, "{header}");
        }
    }
}
