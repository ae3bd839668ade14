//! The contacts API: a resource server with one resource, `GET /contacts`, guarded by scope `read_contacts`.
//!
//! It believes an access token when type, signature, issuer, audience, expiry and scope are right (RFC 9068 §4) and
//! the issuer says that it is still alive (RFC 7662): a signature alone would outlive a revocation until the expiry.
//! Deliberately not here: people, sign-in, and tokens sent in any other way than `Authorization: Bearer` (RFC 6750).

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use fujie_core::secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::{
    Now, Shutdown,
    http::{self, Http, Request},
    issuer::KnownIssuer,
    jwt::{Claims, Fault, Type, Unverified},
};

/// What the contacts API is told at its start.
pub struct ContactsConfig {
    /// Whose tokens it takes, exactly as in `iss`.
    pub issuer: String,
    /// Its own name in `aud`: the `resource` it is registered with.
    pub resource: String,
    /// Its own client, which may ask about tokens.
    pub client_id: String,
    /// The secret of that client.
    pub client_secret: Secret,
    /// The time.
    pub now: Now,
    /// When to end.
    pub shutdown: Shutdown,
}

/// Serves the API until the shutdown. The issuer is first asked when the first token arrives.
pub async fn serve(listener: TcpListener, config: ContactsConfig) -> anyhow::Result<()> {
    let shutdown = config.shutdown.clone();
    let api = Api { issuer: KnownIssuer::new(config.issuer.clone()), http: Http::new()?, config };
    let router = Router::new().route("/contacts", get(contacts)).with_state(Arc::new(api));
    super::serve(listener, router, shutdown).await
}

struct Api {
    config: ContactsConfig,
    issuer: KnownIssuer,
    http: Http,
}

#[derive(Serialize)]
struct Contacts {
    /// Whose contacts these are.
    sub: String,
    contacts: [Contact; 6],
}

#[derive(Clone, Copy, Serialize)]
struct Contact {
    name: &'static str,
    note: &'static str,
}

async fn contacts(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = token(&headers)?;
    let claims = api.verified(token).await?;
    api.alive(token).await?;
    let body = Json(Contacts { sub: claims.sub, contacts: CONTACTS });
    Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response())
}

/// The one bearer token of the request.
fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(Refusal::NoToken) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    match (scheme.eq_ignore_ascii_case("bearer"), values.next()) {
        (_, Some(_second)) => Err(Refusal::Request),
        (false, None) => Err(Refusal::NoToken),
        (true, None) => Ok(token.trim_start_matches(' ')),
    }
}

impl Api {
    /// The claims of a token that is ours to take. It says nothing about a revocation.
    async fn verified(&self, token: &str) -> Result<Claims, Refusal> {
        let now = (self.config.now)();
        let unverified = Unverified::read(token).map_err(Refusal::Untrusted)?;
        let known = self.issuer.key(unverified.kid(), &self.http, now).await;
        let (key, _) = known.map_err(Refusal::Unavailable)?;
        let key = key.ok_or(Refusal::Token("the signing key is unknown"))?;
        let claims = unverified.verify(&key, Type::AccessToken).map_err(Refusal::Untrusted)?;
        if claims.iss != self.issuer.issuer() {
            return Err(Refusal::Token("the token is of another issuer"));
        }
        if !claims.audience().contains(&self.config.resource) {
            return Err(Refusal::Token("the token is meant for another audience"));
        }
        let seconds = now.millis() as f64 / 1000.0;
        if seconds >= claims.exp {
            return Err(Refusal::Token("the token is expired"));
        }
        if claims.nbf.is_some_and(|nbf| seconds < nbf) {
            return Err(Refusal::Token("the token is not valid yet"));
        }
        match &claims.scope {
            Some(scope) if scope.split(' ').any(|token| token == SCOPE) => Ok(claims),
            _ => Err(Refusal::Scope),
        }
    }

    /// Asks the issuer whether the token was revoked meanwhile. No answer is not a yes.
    async fn alive(&self, token: &str) -> Result<(), Refusal> {
        #[derive(Deserialize)]
        struct Introspection {
            active: bool,
        }
        let unverified = Unverified::read(token).map_err(Refusal::Untrusted)?;
        let known = self.issuer.key(unverified.kid(), &self.http, (self.config.now)()).await;
        let (_, metadata) = known.map_err(Refusal::Unavailable)?;
        let request = Request {
            url: metadata.introspection_endpoint,
            authorization: Some(http::basic(&self.config.client_id, &self.config.client_secret)),
            form: Some(http::form(&[("token", token), ("token_type_hint", "access_token")])),
        };
        let answer = self.http.send(&request).await.map_err(Refusal::Unavailable)?;
        let introspection = serde_json::from_slice::<Introspection>(&answer.body);
        match introspection {
            Ok(introspection) if answer.status == 200 && introspection.active => Ok(()),
            Ok(_) if answer.status == 200 => Err(Refusal::Token("the token was revoked")),
            _ => Err(Refusal::Unavailable(anyhow::anyhow!("introspection answered {}", answer.status))),
        }
    }
}

