//! The words of the pages: Fluent messages, two files per language, embedded.
//!
//! A message is spoken strictly: a missing key or variable is an error, never a blank on a page.
//! Names from outside are put into sentences here, so this is also where a name that reverses the
//! text around it (U+202E and its kin) is disarmed. Escaping is the template's.

use fluent::concurrent::FluentBundle;
use fluent::{FluentArgs, FluentResource, FluentValue};
use fujie_core::line::is_bidi;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use unic_langid::LanguageIdentifier;

use super::{Lang, PageError};

/// The messages of both languages.
pub(super) struct Words {
    en: FluentBundle<FluentResource>,
    zh: FluentBundle<FluentResource>,
    /// Which keys were spoken, for the test that finds unused ones.
    #[cfg(test)]
    pub(super) spoken: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl Words {
    pub(super) fn new() -> Result<Self, PageError> {
        Ok(Self {
            en: bundle(Lang::En, EN)?,
            zh: bundle(Lang::Zh, ZH)?,
            #[cfg(test)]
            spoken: std::sync::Mutex::default(),
        })
    }

    /// One message that has no variables.
    pub(super) fn say_plain(&self, lang: Lang, key: &str) -> Result<String, Error> {
        self.say(lang, key, &Kwargs::from_iter(std::iter::empty::<(&str, Value)>()))
    }

    /// One message, with its variables filled in.
    pub(super) fn say(&self, lang: Lang, key: &str, args: &Kwargs) -> Result<String, Error> {
        #[cfg(test)]
        if let Ok(mut spoken) = self.spoken.lock() {
            spoken.insert(key.to_owned());
        }
        let bundle = match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        };
        let pattern = bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| fault(key, "there is no such message"))?;
        let mut values = FluentArgs::new();
        for name in args.args() {
            let value: Value = args.get(name)?;
            if let Some(value) = variable(&value) {
                values.set(name.to_owned(), value);
            }
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values), &mut errors);
        match errors.first() {
            Some(error) => Err(fault(key, &error.to_string())),
            None => Ok(join(&text, lang)),
        }
    }
}

fn bundle(lang: Lang, source: &str) -> Result<FluentBundle<FluentResource>, PageError> {
    let broken = |detail: String| PageError::Words { lang: lang.code(), detail };
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| broken(format!("{errors:?}")))?;
    let id: LanguageIdentifier = lang.code().parse().map_err(|error| broken(format!("{error}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The marks around each variable tell `join` where a name begins and ends.
    bundle.set_use_isolating(true);
    bundle.add_resource(resource).map_err(|errors| broken(format!("{errors:?}")))?;
    Ok(bundle)
}

fn fault(key: &str, detail: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("message {key}: {detail}"))
}

/// A variable as Fluent takes it. Numbers are spoken as plain digits (ports and limits, never
/// `8,080`); what is neither text nor number is not for a sentence.
fn variable(value: &Value) -> Option<FluentValue<'static>> {
    match value.kind() {
        ValueKind::Number => Some(value.to_string().into()),
        ValueKind::String => value.as_str().map(|text| without_bidi_controls(text).into()),
        _ => None,
    }
}

/// Names keep their letters and lose the invisible characters that steer text direction; those
/// only ever serve to make a sentence of ours read as something else.
fn without_bidi_controls(text: &str) -> String {
    text.chars().filter(|c| !is_bidi(*c)).collect()
}

/// Replaces Fluent's marks around variables. Where a name has right-to-left letters the marks
/// stay: they keep its direction to itself. Elsewhere they go, and in Chinese a Latin name is set
/// off from Han characters by a space, as careful typesetting does.
fn join(text: &str, lang: Lang) -> String {
    let keeps_marks = text.chars().any(is_right_to_left);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != FSI && c != PDI {
            out.push(c);
            continue;
        }
        if keeps_marks {
            out.push(c);
        } else if lang == Lang::Zh
            && let (Some(before), Some(after)) = (out.chars().next_back(), chars.peek())
            && needs_space(before, *after)
        {
            out.push(' ');
        }
    }
    out
}

fn needs_space(before: char, after: char) -> bool {
    let latin = |c: char| c.is_alphanumeric() && !is_han(c);
    (is_han(before) && latin(after)) || (latin(before) && is_han(after))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// First strong isolate and pop directional isolate, which Fluent puts around variables.
const FSI: char = '\u{2068}';
const PDI: char = '\u{2069}';

pub(super) const EN: &str = concat!(include_str!("../../i18n/en.ftl"), include_str!("../../i18n/topic_en.ftl"));
pub(super) const ZH: &str = concat!(include_str!("../../i18n/zh.ftl"), include_str!("../../i18n/topic_zh.ftl"));

#[cfg(test)]
mod tests {
    use super::{Lang, join, without_bidi_controls};

    #[test]
    fn a_latin_name_is_set_off_in_a_chinese_sentence_only() {
        let sentence = "使用\u{2068}GitHub\u{2069}登录";
        assert_eq!(join(sentence, Lang::Zh), "使用 GitHub 登录");
        assert_eq!(join("使用\u{2068}微信\u{2069}登录", Lang::Zh), "使用微信登录");
        assert_eq!(join("“\u{2068}Demo\u{2069}”想", Lang::Zh), "“Demo”想");
        assert_eq!(join("with \u{2068}微信\u{2069}.", Lang::En), "with 微信.");
    }

    #[test]
    fn a_name_cannot_turn_the_sentence_around_it() {
        assert_eq!(without_bidi_controls("a\u{202E}b\u{2069}c"), "abc");
        let arabic = "\u{2068}مرحبا\u{2069} wants";
        assert_eq!(join(arabic, Lang::En), arabic);
    }
}
