//! "Friends", a small application that signs people in with Fujie and reads their contacts (RFC 6749 §4.1, PKCE,
//! OpenID Connect Core 1.0), and shows what it sent and received.
//!
//! It is a confidential client: tokens stay here, the browser has a cookie. Deliberately not here: anything of Fujie's.

mod act;
mod answer;
mod browser;
mod gate;
mod page;
mod sign_in;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::rand;
use axum::{
    Router, middleware,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::{secret::Secret, time::Timestamp};
use tokio::net::TcpListener;
use url::Url;

use self::{browser::Browsers, page::Pages};
use super::{
    Now, Shutdown,
    http::{Answer, Http, Request},
    snippet::SnippetClient,
    walk::{Field, Label, Message, Party, Shape, Walk},
};

/// Makes the same access token once more, already expired; `None` when it cannot. Only the issuer can do that, so it
/// is given by whoever runs both.
pub type AgeToken = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the application is told at its start.
pub struct FriendsConfig {
    /// The issuer, exactly as in `iss`.
    pub issuer: String,
    /// Its `client_id`.
    pub client_id: String,
    /// Its `client_secret`.
    pub client_secret: Secret,
    /// Its one redirect URI: its own origin and `/callback`. Only requests for that origin are answered.
    pub redirect_uri: String,
    /// Where the contacts are: a whole URL.
    pub contacts_url: String,
    /// How to get an expired token.
    pub age_token: AgeToken,
    /// The client of the Flask program on the page.
    pub flask: SnippetClient,
    /// The client of the Express program on the page.
    pub express: SnippetClient,
    /// The password of the account `alice`, which the page shows.
    pub alice_password: String,
    /// Where the simulated phone is.
    pub wechat_phone_url: String,
    /// The time.
    pub now: Now,
    /// When to end.
    pub shutdown: Shutdown,
}

/// Serves the application until the shutdown.
///
/// # Errors
/// When the redirect URI is not `http://HOST:PORT/callback`, or the listener fails.
pub async fn serve(listener: TcpListener, config: FriendsConfig) -> anyhow::Result<()> {
    let shutdown = config.shutdown.clone();
    super::serve(listener, router(config)?, shutdown).await
}

fn router(config: FriendsConfig) -> anyhow::Result<Router> {
    let redirect_uri = Url::parse(&config.redirect_uri).context("the redirect URI is not a URL")?;
    anyhow::ensure!(redirect_uri.path() == "/callback", "the redirect URI must end with /callback");
    let origin = redirect_uri.origin().ascii_serialization();
    let pages = Pages::new(&config, &origin)?;
    let gate = gate::Gate::new(&origin, &config.issuer)?;
    let app = Arc::new(App { http: Http::new()?, browsers: Browsers::default(), pages, config });
    let router = Router::new()
        .route("/", get(page::home))
        .route("/callback", get(sign_in::callback))
        .route("/sign-in", post(sign_in::start))
        .route("/call", post(act::call))
        .route("/expired", post(act::expired))
        .route("/refresh", post(act::refresh))
        .route("/revoke", post(act::revoke))
        .route("/sign-out", post(act::sign_out))
        .route("/flask.py", get(page::flask))
        .route("/express.mjs", get(page::express))
        .route("/assets/demo.css", get(page::style))
        .route("/assets/friends.svg", get(page::mark))
        .with_state(app);
    Ok(router.layer(middleware::from_fn_with_state(Arc::new(gate), gate::pass)))
}

struct App {
    config: FriendsConfig,
    http: Http,
    browsers: Browsers,
    pages: Pages,
}

/// One request to another party, and what the drawing says of it and of its answer.
struct Call {
    to: Party,
    step: Option<u8>,
    answer_step: Option<u8>,
    asks: Label,
    answers: Label,
    request: Request,
    /// The request's parameters as they are drawn.
    fields: Vec<Field>,
    /// The answer's, when it is a success.
    shows: fn(&Answer) -> Vec<Field>,
}

impl App {
    fn now(&self) -> Timestamp {
        (self.config.now)()
    }

    /// How the client's own authentication is drawn: what stands inside the base64.
    fn basic_field(&self) -> Field {
        let Field { value, .. } = Field::secret("", self.config.client_secret.expose());
        Field::plain("", &format!("Authorization: Basic {}:{value}", self.config.client_id))
    }

    /// Sends `call` and writes both ways down. `Some` is a success; everything else is drawn as bad news.
    async fn ask(&self, walk: &mut Walk, call: Call) -> Option<Answer> {
        let asked = Message::new(Shape::Request, Party::Friends, call.to, call.asks);
        walk.record(asked.head(call.request.head()).fields(call.fields).step(call.step), self.now());
        let answer = match self.http.send(&call.request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(to = call.to.key(), error = format!("{error:#}"), "a request of the demo got no answer");
                walk.record(Message::note(Party::Friends, Party::Friends, Label::NoAnswer).error(), self.now());
                return None;
            }
        };
        let answered = Message::new(Shape::Answer, call.to, Party::Friends, call.answers).head(status(answer.status));
        if answer.is_success() {
            walk.record(answered.fields((call.shows)(&answer)).step(call.answer_step), self.now());
            return Some(answer);
        }
        let refused = Message { label: Label::Refused, ..answered };
        walk.record(refused.fields(answer::refusal(&answer)).error(), self.now());
        None
    }
}

/// `200 OK`.
fn status(code: u16) -> String {
    let reason = axum::http::StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    format!("{code} {}", reason.unwrap_or_default()).trim_end().to_owned()
}

/// 256 random bits as text of 43 characters. `None` when the machine has no randomness.
fn random() -> Option<Secret> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
