//! The form in which tokens are kept.
//!
//! Owns that form and its version: it is a promise to files that exist. The tokens themselves
//! are [`Tokens`]; where the form is kept is a store's business.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::StoreError;
use crate::secret::Secret;
use crate::token::Tokens;
use fujie_core::time::Timestamp;

/// The form that this program writes.
const VERSION: u64 = 1;
/// Bytes of one record, at most. Tokens have some kilobytes.
pub(super) const RECORD_LENGTH_MAX: usize = 64 * 1024;

/// Tokens as they are kept: a record of its own, so that a file outlives changes to [`Tokens`].
/// `Debug` shows nothing of them. Serialising it writes the tokens out: that is its purpose.
#[derive(Serialize, Deserialize)]
pub struct StoredTokens {
    version: u64,
    #[serde(with = "readable")]
    access_token: Secret,
    #[serde(default, with = "readable_option", skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Secret>,
    #[serde(default, with = "readable_option", skip_serializing_if = "Option::is_none")]
    id_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    union_subject: Option<String>,
    #[serde(default)]
    provisional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
}

impl StoredTokens {
    /// The record of these tokens.
    pub fn new(tokens: &Tokens) -> Self {
        Self {
            version: VERSION,
            access_token: tokens.access_token.duplicate(),
            refresh_token: tokens.refresh_token.as_ref().map(Secret::duplicate),
            id_token: tokens.id_token.as_ref().map(Secret::duplicate),
            token_type: tokens.token_type.clone(),
            expires_at: tokens.expires_at,
            scope: tokens.scope.clone(),
            subject: tokens.subject.clone(),
            union_subject: tokens.union_subject.clone(),
            provisional: tokens.provisional,
            redirect_uri: tokens.redirect_uri.clone(),
        }
    }

    /// The tokens of this record.
    pub fn into_tokens(self) -> Tokens {
        Tokens {
            access_token: self.access_token,
            refresh_token: self.refresh_token,
            id_token: self.id_token,
            token_type: self.token_type,
            expires_at: self.expires_at,
            scope: self.scope,
            // What was missing was told at the sign-in; it is not kept.
            scope_missing: Vec::new(),
            subject: self.subject,
            union_subject: self.union_subject,
            provisional: self.provisional,
            redirect_uri: self.redirect_uri,
        }
    }

    /// The record as JSON, for a store that keeps text.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it would be too long to be read again.
    pub fn to_json(&self, place: &str) -> Result<Zeroizing<String>, StoreError> {
        let unreadable = |what| StoreError::Unreadable { place: place.to_owned(), what };
        // Serde's error would say no more: every field of the record can be written.
        let json = serde_json::to_string(self).ok().map(Zeroizing::new);
        let json = json.ok_or_else(|| unreadable("it cannot be written as JSON"))?;
        if json.len() > RECORD_LENGTH_MAX { Err(unreadable("it is longer than 64 KiB")) } else { Ok(json) }
    }

    /// Reads a record that [`Self::to_json`] wrote. `place` is for the error alone.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it is not one, [`StoreError::Newer`] when it is of a form
    /// that this program does not know.
    pub fn from_json(json: &[u8], place: &str) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Form {
            version: u64,
        }
        // Serde's error is dropped: it may quote what it could not read.
        let unreadable = |what| StoreError::Unreadable { place: place.to_owned(), what };
        if json.len() > RECORD_LENGTH_MAX {
            return Err(unreadable("it is longer than 64 KiB"));
        }
        let form: Option<Form> = serde_json::from_slice(json).ok();
        match form.ok_or_else(|| unreadable("it names no version"))?.version {
            VERSION => serde_json::from_slice(json).ok().ok_or_else(|| unreadable("a field is missing or odd")),
            version => Err(StoreError::Newer { place: place.to_owned(), version }),
        }
    }

    /// A second copy within this crate.
    pub(super) fn duplicate(&self) -> Self {
        Self {
            version: self.version,
            access_token: self.access_token.duplicate(),
            refresh_token: self.refresh_token.as_ref().map(Secret::duplicate),
            id_token: self.id_token.as_ref().map(Secret::duplicate),
            token_type: self.token_type.clone(),
            expires_at: self.expires_at,
            scope: self.scope.clone(),
            subject: self.subject.clone(),
            union_subject: self.union_subject.clone(),
            provisional: self.provisional,
            redirect_uri: self.redirect_uri.clone(),
        }
    }
}

impl fmt::Debug for StoredTokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StoredTokens").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The one place where a secret is written out.
mod readable {
    use super::{Deserialize, Deserializer, Secret, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

mod readable_option {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}
