//! Apple: a client secret that is a JWT, answers by POST, `user` on the first sign-in alone, no
//! userinfo.

use super::{Facts, Issuer, Manners, Paths};
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::jws::{self, Algorithm};
use crate::ledger::{Rotation, Spelling, Terms};
use crate::oidc::ask::Rules;
use crate::oidc::client_auth::Desk;
use crate::oidc::config::{Client, Switches};
use crate::oidc::failure::Failure;
use crate::oidc::world::Object;
use crate::people::Person;
use crate::random::{self, DIGIT, HEX};
use crate::simulation::Title;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What the real one's secrets name; the simulator's own address is as good.
const AUDIENCE: &str = "https://appleid.apple.com";
/// A secret lives half a year at most.
const SECRET_SECONDS_MAX: u64 = 15_777_000;

pub(crate) struct Apple;

impl Manners for Apple {
    const NAME: &'static str = "apple";
    const TITLE: Title = Title { chinese: "Apple", english: "Apple" };
    const PATHS: Paths = Paths {
        discovery: "/.well-known/openid-configuration",
        authorize: "/auth/authorize",
        token: "/auth/token",
        jwks: "/auth/keys",
        userinfo: None,
        revoke: Some("/auth/revoke"),
        device_authorization: None,
        pushed_authorization_request: None,
        end_session: None,
    };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(300),
        access_token_lifetime: Duration::from_secs(3600),
        refresh_token_lifetime: Duration::from_secs(10 * 366 * 86_400),
        code: Spelling::of("c", HEX, 52),
        access_token: Spelling::of("a", HEX, 52),
        refresh_token: Spelling::of("r", HEX, 52),
        rotation: Rotation::Stays,
        reuse_ends_grant: false,
    };
    const SCOPES: &'static [&'static str] = &["openid", "email", "name"];
    const RULES: Rules = Rules { response_types: &["code", "code id_token"], form_post_for_scope: true };
    const ALWAYS_ID_TOKEN: bool = true;
    const CLIENTS_SIGN: bool = true;

    /// `001234.` and 32 hexadecimal digits and four digits.
    fn sub(person: &Person, _client_id: &str) -> String {
        let part = |word, alphabet, length| random::settled(&["apple", word, &person.name], alphabet, length);
        format!("00{}.{}.{}", part("a", DIGIT, 4), part("b", HEX, 32), part("c", DIGIT, 4))
    }

    /// The address alone; the name is told in `user`, once.
    fn profile(facts: &Facts<'_>) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!(Self::sub(facts.person, facts.client_id)));
        if let Some(email) = facts.person.email.as_deref().filter(|_| facts.has_scope("email")) {
            claims.insert("email".to_owned(), json!(email));
            claims.insert("email_verified".to_owned(), facts.email_verified());
            let is_private = email.ends_with("@privaterelay.appleid.com");
            let as_string = facts.switches.email_verified_as_string;
            let told = if as_string { json!(is_private.to_string()) } else { json!(is_private) };
            claims.insert("is_private_email".to_owned(), told);
        }
        claims
    }

    fn is_refreshable(_scope: &str, _request: &Fields, _is_first: bool, _switches: &Switches) -> bool {
        true
    }

    fn callback(facts: &Facts<'_>, _request: &Fields, is_first: bool, answer: &mut Vec<(&'static str, String)>) {
        if !is_first || !(facts.has_scope("name") || facts.has_scope("email")) {
            return;
        }
        let mut user = Map::new();
        if facts.has_scope("name") {
            let name = json!({ "firstName": facts.person.nickname, "lastName": "" });
            user.insert("name".to_owned(), name);
        }
        if let Some(email) = facts.person.email.as_deref().filter(|_| facts.has_scope("email")) {
            user.insert("email".to_owned(), json!(email));
        }
        answer.push(("user", Value::Object(user).to_string()));
    }

    fn denial() -> Vec<(&'static str, String)> {
        vec![("error", "user_cancelled_authorize".to_owned())]
    }

    fn tokens(_facts: &Facts<'_>, answer: &mut Object) {
        answer.remove("scope");
    }

    fn claims(_facts: &Facts<'_>, _issuer: &Issuer, claims: &mut Object) {
        claims.insert("nonce_supported".to_owned(), json!(true));
    }

    fn failure(failure: &Failure, _now: Timestamp) -> Value {
        json!({ "error": failure.error })
    }

    /// ES256, a `kid`, `iss` the team, `sub` the client, and not for longer than half a year.
    fn knows_secret(desk: &Desk<'_>, client: &Client, secret: &str) -> bool {
        let public_key = client.public_key.as_deref().unwrap_or_default();
        let Some(jws::Verified { header, claims }) = jws::verified(secret, public_key, &[Algorithm::Es256]) else {
            return false;
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let number = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or_default();
        let now = desk.now.unix_seconds();
        header.get("kid").and_then(Value::as_str).is_some_and(|kid| !kid.is_empty())
            && text("iss").is_some()
            && text("iss") == client.team_id.as_deref()
            && text("sub") == Some(&client.client_id)
            && (text("aud") == Some(AUDIENCE) || desk.is_audience(claims.get("aud")))
            && number("exp") > now
            && number("exp") <= now + SECRET_SECONDS_MAX
            && number("iat") <= now + 60
    }
}
