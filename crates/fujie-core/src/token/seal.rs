//! Sealing: AES-256-GCM-SIV over a record, with kind and key id as associated data.
//!
//! What one party carries is sealed; nothing sealed creates authority by itself.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
};
use zeroize::Zeroizing;

use crate::{
    key::KeyFacts,
    random::{self, Random},
    secret::Kind,
};

/// Kinds that are sealed.
const SEALED: [Kind; 5] = [Kind::AccessToken, Kind::AuthorizationCode, Kind::Resume, Kind::Flow, Kind::Callback];

/// Key material that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The library refused.
    #[error("a sealing key cannot be used")]
    KeyRejected,
    /// Sealed under another master key, or damaged.
    #[error("this does not open with the master key at hand; start with the key file that belongs to this database")]
    WrongMasterKey,
}

/// What every derived key depends on besides its purpose: a restored or cloned store derives other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The issuer, as in metadata.
    pub issuer: String,
    /// The instance's id.
    pub instance: crate::id::Id,
    /// Raised by restoring a backup.
    pub epoch: u32,
}

/// The keys derived from one stored sealing key: one for each sealed kind, and one for forms.
pub struct SealingKey {
    facts: KeyFacts,
    keys: Vec<(Kind, LessSafeKey)>,
    csrf: hmac::Key,
}

impl SealingKey {
    /// Derives the keys of every purpose from `material` (32 bytes).
    pub fn derive(facts: KeyFacts, material: &[u8], realm: &Realm) -> Result<Self, SealError> {
        let keys = SEALED
            .into_iter()
            .map(|kind| {
                let key = derive(material, kind.prefix(), realm)?;
                let key = UnboundKey::new(&AES_256_GCM_SIV, key.as_slice()).or(Err(SealError::KeyRejected))?;
                Ok((kind, LessSafeKey::new(key)))
            })
            .collect::<Result<_, SealError>>()?;
        let csrf = hmac::Key::new(hmac::HMAC_SHA256, derive(material, Kind::Csrf.prefix(), realm)?.as_slice());
        Ok(Self { facts, keys, csrf })
    }

    /// Its facts.
    pub const fn facts(&self) -> KeyFacts {
        self.facts
    }

    /// The key that authenticates forms.
    pub const fn csrf(&self) -> &hmac::Key {
        &self.csrf
    }

    /// Seals `record` as a token of `kind`; `None` for kinds that are not sealed.
    pub fn seal(&self, kind: Kind, record: &[u8], random: &mut dyn Random) -> Option<String> {
        let key = self.key(kind)?;
        let nonce = random::bytes::<12>(random);
        let mut body = Vec::with_capacity(4 + 12 + record.len() + 16);
        body.extend_from_slice(&self.facts.id.to_le_bytes());
        body.extend_from_slice(&nonce);
        let mut sealed = record.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            associated_data(kind, self.facts.id),
            &mut sealed,
        )
        .ok()?;
        body.extend_from_slice(&sealed);
        Some(kind.spell(&body))
    }

    /// Opens the body of a token of `kind` after its key id.
    fn open(&self, kind: Kind, nonce: [u8; 12], sealed: &mut [u8]) -> Option<usize> {
        self.key(kind)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), associated_data(kind, self.facts.id), sealed)
            .ok()
            .map(|record| record.len())
    }

    fn key(&self, kind: Kind) -> Option<&LessSafeKey> {
        self.keys.iter().find(|(own, _)| *own == kind).map(|(_, key)| key)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({}, [redacted])", self.facts.id)
    }
}

/// Opens a sealed token of `kind` with the one of `keys` that it names. `None` for everything that we did not seal so.
pub fn open(keys: &[SealingKey], kind: Kind, text: &str) -> Option<Vec<u8>> {
    let mut body = kind.read(text)?;
    let (head, rest) = body.split_first_chunk::<16>()?;
    let [a, b, c, d, nonce @ ..] = *head;
    let id = u32::from_le_bytes([a, b, c, d]);
    let key = keys.iter().find(|key| key.facts.id == id)?;
    let start = body.len() - rest.len();
    let length = key.open(kind, nonce, body.get_mut(start..)?)?;
    body.drain(..start);
    body.truncate(length);
    Some(body)
}

/// HKDF-SHA-256 of `material` for `purpose` in `realm`: 32 bytes.
pub fn derive(material: &[u8], purpose: &str, realm: &Realm) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let epoch = realm.epoch.to_be_bytes();
    let info = [b"fujie ".as_slice(), purpose.as_bytes(), b"\0", realm.issuer.as_bytes(), b"\0", &epoch];
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, realm.instance.as_bytes())
        .extract(material)
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .or(Err(SealError::KeyRejected))?;
    Ok(key)
}

/// The key that stored keys are sealed under. It lives outside the database.
pub struct MasterKey(LessSafeKey);

impl MasterKey {
    /// From its 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, SealError> {
        UnboundKey::new(&AES_256_GCM_SIV, bytes).map(|key| Self(LessSafeKey::new(key))).or(Err(SealError::KeyRejected))
    }

    /// Seals a stored key's material; `facts` are authenticated with it.
    pub fn seal(&self, facts: &KeyFacts, material: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, SealError> {
        self.seal_for(stored_key_data(facts), material, random)
    }

    /// Opens a stored key's material.
    pub fn open(&self, facts: &KeyFacts, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.open_for(stored_key_data(facts), sealed)
    }

    /// Seals `plain`, bound to `about`.
    pub(super) fn seal_for(&self, about: Vec<u8>, plain: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, SealError> {
        let nonce = random::bytes::<12>(random);
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), &mut sealed)
            .or(Err(SealError::KeyRejected))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed and bound to the same `about`.
    pub(super) fn open_for(&self, about: Vec<u8>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, body) = sealed.split_first_chunk::<12>().ok_or(SealError::WrongMasterKey)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(about), &mut body)
            .or(Err(SealError::WrongMasterKey))?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

fn associated_data(kind: Kind, key: u32) -> Aad<[u8; 10]> {
    let mut data = [0; 10];
    let id = key.to_le_bytes();
    data.iter_mut().zip(kind.prefix().bytes().chain(id)).for_each(|(to, from)| *to = from);
    Aad::from(data)
}

fn stored_key_data(facts: &KeyFacts) -> Vec<u8> {
    let mut data = facts.key_use.as_str().as_bytes().to_vec();
    data.extend_from_slice(&facts.id.to_le_bytes());
    data.extend_from_slice(&facts.not_before.millis().to_le_bytes());
    data
}
