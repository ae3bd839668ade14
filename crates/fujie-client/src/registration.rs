//! One registration of ours with one provider: the record, the id and the credential.
//!
//! Owns how a call of the record becomes a request: filling its templates and proving who we are.
//! It sends nothing by itself; time and randomness are arguments.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom as SigningRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fujie_core::random::Random;
use fujie_core::time::Timestamp;

use crate::error::ProviderError;
use crate::openid::client_assertion::{apple_client_secret, client_assertion, parameters};
use crate::openid::signing_key::SigningKey;
use crate::provider::{Call, ClientAuthentication, Provider, RecordError, Values};
use crate::request::{Request, encode_value};
use crate::secret::Secret;
use crate::transport::Transport;

/// Characters of a client id, at most.
const CLIENT_ID_LENGTH_MAX: usize = 255;

/// How long one of Apple's client secrets is good; it is made for each request.
const APPLE_SECRET_LIFETIME: Duration = Duration::from_secs(300);

/// How we prove to a provider who we are.
#[non_exhaustive]
pub enum Credential {
    /// Nothing: a public client.
    None,
    /// A secret that both sides know.
    Secret(Secret),
    /// A key that signs an assertion for every request (`private_key_jwt`, RFC 7523 §2.2).
    PrivateKey(SigningKey),
    /// A key that signs Apple's client secrets.
    Apple {
        /// The team's id, 10 characters.
        team_id: String,
        /// The key, with its id as `kid`; ES256.
        key: SigningKey,
    },
    /// An RSA key whose signature stands in every request, as Alipay wants it.
    Rsa2(Rsa2Key),
}

/// An RSA key for Alipay's RSA2 signatures (RSASSA-PKCS1-v1_5 with SHA-256).
pub struct Rsa2Key(RsaKeyPair);

impl Rsa2Key {
    /// From PKCS#8 in PEM or in bare base64, as Alipay's tool writes it.
    ///
    /// # Errors
    /// [`RecordError::Text`] when it is neither, or no RSA key of at least 2048 bits.
    pub fn from_pkcs8(text: &str) -> Result<Self, RecordError> {
        let base64: String =
            text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect();
        let der = STANDARD.decode(base64).map_err(|error| RecordError::Text(format!("the RSA key: {error}")))?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|error| RecordError::Text(format!("the RSA key: {error}")))?;
        Ok(Self(key))
    }

    fn sign(&self, message: &str) -> Option<String> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SigningRandom::new(), message.as_bytes(), &mut signature).ok()?;
        Some(STANDARD.encode(signature))
    }
}

impl Credential {
    fn expose(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret.expose()),
            Self::None | Self::PrivateKey(_) | Self::Apple { .. } | Self::Rsa2(_) => None,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret([redacted])",
            Self::PrivateKey(_) => "PrivateKey([redacted])",
            Self::Apple { .. } => "Apple([redacted])",
            Self::Rsa2(_) => "Rsa2([redacted])",
        })
    }
}

impl From<Secret> for Credential {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

/// What a record asks for as a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A secret, which some grants of such a client do without.
    Secret,
    /// A secret that its templates name.
    SecretInTemplates,
    PrivateKey,
    Apple,
    Rsa2,
    Nothing,
}

impl Proof {
    pub(crate) fn of(provider: &Provider) -> Self {
        let token = &provider.token;
        let names = |word: &str| token.parameters.iter().chain(&token.headers).any(|(_, value)| value.contains(word));
        match provider.client_authentication {
            _ if names("{rsa2_signature}") => Self::Rsa2,
            _ if provider.id == "apple" => Self::Apple,
            ClientAuthentication::InTemplates if names("{client_secret}") => Self::SecretInTemplates,
            ClientAuthentication::PrivateKeyJwt => Self::PrivateKey,
            ClientAuthentication::None | ClientAuthentication::InTemplates => Self::Nothing,
            ClientAuthentication::ClientSecretPost | ClientAuthentication::ClientSecretBasic => Self::Secret,
        }
    }

