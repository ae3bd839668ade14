//! DPoP (RFC 9449): proofs of a key at the token endpoint, at `/par` and at userinfo.
//!
//! Judges proofs; what is bound to a key is in the world. One nonce serves all, and changes.

use super::failure::Failure;
use super::house::Manners;
use super::world::World;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::jws;
use crate::random::{self, BASE64URL};
use serde_json::Value;

/// Where nonces are told (RFC 9449 §8.1).
pub(crate) const NONCE_HEADER: &str = "dpop-nonce";
/// How far a client's clock may be wrong, either way.
const SECONDS_OFF_MAX: u64 = 60;
/// For so long a nonce is the newest; it is good for as long again.
const NONCE_SECONDS: u64 = 300;

/// The newest nonce.
pub(crate) fn nonce(now: Timestamp) -> String {
    nonce_of(now.unix_seconds() / NONCE_SECONDS)
}

fn nonce_of(period: u64) -> String {
    random::settled(&["dpop nonce", &period.to_string()], BASE64URL, 22)
}

/// The thumbprint of the key that a call proves, if it proves one and the house cares. At a resource
/// the proof is about the access token too.
pub(crate) fn proof<M: Manners>(
    world: &mut World<M>,
    call: &Call,
    access_token: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let mut proofs = call.head.headers.get_all("dpop").iter();
    let Some(proof) = proofs.next().filter(|_| M::BINDS_TOKENS) else {
        return Ok(None);
    };
    if proofs.next().is_some() {
        return Err(Failure::INVALID_DPOP_PROOF);
    }
    let read = proof.to_str().ok().and_then(jws::verified_by_own_key);
    let (jws::Verified { header, claims }, thumbprint) = read.ok_or(Failure::INVALID_DPOP_PROOF)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let made_at = claims.get("iat").and_then(Value::as_u64).unwrap_or_default();
    let spent = format!("{thumbprint} {}", text("jti").unwrap_or_default());
    let hash = access_token.map(jws::sha256_base64url);
    let is_good = header.get("typ").and_then(Value::as_str) == Some("dpop+jwt")
        && text("htm") == Some(call.head.method.as_str())
        && text("htu") == Some(format!("{}{}", world.base_url, call.path()).as_str())
        && made_at.abs_diff(now.unix_seconds()) <= SECONDS_OFF_MAX
        && text("jti").is_some_and(|jti| !jti.is_empty())
        && hash.is_none_or(|hash| text("ath") == Some(hash.as_str()))
        && world.proofs.get(&spent).is_none();
    if !is_good {
        return Err(Failure::INVALID_DPOP_PROOF);
    }
    let period = now.unix_seconds() / NONCE_SECONDS;
    let is_fresh = |sent: &str| [period, period.saturating_sub(1)].iter().any(|period| nonce_of(*period) == sent);
    let is_needed = world.switches.dpop_nonce_required || text("nonce").is_some();
    if is_needed && !text("nonce").is_some_and(is_fresh) {
        return Err(Failure::USE_DPOP_NONCE);
    }
    world.proofs.insert(spent, ());
    Ok(Some(thumbprint))
}

/// Whether an access token comes in the way it was issued for: as a bearer, or with a proof of the
/// key that it is bound to (RFC 9449 §7).
pub(crate) fn is_shown_well<M: Manners>(
    world: &mut World<M>,
    call: &Call,
    scheme: &str,
    access_token: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let bound = world.bound.get(access_token).cloned();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    let is_dpop = scheme.eq_ignore_ascii_case("dpop");
    match bound {
        None if is_bearer => Ok(()),
        Some(key) if is_dpop => {
            let proven = proof(world, call, Some(access_token), now).map_err(Failure::at_resource)?;
            if proven == Some(key) { Ok(()) } else { Err(Failure::INVALID_DPOP_PROOF.at_resource()) }
        }
        _ => Err(Failure::INVALID_TOKEN),
    }
}
