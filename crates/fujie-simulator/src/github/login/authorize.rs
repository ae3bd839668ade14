//! `GET /login/oauth/authorize`: who asks, where the code may go, and what the browser takes there.
//!
//! An unknown app gets a page and never a redirect; so does a `redirect_uri` that is not
//! registered, unless a switch says otherwise. `response_type`, `allow_signup`, `login` and
//! `prompt` are read by nobody: the page always lets one choose.

use super::{not_found_page, wrong};
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::github::config::AppKind;
use crate::github::reply::{self, OauthError};
use crate::github::scope::Asked;
use crate::github::world::{Simulation, World};
use crate::page::Language;
use crate::random::NoRandomness;
use crate::sign_in::{self, Ask, SignIn};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use url::form_urlencoded;

const CODE_CHALLENGE: &str = "code_challenge";
/// S256 leaves exactly so many characters.
const CODE_CHALLENGE_LENGTH: usize = 43;

/// Why nobody is asked.
enum Obstacle {
    UnknownClient,
    /// Told on a page.
    RedirectUriMismatch,
    /// Told to the app.
    Error {
        redirect_uri: String,
        error: OauthError,
    },
}

pub(crate) async fn page(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, NoRandomness> {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::of(None, &headers);
    let checked = check(&simulation.world(), &fields);
    match checked {
        Ok(ask) => sign_in::authorize(&simulation, ask, language),
        Err(Obstacle::UnknownClient) => Ok(not_found_page(language)),
        Err(Obstacle::RedirectUriMismatch) => Ok(mismatch_page(language)),
        Err(Obstacle::Error { redirect_uri, error }) => {
            let state = fields.sent("state").unwrap_or_default();
            Ok(sign_in::found(&failed(&simulation.world(), &redirect_uri, state, error)))
        }
    }
}

fn check(world: &World, fields: &Fields) -> Result<Ask, Obstacle> {
    let app = fields.filled("client_id").and_then(|id| world.app(id)).ok_or(Obstacle::UnknownClient)?;
    let registered = app.callbacks.first().ok_or(Obstacle::UnknownClient)?;
    let to_registered = |error| Obstacle::Error { redirect_uri: registered.url.clone(), error };
    if app.suspended {
        return Err(to_registered(OauthError::APPLICATION_SUSPENDED));
    }
    let redirect_uri = match fields.filled("redirect_uri") {
        None => &registered.url,
        Some(requested) if app.callbacks.iter().any(|callback| callback.admits(requested)) => requested,
        Some(_) if world.switches().redirect_uri_mismatch_redirects => {
            return Err(to_registered(OauthError::REDIRECT_URI_MISMATCH_AT_AUTHORIZE));
        }
        Some(_) => return Err(Obstacle::RedirectUriMismatch),
    };
    let redirect_uri = redirect_uri.to_owned();
    let code_challenge = match code_challenge(world, fields) {
        Ok(code_challenge) => code_challenge,
        Err(error) => return Err(Obstacle::Error { redirect_uri, error }),
    };
    let mut request = form_urlencoded::Serializer::new(String::new());
    request.extend_pairs(code_challenge.map(|challenge| (CODE_CHALLENGE, challenge)));
    let scope = fields.sent("scope").filter(|_| app.kind == AppKind::OauthApp);
    Ok(Ask {
        client_id: app.client_id.clone(),
        app_name: app.name.clone(),
        redirect_uri,
        state: fields.sent("state").unwrap_or_default().to_owned(),
        scope: scope.unwrap_or_default().to_owned(),
        request: Fields::of(request.finish().as_bytes()),
        lifetime: world.config.sign_in_lifetime,
    })
}

/// Challenge and method are there together or not at all. No source says how the real one answers
/// the rest; RFC 7636 §4.4.1 does.
fn code_challenge<'a>(world: &World, fields: &'a Fields) -> Result<Option<&'a str>, OauthError> {
    if !world.switches().pkce {
        return Ok(None);
    }
    match (fields.sent(CODE_CHALLENGE), fields.sent("code_challenge_method")) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) if is_s256(challenge) => Ok(Some(challenge)),
        _ => Err(OauthError::INVALID_REQUEST),
    }
}

