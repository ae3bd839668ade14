//! OpenID Connect and the newer parts of OAuth, as a client has them: each file is one document of the standards.
//!
//! All of it is reading and writing: no I/O, and time and randomness are arguments. Sending, retrying and what becomes
//! of a person is not decided here.

pub mod client_assertion;
pub mod device;
pub mod dpop;
pub mod id_token;
pub mod metadata;
pub mod pushed_authorization_request;
pub mod signing_key;
pub mod token_exchange;

use std::time::Duration;

use serde_json::{Map, Value};

/// The members of an answer that was a JSON object.
pub type Fields = Map<String, Value>;

/// A member of an answer is missing or is not what the standard says. No value is shown: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing or malformed in the answer")]
pub struct Malformed(pub &'static str);

/// Seconds of a lifetime that is believed, at most: a day.
const LIFETIME_SECONDS_MAX: u64 = 86_400;

/// A text of printable ASCII without spaces, that long at most.
fn text<'a>(fields: &'a Fields, name: &'static str, length_max: usize) -> Result<&'a str, Malformed> {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_fine = !text.is_empty() && text.len() <= length_max && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_fine { Ok(text) } else { Err(Malformed(name)) }
}

/// Whole seconds above zero, as a number or as a string of digits, cut to a day; `None` when absent.
fn seconds(fields: &Fields, name: &'static str) -> Result<Option<Duration>, Malformed> {
    let seconds = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    match seconds {
        None | Some(0) => Err(Malformed(name)),
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.min(LIFETIME_SECONDS_MAX)))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_are_a_number_or_digits_and_end() {
        let read = |value: Value| seconds(&Map::from_iter([("s".to_owned(), value)]), "s");
        for (value, expected) in [(json!(5), 5), (json!("900"), 900), (json!(u64::MAX), 86_400)] {
            assert_eq!(read(value), Ok(Some(Duration::from_secs(expected))));
        }
        assert_eq!(read(Value::Null), Ok(None));
        for value in [json!(0), json!(-1), json!(1.5), json!(""), json!("5 s"), json!([5]), json!(true)] {
            assert_eq!(read(value.clone()), Err(Malformed("s")), "{value}");
        }
    }
}
