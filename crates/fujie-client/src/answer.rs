//! Reading an answer: size, UTF-8, notation, and whether it says that something failed.
//!
//! Owns tolerance (the `Content-Type` is ignored, a number may be a string) and refusal by the
//! provider's own error code, whatever the HTTP status. What the fields mean is for `token` and
//! `identity`.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{Endpoint, Evidence, ProviderError};
use crate::excerpt::{excerpt, label, scrub};
use crate::provider::{AnswerFormat, Call, Provider, Refusal};
use crate::transport::{RESPONSE_BODY_MAX, Response};

/// Characters of a subject, at most (OpenID Connect Core §2).
const SUBJECT_LENGTH_MAX: usize = 255;
/// Fields of a form answer, at most.
const FORM_FIELDS_MAX: usize = 64;
/// Characters of a provider's error code, at most.
const ERRCODE_LENGTH_MAX: usize = 64;

/// One answer in view of the record, with the secrets that it may repeat.
pub(crate) struct Answer<'a> {
    provider: &'a Provider,
    endpoint: Endpoint,
    response: &'a Response,
    known: Vec<&'a str>,
    /// The object that has the fields.
    within: Option<&'a str>,
    root: Value,
}

impl<'a> Answer<'a> {
    /// Reads an answer that reports success; one that reports failure becomes its cause.
    pub(crate) fn read(
        provider: &'a Provider,
        endpoint: Endpoint,
        call: &'a Call,
        response: &'a Response,
        known: Vec<&'a str>,
    ) -> Result<Self, ProviderError> {
        let within = call.within.as_deref();
        let mut answer = Self { provider, endpoint, response, known, within, root: Value::Null };
        if response.body.len() > RESPONSE_BODY_MAX {
            return Err(ProviderError::TooLarge { endpoint });
        }
        if (300..400).contains(&response.status) {
            return Err(ProviderError::Redirected(answer.evidence()));
        }
        match parse(call.answer, &response.body) {
            Ok(fields) => answer.root = Value::Object(fields),
            // A status of which nothing is known explains nothing either.
            Err(what) => match answer.failed_status() {
                None | Some(ProviderError::Refused(_)) => return Err(answer.bad(what)),
                Some(failure) => return Err(failure),
            },
        }
        if let Some(errcode) = answer.errcode()? {
            return Err(answer.refused(&errcode));
        }
        match answer.failed_status() {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// An answer of which nothing is believed; for saying what was seen.
    pub(crate) fn unread(
        provider: &'a Provider,
        endpoint: Endpoint,
        response: &'a Response,
        known: Vec<&'a str>,
    ) -> Self {
        Self { provider, endpoint, response, known, within: None, root: Value::Null }
    }

    pub(crate) fn into_value(self) -> Value {
        match self.within {
            Some(within) => at(&self.root, within).cloned().unwrap_or_default(),
            None => self.root,
        }
    }

    /// The value at a path of names joined by dots.
    pub(crate) fn field(&self, path: &str) -> Option<&Value> {
        let object = match self.within {
            Some(within) => at(&self.root, within)?,
            None => &self.root,
        };
        at(object, path).filter(|value| !value.is_null())
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required(&self, field: &str) -> Result<&str, ProviderError> {
        match self.field(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::String(_)) => Err(self.bad(format!("{field} is empty"))),
            None => Err(self.bad(format!("{field} is missing"))),
            Some(_) => Err(self.bad(format!("{field} is not a string"))),
        }
    }

    /// A string that may be absent; null and empty count as absent.
    pub(crate) fn optional(&self, field: &str) -> Result<Option<&str>, ProviderError> {
        match self.field(field) {
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            None => Ok(None),
            Some(_) => Err(self.bad(format!("{field} is not a string"))),
        }
    }

    /// The granted scopes, where the answer speaks of them. Empty is an answer: nothing. Providers
    /// that ask with one separator answer with another, or with a list.
    pub(crate) fn scope(&self, field: &str) -> Result<Option<Vec<String>>, ProviderError> {
        let split = |text: &str| -> Vec<String> {
            text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
        };
        match self.field(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(split(text))),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                Ok(Some(list.iter().filter_map(Value::as_str).flat_map(split).collect()))
            }
            Some(_) => Err(self.bad(format!("{field} is neither a string nor a list of strings"))),
        }
    }

