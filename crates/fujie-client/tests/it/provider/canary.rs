//! A canary in every secret of whole sign-ins: no log at its most talkative, no error and no `Debug` may sing.
//!
//! Client and simulator share one thread here, so that the log of this thread has what every library below and the
//! simulator itself say while the stories go by, each fault included.

use std::any::Any;
use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use fujie_client::Endpoint::{Api, Check, DeviceAuthorization, Refresh, Revocation, Subject, Token, User};
use fujie_client::openid::token_exchange::{Exchange, TokenType};
use fujie_client::session::{Builder, TokenSource};
use fujie_client::token_store::{FileStore, MemoryStore, StoredTokens, TokenStore};
use fujie_client::{
    Ask, Client, Endpoint, Hook, Polled, Provider, ProviderError, Registration, ReqwestTransport, Secret, Session,
    SystemRandom, Tokens,
};
use fujie_simulator::oidc::{self, Oidc, OidcConfig};
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::house::{BACK, House, cookie};
use super::{fault, github, qq, wechat, wechat_in_app, weibo};
use crate::ear;
use crate::server::nobody;
use crate::session::hostile::{Hostile, Reply, answer, ok, redirect};

/// A harmless word in what is told to `tracing`, to `log` and by hand: it must be heard, else nothing was.
const NEEDLE: &str = "a needle for whoever listens";
/// A secret is not shorter.
const SECRET_LENGTH_MIN: usize = 16;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hears this thread, and knows what it must not hear.
struct Canary {
    sink: Sink,
    told: String,
    secrets: Vec<(&'static str, String)>,
    _listening: Box<dyn Any>,
}

impl Canary {
    fn new() -> Self {
        let sink = Sink::default();
        let writer = sink.clone();
        let format = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        let listening = format.with_writer(move || writer.clone()).finish().set_default();
        ear::listen(log::LevelFilter::Trace);
        log::trace!("{NEEDLE}");
        Self { sink, told: String::new(), secrets: Vec::new(), _listening: Box::new(listening) }
    }

    fn keep(&mut self, name: &'static str, value: &str) {
        assert!(value.len() >= SECRET_LENGTH_MIN, "{name} is no secret: {value}");
        self.secrets.push((name, value.to_owned()));
    }

    /// What `Debug` says, in both ways.
    fn tell(&mut self, shown: &impl Debug) {
        self.told.push_str(&format!("{shown:?}\n{shown:#?}\n"));
    }

    /// All that an error says of itself, its sources included.
    fn fail<T: Debug>(&mut self, outcome: Result<T, ProviderError>) {
        let error = outcome.unwrap_err();
        self.tell(&error);
        self.told.push_str(&format!("{error}\n{}\n{}\n", error.report(), error.description()));
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            self.told.push_str(&format!("{error}\n{error:?}\n"));
            source = error.source();
        }
    }

    fn tokens(&mut self, tokens: &Tokens) {
        self.tell(tokens);
        self.tell(&StoredTokens::new(tokens));
        self.keep("access token", tokens.access_token.expose());
        for (name, token) in [("refresh token", &tokens.refresh_token), ("ID token", &tokens.id_token)] {
            if let Some(token) = token {
                self.keep(name, token.expose());
            }
        }
    }

    /// The canary sang, if it did: which secret, and around what.
    fn heard(&self, all: &str) -> Option<String> {
        let (name, at) = self.secrets.iter().find_map(|(name, secret)| Some((name, position(all, secret)?)))?;
        let around: String = all[..at].chars().rev().take(300).collect();
        Some(format!("{name} behind: {}", around.chars().rev().collect::<String>()))
    }

    /// Nothing that was said holds a secret of this house or of these stories.
    fn stays_silent(mut self, house: &House) {
        // All of it but the name of the application, which every page shows.
        let client_id = house.client.registration().client_id();
        for secret in house.secrets().iter().filter(|secret| *secret != client_id) {
            self.keep("what was sent", secret);
        }
        self.keep("client secret", house.secret);
        let logged = String::from_utf8_lossy(&self.sink.0.lock().unwrap()).into_owned();
        let all = format!("{logged}{}{}", ear::heard(), self.told);
        for needle in [NEEDLE, "reqwest", "hyper_util", "127.0.0.1", "an ordered fault strikes", "TRACE", "Client {"] {
            assert!(all.contains(needle), "{needle} was not heard");
        }
        assert_eq!(self.heard(&all), None);
        // It would have been noticed.
        for (name, secret) in self.secrets.clone() {
            assert!(self.heard(&format!("a={secret}&")).is_some(), "{name}");
        }
    }
}

