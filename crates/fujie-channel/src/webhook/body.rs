//! What a delivery says: JSON, plain or in a form.

use std::{borrow::Cow, fmt};

use fujie_core::secret::Secret;
use http::{HeaderMap, header};
use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Refusal, only};
use crate::event::Json;

/// Is a body what it says, and not compressed? No content coding is undone here (RFC 9110 §8.4).
pub(super) fn uncoded(headers: &HeaderMap) -> Result<(), Refusal> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let is_plain = codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"));
    if is_plain { Ok(()) } else { Err(Refusal::ContentEncoding) }
}

/// GitHub's body: JSON, or a form whose one field `payload` is.
pub(super) fn github<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Cow<'a, str>, Refusal> {
    let content_type = only(headers, &header::CONTENT_TYPE).and_then(Result::ok).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        json(body).map(Cow::Borrowed)
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let payload = payload(body).ok_or(Refusal::NotJson)?;
        Ok(Cow::Owned(json(&payload)?.to_owned()))
    } else {
        Err(Refusal::ContentType)
    }
}

/// The text of a body that is JSON.
pub(super) fn json(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body).or(Err(Refusal::NotJson))?;
    Ok(Json::parse(text).or(Err(Refusal::NotJson))?.as_str())
}

/// `json` with `secret` masked wherever a member of the outermost object has it as its value: Gitee repeats the
/// password there, and an event is for every member of a topic.
pub(super) fn masked<'a>(json: &'a str, secret: &Secret) -> Cow<'a, str> {
    let found = serde_json::Deserializer::from_str(json).deserialize_map(Spelled(secret)).unwrap_or_default();
    if found.is_empty() {
        return Cow::Borrowed(json);
    }
    let (mut text, mut rest) = (String::with_capacity(json.len()), json);
    for value in found {
        // A value is a part of the text.
        let (before, from) = rest.split_at_checked(value.as_ptr().addr() - rest.as_ptr().addr()).unwrap_or_default();
        text.push_str(before);
        text.push_str("\"***\"");
        rest = from.strip_prefix(value).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Finds the members of an object that have this secret as their value: the values, as they are spelled there.
struct Spelled<'s>(&'s Secret);

impl<'de> Visitor<'de> for Spelled<'_> {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let is_secret =
            |value: &str| serde_json::from_str::<String>(value).is_ok_and(|text| Secret::new(text) == *self.0);
        let mut found = Vec::new();
        while let Some((IgnoredAny, value)) = map.next_entry::<IgnoredAny, &RawValue>()? {
            found.extend(Some(value.get()).filter(|value| is_secret(value)));
        }
        Ok(found)
    }
}

/// The one field `payload` of a form (`application/x-www-form-urlencoded`), decoded.
fn payload(form: &[u8]) -> Option<Vec<u8>> {
    let mut fields = form.split(|byte| *byte == b'&').filter_map(|field| field.strip_prefix(b"payload="));
    let payload = fields.next().filter(|_| fields.next().is_none())?;
    let mut decoded = Vec::with_capacity(payload.len());
    let mut bytes = payload.iter().copied();
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => (digit(bytes.next())? << 4 | digit(bytes.next())?) as u8,
            plain => plain,
        });
    }
    Some(decoded)
}
