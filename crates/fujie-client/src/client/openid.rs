//! What a client does with an OpenID provider: discovery, ID tokens, pushed requests, bound tokens.
//!
//! Owns when metadata and keys are fetched and how long they are believed. What they mean is
//! [`crate::openid`]'s.

use std::sync::{Arc, PoisonError};

use fujie_core::jose::jwks::Jwks;
use fujie_core::jose::verifying_key::SignatureAlgorithm;
use fujie_core::random::SystemRandom;
use fujie_core::time::{Lifetime, Timestamp};
use serde_json::Value;

use super::{Begun, Client};
use crate::error::{Endpoint, ProviderError};
use crate::flow::{Ask, Begin, Callback};
use crate::openid::Fields;
use crate::openid::dpop::{Proof, is_bound, is_nonce_asked};
use crate::openid::id_token::{Expected, IdToken, IdTokenError, verify};
use crate::openid::metadata::{Issuer, Metadata, well_known};
use crate::openid::pushed_authorization_request::{Pushed, parameters};
use crate::provider::{self, CallMethod, ClientAuthentication, IdTokenRule, Provider};
#[cfg(any(feature = "reqwest", feature = "ureq"))]
use crate::registration::Registration;
use crate::request::{Method, Request, without_query};
use crate::secret::Secret;
use crate::token::Tokens;
use crate::transport::{Response, Transport};

/// Keys are fetched again after this time, so that a withdrawn one ends.
const KEYS_LIFETIME: Lifetime = Lifetime::from_seconds(3600);
/// An unknown key leads to one fetch in this time, however many tokens name unknown keys.
const KEYS_REST: Lifetime = Lifetime::from_seconds(60);

/// An issuer's keys and when they came.
pub(super) struct Keys {
    jwks: Arc<Jwks>,
    fetched_at: Timestamp,
}

impl Provider {
    /// Asks an issuer for its description and makes a record of it ([`provider::openid`]).
    ///
    /// # Errors
    /// [`ProviderError::Discovery`] when the description is missing or not believed; the causes of
    /// the network otherwise.
    pub async fn discover(transport: &dyn Transport, issuer: &str) -> Result<Self, ProviderError> {
        let asked = Issuer::parse(issuer).map_err(|error| ProviderError::Discovery(error.to_string()))?;
        let mut outcome = Err(ProviderError::Discovery("the issuer has no description".into()));
        for address in well_known(issuer) {
            let request = Request::new::<&str, &str>(&address, CallMethod::Get, &[]);
            let response = super::sent(transport, Endpoint::Metadata, request).await?;
            if response.status == 200 {
                let metadata = Metadata::read(&response.body, &asked);
                return metadata
                    .map(|metadata| provider::openid(&metadata))
                    .map_err(|error| ProviderError::Discovery(error.to_string()));
            }
            outcome = Err(ProviderError::Discovery(format!("status {}", response.status)));
        }
        outcome
    }
}

impl Client {
    /// A client of an OpenID provider, from its issuer alone ([`Registration::discover`]).
    ///
    /// # Errors
    /// As [`Registration::discover`] and [`Client::new`].
    #[cfg(any(feature = "reqwest", feature = "ureq"))]
    pub async fn discover(
        issuer: &str,
        client_id: impl Into<String>,
        credential: impl Into<crate::Credential>,
    ) -> Result<Self, ProviderError> {
        let unusable = |error: &dyn std::error::Error| ProviderError::Discovery(error.to_string());
        let transport = crate::transport::default_transport().map_err(|error| unusable(&error))?;
        let registration = Registration::discover(transport.as_ref(), issuer, client_id, credential).await?;
        Self::over(transport, registration).map_err(|error| unusable(&error))
    }

    /// Begins a sign-in whose request is left with the provider first (RFC 9126): the browser
    /// carries nothing but its name.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider takes none, and the causes of the network.
    pub async fn begin_pushed(&self, redirect_uri: &str, ask: &Ask<'_>) -> Result<Begun, ProviderError> {
        let begin = self.push(redirect_uri, ask, self.now()).await?;
        Ok(Begun { url: begin.url, cookie: self.seal(&begin.attempt, false)? })
    }

    /// Begins a sign-in as the provider wants it, with the request left there first where it must
    /// be, for those who seal attempts and judge callbacks by themselves, at their own time.
    ///
    /// # Errors
    /// As [`Client::begin`] and [`Client::begin_pushed`].
    pub async fn begin_unsealed(
        &self,
        redirect_uri: &str,
        ask: &Ask<'_>,
        now: Timestamp,
    ) -> Result<Begin, ProviderError> {
        if self.provider().pushed_authorization_request_required {
            return self.push(redirect_uri, ask, now).await;
        }
        self.registration.begin(redirect_uri, ask, &mut SystemRandom, now)
    }

