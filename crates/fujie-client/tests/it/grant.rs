//! Grants without a page, against answers that no honest provider gives: what is told of them, and what is believed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use fujie_client::blocking::Client;
use fujie_client::openid::dpop::DpopKey;
use fujie_client::openid::metadata::{Issuer, Metadata};
use fujie_client::openid::token_exchange::{Exchange, TokenType};
use fujie_client::{
    Device, Polled, ProviderError, Registration, Request, Response, Secret, Timestamp, Tokens, TransportError, provider,
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::world::NOW;

/// Words alone: nothing but knowing them hides them.
const CLIENT_SECRET: &str = "our-own-word";
const PASSWORD: &str = "correcthorse";
const SUBJECT_TOKEN: &str = "battery-staple";
const ACTOR_TOKEN: &str = "purple-elephant";
const DEVICE_CODE: &str = "quiet-device";

/// What the far end does with a form.
type Answering = Result<Response, TransportError>;

/// A client of an OpenID provider that answers so, and its clock.
struct Story {
    client: Client,
    clock: Arc<AtomicI64>,
}

fn story(answer: impl Fn(&Request) -> Answering + Send + Sync + 'static) -> Story {
    let description = json!({
        "issuer": "https://op.example",
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "userinfo_endpoint": "https://people.example/userinfo",
        "device_authorization_endpoint": "https://op.example/device",
        "pushed_authorization_request_endpoint": "https://op.example/par",
    });
    let issuer = Issuer::parse("https://op.example").unwrap();
    let record = provider::openid(&Metadata::read(description.to_string().as_bytes(), &issuer).unwrap());
    let registration = Registration::new(record, "app", Secret::new(CLIENT_SECRET)).unwrap();
    let clock = Arc::new(AtomicI64::new(NOW.millis()));
    let own = Arc::clone(&clock);
    let client = Client::over(answer, registration).unwrap();
    let client = client.with_clock(Arc::new(move || Timestamp::from_millis(own.load(Ordering::SeqCst))));
    Story { client, clock }
}

impl Story {
    /// One question of the device grant, when it is time.
    fn poll(&self, device: &mut Device) -> Result<Polled, ProviderError> {
        self.clock.fetch_add(120_000, Ordering::SeqCst);
        self.client.poll_device(device)
    }
}

fn form(request: &Request) -> HashMap<String, String> {
    form_urlencoded::parse(request.body().unwrap_or_default()).into_owned().collect()
}

fn json_answer(status: u16, body: &Value) -> Answering {
    Ok(Response::new(status, Some("application/json"), body.to_string()))
}

fn device_answer() -> Value {
    json!({
        "device_code": DEVICE_CODE, "user_code": "WDJB-MJHT", "verification_uri": "https://op.example/d",
        "expires_in": 86_400, "interval": 5,
    })
}

fn exchange<'a>(subject: &'a Secret, actor: &'a Secret, requested: Option<TokenType>) -> Exchange<'a> {
    Exchange {
        subject: (subject, TokenType::AccessToken),
        actor: Some((actor, TokenType::Jwt)),
        resource: &[],
        audience: &[],
        scope: "",
        requested,
    }
}

fn silent<T>(outcome: Result<T, ProviderError>, secrets: &[&str]) -> &'static str {
    let Err(error) = outcome else { return "ok" };
    let told = format!("{error:?} {error} {}", error.report());
    for secret in secrets {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    error.name()
}

/// A refusal that quotes all that was sent, in JSON, as form text and as a page.
fn echo(request: &Request, kind: usize) -> Answering {
    let sent: Vec<String> = form(request).into_values().collect();
    let all = sent.join(" for ");
    match kind {
        0 => json_answer(400, &json!({"error": "invalid_grant", "error_description": all})),
        1 => json_answer(400, &json!({"error": all})),
        2 => {
            let text = form_urlencoded::Serializer::new(String::new()).append_pair("error_description", &all).finish();
            Ok(Response::new(400, None, format!("error=invalid_grant&{text}")))
        }
        _ => Ok(Response::new(200, Some(&format!("text/html; x={all}")), format!("<html>{all}</html>"))),
    }
}

#[test]
fn a_provider_that_repeats_a_password_or_a_token_is_not_quoted() {
    for kind in 0..4 {
        let client = story(move |request| echo(request, kind)).client;
        let outcome = client.password("alice", &Secret::new(PASSWORD), &[]);
        assert_ne!(silent(outcome, &[PASSWORD, CLIENT_SECRET]), "ok", "{kind}");
        let (subject, actor) = (Secret::new(SUBJECT_TOKEN), Secret::new(ACTOR_TOKEN));
        let outcome = client.exchange(&exchange(&subject, &actor, None));
        assert_ne!(silent(outcome, &[SUBJECT_TOKEN, ACTOR_TOKEN, CLIENT_SECRET]), "ok", "{kind}");
    }
}

#[test]
fn a_provider_that_repeats_a_device_code_is_not_quoted() {
    for kind in 0..4 {
        let story = story(move |request| match request.url() {
            "https://op.example/device" => json_answer(200, &device_answer()),
            _ => echo(request, kind),
        });
        let mut device = story.client.begin_device().unwrap();
        assert_ne!(silent(story.poll(&mut device), &[DEVICE_CODE]), "ok", "{kind}");
    }
    // An answer that cannot be used has the code in it all the same.
    let unusable = format!("device_code={DEVICE_CODE}&user_code=WDJB-MJHT&expires_in=900&verification_uri=x");
    let story = story(move |_| Ok(Response::new(200, None, unusable.clone())));
    assert_eq!(silent(story.client.begin_device(), &[DEVICE_CODE, "WDJB-MJHT"]), "unreadable");
}

#[test]
fn what_was_exchanged_is_what_was_asked_for() {
    let (access_token, jwt) = (TokenType::AccessToken.as_str(), TokenType::Jwt.as_str());
    for (issued, requested, expected) in [
        (json!(access_token), None, "ok"),
        (json!(access_token), Some(TokenType::AccessToken), "ok"),
        (json!(access_token), Some(TokenType::Jwt), "unreadable"),
        (json!(jwt), Some(TokenType::AccessToken), "unreadable"),
        (json!("urn:example:other"), None, "unreadable"),
        (Value::Null, None, "unreadable"),
    ] {
        let told = issued.clone();
        let client = story(move |_| {
            json_answer(200, &json!({"access_token": "granted-word", "issued_token_type": told, "token_type": "N_A"}))
        });
        let (subject, actor) = (Secret::new(SUBJECT_TOKEN), Secret::new(ACTOR_TOKEN));
        let outcome = client.client.exchange(&exchange(&subject, &actor, requested));
        if let Err(error) = &outcome {
            assert!(error.to_string().contains("issued_token_type"), "{error}");
        }
        assert_eq!(silent(outcome, &["granted-word"]), expected, "{issued} {requested:?}");
    }
}

/// One answer, again and again.
type FarEnd = Box<dyn Fn() -> Answering + Send + Sync>;

#[test]
fn a_device_waits_for_a_network_and_for_nothing_else() {
    let text = |status: u16, body: &'static str| move || Ok(Response::new(status, None, body));
    let fails = |fault: fn() -> TransportError| move || Err(fault());
    let rows: Vec<(&str, FarEnd, &str)> = vec![
        ("nobody", Box::new(fails(|| TransportError::Unreachable("x".into()))), "wait"),
        ("slow", Box::new(fails(|| TransportError::Timeout)), "wait"),
        ("cut", Box::new(fails(|| TransportError::Interrupted("x".into()))), "wait"),
        ("huge", Box::new(fails(|| TransportError::TooLarge)), "too_large"),
        ("unusable", Box::new(fails(|| TransportError::Unusable("x".into()))), "transport_unusable"),
        ("busy", Box::new(text(503, "")), "wait"),
        ("limited", Box::new(text(429, "<html>")), "wait"),
        ("pending", Box::new(text(400, r#"{"error":"authorization_pending"}"#)), "wait"),
        ("pending, and a comma", Box::new(text(400, r#"{"error":"authorization_pending",}"#)), "wait"),
        ("pending as text", Box::new(text(400, "error=authorization_pending")), "wait"),
        ("slow_down as text", Box::new(text(200, "error=slow_down&interval=10")), "wait"),
        ("denied as text", Box::new(text(400, "error=access_denied")), "denied"),
        ("expired as text", Box::new(text(400, "error=expired_token")), "expired"),
        ("refused as text", Box::new(text(400, "error=invalid_grant")), "code_refused"),
        ("page", Box::new(text(200, "<html>")), "unreadable"),
        ("redirect", Box::new(text(302, "")), "redirected"),
        ("tokens as text", Box::new(text(200, "access_token=t")), "tokens"),
    ];
    for (what, answer, expected) in rows {
        let story = story(move |request| match request.url() {
            "https://op.example/device" => json_answer(200, &device_answer()),
            _ => answer(),
        });
        let mut device = story.client.begin_device().unwrap();
        let name = match story.poll(&mut device) {
            Ok(Polled::Wait(span)) => {
                assert!(span.as_secs() >= 5, "{what}: {span:?}");
                "wait"
            }
            Ok(Polled::Tokens(_)) => "tokens",
            Err(error) => error.name(),
        };
        assert_eq!(name, expected, "{what}");
    }
}

#[test]
fn a_device_without_an_answer_ends_with_its_code() {
    let story = story(|request| match request.url() {
        "https://op.example/device" => json_answer(200, &device_answer()),
        _ => Err(TransportError::Timeout),
    });
    let mut device = story.client.begin_device().unwrap();
    let outcome = (0..2000).find_map(|_| story.poll(&mut device).err());
    assert_eq!(outcome.unwrap().name(), "expired");
}

#[test]
fn a_transport_that_is_unusable_is_told_as_that() {
    let client = story(|_| Err(TransportError::Unusable("the logger listens".into()))).client;
    let error = client.client_credentials(&[]).unwrap_err();
    assert_eq!((error.name(), error.retry()), ("transport_unusable", false));
    let report = error.report();
    assert!(report.contains("the logger listens") && !report.contains("firewall"), "{report}");
}

#[test]
fn a_nonce_is_for_the_server_that_gave_it() {
    let proofs = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&proofs);
    let story = story(move |request| {
        let host = if request.url().contains("op.example") { "op" } else { "people" };
        let proof = request.headers().iter().find(|(name, _)| name == "dpop").unwrap().1.clone();
        seen.lock().unwrap().push((host, nonce_in(&proof)));
        let body = json!({"access_token": "t", "token_type": "DPoP", "sub": "alice"});
        let mut answer = Response::new(200, None, body.to_string());
        answer.headers.push(("dpop-nonce".to_owned(), format!("of-{host}")));
        Ok(answer)
    });
    let client = story.client.with_dpop(DpopKey::generate().unwrap().0);
    let tokens: Tokens = client.client_credentials(&[]).unwrap();
    for _ in 0..2 {
        client.user(&tokens).unwrap();
    }
    client.client_credentials(&[]).unwrap();
    let told = |nonce: &str| Some(nonce.to_owned());
    let expected = [("op", None), ("people", None), ("people", told("of-people")), ("op", told("of-op"))];
    assert_eq!(*proofs.lock().unwrap(), expected);
}

/// The nonce that a proof has in it.
fn nonce_in(proof: &str) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["nonce"].as_str().map(str::to_owned)
}
