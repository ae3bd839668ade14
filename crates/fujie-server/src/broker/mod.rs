//! Signing in with a third party, then binding (design: account binding). Each end of it is a redirect back to the
//! hub, which alone says what comes next. [`connect`] alone is for something else.

pub mod callback;
pub mod connect;
pub mod embedded;
pub mod form_post;
pub mod start;
mod upstream;

use fujie_client::{Attempt, ProviderError};
use fujie_core::{
    binding::identity::Identity,
    random::SystemRandom,
    request::parameters::encode,
    secret::{Kind, sha256},
    time::Timestamp,
};
use fujie_store::WayIn;
use serde::{Deserialize, Serialize};

pub use upstream::{Discovered, Make, Upstream};

use crate::{
    http::{Response, see_other},
    page::{Provider, ProviderKind},
    server::Server,
    snapshot::Snapshot,
};

/// A provider to sign in with, as the operator configured it.
#[derive(Debug)]
pub struct Connection {
    /// The connection's name in our addresses.
    pub id: String,
    /// The operator's words for it.
    pub label: Option<String>,
    /// We, as that provider's client.
    pub upstream: Upstream,
    /// Where its provider is, when that is not the provider's own place: `simulator`, or a host. Its identities are
    /// kept apart from those of every other place.
    pub place: Option<String>,
    /// The operator's word that this and other connections share one open-platform account.
    pub group: Option<String>,
    /// The provider's page stands inside a page of ours.
    pub embedding: Option<Embedding>,
}

/// What comes back from a provider's page inside ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embedding {
    /// The whole window.
    Window,
    /// The frame alone; a page of ours in it leads out of it (WeChat: `self_redirect`).
    Frame,
}

impl Connection {
    /// How pages show it.
    pub(crate) fn shown(&self) -> Provider {
        let kind = ProviderKind::of(self.upstream.record_id());
        Provider { id: self.id.clone(), kind, label: self.label.clone() }
    }

    /// Is it GitHub, where hooks can be made in a person's name?
    pub(crate) fn is_github(&self) -> bool {
        ProviderKind::of(self.upstream.record_id()) == ProviderKind::Github
    }

    /// The provider under which its identities are kept. Those of two places never meet.
    pub(crate) fn provider_key(&self) -> String {
        self.placed(self.upstream.record_id())
    }

    /// The group under which its union identities are kept.
    pub(crate) fn group_key(&self) -> Option<String> {
        Some(self.placed(self.group.as_ref()?))
    }

    /// Whom it signs in.
    pub(crate) fn way_in(&self) -> WayIn {
        WayIn { provider: self.provider_key(), app: self.upstream.app().map(str::to_owned), group: self.group_key() }
    }

    /// Does it sign in whom this identity leads to?
    pub(crate) fn signs_in(&self, identity: &Identity) -> bool {
        let WayIn { provider, app, group } = self.way_in();
        let is_of_group = || group.is_some() && group == identity.union.as_ref().map(|union| union.group.clone());
        let is_of_app = identity.app.is_empty() || app.is_none_or(|app| app == identity.app);
        provider == identity.provider && (is_of_app || is_of_group())
    }

    fn placed(&self, word: &str) -> String {
        match &self.place {
            Some(place) => format!("{word}@{place}"),
            None => word.to_owned(),
        }
    }
}

/// How pages show the connection with this id, whether it is still there or not.
pub(crate) fn shown(server: &Server, id: &str) -> Provider {
    let gone = || Provider { id: id.to_owned(), kind: ProviderKind::of(id), label: None };
    server.connection(id).map_or_else(gone, Connection::shown)
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
    /// It is no sign-in, but for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<connect::Connect>,
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

/// Exchanges of one flow in a minute; in-app browsers call a callback twice.
const EXCHANGES_MAX: u64 = 3;

/// Where the provider sends the browser back to. The path names the connection, and must equal the flow's.
pub(crate) fn redirect_uri(server: &Server, connection: &str) -> String {
    format!("{}/broker/{connection}/callback", server.issuer())
}

/// Back to the sign-in page with a plain message.
fn back(connection: &Connection, resume: &str, attach: Option<&str>, error: &ProviderError) -> Response {
    let word = match error {
        ProviderError::Denied => "refused",
        ProviderError::Provisional => "provisional",
        ProviderError::Expired | ProviderError::CodeRefused(_) => "expired",
        ProviderError::StateMissing | ProviderError::StateMismatch | ProviderError::OtherClient => "lost",
        _ => "failed",
    };
    if word == "failed" {
        tracing::warn!(connection = connection.id, report = error.report(), "a sign-in with a provider failed");
    } else {
        tracing::info!(connection = connection.id, cause = error.name(), "a sign-in with a provider ended");
    }
    let attach = if attach.is_some() { "attach=1&" } else { "" };
    see_other(&format!("/sign-in?{attach}resume={}&error={word}&provider={}", encode(resume), encode(&connection.id)))
}
