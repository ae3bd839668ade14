//! Microsoft (login.microsoftonline.com), version 2.0. What departs from OpenID Connect: the
//! issuer depends on the person's tenant, and tenant and object together are the subject.

use super::oauth2::{oauth2, texts};
use super::{ClientAuthentication, IdTokenRule, IdentityRule, Provider};

/// The preset for everybody (`common`). For one tenant change the endpoints and the issuer.
pub fn microsoft() -> Provider {
    let standard = oauth2(
        "microsoft",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "",
    );
    Provider {
        scope: texts(&["openid", "profile"]),
        client_authentication: ClientAuthentication::ClientSecretPost,
        device_authorization_endpoint: Some("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode".into()),
        identity: IdentityRule { subject: Vec::new(), is_per_application: false, ..standard.identity },
        id_token: Some(IdTokenRule {
            issuer: "https://login.microsoftonline.com/{tenantid}/v2.0".into(),
            jwks_uri: "https://login.microsoftonline.com/common/discovery/v2.0/keys".into(),
            algorithms: texts(&["RS256"]),
            subject: texts(&["tid", "oid"]),
        }),
        base_url: "https://graph.microsoft.com/v1.0/".into(),
        ..standard
    }
}
