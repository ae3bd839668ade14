//! One simulated QQ, and how it answers the parts that all simulators share.

use super::config::{App, QqConfig, Switches};
use super::error::QqError;
use super::ledger::Ledger;
use super::request::Request;
use super::{answer, route, token};
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::people::Person;
use crate::random::NoRandomness;
use crate::sign_in::SignIn;
use crate::simulation::{Provider, Scene, Title};
use axum::http::request::Parts;
use axum::response::Response;
use std::io;
use std::time::Duration;

/// What the lock of the simulation protects.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) apps: Vec<App>,
    pub(crate) switches: Switches,
    pub(crate) ledger: Ledger,
    pub(crate) sign_in_lifetime: Duration,
    code_lifetime: Duration,
}

impl World {
    pub(crate) fn new(config: QqConfig) -> io::Result<Self> {
        Ok(Self {
            scene: Scene::new(config.people, config.auto_confirm)?,
            apps: config.apps,
            switches: config.switches,
            ledger: Ledger::new(),
            sign_in_lifetime: config.sign_in_lifetime,
            code_lifetime: config.code_lifetime,
        })
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// How long an access token works.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.switches.access_token_lifetime_seconds)
    }
}

impl Provider for World {
    const NAME: &'static str = "qq";
    const TITLE: Title = Title { chinese: "QQ", english: "QQ" };
    type App = App;
    type Switches = Switches;

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    fn apps(&mut self) -> &mut Vec<App> {
        &mut self.apps
    }

    fn client_id(app: &App) -> &str {
        &app.client_id
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.switches
    }

    fn agree(&mut self, sign_in: &SignIn, person: &Person, now: Timestamp) -> Result<Option<String>, NoRandomness> {
        let request = Request::read(&sign_in.ask.request);
        let grant = request.grant(&person.name);
        let answer = if request.is_implicit {
            token::implicit(self, grant, now)?
        } else {
            let expires_at = now.after(self.code_lifetime);
            format!("code={}", self.ledger.issue_code(grant, &request.redirect_uri, expires_at)?)
        };
        Ok(Some(request.answered(&answer)))
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        Request::read(&sign_in.ask.request).cancelled(&self.switches)
    }

    fn check_error(&self, _path: &str, error: &OwnError) -> Result<(), String> {
        let number = error.code.parse().map_err(|fault| format!("error is a number: {fault}"))?;
        match QqError::numbered(number) {
            None if error.description.is_none() => Err("this error needs a description".to_owned()),
            _ => Ok(()),
        }
    }

    fn error(&self, call: &Parts, error: &OwnError, _now: Timestamp) -> Response {
        let number = error.code.parse().unwrap_or_default();
        let known = QqError::numbered(number).map(|known| known.text);
        let text = error.description.as_deref().or(known).unwrap_or_default();
        route::refused(call, number, text, &self.switches)
    }

    /// The open API has a number for it; the sign-in is busy.
    fn rate_limit(&self, call: &Parts, _now: Timestamp) -> Response {
        let error = if answer::is_api(call.uri.path()) { QqError::RATE } else { QqError::BUSY };
        route::refused(call, error.number, error.text, &self.switches)
    }
}
