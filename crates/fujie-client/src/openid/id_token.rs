//! ID tokens as a client must check them (OpenID Connect Core 1.0 §3.1.3.7, §3.3.2.12, §12.2).
//!
//! Owns every check that needs no network, each with its own cause. The keys come from the issuer's own set; a key or
//! an address in the token's header is never looked at. Encrypted tokens are not read. `iss` and `sub` together are
//! the person's key (§5.7); an e-mail address never is.

use std::fmt;
use std::time::Duration;

use fujie_core::jose::{
    json,
    jwks::{Compact, Jwks, JwsError},
    verifying_key::{SignatureAlgorithm, VerifyingKey},
};
use serde_json::Value;

use super::{Fields, metadata::Issuer};
use crate::secret::is_equal;
use fujie_core::time::Timestamp;

/// How far the issuer's clock may be from ours.
const SKEW: Duration = Duration::from_secs(60);
/// The last second that is a time: the end of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;
/// Characters of a subject, at most (§2).
const SUBJECT_LENGTH_MAX: usize = 255;
/// Values of `aud`, at most.
const AUDIENCES_MAX: usize = 32;
/// Characters of an e-mail address, at most; a longer one counts as absent (RFC 5321 §4.5.3.1).
const EMAIL_LENGTH_MAX: usize = 320;

/// What the request that led to the token knows. Whatever is `None` or empty is not asked of the token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// From whom it must be.
    pub issuer: &'a Issuer,
    /// For whom it must be.
    pub client_id: &'a str,
    /// Who else it may be for. A token that is for anybody else as well is refused.
    pub audiences: &'a [&'a str],
    /// The algorithms that this client agreed on with the issuer.
    pub algorithms: &'a [SignatureAlgorithm],
    /// The nonce that was sent; give it whenever one was.
    pub nonce: Option<&'a str>,
    /// The access token that came with it, against `at_hash`.
    pub access_token: Option<&'a str>,
    /// The code that came with it, against `c_hash`.
    pub code: Option<&'a str>,
    /// The `max_age` that was sent.
    pub max_age: Option<Duration>,
    /// The context classes of which one was demanded.
    pub acr_values: &'a [&'a str],
}

/// Which check failed. For the log: the person is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// The signature or what belongs to it.
    #[error("the ID token is not verified: {0}")]
    Jws(#[from] JwsError),
    /// `typ` says that it is another kind of token.
    #[error("typ of the ID token is another kind of token's")]
    Typ,
    /// The payload is no JSON object, or a member comes twice.
    #[error("the claims of the ID token are not a JSON object whose members come once")]
    NotJson,
    /// A claim that must be there is not.
    #[error("the ID token has no {0}")]
    Missing(&'static str),
    /// A claim has another type than the standard says, or an impossible value.
    #[error("{0} of the ID token is malformed")]
    Malformed(&'static str),
    /// `iss` is another's, or does not fit `tid`.
    #[error("iss of the ID token is not the expected issuer")]
    Issuer,
    /// Signed with a key that serves another tenant.
    #[error("the key of the ID token belongs to another issuer")]
    KeyIssuer,
    /// `aud` does not contain our client id.
    #[error("aud of the ID token does not contain our client id")]
    Audience,
    /// `aud` contains somebody we do not know.
    #[error("aud of the ID token contains an unknown party")]
    AudienceUnknown,
    /// `azp` is not our client id, or is missing where there are several audiences.
    #[error("azp of the ID token is not our client id")]
    AuthorizedParty,
    /// `exp` is past.
    #[error("the ID token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("the ID token is not valid yet")]
    NotYetValid,
    /// `nonce` is not the one that was sent: the token belongs to another sign-in.
    #[error("nonce of the ID token is not the one that was sent")]
    Nonce,
    /// `at_hash` is not that of the access token.
    #[error("at_hash of the ID token is not that of the access token")]
    AccessTokenHash,
    /// `c_hash` is not that of the code.
    #[error("c_hash of the ID token is not that of the code")]
    CodeHash,
    /// `sub` is empty, a placeholder, longer than 255 characters or not printable ASCII.
    #[error("sub of the ID token is unusable")]
    Subject,
    /// The person signed in longer ago than was asked.
    #[error("auth_time of the ID token is longer ago than max_age")]
    AuthTime,
    /// None of the demanded context classes.
    #[error("acr of the ID token is none of those demanded")]
    Acr,
}

impl IdTokenError {
    /// May a newer key set change the outcome? Then fetch it once, seldom, and verify once more.
    pub const fn keys_may_be_old(self) -> bool {
        matches!(self, Self::Jws(JwsError::KeyUnknown))
    }
}

/// An ID token that passed every check. `Debug` shows nothing of the person.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct IdToken {
    /// `iss`: with the tenant in it, where there are many.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `auth_time`.
    pub auth_time: Option<Timestamp>,
    /// `acr`.
    pub acr: Option<String>,
    /// `email`, for show.
    pub email: Option<String>,
    /// `email_verified`: the issuer's word, which is worth as much as the issuer. Apple writes it as a string.
    pub email_verified: bool,
    /// All claims.
    pub claims: Fields,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, expires_at) = (&self.issuer, &self.expires_at);
        out.debug_struct("IdToken").field("issuer", issuer).field("expires_at", expires_at).finish_non_exhaustive()
    }
}

