//! ID tokens (OpenID Connect Core 1.0 §2).

use serde::Serialize;

use super::key_ring::KeyRing;
use crate::{
    account::Account,
    grant::{Grant, Setting},
    jose::{jws::Algorithm, verifying_key::SignatureAlgorithm},
    time::Timestamp,
    userinfo::ProfileClaims,
};

/// What an ID token will say, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenDraft {
    /// The account.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// When it is issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// Echoed from the request.
    pub nonce: Option<String>,
    /// Context class.
    pub acr: Option<String>,
    /// Methods, space-separated.
    pub amr: String,
    /// Claims of scope `profile`.
    pub profile: Option<ProfileClaims>,
    /// Signed with.
    pub algorithm: Algorithm,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'a str>,
    at_hash: String,
    #[serde(flatten)]
    profile: Option<&'a ProfileClaims>,
}

impl IdTokenDraft {
    /// The ID token of `grant`, when its scope has `openid`; without `nonce`.
    pub(crate) fn of_grant(
        grant: &Grant,
        account: &Account,
        algorithm: Algorithm,
        setting: Setting<'_>,
    ) -> Option<Self> {
        grant.scope.contains("openid").then(|| Self {
            sub: grant.account.to_string(),
            aud: grant.client.clone(),
            issued_at: setting.now,
            expires_at: setting.now + setting.policy.id_token,
            auth_time: grant.auth_time,
            nonce: None,
            acr: grant.acr.clone(),
            amr: grant.amr.clone(),
            profile: ProfileClaims::of(account, &grant.scope),
            algorithm,
        })
    }

    /// Signs it, bound to `access_token` by `at_hash` (§3.1.3.6). `None` when no key serves.
    pub fn sign(&self, access_token: &str, ring: &KeyRing) -> Option<String> {
        let claims = Claims {
            iss: &ring.realm().issuer,
            sub: &self.sub,
            aud: &self.aud,
            exp: self.expires_at.seconds(),
            iat: self.issued_at.seconds(),
            auth_time: self.auth_time.seconds(),
            nonce: self.nonce.as_deref(),
            acr: self.acr.as_deref(),
            amr: self.amr.split(' ').filter(|word| !word.is_empty()).collect(),
            at_hash: SignatureAlgorithm::from(self.algorithm).left_half(access_token),
            profile: self.profile.as_ref(),
        };
        ring.signer(self.algorithm, self.issued_at)?.sign("JWT", &serde_json::to_vec(&claims).ok()?).ok()
    }
}
