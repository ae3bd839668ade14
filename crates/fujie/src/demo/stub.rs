//! A small issuer for tests: it says yes to everybody, signs what it is told to, and remembers every secret it saw.
//!
//! Deliberately not here: any check that a real issuer makes, except those that a test asks about.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{
    Json, Router,
    extract::{Form, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Now;

/// The issuer, its switches and its memory.
pub struct Issuer {
    /// Its name.
    pub issuer: String,
    /// What the contacts API is called in `aud`.
    pub resource: Mutex<String>,
    /// Consent is denied from now on.
    pub denies: Mutex<bool>,
    /// The next ID token repeats another nonce.
    pub forgets_nonce: Mutex<bool>,
    /// How often the keys were asked for.
    pub keys_asked: AtomicU32,
    /// How often the token endpoint was.
    pub tokens_asked: AtomicU32,
    /// Everything that must not stand on a page.
    pub secrets: Mutex<HashSet<String>>,
    is_revoked: Mutex<bool>,
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    seconds: AtomicI64,
    number: AtomicU32,
    key: EcdsaKeyPair,
}

impl Issuer {
    /// Starts one on a free port.
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let stub = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            resource: Mutex::default(),
            denies: Mutex::default(),
            forgets_nonce: Mutex::default(),
            keys_asked: AtomicU32::default(),
            tokens_asked: AtomicU32::default(),
            secrets: Mutex::default(),
            is_revoked: Mutex::default(),
            codes: Mutex::default(),
            seconds: AtomicI64::new(1_800_000_000),
            number: AtomicU32::default(),
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/introspect", post(introspect))
            .route("/revoke", post(revoke))
            .with_state(Arc::clone(&stub));
        tokio::spawn(async move { axum::serve(listener, router).await });
        stub
    }

    /// The time, which only [`Issuer::advance`] moves.
    pub fn now(self: &Arc<Self>) -> Now {
        let stub = Arc::clone(self);
        Arc::new(move || Timestamp::from_seconds(stub.seconds.load(Ordering::SeqCst)))
    }

    /// Moves the time.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Claims of a good access token for the contacts API.
    pub fn access_claims(&self) -> Value {
        let now = self.seconds.load(Ordering::SeqCst);
        json!({
            "iss": self.issuer, "sub": "0190-alice", "aud": [*self.resource.lock().unwrap(), self.issuer],
            "exp": now + 7200, "iat": now, "scope": "openid profile read_contacts", "client_id": "friends",
            "jti": self.number.fetch_add(1, Ordering::SeqCst),
        })
    }

    /// Signs `claims` under `header`, whatever they say.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        self.keep(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }

    /// An access token of these claims.
    pub fn access_token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1" }), claims)
    }

    /// A good token that expired a second ago.
    pub fn expired_token(&self) -> String {
        let mut claims = self.access_claims();
        claims["exp"] = json!(self.seconds.load(Ordering::SeqCst) - 1);
        self.access_token(&claims)
    }

    fn keep(&self, secret: String) -> String {
        self.secrets.lock().unwrap().insert(secret.clone());
        secret
    }

    fn opaque(&self, kind: &str) -> String {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        self.keep(format!("fj_{kind}_{}", URL_SAFE_NO_PAD.encode(digest(&SHA256, &number.to_be_bytes()))))
    }
}

async fn metadata(State(stub): State<Arc<Issuer>>) -> Json<Value> {
    let issuer = &stub.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"), "introspection_endpoint": format!("{issuer}/introspect"),
        "revocation_endpoint": format!("{issuer}/revoke"), "end_session_endpoint": format!("{issuer}/sign-out"),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(stub): State<Arc<Issuer>>) -> Json<Value> {
    stub.keys_asked.fetch_add(1, Ordering::SeqCst);
    let point = stub.key.public_key().as_ref();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let own = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
        "x": encode(&point[1..33]), "y": encode(&point[33..]) });
    Json(json!({ "keys": [{ "kty": "RSA", "kid": "r1", "n": "AQAB", "e": "AQAB" }, "nonsense", own] }))
}

type Pairs = HashMap<String, String>;

async fn authorize(State(stub): State<Arc<Issuer>>, Query(query): Query<Pairs>) -> Redirect {
    let state = stub.keep(query["state"].clone());
    stub.keep(query["nonce"].clone());
    let mut url = url::Url::parse(&query["redirect_uri"]).unwrap();
    if *stub.denies.lock().unwrap() {
        url.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "The person said no.");
    } else {
        let code = stub.opaque("ac");
        url.query_pairs_mut().append_pair("code", &code);
        stub.codes.lock().unwrap().insert(code, query);
    }
    url.query_pairs_mut().append_pair("state", &state).append_pair("iss", &stub.issuer);
    Redirect::to(url.as_str())
}

async fn token(State(stub): State<Arc<Issuer>>, headers: HeaderMap, Form(form): Form<Pairs>) -> impl IntoResponse {
    stub.tokens_asked.fetch_add(1, Ordering::SeqCst);
    let authorization = headers["authorization"].to_str().unwrap();
    stub.keep(authorization.trim_start_matches("Basic ").to_owned());
    let mut tokens = json!({
        "access_token": stub.access_token(&stub.access_claims()), "token_type": "Bearer", "expires_in": 7200,
        "scope": "openid profile read_contacts offline_access",
    });
    if form["grant_type"] == "authorization_code" {
        let request = stub.codes.lock().unwrap().remove(&form["code"]).unwrap();
        let verifier = stub.keep(form["code_verifier"].clone());
        assert_eq!(URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())), request["code_challenge"]);
        assert_eq!(
            (&form["redirect_uri"], request["code_challenge_method"].as_str()),
            (&request["redirect_uri"], "S256")
        );
        let mut claims = stub.access_claims();
        claims["aud"] = json!(request["client_id"]);
        let forgets = *stub.forgets_nonce.lock().unwrap();
        claims["nonce"] = json!(if forgets { "another" } else { request["nonce"].as_str() });
        tokens["refresh_token"] = json!(stub.opaque("rt"));
        tokens["id_token"] = json!(stub.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }), &claims));
        *stub.is_revoked.lock().unwrap() = false;
    } else if *stub.is_revoked.lock().unwrap() {
        return (axum::http::StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    }
    (axum::http::StatusCode::OK, Json(tokens))
}

async fn userinfo() -> Json<Value> {
    Json(json!({ "sub": "0190-alice", "nickname": "小满 🌾" }))
}

async fn introspect(State(stub): State<Arc<Issuer>>) -> Json<Value> {
    Json(json!({ "active": !*stub.is_revoked.lock().unwrap() }))
}

async fn revoke(State(stub): State<Arc<Issuer>>, Form(form): Form<Pairs>) {
    assert!(form["token"].starts_with("fj_rt_"), "the refresh token stands for the grant");
    *stub.is_revoked.lock().unwrap() = true;
}
