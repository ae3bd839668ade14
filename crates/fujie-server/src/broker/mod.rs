//! Signing in with a third party, then binding (design: account binding). Each end of it is a redirect back to the
//! hub, which alone says what comes next.

pub mod callback;
pub mod start;

use fujie_client::{Attempt, Client};
use fujie_core::{
    random::SystemRandom,
    request::redirect_uri::origin_of,
    secret::{Kind, sha256},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{page::Provider, server::Server, snapshot::Snapshot};

/// A provider to sign in with, as the operator configured it.
#[derive(Debug)]
pub struct Connection {
    /// The connection's name in our addresses.
    pub id: String,
    /// The operator's words for it.
    pub label: Option<String>,
    /// We, as that provider's client.
    pub client: Client,
    /// It is a simulator: its identities are kept apart from the real provider's.
    pub is_simulated: bool,
    /// The operator's word that this and other connections share one open-platform account.
    pub group: Option<String>,
}

impl Connection {
    /// How pages show it.
    pub(crate) fn shown(&self) -> Provider {
        Provider::new(&self.id, self.label.as_deref())
    }

    /// The origin that a browser is sent to.
    pub(crate) fn origin(&self) -> String {
        origin_of(&self.client.provider().authorization_endpoint)
    }

    /// The provider under which its identities are kept. A simulator's never meet the real ones.
    pub(crate) fn provider_key(&self) -> String {
        let id = &self.client.provider().id;
        if self.is_simulated { format!("{id}@simulator") } else { id.clone() }
    }

    /// The group under which its union identities are kept.
    pub(crate) fn group_key(&self) -> Option<String> {
        let group = self.group.as_ref()?;
        Some(if self.is_simulated { format!("{group}@simulator") } else { group.clone() })
    }
}

/// A sign-in under way, sealed in a cookie of the browser that began it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Flow {
    pub connection: String,
    pub attempt: Attempt,
    /// What the sign-in is for; may be empty.
    pub resume: String,
    /// The bind ticket that is to be attached to the account that signs in.
    pub attach: Option<String>,
    /// The session cookie of this browser at the start, as a digest.
    pub session: Option<[u8; 32]>,
}

impl Flow {
    pub fn seal(&self, snapshot: &Snapshot, now: Timestamp) -> Option<String> {
        let record = serde_json::to_vec(self).ok()?;
        snapshot.ring.seal(Kind::Flow, &record, now, &mut SystemRandom)
    }

    pub fn open(server: &Server, snapshot: &Snapshot, text: &str, now: Timestamp) -> Option<Self> {
        let flow: Self = serde_json::from_slice(&snapshot.ring.open(Kind::Flow, text)?).ok()?;
        (now < flow.attempt.created_at + server.settings.policy.flow).then_some(flow)
    }

    /// What is used once: the state, as a digest.
    pub fn id(&self) -> [u8; 32] {
        sha256(self.attempt.state.as_bytes())
    }
}

/// Where the provider sends the browser back to. The path names the connection, and must equal the flow's.
pub(crate) fn redirect_uri(server: &Server, connection: &str) -> String {
    format!("{}/broker/{connection}/callback", server.issuer())
}
