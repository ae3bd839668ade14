//! We, as somebody's client: the processor time of `begin` and `finish`, with nobody's network in between.
//!
//! The provider is a function that has its answers ready. What the provider signs is signed between the two, and what
//! it answers is not counted beyond a copy.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use fujie_client::{
    Provider, Registration, Request, Response, Secret, TransportError, blocking::Client,
    openid::signing_key::SigningKey, provider,
};
use fujie_core::jose::jws::Algorithm;
use serde_json::{Value, json};

use crate::process::cpu_seconds;

/// A sign-in with this provider costs so much, in microseconds of processor time.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The provider.
    pub provider: &'static str,
    /// What its ID token is signed with, if it gives one.
    pub algorithm: &'static str,
    /// `begin`: the address, and the sealed cookie.
    pub begin: f64,
    /// `finish`: the cookie opened, the callback checked, two requests made, two answers read, the ID token verified.
    pub finish: f64,
}

/// Measures so many sign-ins of each kind.
pub fn measure(pairs: usize) -> Result<Vec<SignIn>> {
    let plain = |name, provider, token, user| Party { name, provider, token, user, key: None }.measure(pairs);
    let mut sign_ins = vec![
        plain(
            "GitHub",
            provider::github(),
            json!({"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": "read:user"}),
            json!({
                "id": 583_231, "login": "octocat", "name": "monalisa octocat", "email": "octocat@github.com",
                "avatar_url": "https://github.com/images/error/octocat_happy.gif",
            }),
        )?,
        plain(
            "WeChat",
            provider::wechat(),
            json!({
                "access_token": ACCESS_TOKEN, "expires_in": 7200, "refresh_token": ACCESS_TOKEN,
                "openid": "oBench0000000000000000000001", "scope": "snsapi_login", "unionid": "oUnion01",
            }),
            json!({
                "openid": "oBench0000000000000000000001", "unionid": "oUnion01", "nickname": "小明", "sex": 0,
                "language": "", "city": "", "province": "", "country": "", "privilege": [],
                "headimgurl": "https://thirdwx.qlogo.cn/mmopen/vi_32/x/132",
            }),
        )?,
    ];
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        sign_ins.push(openid(algorithm)?.measure(pairs)?);
    }
    Ok(sign_ins)
}

/// A provider.
struct Party {
    name: &'static str,
    provider: Provider,
    /// What the token endpoint answers, save an ID token.
    token: Value,
    user: Value,
    key: Option<SigningKey>,
}

/// An OpenID provider with one key.
fn openid(algorithm: Algorithm) -> Result<Party> {
    let key = SigningKey::from_pkcs8(algorithm, "bench".to_owned(), &SigningKey::generate(algorithm)?)?;
    let metadata = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm.as_str()],
    });
    let provider = Provider::discover_blocking(move |_| Ok(spoken(metadata.to_string())), ISSUER)?;
    let token = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600});
    let user = json!({"sub": "248289761001", "name": "Jane Doe", "email": "janedoe@op.example"});
    Ok(Party { name: "OpenID Connect", provider, token, user, key: Some(key) })
}

impl Party {
    fn measure(self, pairs: usize) -> Result<SignIn> {
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let client = self.client(&answers)?;
        // The keys are fetched once, by the first.
        self.round(&client, &answers, 1)?;
        let (begin, finish) = self.round(&client, &answers, pairs)?;
        let algorithm = self.key.as_ref().map_or("none", |key| key.algorithm().as_str());
        Ok(SignIn { provider: self.name, algorithm, begin, finish })
    }

    /// A client whose token requests are answered by what is in `answers`, in that order.
    fn client(&self, answers: &Arc<Mutex<VecDeque<String>>>) -> Result<Client> {
        let registration = Registration::new(self.provider.clone(), CLIENT_ID, Secret::new("a secret of the bench"))?;
        let jwks = match &self.key {
            Some(key) => json!({"keys": [serde_json::to_value(key.jwk())?]}).to_string(),
            None => String::new(),
        };
        let (token_endpoint, user) = (self.provider.token.endpoint.clone(), self.user.to_string());
        let answers = Arc::clone(answers);
        let exchange = move |request: &Request| -> Result<Response, TransportError> {
            if request.url().starts_with(&token_endpoint) {
                let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                return answer.map(spoken).ok_or(TransportError::Timeout);
            }
            Ok(spoken(if request.url().ends_with("/jwks") { jwks.clone() } else { user.clone() }))
        };
        Ok(Client::over(exchange, registration)?)
    }

    /// Begins so many sign-ins and finishes them: microseconds of each `begin` and of each `finish`.
    fn round(&self, client: &Client, answers: &Mutex<VecDeque<String>>, pairs: usize) -> Result<(f64, f64)> {
        let own = std::process::id();
        let count = f64::from(u32::try_from(pairs)?);
        let start = cpu_seconds(own)?;
        let begun = (0..pairs).map(|_| client.begin(REDIRECT_URI)).collect::<Result<Vec<_>, _>>()?;
        let begin = cpu_seconds(own)? - start;
        let mut callbacks = Vec::new();
        for begun in &begun {
            let state = parameter(&begun.url, "state").context("an address without state")?;
            callbacks.push(format!("{REDIRECT_URI}?code=4f6c1b2a9d&state={state}"));
            let answer = self.token(client, parameter(&begun.url, "nonce"))?;
            answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
        }
        let start = cpu_seconds(own)?;
        for (begun, callback) in begun.iter().zip(&callbacks) {
            client.finish(callback, &begun.cookie.value)?;
        }
        let finish = cpu_seconds(own)? - start;
        Ok((1e6 * begin / count, 1e6 * finish / count))
    }

    fn token(&self, client: &Client, nonce: Option<&str>) -> Result<String> {
        let mut token = self.token.clone();
        if let (Some(key), Some(fields)) = (&self.key, token.as_object_mut()) {
            let now = client.now().millis() / 1000;
            let claims = json!({
                "iss": ISSUER, "sub": "248289761001", "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 3600,
            });
            fields.insert("id_token".to_owned(), key.sign("JWT", claims.to_string().as_bytes())?.into());
        }
        Ok(token.to_string())
    }
}

fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = url.split(['?', '&', '#']).filter_map(|parameter| parameter.split_once('='));
    parameters.find_map(|(own, value)| (own == name).then_some(value))
}

fn spoken(body: String) -> Response {
    Response::new(200, Some("application/json"), body)
}

const ISSUER: &str = "https://op.example";
const CLIENT_ID: &str = "0123456789abcdef";
const REDIRECT_URI: &str = "https://app.example/callback";
const ACCESS_TOKEN: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