    /// What is wrong with this credential, if so: a request without proof is refused far from its cause.
    fn fault(self, provider: &Provider, credential: &Credential) -> Option<&'static str> {
        let is_minted = || provider.client_authentication == ClientAuthentication::ClientSecretPost;
        let (is_fit, fault) = match (self, credential) {
            (Self::Secret, Credential::Apple { .. }) => {
                (is_minted(), "must be Credential::Secret: Apple's goes in the form alone")
            }
            (Self::Secret, own) => {
                let is_fit = matches!(own, Credential::Secret(_) | Credential::None);
                (is_fit, "must be Credential::Secret, or Credential::None for a public client")
            }
            (Self::SecretInTemplates, own) => {
                (matches!(own, Credential::Secret(_)), "must be Credential::Secret: its requests carry it")
            }
            (Self::PrivateKey, own) => {
                (matches!(own, Credential::PrivateKey(_)), "must be Credential::PrivateKey: it is private_key_jwt")
            }
            (Self::Apple, own) => {
                (matches!(own, Credential::Apple { .. }), "must be Credential::Apple: its secrets are signed")
            }
            (Self::Rsa2, own) => {
                (matches!(own, Credential::Rsa2(_)), "must be Credential::Rsa2: its requests are signed")
            }
            (Self::Nothing, own) => {
                (matches!(own, Credential::None), "must be Credential::None: its requests carry no proof")
            }
        };
        (!is_fit).then_some(fault)
    }
}

/// We, as registered with a provider. Its methods build requests and read answers.
#[derive(Debug)]
pub struct Registration {
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    pub(crate) credential: Credential,
}