/// Why there are no contacts (RFC 6750 §3).
enum Refusal {
    /// No bearer token: only the scheme is named (§3.1).
    NoToken,
    /// Two `Authorization` headers.
    Request,
    /// The token cannot be trusted.
    Untrusted(Fault),
    /// It can, but not here or not now.
    Token(&'static str),
    /// It lacks the scope.
    Scope,
    /// The issuer gave no answer.
    Unavailable(anyhow::Error),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let invalid = |why: &str| format!(r#"Bearer error="invalid_token", error_description="{why}""#);
        let (status, challenge) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, r#"Bearer realm="contacts""#.to_owned()),
            Self::Request => (StatusCode::BAD_REQUEST, r#"Bearer error="invalid_request""#.to_owned()),
            Self::Untrusted(fault) => (StatusCode::UNAUTHORIZED, invalid(fault.as_str())),
            Self::Token(why) => (StatusCode::UNAUTHORIZED, invalid(why)),
            Self::Scope => (StatusCode::FORBIDDEN, format!(r#"Bearer error="insufficient_scope", scope="{SCOPE}""#)),
            Self::Unavailable(error) => {
                tracing::warn!(error = format!("{error:#}"), "the contacts API cannot ask the issuer");
                return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response();
            }
        };
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")]).into_response();
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What a token must allow.
const SCOPE: &str = "read_contacts";

const CONTACTS: [Contact; 6] = [
    Contact { name: "韩梅梅 🌸", note: "同事" },
    Contact { name: "李雷 🏀", note: "大学同学" },
    Contact { name: "林间有风 🍃", note: "一起爬山" },
    Contact { name: "Zoë Müller", note: "Berlin" },
    Contact { name: "老周 🎣", note: "邻居" },
    Contact { name: "妈妈 ❤️", note: "家人" },
];

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::*;
    use crate::demo::{http::Answer, stub::Issuer};

    struct House {
        issuer: Arc<Issuer>,
        url: String,
        http: Http,
        _running: watch::Sender<bool>,
    }

    impl House {
        async fn open() -> Self {
            let issuer = Issuer::start().await;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let resource = format!("http://{}", listener.local_addr().unwrap());
            *issuer.resource.lock().unwrap() = resource.clone();
            let (running, shutdown) = watch::channel(false);
            let url = format!("{resource}/contacts");
            let config = ContactsConfig {
                issuer: issuer.issuer.clone(),
                resource,
                client_id: "contacts".into(),
                client_secret: Secret::new("fj_cs_contacts".into()),
                now: issuer.now(),
                shutdown,
            };
            tokio::spawn(serve(listener, config));
            Self { issuer, url, http: Http::new().unwrap(), _running: running }
        }

        async fn call(&self, authorization: Option<String>) -> Answer {
            let authorization = authorization.map(Secret::new);
            self.http.send(&Request { url: self.url.clone(), authorization, form: None }).await.unwrap()
        }

        async fn refuses(&self, token: &str, why: &str) {
            let answer = self.call(Some(format!("Bearer {token}"))).await;
            let expected = format!(r#"Bearer error="invalid_token", error_description="{why}""#);
            assert_eq!((answer.status, answer.www_authenticate.as_deref()), (401, Some(expected.as_str())));
            assert!(answer.body.is_empty());
        }
    }

    #[tokio::test]
    async fn a_good_token_gets_the_contacts() {
        let house = House::open().await;
        let mut claims = house.issuer.access_claims();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let answer = house.call(Some(format!("{scheme} {}", house.issuer.access_token(&claims)))).await;
            assert_eq!(answer.status, 200);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!((&body["sub"], body["contacts"].as_array().unwrap().len()), (&json!("0190-alice"), 6));
        }
        // One audience may stand alone, and the long media type is a name for the same thing (RFC 9068 §2.1).
        claims["aud"] = json!(*house.issuer.resource.lock().unwrap());
        let header = json!({ "alg": "ES256", "typ": "application/at+jwt", "kid": "k1" });
        assert_eq!(house.call(Some(format!("Bearer {}", house.issuer.sign(&header, &claims)))).await.status, 200);
    }

    #[tokio::test]
    async fn claims_that_are_not_for_here_or_not_for_now_are_refused() {
        let house = House::open().await;
        let now = house.issuer.access_claims()["iat"].as_i64().unwrap();
        let cases = [
            ("exp", json!(now), "the token is expired"),
            ("exp", json!(now - 86_400), "the token is expired"),
            ("exp", json!((now + 60).to_string()), "the token is malformed"),
            ("exp", Value::Null, "the token is malformed"),
            ("nbf", json!(now + 1), "the token is not valid yet"),
            ("nbf", json!("soon"), "the token is malformed"),
            ("aud", json!("https://api.example"), "the token is meant for another audience"),
            ("aud", json!([]), "the token is meant for another audience"),
            ("aud", json!([house.issuer.issuer]), "the token is meant for another audience"),
            ("iss", json!("https://issuer.example"), "the token is of another issuer"),
            ("iss", json!(format!("{}/", house.issuer.issuer)), "the token is of another issuer"),
        ];
        for (claim, value, why) in cases {
            let mut claims = house.issuer.access_claims();
            claims[claim] = value;
            house.refuses(&house.issuer.access_token(&claims), why).await;
        }
        let mut claims = house.issuer.access_claims();
        claims.as_object_mut().unwrap().remove("exp");
        house.refuses(&house.issuer.access_token(&claims), "the token is malformed").await;
    }

    #[tokio::test]
    async fn a_header_that_chooses_its_own_rules_is_refused() {
        let house = House::open().await;
        let cases = [
            (json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }), "the token is of another type"),
            (json!({ "alg": "ES256", "kid": "k1" }), "the token is of another type"),
            (json!({ "alg": "none", "typ": "at+jwt", "kid": "k1" }), "the token is signed with another algorithm"),
            (json!({ "alg": "HS256", "typ": "at+jwt", "kid": "k1" }), "the token is signed with another algorithm"),
            (json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "k1" }), "the token is signed with another algorithm"),
            (
                json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1", "crit": ["exp"] }),
                "the token is signed with another algorithm",
            ),
            (json!({ "alg": "ES256", "typ": "at+jwt", "kid": "r1" }), "the signing key is unknown"),
            (json!({ "alg": "ES256", "typ": "at+jwt" }), "the token is malformed"),
        ];
        for (header, why) in cases {
            house.refuses(&house.issuer.sign(&header, &house.issuer.access_claims()), why).await;
        }
    }