    async fn push(&self, redirect_uri: &str, ask: &Ask<'_>, now: Timestamp) -> Result<Begin, ProviderError> {
        let provider = self.provider();
        let endpoint = provider.pushed_authorization_request_endpoint.as_deref();
        let endpoint = endpoint.ok_or(ProviderError::NotOffered("pushed authorization requests"))?;
        let attempt = self.registration.new_attempt(redirect_uri, ask.is_implicit, &mut SystemRandom, now)?;
        let mut asked = self.registration.authorization_parameters(&attempt, ask);
        let thumbprint = self.dpop.as_ref().map(|key| ("dpop_jkt", key.thumbprint().to_owned()));
        asked.extend(thumbprint);
        // The client authenticates here as at the token endpoint, which names it.
        let asked: Vec<(&str, &str)> = asked
            .iter()
            .filter(|(name, _)| *name != "client_id")
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let client_id = self.registration.client_id();
        let mut named = parameters(client_id, &asked);
        named.retain(|(name, _)| *name != "client_id" || !self.names_itself());
        let request = || self.registration.grant_request(endpoint, &named, &mut SystemRandom, now);
        let response = self.send_proved(Endpoint::PushedAuthorizationRequest, request).await?;
        let fields =
            self.registration.read_fields(Endpoint::PushedAuthorizationRequest, &response, &[&attempt.state])?;
        let pushed = Pushed::read(&fields, now).map_err(|error| {
            let secrets = [attempt.state.as_str()];
            self.registration.unreadable(Endpoint::PushedAuthorizationRequest, &response, error.to_string(), &secrets)
        })?;
        let short = pushed.authorization_parameters(client_id).map(|(name, value)| (name, value.to_owned()));
        Ok(Begin { url: self.registration.authorization_url(&short), attempt })
    }

    /// Whether the way in which this client authenticates puts `client_id` into the form.
    pub(super) fn names_itself(&self) -> bool {
        match self.provider().client_authentication {
            ClientAuthentication::ClientSecretBasic => !self.registration.has_secret(),
            ClientAuthentication::InTemplates => false,
            _ => true,
        }
    }

    /// Checks the ID token, if the provider is one that gives some, and takes the subject from
    /// it. Without a callback it came with a refresh (OpenID Connect Core §12.2).
    pub(super) async fn verify_id_token(
        &self,
        tokens: &mut Tokens,
        callback: Option<&Callback>,
    ) -> Result<Option<Value>, ProviderError> {
        let Some(rule) = &self.provider().id_token else {
            return Ok(None);
        };
        let refused = |what: &str| ProviderError::IdTokenRefused(what.to_owned());
        let id_token = tokens.id_token.as_ref().ok_or_else(|| refused("it is missing"))?;
        let issuer = Issuer::parse(rule.issuer.as_str()).map_err(|error| refused(&error.to_string()))?;
        let algorithms: Vec<_> = rule.algorithms.iter().filter_map(|name| SignatureAlgorithm::parse(name)).collect();
        let expected = Expected {
            issuer: &issuer,
            client_id: self.registration.client_id(),
            audiences: &[],
            algorithms: &algorithms,
            nonce: callback.and_then(|callback| callback.nonce.as_ref()).map(Secret::expose),
            access_token: Some(tokens.access_token.expose()),
            code: None,
            max_age: None,
            acr_values: &[],
        };
        let verified = self.verified(rule, id_token, &expected).await?;
        let subject = subject(rule, &verified).ok_or_else(|| refused("a claim that names the subject is missing"))?;
        if tokens.subject.as_ref().is_some_and(|known| *known != subject) {
            return Err(refused("it is about somebody else"));
        }
        tokens.subject = Some(subject);
        Ok(Some(Value::Object(verified.claims)))
    }

    /// Verifies with the keys at hand; a key that is not among them may be a new one.
    async fn verified(
        &self,
        rule: &IdTokenRule,
        id_token: &Secret,
        expected: &Expected<'_>,
    ) -> Result<IdToken, ProviderError> {
        let now = self.now();
        let (keys, fetched_at) = self.keys(rule, KEYS_LIFETIME).await?;
        let refused = |error: IdTokenError| ProviderError::IdTokenRefused(error.to_string());
        match verify(id_token.expose(), &keys, expected, now) {
            Err(error) if error.keys_may_be_old() && now >= fetched_at + KEYS_REST => {
                let (keys, _) = self.keys(rule, KEYS_REST).await?;
                verify(id_token.expose(), &keys, expected, now).map_err(refused)
            }
            outcome => outcome.map_err(refused),
        }
    }

