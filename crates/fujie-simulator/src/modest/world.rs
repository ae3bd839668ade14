//! The engine under all modest providers: their state, the page that asks, the code it leads to,
//! and the acts that their endpoints are made of.

use super::config::{App, ModestConfig, Switches};
use super::dialect::{Dialect, Pkce, Shared, Wrong};
use crate::bounded::Bounded;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::jws::{Algorithm, SigningKey};
use crate::ledger::{Challenge, Draft, Grant, Ledger, Reason, Redemption};
use crate::page::{self, Language};
use crate::people::Person;
use crate::phone::{Frame, Mark};
use crate::random::NoRandomness;
use crate::redirect_uri;
use crate::sign_in::{self, SignIn};
use crate::simulation::{Provider, Scene, Simulation, Title};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

/// How long the page can be answered.
const PAGE_LIFETIME: Duration = Duration::from_secs(600);
const APP_TOKENS_MAX: usize = 1000;

/// One simulated provider that speaks `D`.
pub(crate) struct World<D> {
    pub(crate) scene: Scene,
    pub(crate) base_url: String,
    pub(crate) apps: Vec<App>,
    pub(crate) switches: Switches,
    pub(crate) ledger: Ledger,
    /// The token that an app got for itself, by the app's id, where there is such a thing.
    pub(crate) app_tokens: Bounded<AppToken>,
    /// What the provider signs its answers with, where it does.
    pub(crate) key: Option<SigningKey>,
    dialect: PhantomData<fn() -> D>,
}

/// An app's own token.
#[derive(Clone, Debug)]
pub(crate) struct AppToken {
    pub(crate) value: String,
    pub(crate) client_id: String,
    pub(crate) expires_at: Timestamp,
}

/// What a code or a refresh token became.
pub(crate) struct Tokens {
    pub(crate) grant: Grant,
    pub(crate) person: Person,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
}

