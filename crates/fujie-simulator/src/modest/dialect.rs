//! What one provider must say for itself, so that the shared engine can act for it.
//!
//! The defaults are plain OAuth 2.0 (RFC 6749 §4.1); each provider's file says only what is
//! particular.

use super::config::{App, Switches};
use super::world::World;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::ledger::Terms;
use crate::redirect_uri;
use crate::sign_in::SignIn;
use crate::simulation::{Simulation, Title};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

/// The parameters of a callback.
pub(crate) type Parameters = Vec<(&'static str, String)>;
/// A provider's own routes.
pub(crate) type Routes<D> = Router<Arc<Simulation<World<D>>>>;
/// The state that handlers are given.
pub(crate) type Shared<D> = State<Arc<Simulation<World<D>>>>;

/// How a provider takes code challenges (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pkce {
    /// It does not know them: whatever is sent is ignored.
    Ignored,
    /// S256 and plain.
    Understood,
    /// Of apps without a secret only, and those must send one.
    PublicApps,
}

/// What is wrong in a request whose app and redirect URI are right.
pub(crate) enum Wrong {
    /// The provider shows a page.
    Page,
    /// The error goes back.
    Back(&'static str),
}

/// A provider of the modest kind.
pub(crate) trait Dialect: Sized + Send + Sync + 'static {
    const NAME: &'static str;
    const TITLE: Title;
    const TERMS: Terms;
    /// The paths of the page that asks.
    const AUTHORIZE: &'static [&'static str];
    /// What the parameter is called that names the app.
    const APP: &'static [&'static str] = &["client_id"];
    const PKCE: Pkce = Pkce::Ignored;
    /// Apps sign, and so does the provider: both are given keys at the start.
    const SIGNS: bool = false;
    /// The code of the error that says "too often".
    const TOO_OFTEN: &'static str;

    /// Whether an app may be called back here.
    fn admits(app: &App, redirect_uri: &str) -> bool {
        redirect_uri::admits(&app.redirect_uris, redirect_uri)
    }

    /// What else has to be right in a request.
    fn check(request: &Fields) -> Result<(), Wrong> {
        match request.filled("response_type") {
            Some("code") => Ok(()),
            Some(_) => Err(Wrong::Back("unsupported_response_type")),
            None => Err(Wrong::Back("invalid_request")),
        }
    }

    /// The scope that is granted, in the provider's notation.
    fn scope(request: &Fields) -> String {
        request.filled("scope").unwrap_or_default().to_owned()
    }

    /// Whether a refresh token comes with the access token.
    fn is_refreshable(_scope: &str) -> bool {
        true
    }

    /// What comes back with a code, in its order; `state` as it was sent, if it was.
    fn callback(code: String, state: Option<String>, _sign_in: &SignIn, _switches: &Switches) -> Parameters {
        [("code", code)].into_iter().chain(state.map(|state| ("state", state))).collect()
    }

    /// What comes back when the person refuses; `None` when nothing does.
    fn denial(state: Option<String>, _switches: &Switches) -> Option<Parameters> {
        Some([("error", "access_denied".to_owned())].into_iter().chain(state.map(|state| ("state", state))).collect())
    }

    /// Every endpoint but the page that asks.
    fn routes() -> Routes<Self>;

    /// An error of the provider's own, by its code, as the endpoint at this path would write it.
    fn error(world: &World<Self>, path: &str, error: &OwnError, now: Timestamp) -> Response;
}
