//! Senders that are known by name: the headers that they use, as they spell them.

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

/// GitLab's webhooks with a secret token.
pub const GITLAB: Sender =
    Sender { proof: "X-Gitlab-Token", prefix: "", delivery: Some("Idempotency-Key"), event: Some("X-Gitlab-Event") };

/// Gitee's webhooks with a password. Gitee names no deliveries, and repeats the password in the body, where
/// [`judge`](super::judge) masks it.
pub const GITEE: Sender = Sender { proof: "X-Gitee-Token", prefix: "", delivery: None, event: Some("X-Gitee-Event") };
