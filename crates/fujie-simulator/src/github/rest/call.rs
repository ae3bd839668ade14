//! One call of the API: who calls, what is asked, what the body says.
//!
//! Reads `Authorization`; what a caller may do with a thing is decided where the thing is.

use super::RestError;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::github::config::{App, AppKind};
use crate::github::ledger::Token;
use crate::github::world::World;
use crate::people::Person;
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Who calls.
pub(crate) enum Caller {
    Nobody,
    /// An app by its id and secret.
    App(App),
    User(Box<User>),
}

/// A person through an app.
pub(crate) struct User {
    pub(crate) token: Token,
    pub(crate) person: Person,
    pub(crate) app: App,
}

impl User {
    /// Whether the token has a scope, or the GitHub App the permission in its place.
    pub(crate) fn may(&self, scope: &str, permission: &str, write: bool) -> bool {
        match self.app.kind {
            AppKind::OauthApp => self.token.holder.scopes.allow(scope),
            AppKind::GithubApp => self.app.permits(permission, write),
        }
    }

    pub(crate) fn is_of_github_app(&self) -> bool {
        self.app.kind == AppKind::GithubApp
    }
}

impl Caller {
    /// Reads `Bearer`, `token` and Basic, whose words have no case. A token is good in Basic too,
    /// as password or as name.
    pub(crate) fn of(headers: &HeaderMap, world: &mut World, now: Timestamp) -> Result<Self, RestError> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Self::Nobody) };
        let (word, credentials) =
            value.to_str().ok().and_then(|value| value.trim().split_once(' ')).ok_or(RestError::BAD_CREDENTIALS)?;
        let user = match word.to_ascii_lowercase().as_str() {
            "bearer" | "token" => user(world, credentials.trim(), now),
            "basic" => {
                let (name, password) = basic(credentials).ok_or(RestError::BAD_CREDENTIALS)?;
                let app = world.app(&name).filter(|app| app.client_secret == password);
                if let Some(app) = app {
                    return Ok(Self::App(app.clone()));
                }
                user(world, &password, now).or_else(|| user(world, &name, now))
            }
            _ => None,
        };
        user.map(|user| Self::User(Box::new(user))).ok_or(RestError::BAD_CREDENTIALS)
    }
}

fn user(world: &mut World, token: &str, now: Timestamp) -> Option<User> {
    let token = world.ledger.open_token(token, now)?.clone();
    let person = world.person(&token.holder.person)?.clone();
    let app = world.app(&token.holder.client_id)?.clone();
    Some(User { token, person, app })
}

/// Name and password of HTTP Basic.
pub(crate) fn basic(credentials: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// A call, read.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    /// Of the path behind the API's address.
    pub(crate) segments: Vec<&'a str>,
    pub(crate) query: Fields,
    /// As it was sent, for links to other parts of a list.
    pub(crate) raw_query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) caller: Caller,
    /// Where the API is, without a slash at its end.
    pub(crate) api: String,
    pub(crate) now: Timestamp,
}

impl Call<'_> {
    pub(crate) fn user(&self) -> Result<&User, RestError> {
        match &self.caller {
            Caller::User(user) => Ok(user),
            Caller::App(_) | Caller::Nobody => Err(RestError::REQUIRES_AUTHENTICATION),
        }
    }

    /// The body, which must be a JSON object whatever its content type says.
    pub(crate) fn json(&self) -> Result<Map<String, Value>, RestError> {
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(RestError::NOT_AN_OBJECT),
            Err(error) => {
                tracing::debug!(%error, "a body is not JSON");
                Err(RestError::NOT_JSON)
            }
        }
    }
}
