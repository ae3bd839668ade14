//! Reading a record's fields, and telling which of them cannot be read.
//!
//! serde says what is wrong and not where, so a record that fails is tried field by field inside
//! one that is known to be good. Nothing is spent on it while all is well.

use serde::Deserialize;
use serde_json::Value;

use super::oauth2::{bearer_get, oauth2};
use super::{IdTokenRule, Provider, RecordError};

/// A record from its fields.
pub(super) fn read(record: &Value) -> Result<Provider, RecordError> {
    Provider::deserialize(record).map_err(|source| {
        let (field, source) = first_fault(&complete(), &[], record).unwrap_or((String::new(), source));
        RecordError::Field { field, line: None, source }
    })
}

/// Whether the field at this path may have this value, as far as types go.
pub(super) fn takes(path: &[&str], value: &Value) -> bool {
    fault_at(&complete(), path, value).is_none()
}

/// The line of the field in the text, or of the table that should have it.
#[cfg(feature = "toml")]
pub(super) fn line(text: &str, field: &str) -> Option<usize> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let (mut table, mut start) = (root.get_ref(), None);
    for name in field.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else {
            break;
        };
        start = Some(key.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    Some(text.get(..start?)?.matches('\n').count() + 1)
}

/// The innermost field that cannot be read, and why; the fields in the order of their names.
fn first_fault(good: &Value, path: &[&str], value: &Value) -> Option<(String, serde_json::Error)> {
    let known = path.iter().try_fold(good, |object, name| object.get(name));
    let inner = value.as_object().filter(|_| known.is_some_and(Value::is_object));
    let mut inner = inner.into_iter().flatten();
    inner
        .find_map(|(name, value)| first_fault(good, &[path, &[name.as_str()]].concat(), value))
        .or_else(|| Some((path.join("."), fault_at(good, path, value)?)))
}

fn fault_at(good: &Value, path: &[&str], value: &Value) -> Option<serde_json::Error> {
    let mut record = good.clone();
    let mut place = &mut record;
    for name in path {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = place.as_object_mut()?.entry(*name).or_insert(Value::Null);
    }
    *place = value.clone();
    Provider::deserialize(&record).err()
}

/// A record in which every object is there.
fn complete() -> Value {
    let standard = oauth2("any", "https://any.example", "https://any.example", "https://any.example");
    let call = bearer_get("https://any.example");
    let complete = Provider {
        refresh: Some(call.clone()),
        check: Some(call.clone()),
        subject: Some(call.clone()),
        revocation: Some(call),
        id_token: Some(IdTokenRule {
            issuer: String::new(),
            jwks_uri: String::new(),
            algorithms: Vec::new(),
            subject: Vec::new(),
        }),
        ..standard
    };
    serde_json::to_value(complete).unwrap_or_default()
}