fn is_s256(challenge: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    challenge.len() == CODE_CHALLENGE_LENGTH && challenge.bytes().all(is_letter)
}

fn mismatch_page(language: Language) -> Response {
    let title = language.say("小心！", "Be careful!");
    let text = language.say(
        "请求里的 redirect_uri 没有在这个应用中登记，因此没有跳转。",
        "The redirect_uri is not registered for this application, so you were not sent there.",
    );
    wrong(StatusCode::OK, language, title, text)
}

/// A code for what the person agreed to, and where it goes. Nothing when the app is gone.
pub(crate) fn agree(
    world: &mut World,
    sign_in: &SignIn,
    person: &str,
    now: Timestamp,
) -> Result<Option<String>, NoRandomness> {
    let ask = &sign_in.ask;
    let Some(app) = world.app(&ask.client_id) else { return Ok(None) };
    let holder = world.holder(app, person, &Asked::of(&ask.scope));
    let code_challenge = ask.request.sent(CODE_CHALLENGE).map(str::to_owned);
    let expires_at = now.after(world.config.code_lifetime);
    let code = world.ledger.issue_code(holder, &ask.redirect_uri, code_challenge, expires_at)?;
    let mut fields = vec![("code", code)];
    finish(world, &ask.state, &mut fields);
    Ok(Some(with_fields(&ask.redirect_uri, &fields)))
}

/// Where an error goes, its fields in the order of the real one.
pub(crate) fn failed(world: &World, redirect_uri: &str, state: &str, error: OauthError) -> String {
    told(world, redirect_uri, state, [error.error, error.description, error.uri].map(str::to_owned))
}

fn told(world: &World, redirect_uri: &str, state: &str, [error, description, uri]: [String; 3]) -> String {
    let mut fields = vec![("error", error), ("error_description", description), ("error_uri", uri)];
    finish(world, state, &mut fields);
    with_fields(redirect_uri, &fields)
}

/// An ordered error: told to the app if the request says where, else as an endpoint tells it.
pub(crate) fn ordered(world: &World, query: &str, error: &OwnError) -> Option<String> {
    let fields = Fields::of(query.as_bytes());
    let ask = check(world, &fields).ok()?;
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let told_fields = reply::ordered(OauthError::named(&error.code), &error.code, error.description.as_deref());
    Some(told(world, &ask.redirect_uri, &ask.state, told_fields.first_three().map(text)))
}

fn finish(world: &World, state: &str, fields: &mut Vec<(&'static str, String)>) {
    if !state.is_empty() {
        fields.push(("state", state.to_owned()));
    }
    if world.switches().iss_in_callback {
        fields.push(("iss", world.issuer()));
    }
}

/// Appends to the query that is there already. A fragment never goes along.
fn with_fields(redirect_uri: &str, fields: &[(&'static str, String)]) -> String {
    let base = redirect_uri.split('#').next().unwrap_or_default();
    let border = match base.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{base}{border}{query}")
}

#[cfg(test)]
mod tests {
    use super::with_fields;

    #[test]
    fn a_query_that_is_there_stays_and_a_fragment_goes() {
        let fields = [("code", "1".to_owned()), ("state", "a b/é".to_owned())];
        let expected = "code=1&state=a+b%2F%C3%A9";
        for (redirect_uri, beginning) in [
            ("http://a/b", "http://a/b?"),
            ("http://a/b?", "http://a/b?"),
            ("http://a/b?x=1", "http://a/b?x=1&"),
            ("http://a/b?x=1#part", "http://a/b?x=1&"),
        ] {
            assert_eq!(with_fields(redirect_uri, &fields), format!("{beginning}{expected}"));
        }
    }
}
