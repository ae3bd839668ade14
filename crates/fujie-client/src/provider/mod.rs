//! A provider as a record of data: where it answers and in what it departs from RFC 6749.
//!
//! Owns the record, changing single fields of it, and refusing a record that would be unsafe.
//! It sends nothing and reads no answers; a new provider is a new file beside `wechat`.

mod wechat;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

pub use wechat::wechat;

/// All that we know about one provider. It holds no secret.
///
/// It reads from and writes to any serde format and refuses unknown fields.
/// [`Provider::with`] changes single fields of a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name under which identities are kept. Changing it makes strangers of everybody.
    pub id: String,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where a code becomes tokens.
    pub token_endpoint: String,
    /// Where a refresh token becomes an access token, if there is such a place.
    pub refresh_endpoint: Option<String>,
    /// Where an access token is asked about, if there is such a place.
    pub check_endpoint: Option<String>,
    /// Where the signed-in person is described.
    pub user_endpoint: String,
    /// How the provider spells the parameters that it did not take from RFC 6749.
    pub parameters: ParameterNames,
    /// How the token and refresh endpoints are called.
    pub token_method: TokenMethod,
    /// Whether the token request repeats `redirect_uri` (RFC 6749 §4.1.3 asks for it).
    pub token_sends_redirect_uri: bool,
    /// Whether the refresh request carries the client's secret.
    pub refresh_sends_secret: bool,
    /// What is asked for.
    pub scope: Vec<String>,
    /// What stands between two scopes: a space in RFC 6749 §3.3, a comma at many providers.
    pub scope_separator: String,
    /// Further parameters of the authorization URL, after `state`.
    pub authorization_parameters: Vec<(String, String)>,
    /// How the provider is told the language of its page, if it can be told.
    pub language: Option<LanguageParameter>,
    /// A fragment behind the authorization URL, without `#`.
    pub authorization_fragment: Option<String>,
    /// Further parameters of the user request.
    pub user_parameters: Vec<(String, String)>,
    /// How answers are written.
    pub answer: AnswerFormat,
    /// How answers say that something failed.
    pub errors: ErrorShape,
    /// Where an answer says who signed in.
    pub identity: IdentityRule,
    /// What the provider lets through as `state`.
    pub state: StateRule,
    /// Whether the provider checks PKCE (RFC 7636).
    pub pkce: Pkce,
    /// The `iss` that every callback must carry (RFC 9207), for a provider that promises one.
    pub issuer: Option<String>,
    /// How a callback says that the person refused, beside `error=access_denied`.
    pub denials: Vec<Denial>,
}

/// Parameter names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterNames {
    /// `client_id` in RFC 6749.
    pub client_id: String,
    /// `client_secret` in RFC 6749.
    pub client_secret: String,
    /// Under what name the user and check requests name the subject, if they do.
    pub subject: Option<String>,
}

/// The parameter that names the language of the provider's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageParameter {
    /// Its name.
    pub name: String,
    /// What the provider calls a language: primary subtag (BCP 47, lower case) and value. Others are not sent.
    pub values: Vec<(String, String)>,
}

/// How the token endpoint is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenMethod {
    /// GET with everything in the query, the secret too.
    GetQuery,
    /// POST with a form body (RFC 6749 §4.1.3).
    PostForm,
}

/// How answers are written. The `Content-Type` is never asked: providers mislabel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFormat {
    /// A JSON object.
    Json,
    /// A JSON object, or such an object as the argument of a JavaScript call.
    Jsonp,
    /// Form text, or one of the two above: some providers fail in JSON only.
    Form,
}

/// How an answer says that something failed, whatever its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorShape {
    /// The field with the code. Present and not zero means failure.
    pub code: String,
    /// The field with the text. It is for people: only the code is compared.
    pub message: String,
    /// What each code means. A code that is not here is a refusal without a known cause.
    pub refusals: BTreeMap<String, Refusal>,
}

/// What a provider's error code means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The code is unknown, expired or another application's.
    Code,
    /// The code was redeemed before.
    CodeUsed,
    /// The client's id or secret.
    Credentials,
    /// The access token, or its subject.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// Too many requests.
    RateLimit,
    /// The provider is busy.
    Busy,
    /// The application lacks a permission.
    Permission,
    /// The person's account is restricted.
    Account,
    /// The request was not understood: this record is wrong.
    Request,
}

/// Where an answer says who signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// The field of the user answer with the subject: a string, stable, unique per application.
    pub subject: String,
    /// Whether the token answer names the subject too. Both must then agree.
    pub token_names_subject: bool,
    /// The field with an identifier that several applications of one owner share.
    pub union_subject: Option<String>,
    /// The field with a name to show.
    pub nickname: Option<String>,
    /// The field with the address of a picture.
    pub avatar_url: Option<String>,
    /// A field that is 1 or true when the visitor is not a real account.
    pub provisional: Option<String>,
}

/// What the provider lets through as `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRule {
    /// Permitted characters.
    pub alphabet: StateAlphabet,
    /// Longest state in bytes. Ours has 256 random bits where there is room and never fewer
    /// than 128.
    pub length_max: usize,
}

/// Characters of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAlphabet {
    /// `0-9a-f`, which every provider lets through.
    Hex,
    /// `A-Za-z0-9-_`.
    Base64url,
}

