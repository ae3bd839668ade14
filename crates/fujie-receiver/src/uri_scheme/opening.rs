//! What a desktop calls a registered program with: `scheme-open NAME URI`. The URI is whatever anybody wrote into a link:
//! it is one argument, kept whole or refused, and never an option.

use std::{error, ffi::OsString, fmt};

use super::SchemeName;

/// The word that makes a call the opening of a URI. It must be the first argument; nothing may be parsed before it.
pub const OPEN: &str = "scheme-open";

/// Longest URI that is handed over, in bytes.
pub const URI_LENGTH_MAX: usize = 8 * 1024;

/// A URI of a scheme, as the desktop brought it. `Debug` shows the scheme only: there is a code in the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    name: SchemeName,
    uri: String,
}

impl Opening {
    /// Reads a program's arguments, without its own name. `None` when the call is another one than `scheme-open …`.
    pub fn from_arguments(arguments: &[OsString]) -> Option<Result<Opening, OpeningRefusal>> {
        match arguments {
            [open, rest @ ..] if open == OPEN => Some(match rest {
                [name, uri] => Opening::parse(name, uri),
                // A quote inside a URI makes two arguments of it on Windows: none of them is believed.
                _ => Err(OpeningRefusal::Arguments),
            }),
            _ => None,
        }
    }

    fn parse(name: &OsString, uri: &OsString) -> Result<Opening, OpeningRefusal> {
        let name = name.to_str().and_then(|name| SchemeName::parse(name).ok()).ok_or(OpeningRefusal::Name)?;
        let uri = uri.to_str().ok_or(OpeningRefusal::Uri)?;
        if uri.len() > URI_LENGTH_MAX {
            return Err(OpeningRefusal::Length);
        }
        if !name.is_scheme_of(uri) || uri.chars().any(char::is_control) {
            return Err(OpeningRefusal::Uri);
        }
        Ok(Opening { name, uri: uri.to_owned() })
    }

    /// The scheme.
    pub fn name(&self) -> &SchemeName {
        &self.name
    }

    /// The URI, whole. It begins with the scheme and has no control character in it.
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a call is not the opening of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpeningRefusal {
    /// Not exactly a name and a URI.
    Arguments,
    /// The name is none.
    Name,
    /// The URI is of another scheme, is not UTF-8, or has a control character in it.
    Uri,
    /// The URI is longer than 8 KiB.
    Length,
}

impl fmt::Display for OpeningRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OpeningRefusal::Arguments => "scheme-open takes a scheme and one URI",
            OpeningRefusal::Name => "no name of a scheme",
            OpeningRefusal::Uri => "not a URI of this scheme",
            OpeningRefusal::Length => "a URI of more than 8 KiB",
        })
    }
}

impl error::Error for OpeningRefusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str]) -> Option<Result<String, OpeningRefusal>> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Opening::from_arguments(&words).map(|opening| opening.map(|opening| opening.uri))
    }

    #[test]
    fn a_hostile_uri_is_kept_whole() {
        for uri in [
            "mayx://get?code=something",
            "mayx:--state=x",
            "mayx://get?a b\"c' & | $(id) `id` %1 %PATH% ; \\ < >",
            "MAYX://福/é?code=%00%0a",
            "mayx:",
        ] {
            assert_eq!(check(&["scheme-open", "mayx", uri]), Some(Ok(uri.to_owned())));
        }
        let longest = format!("mayx:{}", "a".repeat(URI_LENGTH_MAX - 5));
        assert_eq!(check(&["scheme-open", "mayx", &longest]), Some(Ok(longest.clone())));
        assert_eq!(check(&["scheme-open", "mayx", &(longest + "a")]), Some(Err(OpeningRefusal::Length)));
    }

    #[test]
    fn what_is_not_one_uri_is_refused() {
        for words in [&["mayx"][..], &[], &["mayx", "mayx:a", "mayx:b"], &["mayx", "mayx:a", "--no-state"]] {
            let words: Vec<&str> = ["scheme-open"].into_iter().chain(words.iter().copied()).collect();
            assert_eq!(check(&words), Some(Err(OpeningRefusal::Arguments)));
        }
        for uri in ["", "--no-state", "other:get", "mayx", "mayx:a\nb", "mayx:a\0", "mayx:a\u{85}", "-mayx:a"] {
            assert_eq!(check(&["scheme-open", "mayx", uri]), Some(Err(OpeningRefusal::Uri)), "{uri:?}");
        }
        assert_eq!(check(&["scheme-open", "http", "http:a"]), Some(Err(OpeningRefusal::Name)));
        assert_eq!(check(&["--scheme", "scheme-open"]), None);
        assert_eq!(check(&[]), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let words = ["scheme-open".into(), "mayx".into(), OsString::from_vec(b"mayx:\xff".to_vec())];
        assert_eq!(Opening::from_arguments(&words), Some(Err(OpeningRefusal::Uri)));
    }
}