/// Verifies `token` at `now`. It does not see to it that a token is used once: the nonce of the one sign-in does.
///
/// # Errors
/// [`IdTokenError`]: the first check that failed.
pub fn verify(token: &str, jwks: &Jwks, expected: &Expected<'_>, now: Timestamp) -> Result<IdToken, IdTokenError> {
    let jws = Compact::read(token)?;
    if jws.header("typ").is_some() && !jws.is_typ("JWT") {
        return Err(IdTokenError::Typ);
    }
    let algorithm = jws.algorithm();
    let (payload, key) = jwks.verify(jws, expected.algorithms)?;
    let claims = Claims(json::object(&payload).ok_or(IdTokenError::NotJson)?);
    claims.check_parties(expected, key)?;
    let (issued_at, expires_at) = claims.check_times(now)?;
    claims.check_bindings(expected, algorithm)?;
    let auth_time = claims.check_sign_in(expected, now)?;
    Ok(IdToken {
        issuer: claims.required("iss")?.to_owned(),
        subject: claims.subject()?.to_owned(),
        issued_at,
        expires_at,
        auth_time,
        acr: claims.optional("acr")?.map(str::to_owned),
        email: claims.email(),
        email_verified: matches!(claims.0.get("email_verified"), Some(Value::Bool(true)))
            || claims.0.get("email_verified").is_some_and(|value| value == "true"),
        claims: claims.0,
    })
}

struct Claims(Fields);

impl Claims {
    fn check_parties(&self, expected: &Expected<'_>, key: &VerifyingKey) -> Result<(), IdTokenError> {
        let (iss, tid) = (self.required("iss")?, self.optional("tid")?);
        if !expected.issuer.admits(iss, tid) {
            return Err(IdTokenError::Issuer);
        }
        // One set holds the keys of all tenants, and a key may be for some of them only.
        if expected.issuer.is_template()
            && let Some(own) = key.issuer()
            && !Issuer::parse(own).is_ok_and(|own| own.admits(iss, tid))
        {
            return Err(IdTokenError::KeyIssuer);
        }
        let audiences = self.audiences()?;
        if !audiences.contains(&expected.client_id) {
            return Err(IdTokenError::Audience);
        }
        if !audiences.iter().all(|party| *party == expected.client_id || expected.audiences.contains(party)) {
            return Err(IdTokenError::AudienceUnknown);
        }
        match self.optional("azp")? {
            Some(azp) if azp != expected.client_id => Err(IdTokenError::AuthorizedParty),
            None if audiences.len() > 1 => Err(IdTokenError::AuthorizedParty),
            _ => Ok(()),
        }
    }

