//! Who calls the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2, OpenID Connect Core §9).
//!
//! Answers with the client or with `invalid_client`; says nothing of what the client may do.

use super::config::{AuthMethod, Client};
use super::failure::Failure;
use crate::bounded::Bounded;
use crate::call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::jws::{self, Algorithm};
use axum::http::{HeaderMap, header};
use serde_json::Value;
use url::form_urlencoded;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client may prove itself with, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) clients: &'a [Client],
    pub(crate) methods: &'a [AuthMethod],
    /// What an assertion may name as its audience.
    pub(crate) audiences: &'a [String],
    /// Whether this is the client's secret: a comparison, or what a house does instead.
    pub(crate) knows_secret: fn(&Desk<'_>, &Client, &str) -> bool,
    pub(crate) now: Timestamp,
}

/// The plain comparison of secrets.
pub(crate) fn is_same_secret(_desk: &Desk<'_>, client: &Client, secret: &str) -> bool {
    client.client_secret.as_deref() == Some(secret)
}

impl<'a> Desk<'a> {
    /// The client behind a request; its assertion, if it has one, is spent in `seen`.
    pub(crate) fn client(
        &self,
        headers: &HeaderMap,
        form: &Fields,
        seen: &mut Bounded<()>,
    ) -> Result<&'a Client, Failure> {
        let basic = basic(headers)?;
        let (client, method) = if let Some((id, secret)) = &basic {
            if form.filled("client_secret").is_some() || form.filled("client_assertion").is_some() {
                return Err(Failure::of("invalid_request", "the client authenticates in two ways"));
            }
            (self.by_secret(id, secret)?, AuthMethod::ClientSecretBasic)
        } else if let Some(assertion) = form.filled("client_assertion") {
            if form.filled("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(Failure::of("invalid_request", "client_assertion_type is missing or unknown"));
            }
            (self.by_assertion(assertion, seen)?, AuthMethod::PrivateKeyJwt)
        } else {
            let id = form.filled("client_id").ok_or(Failure::of("invalid_request", "client_id is missing"))?;
            match form.filled("client_secret") {
                Some(secret) => (self.by_secret(id, secret)?, AuthMethod::ClientSecretPost),
                None => (
                    self.named(id).filter(|client| client.is_public()).ok_or(Failure::INVALID_CLIENT)?,
                    AuthMethod::None,
                ),
            }
        };
        let names_another = form.filled("client_id").is_some_and(|id| id != client.client_id);
        if names_another || !self.methods.contains(&method) { Err(Failure::INVALID_CLIENT) } else { Ok(client) }
    }

    fn named(&self, id: &str) -> Option<&'a Client> {
        self.clients.iter().find(|client| client.client_id == id)
    }

    fn by_secret(&self, id: &str, secret: &str) -> Result<&'a Client, Failure> {
        let client = self.named(id).filter(|client| (self.knows_secret)(self, client, secret));
        client.ok_or(Failure::INVALID_CLIENT)
    }

    fn by_assertion(&self, assertion: &str, seen: &mut Bounded<()>) -> Result<&'a Client, Failure> {
        let claimed = jws::unverified_claims(assertion);
        let id = claimed.as_ref().and_then(|claims| claims.get("sub")?.as_str()).ok_or(Failure::INVALID_CLIENT)?;
        let client = self.named(id).ok_or(Failure::INVALID_CLIENT)?;
        let public_key = client.public_key.as_deref().ok_or(Failure::INVALID_CLIENT)?;
        let verified = jws::verified(assertion, public_key, &[Algorithm::Rs256, Algorithm::Es256]);
        let claims = verified.ok_or(Failure::INVALID_CLIENT)?.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let ends_at = claims.get("exp").and_then(Value::as_u64).unwrap_or_default();
        let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(Failure::INVALID_CLIENT)?;
        let spent = format!("{id} {jti}");
        let is_good = text("iss") == Some(id)
            && self.is_audience(claims.get("aud"))
            && ends_at > self.now.unix_seconds()
            && seen.get(&spent).is_none();
        if !is_good {
            return Err(Failure::INVALID_CLIENT);
        }
        seen.insert(spent, ());
        Ok(client)
    }

    pub(crate) fn is_audience(&self, claim: Option<&Value>) -> bool {
        let is_ours = |value: &Value| value.as_str().is_some_and(|text| self.audiences.iter().any(|own| own == text));
        match claim {
            Some(Value::Array(all)) => all.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        }
    }
}

