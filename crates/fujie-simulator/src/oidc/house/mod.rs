//! What sets one OpenID provider apart from another: paths, terms, and the places where a house
//! adds to the standard's answers or writes them its own way.
//!
//! The defaults are the standard's; each house's file says only what is particular.

mod apple;
mod gitlab;
mod google;
mod microsoft;
mod plain;

pub(crate) use apple::Apple;
pub(crate) use gitlab::Gitlab;
pub(crate) use google::Google;
pub(crate) use microsoft::Microsoft;
pub(crate) use plain::Plain;

use super::ask::{self, Rules};
use super::client_auth::{self, Desk};
use super::config::{Client, Switches};
use super::failure::Failure;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::ledger::Terms;
use crate::people::Person;
use crate::random;
use crate::simulation::{Simulation, Title};
use axum::Router;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A house's routes.
pub(crate) type Routes<M> = Router<Arc<Simulation<World<M>>>>;

/// Where the endpoints are. `{tenant}` is the first segment where a house has tenants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths {
    pub(crate) discovery: &'static str,
    pub(crate) authorize: &'static str,
    pub(crate) token: &'static str,
    pub(crate) jwks: &'static str,
    pub(crate) userinfo: Option<&'static str>,
    pub(crate) revoke: Option<&'static str>,
    pub(crate) device_authorization: Option<&'static str>,
    pub(crate) pushed_authorization_request: Option<&'static str>,
    pub(crate) end_session: Option<&'static str>,
}

impl Paths {
    /// The tenant in a path, `common` where none is named.
    pub(crate) fn tenant_in(self, path: &str) -> &str {
        let is_tenanted = self.discovery.starts_with("/{tenant}/");
        let first = path.split('/').nth(1).filter(|first| is_tenanted && !first.is_empty());
        first.unwrap_or("common")
    }
}

/// The issuer's name at its three places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// In the discovery document.
    pub(crate) discovered: String,
    /// In tokens and callbacks.
    pub(crate) named: String,
    /// The `tid` claim.
    pub(crate) tenant_id: Option<String>,
}

/// What is known when something is answered about a person.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) person: &'a Person,
    /// Space-separated.
    pub(crate) scope: &'a str,
    pub(crate) switches: &'a Switches,
    pub(crate) now: Timestamp,
}

impl Facts<'_> {
    pub(crate) fn has_scope(&self, name: &str) -> bool {
        ask::has_scope(self.scope, name)
    }

    /// `email_verified` as the switches want it.
    pub(crate) fn email_verified(&self) -> Value {
        let is_verified = self.switches.email_verified;
        if self.switches.email_verified_as_string { json!(is_verified.to_string()) } else { json!(is_verified) }
    }

    /// The address of the person's picture, if there is one.
    pub(crate) fn picture(&self) -> Option<String> {
        self.person.picture().map(|path| if path.starts_with('/') { format!("{}{path}", self.base_url) } else { path })
    }
}

/// How a house differs from the standard.
pub(crate) trait Manners: Sized + Send + Sync + 'static {
    const NAME: &'static str;
    const TITLE: Title;
    const PATHS: Paths;
    const TERMS: Terms;
    /// What discovery tells.
    const SCOPES: &'static [&'static str];
    const RULES: Rules = Rules { response_types: &["code"], form_post_for_scope: false };
    /// `iss` comes back in callbacks (RFC 9207).
    const SENDS_ISS: bool = false;
    /// A proof of a key binds tokens to it (RFC 9449).
    const BINDS_TOKENS: bool = false;
    /// An id_token comes with every sign-in, `openid` in the scope or not.
    const ALWAYS_ID_TOKEN: bool = false;
    /// Clients sign; a client without a key is given a pair at the start.
    const CLIENTS_SIGN: bool = false;
    /// Whether the token endpoint also reads the query, which the standard forbids to send (RFC 6749 §2.3.1).
    const READS_QUERY: bool = false;

    fn issuer(base_url: &str, _tenant: &str, switches: &Switches) -> Issuer {
        let (discovered, named, tenant_id) = match switches.tenant_templated_issuer {
            true => {
                let tenant_id = random::settled(&["tenant"], random::HEX, 32);
                (format!("{base_url}/{{tenantid}}"), format!("{base_url}/{tenant_id}"), Some(tenant_id))
            }
            false => (base_url.to_owned(), base_url.to_owned(), None),
        };
        Issuer { discovered, named, tenant_id }
    }

    /// The person's `sub`, the same for ever.
    fn sub(person: &Person, _client_id: &str) -> String {
        random::settled(&["sub", Self::NAME, &person.name], random::HEX, 24)
    }

    /// The claims about the person, in userinfo and in the id_token (OpenID Connect Core §5.4).
    fn profile(facts: &Facts<'_>) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("sub", json!(Self::sub(facts.person, facts.client_id)));
        if facts.has_scope("profile") {
            put("name", json!(facts.person.nickname));
            put("nickname", json!(facts.person.nickname));
            put("preferred_username", json!(facts.person.login()));
            if let Some(picture) = facts.picture() {
                put("picture", json!(picture));
            }
        }
        if let Some(email) = facts.person.email.as_deref().filter(|_| facts.has_scope("email")) {
            put("email", json!(email));
            put("email_verified", facts.email_verified());
        }
        claims
    }

    /// The scope that is granted, in the standard's words.
    fn scope(asked: &str) -> String {
        asked.to_owned()
    }

    /// Whether a sign-in is given a refresh token.
    fn is_refreshable(scope: &str, _request: &Fields, _is_first: bool, switches: &Switches) -> bool {
        !switches.refresh_needs_offline_access || ask::has_scope(scope, "offline_access")
    }

    /// Adds to the parameters of a good callback.
    fn callback(_facts: &Facts<'_>, _request: &Fields, _is_first: bool, _answer: &mut Vec<(&'static str, String)>) {}

    /// The parameters of a refusal by the person.
    fn denial() -> Vec<(&'static str, String)> {
        let description = "the person refused";
        vec![("error", "access_denied".to_owned()), ("error_description", description.to_owned())]
    }

    /// Adds to the token answer.
    fn tokens(_facts: &Facts<'_>, _answer: &mut Map<String, Value>) {}

    /// Adds to the claims of the id_token.
    fn claims(_facts: &Facts<'_>, _issuer: &Issuer, _claims: &mut Map<String, Value>) {}

    /// Writes an error's body.
    fn failure(failure: &Failure, _now: Timestamp) -> Value {
        json!({ "error": failure.error, "error_description": failure.description })
    }

    /// The device endpoint's answer.
    fn device(_answer: &mut Map<String, Value>) {}

    /// Whether this is the client's secret.
    fn knows_secret(desk: &Desk<'_>, client: &Client, secret: &str) -> bool {
        client_auth::is_same_secret(desk, client, secret)
    }

    /// Endpoints beyond the standard.
    fn routes(routes: Routes<Self>) -> Routes<Self> {
        routes
    }
}
