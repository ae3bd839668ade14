//! HTTP Basic, by which an application may name itself at the token endpoint (RFC 7617).

use super::token::Basic;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The credentials in an `Authorization` header, unless it holds something else.
pub(crate) fn read(authorization: &str) -> Option<Basic> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some(Basic { client_id: client_id.to_owned(), secret: secret.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn only_well_formed_basic_is_read() {
        let basic = read("Basic MTpzZWNyZXQ6eA==").unwrap();
        assert_eq!((basic.client_id.as_str(), basic.secret.as_str()), ("1", "secret:x"));
        for other in ["Bearer MTpzZWNyZXQ6eA==", "Basic", "Basic %", "Basic MQ==", ""] {
            assert!(read(other).is_none(), "{other}");
        }
    }
}
