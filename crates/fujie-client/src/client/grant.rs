//! Grants without a page of ours: client credentials, password, device, token exchange.
//!
//! Owns these requests and their answers. Waiting between two questions of the device grant is
//! the caller's.

use std::time::Duration;

use fujie_core::random::{Random, SystemRandom};
use fujie_core::time::Timestamp;
use serde_json::Value;

use super::Client;
use crate::answer::{Answer, parse};
use crate::error::{Endpoint, ProviderError};
use crate::openid::Fields;
use crate::openid::device::{DeviceAuthorization, GRANT_TYPE, Heard, Polling, Turn};
use crate::openid::token_exchange::{Exchange, issued_token_type};
use crate::provider::{AnswerFormat, Call, CallMethod};
use crate::registration::Registration;
use crate::request::Request;
use crate::secret::Secret;
use crate::token::Tokens;
use crate::transport::Response;

/// A device that waits for its person (RFC 8628).
#[derive(Debug)]
pub struct Device {
    /// What to show: the code and where to type it.
    pub authorization: DeviceAuthorization,
    polling: Polling,
}

/// What came of a question of the device grant.
#[derive(Debug)]
pub enum Polled {
    /// Ask again after this span, and not before.
    Wait(Duration),
    /// The person allowed it.
    Tokens(Box<Tokens>),
}