/// Id and secret of `Authorization: Basic`, form-encoded before Base64 (RFC 6749 §2.3.1).
pub(crate) fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Failure> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let (id, secret) = call::basic(headers).ok_or(Failure::INVALID_CLIENT)?;
    Ok(Some((form_decode(&id), form_decode(&secret))))
}

fn form_decode(text: &str) -> String {
    // Without `=` in it, a text is read as a name without a value.
    let guarded = text.replace('=', "%3D").replace('&', "%26");
    form_urlencoded::parse(guarded.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ASSERTION_TYPE, Desk, is_same_secret};
    use crate::bounded::Bounded;
    use crate::clock::Clock;
    use crate::fields::Fields;
    use crate::jws::{self, Algorithm, SigningKey};
    use crate::oidc::config::{AuthMethod, Client};
    use axum::http::{HeaderMap, HeaderValue, header};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    fn asks(clients: &[Client], methods: &[AuthMethod], basic: Option<&str>, form: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        if let Some(pair) = basic {
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        }
        let audiences = ["http://op".to_owned()];
        let desk =
            Desk { clients, methods, audiences: &audiences, knows_secret: is_same_secret, now: Clock::default().now() };
        let found = desk.client(&headers, &Fields::of(form.as_bytes()), &mut Bounded::new(9));
        found.map(|client| client.client_id.clone()).map_err(|failure| failure.error.into_owned())
    }

    #[test]
    fn a_client_authenticates_in_exactly_one_of_the_allowed_ways() {
        let secret = Client { client_id: "a b".to_owned(), client_secret: Some("s+/=".to_owned()), ..Client::demo() };
        let public = Client { client_id: "p".to_owned(), client_secret: None, ..Client::demo() };
        let clients = [secret, public];
        let all = AuthMethod::ALL;
        let post = "client_id=a+b&client_secret=s%2B%2F%3D";
        for (methods, basic, form, expected) in [
            (&all[..], Some("a+b:s%2B%2F%3D"), "", Ok("a b")),
            (&all[..], Some("a%20b:s%2B%2F%3D"), "client_id=a+b", Ok("a b")),
            (&all[..], Some("a+b:wrong"), "", Err("invalid_client")),
            (&all[..], Some("a+b:s%2B%2F%3D"), "client_id=p", Err("invalid_client")),
            (&all[..], Some("a+b:s%2B%2F%3D"), post, Err("invalid_request")),
            (&all[..], None, post, Ok("a b")),
            (&all[1..], Some("a+b:s%2B%2F%3D"), "", Err("invalid_client")),
            (&all[..1], None, post, Err("invalid_client")),
            (&all[..], None, "client_id=p", Ok("p")),
            (&all[..], None, "client_id=a+b", Err("invalid_client")),
            (&all[..], None, "client_id=p&client_secret=x", Err("invalid_client")),
            (&all[..], None, "", Err("invalid_request")),
        ] {
            let found = asks(&clients, methods, basic, form);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{basic:?} {form}");
        }
    }

    #[test]
    fn an_assertion_is_judged_claim_by_claim_and_spent() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let public_key = Some(key.public_pem().unwrap());
        let clients = [Client { client_id: "j".to_owned(), client_secret: None, public_key, ..Client::demo() }];
        let now = Clock::default().now();
        let good = json!({ "iss": "j", "sub": "j", "aud": "http://op", "jti": "1", "exp": now.unix_seconds() + 60 });
        let form = |changes: Value| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let assertion = jws::signed(&key, &claims).unwrap();
            format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}")
        };
        for (changes, is_good) in [
            (json!({}), true),
            (json!({ "aud": ["x", "http://op"] }), true),
            (json!({ "aud": "http://other" }), false),
            (json!({ "iss": "k" }), false),
            (json!({ "sub": "k" }), false),
            (json!({ "jti": "" }), false),
            (json!({ "exp": now.unix_seconds() - 1 }), false),
        ] {
            assert_eq!(asks(&clients, &AuthMethod::ALL, None, &form(changes.clone())).is_ok(), is_good, "{changes}");
        }
        let audiences = ["http://op".to_owned()];
        let desk = Desk {
            clients: &clients,
            methods: &AuthMethod::ALL,
            audiences: &audiences,
            knows_secret: is_same_secret,
            now,
        };
        let (form, mut seen) = (Fields::of(form(json!({})).as_bytes()), Bounded::new(9));
        assert!(desk.client(&HeaderMap::new(), &form, &mut seen).is_ok());
        assert!(desk.client(&HeaderMap::new(), &form, &mut seen).is_err());
    }
}
