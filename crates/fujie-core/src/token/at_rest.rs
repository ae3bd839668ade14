//! Secrets that must be read back and lie in the database meanwhile: sealed under the master key, which does not.
//!
//! They outlive daily keys and a restored backup, so no derived key is used here. Each is bound to what it is and to
//! the row it lies in: moved to another row, or read as something else, it does not open.

use zeroize::Zeroizing;

use super::seal::{MasterKey, SealError};
use crate::{random::Random, secret::Secret};

/// What a secret at rest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtRest {
    /// What a sender of webhooks signs with. Its row: the integration's id.
    WebhookSecret,
    /// A token that a provider issued to us for a person. Its row: account and connection, `/` between.
    UpstreamToken,
    /// The address of a group robot, with its signing secret. Its row: the target's id.
    Robot,
    /// A browser's push subscription: endpoint and keys (RFC 8291). Its row: the target's id.
    PushSubscription,
}

impl AtRest {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WebhookSecret, Self::UpstreamToken, Self::Robot, Self::PushSubscription];

    const fn as_str(self) -> &'static str {
        match self {
            Self::WebhookSecret => "webhook_secret",
            Self::UpstreamToken => "upstream_token",
            Self::Robot => "robot",
            Self::PushSubscription => "push_subscription",
        }
    }

    fn about(self, row: &str) -> Vec<u8> {
        // The zero bytes keep it apart from what stored keys are bound to.
        [b"at rest\0".as_slice(), self.as_str().as_bytes(), b"\0", row.as_bytes()].concat()
    }
}

impl MasterKey {
    /// Seals `secret` for the row named by `row`.
    pub fn seal_secret(
        &self,
        kind: AtRest,
        row: &str,
        secret: &Secret,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_for(kind.about(row), secret.expose().as_bytes(), random)
    }

    /// Opens what [`MasterKey::seal_secret`] sealed as this kind for this row.
    pub fn open_secret(&self, kind: AtRest, row: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let bytes: Zeroizing<Vec<u8>> = self.open_for(kind.about(row), sealed)?;
        std::str::from_utf8(&bytes).map(|text| Secret::new(text.to_owned())).or(Err(SealError::WrongMasterKey))
    }
}
