//! What an application asks for at `/oauth2/authorize`, and the addresses that answer it.
//!
//! A wrong application or callback is told on a page of Weibo's own; everything else by redirect, in one exact order
//! and encoding.

use super::error::WeiboError;
use super::ledger::Grant;
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
    /// `display=apponweibo`: nothing is sent back, the page around the frame is loaded anew.
    pub(crate) is_framed: bool,
}

/// Why no sign-in page is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 21322 or 21324.
    Page(WeiboError),
    /// Where the browser goes.
    Redirect(String),
}

impl Request {
    /// Without `response_type` a code is meant.
    pub(crate) fn check(world: &World, fields: &Fields) -> Result<Self, Refusal> {
        let app = fields.filled("client_id").and_then(|client_id| world.app(client_id));
        let app = app.ok_or(Refusal::Page(WeiboError::INVALID_CLIENT))?;
        if !fields.filled("redirect_uri").is_some_and(|uri| app.callback.admits(uri)) {
            return Err(Refusal::Page(WeiboError::REDIRECT_URI_MISMATCH));
        }
        let request = Self::read(fields);
        match fields.filled("response_type") {
            None | Some("code" | "token") => Ok(request),
            _ => Err(Refusal::Redirect(request.failed(&WeiboError::UNSUPPORTED_RESPONSE_TYPE))),
        }
    }

    /// The fields of a request that was checked before.
    pub(crate) fn read(fields: &Fields) -> Self {
        Self {
            client_id: fields.sent("client_id").unwrap_or_default().to_owned(),
            redirect_uri: fields.sent("redirect_uri").unwrap_or_default().to_owned(),
            state: fields.sent("state").map(str::to_owned),
            scope: fields.sent("scope").unwrap_or_default().to_owned(),
            is_implicit: fields.sent("response_type") == Some("token"),
            is_framed: fields.sent("display") == Some("apponweibo"),
        }
    }

    /// What the person grants by agreeing.
    pub(crate) fn grant(&self, world: &World, person: &str) -> Grant {
        let withheld = &world.switches.withheld_scopes;
        let scopes = world.app(&self.client_id).map(|app| app.grants(&self.scope, withheld)).unwrap_or_default();
        Grant { client_id: self.client_id.clone(), person: person.to_owned(), scopes }
    }

    /// Where the browser goes with an answer: `code=…`, or the fields of a token.
    pub(crate) fn answered(&self, answer: &str) -> String {
        let uri = &self.redirect_uri;
        let border = match (self.is_implicit, uri.contains('?')) {
            (true, _) => '#',
            (false, true) => '&',
            (false, false) => '?',
        };
        let state = self.state.iter().map(|state| format!("&state={}", percent::encode(state)));
        format!("{uri}{border}{answer}{}", state.collect::<String>())
    }

    /// `error_uri` comes first, `state` last (a choice: no capture has one).
    pub(crate) fn failed(&self, error: &WeiboError) -> String {
        let description = error.description.as_deref().unwrap_or(error.text);
        self.answered(&format!(
            "error_uri=%2Foauth2%2Fauthorize&error={}&error_description={}&error_code={}",
            error.text,
            percent::encode(description),
            error.number,
        ))
    }

    /// Where the browser goes when the person refuses.
    pub(crate) fn denied(&self) -> String {
        self.failed(&WeiboError::ACCESS_DENIED.described("user denied your request."))
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Request};
    use crate::fields::Fields;
    use crate::weibo::config::WeiboConfig;
    use crate::weibo::error::WeiboError;
    use crate::weibo::world::World;

    fn check(query: &str) -> Result<Request, Refusal> {
        Request::check(&World::new(WeiboConfig::default()).unwrap(), &Fields::of(query.as_bytes()))
    }

    #[test]
    fn a_wrong_application_or_callback_is_a_page_and_the_rest_a_redirect() {
        let client = Err(Refusal::Page(WeiboError::INVALID_CLIENT));
        assert_eq!(check(""), client);
        assert_eq!(check("client_id=1&redirect_uri=http://localhost/"), client);
        let mismatch = Err(Refusal::Page(WeiboError::REDIRECT_URI_MISMATCH));
        assert_eq!(check("client_id=1000000001"), mismatch);
        assert_eq!(check("client_id=1000000001&redirect_uri=http://a.example/"), mismatch);
        let good = "client_id=1000000001&redirect_uri=http://localhost/";
        assert!(check(good).is_ok_and(|request| !request.is_implicit && request.state.is_none()));
        let expected = "http://localhost/?error_uri=%2Foauth2%2Fauthorize&error=unsupported_response_type\
                        &error_description=unsupported_response_type&error_code=21329";
        assert_eq!(check(&format!("{good}&response_type=x")), Err(Refusal::Redirect(expected.to_owned())));
    }

    #[test]
    fn a_denial_has_one_order_and_one_encoding() {
        let of =
            |more: &str| check(&format!("client_id=1000000001&redirect_uri=http://localhost/{more}")).unwrap().denied();
        let denial = "error_uri=%2Foauth2%2Fauthorize&error=access_denied\
                      &error_description=user%20denied%20your%20request.&error_code=21330";
        assert_eq!(of(""), format!("http://localhost/?{denial}"));
        assert_eq!(of("?x=1&state=s%201"), format!("http://localhost/?x=1&{denial}&state=s%201"));
        assert_eq!(of("&response_type=token"), format!("http://localhost/#{denial}"));
    }
}
