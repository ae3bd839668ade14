//! The state of one simulated GitHub, and what a person's decision does to it.
//!
//! Everything here is under the simulation's lock. Reads and writes of the API are in `rest`.

use super::config::{App, AppKind, GithubConfig, Repository, Switches};
use super::device::Devices;
use super::hook::Hooks;
use super::ledger::{Holder, Ledger};
use super::limit::Limits;
use super::login::{authorize, device};
use super::reply::{self, Format, OauthError};
use super::rest;
use super::scope::Asked;
use super::token::Kind;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::people::Person;
use crate::random::{self, NoRandomness};
use crate::sign_in::{self, SignIn};
use crate::simulation::{Provider, Scene, Title};
use axum::http::request::Parts;
use axum::response::Response;
use std::io;

/// The issuer of the real one.
const ISSUER: &str = "https://github.com/login/oauth";
/// The repository of whoever owns none in the configuration.
const DEMO_REPOSITORY: &str = "demo";

/// One simulated GitHub.
pub(crate) type Simulation = crate::simulation::Simulation<World>;

/// What the lock protects.
pub(crate) struct World {
    pub(crate) base_url: String,
    /// Its people are in the scene.
    pub(crate) config: GithubConfig,
    pub(crate) ledger: Ledger,
    pub(crate) devices: Devices,
    pub(crate) hooks: Hooks,
    pub(crate) limits: Limits,
    scene: Scene,
}

impl World {
    pub(crate) fn new(config: GithubConfig, base_url: &str) -> io::Result<Self> {
        config.check()?;
        Ok(Self {
            base_url: base_url.to_owned(),
            scene: Scene::new(config.people.clone(), config.auto_confirm.clone())?,
            ledger: Ledger::default(),
            devices: Devices::default(),
            hooks: Hooks::default(),
            limits: Limits::default(),
            config,
        })
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.config.switches
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.config.apps.iter().find(|app| app.client_id == client_id)
    }

    pub(crate) fn people(&self) -> &[Person] {
        &self.scene.people
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.scene.person(name)
    }

    /// Logins are the same whatever their case.
    pub(crate) fn person_by_login(&self, login: &str) -> Option<&Person> {
        self.people().iter().find(|person| person.login().eq_ignore_ascii_case(login))
    }

    /// Whose word authorization responses carry.
    pub(crate) fn issuer(&self) -> String {
        if self.switches().issuer_of_this_host { format!("{}/login/oauth", self.base_url) } else { ISSUER.to_owned() }
    }

    /// All repositories: the configured ones, and one for each person who owns none of them.
    pub(crate) fn repositories(&self) -> Vec<Repository> {
        let configured = &self.config.repositories;
        let owns_none = |person: &&Person| !configured.iter().any(|one| one.owner == person.name);
        let demos = self.people().iter().filter(owns_none).map(|one| Repository::public(&one.name, DEMO_REPOSITORY));
        configured.iter().cloned().chain(demos).collect()
    }

    /// Owners by login; the same whatever its case.
    pub(crate) fn repository(&self, owner: &str, name: &str) -> Option<Repository> {
        let owner = &self.person_by_login(owner)?.name;
        let is_it = |one: &Repository| one.owner == *owner && one.name.eq_ignore_ascii_case(name);
        self.repositories().into_iter().find(is_it)
    }

    /// What `app` would be given for `person` when `asked` is granted.
    pub(crate) fn holder(&self, app: &App, person: &str, asked: &Asked) -> Holder {
        let is_github_app = app.kind == AppKind::GithubApp;
        let asks_to_expire = asked.offline_access && self.switches().offline_access && !is_github_app;
        let lifetimes = (self.config.access_token_lifetime, self.config.refresh_token_lifetime);
        Holder {
            client_id: app.client_id.clone(),
            person: person.to_owned(),
            kind: if is_github_app { Kind::GithubApp } else { Kind::OauthApp },
            scopes: if is_github_app { Default::default() } else { asked.scopes.clone() },
            lifetimes: (app.tokens_expire() || asks_to_expire).then_some(lifetimes),
            is_of_device_flow: false,
        }
    }
}

impl Provider for World {
    const NAME: &'static str = "github";
    const TITLE: Title = Title { chinese: "GitHub", english: "GitHub" };
    const HAS_ROOT: bool = true;
    type App = App;
    type Switches = Switches;

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    fn apps(&mut self) -> &mut Vec<App> {
        &mut self.config.apps
    }

    fn client_id(app: &App) -> &str {
        &app.client_id
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.config.switches
    }

    fn agree(&mut self, sign_in: &SignIn, person: &Person, now: Timestamp) -> Result<Option<String>, NoRandomness> {
        match sign_in.ask.request.sent(device::DEVICE_CODE) {
            Some(device_code) => {
                self.devices.approve(device_code, &person.name);
                Ok(None)
            }
            None => authorize::agree(self, sign_in, &person.name, now),
        }
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        match sign_in.ask.request.sent(device::DEVICE_CODE) {
            Some(device_code) => {
                self.devices.deny(device_code);
                None
            }
            None => {
                Some(authorize::failed(self, &sign_in.ask.redirect_uri, &sign_in.ask.state, OauthError::ACCESS_DENIED))
            }
        }
    }

    fn check_error(&self, path: &str, error: &OwnError) -> Result<(), String> {
        let is_known = if path.starts_with("/login/") {
            OauthError::named(&error.code).is_some() || error.description.is_some()
        } else {
            rest::RestError::ordered(error).is_some()
        };
        if is_known { Ok(()) } else { Err(format!("no such error: {}", error.code)) }
    }

    fn error(&self, call: &Parts, error: &OwnError, _now: Timestamp) -> Response {
        let path = call.uri.path();
        if path == "/login/oauth/authorize" {
            let query = call.uri.query().unwrap_or_default();
            if let Some(address) = authorize::ordered(self, query, error) {
                return sign_in::found(&address);
            }
        }
        if path.starts_with("/login/") {
            let known = OauthError::named(&error.code);
            reply::ordered(known, &error.code, error.description.as_deref()).respond(Format::of(&call.headers))
        } else {
            rest::RestError::ordered(error).unwrap_or(rest::RestError::SERVER_ERROR).respond(self)
        }
    }

    fn rate_limit(&self, _call: &Parts, _now: Timestamp) -> Response {
        rest::RestError::secondary_rate_limit(self).respond(self)
    }
}

/// A number between one and ten times `least` that depends on `parts` alone.
pub(crate) fn settled_number(parts: &[&str], least: u64) -> u64 {
    let drawn: u64 = random::settled(parts, random::DIGIT, 12).parse().unwrap_or(0);
    least + drawn % (least * 9)
}
