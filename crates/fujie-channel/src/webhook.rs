//! Webhooks received: the signature over the raw body (GitHub's `X-Hub-Signature-256`).

use aws_lc_rs::hmac;

/// Why a delivery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not `sha256=` and 64 hexadecimal digits. `sha1=` is not enough.
    #[error("the signature must be sha256= and 64 hexadecimal digits")]
    Malformed,
    /// Another secret, or another body.
    #[error("the signature does not fit the body")]
    Mismatch,
}

/// Is `signature` (the header's value) that of `body`, byte for byte, under `secret`? In constant time.
pub fn verify(secret: &[u8], body: &[u8], signature: &str) -> Result<(), SignatureError> {
    let tag = signature.strip_prefix("sha256=").and_then(decode).ok_or(SignatureError::Malformed)?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), body, &tag).or(Err(SignatureError::Mismatch))
}

fn decode(hex: &str) -> Option<[u8; 32]> {
    let mut tag = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, digits) in tag.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation on validating deliveries.
    const SECRET: &[u8] = b"It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_documented_example_holds_and_its_neighbours_do_not() {
        assert_eq!(verify(SECRET, BODY, SIGNATURE), Ok(()));
        assert_eq!(verify(SECRET, b"Hello, World?", SIGNATURE), Err(SignatureError::Mismatch));
        assert_eq!(verify(b"another", BODY, SIGNATURE), Err(SignatureError::Mismatch));
        let sha1 = SIGNATURE.replace("sha256", "sha1");
        assert_eq!(verify(SECRET, BODY, &sha1), Err(SignatureError::Malformed));
        assert_eq!(verify(SECRET, BODY, "sha256="), Err(SignatureError::Malformed));
        assert_eq!(verify(SECRET, BODY, &format!("sha256={}", "+f".repeat(32))), Err(SignatureError::Malformed));
    }
}
