//! Senders: the headers of those that are known by name, as they spell them, and what may be said of any other.

use fujie_core::line::is_line;
use http::HeaderName;

/// The habits of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The header with the signature or the token.
    pub proof: &'static str,
    /// What stands before a signature in it.
    pub prefix: &'static str,
    /// The header that names a delivery, if one does.
    pub delivery: Option<&'static str>,
    /// The header that names the event, if one does.
    pub event: Option<&'static str>,
}

/// GitHub's signature.
pub const GITHUB: Sender = Sender {
    proof: "X-Hub-Signature-256",
    prefix: "sha256=",
    delivery: Some("X-GitHub-Delivery"),
    event: Some("X-GitHub-Event"),
};

/// [`GITHUB`]'s `proof`, as it is looked for.
pub const GITHUB_SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
/// The signature that GitHub's older webhooks have, with SHA-1.
pub const GITHUB_SIGNATURE_SHA1: HeaderName = HeaderName::from_static("x-hub-signature");
/// [`GITHUB`]'s `delivery`.
pub const GITHUB_DELIVERY: HeaderName = HeaderName::from_static("x-github-delivery");
/// [`GITHUB`]'s `event`.
pub const GITHUB_EVENT: HeaderName = HeaderName::from_static("x-github-event");

/// GitLab's webhooks with a secret token.
pub const GITLAB: Sender =
    Sender { proof: "X-Gitlab-Token", prefix: "", delivery: Some("Idempotency-Key"), event: Some("X-Gitlab-Event") };

/// Gitee's webhooks with a password. Gitee names no deliveries, and repeats the password in the body, where
/// [`judge`](super::judge) masks it.
pub const GITEE: Sender = Sender { proof: "X-Gitee-Token", prefix: "", delivery: None, event: Some("X-Gitee-Event") };

/// Anybody who signs as GitHub does, unless other headers are named.
pub const HMAC: Sender = Sender { proof: "X-Signature-256", prefix: "sha256=", delivery: None, event: None };

/// Anybody who sends the secret itself, unless another header is named.
pub const TOKEN: Sender = Sender { proof: "X-Token", prefix: "", delivery: None, event: None };

/// The longest label of a door, in characters.
pub const LABEL_LENGTH_MAX: usize = 60;
/// The longest name of a header, in characters.
pub const HEADER_LENGTH_MAX: usize = 64;
/// The longest prefix of a signature, in characters.
pub const PREFIX_LENGTH_MAX: usize = 32;

/// What somebody says of a sender, as it was typed. An empty name of a header is none.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// A word for it, for people.
    pub label: &'a str,
    /// As in [`Sender`].
    pub proof: &'a str,
    /// As in [`Sender`].
    pub prefix: &'a str,
    /// As in [`Sender`].
    pub delivery: &'a str,
    /// As in [`Sender`].
    pub event: &'a str,
}

/// What was said of a sender and can be: a door for it works, and its parts can stand in a command that people copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// A word for it, for people: one line.
    pub label: String,
    /// The header with the signature or the token.
    pub header: String,
    /// What stands before a signature in it; often nothing.
    pub prefix: String,
    /// The header that names a delivery, if one does.
    pub id_header: Option<String>,
    /// The header that names the event, if one does.
    pub event_header: Option<String>,
}

/// What cannot be said of a sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not one line of 1 to [`LABEL_LENGTH_MAX`] characters.
    #[error("the label is not one line of 1 to 60 characters")]
    Label,
    /// This is not the name of a header, or one that nobody has.
    #[error("{0:?} is not the name of a header")]
    Header(String),
    /// This header proves who sends. What names a delivery or an event is kept and shown, and a token must be neither.
    #[error("{0:?} carries the proof and cannot name the delivery or the event as well")]
    Proof(String),
    /// Longer than [`PREFIX_LENGTH_MAX`], or with other characters than letters, digits and `=:._-`.
    #[error("the prefix is not at most 32 of a-z, A-Z, 0-9 and =:._-")]
    Prefix,
}

