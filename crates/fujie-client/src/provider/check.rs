//! Refusing records that would be unsafe, and addresses that we do not send secrets to.

use fujie_core::jose::verifying_key::SignatureAlgorithm;
use url::{Host, Url};

use super::call::{Piece, pieces};
use super::{Call, IdTokenRule, PLACEHOLDERS, Provider, TokenPlacement};
use crate::openid::metadata::{Issuer, MetadataError};

/// Fewest random bytes in a state.
const STATE_BYTES_MIN: usize = 16;
/// Characters of an id, at most: it names rows, files and cookies.
const ID_LENGTH_MAX: usize = 64;

/// A provider's record, or a client made from it, that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A field does not exist or has the wrong type.
    #[error("the provider record cannot be read: {}{source}", place(field, *line))]
    Field {
        /// Its path, such as `token.endpoint`; empty where it is the record as a whole.
        field: String,
        /// The line in the text, where there is one.
        line: Option<usize>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The text of a record is not TOML, or another text cannot be read.
    #[error("the provider record cannot be read: {0}")]
    Text(String),
    /// There is no preset of this name.
    #[error("there is no preset {name}; there are: {known}")]
    Preset {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
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

/// What the fields of a call are called.
#[derive(Clone, Copy)]
struct CallFields {
    endpoint: &'static str,
    parameters: &'static str,
    headers: &'static str,
}

macro_rules! call_fields {
    ($call:literal) => {
        CallFields {
            endpoint: concat!($call, ".endpoint"),
            parameters: concat!($call, ".parameters"),
            headers: concat!($call, ".headers"),
        }
    };
}

/// What stands before the fault of a field.
fn place(field: &str, line: Option<usize>) -> String {
    match (field, line) {
        ("", _) => String::new(),
        (field, None) => format!("{field}: "),
        (field, Some(line)) => format!("line {line}, {field}: "),
    }
}

impl Provider {
    /// This record, if it is safe to use: addresses are https (http on loopback alone, because
    /// the secret travels there), the state has room for 128 random bits, every placeholder is
    /// known, headers can be sent, ID tokens can be checked, and some answer names the subject.
    pub(crate) fn verified(self) -> Result<Self, RecordError> {
        let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
        if self.id.is_empty() || self.id.len() > ID_LENGTH_MAX || !self.id.bytes().all(is_id) {
            return Err(self.bad_value("id", "must be 1 to 64 of a-z, 0-9, '_', '-' and '.'"));
        }
        for (field, endpoint) in self.addresses() {
            // What else stands in braces would be sent as it is.
            let is_call = self.calls().any(|(fields, _)| fields.endpoint == field);
            let rest = if is_call { endpoint.replace("{client_id}", "") } else { endpoint.to_owned() };
            let template = rest.contains(['{', '}']).then_some("must not contain this placeholder");
            if let Some(fault) = address_fault(endpoint).or(template) {
                return Err(self.bad_address(field, fault));
            }
        }
        if self.state.bytes() < STATE_BYTES_MIN {
            return Err(self.bad_value("state.length_max", "leaves no room for 128 random bits"));
        }
        if self.scope_separator.is_empty() {
            return Err(self.bad_value("scope_separator", "is empty"));
        }
        if self.callback.issuer_required && self.callback.issuer.is_none() {
            return Err(self.bad_value("callback.issuer", "is missing, though callbacks must carry it"));
        }
        if let Some((field, _)) = self.templates().find(|(_, template)| !is_known(template)) {
            return Err(self.bad_value(field, "has a placeholder that does not exist"));
        }
        if let Some((field, fault)) = self.headers().find_map(|(field, pair)| Some((field, header_fault(pair)?))) {
            return Err(self.bad_value(field, fault));
        }
        if let Some((field, fault)) = self.id_token.as_ref().and_then(id_token_fault) {
            return Err(self.bad_value(field, fault));
        }
        if !self.names_subject() {
            return Err(self.bad_value("identity", "names no subject"));
        }
        Ok(self)
    }

    fn names_subject(&self) -> bool {
        let by_user = self.user.is_some() && !self.identity.subject.is_empty();
        let by_token = self.identity.token_subject.is_some();
        // Without a subject there is no sign-in; a record that only gets tokens says so with neither.
        by_user || by_token || self.subject.is_some() || self.id_token.is_some() || self.user.is_none()
    }

    fn calls(&self) -> impl Iterator<Item = (CallFields, &Call)> {
        let optional = [
            (call_fields!("refresh"), &self.refresh),
            (call_fields!("check"), &self.check),
            (call_fields!("subject"), &self.subject),
            (call_fields!("user"), &self.user),
            (call_fields!("revocation"), &self.revocation),
        ];
        std::iter::once((call_fields!("token"), &self.token))
            .chain(optional.into_iter().filter_map(|(fields, call)| Some((fields, call.as_ref()?))))
    }

    fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("device_authorization_endpoint", self.device_authorization_endpoint.as_deref()),
            ("pushed_authorization_request_endpoint", self.pushed_authorization_request_endpoint.as_deref()),
            ("id_token.jwks_uri", self.id_token.as_ref().map(|rule| rule.jwks_uri.as_str())),
        ];
        // A mini-program has no page: its code comes from the phone.
        let page = Some(self.authorization_endpoint.as_str()).filter(|endpoint| !endpoint.is_empty());
        page.map(|endpoint| ("authorization_endpoint", endpoint))
            .into_iter()
            .chain([("base_url", self.base_url.as_str())])
            .chain(self.calls().map(|(fields, call)| (fields.endpoint, call.endpoint.as_str())))
            .chain(optional.into_iter().filter_map(|(field, endpoint)| Some((field, endpoint?))))
    }

    fn templates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let of_calls = self.calls().flat_map(|(fields, call)| {
            let parameters = call.parameters.iter().map(move |pair| (fields.parameters, pair));
            parameters.chain(call.headers.iter().map(move |pair| (fields.headers, pair)))
        });
        let of_page = self.authorization_parameters.iter().map(|pair| ("authorization_parameters", pair));
        of_calls.chain(of_page).map(|(field, (_, template))| (field, template.as_str()))
    }

    /// Names and values, and the field that has them.
    fn headers(&self) -> impl Iterator<Item = (&'static str, (&str, &str))> {
        let of_calls = self.calls().flat_map(|(fields, call)| {
            call.headers.iter().map(move |(name, value)| (fields.headers, (name.as_str(), value.as_str())))
        });
        let of_session = match &self.token_placement {
            TokenPlacement::Header { name, prefix } => Some(("token_placement", (name.as_str(), prefix.as_str()))),
            TokenPlacement::Bearer | TokenPlacement::Query { .. } => None,
        };
        of_calls.chain(of_session)
    }

    pub(crate) fn bad_value(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Value { provider: self.id.clone(), field, fault }
    }

    pub(super) fn bad_address(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Address { provider: self.id.clone(), field, fault }
    }
}

