//! The state of one OpenID provider, and what a decision on the page leads to.
//!
//! Everything under the simulation's lock. Endpoints read and change it; none of their parsing is
//! here.

use super::ask::{self, ResponseMode, Return};
use super::client_auth::Desk;
use super::config::{CallbackIss, Client, DEFAULT_TEAM_ID, OidcConfig, Switches};
use super::failure::Failure;
use super::house::{Facts, Manners};
use super::id_token::{self, Beside, STRANGE_ISSUER, Subject};
use super::key_ring::KeyRing;
use super::{answer, form_post, pushed};
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::jws::{Algorithm, SigningKey};
use crate::ledger::{Draft, Grant, Ledger, Rotation};
use crate::page::Language;
use crate::people::Person;
use crate::random::NoRandomness;
use crate::redirect_uri;
use crate::sign_in::{self, SignIn};
use crate::simulation::{Provider, Scene, Title};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value};
use std::io;
use std::marker::PhantomData;

const ENTRIES_MAX: usize = 10_000;

/// One simulated OpenID provider with the manners of `M`.
pub(crate) struct World<M> {
    pub(crate) scene: Scene,
    pub(crate) base_url: String,
    pub(crate) clients: Vec<Client>,
    pub(crate) switches: Switches,
    pub(crate) ledger: Ledger,
    pub(crate) keys: KeyRing,
    pub(crate) devices: Bounded<super::device::Device>,
    /// Answers that wait to be posted by a page, by the sign-in's id.
    pub(crate) posts: Bounded<form_post::Post>,
    /// Client assertions that were used.
    pub(crate) assertions: Bounded<()>,
    /// DPoP proofs that were used.
    pub(crate) proofs: Bounded<()>,
    /// The thumbprint of the key that a code or a token is bound to.
    pub(crate) bound: Bounded<String>,
    /// Requests that were pushed and wait for their browser.
    pub(crate) pushed: Bounded<pushed::Pushed>,
    /// Who agreed to which client: `client person`.
    pub(crate) consents: Bounded<()>,
    /// The simulator is one browser: who signed in last is signed in.
    pub(crate) session: Option<Session>,
    manners: PhantomData<fn() -> M>,
}

/// Somebody is signed in at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) person: String,
    pub(crate) authenticated_at: Timestamp,
}

/// An answer on its way to the client.
pub(crate) enum Landing {
    Redirect(String),
    Post(form_post::Post),
}

impl<M: Manners> World<M> {
    pub(crate) fn new(config: OidcConfig, base_url: &str) -> io::Result<Self> {
        let OidcConfig { house: _, apps: mut clients, people, auto_confirm, base_url: _, switches } = config;
        let no_randomness = |_: NoRandomness| io::Error::other("no randomness");
        for client in clients.iter_mut().filter(|_| M::CLIENTS_SIGN) {
            equip(client).map_err(no_randomness)?;
        }
        Ok(Self {
            scene: Scene::new(people, auto_confirm)?,
            base_url: base_url.to_owned(),
            clients,
            switches,
            ledger: Ledger::new(M::TERMS),
            keys: KeyRing::generate().map_err(no_randomness)?,
            devices: Bounded::new(ENTRIES_MAX),
            posts: Bounded::new(ENTRIES_MAX),
            assertions: Bounded::new(ENTRIES_MAX),
            proofs: Bounded::new(ENTRIES_MAX),
            bound: Bounded::new(ENTRIES_MAX),
            pushed: Bounded::new(ENTRIES_MAX),
            consents: Bounded::new(ENTRIES_MAX),
            session: None,
            manners: PhantomData,
        })
    }

    /// The whole address of an endpoint.
    pub(crate) fn url(&self, path: &str, tenant: &str) -> String {
        format!("{}{}", self.base_url, path.replace("{tenant}", tenant))
    }

    /// The client that calls an endpoint.
    pub(crate) fn client(
        &mut self,
        headers: &HeaderMap,
        form: &Fields,
        tenant: &str,
        now: Timestamp,
    ) -> Result<Client, Failure> {
        let issuer = M::issuer(&self.base_url, tenant, &self.switches).named;
        let audiences = [issuer, self.url(M::PATHS.token, tenant)];
        let desk = Desk {
            clients: &self.clients,
            methods: &self.switches.token_endpoint_auth_methods,
            audiences: &audiences,
            knows_secret: M::knows_secret,
            now,
        };
        desk.client(headers, form, &mut self.assertions).cloned()
    }

