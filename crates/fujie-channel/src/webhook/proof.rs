//! Is the sender who it should be: signatures over the raw body, and tokens. In constant time.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::secret::{Secret, sha256};
use http::{HeaderMap, HeaderName};

use super::{
    Refusal, only,
    sender::{GITHUB, GITHUB_SIGNATURE, GITHUB_SIGNATURE_SHA1},
};

/// A token longer than this is nobody's.
const TOKEN_LENGTH_MAX: usize = 1024;

pub(super) fn github(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    hmac(secrets, github_signature(headers)?, GITHUB.prefix, body)
}

/// The signature that GitHub brought along, whatever it is worth.
pub(super) fn github_signature(headers: &HeaderMap) -> Result<&str, Refusal> {
    if !headers.contains_key(GITHUB_SIGNATURE) && headers.contains_key(GITHUB_SIGNATURE_SHA1) {
        return Err(Refusal::Sha1Only);
    }
    signature(headers, &GITHUB_SIGNATURE)
}

/// The signature that the sender brought along, whatever it is worth.
pub(super) fn signature<'h>(headers: &'h HeaderMap, header: &HeaderName) -> Result<&'h str, Refusal> {
    only(headers, header).ok_or(Refusal::MissingSignature)?
}

pub(super) fn hmac(secrets: &[Secret], signature: &str, prefix: &str, body: &[u8]) -> Result<(), Refusal> {
    let tag = signature.strip_prefix(prefix).and_then(decode).ok_or(Refusal::Malformed)?;
    let fits = |secret: &&Secret| fits(secret.expose().as_bytes(), body, &tag);
    usable(secrets).find(fits).map(|_| ()).ok_or(Refusal::Mismatch)
}

/// The secret that the sender brought along.
pub(super) fn token<'a>(
    secrets: &'a [Secret],
    headers: &HeaderMap,
    header: &HeaderName,
) -> Result<&'a Secret, Refusal> {
    // Digests are compared, so that not even the length shows.
    let token = sha256(presented_token(headers, header)?.as_bytes());
    let is_it =
        |secret: &&Secret| constant_time::verify_slices_are_equal(&sha256(secret.expose().as_bytes()), &token).is_ok();
    usable(secrets).find(is_it).ok_or_else(|| Refusal::TokenMismatch(header.clone()))
}

/// The token that the sender brought along, whatever it is worth.
pub(super) fn presented_token<'h>(headers: &'h HeaderMap, header: &HeaderName) -> Result<&'h str, Refusal> {
    let token = only(headers, header).ok_or_else(|| Refusal::MissingToken(header.clone()))?;
    let token = token.ok().filter(|token| token.len() <= TOKEN_LENGTH_MAX);
    token.ok_or_else(|| Refusal::MalformedToken(header.clone()))
}

/// An empty secret is one that anybody knows.
fn usable(secrets: &[Secret]) -> impl Iterator<Item = &Secret> {
    secrets.iter().filter(|secret| !secret.expose().is_empty())
}

fn fits(secret: &[u8], body: &[u8], tag: &[u8; 32]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), body, tag).is_ok()
}

/// A tag in hexadecimal digits, or in Base64 with its padding (RFC 4648 §4): they differ in length.
fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return STANDARD.decode(text).ok()?.try_into().ok();
    }
    let mut tag = [0; 32];
    for (byte, digits) in tag.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)? as u8))?;
    }
    Some(tag)
}
