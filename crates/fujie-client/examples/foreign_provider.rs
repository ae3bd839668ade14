//! Signs in with npm's `oidc-provider` as `crates/fujie/tests/foreign/provider_with_oidc_provider.mjs` runs it: client
//! authentication by signature, a pushed request, DPoP with nonces, an ID token, userinfo, refresh, and the device flow.
//!
//! `cargo run -p fujie-client --example foreign_provider -- NODE SCRIPT`, where SCRIPT stands beside `node_modules` with
//! `oidc-provider` and `jose` in it, and NODE is version 22 or newer.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program to look at by hand, with a clock of its own"
)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_client::{
    Secret, Timestamp,
    openid::{
        Fields, client_assertion,
        device::{self, DeviceAuthorization, Heard},
        dpop::{self, DpopKey, Proof},
        id_token::{self, Expected, IdToken},
        metadata::{Issuer, Metadata, well_known},
        pushed_authorization_request::{self, Pushed},
        signing_key::SigningKey,
    },
};
use fujie_core::jose::{jwks::Jwks, jws::Algorithm};
use serde_json::Value;
use url::{Url, form_urlencoded};

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
const RESOURCE: &str = "https://api.example/";

/// The provider, ended with the value.
struct Provider {
    child: Child,
    issuer: String,
    is_nonce_required: bool,
}

impl Provider {
    fn start(environment: &[(&str, &str)]) -> Self {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        let [node, script] = arguments.as_slice() else { panic!("which NODE and SCRIPT?") };
        let mut child = Command::new(node)
            .arg(script)
            .env("REDIRECT_URI", REDIRECT_URI)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let is_nonce_required = environment.contains(&("DPOP_NONCE", "required"));
        Self { child, issuer: said["issuer"].as_str().unwrap().to_owned(), is_nonce_required }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap())
}

fn random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).unwrap();
}

