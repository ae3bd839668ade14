//! The words that all providers' stories are told in: a simulator, a client of it, a browser, two clocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fujie_client::{
    Begun, Client, CookieKey, Credential, Endpoint, Provider, ProviderError, Registration, Secret, SignedIn, Timestamp,
    Tokens,
};
use fujie_simulator::Running;
use serde_json::{Value, json};
use url::Url;

use super::browser;
use super::recorder::{Recorder, Sent};

/// Where the browser is sent back to.
pub const BACK: &str = "http://127.0.0.1:8080/back";
/// What the client's clock says at the beginning.
pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
/// All clients of these stories seal with one key, as processes of one site do.
const COOKIE_KEY: [u8; 32] = [7; 32];

/// One simulator and a client of its default application.
pub struct House {
    simulator: Running,
    pub client: Client,
    pub secret: &'static str,
    recorder: Arc<Recorder>,
    clock: Arc<AtomicI64>,
}

impl House {
    /// `preset` as it is, but for the host.
    pub fn new(simulator: Running, preset: &Provider, id: &str, secret: &'static str) -> Self {
        Self { secret, ..Self::proving(simulator, preset, id, Secret::new(secret)) }
    }

    /// As [`House::new`], for an application that proves itself in another way.
    pub fn proving(simulator: Running, preset: &Provider, id: &str, credential: impl Into<Credential>) -> Self {
        let (recorder, clock) = (Arc::new(Recorder::patient()), Arc::new(AtomicI64::new(NOW.millis())));
        let client = client(&simulator, preset, (id, credential.into()), &recorder, &clock);
        Self { simulator, client, secret: "no secret is sent", recorder, clock }
    }

    /// The client's clock set by the provider's: an ID token says its times.
    pub async fn on_time(self) -> Self {
        let index = browser::get(&format!("{}/_simulate", self.base())).await.json();
        self.clock.store(index["now"].as_i64().unwrap() * 1000, Ordering::SeqCst);
        self
    }

    /// A second client at this house: another record, application or secret.
    pub fn client_of(&self, preset: &Provider, id: &str, secret: &str) -> Client {
        self.client_proving(preset, id, Secret::new(secret))
    }

    /// A second client that proves itself in another way.
    pub fn client_proving(&self, preset: &Provider, id: &str, credential: impl Into<Credential>) -> Client {
        client(&self.simulator, preset, (id, credential.into()), &self.recorder, &self.clock)
    }

    /// The same client without its secret.
    pub fn public_client(&self) -> Client {
        self.client_proving(self.client.provider(), self.client.registration().client_id(), Credential::None)
    }

    /// The same application with single fields of the record changed.
    pub fn client_with(&self, changes: &Value) -> Client {
        let record = self.client.provider().with(changes).unwrap();
        self.client_of(&record, self.client.registration().client_id(), self.secret)
    }

    /// The same with an issuer that does not move to the simulator.
    pub fn client_keeping_its_issuer(&self, changes: &Value) -> Client {
        let record = self.client.provider().with(changes).unwrap();
        let id = self.client.registration().client_id();
        let registration = Registration::new(record, id, Secret::new(self.secret)).unwrap();
        over(registration, &self.recorder, &self.clock)
    }

    /// The same client, which waits so long for an answer.
    pub fn waiting(&self, total: Duration) -> Client {
        let id = self.client.registration().client_id();
        let credential = Secret::new(self.secret).into();
        client(&self.simulator, self.client.provider(), (id, credential), &Recorder::waiting(total).into(), &self.clock)
    }

    pub fn base(&self) -> &str {
        self.simulator.base_url()
    }

    /// What was sent since this was last asked.
    pub fn sent(&self) -> Vec<Sent> {
        self.recorder.take()
    }

    /// Every secret that was ever sent.
    #[cfg(feature = "session")]
    pub fn secrets(&self) -> Vec<String> {
        self.recorder.secrets()
    }

    pub fn begin(&self) -> Begun {
        self.client.begin(BACK).unwrap()
    }

    /// The provider's page at this address, decided by this person: where the browser goes then.
    pub async fn decide(&self, url: &str, act: &str, person: &str) -> Option<String> {
        let landed = self.follow(url).await;
        if let Err(elsewhere) = landed {
            return Some(elsewhere);
        }
        let url = Url::parse(url).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
        self.decide_waiting(state.as_deref(), act, person).await
    }

    /// The newest sign-in that waits: with this state, or of a device or a pushed request, which show none.
    pub async fn decide_waiting(&self, state: Option<&str>, act: &str, person: &str) -> Option<String> {
        let is_ours = |sign_in: &&Value| state.is_none_or(|state| sign_in["state"] == *state);
        let listed = browser::get(&format!("{}/_simulate/sign-ins", self.base())).await.json();
        let sign_in = listed.as_array().unwrap().iter().find(is_ours).cloned();
        let id = sign_in.unwrap()["id"].as_str().unwrap().to_owned();
        let body = if act == "confirm" { json!({ "person": person }) } else { json!({}) };
        let decided = self.control(&format!("sign-ins/{id}/{act}"), &body).await;
        decided["redirect_url"].as_str().map(str::to_owned)
    }

