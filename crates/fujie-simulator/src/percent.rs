//! Percent-encoding of one value, as the providers write it into an address.
//!
//! What RFC 3986 §2.3 calls unreserved stays; a space is `%20`.

/// `text` as the value of a query or fragment parameter.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
