//! One request of a provider, as a template.
//!
//! Owns placeholders and what becomes of them. Signing and client authentication are the
//! registration's, sending is the transport's.

use serde::{Deserialize, Serialize};

use super::AnswerFormat;

/// A request and how its answer is written.
///
/// Templates may contain `{client_id}`, `{client_secret}`, `{redirect_uri}`, `{scope}`,
/// `{state}`, `{nonce}`, `{code_challenge}`, `{code_challenge_method}`, `{response_type}`,
/// `{language}`, `{code}`, `{code_verifier}`, `{access_token}`, `{refresh_token}`, `{subject}`,
/// `{china_time}` (`2026-11-21 09:30:00`, UTC+8), `{rsa2_signature}` (Alipay's signature over
/// all other parameters) and `{basic_credentials}` (client id and secret for HTTP Basic, RFC 6749
/// §2.3.1). A call that names the last one authenticates by it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Where it is sent. It may contain `{client_id}`, and nothing else in braces.
    pub endpoint: String,
    /// How it is sent.
    pub method: CallMethod,
    /// Names and templates, in this order.
    pub parameters: Vec<(String, String)>,
    /// Header names in lower case, and templates.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// How the answer is written.
    pub answer: AnswerFormat,
    /// The object inside the answer that has the fields, if it is not the answer itself.
    #[serde(default)]
    pub within: Option<String>,
    /// Whether the token that it brings is our application's and not the person's: it is kept
    /// and used for everybody until it ends.
    #[serde(default)]
    pub is_application: bool,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallMethod {
    /// GET with everything in the query, the secret too.
    Get,
    /// POST with a form body (RFC 6749 §4.1.3).
    PostForm,
    /// POST with everything in the query and no body.
    PostQuery,
    /// POST with a JSON object of strings.
    PostJson,
    /// DELETE with a JSON object of strings.
    DeleteJson,
}

impl Call {
    /// Whether its headers prove who we are, whatever the record says of other calls.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.headers.iter().any(|(_, template)| template.contains("{basic_credentials}"))
    }
}

/// Every name that a template may use.
pub(crate) const PLACEHOLDERS: &[&str] = &[
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_type",
    "language",
    "code",
    "code_verifier",
    "access_token",
    "refresh_token",
    "subject",
    "china_time",
    "rsa2_signature",
    "basic_credentials",
];

/// What placeholders stand for in one request.
#[derive(Clone, Default)]
pub(crate) struct Values<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Values<'a> {
    pub(crate) fn set(&mut self, name: &'static str, value: &'a str) {
        self.0.push((name, value));
    }

    pub(crate) fn set_if(&mut self, name: &'static str, value: Option<&'a str>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// The template with its placeholders filled; `None` when one of them has no value.
    pub(crate) fn fill(&self, template: &str) -> Option<String> {
        let mut filled = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(name) => filled.push_str(self.get(name)?),
            }
        }
        Some(filled)
    }

    /// All templates that could be filled, in their order.
    pub(crate) fn fill_all(&self, templates: &'a [(String, String)]) -> Vec<(&'a str, String)> {
        templates.iter().filter_map(|(name, template)| Some((name.as_str(), self.fill(template)?))).collect()
    }
}

pub(super) enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// A brace that opens nothing is text.
pub(super) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, tail) = match rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some((name, tail)) => (Piece::Placeholder(name), tail),
            None => {
                let next = rest.char_indices().skip(1).find(|(_, character)| *character == '{').map(|(at, _)| at);
                let (text, tail) = rest.split_at_checked(next.unwrap_or(rest.len())).unwrap_or((rest, ""));
                (Piece::Text(text), tail)
            }
        };
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn a_template_is_filled_whole_or_not_at_all() {
        let mut values = Values::default();
        values.set("access_token", "t{code}");
        values.set("subject", "");
        assert_eq!(values.fill("OAuth2 {access_token}"), Some("OAuth2 t{code}".into()));
        assert_eq!(values.fill("{access_token}{access_token}"), Some("t{code}t{code}".into()));
        assert_eq!(values.fill("json"), Some("json".into()));
        assert_eq!(values.fill("a{"), Some("a{".into()));
        assert_eq!(values.fill("{subject}"), None);
        assert_eq!(values.fill("{code}"), None);
    }
}