    fn check_times(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), IdTokenError> {
        let expires_at = self.time("exp")?.ok_or(IdTokenError::Missing("exp"))?;
        if now >= expires_at + SKEW {
            return Err(IdTokenError::Expired);
        }
        let issued_at = self.time("iat")?.ok_or(IdTokenError::Missing("iat"))?;
        let not_before = self.time("nbf")?.unwrap_or(issued_at);
        if issued_at.max(not_before) > now + SKEW {
            return Err(IdTokenError::NotYetValid);
        }
        Ok((issued_at, expires_at))
    }

    /// What binds the token to this sign-in and to what came with it.
    fn check_bindings(&self, expected: &Expected<'_>, algorithm: SignatureAlgorithm) -> Result<(), IdTokenError> {
        if let Some(nonce) = expected.nonce {
            let own = self.optional("nonce")?.ok_or(IdTokenError::Missing("nonce"))?;
            if !is_equal(own, nonce) {
                return Err(IdTokenError::Nonce);
            }
        }
        let is_other = |name, value: Option<&str>| match (self.optional(name)?, value) {
            (Some(hash), Some(value)) => Ok(!is_equal(hash, &algorithm.left_half(value))),
            _ => Ok::<_, IdTokenError>(false),
        };
        if is_other("at_hash", expected.access_token)? {
            return Err(IdTokenError::AccessTokenHash);
        }
        if is_other("c_hash", expected.code)? {
            return Err(IdTokenError::CodeHash);
        }
        Ok(())
    }

    /// How and when the person signed in (§3.1.3.7 points 12 and 13).
    fn check_sign_in(&self, expected: &Expected<'_>, now: Timestamp) -> Result<Option<Timestamp>, IdTokenError> {
        let auth_time = self.time("auth_time")?;
        if let Some(max_age) = expected.max_age {
            let auth_time = auth_time.ok_or(IdTokenError::Missing("auth_time"))?;
            if now > auth_time + max_age + SKEW || auth_time > now + SKEW {
                return Err(IdTokenError::AuthTime);
            }
        }
        let acr = self.optional("acr")?;
        if !expected.acr_values.is_empty() && !acr.is_some_and(|acr| expected.acr_values.contains(&acr)) {
            return Err(IdTokenError::Acr);
        }
        Ok(auth_time)
    }

    /// A missing subject must never become one that everybody shares, so neither may what programs write for "nothing".
    fn subject(&self) -> Result<&str, IdTokenError> {
        let subject = self.required("sub")?;
        let is_usable = !matches!(subject, "" | "0" | "null" | "undefined")
            && subject.len() <= SUBJECT_LENGTH_MAX
            && subject.trim() == subject
            && subject.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        if is_usable { Ok(subject) } else { Err(IdTokenError::Subject) }
    }

    fn audiences(&self) -> Result<Vec<&str>, IdTokenError> {
        let malformed = IdTokenError::Malformed("aud");
        match self.0.get("aud") {
            None => Err(IdTokenError::Missing("aud")),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(all)) if all.len() <= AUDIENCES_MAX => {
                all.iter().map(Value::as_str).collect::<Option<_>>().ok_or(malformed)
            }
            Some(_) => Err(malformed),
        }
    }

    fn email(&self) -> Option<String> {
        let email = self.0.get("email")?.as_str()?;
        let is_fine = email.len() <= EMAIL_LENGTH_MAX && email.contains('@') && !email.chars().any(char::is_control);
        is_fine.then(|| email.to_owned())
    }

    /// A NumericDate (RFC 7519 §2), which may have a fraction. Anything but a number of our age is refused, never taken
    /// for absent.
    fn time(&self, name: &'static str) -> Result<Option<Timestamp>, IdTokenError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
        let seconds = seconds.ok_or(IdTokenError::Malformed(name))?;
        // Exact: within the range above a float holds every millisecond.
        Ok(Some(Timestamp::from_millis((seconds * 1000.0) as i64)))
    }

    fn required(&self, name: &'static str) -> Result<&str, IdTokenError> {
        self.optional(name)?.ok_or(IdTokenError::Missing(name))
    }

    fn optional(&self, name: &'static str) -> Result<Option<&str>, IdTokenError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(IdTokenError::Malformed(name)),
        }
    }
}
