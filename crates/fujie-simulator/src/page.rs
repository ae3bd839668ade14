//! What all pages of the simulators share: escaping, language, the document around a body.
//!
//! Pages are written in place with `format!`; whatever came from outside goes through [`escape`]
//! and stands in text or in a quoted attribute, never inside a script.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// The two languages the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Chinese,
    English,
}

impl Language {
    /// The language a `lang` parameter names: `cn`, `zh_CN`, `en`, …
    pub(crate) fn named(lang: Option<&str>) -> Option<Self> {
        let lang = lang?.to_ascii_lowercase();
        match lang.get(..2)? {
            "zh" | "cn" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// `lang` if it names a language, else the best of `Accept-Language`, else Chinese.
    pub(crate) fn of(lang: Option<&str>, headers: &HeaderMap) -> Self {
        let accepted = || {
            let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            let weighed = value.split(',').take(20).filter_map(|part| {
                let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
                Some((Self::named(Some(tag.trim()))?, weight.trim().parse::<f32>().ok()?))
            });
            // The first of equals wins, hence not `max_by`, which keeps the last.
            weighed.reduce(|best, next| if next.1 > best.1 { next } else { best })
        };
        Self::named(lang).or_else(|| accepted().map(|(language, _)| language)).unwrap_or(Self::Chinese)
    }

    /// The text of the two that this language's reader should see.
    pub(crate) fn say(self, chinese: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The `lang` parameter's word for it.
    pub(crate) fn parameter(self) -> &'static str {
        self.say("cn", "en")
    }
}

/// Text made safe for element content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A whole HTML document. `title` is escaped here; `head` and `body` are HTML already.
pub(crate) fn document(language: Language, title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n{head}</head>\n{body}\n</html>\n",
        lang = language.say("zh-CN", "en"),
        title = escape(title),
    )
}

/// Answers with a page that no cache may keep.
pub(crate) fn answer(status: StatusCode, html: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Language, escape};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn the_language_is_asked_for_then_accepted_then_chinese() {
        let accepting =
            |value: &'static str| HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]);
        let cases = [
            (Some("en"), "zh-CN,zh;q=0.9", Language::English),
            (Some("cn"), "en", Language::Chinese),
            (None, "en-GB,en;q=0.9,zh;q=0.5", Language::English),
            (None, "fr,en;q=0.2,zh-TW;q=0.8", Language::Chinese),
            (None, "fr", Language::Chinese),
            (Some("字"), "en", Language::English),
        ];
        for (lang, header, expected) in cases {
            assert_eq!(Language::of(lang, &accepting(header)), expected, "{lang:?} {header}");
        }
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape(r#""><i>'&"#), "&quot;&gt;&lt;i&gt;&#39;&amp;");
    }
}
