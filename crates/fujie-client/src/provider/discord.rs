//! Discord (discord.com). What departs from RFC 6749: a confidential client must not send PKCE,
//! and API failures have a numeric `code` that means nothing at sign-in.

use super::oauth2::{oauth2, post_form, texts};
use super::{IdentityRule, Pkce, Provider};

/// The preset.
pub fn discord() -> Provider {
    let standard = oauth2(
        "discord",
        "https://discord.com/oauth2/authorize",
        "https://discord.com/api/oauth2/token",
        "https://discord.com/api/users/@me",
    );
    Provider {
        scope: texts(&["identify"]),
        pkce: Pkce::None,
        revocation: Some(post_form("https://discord.com/api/oauth2/token/revoke", &[("token", "{access_token}")])),
        identity: IdentityRule {
            subject: texts(&["id"]),
            is_per_application: false,
            nickname: texts(&["global_name", "username"]),
            // `avatar` is a hash and no address.
            avatar_url: Vec::new(),
            ..standard.identity
        },
        base_url: "https://discord.com/api/".into(),
        ..standard
    }
}