    /// Whether the answer says that all is well, by an error code of success or by any field.
    pub(crate) fn success_said(&self) -> Result<(), ProviderError> {
        let is_empty = self.root.as_object().is_none_or(Map::is_empty);
        if is_empty { Err(self.bad("the answer says nothing")) } else { Ok(()) }
    }

    /// The first of these that is there, for show: whatever is not a string counts as absent.
    pub(crate) fn shown(&self, fields: &[String]) -> Option<String> {
        shown(fields, |field| self.field(field)?.as_str())
    }

    /// Whole seconds, as a number or a string of digits.
    pub(crate) fn seconds(&self, field: &str) -> Result<Option<u32>, ProviderError> {
        let seconds = match self.field(field) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        match seconds {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(self.bad(format!("{field} is not a number of seconds"))),
        }
    }

    /// Whether a field says 1 or true.
    pub(crate) fn is_set(&self, field: Option<&str>) -> bool {
        match field.and_then(|field| self.field(field)) {
            Some(Value::Bool(is_true)) => *is_true,
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            Some(Value::String(text)) => !matches!(text.as_str(), "" | "0" | "false"),
            _ => false,
        }
    }

    /// The person's identifier: the first of these fields that is there. A missing one must never
    /// become an identity that everybody shares, so placeholders that programs write for
    /// "nothing" are refused too.
    pub(crate) fn subject(&self, fields: &[String]) -> Result<String, ProviderError> {
        let subject = fields.iter().find_map(|field| self.field(field)).and_then(subject);
        subject.ok_or_else(|| ProviderError::SubjectMissing { field: fields.join(" or "), evidence: self.evidence() })
    }

    /// The identifier shared among applications: absent or empty is none, anything unusable is
    /// refused as a subject would be. It is a string wherever there is one, so a number is refused.
    pub(crate) fn union_subject(&self) -> Result<Option<String>, ProviderError> {
        let Some(name) = self.provider.identity.union_subject.as_deref() else {
            return Ok(None);
        };
        match self.field(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(_)) => self.subject(&[name.to_owned()]).map(Some),
            Some(_) => Err(ProviderError::SubjectMissing { field: name.to_owned(), evidence: self.evidence() }),
        }
    }

    pub(crate) fn mismatch(&self, field: &str) -> ProviderError {
        ProviderError::SubjectMismatch { field: field.to_owned(), evidence: self.evidence() }
    }

    pub(crate) fn other_audience(&self) -> ProviderError {
        ProviderError::OtherAudience(self.evidence())
    }

    pub(crate) fn bad(&self, what: impl Into<String>) -> ProviderError {
        ProviderError::Unreadable { what: what.into(), evidence: self.evidence() }
    }

    /// The first error code that does not say success.
    fn errcode(&self) -> Result<Option<String>, ProviderError> {
        let shape = &self.provider.errors;
        for field in &shape.code {
            let errcode = match at(&self.root, field) {
                None | Some(Value::Null) => continue,
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::String(text)) => text.trim().to_owned(),
                Some(_) => return Err(self.bad(format!("{field} is neither a number nor a string"))),
            };
            if !shape.success.contains(&errcode) {
                return Ok(Some(errcode));
            }
        }
        Ok(None)
    }

    fn refused(&self, errcode: &str) -> ProviderError {
        let shape = &self.provider.errors;
        let mut evidence = self.evidence();
        match shape.refusals.get(errcode) {
            Some(refusal) => {
                // A word of the record is no secret, however long.
                evidence.errcode = Some(errcode.to_owned());
                cause(*refusal, self.endpoint, evidence)
            }
            None => {
                evidence.errcode = Some(scrub(errcode, &self.known).chars().take(ERRCODE_LENGTH_MAX).collect());
                ProviderError::Refused(evidence)
            }
        }
    }

    /// The cause that the HTTP status tells, where the body tells none (RFC 6750 §3.1).
    fn failed_status(&self) -> Option<ProviderError> {
        let by_token = matches!(self.endpoint, Endpoint::User | Endpoint::Check | Endpoint::Subject | Endpoint::Api);
        match self.response.status {
            200..=299 => None,
            401 if by_token => Some(ProviderError::AccessTokenRefused(self.evidence())),
            401 => Some(ProviderError::CredentialsRefused(self.evidence())),
            403 if self.is_limited() => Some(ProviderError::RateLimited(self.evidence())),
            403 if by_token => Some(ProviderError::NotPermitted(self.evidence())),
            404 if self.endpoint == Endpoint::Api => Some(ProviderError::NotPermitted(self.evidence())),
            400 | 422 if self.endpoint == Endpoint::Api => Some(ProviderError::RequestRefused(self.evidence())),
            429 => Some(ProviderError::RateLimited(self.evidence())),
            500..=599 => Some(ProviderError::Busy(self.evidence())),
            _ => Some(ProviderError::Refused(self.evidence())),
        }
    }

    /// Whether the headers tell of too many requests: to wait (RFC 9110 §10.2.3), or that none is left, as GitHub does.
    fn is_limited(&self) -> bool {
        self.response.header("retry-after").is_some() || self.response.header("x-ratelimit-remaining") == Some("0")
    }

    fn evidence(&self) -> Box<Evidence> {
        let content_type = self.response.header("content-type");
        let message = self.provider.errors.message.iter().find_map(|field| at(&self.root, field)?.as_str());
        Box::new(Evidence {
            endpoint: self.endpoint,
            status: self.response.status,
            content_type: content_type.map(|value| label(value, &self.known)),
            body_length: self.response.body.len(),
            errcode: None,
            message: message.map(|message| scrub(message, &self.known)),
            excerpt: excerpt(&self.response.body, &self.known),
        })
    }
}

