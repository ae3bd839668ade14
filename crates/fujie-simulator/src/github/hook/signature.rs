//! The signatures of a delivery: HMAC over the bytes of the body, in lowercase hexadecimal.
//!
//! The key is the hook's secret as UTF-8. Nothing else is signed: no header, no time.

use aws_lc_rs::hmac;

/// The values of `X-Hub-Signature` and `X-Hub-Signature-256`.
pub(crate) fn sign(secret: &str, body: &[u8]) -> (String, String) {
    let with = |algorithm| hex(hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body).as_ref());
    (format!("sha1={}", with(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)), format!("sha256={}", with(hmac::HMAC_SHA256)))
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::sign;

    const SECRET: &str = "It's a Secret to Everybody";

    #[test]
    fn the_published_vectors_come_out() {
        let (sha1, sha256) = sign(SECRET, b"Hello, World!");
        assert_eq!(sha1, "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59");
        assert_eq!(sha256, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }

    #[test]
    fn a_form_is_signed_as_it_is_encoded() {
        let (_sha1, sha256) = sign(SECRET, b"payload=%7B%22zen%22%3A%22x%22%7D");
        assert_eq!(sha256, "sha256=9e518bab52dd49be0a3cab84bf12fed8157f4905144554e29e99e7d137ca8e5c");
    }
}