/// Whether PKCE is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pkce {
    /// The provider does not know it.
    #[serde(rename = "none")]
    None,
    /// With `code_challenge_method=S256` (RFC 7636 §4.2).
    S256,
}

/// A way to say no that RFC 6749 does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Denial {
    /// The right state, no code and no error.
    StateWithoutCode,
    /// A parameter of this name that is neither empty nor `0`.
    Parameter(String),
}

/// A provider's record, or a client made from it, that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A changed field does not exist or has the wrong type.
    #[error("the provider record cannot be changed so")]
    Field(#[source] serde_json::Error),
    /// An address that is not safe or not an address.
    #[error("{field} of provider {provider} {fault}")]
    Address {
        /// The provider's id.
        provider: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Any other value that cannot be used.
    #[error("{field} of provider {provider} {fault}")]
    Value {
        /// The provider's id.
        provider: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// Fewest random bytes in a state.
const STATE_BYTES_MIN: usize = 16;
/// Random bytes in a state where there is room.
const STATE_BYTES_MAX: usize = 32;

impl Provider {
    /// This record with single fields changed: objects are merged, all else is replaced.
    ///
    /// # Errors
    /// [`RecordError::Field`] names a field that does not exist or has the wrong type.
    pub fn with(&self, changes: &Value) -> Result<Self, RecordError> {
        let mut record = serde_json::to_value(self).map_err(RecordError::Field)?;
        merge(&mut record, changes);
        serde_json::from_value(record).map_err(RecordError::Field)
    }

    /// This record with every endpoint moved below `base`, a scheme and host with an optional
    /// port and path: a simulator, or a gateway of one's own.
    ///
    /// # Errors
    /// [`RecordError::Address`] when `base` is no address, or is `http` beyond loopback.
    pub fn at_host(&self, base: &str) -> Result<Self, RecordError> {
        self.address("base", base)?;
        if base.contains('?') {
            return Err(self.bad_address("base", "must not have a query"));
        }
        let moved = |endpoint: &str| format!("{}{}", base.trim_end_matches('/'), path(endpoint));
        Ok(Self {
            authorization_endpoint: moved(&self.authorization_endpoint),
            token_endpoint: moved(&self.token_endpoint),
            refresh_endpoint: self.refresh_endpoint.as_deref().map(moved),
            check_endpoint: self.check_endpoint.as_deref().map(moved),
            user_endpoint: moved(&self.user_endpoint),
            ..self.clone()
        })
    }

    /// This record, if it is safe to use: addresses are https (http on loopback alone, because
    /// the secret travels there), and the state has room for 128 random bits.
    pub(crate) fn verified(self) -> Result<Self, RecordError> {
        self.address("authorization_endpoint", &self.authorization_endpoint)?;
        self.address("token_endpoint", &self.token_endpoint)?;
        self.address("user_endpoint", &self.user_endpoint)?;
        if let Some(endpoint) = &self.refresh_endpoint {
            self.address("refresh_endpoint", endpoint)?;
        }
        if let Some(endpoint) = &self.check_endpoint {
            self.address("check_endpoint", endpoint)?;
        }
        if self.state.bytes() < STATE_BYTES_MIN {
            return Err(self.bad_value("state.length_max", "leaves no room for 128 random bits"));
        }
        if self.scope_separator.is_empty() {
            return Err(self.bad_value("scope_separator", "is empty"));
        }
        if self.id.is_empty() || self.identity.subject.is_empty() {
            return Err(self.bad_value("id or identity.subject", "is empty"));
        }
        Ok(self)
    }

    pub(crate) fn bad_value(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Value { provider: self.id.clone(), field, fault }
    }

    fn bad_address(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Address { provider: self.id.clone(), field, fault }
    }

    fn address(&self, field: &'static str, text: &str) -> Result<(), RecordError> {
        match address_fault(text) {
            None => Ok(()),
            Some(fault) => Err(self.bad_address(field, fault)),
        }
    }
}

impl StateRule {
    /// How many random bytes a state is made of.
    pub(crate) fn bytes(self) -> usize {
        let room = match self.alphabet {
            StateAlphabet::Hex => self.length_max / 2,
            StateAlphabet::Base64url => self.length_max.saturating_mul(3) / 4,
        };
        room.min(STATE_BYTES_MAX)
    }
}

/// Why an address may not be used, if so: https anywhere, http on loopback only, nobody's
/// password in it, no fragment. Endpoints and redirect URIs are held to the same.
pub(crate) fn address_fault(text: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else {
        return Some("is not an absolute URL");
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Some("must be https, or http on loopback");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not contain a user name or password");
    }
    if url.fragment().is_some() {
        return Some("must not contain a fragment");
    }
    // `Url::parse` forgives these; we send the text as it stands.
    if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Some("must not contain white space or control characters");
    }
    if text.contains('\\') {
        return Some("must not contain a backslash");
    }
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Path and query of an absolute URL.
fn path(endpoint: &str) -> &str {
    let behind_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    behind_scheme.find(['/', '?']).and_then(|at| behind_scheme.get(at..)).unwrap_or_default()
}

fn merge(record: &mut Value, changes: &Value) {
    match (record, changes) {
        (Value::Object(record), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(record.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (record, change) => *record = change.clone(),
    }
}