/// The first of these that is there. One may be several fields with spaces between, a given name
/// before a family name: then what there is of them is joined.
pub(crate) fn shown<'v>(fields: &[String], text: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
    fields.iter().find_map(|names| {
        let mut parts: Vec<&str> = names.split(' ').filter_map(&text).map(str::trim).collect();
        parts.retain(|part| !part.is_empty());
        // Han characters, kana and Hangul: the family name stands first, and no space behind it.
        let is_east_asian = parts.concat().chars().all(|character| character >= '\u{2e80}');
        if is_east_asian {
            parts.reverse();
        }
        Some(parts.join(if is_east_asian { "" } else { " " })).filter(|text| !text.is_empty())
    })
}

/// The value at a path of names joined by dots; a number is a place in a list.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| match name.parse::<usize>() {
        Ok(index) if value.is_array() => value.get(index),
        _ => value.get(name),
    })
}

/// A subject as text; a whole number is one too.
pub(crate) fn subject(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| is_usable_subject(text))
}

fn is_usable_subject(text: &str) -> bool {
    !matches!(text, "" | "0" | "null" | "undefined")
        && text.chars().count() <= SUBJECT_LENGTH_MAX
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

/// Providers use one code for several things; the endpoint tells them apart.
fn cause(refusal: Refusal, endpoint: Endpoint, evidence: Box<Evidence>) -> ProviderError {
    match (refusal, endpoint) {
        // No access token was sent there: what is said of one means what it is made of.
        (Refusal::Code | Refusal::CodeUsed | Refusal::Grant | Refusal::AccessToken, Endpoint::Refresh)
        | (Refusal::RefreshToken, _) => ProviderError::RefreshTokenRefused(evidence),
        (Refusal::AccessToken, Endpoint::Token) | (Refusal::Credentials, _) => {
            ProviderError::CredentialsRefused(evidence)
        }
        (Refusal::Code | Refusal::Grant, _) => ProviderError::CodeRefused(evidence),
        (Refusal::CodeUsed, _) => ProviderError::CodeUsed(evidence),
        (Refusal::AccessToken, _) => ProviderError::AccessTokenRefused(evidence),
        (Refusal::RateLimit, _) => ProviderError::RateLimited(evidence),
        (Refusal::Busy, _) => ProviderError::Busy(evidence),
        (Refusal::Permission, _) => ProviderError::NotPermitted(evidence),
        (Refusal::Account, _) => ProviderError::AccountRestricted(evidence),
        (Refusal::Request, _) => ProviderError::RequestRefused(evidence),
        (Refusal::Denied, Endpoint::User | Endpoint::Check | Endpoint::Subject) => {
            ProviderError::NotPermitted(evidence)
        }
        (Refusal::Denied, _) => ProviderError::Denied,
    }
}

/// The fields of a body, whatever they say.
pub(crate) fn parse(format: AnswerFormat, body: &[u8]) -> Result<Map<String, Value>, &'static str> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Err("the body is not UTF-8");
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    let parsed = match format {
        AnswerFormat::Json => object(text),
        AnswerFormat::Jsonp => object(argument(text)),
        AnswerFormat::Form if text.contains('{') => object(argument(text)),
        AnswerFormat::Form => form(text),
    };
    parsed.ok_or(match format {
        AnswerFormat::Json => "the body is not a JSON object",
        AnswerFormat::Jsonp => "the body is neither a JSON object nor a call with one",
        AnswerFormat::Form => "the body is not form text",
    })
}