/// Why a header cannot be sent, if so (RFC 9110 §5.5, §5.6.2).
fn header_fault((name, value): (&str, &str)) -> Option<&'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some("has a name that is no header's");
    }
    let is_plain = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    (!value.bytes().all(is_plain)).then_some("has a value that is not plain ASCII in one line")
}

/// Why nobody's ID token could be believed, if so: the field and what is wrong with it.
fn id_token_fault(rule: &IdTokenRule) -> Option<(&'static str, &'static str)> {
    match Issuer::parse(rule.issuer.as_str()) {
        Err(MetadataError::Address(_, fault)) => return Some(("id_token.issuer", fault)),
        Err(_) => return Some(("id_token.issuer", "is no issuer")),
        Ok(_) => {}
    }
    if !rule.algorithms.iter().any(|name| SignatureAlgorithm::parse(name).is_some()) {
        return Some(("id_token.algorithms", "has none that an ID token may be signed with here"));
    }
    rule.subject.is_empty().then_some(("id_token.subject", "names no claim"))
}

fn is_known(template: &str) -> bool {
    pieces(template).all(|piece| match piece {
        Piece::Text(_) => true,
        Piece::Placeholder(name) => PLACEHOLDERS.contains(&name),
    })
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

/// Whether the address is this machine's own: `localhost` never leaves it (RFC 6761 §6.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