impl Described {
    /// Reads what was typed.
    pub fn parse(typed: &Typed<'_>) -> Result<Self, Invalid> {
        if !is_line(typed.label, LABEL_LENGTH_MAX) {
            return Err(Invalid::Label);
        }
        let proof = header(typed.proof)?;
        let optional = |name: &str| match name {
            "" => Ok(None),
            name if name.eq_ignore_ascii_case(&proof) => Err(Invalid::Proof(name.to_owned())),
            name => header(name).map(Some),
        };
        Ok(Self {
            label: typed.label.to_owned(),
            prefix: prefix(typed.prefix)?,
            id_header: optional(typed.delivery)?,
            event_header: optional(typed.event)?,
            header: proof,
        })
    }
}

/// A name that headers really have: fewer characters than they might (RFC 9110 §5.1), since people copy it into commands.
fn header(name: &str) -> Result<String, Invalid> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_header = (1..=HEADER_LENGTH_MAX).contains(&name.len()) && name.bytes().all(is_plain);
    is_header.then(|| name.to_owned()).ok_or_else(|| Invalid::Header(name.to_owned()))
}

/// A prefix that needs no quotes in a command.
fn prefix(text: &str) -> Result<String, Invalid> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=:._-".contains(&byte);
    let is_prefix = text.len() <= PREFIX_LENGTH_MAX && text.bytes().all(is_plain);
    is_prefix.then(|| text.to_owned()).ok_or(Invalid::Prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(label: &str, proof: &str, prefix: &str) -> Result<Described, Invalid> {
        Described::parse(&Typed { label, proof, prefix, delivery: "", event: "X-Event" })
    }

    #[test]
    fn a_sender_is_described_plainly() {
        let described = parsed("CI", "X-Signature_256", "v1=").unwrap();
        assert_eq!((described.header.as_str(), described.prefix.as_str()), ("X-Signature_256", "v1="));
        assert_eq!((described.id_header, described.event_header.as_deref()), (None, Some("X-Event")));
        assert!(parsed(&"长".repeat(60), &"x".repeat(64), &"x".repeat(32)).is_ok());
        for label in ["", " ", "a\nb", "a\u{202e}b", &"长".repeat(61)] {
            assert_eq!(parsed(label, "X-A", ""), Err(Invalid::Label), "{label:?}");
        }
        for header in ["", "X A", "X:A", "`reboot`", "$HOME", "X-Ä", &"x".repeat(65)] {
            assert_eq!(parsed("CI", header, ""), Err(Invalid::Header(header.to_owned())), "{header}");
        }
        for prefix in ["sha256 ", "$(id)", "\"", &"x".repeat(33)] {
            assert_eq!(parsed("CI", "X-A", prefix), Err(Invalid::Prefix), "{prefix}");
        }
        let odd = Typed { label: "CI", proof: "X-A", prefix: "", delivery: "X A", event: "" };
        assert_eq!(Described::parse(&odd), Err(Invalid::Header("X A".to_owned())));
    }

    #[test]
    fn what_proves_names_nothing() {
        for (delivery, event) in [("x-token", ""), ("", "x-token"), ("X-Id", "X-TOKEN")] {
            let typed = Typed { label: "CI", proof: "X-Token", prefix: "", delivery, event };
            let named = [delivery, event].into_iter().find(|name| name.eq_ignore_ascii_case("x-token")).unwrap();
            assert_eq!(Described::parse(&typed), Err(Invalid::Proof(named.to_owned())), "{delivery} {event}");
        }
    }

    #[test]
    fn the_habits_of_every_sender_can_be_described() {
        for Sender { proof, prefix, delivery, event } in [GITHUB, GITLAB, GITEE, HMAC, TOKEN] {
            let names = [delivery, event].map(Option::unwrap_or_default);
            let typed = Typed { label: "x", proof, prefix, delivery: names[0], event: names[1] };
            assert!(Described::parse(&typed).is_ok(), "{proof}");
        }
    }

    #[test]
    fn githubs_headers_are_looked_for_as_they_are_shown() {
        let shown = [Some(GITHUB.proof), GITHUB.delivery, GITHUB.event].map(|name| name.map(str::to_ascii_lowercase));
        let names = [GITHUB_SIGNATURE, GITHUB_DELIVERY, GITHUB_EVENT].map(|name| Some(name.to_string()));
        assert_eq!(shown, names);
    }
}