/// Where a secret stands in a text, as it is or as a URL writes it.
fn position(text: &str, secret: &str) -> Option<usize> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    text.find(secret).or_else(|| text.find(&encoded))
}

/// A browser's way to the callback, by the steps and by the cookie; then every question that may be asked.
async fn signs_in(canary: &mut Canary, house: &House, client: &Client) -> Tokens {
    let registration = client.registration();
    canary.tell(client);
    canary.tell(registration);
    let begin = registration.begin(BACK, &Ask::default(), &mut SystemRandom, client.now()).unwrap();
    canary.tell(&begin);
    canary.tell(&begin.attempt);
    canary.keep("state", &begin.attempt.state);
    for (name, value) in [("code_verifier", &begin.attempt.code_verifier), ("nonce", &begin.attempt.nonce)] {
        if let Some(value) = value {
            canary.keep(name, value);
        }
    }
    let url = house.decide(&begin.url, "confirm", "xiaoming").await.unwrap();
    let callback = registration.read_callback(&begin.attempt, &url, client.now()).unwrap();
    canary.tell(&callback);
    canary.tell(&registration.exchange_request(&callback, &mut SystemRandom, client.now()).unwrap());
    let signed_in = client.redeem(callback).await.unwrap();
    canary.tell(&signed_in);
    canary.tokens(&signed_in.tokens);

    if let Ok((embedded, cookie)) = client.begin_embedded(BACK, "login", true) {
        canary.tell(&(&embedded, &cookie));
        canary.keep("state", &embedded.state);
    }
    let begun = client.begin(BACK).unwrap();
    canary.tell(&begun);
    canary.keep("cookie", &begun.cookie.value);
    let url = house.agree(&begun, "xiaoming").await;
    canary.keep("code", url.split_once("code=").unwrap().1.split('&').next().unwrap());
    let forged = url.replace("state=", "state=x");
    canary.fail(client.finish(&forged, &cookie(&begun)).await);
    canary.fail(client.finish(&url.replace("code=", "error="), &cookie(&begun)).await);
    canary.fail(client.finish(&url, &cookie(&begun).replace('=', "=x")).await);
    canary.fail(client.finish(&format!("{url}&code=x"), &cookie(&begun)).await);
    let tokens = client.finish(&url, &cookie(&begun)).await.unwrap().tokens;
    canary.tokens(&tokens);
    canary.fail(client.finish(&url, &cookie(&begun)).await);
    tokens
}

/// What can be asked with tokens, and what comes when they are wrong.
async fn asks(canary: &mut Canary, client: &Client, tokens: Tokens) -> Tokens {
    canary.tell(&client.user(&tokens).await);
    if let Ok(answer) = client.check(&tokens).await {
        canary.tell(&answer.get("errcode"));
    }
    let tokens = match client.refresh(&tokens).await {
        Ok(refreshed) => refreshed,
        Err(error) => {
            canary.fail::<()>(Err(error));
            tokens
        }
    };
    canary.tokens(&tokens);
    let mut wrong = Tokens::bare(Secret::new("canary-wrong-access-token-1"));
    wrong.refresh_token = Some(Secret::new("canary-wrong-refresh-token-1"));
    wrong.subject = tokens.subject.clone();
    wrong.redirect_uri = tokens.redirect_uri.clone();
    canary.tokens(&wrong);
    canary.fail(client.user(&wrong).await);
    if client.provider().refresh.is_some() {
        canary.fail(client.refresh(&wrong).await);
    }
    tokens
}

