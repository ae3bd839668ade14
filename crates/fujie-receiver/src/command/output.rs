//! How a callback is printed: for a shell variable, for a JSON reader, or for `eval`.

use crate::callback::Callback;

/// How a callback is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// The code, and nothing when there is none.
    Text,
    /// All parameters as one JSON object (RFC 8259).
    Json,
    /// All parameters as shell assignments: `OAUTH_CODE='…'`.
    Env,
}

impl Output {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Output::Text),
            "json" => Some(Output::Json),
            "env" => Some(Output::Env),
            _ => None,
        }
    }

    pub(super) fn text(self, callback: &Callback) -> String {
        let mut text = String::new();
        if self == Output::Text {
            let code = callback.code().map(|code| [code, "\n"].concat());
            return code.unwrap_or_default();
        }
        // A denial that was said by leaving out the code is said in words.
        let silent = callback.code().err().filter(|_| callback.value("error").is_none());
        for (name, value) in callback.parameters().chain(silent.map(|error| ("error", error))) {
            if self == Output::Json {
                text.push(if text.is_empty() { '{' } else { ',' });
                quote(name, &mut text);
                text.push(':');
                quote(value, &mut text);
            } else if is_variable(name) {
                // Within single quotes a shell reads everything as it stands, up to the next single quote.
                let (name, value) = (name.to_ascii_uppercase(), value.replace('\'', r"'\''"));
                text.push_str(&["OAUTH_", &name, "='", &value, "'\n"].concat());
            }
        }
        if self == Output::Json {
            text.push_str(if text.is_empty() { "{}\n" } else { "}\n" });
        }
        text
    }
}

/// Whether a parameter's name is safe and unambiguous as the end of a variable's.
fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Adds a JSON string in ASCII, so that no reader's encoding matters.
fn quote(text: &str, quoted: &mut String) {
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            ' '..='~' => quoted.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    quoted.push_str(&format!("\\u{:04x}", unit));
                }
            }
        }
    }
    quoted.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::Expected;

    fn callback(query: &str) -> Callback {
        let (authority, path) = (String::new(), String::new());
        Expected { authority, path, state: Some("s'1".to_owned()), is_form_post: false }.accept(query).unwrap()
    }

    #[test]
    fn each_output_carries_what_its_reader_can_take() {
        let came = callback("code=c\"1&state=s'1&%E4%BD%A0=%F0%9F%98%82%0a&_X=1&PATH=/evil&a-b=1");
        assert_eq!(Output::Text.text(&came), "c\"1\n");
        assert_eq!(
            Output::Json.text(&came),
            "{\"code\":\"c\\\"1\",\"state\":\"s'1\",\"\\u4f60\":\"\\ud83d\\ude02\\u000a\",\
             \"_X\":\"1\",\"PATH\":\"/evil\",\"a-b\":\"1\"}\n"
        );
        assert_eq!(Output::Env.text(&came), "OAUTH_CODE='c\"1'\nOAUTH_STATE='s'\\''1'\n");
    }

    #[test]
    fn a_denial_has_no_code_and_says_error() {
        let denied = callback("state=s'1");
        assert_eq!(Output::Text.text(&denied), "");
        assert_eq!(Output::Json.text(&denied), "{\"state\":\"s'1\",\"error\":\"access_denied\"}\n");
        assert_eq!(
            Output::Env.text(&callback("error=x&state=s'1&code=c")),
            "OAUTH_ERROR='x'\nOAUTH_STATE='s'\\''1'\nOAUTH_CODE='c'\n"
        );
    }
}
