//! The name of a private-use URI scheme (RFC 3986 §3.1, RFC 8252 §7.1): which names one program may claim on somebody's
//! desktop. Whether a name is already taken on this machine is asked where it is registered.

use std::{error, fmt};

/// Longest name that is accepted, in bytes. No registered scheme comes near.
pub const NAME_LENGTH_MAX: usize = 64;

/// The name of a URI scheme that a program may register, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeName(String);

impl SchemeName {
    /// Takes a name such as `mayx` or `com.example.app`. Case is ignored (RFC 3986 §3.1).
    pub fn parse(text: &str) -> Result<SchemeName, NameRefusal> {
        let name = text.to_ascii_lowercase();
        let is_legal = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
        if !is_legal || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.len() > NAME_LENGTH_MAX {
            return Err(NameRefusal::Malformed);
        }
        // The name is a file's too, and Windows leaves a dot at the end away.
        if name.ends_with('.') {
            return Err(NameRefusal::Malformed);
        }
        if name.len() == 1 {
            return Err(NameRefusal::DriveLetter);
        }
        // On Windows a scheme shares its place with the classes of files: `exefile` is how programs are started.
        let is_taken = TAKEN.split(' ').any(|taken| taken == name) || is_device(&name);
        if is_taken || name.ends_with("file") || name.starts_with("ms-") {
            return Err(NameRefusal::Taken);
        }
        Ok(SchemeName(name))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is a domain in reverse, as RFC 8252 §7.1 asks, so that no two programs choose the same.
    pub fn is_reverse_domain(&self) -> bool {
        self.0.split('.').count() > 1 && self.0.split('.').all(|label| !label.is_empty())
    }

    /// Whether a URI is one of this scheme.
    pub fn is_scheme_of(&self, uri: &str) -> bool {
        uri.split_once(':').map_or(false, |(scheme, _)| scheme.eq_ignore_ascii_case(&self.0))
    }
}

impl fmt::Display for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRefusal {
    /// Not a letter followed by letters, digits, `+`, `-` and `.` (RFC 3986 §3.1), longer than 64, or with `.` at the end.
    Malformed,
    /// One letter: on Windows `c:` is a drive.
    DriveLetter,
    /// The name belongs to the system or to everybody: `https`, `mailto`, `exefile`.
    Taken,
}

impl fmt::Display for NameRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameRefusal::Malformed => {
                "a scheme is a letter, then letters, digits, '+', '-' or '.', 64 at most, no '.' at the end"
            }
            NameRefusal::DriveLetter => "a scheme of one letter is a drive on Windows",
            NameRefusal::Taken => "this name belongs to the system or to everybody",
        })
    }
}

impl error::Error for NameRefusal {}

/// Whether Windows takes a file of this name, whatever follows a dot in it, for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let is_numbered = stem.len() == 4 && stem.ends_with(|c: char| c.is_ascii_digit());
    matches!(stem, "aux" | "con" | "nul" | "prn") || is_numbered && (stem.starts_with("com") || stem.starts_with("lpt"))
}

/// Names that browsers, systems and other people's programs live by, and what Windows keeps among its classes.
const TAKEN: &str =
    "about acct admin allfilesystemobjects android-app appid applications blob callto chrome chrome-extension clsid \
    content data dav davs directory drive facetime feed filesystem folder ftp ftps geo git http https imap intent \
    interface irc ircs jar javascript ldap ldaps livescript magnet mailto market moz-extension news nntp resource \
    rtsp search search-ms sftp shell sip sips sms ssh tel telnet typelib unknown vbscript view-source webcal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ones_own_is_taken_in_lower_case() {
        for name in ["mayx", "com.example.app", "com.nul", "com10", "a1", "web+mayx", "x-y"] {
            assert_eq!(SchemeName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(SchemeName::parse("MayX").unwrap().as_str(), "mayx");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in
            ["", "1a", "mayx.", "-a", ".a", "a b", "a/b", "a\\b", "a:b", "a\nb", "é", "a\"b", "a%b", "a;b", "a=b"]
        {
            assert_eq!(SchemeName::parse(name), Err(NameRefusal::Malformed), "{:?}", name);
        }
        assert_eq!(SchemeName::parse(&"a".repeat(65)), Err(NameRefusal::Malformed));
        assert_eq!(SchemeName::parse("c"), Err(NameRefusal::DriveLetter));
    }

    #[test]
    fn a_name_that_others_live_by_is_refused() {
        for name in [
            "http",
            "HTTPS",
            "file",
            "javascript",
            "data",
            "mailto",
            "exefile",
            "lnkfile",
            "ms-settings",
            "nul",
            "CON",
            "com1",
            "lpt9",
            "aux.app",
        ] {
            assert_eq!(SchemeName::parse(name), Err(NameRefusal::Taken), "{}", name);
        }
        assert!(
            TAKEN.split(' ').collect::<Vec<_>>().windows(2).all(|pair| pair[0] < pair[1]),
            "the list is in order, each name once"
        );
    }

    #[test]
    fn a_reverse_domain_is_known() {
        assert!(SchemeName::parse("com.example.app").unwrap().is_reverse_domain());
        assert!(!SchemeName::parse("mayx").unwrap().is_reverse_domain());
        assert!(!SchemeName::parse("com..mayx").unwrap().is_reverse_domain());
    }

    #[test]
    fn a_uri_belongs_to_one_scheme() {
        let name = SchemeName::parse("mayx").unwrap();
        assert!(name.is_scheme_of("mayx://get?code=1") && name.is_scheme_of("MAYX:get"));
        assert!(!name.is_scheme_of("mayxx://get") && !name.is_scheme_of("mayx") && !name.is_scheme_of("--mayx:"));
    }
}
