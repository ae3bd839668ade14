//! What every request reads and hardly any changes: clients, keys, and the documents made from them. One immutable
//! snapshot, replaced whole within a second after a change.

use bytes::Bytes;
use fujie_core::{
    channel,
    client::Registry,
    discovery,
    jose::jws::Algorithm,
    key::{self, KeyUse},
    random::SystemRandom,
    time::Timestamp,
    token::{
        key_ring::KeyRing,
        seal::{MasterKey, Realm, SealError},
    },
};
use fujie_store::{KeysChanged, Store, StoreError};

/// Clients and keys at one revision.
#[derive(Debug)]
pub struct Snapshot {
    /// All clients.
    pub registry: Registry,
    /// All keys.
    pub ring: KeyRing,
    /// The metadata document, made once.
    pub metadata: Bytes,
    /// The JWK Set, made once.
    pub jwks: Bytes,
    /// The store's revision when it was read.
    pub revision: i64,
}

/// Why a snapshot could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Reads clients and keys, after making the keys that are due and deleting those that are done.
/// `line` is where the line protocol is spoken.
pub async fn load(
    store: &Store,
    master: &MasterKey,
    realm: &Realm,
    line: Option<&str>,
    now: Timestamp,
) -> Result<Snapshot, SnapshotError> {
    let revision = store.revision().await?;
    let registry = Registry::new(store.clients().await?).with_built_in(channel::api(&realm.issuer));
    keep_keys(store, master, &registry, now).await?;
    let ring = KeyRing::load(&store.keys().await?, master, realm.clone())?;
    let metadata = discovery::metadata(&realm.issuer, &registry, &ring.algorithms(now), line);
    let jwks = Bytes::from(ring.jwks().to_owned());
    Ok(Snapshot { registry, ring, metadata: Bytes::from(metadata), jwks, revision })
}

/// Carries the key schedule out. Another process may do the same at once: the store lets one of them win.
async fn keep_keys(
    store: &Store,
    master: &MasterKey,
    registry: &Registry,
    now: Timestamp,
) -> Result<(), SnapshotError> {
    let mut wanted = vec![KeyUse::Seal, KeyUse::Refresh, KeyUse::Es256, KeyUse::EdDsa, KeyUse::Vapid];
    if registry.algorithms().contains(&Algorithm::Rs256) {
        wanted.push(KeyUse::Rs256);
    }
    loop {
        let facts: Vec<_> = store.keys().await?.into_iter().map(|stored| stored.facts).collect();
        let plan = key::schedule(&facts, &wanted, now);
        if plan.make.is_empty() && plan.delete.is_empty() {
            return Ok(());
        }
        let made = plan
            .make
            .into_iter()
            .map(|(key_use, not_before)| KeyRing::make(key_use, not_before, now, master, &mut SystemRandom))
            .collect::<Result<Vec<_>, _>>()?;
        let seen = facts.iter().map(|key| key.id).collect();
        if store.change_keys(seen, made, plan.delete).await? == KeysChanged::Changed {
            return Ok(());
        }
    }
}
