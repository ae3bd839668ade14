//! The standards, plainly: short paths, opaque tokens, replays end grants.

use super::{Manners, Paths};
use crate::ledger::{Rotation, Spelling, Terms};
use crate::random::BASE64URL;
use crate::simulation::Title;
use std::time::Duration;

pub(crate) struct Plain;

impl Manners for Plain {
    const NAME: &'static str = "oidc";
    const TITLE: Title = Title { chinese: "OpenID", english: "OpenID" };
    const PATHS: Paths = Paths {
        discovery: "/.well-known/openid-configuration",
        authorize: "/authorize",
        token: "/token",
        jwks: "/jwks",
        userinfo: Some("/userinfo"),
        revoke: Some("/revoke"),
        device_authorization: Some("/device_authorization"),
        pushed_authorization_request: Some("/par"),
        end_session: Some("/end_session"),
    };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(3600),
        refresh_token_lifetime: Duration::from_secs(30 * 86_400),
        code: Spelling::of("", BASE64URL, 43),
        access_token: Spelling::of("", BASE64URL, 43),
        refresh_token: Spelling::of("", BASE64URL, 43),
        rotation: Rotation::Replaces,
        reuse_ends_grant: true,
    };
    const SCOPES: &'static [&'static str] = &["openid", "profile", "email", "offline_access"];
    const SENDS_ISS: bool = true;
    const BINDS_TOKENS: bool = true;
}