    /// The page where redirects of the provider's own end, or the address elsewhere that they end in.
    pub async fn follow(&self, url: &str) -> Result<browser::Page, String> {
        let mut url = url.to_owned();
        loop {
            let page = browser::get(&url).await;
            match page.location {
                None => return Ok(page),
                Some(location) if location.starts_with('/') => url = format!("{}{location}", self.base()),
                Some(location) if location.starts_with(self.base()) => url = location,
                Some(location) => return Err(location),
            }
        }
    }

    pub async fn agree(&self, begun: &Begun, person: &str) -> String {
        self.decide(&begun.url, "confirm", person).await.unwrap()
    }

    /// A whole sign-in of this person.
    pub async fn sign_in(&self, person: &str) -> Result<SignedIn, ProviderError> {
        self.sign_in_at(&self.client, person).await
    }

    pub async fn sign_in_at(&self, client: &Client, person: &str) -> Result<SignedIn, ProviderError> {
        let begun = client.begin(BACK).unwrap();
        let callback = self.agree(&begun, person).await;
        client.finish(&callback, &cookie(&begun)).await
    }

    pub async fn tokens(&self, person: &str) -> Tokens {
        self.sign_in(person).await.unwrap().tokens
    }

    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_simulate/{path}", self.base());
        let page = browser::send("POST", &url, "", &body.to_string()).await;
        assert!((200..300).contains(&page.status), "{path} {body}: {}", page.text);
        serde_json::from_str(&page.text).unwrap_or_default()
    }

    pub async fn switch(&self, changes: Value) {
        self.control("switches", &changes).await;
    }

    /// Time goes by at the provider alone.
    pub async fn advance_provider(&self, seconds: i64) {
        self.control("clock", &json!({ "advance_seconds": seconds })).await;
    }

    /// Time goes by for us alone.
    pub fn advance_client(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Time goes by.
    pub async fn advance(&self, seconds: i64) {
        self.advance_client(seconds);
        self.advance_provider(seconds).await;
    }

    /// A fault at an endpoint, every time until the faults are cleared.
    pub async fn order(&self, endpoint: Endpoint, fault: &Value) {
        let mut fault = fault.clone();
        fault["at"] = self.path(endpoint).into();
        fault["times"] = "always".into();
        self.control("faults", &fault).await;
    }

    pub async fn clear_faults(&self) {
        browser::send("DELETE", &format!("{}/_simulate/faults", self.base()), "", "").await;
    }

    /// Where the simulator has this endpoint.
    fn path(&self, endpoint: Endpoint) -> String {
        let provider = self.client.provider();
        let call = match endpoint {
            Endpoint::Token => Some(&provider.token),
            Endpoint::Refresh => provider.refresh.as_ref(),
            Endpoint::Check => provider.check.as_ref(),
            Endpoint::Subject => provider.subject.as_ref(),
            Endpoint::User => provider.user.as_ref(),
            Endpoint::Revocation => provider.revocation.as_ref(),
            _ => None,
        };
        let address = match endpoint {
            Endpoint::DeviceAuthorization => provider.device_authorization_endpoint.clone().unwrap(),
            Endpoint::Api => format!("{}/repos/*", self.base()),
            _ => call.unwrap().endpoint.clone(),
        };
        address.strip_prefix(self.base()).unwrap().to_owned()
    }

    /// An error's name, having made sure that nothing that was sent stands in its report.
    pub fn name_of<T>(&self, outcome: Result<T, ProviderError>) -> &'static str {
        match outcome {
            Ok(_) => "ok",
            Err(error) => {
                self.is_silent(&error);
                error.name()
            }
        }
    }

    pub fn is_silent(&self, error: &ProviderError) {
        let told = format!("{error:?} {error} {}", error.report());
        for secret in self.recorder.secrets().iter().map(String::as_str).chain([self.secret, self.base()]) {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}

fn client(
    simulator: &Running,
    preset: &Provider,
    (id, credential): (&str, Credential),
    recorder: &Arc<Recorder>,
    clock: &Arc<AtomicI64>,
) -> Client {
    let record = preset.at_simulator(simulator.base_url()).unwrap();
    over(Registration::new(record, id, credential).unwrap(), recorder, clock)
}

fn over(registration: Registration, recorder: &Arc<Recorder>, clock: &Arc<AtomicI64>) -> Client {
    let clock = Arc::clone(clock);
    Client::over(Arc::clone(recorder) as _, registration)
        .unwrap()
        .with_cookie_key(CookieKey::new(&COOKIE_KEY).unwrap())
        .with_clock(Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst))))
}

/// What the browser that got this cookie sends: what it was told to keep, with one of its own.
pub fn cookie(begun: &Begun) -> String {
    let kept = begun.cookie.set_cookie();
    format!("theme=dark; {}", kept.split(';').next().unwrap())
}

/// So many seconds after the client's beginning.
pub fn after(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(NOW.millis() + seconds * 1000))
}