    #[tokio::test]
    async fn a_changed_or_missing_signature_is_refused() {
        let house = House::open().await;
        let token = house.issuer.access_token(&house.issuer.access_claims());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        house.refuses(&format!("{message}.{flipped}{}", &signature[1..]), "the signature is wrong").await;
        house.refuses(&format!("{message}."), "the signature is wrong").await;
        let other = Issuer::start().await;
        *other.resource.lock().unwrap() = house.issuer.resource.lock().unwrap().clone();
        house.refuses(&other.access_token(&house.issuer.access_claims()), "the signature is wrong").await;
        for junk in ["x", "a.b", "a.b.c", "....", &"a".repeat(20_000), &format!("{token}.{token}")] {
            house.refuses(junk, "the token is malformed").await;
        }
    }

    #[tokio::test]
    async fn a_token_without_the_scope_is_told_which_one_it_lacks() {
        let house = House::open().await;
        for scope in [json!("openid profile"), json!("read_contacts_all"), json!(""), Value::Null] {
            let mut claims = house.issuer.access_claims();
            claims["scope"] = scope;
            let answer = house.call(Some(format!("Bearer {}", house.issuer.access_token(&claims)))).await;
            let expected = r#"Bearer error="insufficient_scope", scope="read_contacts""#;
            assert_eq!((answer.status, answer.www_authenticate.as_deref()), (403, Some(expected)));
        }
    }

    #[tokio::test]
    async fn without_a_bearer_token_only_the_scheme_is_named() {
        let house = House::open().await;
        for authorization in [None, Some("Basic YTpi".to_owned()), Some("Bearer".to_owned())] {
            let answer = house.call(authorization).await;
            assert_eq!((answer.status, answer.www_authenticate.as_deref()), (401, Some(r#"Bearer realm="contacts""#)));
        }
    }

    #[tokio::test]
    async fn invented_keys_do_not_make_us_ask_the_issuer_again_and_again() {
        let house = House::open().await;
        let token = |kid: String| {
            let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
            house.issuer.sign(&header, &house.issuer.access_claims())
        };
        for number in 0..5 {
            house.refuses(&token(format!("x{number}")), "the signing key is unknown").await;
        }
        assert_eq!(house.issuer.keys_asked.load(Ordering::SeqCst), 1);
        house.issuer.advance(31);
        house.refuses(&token("x9".into()), "the signing key is unknown").await;
        assert_eq!(house.issuer.keys_asked.load(Ordering::SeqCst), 2);
    }
}
