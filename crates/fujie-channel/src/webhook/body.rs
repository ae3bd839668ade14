//! What a delivery says: JSON, plain or in a form.

use std::{borrow::Cow, fmt};

use fujie_core::secret::Secret;
use http::{HeaderMap, header};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::value::RawValue;

use super::{Refusal, only};
use crate::event::Json;

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
pub(super) fn masked<'a>(json: &'a str, secret: &Secret) -> Result<Cow<'a, str>, Refusal> {
    let Ok(mut members) = serde_json::from_str::<Members<'_>>(json) else { return Ok(Cow::Borrowed(json)) };
    let mask = RawValue::from_string(r#""***""#.to_owned()).or(Err(Refusal::NotJson))?;
    let is_secret =
        |value: &RawValue| serde_json::from_str::<String>(value.get()).is_ok_and(|text| Secret::new(text) == *secret);
    let mut found = false;
    for (_, value) in &mut members.0 {
        if is_secret(value) {
            *value = &mask;
            found = true;
        }
    }
    if !found {
        return Ok(Cow::Borrowed(json));
    }
    serde_json::to_string(&members).map(Cow::Owned).or(Err(Refusal::NotJson))
}

/// The members of an object, in their order, their values as they stand there.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
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
