//! Gitee (gitee.com). What departs from RFC 6749: a numeric subject; a request without a
//! `User-Agent` is refused, so every transport sends one.

use super::oauth2::{oauth2, texts};
use super::{ClientAuthentication, IdentityRule, Pkce, Provider};

/// The preset.
pub fn gitee() -> Provider {
    let standard = oauth2(
        "gitee",
        "https://gitee.com/oauth/authorize",
        "https://gitee.com/oauth/token",
        "https://gitee.com/api/v5/user",
    );
    Provider {
        scope: texts(&["user_info"]),
        pkce: Pkce::None,
        client_authentication: ClientAuthentication::ClientSecretPost,
        identity: IdentityRule {
            subject: texts(&["id"]),
            is_per_application: false,
            nickname: texts(&["name", "login"]),
            avatar_url: texts(&["avatar_url"]),
            ..standard.identity
        },
        base_url: "https://gitee.com/api/v5/".into(),
        ..standard
    }
}
