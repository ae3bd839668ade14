//! The key ring: all keys at hand, derived and parsed once, shared as one snapshot.

use aws_lc_rs::hmac;

use super::seal::{self, MasterKey, Realm, SealError, SealingKey};
use crate::{
    jose::{
        jwk,
        jws::{Algorithm, SigningKey, Unverified},
    },
    key::{self, KeyFacts, KeyUse, StoredKey},
    random::{self, Random},
    secret::Kind,
    time::Timestamp,
};

/// Every key that is not deleted yet, ready for use.
#[derive(Debug)]
pub struct KeyRing {
    realm: Realm,
    facts: Vec<KeyFacts>,
    sealing: Vec<SealingKey>,
    refresh: Vec<(u32, hmac::Key)>,
    signing: Vec<(KeyFacts, SigningKey)>,
    vapid: Vec<(KeyFacts, SigningKey)>,
    jwks: String,
}

impl KeyRing {
    /// Opens, derives and parses `keys`. An error means that they do not belong to this master key or are damaged.
    pub fn load(keys: &[StoredKey], master: &MasterKey, realm: Realm) -> Result<Self, SealError> {
        let mut ring = Self {
            realm,
            facts: keys.iter().map(|key| key.facts).collect(),
            sealing: Vec::new(),
            refresh: Vec::new(),
            signing: Vec::new(),
            vapid: Vec::new(),
            jwks: String::new(),
        };
        for stored in keys {
            let material = master.open(&stored.facts, &stored.sealed)?;
            ring.add(stored.facts, &material)?;
        }
        let public: Vec<_> = ring.signing.iter().map(|(_, key)| key.jwk()).collect();
        ring.jwks = jwk::jwks(&public);
        Ok(ring)
    }

