//! One registration of ours with one provider: the record, the id and the secret.

use crate::provider::{Provider, RecordError};
use crate::secret::Secret;

/// Characters of a client id, at most.
const CLIENT_ID_LENGTH_MAX: usize = 255;

/// We, as registered with a provider. Its methods build requests and read answers; only
/// [`Client::finish`] sends anything.
#[derive(Debug)]
pub struct Client {
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

impl Client {
    /// A client of this provider.
    ///
    /// # Errors
    /// [`RecordError`] when the record is unsafe (an endpoint without TLS beyond loopback, a
    /// state too short to be secret), or when the id or the secret is unusable.
    pub fn new(provider: Provider, client_id: impl Into<String>, client_secret: Secret) -> Result<Self, RecordError> {
        let provider = provider.verified()?;
        let client_id = client_id.into();
        let is_usable = !client_id.is_empty()
            && client_id.len() <= CLIENT_ID_LENGTH_MAX
            && client_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_usable {
            return Err(provider.bad_value("client_id", "is empty, too long or not plain ASCII"));
        }
        // A pasted newline is the commonest reason for "invalid appsecret".
        let secret = client_secret.expose();
        if secret.is_empty() || secret.trim() != secret || secret.chars().any(char::is_control) {
            let fault = "is empty, begins or ends with white space, or has control characters";
            return Err(provider.bad_value("client_secret", fault));
        }
        Ok(Self { provider, client_id, client_secret })
    }

    /// The record in use.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The id under which the provider knows us: half of what makes a subject unique.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}
