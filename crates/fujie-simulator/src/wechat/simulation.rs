//! The state of one simulated WeChat, and the acts that change it.
//!
//! Not here: what is the same at every provider, which is [`crate::simulation`].

use super::config::{App, Switches, WechatConfig, provisional};
use super::errcode::Errcode;
use super::ledger::{Consent, Ledger, Way};
use super::sign_in::{Obstacle, Progress, SignIn};
use super::{api, control, in_app, poll};
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::control::Refusal;
use crate::fault::OwnError;
use crate::page::Language;
use crate::people::Person;
use crate::random::{self, NoRandomness};
use crate::sign_in::{self, Listed};
use crate::simulation::{Provider, SIGN_INS_MAX, Scene, Title};
use axum::http::request::Parts;
use axum::response::Response;
use std::io;

/// One simulated WeChat.
pub(crate) type Simulation = crate::simulation::Simulation<World>;

/// What the lock protects.
pub(crate) struct World {
    pub(crate) config: WechatConfig,
    pub(crate) scene: Scene,
    /// QR codes, by uuid.
    pub(crate) sign_ins: Bounded<SignIn>,
    pub(crate) ledger: Ledger,
}

/// Why a confirmation did not happen.
#[derive(Debug)]
pub(crate) enum ConfirmError {
    Obstacle(Obstacle),
    UnknownPerson,
    NoRandomness,
}

impl From<Obstacle> for ConfirmError {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl From<NoRandomness> for ConfirmError {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl World {
    /// # Errors
    /// The configuration contradicts itself (`io::ErrorKind::InvalidInput`).
    pub(crate) fn new(mut config: WechatConfig) -> io::Result<Self> {
        let scene = Scene::new(std::mem::take(&mut config.people), config.auto_confirm.take())?;
        Ok(Self { scene, sign_ins: Bounded::new(SIGN_INS_MAX), ledger: Ledger::new(&config), config })
    }

    pub(crate) fn app(&self, appid: &str) -> Option<&App> {
        self.config.apps.iter().find(|app| app.appid == appid)
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.scene.person(name)
    }

    /// Whom a consent shows to its app: the person, or the provisional visitor in its place.
    pub(crate) fn visitor(&self, consent: &Consent) -> Option<Person> {
        let person = self.person(&consent.person)?;
        Some(if consent.is_snapshot { provisional(person) } else { person.clone() })
    }
}

impl Provider for World {
    const NAME: &'static str = "wechat";
    const TITLE: Title = Title { chinese: "微信", english: "WeChat" };
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
        &app.appid
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.config.switches
    }

    /// What asks on the shared page is in-app authorization; a website's sign-ins wait for a phone.
    fn agree(
        &mut self,
        sign_in: &sign_in::SignIn,
        person: &Person,
        now: Timestamp,
    ) -> Result<Option<String>, NoRandomness> {
        in_app::agree(self, sign_in, person, now).map(Some)
    }

    fn refuse(&mut self, sign_in: &sign_in::SignIn, _now: Timestamp) -> Option<String> {
        in_app::refuse(self, sign_in)
    }

    fn check_error(&self, path: &str, error: &OwnError) -> Result<(), String> {
        let number: i32 = error.code.parse().map_err(|_not_a_number| "errcode is a number".to_owned())?;
        let is_said = error.description.is_some() || text_at(path, number).is_some() || path == poll::PATH;
        if is_said { Ok(()) } else { Err("this errcode needs a description".to_owned()) }
    }

    fn error(&self, call: &Parts, error: &OwnError, now: Timestamp) -> Response {
        let number = error.code.parse().unwrap_or(Errcode::SYSTEM_ERROR.number);
        let path = call.uri.path();
        let text = error.description.as_deref().or_else(|| text_at(path, number)).unwrap_or_default();
        match path {
            poll::PATH => poll::script(number, ""),
            in_app::PATH => in_app::error_page(Language::of(None, &call.headers), Some(number), text),
            _ => api::failure(self, number, text, now),
        }
    }

    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response {
        match call.uri.path() {
            in_app::PATH => in_app::rate_limit(Language::of(None, &call.headers)),
            path => {
                let Errcode { number, text } = Errcode::minute_quota_at(path);
                api::failure(self, number, text, now)
            }
        }
    }

    fn own_sign_ins(&self, base_url: &str, now: Timestamp) -> Vec<Listed> {
        self.sign_ins.newest_first().map(|sign_in| control::listed(self, sign_in, base_url, now)).collect()
    }

    fn act_on_own(simulation: &Simulation, id: &str, act: &str, person: Option<&str>) -> Option<Result<(), Refusal>> {
        simulation.world().sign_ins.get(id)?;
        Some(control::perform(simulation, id, act, person))
    }
}

/// The usual text of an error's number at a path.
fn text_at(path: &str, number: i32) -> Option<&'static str> {
    if path == in_app::PATH { in_app::text_of(number) } else { Errcode::text_at(path, number) }
}

impl Simulation {
    /// A new page: a new uuid of 16 characters.
    pub(crate) fn begin(&self, appid: &str, redirect_uri: &str, state: &str) -> Result<String, NoRandomness> {
        let digit = random::text(random::DIGIT, 1)?;
        let uuid = format!("0{digit}1{}", random::text(random::ALPHANUMERIC, 13)?);
        let (now, mut world) = (self.now(), self.world());
        let sign_in = SignIn {
            uuid: uuid.clone(),
            appid: appid.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            begun_at: now,
            expires_at: now.after(world.config.qr_lifetime),
            progress: Progress::Waiting,
        };
        world.sign_ins.insert(uuid.clone(), sign_in);
        tracing::debug!(appid, "a QR page was opened");
        Ok(uuid)
    }

    /// `act` on a sign-in, and tell the waiting.
    pub(crate) fn act<T>(
        &self,
        uuid: &str,
        act: impl FnOnce(&mut SignIn, Timestamp) -> Result<T, Obstacle>,
    ) -> Result<T, Obstacle> {
        let now = self.now();
        let acted = self.world().sign_ins.get_mut(uuid).ok_or(Obstacle::Unknown).and_then(|sign_in| {
            let acted = act(sign_in, now);
            let status = sign_in.status(now).word();
            tracing::debug!(appid = sign_in.appid, status, "a phone acted");
            acted
        });
        self.tell_change();
        acted
    }

    /// The person agrees on the phone that scanned: a code is issued.
    pub(crate) fn confirm(&self, uuid: &str, phone: &str, person: &str) -> Result<(), ConfirmError> {
        let now = self.now();
        let mut guard = self.world();
        let world = &mut *guard;
        let sign_in = world.sign_ins.get_mut(uuid).ok_or(Obstacle::Unknown)?;
        sign_in.held_by(phone, now)?;
        if world.scene.person(person).is_none() {
            return Err(ConfirmError::UnknownPerson);
        }
        let consent = Consent {
            appid: sign_in.appid.clone(),
            person: person.to_owned(),
            way: Way::Website,
            is_snapshot: world.config.switches.snapshot_user,
        };
        let code = world.ledger.issue_code(consent, now)?;
        sign_in.progress = Progress::Confirmed { code, person: person.to_owned() };
        tracing::debug!(appid = sign_in.appid, "a phone confirmed");
        drop(guard);
        self.tell_change();
        Ok(())
    }

    /// The person refuses on the phone that scanned.
    pub(crate) fn refuse(&self, uuid: &str, phone: &str) -> Result<(), Obstacle> {
        self.act(uuid, |sign_in, now| {
            sign_in.held_by(phone, now)?;
            sign_in.progress = Progress::Refused;
            Ok(())
        })
    }
}