fn token() -> String {
    let mut bytes = [0; 32];
    random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Answer {
    status: u16,
    nonce: Option<String>,
    challenge: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn fields(&self) -> Fields {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn error(&self) -> Option<String> {
        Some(self.fields().get("error")?.as_str()?.to_owned())
    }

    fn asks_nonce(&self) -> bool {
        dpop::is_nonce_asked(self.status, self.error().as_deref(), self.challenge.as_deref())
    }
}

/// We, as a client with a key of our own and a key for DPoP.
struct App {
    http: reqwest::Client,
    id: &'static str,
    key: Option<SigningKey>,
    dpop: Option<DpopKey>,
    nonce: Option<String>,
}

impl App {
    fn new(id: &'static str, key: Option<SigningKey>, dpop: Option<DpopKey>) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, id, key, dpop, nonce: None }
    }

    async fn get(&self, url: &str, headers: &[(&str, String)]) -> Answer {
        let request = headers.iter().fold(self.http.get(url), |request, (name, value)| request.header(*name, value));
        answer(request).await
    }

    fn proof(&self, method: &str, url: &str, access_token: Option<&Secret>) -> Option<String> {
        let of = Proof { method, url, access_token, nonce: self.nonce.as_deref() };
        self.dpop.as_ref().map(|key| key.proof(of, &mut random, now()).unwrap())
    }

    /// A form, authenticated by signature, with a proof where we have a key; once more where a nonce is asked.
    async fn post(&mut self, metadata: &Metadata, url: &str, parameters: &[(&str, &str)]) -> Answer {
        for _ in 0..2 {
            let audience = metadata.issuer.as_str();
            let assertion = self
                .key
                .as_ref()
                .map(|key| client_assertion::client_assertion(key, self.id, audience, &mut random, now()).unwrap());
            let signed = assertion.as_ref().map(client_assertion::parameters);
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(parameters).extend_pairs(signed.iter().flatten());
            let mut request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
            if let Some(proof) = self.proof("POST", url, None) {
                request = request.header("dpop", proof);
            }
            let answer = answer(request.body(body.finish())).await;
            if let Some(nonce) = answer.nonce.as_deref().and_then(dpop::nonce) {
                self.nonce = Some(nonce.to_owned());
            }
            if !answer.asks_nonce() {
                return answer;
            }
            println!("      a nonce was asked for");
        }
        panic!("a second nonce was asked for");
    }

    async fn metadata(&self, issuer: &str) -> (Metadata, Jwks) {
        let [openid, _] = well_known(issuer);
        let metadata = self.get(&openid, &[]).await;
        let metadata = Metadata::read(&metadata.body, &Issuer::parse(issuer).unwrap()).unwrap();
        let jwks = self.get(metadata.jwks_uri.as_deref().unwrap(), &[]).await;
        (metadata, Jwks::parse(&jwks.body).unwrap())
    }

    async fn userinfo(&self, metadata: &Metadata, scheme: &str, access_token: &Secret) -> Answer {
        let url = metadata.userinfo_endpoint.as_deref().unwrap();
        let mut headers = vec![("authorization", format!("{scheme} {}", access_token.expose()))];
        let proof = self.proof("GET", url, Some(access_token)).filter(|_| scheme == "DPoP");
        headers.extend(proof.map(|proof| ("dpop", proof)));
        self.get(url, &headers).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (nonce, challenge) = (header("dpop-nonce"), header("www-authenticate"));
    Answer { status: response.status().as_u16(), nonce, challenge, body: response.bytes().await.unwrap().to_vec() }
}

/// Where the person's browser ends when it opens this address.
async fn person(app: &App, issuer: &str, query: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params(&format!("{issuer}/person"), query).unwrap();
    String::from_utf8(app.get(url.as_str(), &[]).await.body).unwrap()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn secret(fields: &Fields, name: &str) -> Secret {
    Secret::new(fields.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} in {fields:?}")))
}

fn verified(app: &App, metadata: &Metadata, jwks: &Jwks, fields: &Fields, nonce: Option<&str>) -> IdToken {
    let access_token = secret(fields, "access_token");
    let expected = Expected {
        issuer: &metadata.issuer,
        client_id: app.id,
        audiences: &[],
        algorithms: &metadata.id_token_signing_algorithms,
        nonce,
        access_token: Some(access_token.expose()),
        code: None,
        max_age: None,
        acr_values: &[],
    };
    id_token::verify(secret(fields, "id_token").expose(), jwks, &expected, now()).unwrap()
}

/// A code with a pushed request, then userinfo and a refresh, all bound to one key.
async fn code_flow(app: &mut App, provider: &Provider, resource: Option<&str>) {
    let (metadata, jwks) = app.metadata(&provider.issuer).await;
    let (state, nonce, verifier) = (token(), token(), token());
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let jkt = app.dpop.as_ref().unwrap().thumbprint().to_owned();
    let mut request = vec![
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", if resource.is_some() { "openid read" } else { "openid profile email" }),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("dpop_jkt", &jkt),
    ];
    request.extend(resource.map(|resource| ("resource", resource)));
    let endpoint = metadata.pushed_authorization_request_endpoint.clone().unwrap();
    let pushed = app.post(&metadata, &endpoint, &pushed_authorization_request::parameters(app.id, &request)).await;
    assert_eq!(pushed.status, 201, "{:?}", pushed.fields());
    let pushed = Pushed::read(&pushed.fields(), now()).unwrap();
    let authorize = metadata.authorization_endpoint.as_deref().unwrap();
    let url = Url::parse_with_params(authorize, pushed.authorization_parameters(app.id)).unwrap();
    let end = person(app, &provider.issuer, &[("open", url.as_str())]).await;
    assert_eq!(parameter(&end, "state").unwrap(), state, "{end}");
    assert_eq!(parameter(&end, "iss").unwrap(), metadata.issuer.as_str());
    let code = parameter(&end, "code").unwrap();
    let mut exchange = vec![("grant_type", "authorization_code"), ("code", code.as_str())];
    exchange.extend([("redirect_uri", REDIRECT_URI), ("code_verifier", verifier.as_str()), ("client_id", app.id)]);
    let tokens = app.post(&metadata, &metadata.token_endpoint, &exchange).await.fields();
    assert_eq!(tokens.get("token_type").unwrap(), "DPoP", "{tokens:?}");
    let id_token = verified(app, &metadata, &jwks, &tokens, Some(&nonce));
    println!("      {} of {}, scope {}", id_token.subject, id_token.issuer, tokens.get("scope").unwrap());
    let access_token = secret(&tokens, "access_token");
    if resource.is_some() {
        let payload = access_token.expose().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!((&claims["cnf"]["jkt"], &claims["aud"]), (&Value::from(jkt), &Value::from(RESOURCE)));
        return println!("      a JWT for {}, bound to our key", claims["aud"]);
    }
    bound(app, provider, &metadata, &tokens).await;
    let refresh_token = secret(&tokens, "refresh_token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    let fresh = app.post(&metadata, &metadata.token_endpoint, &refresh).await.fields();
    assert_eq!(verified(app, &metadata, &jwks, &fresh, None).subject, id_token.subject);
    println!("      refreshed");
}

/// What is bound to a key is good with that key, and only so.
async fn bound(app: &mut App, provider: &Provider, metadata: &Metadata, tokens: &Fields) {
    let access_token = secret(tokens, "access_token");
    // A resource asks for nonces of its own.
    let known = app.nonce.take();
    let unasked = app.userinfo(metadata, "DPoP", &access_token).await;
    assert_eq!(unasked.asks_nonce(), provider.is_nonce_required, "{:?}", unasked.challenge);
    app.nonce = known;
    let user = app.userinfo(metadata, "DPoP", &access_token).await;
    assert_eq!((user.status, &user.fields()["sub"]), (200, &Value::from("xiaoming")));
    println!("      userinfo: {}", user.fields()["name"]);
    assert_eq!(app.userinfo(metadata, "Bearer", &access_token).await.status, 401, "a bound token is no bearer token");
    let own = app.dpop.replace(DpopKey::generate().unwrap().0);
    let stolen = app.userinfo(metadata, "DPoP", &access_token).await;
    assert_eq!(stolen.status, 401, "a bound token without its key is worth nothing");
    println!("      with another key: {}", stolen.challenge.unwrap());
    app.dpop = own;
}

/// Without a push the provider refuses, where it demands one.
async fn unpushed(app: &App, provider: &Provider, par: &str) {
    let (metadata, _) = app.metadata(&provider.issuer).await;
    assert_eq!(metadata.require_pushed_authorization_requests, par == "required");
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"verifier"));
    let parameters = [
        ("client_id", app.id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let url = Url::parse_with_params(metadata.authorization_endpoint.as_deref().unwrap(), parameters).unwrap();
    let end = person(app, &provider.issuer, &[("open", url.as_str())]).await;
    let error = if end.starts_with("http") { parameter(&end, "error") } else { Some(end) };
    assert_eq!(error.is_some(), par == "required", "{error:?}");
    println!("      error: {:.80?}", error.unwrap_or_default());
}

async fn device_flow(provider: &Provider, deny: bool) {
    let mut app = App::new("device", None, None);
    let (metadata, jwks) = app.metadata(&provider.issuer).await;
    let endpoint = metadata.device_authorization_endpoint.clone().unwrap();
    let begun = app.post(&metadata, &endpoint, &device::parameters(app.id, "openid profile")).await;
    let begun = DeviceAuthorization::read(&begun.fields(), now()).unwrap();
    let mut polling = begun.polling(now());
    println!("      {} at {}, {:?}", begun.user_code, begun.verification_uri, polling.turn(now()));
    let ask = begun.token_parameters(app.id);
    let early = app.post(&metadata, &metadata.token_endpoint, &ask).await;
    assert_eq!(polling.hear(&early.fields(), now()), Heard::Pending, "{:?}", early.fields());
    let mut query = vec![("user_code", begun.user_code.as_str())];
    query.extend(deny.then_some(("deny", "1")));
    println!("      the person: {}", person(&app, &provider.issuer, &query).await);
    let late = app.post(&metadata, &metadata.token_endpoint, &ask).await;
    let heard = polling.hear(&late.fields(), now());
    println!("      {heard:?}");
    if deny {
        return assert_eq!(heard, Heard::Denied);
    }
    assert_eq!(heard, Heard::Tokens);
    println!("      {}", verified(&app, &metadata, &jwks, &late.fields(), None).subject);
}

#[tokio::main]
async fn main() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    for (algorithm, id_token_alg, par, dpop_nonce) in [
        (Algorithm::Es256, "RS256", "required", "required"),
        (Algorithm::EdDsa, "ES256", "required", "never"),
        (Algorithm::Rs256, "PS256", "optional", "offered"),
        (Algorithm::Es256, "EdDSA", "optional", "required"),
    ] {
        println!("client {}, ID token {id_token_alg}, PAR {par}, nonce {dpop_nonce}", algorithm.as_str());
        let key = || SigningKey::from_pkcs8(algorithm, "c1".into(), &SigningKey::generate(algorithm).unwrap()).unwrap();
        let (own, bound) = (key(), DpopKey::new(key()));
        let jwk = serde_json::to_string(&own.jwk()).unwrap();
        let environment =
            [("CLIENT_JWK", jwk.as_str()), ("PAR", par), ("DPOP_NONCE", dpop_nonce), ("ID_TOKEN_ALG", id_token_alg)];
        let provider = Provider::start(&environment);
        let mut app = App::new("keyed", Some(own), Some(bound));
        println!("   a request that is not pushed");
        unpushed(&app, &provider, par).await;
        println!("   a code");
        code_flow(&mut app, &provider, None).await;
        println!("   a code for a resource");
        code_flow(&mut app, &provider, Some(RESOURCE)).await;
        println!("   a device, allowed");
        device_flow(&provider, false).await;
        println!("   a device, refused");
        device_flow(&provider, true).await;
    }
}