impl Registration {
    /// A registration with this provider.
    ///
    /// # Errors
    /// [`RecordError`] when the record is unsafe (an endpoint without TLS beyond loopback, a
    /// state too short to be secret), when the id or the secret is unusable, or when the credential
    /// is not of the kind that the record asks for.
    pub fn new(
        provider: Provider,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Result<Self, RecordError> {
        let provider = provider.verified()?;
        let (client_id, credential) = (client_id.into(), credential.into());
        let is_usable = !client_id.is_empty()
            && client_id.len() <= CLIENT_ID_LENGTH_MAX
            && client_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_usable {
            return Err(provider.bad_value("client_id", "is empty, too long or not plain ASCII"));
        }
        // A pasted newline is the commonest reason for "invalid appsecret".
        let is_bad =
            |secret: &str| secret.is_empty() || secret.trim() != secret || secret.chars().any(char::is_control);
        if credential.expose().is_some_and(is_bad) {
            let fault = "is empty, begins or ends with white space, or has control characters";
            return Err(provider.bad_value("client_secret", fault));
        }
        if let Some(fault) = Proof::of(&provider).fault(&provider, &credential) {
            return Err(provider.bad_value("credential", fault));
        }
        Ok(Self { provider, client_id, credential })
    }

    /// A registration with an OpenID provider, from its issuer alone. A client without a secret is
    /// public, one with a private key signs; otherwise what the provider offers is used.
    ///
    /// # Errors
    /// As [`Provider::discover`]; [`ProviderError::Discovery`] too when the record or the
    /// credential cannot be used.
    pub async fn discover(
        transport: &dyn Transport,
        issuer: &str,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Result<Self, ProviderError> {
        let mut provider = Provider::discover(transport, issuer).await?;
        let credential = credential.into();
        match &credential {
            Credential::None => provider.client_authentication = ClientAuthentication::None,
            Credential::PrivateKey(_) => provider.client_authentication = ClientAuthentication::PrivateKeyJwt,
            _ => {}
        }
        Self::new(provider, client_id, credential).map_err(|error| ProviderError::Discovery(error.to_string()))
    }

    /// The record in use.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The id under which the provider knows us: half of what makes a subject unique.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether there is a secret that both sides know.
    pub(crate) fn has_secret(&self) -> bool {
        self.credential.expose().is_some()
    }

    /// What any answer may repeat and a log must not.
    pub(crate) fn known_secret(&self) -> &str {
        self.credential.expose().unwrap_or_default()
    }

    /// What placeholders stand for whatever the call.
    pub(crate) fn values(&self) -> Values<'_> {
        let mut values = Values::default();
        values.set("client_id", &self.client_id);
        values.set_if("client_secret", self.credential.expose());
        values
    }

    /// A call with its templates filled, its signature computed.
    pub(crate) fn request(&self, call: &Call, values: Values<'_>, now: Timestamp) -> Request {
        let (china_time, signature);
        let mut values = values;
        china_time = self::china_time(now);
        values.set("china_time", &china_time);
        let mut parameters = values.fill_all(&call.parameters);
        signature = match &self.credential {
            Credential::Rsa2(key) => key.sign(&signed_text(&parameters)),
            _ => None,
        };
        if let Some(signature) = &signature {
            values.set("rsa2_signature", signature);
            parameters = values.fill_all(&call.parameters);
        }
        let endpoint = call.endpoint.replace("{client_id}", &encode_value(&self.client_id));
        let mut request = Request::new(&endpoint, call.method, &parameters);
        for (name, value) in values.fill_all(&call.headers) {
            request.set_header(name, &value);
        }
        request
    }

    /// As [`Self::request`], with the client authenticated as the record says (RFC 6749 §2.3).
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when the credential does not fit the record.
    pub(crate) fn authenticated_request(
        &self,
        call: &Call,
        values: Values<'_>,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Request, ProviderError> {
        let (minted, basic_credentials);
        let mut values = values;
        if call.is_authenticated() {
            let secret = self.credential.expose().ok_or(ProviderError::NotOffered("this without a client secret"))?;
            basic_credentials = Secret::new(basic(&self.client_id, secret));
            values.set("basic_credentials", basic_credentials.expose());
            return Ok(self.request(call, values, now));
        }
        if let Credential::Apple { team_id, key } = &self.credential {
            let secret = apple_client_secret(key, team_id, &self.client_id, APPLE_SECRET_LIFETIME, now);
            minted = secret.or(Err(ProviderError::NotOffered("a client secret for this key")))?;
            values.set("client_secret", minted.expose());
        }
        let mut own = call.clone();
        let template = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        match self.provider.client_authentication {
            ClientAuthentication::InTemplates => {}
            ClientAuthentication::None => own.parameters.push(template("client_id", "{client_id}")),
            ClientAuthentication::ClientSecretPost => {
                own.parameters.push(template("client_id", "{client_id}"));
                own.parameters.push(template("client_secret", "{client_secret}"));
            }
            ClientAuthentication::ClientSecretBasic => match self.credential.expose() {
                None => own.parameters.push(template("client_id", "{client_id}")),
                Some(secret) => {
                    let credentials = format!("Basic {}", basic(&self.client_id, secret));
                    own.headers.push(template("authorization", &credentials));
                }
            },
            ClientAuthentication::PrivateKeyJwt => {
                let assertion = self.assertion(random, now)?;
                own.parameters.push(template("client_id", "{client_id}"));
                own.parameters.extend(parameters(&assertion).map(|(name, value)| template(name, value)));
            }
        }
        Ok(self.request(&own, values, now))
    }
}

impl Registration {
    /// For the issuer where one is known: an assertion for the endpoint alone could be played on
    /// by another of the same host.
    fn assertion(&self, random: &mut dyn Random, now: Timestamp) -> Result<Secret, ProviderError> {
        let Credential::PrivateKey(key) = &self.credential else {
            return Err(ProviderError::NotOffered("private_key_jwt without a private key"));
        };
        let audience = self.provider.callback.issuer.as_deref().unwrap_or(&self.provider.token.endpoint);
        client_assertion(key, &self.client_id, audience, random, now)
            .or(Err(ProviderError::NotOffered("an assertion with this key")))
    }
}

/// RFC 6749 §2.3.1: both are form-encoded before they are joined.
fn basic(client_id: &str, secret: &str) -> String {
    STANDARD.encode(format!("{}:{}", encode_value(client_id), encode_value(secret)))
}

/// What Alipay signs: all parameters by name, raw, joined like a query.
fn signed_text(parameters: &[(&str, String)]) -> String {
    let mut sorted: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sorted.sort_unstable();
    sorted.join("&")
}

/// `2026-11-21 09:30:00` in UTC+8, which China keeps all year.
fn china_time(now: Timestamp) -> String {
    let seconds = now.seconds() + 8 * 3600;
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since 1970-01-01, by 400-year eras that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn china_is_eight_hours_ahead_and_has_leap_days() {
        let at = |seconds: i64| china_time(Timestamp::from_seconds(seconds));
        assert_eq!(at(0), "1970-01-01 08:00:00");
        assert_eq!(at(1_709_164_799), "2024-02-29 07:59:59");
        assert_eq!(at(1_798_732_800), "2027-01-01 00:00:00");
    }

    #[test]
    fn basic_encodes_both_halves_first() {
        let decoded = STANDARD.decode(basic("a b", "x:ä")).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "a%20b:x%3A%C3%A4");
    }
}