    fn add(&mut self, facts: KeyFacts, material: &[u8]) -> Result<(), SealError> {
        let algorithm = match facts.key_use {
            KeyUse::Seal => {
                self.sealing.push(SealingKey::derive(facts, material, &self.realm)?);
                return Ok(());
            }
            KeyUse::Refresh => {
                let key = seal::derive(material, Kind::RefreshToken.prefix(), &self.realm)?;
                self.refresh.push((facts.id, hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())));
                return Ok(());
            }
            KeyUse::Es256 | KeyUse::Vapid => Algorithm::Es256,
            KeyUse::EdDsa => Algorithm::EdDsa,
            KeyUse::Rs256 => Algorithm::Rs256,
        };
        // A push service is given the key itself, not its name (RFC 8292 §3.2).
        let kid = if facts.key_use == KeyUse::Vapid { String::new() } else { format!("{:08x}", facts.id) };
        let key = SigningKey::from_pkcs8(algorithm, kid, material).or(Err(SealError::KeyRejected))?;
        if facts.key_use == KeyUse::Vapid { &mut self.vapid } else { &mut self.signing }.push((facts, key));
        Ok(())
    }

    /// A new stored key for `key_use`, sealed under `master`.
    pub fn make(
        key_use: KeyUse,
        not_before: Timestamp,
        now: Timestamp,
        master: &MasterKey,
        random: &mut dyn Random,
    ) -> Result<StoredKey, SealError> {
        let id = u32::from_le_bytes(random::bytes::<4>(random)).max(1);
        let facts = KeyFacts { id, key_use, created_at: now, not_before };
        let generate = |algorithm| SigningKey::generate(algorithm).or(Err(SealError::KeyRejected));
        let material = match key_use {
            KeyUse::Seal | KeyUse::Refresh => zeroize::Zeroizing::new(random::bytes::<32>(random).to_vec()),
            KeyUse::Es256 | KeyUse::Vapid => generate(Algorithm::Es256)?,
            KeyUse::EdDsa => generate(Algorithm::EdDsa)?,
            KeyUse::Rs256 => generate(Algorithm::Rs256)?,
        };
        let sealed = master.seal(&facts, &material, random)?;
        Ok(StoredKey { facts, sealed })
    }

    /// Facts of all keys.
    pub fn facts(&self) -> &[KeyFacts] {
        &self.facts
    }

    /// The issuer and instance that the keys were derived for.
    pub const fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The JWK Set as JSON text.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Seals `record` with the key that serves at `now`; `None` when there is none.
    pub fn seal(&self, kind: Kind, record: &[u8], now: Timestamp, random: &mut dyn Random) -> Option<String> {
        self.serving_seal(now)?.seal(kind, record, random)
    }

    /// Opens a sealed token of `kind`; `None` for everything that we did not seal so.
    pub fn open(&self, kind: Kind, text: &str) -> Option<Vec<u8>> {
        seal::open(&self.sealing, kind, text)
    }

    /// The key that authenticates refresh tokens at `now`, with its id.
    pub fn refresh(&self, now: Timestamp) -> Option<(u32, &hmac::Key)> {
        let id = key::serving(&self.facts, KeyUse::Refresh, now)?.id;
        self.refresh_by_id(id).map(|key| (id, key))
    }

    /// The refresh key with this id.
    pub fn refresh_by_id(&self, id: u32) -> Option<&hmac::Key> {
        self.refresh.iter().find(|(own, _)| *own == id).map(|(_, key)| key)
    }

    /// The key that signs with `algorithm` at `now`.
    pub fn signer(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let id = key::serving(&self.facts, algorithm.key_use(), now)?.id;
        self.signing.iter().find(|(facts, _)| facts.id == id).map(|(_, key)| key)
    }

    /// The key that names this server to push services. It is in no JWK Set and signs nothing else.
    pub fn vapid(&self, now: Timestamp) -> Option<&SigningKey> {
        let id = key::serving(&self.facts, KeyUse::Vapid, now)?.id;
        self.vapid.iter().find(|(facts, _)| facts.id == id).map(|(_, key)| key)
    }

    /// Algorithms that can be signed with at `now`.
    pub fn algorithms(&self, now: Timestamp) -> Vec<Algorithm> {
        Algorithm::ALL.into_iter().filter(|algorithm| self.signer(*algorithm, now).is_some()).collect()
    }

    /// The payload of a compact JWS that one of our keys signed with header `typ`; `None` for everything else.
    pub fn verify(&self, text: &str, typ: &str) -> Option<Vec<u8>> {
        let jws = Unverified::read(text)?;
        let (_, key) = self.signing.iter().find(|(_, key)| key.kid() == jws.kid())?;
        jws.verify(key, typ)
    }

    /// A form's token over `parts`, which must bind the browser and what the form is about.
    pub fn csrf(&self, parts: &[&str], now: Timestamp) -> Option<String> {
        let key = self.serving_seal(now)?;
        let tag = hmac::sign(key.csrf(), &csrf_message(parts));
        Some(Kind::Csrf.spell(&[key.facts().id.to_le_bytes().as_slice(), tag.as_ref()].concat()))
    }

    /// Was `token` made by [`KeyRing::csrf`] over the same `parts`? In constant time.
    pub fn csrf_matches(&self, token: &str, parts: &[&str]) -> bool {
        let Some(body) = Kind::Csrf.read(token) else { return false };
        let Some((id, tag)) = body.split_first_chunk::<4>() else { return false };
        let id = u32::from_le_bytes(*id);
        self.sealing
            .iter()
            .find(|key| key.facts().id == id)
            .is_some_and(|key| hmac::verify(key.csrf(), &csrf_message(parts), tag).is_ok())
    }

    fn serving_seal(&self, now: Timestamp) -> Option<&SealingKey> {
        let id = key::serving(&self.facts, KeyUse::Seal, now)?.id;
        self.sealing.iter().find(|key| key.facts().id == id)
    }
}

/// Each part with its length, so that no two lists of parts read alike.
fn csrf_message(parts: &[&str]) -> Vec<u8> {
    let mut message = Vec::new();
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_le_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message
}
