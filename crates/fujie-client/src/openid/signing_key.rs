//! A private key of ours as it is kept in a file: PKCS #8 in PEM (RFC 7468 §10, RFC 5958).
//!
//! ES256 (P-256), EdDSA (Ed25519) and RS256 (RSA from 2,048 bits on). Deliberately not read: encrypted keys, and the
//! older forms `EC PRIVATE KEY` and `RSA PRIVATE KEY`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::jose::jws::Algorithm;
pub use fujie_core::jose::jws::SigningKey;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Characters of a PEM text, at most; RSA with 8,192 bits has about 6,400.
const PEM_LENGTH_MAX: usize = 16 * 1024;
/// Characters of a `kid`, at most.
const KID_LENGTH_MAX: usize = 255;

/// Why a text is no private key to sign with. It shows nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// No PKCS #8 in PEM. Older forms can be converted.
    #[error("the key is not PKCS #8 in PEM; convert it with: openssl pkcs8 -topk8 -nocrypt -in KEY")]
    NotPkcs8,
    /// A kind of key that we do not sign with, or a damaged one.
    #[error("the key is neither P-256, Ed25519 nor RSA from 2,048 bits on, or is damaged")]
    Unsupported,
    /// The `kid` is too long or not printable ASCII.
    #[error("the key's kid is too long or not printable ASCII")]
    Kid,
}

/// Reads a private key; its own kind says which algorithm it signs with. `kid` is the name under which the other party
/// knows it, or empty where it needs none.
///
/// # Errors
/// [`SigningKeyError`], by cause.
pub fn read(pem: &str, kid: &str) -> Result<SigningKey, SigningKeyError> {
    if kid.len() > KID_LENGTH_MAX || !kid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SigningKeyError::Kid);
    }
    let pkcs8 = pkcs8(pem).ok_or(SigningKeyError::NotPkcs8)?;
    Algorithm::ALL
        .into_iter()
        .find_map(|algorithm| SigningKey::from_pkcs8(algorithm, kid.to_owned(), &pkcs8).ok())
        .ok_or(SigningKeyError::Unsupported)
}

/// What stands between the two lines; whatever stands before or behind them is not read.
fn pkcs8(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    if pem.len() > PEM_LENGTH_MAX {
        return None;
    }
    let (body, _) = pem.split_once(BEGIN)?.1.split_once(END)?;
    let body: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A new key in PEM, as `openssl genpkey` would write it.
    pub(crate) fn pem(algorithm: Algorithm) -> String {
        let pkcs8 = SigningKey::generate(algorithm).unwrap();
        let mut pem = format!("{BEGIN}\n");
        for line in STANDARD.encode(&*pkcs8).as_bytes().chunks(64) {
            pem.push_str(&format!("{}\n", std::str::from_utf8(line).unwrap()));
        }
        pem + END + "\n"
    }

    /// Made by `openssl genpkey`, for P-256 and for Ed25519.
    const OPENSSL: [(&str, Algorithm); 2] = [
        (
            "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7c4tVG4NvKHHwXMv\n\
             PiXKMfJcGEfgIO9V85ndlMkUEiqhRANCAAQp+qP3ihZzbQdAv4ZFon4PEvYfhozh\n\
             VNpQlhUM3lzPXkk55JNgQIU/rzh4c+e4V5orS3aA1yCncQ0ni4f+qtO1\n-----END PRIVATE KEY-----\n",
            Algorithm::Es256,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKDWH7CyP7Mdzoi8GvsFSo3KBISV1vRHU+FTQmGKl9Ni\n-----END PRIVATE KEY-----\n",
            Algorithm::EdDsa,
        ),
    ];

    #[test]
    fn a_key_says_itself_what_it_signs_with() {
        for algorithm in Algorithm::ALL {
            let key = read(&pem(algorithm), "k1").unwrap();
            assert_eq!((key.algorithm(), key.kid()), (algorithm, "k1"));
            let windows = pem(algorithm).replace('\n', "\r\n");
            assert_eq!(read(&format!("Bag Attributes\r\n{windows}"), "").unwrap().algorithm(), algorithm);
        }
        for (pem, algorithm) in OPENSSL {
            assert_eq!(read(pem, "k").unwrap().algorithm(), algorithm);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        use SigningKeyError::{Kid, NotPkcs8, Unsupported};
        let good = pem(Algorithm::Es256);
        let body = |text: &str| format!("{BEGIN}\n{text}\n{END}");
        let cases = [
            (String::new(), "", NotPkcs8),
            (good.replace("PRIVATE", "EC PRIVATE"), "", NotPkcs8),
            (good.replace("PRIVATE", "ENCRYPTED PRIVATE"), "", NotPkcs8),
            (good.replace(END, ""), "", NotPkcs8),
            (good.replace("MIG", "!!!"), "", NotPkcs8),
            (good.clone() + &" ".repeat(PEM_LENGTH_MAX), "", NotPkcs8),
            (body(""), "", Unsupported),
            (body("AAAA"), "", Unsupported),
            (good.clone(), "a b", Kid),
            (good.clone(), "中", Kid),
            (good, &"k".repeat(256), Kid),
        ];
        for (pem, kid, expected) in cases {
            assert_eq!(read(&pem, kid).unwrap_err(), expected);
        }
    }
}