impl<D: Dialect> World<D> {
    pub(crate) fn new(config: ModestConfig, base_url: &str) -> io::Result<Self> {
        let ModestConfig { kind: _, mut apps, people, auto_confirm, base_url: _, switches } = config;
        let key = match D::SIGNS {
            true => Some(equip(&mut apps).map_err(|NoRandomness| io::Error::other("no randomness"))?),
            false => None,
        };
        Ok(Self {
            scene: Scene::new(people, auto_confirm)?,
            base_url: base_url.to_owned(),
            apps,
            switches,
            ledger: Ledger::new(D::TERMS),
            app_tokens: Bounded::new(APP_TOKENS_MAX),
            key,
            dialect: PhantomData,
        })
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// Spends a code and issues what it stands for. A `redirect_uri` or `verifier` of `None` is not
    /// compared.
    pub(crate) fn redeem(&mut self, redemption: Redemption<'_>, now: Timestamp) -> Result<Tokens, Reason> {
        let id = self.ledger.redeem(redemption, now)?;
        let grant = self.ledger.granted(&id)?.clone();
        let access_token = self.ledger.issue_access_token(&id, now)?;
        let refresh_token = match grant.is_refreshable {
            true => Some(self.ledger.issue_refresh_token(&id, now)?),
            false => None,
        };
        Ok(Tokens { person: self.person_of(&grant)?, grant, access_token, refresh_token })
    }

    /// Spends or keeps a refresh token, as the terms say. A `client_id` of `None` is not compared.
    pub(crate) fn refresh(
        &mut self,
        client_id: Option<&str>,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<Tokens, Reason> {
        let refreshed = self.ledger.refresh(client_id, refresh_token, now)?;
        Ok(Tokens {
            person: self.person_of(&refreshed.grant)?,
            grant: refreshed.grant,
            access_token: refreshed.access_token,
            refresh_token: Some(refreshed.refresh_token),
        })
    }

    /// Whom an access token stands for, and what was granted.
    pub(crate) fn open(&self, access_token: &str, now: Timestamp) -> Result<(&Grant, &Person), Reason> {
        let grant = self.ledger.open(access_token, now)?;
        let name = grant.person.as_deref().unwrap_or_default();
        Ok((grant, self.scene.person(name).ok_or(Reason::Ended)?))
    }

    fn person_of(&self, grant: &Grant) -> Result<Person, Reason> {
        let name = grant.person.as_deref().unwrap_or_default();
        self.scene.person(name).cloned().ok_or(Reason::Ended)
    }

    /// The address of a person's picture, empty when there is none.
    pub(crate) fn picture(&self, person: &Person) -> String {
        match person.picture() {
            Some(path) if path.starts_with('/') => format!("{}{path}", self.base_url),
            other => other.unwrap_or_default(),
        }
    }

    /// How the page answers a request.
    fn judge(&self, request: &Fields) -> Result<sign_in::Ask, Refusal> {
        let named = D::APP.iter().find_map(|name| request.filled(name)).unwrap_or_default();
        let app = self.app(named).ok_or(Refusal::Page("应用不存在或未注册。", "This app is not registered."))?;
        let uri = request.filled("redirect_uri").filter(|uri| D::admits(app, uri));
        let uri = uri.ok_or(Refusal::Page(
            "回调地址缺失，或与登记的不一致。",
            "The redirect URI is missing or not the registered one.",
        ))?;
        let state = request.sent("state");
        let wrong = D::check(request).and_then(|()| self.check_challenge(app, request));
        wrong.map_err(|wrong| match wrong {
            Wrong::Page => Refusal::Page("请求参数有误。", "A parameter of the request is wrong."),
            Wrong::Back(error) => Refusal::Back(with_error(uri, error, state)),
        })?;
        Ok(sign_in::Ask {
            client_id: app.client_id.clone(),
            app_name: app.shown_name().to_owned(),
            redirect_uri: uri.to_owned(),
            state: state.unwrap_or_default().to_owned(),
            scope: D::scope(request),
            request: request.clone(),
            lifetime: PAGE_LIFETIME,
        })
    }

    fn check_challenge(&self, app: &App, request: &Fields) -> Result<(), Wrong> {
        let challenge = challenge_of(request).or(Err(Wrong::Back("invalid_request")));
        match D::PKCE {
            Pkce::Ignored => Ok(()),
            Pkce::Understood => challenge.map(drop),
            Pkce::PublicApps if app.client_secret.is_empty() => match challenge? {
                Some(_) => Ok(()),
                None => Err(Wrong::Back("invalid_request")),
            },
            Pkce::PublicApps if self.switches.challenge_refused && challenge?.is_some() => {
                Err(Wrong::Back("invalid_request"))
            }
            Pkce::PublicApps => Ok(()),
        }
    }

    /// The challenge that a code remembers.
    fn challenge(&self, sign_in: &SignIn) -> Option<Challenge> {
        let is_public = || self.app(&sign_in.ask.client_id).is_some_and(|app| app.client_secret.is_empty());
        let counts = match D::PKCE {
            Pkce::Ignored => false,
            Pkce::Understood => true,
            Pkce::PublicApps => is_public(),
        };
        challenge_of(&sign_in.ask.request).ok().flatten().filter(|_| counts)
    }
}

/// Why the page does not ask.
enum Refusal {
    /// In Chinese and in English.
    Page(&'static str, &'static str),
    Back(String),
}

/// Where an error goes back to, with the state that was sent.
fn with_error(redirect_uri: &str, error: &str, state: Option<&str>) -> String {
    let mut parameters = vec![("error", error.to_owned())];
    parameters.extend(state.map(|state| ("state", state.to_owned())));
    redirect_uri::with_query(redirect_uri, &parameters)
}

fn challenge_of(request: &Fields) -> Result<Option<Challenge>, crate::ledger::UnknownMethod> {
    Challenge::of(request.filled("code_challenge"), request.filled("code_challenge_method"))
}

/// A key for the provider, and one for every app that has none.
fn equip(apps: &mut [App]) -> Result<SigningKey, NoRandomness> {
    let own = SigningKey::generate(Algorithm::Rs256)?;
    for app in apps {
        app.provider_public_key = Some(own.public_pem()?);
        if app.public_key.is_none() {
            let key = SigningKey::generate(Algorithm::Rs256)?;
            (app.public_key, app.private_key) = (Some(key.public_pem()?), Some(key.private_pem()?));
        }
    }
    Ok(own)
}

/// The page that asks, at any of the provider's paths for it.
pub(crate) async fn authorize<D: Dialect>(State(simulation): Shared<D>, call: Call) -> Response {
    let request = call.asked();
    let language = Language::of(request.sent("lang"), &call.head.headers);
    let judged = simulation.world().judge(&request);
    match judged {
        Ok(ask) => match sign_in::authorize(&simulation, ask, language) {
            Ok(response) => response,
            Err(no_randomness) => no_randomness.into_response(),
        },
        Err(Refusal::Back(address)) => sign_in::found(&address),
        Err(Refusal::Page(chinese, english)) => {
            let title = language.say("无法登录", "Cannot sign in");
            let frame = Frame::browser(D::TITLE, language);
            page::answer(StatusCode::BAD_REQUEST, frame.notice(Mark::Wrong, title, language.say(chinese, english)))
        }
    }
}

impl<D: Dialect> Provider for World<D> {
    const NAME: &'static str = D::NAME;
    const TITLE: Title = D::TITLE;
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
        let ask = &sign_in.ask;
        let grant = Grant {
            client_id: ask.client_id.clone(),
            person: Some(person.name.clone()),
            scope: ask.scope.clone(),
            nonce: None,
            authenticated_at: now,
            is_refreshable: D::is_refreshable(&ask.scope),
        };
        let redirect_uri = Some(ask.redirect_uri.clone());
        let draft = Draft { grant, redirect_uri, challenge: self.challenge(sign_in) };
        let code = self.ledger.issue_code(draft, now)?;
        let state = ask.request.sent("state").map(str::to_owned);
        let parameters = D::callback(code, state, sign_in, &self.switches);
        Ok(Some(redirect_uri::with_query(&ask.redirect_uri, &parameters)))
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        let state = sign_in.ask.request.sent("state").map(str::to_owned);
        let parameters = D::denial(state, &self.switches)?;
        Some(redirect_uri::with_query(&sign_in.ask.redirect_uri, &parameters))
    }

    /// At the page that asks, the error goes back to the app.
    fn error(&self, call: &Parts, error: &OwnError, now: Timestamp) -> Response {
        if D::AUTHORIZE.contains(&call.uri.path()) {
            let request = Fields::of(call.uri.query().unwrap_or_default().as_bytes());
            if let Ok(ask) = self.judge(&request) {
                return sign_in::found(&with_error(&ask.redirect_uri, &error.code, request.sent("state")));
            }
        }
        D::error(self, call.uri.path(), error, now)
    }

    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response {
        let error = OwnError { code: D::TOO_OFTEN.to_owned(), description: None };
        D::error(self, call.uri.path(), &error, now)
    }
}

/// A handler's two things: the time, and the state under its lock.
pub(crate) fn with<D: Dialect, T>(
    simulation: &Simulation<World<D>>,
    act: impl FnOnce(&mut World<D>, Timestamp) -> T,
) -> T {
    let now = simulation.now();
    act(&mut simulation.world(), now)
}
