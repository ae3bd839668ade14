//! Senders that are known by name: the headers that they use, as they spell them.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_headers_are_looked_for_as_they_are_shown() {
        let shown = [Some(GITHUB.proof), GITHUB.delivery, GITHUB.event].map(|name| name.map(str::to_ascii_lowercase));
        let names = [GITHUB_SIGNATURE, GITHUB_DELIVERY, GITHUB_EVENT].map(|name| Some(name.to_string()));
        assert_eq!(shown, names);
    }
}
