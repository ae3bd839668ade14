//! One simulated Weibo, and how it answers the parts that all simulators share.

use super::config::{App, Switches, WeiboConfig};
use super::error::WeiboError;
use super::ledger::Ledger;
use super::limit::Limits;
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
    pub(crate) limits: Limits,
    pub(crate) sign_in_lifetime: Duration,
    code_lifetime: Duration,
}

impl World {
    pub(crate) fn new(config: WeiboConfig) -> io::Result<Self> {
        Ok(Self {
            scene: Scene::new(config.people, config.auto_confirm)?,
            apps: config.apps,
            switches: config.switches,
            ledger: Ledger::new(),
            limits: Limits::new(),
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
    const NAME: &'static str = "weibo";
    const TITLE: Title = Title { chinese: "微博", english: "Weibo" };
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
        if request.is_framed {
            return Ok(Some(route::RELOAD.to_owned()));
        }
        let grant = request.grant(self, &person.name);
        let answer = if request.is_implicit {
            token::implicit(self, grant, now)?
        } else {
            let expires_at = now.after(self.code_lifetime);
            format!("code={}", self.ledger.issue_code(grant, &request.redirect_uri, expires_at)?)
        };
        Ok(Some(request.answered(&answer)))
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        Some(Request::read(&sign_in.ask.request).denied())
    }

    fn check_error(&self, _path: &str, error: &OwnError) -> Result<(), String> {
        let number = error.code.parse().map_err(|fault| format!("error is a number: {fault}"))?;
        WeiboError::numbered(number).map(drop).ok_or_else(|| format!("Weibo has no error {number}"))
    }

    fn error(&self, call: &Parts, error: &OwnError, _now: Timestamp) -> Response {
        let known = error.code.parse().ok().and_then(WeiboError::numbered).unwrap_or(WeiboError::SYSTEM);
        let description = error.description.clone().or(known.description);
        route::refused(call, &WeiboError { description, ..known }, self)
    }

    fn rate_limit(&self, call: &Parts, _now: Timestamp) -> Response {
        answer::api_failure(&WeiboError::USER_RATE, call.uri.path(), &self.switches)
    }
}
