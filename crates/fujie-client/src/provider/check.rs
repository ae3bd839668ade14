//! Refusing records that would be unsafe, and addresses that we do not send secrets to.

use url::{Host, Url};

use super::call::{Piece, pieces};
use super::{Call, PLACEHOLDERS, Provider};

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
    /// known, and some answer names the subject.
    pub(crate) fn verified(self) -> Result<Self, RecordError> {
        let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
        if self.id.is_empty() || self.id.len() > ID_LENGTH_MAX || !self.id.bytes().all(is_id) {
            return Err(self.bad_value("id", "must be 1 to 64 of a-z, 0-9, '_', '-' and '.'"));
        }
        for (field, endpoint) in self.addresses() {
            if let Some(fault) = address_fault(endpoint) {
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
        if self.templates().any(|template| !is_known(template)) {
            return Err(self.bad_value("parameters", "have a placeholder that does not exist"));
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

    fn calls(&self) -> impl Iterator<Item = (&'static str, &Call)> {
        let optional = [
            ("refresh.endpoint", &self.refresh),
            ("check.endpoint", &self.check),
            ("subject.endpoint", &self.subject),
            ("user.endpoint", &self.user),
            ("revocation.endpoint", &self.revocation),
        ];
        std::iter::once(("token.endpoint", &self.token))
            .chain(optional.into_iter().filter_map(|(field, call)| Some((field, call.as_ref()?))))
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
            .chain(self.calls().map(|(field, call)| (field, call.endpoint.as_str())))
            .chain(optional.into_iter().filter_map(|(field, endpoint)| Some((field, endpoint?))))
    }

    fn templates(&self) -> impl Iterator<Item = &str> {
        let of_calls = self.calls().flat_map(|(_, call)| call.parameters.iter().chain(&call.headers));
        of_calls.chain(&self.authorization_parameters).map(|(_, template)| template.as_str())
    }

    pub(crate) fn bad_value(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Value { provider: self.id.clone(), field, fault }
    }

    pub(super) fn bad_address(&self, field: &'static str, fault: &'static str) -> RecordError {
        RecordError::Address { provider: self.id.clone(), field, fault }
    }
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
