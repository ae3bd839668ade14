//! Targets as the outbox sees them: the store's rows, unsealed. One that cannot be read any more is disabled.

use std::sync::Arc;

use fujie_channel::{
    outbox::{Recipient, Target, Targets},
    post::{Cause, Trouble},
    web_push::vapid,
};
use fujie_core::{id::Id, time::Timestamp, token::at_rest::AtRest};
use fujie_store::{StoreError, TargetKind};

use crate::server::Server;

/// Where nobody is found: for a server on loopback, whose own address is no contact (RFC 8292 §2.1).
const LOCAL_CONTACT: &str = "mailto:admin@localhost";

/// The targets of this server.
pub(super) struct StoredTargets(pub Arc<Server>);

/// The kind of seal that a target of this kind lies under.
pub(crate) const fn seal_of(kind: TargetKind) -> AtRest {
    match kind {
        TargetKind::WebPush => AtRest::PushSubscription,
        TargetKind::Dingtalk | TargetKind::Feishu | TargetKind::Wecom => AtRest::Robot,
    }
}

impl StoredTargets {
    /// What a row says, unsealed.
    fn read(&self, row: &fujie_store::Target) -> Result<Target<Id>, Trouble> {
        let server = &self.0;
        let broken = |cause| Trouble::new(cause, "");
        let text = server.open_secret(seal_of(row.kind), &row.id.to_string(), &row.sealed);
        let text = text.or(Err(broken(Cause::Address)))?;
        let simulators = &server.settings.channel.simulators;
        let (recipient, language) =
            Recipient::from_secret(row.kind.as_str(), &text, simulators).or(Err(broken(Cause::Address)))?;
        let (topic, cursor, failures) = (row.topic.as_str().into(), row.cursor, row.failures);
        Ok(Target { id: row.id, holder: row.account, topic, recipient, language, cursor, failures })
    }
}

impl Targets for StoredTargets {
    type Id = Id;
    type Error = StoreError;

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Target<Id>>, StoreError> {
        let mut due = Vec::new();
        for row in self.0.store.due_targets(now, limit).await? {
            match self.read(&row) {
                Ok(target) => due.push(target),
                Err(trouble) => {
                    tracing::warn!(target.id = %row.id, %trouble, "a target cannot be read and is disabled");
                    self.0.store.disable_target(row.id, &trouble.to_string(), now).await?;
                }
            }
        }
        Ok(due)
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.0.store.next_due(now).await
    }

    async fn advance(&self, id: &Id, cursor: i64, now: Timestamp) -> Result<(), StoreError> {
        self.0.store.advance_target(*id, cursor, now).await.map(drop)
    }

    async fn postpone(&self, id: &Id, until: Timestamp, trouble: &Trouble) -> Result<(), StoreError> {
        self.0.store.postpone_target(*id, until, &trouble.to_string()).await.map(drop)
    }

    async fn put_off(&self, waiting: Vec<(Id, Timestamp)>) -> Result<(), StoreError> {
        self.0.store.put_off_targets(waiting).await
    }

    async fn disable(&self, id: &Id, trouble: &Trouble, now: Timestamp) -> Result<(), StoreError> {
        self.0.store.disable_target(*id, &trouble.to_string(), now).await.map(drop)
    }

    async fn remove(&self, id: &Id, now: Timestamp) -> Result<(), StoreError> {
        self.0.store.remove_target(*id, None, now).await.map(drop)
    }

    fn authorization(&self, audience: &str, now: Timestamp) -> Option<String> {
        let server = &self.0;
        let snapshot = server.snapshot();
        let own = Some(server.issuer()).filter(|issuer| issuer.starts_with("https://"));
        let contact = server.settings.channel.push_contact.as_deref().or(own).unwrap_or(LOCAL_CONTACT);
        vapid::authorization(snapshot.ring.vapid(now)?, contact, audience, now).ok()
    }
}
