//! Google: a refresh token on request and on the first consent only, scopes answered as URLs, a
//! device endpoint that says `verification_url`.

use super::{Facts, Issuer, Manners, Paths};
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::ledger::{Rotation, Spelling, Terms};
use crate::oidc::ask;
use crate::oidc::config::Switches;
use crate::oidc::failure::Failure;
use crate::oidc::world::Object;
use crate::people::Person;
use crate::random::{self, BASE64URL, DIGIT};
use crate::simulation::Title;
use serde_json::{Value, json};
use std::time::Duration;

/// What stands before `email` and `profile` when they come back.
const ADDRESS: &str = "https://www.googleapis.com/auth/userinfo.";

pub(crate) struct Google;

impl Manners for Google {
    const NAME: &'static str = "google";
    const TITLE: Title = Title { chinese: "谷歌", english: "Google" };
    const PATHS: Paths = Paths {
        discovery: "/.well-known/openid-configuration",
        authorize: "/o/oauth2/v2/auth",
        token: "/token",
        jwks: "/oauth2/v3/certs",
        userinfo: Some("/v1/userinfo"),
        revoke: Some("/revoke"),
        device_authorization: Some("/device/code"),
        pushed_authorization_request: None,
        end_session: None,
    };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(3599),
        refresh_token_lifetime: Duration::from_secs(10 * 366 * 86_400),
        code: Spelling::of("4/0A", BASE64URL, 69),
        access_token: Spelling::of("ya29.a0A", BASE64URL, 160),
        refresh_token: Spelling::of("1//0e", BASE64URL, 98),
        rotation: Rotation::Stays,
        reuse_ends_grant: false,
    };
    const SCOPES: &'static [&'static str] = &["openid", "email", "profile"];
    const SENDS_ISS: bool = true;

    /// 21 digits, more than fit into 64 bits.
    fn sub(person: &Person, _client_id: &str) -> String {
        format!("1{}", random::settled(&["google", &person.name], DIGIT, 20))
    }

    fn is_refreshable(_scope: &str, request: &Fields, is_first: bool, _switches: &Switches) -> bool {
        let is_device = request.filled("device_code").is_some();
        let is_offline = request.filled("access_type") == Some("offline");
        let is_consent = request.filled("prompt").is_some_and(|prompt| ask::has_scope(prompt, "consent"));
        is_device || is_offline && (is_first || is_consent)
    }

    /// A scope may be asked for by its address too.
    fn scope(asked: &str) -> String {
        asked.replace(ADDRESS, "")
    }

    fn callback(facts: &Facts<'_>, _request: &Fields, is_first: bool, answer: &mut Vec<(&'static str, String)>) {
        answer.push(("scope", full_scope(facts.scope)));
        answer.push(("authuser", "0".to_owned()));
        answer.push(("prompt", if is_first { "consent" } else { "none" }.to_owned()));
    }

    fn tokens(facts: &Facts<'_>, answer: &mut Object) {
        answer.insert("scope".to_owned(), json!(full_scope(facts.scope)));
    }

    fn claims(facts: &Facts<'_>, _issuer: &Issuer, claims: &mut Object) {
        claims.insert("azp".to_owned(), json!(facts.client_id));
        claims.remove("auth_time");
    }

    fn failure(failure: &Failure, _now: Timestamp) -> Value {
        match &*failure.error {
            "invalid_grant" => json!({ "error": "invalid_grant", "error_description": "Bad Request" }),
            "invalid_client" => json!({ "error": "invalid_client", "error_description": "Unauthorized" }),
            error => json!({ "error": error, "error_description": failure.description }),
        }
    }

    fn device(answer: &mut Object) {
        if let Some(address) = answer.remove("verification_uri") {
            answer.insert("verification_url".to_owned(), address);
        }
        answer.remove("verification_uri_complete");
    }
}

/// `email` and `profile` come back as the URLs they stand for.
fn full_scope(scope: &str) -> String {
    let full = |name: &str| match name {
        "email" | "profile" => format!("{ADDRESS}{name}"),
        other => other.to_owned(),
    };
    scope.split(' ').map(full).collect::<Vec<_>>().join(" ")
}
