//! Pushed authorization requests (RFC 9126): the request goes to the provider directly, and the browser carries only a
//! name for it, so that nobody reads or changes it on the way.
//!
//! The push is authenticated like a token request; how is for `client_assertion` and the secret.

use std::fmt;

use super::{Fields, Malformed, seconds, text};
use fujie_core::time::Timestamp;

/// Characters of a `request_uri`, at most.
const REQUEST_URI_LENGTH_MAX: usize = 2048;

/// The parameters of a push: those of the authorization request, and `client_id` once. A `request_uri` among them
/// would be refused (§2.1), and so it is left out.
pub fn parameters<'a>(client_id: &'a str, authorization: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let pushed = authorization.iter().filter(|(name, _)| !matches!(*name, "client_id" | "request_uri"));
    std::iter::once(("client_id", client_id)).chain(pushed.copied()).collect()
}

/// A request that the provider holds for us. It is used once, and soon.
#[derive(Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its name.
    pub request_uri: String,
    /// When the provider forgets it.
    pub expires_at: Timestamp,
}

impl Pushed {
    /// Reads the answer to a push that succeeded (§2.2; 201, and 200 from some). `now` is when it was sent, or earlier.
    ///
    /// # Errors
    /// [`Malformed`], by member.
    pub fn read(fields: &Fields, now: Timestamp) -> Result<Self, Malformed> {
        let lifetime = seconds(fields, "expires_in")?.ok_or(Malformed("expires_in"))?;
        let request_uri = text(fields, "request_uri", REQUEST_URI_LENGTH_MAX)?.to_owned();
        Ok(Self { request_uri, expires_at: now + lifetime })
    }

    /// All that the browser carries to the authorization endpoint (§4).
    pub fn authorization_parameters<'a>(&'a self, client_id: &'a str) -> [(&'static str, &'a str); 2] {
        [("client_id", client_id), ("request_uri", &self.request_uri)]
    }
}

impl fmt::Debug for Pushed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pushed").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn read(answer: Value) -> Result<Pushed, Malformed> {
        Pushed::read(answer.as_object().unwrap(), NOW)
    }

    #[test]
    fn a_push_holds_the_request_and_the_browser_its_name() {
        let request = [("response_type", "code"), ("client_id", "other"), ("request_uri", "x"), ("state", "s")];
        let expected = [("client_id", "shop"), ("response_type", "code"), ("state", "s")];
        assert_eq!(parameters("shop", &request), expected);
        let pushed =
            read(json!({"request_uri": "urn:ietf:params:oauth:request_uri:6esc_11", "expires_in": 60})).unwrap();
        assert_eq!(pushed.expires_at, Timestamp::from_millis(1_790_000_060_000));
        let expected = [("client_id", "shop"), ("request_uri", "urn:ietf:params:oauth:request_uri:6esc_11")];
        assert_eq!(pushed.authorization_parameters("shop"), expected);
        assert!(!format!("{pushed:?}").contains("6esc"));
    }

    #[test]
    fn an_answer_that_names_nothing_is_refused() {
        let cases = [
            (json!({}), "expires_in"),
            (json!({"expires_in": 60}), "request_uri"),
            (json!({"request_uri": "", "expires_in": 60}), "request_uri"),
            (json!({"request_uri": "a b", "expires_in": 60}), "request_uri"),
            (json!({"request_uri": "u".repeat(2049), "expires_in": 60}), "request_uri"),
            (json!({"request_uri": ["u"], "expires_in": 60}), "request_uri"),
            (json!({"request_uri": "u", "expires_in": -1}), "expires_in"),
            (json!({"request_uri": "u", "expires_in": null}), "expires_in"),
        ];
        for (answer, member) in cases {
            assert_eq!(read(answer.clone()), Err(Malformed(member)), "{answer:.60}");
        }
    }
}
