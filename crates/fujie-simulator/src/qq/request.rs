//! What an application asks for at `/oauth2.0/authorize`, and the addresses that answer it.
//!
//! The order of the checks is a choice: application, `response_type`, `redirect_uri`. `state` is documented as required
//! and has never been enforced.

use super::config::{Cancel, Switches};
use super::error::QqError;
use super::ledger::Grant;
use super::token::app_of;
use super::user_info::GET_USER_INFO;
use super::world::World;
use crate::fields::Fields;
use crate::percent;

/// A request that may be shown a sign-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scope: String,
    /// `response_type=token`: the answer stands in the fragment.
    pub(crate) is_implicit: bool,
    /// `display=mobile`, or the `g_ut` of a WAP page.
    pub(crate) is_mobile: bool,
}

impl Request {
    pub(crate) fn check(world: &World, fields: &Fields) -> Result<Self, QqError> {
        let app = app_of(world, fields.filled("client_id").ok_or(QqError::CLIENT_ID)?)?;
        if !app.is_online {
            return Err(QqError::APP_NOT_ONLINE);
        }
        if !matches!(fields.filled("response_type"), Some("code" | "token")) {
            return Err(QqError::RESPONSE_TYPE);
        }
        let redirect_uri = fields.filled("redirect_uri").ok_or(QqError::REDIRECT_URI)?;
        if !app.callback.admits(redirect_uri, world.switches.callback_rule) {
            return Err(QqError::REDIRECT_URI);
        }
        Ok(Self::read(fields))
    }

    /// The fields of a request that was checked before.
    pub(crate) fn read(fields: &Fields) -> Self {
        Self {
            client_id: fields.sent("client_id").unwrap_or_default().to_owned(),
            redirect_uri: fields.sent("redirect_uri").unwrap_or_default().to_owned(),
            state: fields.sent("state").map(str::to_owned),
            scope: fields.filled("scope").unwrap_or(GET_USER_INFO).to_owned(),
            is_implicit: fields.sent("response_type") == Some("token"),
            is_mobile: fields.sent("display") == Some("mobile") || fields.filled("g_ut").is_some(),
        }
    }

    /// What the person grants by agreeing.
    pub(crate) fn grant(&self, person: &str) -> Grant {
        Grant { client_id: self.client_id.clone(), person: person.to_owned(), scope: self.scope.clone() }
    }

    /// Where the browser goes with an answer: `code=…`, or the fields of a token.
    pub(crate) fn answered(&self, answer: &str) -> String {
        let uri = &self.redirect_uri;
        // A fragment is introduced by `?#` as the real one does, though the question is empty.
        let border = match (self.is_implicit, uri.contains('#'), uri.contains('?')) {
            (true, false, false) => "?#",
            (true, false, true) => "#",
            (true, true, _) | (false, _, true) => "&",
            (false, _, false) => "?",
        };
        let state = self.state.iter().map(|state| format!("&state={}", percent::encode(state)));
        format!("{uri}{border}{answer}{}", state.collect::<String>())
    }

    /// Where the browser goes when the person refuses, if anywhere.
    pub(crate) fn cancelled(&self, switches: &Switches) -> Option<String> {
        let is_told = match switches.cancel {
            Cancel::ByDisplay => self.is_mobile,
            Cancel::Closes => false,
            Cancel::Redirects => true,
        };
        is_told.then(|| self.answered("usercancel=1"))
    }
}

#[cfg(test)]
mod tests {
    use super::Request;
    use crate::fields::Fields;
    use crate::qq::config::{Cancel, QqConfig, Switches};
    use crate::qq::world::World;

    fn check(query: &str) -> Result<Request, i32> {
        Request::check(&World::new(QqConfig::default()).unwrap(), &Fields::of(query.as_bytes()))
            .map_err(|error| error.number)
    }

    #[test]
    fn the_first_fault_is_told() {
        let cases = [
            ("", Some(100_001)),
            ("client_id=x", Some(100_001)),
            ("client_id=999999999", Some(100_008)),
            ("client_id=101000001", Some(100_000)),
            ("client_id=101000001&response_type=id_token", Some(100_000)),
            ("client_id=101000001&response_type=code", Some(100_010)),
            ("client_id=101000001&response_type=code&redirect_uri=http://a.example/", Some(100_010)),
            ("client_id=101000001&response_type=code&redirect_uri=http://localhost/", None),
        ];
        for (query, expected) in cases {
            assert_eq!(check(query).err(), expected, "{query}");
        }
    }

    #[test]
    fn the_answer_stands_in_the_query_or_behind_a_question_mark_and_a_hash() {
        let of = |response_type: &str, uri: &str| {
            let query = format!("client_id=101000001&response_type={response_type}&redirect_uri={uri}&state=a%26b");
            check(&query).unwrap().answered("x=1")
        };
        let cases = [
            ("code", "http://localhost/", "http://localhost/?x=1&state=a%26b"),
            ("code", "http://localhost/?y=2", "http://localhost/?y=2&x=1&state=a%26b"),
            ("token", "http://localhost/", "http://localhost/?#x=1&state=a%26b"),
            ("token", "http://localhost/?y=2", "http://localhost/?y=2#x=1&state=a%26b"),
            ("token", "http://localhost/%23z", "http://localhost/#z&x=1&state=a%26b"),
        ];
        for (response_type, uri, expected) in cases {
            assert_eq!(of(response_type, uri), expected);
        }
    }

    #[test]
    fn refusing_is_told_to_mobile_pages_or_by_order() {
        let query = "client_id=101000001&response_type=code&redirect_uri=http://localhost/";
        let (pc, mobile) = (check(query).unwrap(), check(&format!("{query}&display=mobile")).unwrap());
        let told = "http://localhost/?usercancel=1".to_owned();
        let by = |cancel| Switches { cancel, ..Switches::default() };
        assert_eq!(pc.cancelled(&by(Cancel::ByDisplay)), None);
        assert_eq!(mobile.cancelled(&by(Cancel::ByDisplay)), Some(told.clone()));
        assert_eq!(pc.cancelled(&by(Cancel::Redirects)), Some(told));
        assert_eq!(mobile.cancelled(&by(Cancel::Closes)), None);
        assert!(check(&format!("{query}&g_ut=2")).unwrap().is_mobile);
    }
}