/// Some write a comma behind the last field.
fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&without_trailing_commas(text)?).ok())
}

fn without_trailing_commas(text: &str) -> Option<String> {
    let (mut kept, mut comma, mut in_string, mut is_escaped) = (String::new(), None, false, false);
    for character in text.chars() {
        if in_string {
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if character == ',' {
            comma = Some(kept.len());
        } else if matches!(character, '}' | ']') {
            if let Some(at) = comma.take() {
                kept.replace_range(at..=at, "");
            }
        } else if !character.is_whitespace() {
            comma = None;
            in_string = character == '"';
        }
        kept.push(character);
    }
    (kept.len() < text.len()).then_some(kept)
}

/// What stands between the first brace and the last: the padding around it is never run.
fn argument(text: &str) -> &str {
    let Some(start) = text.find('{') else {
        return text;
    };
    let Some(end) = text.rfind('}') else {
        return text;
    };
    text.get(start..=end).unwrap_or(text)
}

fn form(text: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let earlier = fields.insert(name.into_owned(), Value::String(value.into_owned()));
        if earlier.is_some() || fields.len() > FORM_FIELDS_MAX {
            return None;
        }
    }
    text.contains('=').then_some(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(format: AnswerFormat, body: &str, expected: Option<Value>) {
        assert_eq!(parse(format, body.as_bytes()).ok().map(Value::Object), expected, "{body}");
    }

    #[test]
    fn answers_are_read_in_the_notation_of_the_record() {
        use AnswerFormat::{Form, Json, Jsonp};
        check(Json, "\u{feff}{\"a\":1}\n", Some(json!({"a": 1})));
        check(Json, "callback( {\"a\":1} );", None);
        check(Json, "[1]", None);
        check(Json, "a=1", None);
        check(Jsonp, "callback( {\"a\":1} );\n", Some(json!({"a": 1})));
        check(Jsonp, "{\"a\":1}", Some(json!({"a": 1})));
        check(Jsonp, "callback( }{ );", None);
        check(Jsonp, "callback( {\"a\":\"1,}\\\",\",\n} );", Some(json!({"a": "1,}\","})));
        check(Json, "{\"a\":[1,2,],}", Some(json!({"a": [1, 2]})));
        check(Json, "{\"a\":1,,}", None);
        check(Form, "a=1&b=%E4%B8%AD", Some(json!({"a": "1", "b": "中"})));
        check(Form, "callback( {\"error\":100020} );", Some(json!({"error": 100020})));
        check(Form, "a=1&a=2", None);
        check(Form, "<html>", None);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(parse(AnswerFormat::Json, deep.as_bytes()).unwrap_err(), "the body is not a JSON object");
    }
}