/// A provider that repeats what it was told, in every place that is looked at.
async fn echoes(canary: &mut Canary, house: &House, tokens: &Tokens, endpoints: &[Endpoint]) {
    let mut secrets = vec![house.secret.to_owned(), tokens.access_token.expose().to_owned()];
    secrets.extend(tokens.refresh_token.as_ref().map(|token| token.expose().to_owned()));
    for endpoint in endpoints {
        for secret in &secrets {
            let words = json!({
                "error": secret, "errcode": secret, "error_code": secret, "ret": secret, "error_description": secret,
                "errmsg": secret, "msg": secret, "message": secret,
            });
            for (status, body) in [
                (200, words.to_string()),
                (400, words.to_string()),
                (200, format!("callback( {words} );")),
                (502, format!("<html>{secret}</html>")),
                (200, format!("<a href=\"?x={secret}\">{secret}")),
                (200, format!("access_token={secret}&expires_in={secret}&error={secret}")),
                (200, json!({"access_token": [secret], "openid": {secret: 1}, "expires_in": secret}).to_string()),
            ] {
                let label = format!("text/plain; x={secret}");
                let fault = json!({"kind": "status", "status": status, "body": body, "content_type": label});
                house.order(*endpoint, &fault).await;
                let outcome = fault::ask(house, &house.client, *endpoint, tokens).await;
                house.clear_faults().await;
                if let Err(error) = outcome {
                    canary.fail::<()>(Err(error));
                }
            }
            let leads = json!({"kind": "redirect", "location": format!("http://127.0.0.1:9/?x={secret}")});
            house.order(*endpoint, &leads).await;
            canary.fail(fault::ask(house, &house.client, *endpoint, tokens).await);
            house.clear_faults().await;
        }
    }
}

/// Nobody listens there, or hangs up before a word is said: what the library says then has the whole address.
async fn hang_ups(canary: &mut Canary, house: &House, tokens: &Tokens) {
    let deaf = Hostile::new(|_| Reply::Close(Vec::new())).await;
    let nobody = nobody();
    let nowhere = format!("http://{}", nobody.local_addr().unwrap());
    for (base, expected) in [(deaf.base.clone(), "interrupted"), (nowhere, "unreachable")] {
        let record = house.client.provider().at_host(&base).unwrap();
        let id = house.client.registration().client_id();
        let registration = Registration::new(record, id, Secret::new(house.secret)).unwrap();
        let client = Client::over(Arc::new(ReqwestTransport::new().unwrap()), registration).unwrap();
        let outcomes = [client.user(tokens).await.map(drop), client.refresh(tokens).await.map(drop)];
        for outcome in outcomes {
            if !matches!(outcome, Err(ProviderError::NotOffered(_))) {
                assert_eq!(outcome.as_ref().unwrap_err().name(), expected);
            }
            canary.fail(outcome);
        }
        let code = client.registration().read_code("canary-code-of-nobody-1").unwrap();
        canary.fail(client.redeem(code).await);
    }
    canary.keep("code of nobody", "canary-code-of-nobody-1");
}

/// Calls in the person's name, and the stores behind them.
async fn calls(canary: &mut Canary, client: Client, tokens: &Tokens) {
    let client = Arc::new(client);
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::new(folder.path().join("tokens")).unwrap());
    store.save("canary", &StoredTokens::new(tokens)).unwrap();
    canary.tell(&store);
    canary.tell(&MemoryStore::new());
    let header = "canary-header-value-1";
    canary.keep("header", header);
    let session = |builder: Builder| builder.header("X-Key", header).build().unwrap();
    let clock = Arc::clone(&client);
    let source = TokenSource::new(store.clone(), "canary", client.clone(), move || clock.now());
    canary.tell(&source);
    for builder in [client.session(tokens).unwrap(), client.session_in(store.clone(), "canary")] {
        canary.tell(&builder);
        let session = session(builder);
        canary.tell(&session);
        for path in ["user", "account/get_uid.json", "nothing/here"] {
            let request = session.post(path).query("q", header).form(&[("f", header)]);
            canary.tell(&request);
            let answer = request.send().await.unwrap();
            canary.tell(&answer);
            if let Err(error) = answer.error_for_status() {
                canary.told.push_str(&format!("{error} {error:?} {}", error.report()));
            }
        }
    }
}