impl Registration {
    /// A form for an endpoint where the client authenticates.
    pub(crate) fn grant_request(
        &self,
        endpoint: &str,
        parameters: &[(&str, &str)],
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Request, ProviderError> {
        let own = parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        self.authenticated_request(&form(endpoint, own.collect()), self.values(), random, now)
    }

    /// The members of an answer. `secrets` are those of the request besides our own: the answer may repeat them.
    pub(crate) fn read_fields(
        &self,
        endpoint: Endpoint,
        response: &Response,
        secrets: &[&str],
    ) -> Result<Fields, ProviderError> {
        let call = form("", Vec::new());
        let answer = Answer::read(&self.provider, endpoint, &call, response, self.known_with(secrets))?;
        match answer.into_value() {
            Value::Object(fields) => Ok(fields),
            _ => Ok(Fields::new()),
        }
    }

    /// An answer that lacks something; `secrets` are what it may hold.
    pub(crate) fn unreadable(
        &self,
        endpoint: Endpoint,
        response: &Response,
        what: impl Into<String>,
        secrets: &[&str],
    ) -> ProviderError {
        Answer::unread(&self.provider, endpoint, response, self.known_with(secrets)).bad(what)
    }

    fn known_with<'a>(&'a self, secrets: &[&'a str]) -> Vec<&'a str> {
        [&[self.known_secret()], secrets].concat()
    }
}

impl Client {
    /// A token for ourselves (RFC 6749 §4.4), asking for these scopes.
    ///
    /// # Errors
    /// The provider's refusal by cause.
    pub async fn client_credentials(&self, scope: &[&str]) -> Result<Tokens, ProviderError> {
        let scope = scope.join(&self.provider().scope_separator);
        let mut parameters = vec![("grant_type", "client_credentials")];
        parameters.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
        self.grant(&parameters, &[]).await
    }

    /// A token for a person's name and password (RFC 6749 §4.3). OAuth 2.1 has no such grant: use
    /// it only with one's own server, until a page can be used.
    ///
    /// # Errors
    /// The provider's refusal by cause.
    pub async fn password(&self, username: &str, password: &Secret, scope: &[&str]) -> Result<Tokens, ProviderError> {
        let scope = scope.join(&self.provider().scope_separator);
        let mut parameters = vec![("grant_type", "password"), ("username", username), ("password", password.expose())];
        parameters.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
        self.grant(&parameters, &[password.expose(), username]).await
    }

    /// A token for another token (RFC 8693).
    ///
    /// # Errors
    /// The provider's refusal by cause; [`ProviderError::Unreadable`] when it does not say what it issued, or issued
    /// something else than was asked for.
    pub async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Tokens, ProviderError> {
        let mut secrets = vec![exchange.subject.0.expose()];
        secrets.extend(exchange.actor.map(|(actor, _)| actor.expose()));
        let (tokens, response) = self.granted(&exchange.parameters(), &secrets).await?;
        secrets.extend(self.registration.known(&tokens));
        let fields = self.registration.read_fields(Endpoint::Token, &response, &secrets)?;
        let issued = issued_token_type(&fields, exchange.requested);
        issued
            .map_err(|error| self.registration.unreadable(Endpoint::Token, &response, error.to_string(), &secrets))?;
        Ok(tokens)
    }

    /// Begins the device grant (RFC 8628 §3.1): show the person the code and the address.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the provider has no such grant.
    pub async fn begin_device(&self) -> Result<Device, ProviderError> {
        let endpoint = self.provider().device_authorization_endpoint.as_deref();
        let endpoint = endpoint.ok_or(ProviderError::NotOffered("device grant"))?;
        let (provider, now) = (self.provider(), self.now());
        let scope = provider.scope.join(&provider.scope_separator);
        let mut parameters = self.named();
        parameters.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
        let request = self.registration.grant_request(endpoint, &parameters, &mut SystemRandom, now)?;
        let response = self.send(Endpoint::DeviceAuthorization, request).await?;
        let fields = self.registration.read_fields(Endpoint::DeviceAuthorization, &response, &[])?;
        let authorization = DeviceAuthorization::read(&fields, now).map_err(|error| {
            // The rest of the answer may hold good codes.
            let codes = ["device_code", "user_code"].into_iter().filter_map(|name| fields.get(name)?.as_str());
            let codes: Vec<&str> = codes.collect();
            self.registration.unreadable(Endpoint::DeviceAuthorization, &response, error.to_string(), &codes)
        })?;
        Ok(Device { polling: authorization.polling(now), authorization })
    }

    /// Asks whether the person has decided, if it is time to ask; call it in a loop and wait as
    /// long as it says. A network that fails and a provider that is busy are waited out, until the codes end.
    ///
    /// # Errors
    /// [`ProviderError::Denied`], [`ProviderError::Expired`], another refusal, or an answer that cannot be used.
    pub async fn poll_device(&self, device: &mut Device) -> Result<Polled, ProviderError> {
        match device.polling.turn(self.now()) {
            Turn::Wait(until) => return Ok(Polled::Wait(self.span(until))),
            Turn::Expired => return Err(ProviderError::Expired),
            Turn::Ask => {}
        }
        let code = device.authorization.device_code.expose();
        let mut parameters = vec![("grant_type", GRANT_TYPE), ("device_code", code)];
        parameters.extend(self.named());
        let now = self.now();
        let endpoint = &self.provider().token.endpoint;
        let request = || self.registration.grant_request(endpoint, &parameters, &mut SystemRandom, now);
        let response = match self.send_proved(Endpoint::Token, request).await {
            Ok(response) => Some(response).filter(|response| response.status < 500 && response.status != 429),
            Err(error) if is_missed(&error) => None,
            Err(error) => return Err(error),
        };
        // A network that fails for a moment ends nothing (RFC 8628 §3.5); the end of the codes does.
        let Some(response) = response else {
            device.polling.missed(self.now());
            return Ok(self.rest(device));
        };
        let fields: Fields = parse(AnswerFormat::Form, &response.body).unwrap_or_default();
        match device.polling.hear(&fields, self.now()) {
            Heard::Tokens => {
                let known = self.registration.known_with(&[code]);
                let call = form(&self.provider().token.endpoint, Vec::new());
                let mut tokens = self.registration.tokens(Endpoint::Token, &call, &response, known, now)?;
                if tokens.id_token.is_some() {
                    self.verify_id_token(&mut tokens, None).await?;
                }
                Ok(Polled::Tokens(Box::new(tokens)))
            }
            Heard::Denied => Err(ProviderError::Denied),
            Heard::Expired => Err(ProviderError::Expired),
            Heard::Refused(_) => {
                self.registration.read_fields(Endpoint::Token, &response, &[code])?;
                Err(self.registration.unreadable(Endpoint::Token, &response, "the answer says nothing", &[code]))
            }
            Heard::Pending => Ok(self.rest(device)),
        }
    }

    /// `client_id` for the endpoints of devices, which want it always (RFC 8628 §3.1, §3.4), where the way in which
    /// this client authenticates does not put it into the form.
    fn named(&self) -> Vec<(&'static str, &str)> {
        (!self.names_itself()).then(|| ("client_id", self.registration.client_id())).into_iter().collect()
    }

    fn rest(&self, device: &Device) -> Polled {
        match device.polling.turn(self.now()) {
            Turn::Wait(until) => Polled::Wait(self.span(until)),
            Turn::Ask | Turn::Expired => Polled::Wait(Duration::ZERO),
        }
    }

    fn span(&self, until: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(until.millis_since(self.now())).unwrap_or_default())
    }

    async fn grant(&self, parameters: &[(&str, &str)], secrets: &[&str]) -> Result<Tokens, ProviderError> {
        self.granted(parameters, secrets).await.map(|(tokens, _)| tokens)
    }

    /// The tokens, and the answer that they stand in. `secrets` are those among the parameters: the answer may repeat
    /// them.
    async fn granted(
        &self,
        parameters: &[(&str, &str)],
        secrets: &[&str],
    ) -> Result<(Tokens, Response), ProviderError> {
        let now = self.now();
        let call = form(&self.provider().token.endpoint, Vec::new());
        let request = || self.registration.grant_request(&call.endpoint, parameters, &mut SystemRandom, now);
        let response = self.send_proved(Endpoint::Token, request).await?;
        let known = self.registration.known_with(secrets);
        let call = Call { is_application: true, ..call };
        let tokens = self.registration.tokens(Endpoint::Token, &call, &response, known, now)?;
        Ok((tokens, response))
    }
}

/// Whether a question simply got no answer.
fn is_missed(error: &ProviderError) -> bool {
    use ProviderError::{Interrupted, Timeout, Unreachable};
    matches!(error, Unreachable { .. } | Timeout { .. } | Interrupted { .. })
}

fn form(endpoint: &str, parameters: Vec<(String, String)>) -> Call {
    Call {
        endpoint: endpoint.to_owned(),
        method: CallMethod::PostForm,
        parameters,
        headers: Vec::new(),
        answer: AnswerFormat::Form,
        within: None,
        is_application: false,
    }
}