    /// The issuer's keys, not older than `age`.
    async fn keys(&self, rule: &IdTokenRule, age: Lifetime) -> Result<(Arc<Jwks>, Timestamp), ProviderError> {
        let now = self.now();
        {
            let kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(keys) = kept.as_ref().filter(|keys| now < keys.fetched_at + age) {
                return Ok((Arc::clone(&keys.jwks), keys.fetched_at));
            }
        }
        let request = Request::new::<&str, &str>(&rule.jwks_uri, CallMethod::Get, &[]);
        let response = self.send(Endpoint::Jwks, request).await?;
        if response.status != 200 {
            return Err(ProviderError::IdTokenRefused(format!("the keys' address answered {}", response.status)));
        }
        let jwks = Jwks::parse(&response.body).map_err(|error| ProviderError::IdTokenRefused(error.to_string()))?;
        let jwks = Arc::new(jwks);
        let keys = Keys { jwks: Arc::clone(&jwks), fetched_at: now };
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        Ok((jwks, now))
    }

    /// Sends a request that proves who we are, with a proof of our key where tokens are bound to
    /// one (RFC 9449 §5). When the provider asks for its nonce the request is made anew, once:
    /// nothing was spent by the first.
    pub(super) async fn send_proved(
        &self,
        endpoint: Endpoint,
        make: impl Fn() -> Result<Request, ProviderError>,
    ) -> Result<Response, ProviderError> {
        self.send_with_proof(endpoint, None, make).await
    }

    /// Sends a request with an access token; a bound one goes with a proof (RFC 9449 §7).
    pub(super) async fn send_bound(
        &self,
        endpoint: Endpoint,
        tokens: &Tokens,
        request: Request,
    ) -> Result<Response, ProviderError> {
        if self.dpop.is_none() || !is_bound(tokens) {
            return self.send(endpoint, request).await;
        }
        let make = || {
            let mut request = request.duplicate();
            request.set_header("authorization", &format!("DPoP {}", tokens.access_token.expose()));
            Ok(request)
        };
        self.send_with_proof(endpoint, Some(&tokens.access_token), make).await
    }

    async fn send_with_proof(
        &self,
        endpoint: Endpoint,
        access_token: Option<&Secret>,
        make: impl Fn() -> Result<Request, ProviderError>,
    ) -> Result<Response, ProviderError> {
        let request = self.proved(make()?, access_token)?;
        let url = self.dpop.is_some().then(|| without_query(request.url()).to_owned());
        let response = self.send(endpoint, request).await?;
        let Some(url) = url else {
            return Ok(response);
        };
        self.keep_nonce(&url, response.header("dpop-nonce"));
        let fields: Fields = serde_json::from_slice(&response.body).unwrap_or_default();
        let error = fields.get("error").and_then(Value::as_str);
        if !is_nonce_asked(response.status, error, response.header("www-authenticate")) {
            return Ok(response);
        }
        let response = self.send(endpoint, self.proved(make()?, access_token)?).await?;
        self.keep_nonce(&url, response.header("dpop-nonce"));
        Ok(response)
    }

    fn proved(&self, mut request: Request, access_token: Option<&Secret>) -> Result<Request, ProviderError> {
        let method = match request.method() {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
        };
        if let Some(proof) = self.proof(method, request.url(), access_token)? {
            request.set_header("dpop", &proof);
        }
        Ok(request)
    }

    /// A proof of our key for one request, where there is a key.
    pub(crate) fn proof(
        &self,
        method: &str,
        url: &str,
        access_token: Option<&Secret>,
    ) -> Result<Option<String>, ProviderError> {
        let Some(key) = &self.dpop else {
            return Ok(None);
        };
        let nonces = self.dpop_nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let of = Proof { method, url, access_token, nonce: nonces.of(url) };
        let proof = key.proof(of, &mut SystemRandom, self.now());
        proof.map(Some).or(Err(ProviderError::NotOffered("a proof with this key")))
    }

    /// Keeps the nonce that came with an answer from this URL, whatever its status (RFC 9449 §8.2).
    pub(crate) fn keep_nonce(&self, url: &str, header: Option<&str>) {
        self.dpop_nonces.lock().unwrap_or_else(PoisonError::into_inner).keep(url, header);
    }
}

/// The claims that name the subject, joined. `sub` alone was checked already.
fn subject(rule: &IdTokenRule, token: &IdToken) -> Option<String> {
    let claims: Option<Vec<&str>> = rule.subject.iter().map(|name| token.claims.get(name)?.as_str()).collect();
    claims.map(|claims| claims.join(":")).filter(|subject| !subject.is_empty())
}
