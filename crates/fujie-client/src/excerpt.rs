//! What of a provider's answer may stand in a log.
//!
//! Owns the scrubbing: quoted values of JSON, values we know to be secret, and whatever looks
//! like a token. It errs towards hiding; the shape of an answer is what helps.

use crate::request::encode_value;

/// Characters of an excerpt, at most.
const EXCERPT_LENGTH_MAX: usize = 160;
/// Bytes of a body that are looked at, at most.
const EXCERPT_SOURCE_MAX: usize = 16 * 1024;
/// A run of token characters that has a digit is hidden from this length on.
const TOKEN_LENGTH_MIN: usize = 12;
/// Letters of one word of a name, at most.
const WORD_LENGTH_MAX: usize = 14;
/// Any run of token characters is hidden from this length on.
const RUN_LENGTH_MIN: usize = 24;

/// The beginning of a body, scrubbed. `known` are secrets that the answer may repeat.
pub(crate) fn excerpt(body: &[u8], known: &[&str]) -> String {
    let head = body.get(..EXCERPT_SOURCE_MAX).unwrap_or(body);
    let text = String::from_utf8_lossy(head);
    if text.contains('{') { scrub(&mask_quoted_values(&text), known) } else { scrub(&text, known) }
}

/// A short text of the provider's without secrets, tokens and control characters.
pub(crate) fn scrub(text: &str, known: &[&str]) -> String {
    let mut scrubbed = without_tokens(&without_known(text, known));
    truncate(&mut scrubbed);
    scrubbed
}

/// A `Content-Type`, scrubbed: names and values of its parameters are looked at one by one, so that a charset shows.
pub(crate) fn label(text: &str, known: &[&str]) -> String {
    let pieces: Vec<String> = without_known(text, known).split('=').map(without_tokens).collect();
    let mut label = pieces.join("=");
    truncate(&mut label);
    label
}

fn truncate(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(EXCERPT_LENGTH_MAX) {
        text.truncate(at);
    }
}

fn without_known(text: &str, known: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[redacted]");
        text = text.replace(&encode_value(secret), "[redacted]");
    }
    text
}

fn without_tokens(text: &str) -> String {
    let mut scrubbed = String::new();
    let mut run = String::new();
    for character in text.chars() {
        if is_token_character(character) {
            run.push(character);
            continue;
        }
        push_run(&mut scrubbed, &run);
        run.clear();
        scrubbed.push(if character.is_control() { ' ' } else { character });
    }
    push_run(&mut scrubbed, &run);
    scrubbed
}

/// Keeps keys and hides quoted values, in whole JSON and in JSON cut short alike: a nickname is
/// nobody's business in a log.
fn mask_quoted_values(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        masked.push_str(before);
        match split_at_closing_quote(after) {
            Some((key, tail)) if tail.trim_start().starts_with(':') => {
                masked.push_str(&format!("\"{key}\""));
                rest = tail;
            }
            Some((_, tail)) => {
                masked.push_str("\"…\"");
                rest = tail;
            }
            None => {
                masked.push_str("\"…");
                rest = "";
            }
        }
    }
    masked.push_str(rest);
    masked
}

fn split_at_closing_quote(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if !escaped => {
                let (inside, tail) = text.split_at_checked(at)?;
                return Some((inside, tail.strip_prefix('"')?));
            }
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-.~+/=%".contains(character)
}

fn push_run(scrubbed: &mut String, run: &str) {
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    let is_token = run.len() >= RUN_LENGTH_MIN || (has_digit && run.len() >= TOKEN_LENGTH_MIN);
    scrubbed.push_str(if is_token && !is_request_id(run) && !is_name(run) { "[redacted]" } else { run });
}

/// A name of several words, such as an error code: small letters alone, none of the words long.
fn is_name(run: &str) -> bool {
    run.split(['_', '-', '.']).all(|word| word.len() <= WORD_LENGTH_MAX && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// WeChat's `rid`: three groups of eight hexadecimal digits. It is what their support asks for
/// and opens nothing.
fn is_request_id(run: &str) -> bool {
    run.split('-').count() == 3
        && run.split('-').all(|group| group.len() == 8 && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        assert_eq!(excerpt(body.as_bytes(), &["s3cr/t"]), expected, "{body}");
    }

    #[test]
    fn an_excerpt_keeps_the_shape_and_hides_the_values() {
        check(r#"{"errcode":40029,"errmsg":"x"}"#, r#"{"errcode":40029,"errmsg":"…"}"#);
        check(r#"{"openid":"o1","nickname":"张\"三","sex":0"#, r#"{"openid":"…","nickname":"…","sex":0"#);
        check(r#"{"access_token":"80_AbC"#, r#"{"access_token":"…"#);
        check("<h1>502 Bad Gateway</h1>\r\n", "<h1>502 Bad Gateway</h1>  ");
        check("GET /x?secret=s3cr/t&x=s3cr%2Ft", "GET /x?secret=[redacted]&x=[redacted]");
        check("access_token=FE04A8B6C12D&x=1", "[redacted]&x=1");
        check("invalid code, rid: 6583f22d-35b1b023-4a6d02b6", "invalid code, rid: 6583f22d-35b1b023-4a6d02b6");
        check("error=isv.invalid-app-auth-token", "[redacted]");
        check(
            "unsupported_response_type, incorrect_client_credentials",
            "unsupported_response_type, incorrect_client_credentials",
        );
        check("abcdefghijklmnopqrstuvwxyz, Unsupported_Response_Type", "[redacted], [redacted]");
        check("", "");
    }

    #[test]
    fn a_label_shows_its_charset_and_no_secret() {
        for (told, expected) in [
            ("application/json;charset=UTF-8", "application/json;charset=UTF-8"),
            ("text/plain; charset=iso-8859-1", "text/plain; charset=iso-8859-1"),
            ("text/s3cr/t; x=80_AbCdEfGhIjKl=", "text/[redacted]; x=[redacted]="),
        ] {
            assert_eq!(label(told, &["s3cr/t"]), expected);
        }
        assert_eq!(label(&"é;".repeat(999), &[]).chars().count(), EXCERPT_LENGTH_MAX);
    }

    #[test]
    fn an_excerpt_is_short_whatever_comes() {
        assert_eq!(excerpt("中 ".repeat(99_999).as_bytes(), &[]).chars().count(), EXCERPT_LENGTH_MAX);
        assert!(!excerpt(&[0xff; 300_000], &[]).is_empty());
    }
}
