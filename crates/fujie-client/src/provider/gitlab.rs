//! GitLab (gitlab.com, or one's own with [`Provider::at_host`]). What departs from RFC 6749: a
//! numeric subject, and API failures without `error`.

use super::oauth2::{oauth2, post_form, texts};
use super::{IdentityRule, Provider};

/// The preset. Identities of different GitLab servers must have different ids: change `id` for
/// a server of one's own.
pub fn gitlab() -> Provider {
    let standard = oauth2(
        "gitlab",
        "https://gitlab.com/oauth/authorize",
        "https://gitlab.com/oauth/token",
        "https://gitlab.com/api/v4/user",
    );
    Provider {
        scope: texts(&["read_user"]),
        client_authentication: super::ClientAuthentication::ClientSecretPost,
        revocation: Some(post_form("https://gitlab.com/oauth/revoke", &[("token", "{access_token}")])),
        device_authorization_endpoint: Some("https://gitlab.com/oauth/authorize_device".into()),
        identity: IdentityRule {
            subject: texts(&["id"]),
            is_per_application: false,
            nickname: texts(&["name", "username"]),
            avatar_url: texts(&["avatar_url"]),
            ..standard.identity
        },
        base_url: "https://gitlab.com/api/v4/".into(),
        ..standard
    }
}