    /// How refresh tokens are kept from now on.
    pub(crate) fn settle_rotation(&mut self) {
        self.ledger.terms.rotation = match (self.switches.refresh_rotates, M::TERMS.rotation) {
            (Some(false), _) => Rotation::Stays,
            (Some(true), Rotation::Stays) => Rotation::Replaces,
            (_, as_the_house_does) => as_the_house_does,
        };
    }

    pub(crate) fn facts<'a>(&'a self, grant: &'a Grant, person: &'a Person, now: Timestamp) -> Facts<'a> {
        Facts {
            base_url: &self.base_url,
            client_id: &grant.client_id,
            person,
            scope: &grant.scope,
            switches: &self.switches,
            now,
        }
    }

    /// The id_token of a grant, unless there is none.
    pub(crate) fn id_token(
        &self,
        grant: &Grant,
        person: &Person,
        tenant: &str,
        beside: Beside<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, NoRandomness> {
        if !M::ALWAYS_ID_TOKEN && !ask::has_scope(&grant.scope, "openid") {
            return Ok(None);
        }
        let facts = self.facts(grant, person, now);
        let issuer = M::issuer(&self.base_url, tenant, &self.switches);
        let mut claims = M::profile(&facts);
        let subject = Subject {
            issuer: &issuer.named,
            client_id: &grant.client_id,
            sub: &M::sub(person, &grant.client_id),
            nonce: grant.nonce.as_deref(),
            beside,
            authenticated_at: grant.authenticated_at,
            lifetime_seconds: M::TERMS.access_token_lifetime.as_secs(),
            now,
        };
        claims.extend(subject.claims());
        if let Some(tenant_id) = &issuer.tenant_id {
            claims.insert("tid".to_owned(), Value::from(tenant_id.as_str()));
        }
        M::claims(&facts, &issuer, &mut claims);
        id_token::write(claims, &self.keys, self.switches.id_token_alg, self.switches.id_token_fault)
    }

    /// A person agreed to a request: the code, on its way.
    pub(crate) fn issue(
        &mut self,
        client_id: &str,
        back: &Return,
        request: &Fields,
        session: &Session,
        now: Timestamp,
    ) -> Result<Landing, NoRandomness> {
        let scope = M::scope(request.filled("scope").unwrap_or_default());
        let consent = format!("{client_id} {}", session.person);
        let is_first = self.consents.get(&consent).is_none();
        self.consents.insert(consent, ());
        let grant = Grant {
            client_id: client_id.to_owned(),
            person: Some(session.person.clone()),
            nonce: request.filled("nonce").map(str::to_owned),
            authenticated_at: session.authenticated_at,
            is_refreshable: M::is_refreshable(&scope, request, is_first, &self.switches),
            scope,
        };
        let draft = Draft {
            grant: grant.clone(),
            redirect_uri: Some(back.redirect_uri.clone()),
            challenge: ask::challenge_of(request),
        };
        let code = self.ledger.issue_code(draft, now)?;
        if let Some(thumbprint) = request.filled("dpop_jkt") {
            self.bound.insert(code.clone(), thumbprint.to_owned());
        }
        let mut parameters = vec![("code", code.clone())];
        let person = self.scene.person(&session.person).cloned();
        if let Some(person) = &person {
            M::callback(&self.facts(&grant, person, now), request, is_first, &mut parameters);
            if request.filled("response_type").is_some_and(|kind| ask::has_scope(kind, "id_token")) {
                let id_token = self.id_token(&grant, person, tenant_of(request), Beside::Code(&code), now)?;
                parameters.extend(id_token.map(|id_token| ("id_token", id_token)));
            }
        }
        Ok(self.landing(back, parameters, tenant_of(request)))
    }

    /// The parameters with `state` and `iss`, by the way the request asked for.
    pub(crate) fn landing(&self, back: &Return, mut parameters: Vec<(&'static str, String)>, tenant: &str) -> Landing {
        parameters.extend(back.state.clone().map(|state| ("state", state)));
        match self.switches.callback_iss {
            CallbackIss::Sent if M::SENDS_ISS => {
                parameters.push(("iss", M::issuer(&self.base_url, tenant, &self.switches).named));
            }
            CallbackIss::Wrong => parameters.push(("iss", STRANGE_ISSUER.to_owned())),
            CallbackIss::Sent | CallbackIss::Missing => {}
        }
        match back.mode {
            ResponseMode::Query => Landing::Redirect(redirect_uri::with_query(&back.redirect_uri, &parameters)),
            ResponseMode::Fragment => {
                Landing::Redirect(format!("{}#{}", back.redirect_uri, redirect_uri::encoded(&parameters)))
            }
            ResponseMode::FormPost => Landing::Post(form_post::Post { address: back.redirect_uri.clone(), parameters }),
        }
    }

    /// Where the shared page sends the browser: to the client, or to the page that posts.
    fn address(&mut self, landing: Landing, sign_in: &SignIn) -> String {
        match landing {
            Landing::Redirect(address) => address,
            Landing::Post(post) => {
                self.posts.insert(sign_in.id.clone(), post);
                format!("{}{}/{}", self.base_url, form_post::PATH, sign_in.id)
            }
        }
    }
}

/// A client that signs has a key, a team and no secret; what it lacks is made up for it.
fn equip(client: &mut Client) -> Result<(), NoRandomness> {
    client.client_secret = None;
    client.team_id.get_or_insert_with(|| DEFAULT_TEAM_ID.to_owned());
    if client.public_key.is_none() {
        let key = SigningKey::generate(Algorithm::Es256)?;
        (client.public_key, client.private_key) = (Some(key.public_pem()?), Some(key.private_pem()?));
    }
    Ok(())
}

/// The tenant that the authorize endpoint noted in a request.
pub(crate) fn tenant_of(request: &Fields) -> &str {
    request.sent("tenant").unwrap_or("common")
}

/// The request of a sign-in whose answer a device polls for. The endpoint's own note stands first
/// and so wins over whatever a caller sends.
pub(crate) fn is_for_device(request: &Fields) -> bool {
    request.sent("flow") == Some("device")
}

impl<M: Manners> Provider for World<M> {
    const NAME: &'static str = M::NAME;
    const TITLE: Title = M::TITLE;
    type App = Client;
    type Switches = Switches;

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    fn apps(&mut self) -> &mut Vec<Client> {
        &mut self.clients
    }

    fn client_id(app: &Client) -> &str {
        &app.client_id
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.switches
    }

    fn agree(&mut self, sign_in: &SignIn, person: &Person, now: Timestamp) -> Result<Option<String>, NoRandomness> {
        let session = Session { person: person.name.clone(), authenticated_at: now };
        self.session = Some(session.clone());
        let sign_in::Ask { client_id, redirect_uri, request, .. } = &sign_in.ask;
        if is_for_device(request) {
            // The device finds the decision when it polls.
            return Ok(None);
        }
        let back = Return::of(redirect_uri, request);
        let landing = self.issue(client_id, &back, request, &session, now)?;
        Ok(Some(self.address(landing, sign_in)))
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        let sign_in::Ask { redirect_uri, request, .. } = &sign_in.ask;
        if is_for_device(request) {
            return None;
        }
        let landing = self.landing(&Return::of(redirect_uri, request), M::denial(), tenant_of(request));
        Some(self.address(landing, sign_in))
    }

    /// At the page that asks, the error goes back to the client.
    fn error(&self, call: &Parts, error: &OwnError, now: Timestamp) -> Response {
        let tenant = M::PATHS.tenant_in(call.uri.path());
        if M::PATHS.authorize.replace("{tenant}", tenant) == call.uri.path() {
            let request = Fields::of(call.uri.query().unwrap_or_default().as_bytes());
            if let Ok(asked) = ask::judge(&request, &self.clients, &self.switches, M::RULES) {
                let parameters = vec![("error", error.code.clone())];
                return match self.landing(&asked.back, parameters, tenant) {
                    Landing::Redirect(address) => sign_in::found(&address),
                    Landing::Post(post) => form_post::page(&post, Language::of(None, &call.headers)),
                };
            }
        }
        let failure = Failure::ordered(&error.code, error.description.as_deref());
        answer::failure::<M>(&failure, call.uri.path(), &call.headers, now)
    }

    fn rate_limit(&self, call: &Parts, now: Timestamp) -> Response {
        answer::failure::<M>(&Failure::TOO_MANY, call.uri.path(), &call.headers, now)
    }
}

/// A JSON object being written.
pub(crate) type Object = Map<String, Value>;