/// Sign-in, questions, echoes, calls and every fault, one after another.
async fn everything(house: House, scope: &[&str], endpoints: &[Endpoint], limited: &[&'static str]) {
    let mut canary = Canary::new();
    let record =
        if scope.is_empty() { house.client.provider().clone() } else { house.client.provider().with_scope(scope) };
    let client = house.client_of(&record, house.client.registration().client_id(), house.secret);
    let tokens = signs_in(&mut canary, &house, &client).await;
    let tokens = asks(&mut canary, &client, tokens).await;
    calls(&mut canary, house.client_of(&record, client.registration().client_id(), house.secret), &tokens).await;
    echoes(&mut canary, &house, &tokens, endpoints).await;
    hang_ups(&mut canary, &house, &tokens).await;
    let fresh = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    canary.tokens(&fresh);
    fault::faults_with(&house, &fresh, endpoints, limited).await;
    canary.stays_silent(&house);
}

#[tokio::test]
async fn wechat_sings_of_nothing() {
    everything(wechat::house().await, &[], &[Token, Refresh, Check, User], &["rate_limited"]).await;
}

#[tokio::test]
async fn wechat_in_app_sings_of_nothing() {
    everything(wechat_in_app::house().await, &[], &[Token, Refresh, Check, User], &["rate_limited"]).await;
}

#[tokio::test]
async fn qq_sings_of_nothing() {
    let limited = ["busy", "busy", "busy", "rate_limited"];
    everything(qq::house().await, &[], &[Token, Refresh, Subject, User], &limited).await;
}

#[tokio::test]
async fn weibo_sings_of_nothing() {
    let at = [Token, Refresh, Check, User, Revocation];
    everything(weibo::mobile_house().await, &[], &at, &["rate_limited"]).await;
}

#[tokio::test]
async fn github_sings_of_nothing() {
    let at = [Token, DeviceAuthorization, User, Api, Refresh];
    everything(github::expiring_house().await, &["repo"], &at, &["rate_limited"]).await;
}

#[tokio::test]
async fn a_device_and_a_hook_sing_of_nothing() {
    let house = github::expiring_house().await;
    let mut canary = Canary::new();
    let client = github::asking(&house, &["repo"]);
    canary.tell(&client);
    let mut device = client.begin_device().await.unwrap();
    canary.tell(&device);
    canary.keep("device code", device.authorization.device_code.expose());
    house.decide_waiting(None, "confirm", "xiaoming").await;
    for kind in ["garbage", "rate_limit"] {
        house.advance(30).await;
        house.control("faults", &json!({"at": "/login/oauth/access_token", "kind": "status", "status": 503})).await;
        canary.tell(&client.poll_device(&mut device).await);
        let repeated =
            json!({"error": device.authorization.device_code.expose(), "error_description": kind}).to_string();
        let fault = json!({"at": "/login/oauth/access_token", "kind": "status", "status": 200, "body": repeated});
        house.control("faults", &fault).await;
        house.advance(30).await;
        canary.fail(client.poll_device(&mut device).await);
    }
    house.advance(30).await;
    let tokens = match client.poll_device(&mut device).await {
        Ok(Polled::Tokens(tokens)) => *tokens,
        other => panic!("{other:?}"),
    };
    canary.tokens(&tokens);
    let secret = Secret::new("canary-hook-secret-1");
    canary.keep("hook secret", secret.expose());
    let hook = Hook { url: "https://app.example/hook", events: &["push"], secret: Some(&secret) };
    canary.tell(&hook);
    canary.tell(&client.create_hook(&tokens, "xiaoming/demo", &hook).await);
    canary.fail(client.create_hook(&tokens, "xiaoming/demo", &hook).await);
    canary.stays_silent(&house);
}

#[tokio::test]
async fn an_openid_provider_sings_of_no_nonce() {
    let running = Oidc::start("127.0.0.1:0", OidcConfig::default()).await.unwrap();
    let record = Provider::discover(&ReqwestTransport::new().unwrap(), running.base_url()).await.unwrap();
    let house = House::new(
        running,
        &record.with_scope(&["openid", "offline_access"]),
        oidc::DEFAULT_CLIENT_ID,
        oidc::DEFAULT_SECRET,
    );
    let house = house.on_time().await;
    let mut canary = Canary::new();
    let tokens = signs_in(&mut canary, &house, &house.client).await;
    let tokens = asks(&mut canary, &house.client, tokens).await;
    house.switch(json!({"id_token_fault": "wrong_nonce"})).await;
    canary.fail(house.sign_in("xiaoming").await);
    house.order(User, &json!({"kind": "garbage"})).await;
    canary.fail(house.client.user(&tokens).await);
    canary.stays_silent(&house);
}

/// Grants without a page, at a provider that repeats what it was told; nothing but knowing these words hides them.
#[tokio::test]
async fn a_grant_without_a_page_sings_of_nothing() {
    let (password, subject, actor) = ("correct.horse.word", "battery.staple.word", "purple.elephant.us");
    let running = Oidc::start("127.0.0.1:0", OidcConfig::default()).await.unwrap();
    let record = Provider::discover(&ReqwestTransport::new().unwrap(), running.base_url()).await.unwrap();
    let house = House::new(running, &record, oidc::DEFAULT_CLIENT_ID, oidc::DEFAULT_SECRET).on_time().await;
    let mut canary = Canary::new();
    canary.tell(&house.client);
    let mut device = house.client.begin_device().await.unwrap();
    let code = device.authorization.device_code.expose().to_owned();
    for (name, secret) in [("password", password), ("subject", subject), ("actor", actor), ("device code", &code)] {
        canary.keep(name, secret);
    }
    let all = [password, subject, actor, &code].join(" for ");
    let (password, subject, actor) = (Secret::new(password), Secret::new(subject), Secret::new(actor));
    for body in [
        json!({"error": "invalid_grant", "error_description": &all}).to_string(),
        json!({"error": &all}).to_string(),
        format!("error=invalid_grant&error_description={all}"),
        format!("<html>{all}</html>"),
    ] {
        // Each request is answered with what it sent; the other words are not its own.
        for own in all.split(" for ") {
            let fault = json!({"kind": "status", "status": 400, "body": body.replace(&all, own)});
            house.order(Token, &fault).await;
            house.advance(120).await;
            let asked = match own {
                own if own == password.expose() => house.client.password("xiaoming", &password, &[]).await.map(drop),
                own if own == code => house.client.poll_device(&mut device).await.map(drop),
                _ => house.client.exchange(&exchange(&subject, &actor)).await.map(drop),
            };
            canary.fail(asked);
            house.clear_faults().await;
        }
    }
    canary.stays_silent(&house);
}

fn exchange<'a>(subject: &'a Secret, actor: &'a Secret) -> Exchange<'a> {
    let (subject, actor) = ((subject, TokenType::AccessToken), Some((actor, TokenType::AccessToken)));
    Exchange { subject, actor, resource: &[], audience: &[], scope: "", requested: None }
}

#[tokio::test]
async fn a_session_over_tls_sings_of_nothing() {
    let mut canary = Canary::new();
    let house = wechat::house().await;
    house.control("faults", &json!({"at": "/sns/auth", "kind": "garbage"})).await;
    canary.fail(house.client.check(&house.tokens("xiaoming").await).await);
    canary.tell(&house.client);
    let secret = "canary-of-a-session-1";
    canary.keep("session", secret);
    let (server, pem) = Hostile::tls(&["localhost"], move |received| match received.path() {
        "/cookie" => answer("200 OK", &[("Set-Cookie", "sid=canary-of-a-session-1; Secure")], "canary-of-a-session-1"),
        "/away" => redirect("302 Found", "https://localhost:9/end?t=canary-of-a-session-1"),
        "/no" => {
            answer("401 No", &[("WWW-Authenticate", "Bearer error=\"canary-of-a-session-1\"")], "canary-of-a-session-1")
        }
        _ => ok("canary-of-a-session-1"),
    })
    .await;
    let base = format!("https://localhost:{}", server.port);
    for path in ["cookie", "again", "away", "no"] {
        let builder =
            Session::builder(base.as_str()).access_token(Secret::new(secret)).root_certificates_pem(pem.as_bytes());
        let session = builder.header("X-Key", secret).build().unwrap();
        canary.tell(&session);
        match session.post(path).query("q", secret).form(&[("f", secret)]).send().await {
            Ok(answer) => canary.tell(&answer),
            Err(error) => canary.told.push_str(&format!("{error} {error:?} {}", error.report())),
        }
    }
    canary.stays_silent(&house);
}
