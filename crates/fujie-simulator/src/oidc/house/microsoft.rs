//! Microsoft v2.0: a tenant in every path, an issuer with `{tenantid}` in it for `common`, numbered
//! errors, no word on whether an address is verified, and `/v1.0/me` of the graph.

use super::{Facts, Issuer, Manners, Paths, Routes};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::ledger::{Rotation, Spelling, Terms};
use crate::oidc::answer;
use crate::oidc::config::Switches;
use crate::oidc::failure::Failure;
use crate::oidc::world::{Object, World};
use crate::people::Person;
use crate::random::{self, BASE64URL};
use crate::simulation::{Simulation, Title};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The tenant of all personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

pub(crate) struct Microsoft;

impl Manners for Microsoft {
    const NAME: &'static str = "microsoft";
    const TITLE: Title = Title { chinese: "微软", english: "Microsoft" };
    const PATHS: Paths = Paths {
        discovery: "/{tenant}/v2.0/.well-known/openid-configuration",
        authorize: "/{tenant}/oauth2/v2.0/authorize",
        token: "/{tenant}/oauth2/v2.0/token",
        jwks: "/{tenant}/discovery/v2.0/keys",
        userinfo: Some("/oidc/userinfo"),
        revoke: None,
        device_authorization: Some("/{tenant}/oauth2/v2.0/devicecode"),
        pushed_authorization_request: None,
        end_session: Some("/{tenant}/oauth2/v2.0/logout"),
    };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(4133),
        refresh_token_lifetime: Duration::from_secs(90 * 86_400),
        code: Spelling::of("1.AXkA", BASE64URL, 600),
        access_token: Spelling::of("EwB", BASE64URL, 900),
        refresh_token: Spelling::of("1.AXkA", BASE64URL, 600),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const SCOPES: &'static [&'static str] = &["openid", "profile", "email", "offline_access"];

    /// `common` and its kind stand for many tenants: only a token tells which.
    fn issuer(base_url: &str, tenant: &str, _switches: &Switches) -> Issuer {
        let is_many = matches!(tenant, "common" | "organizations");
        let tenant_id = match tenant {
            "common" | "consumers" => CONSUMERS.to_owned(),
            "organizations" => guid(&["organization"]),
            one => one.to_owned(),
        };
        let of = |tenant: &str| format!("{base_url}/{tenant}/v2.0");
        let discovered = if is_many { of("{tenantid}") } else { of(&tenant_id) };
        Issuer { discovered, named: of(&tenant_id), tenant_id: Some(tenant_id) }
    }

    /// Pairwise: another one for every client. `oid` is the same for all of a tenant.
    fn sub(person: &Person, client_id: &str) -> String {
        random::settled(&["microsoft", client_id, &person.name], BASE64URL, 43)
    }

    fn callback(_facts: &Facts<'_>, request: &Fields, _is_first: bool, answer: &mut Vec<(&'static str, String)>) {
        let state = request.sent("state").unwrap_or_default();
        answer.push(("session_state", guid(&["session", state])));
    }

    fn denial() -> Vec<(&'static str, String)> {
        vec![
            ("error", "access_denied".to_owned()),
            ("error_description", "AADSTS65004: User declined to consent to access the app.".to_owned()),
            ("error_subcode", "cancel".to_owned()),
        ]
    }

    fn tokens(_facts: &Facts<'_>, answer: &mut Object) {
        answer.insert("ext_expires_in".to_owned(), json!(Self::TERMS.access_token_lifetime.as_secs()));
    }

    fn claims(facts: &Facts<'_>, _issuer: &Issuer, claims: &mut Object) {
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("oid", json!(oid(facts.person)));
        put("ver", json!("2.0"));
        put("nbf", json!(facts.now.unix_seconds()));
        if facts.has_scope("profile") {
            put("preferred_username", json!(account_name(facts.person)));
        }
        for never_told in ["email_verified", "picture", "nickname", "auth_time"] {
            claims.remove(never_told);
        }
    }

    fn failure(failure: &Failure, now: Timestamp) -> Value {
        let number = match &*failure.error {
            "invalid_client" => 7_000_215,
            "invalid_grant" => 70_008,
            "unsupported_grant_type" => 70_003,
            "authorization_pending" => 70_016,
            "expired_token" => 70_020,
            "invalid_scope" => 70_011,
            _ => 900_144,
        };
        let seed = now.unix_seconds().to_string();
        let (trace_id, correlation_id) = (guid(&["trace", &seed]), guid(&["correlation", &seed]));
        let time = format!("{}Z", now.civil(Duration::ZERO));
        let text = &failure.description;
        json!({
            "error": failure.error,
            "error_description": format!(
                "AADSTS{number}: {text}. Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {time}"
            ),
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        })
    }

    fn routes(routes: Routes<Self>) -> Routes<Self> {
        routes.route("/v1.0/me", get(me))
    }
}

/// `GET https://graph.microsoft.com/v1.0/me`. `mail` may be null; the account name looks like an
/// address and need not be one.
async fn me(State(simulation): State<Arc<Simulation<World<Microsoft>>>>, call: Call) -> Response {
    let now = simulation.now();
    let world = simulation.world();
    let grant = call.bearer().and_then(|token| world.ledger.open(token, now).ok());
    let person = grant.and_then(|grant| world.scene.person(grant.person.as_deref()?));
    match person {
        Some(person) => answer::json(&json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
            "id": oid(person),
            "displayName": person.nickname,
            "mail": person.email,
            "userPrincipalName": account_name(person),
        })),
        None => {
            let error = json!({ "code": "InvalidAuthenticationToken", "message": "Access token is empty or invalid." });
            let mut response = answer::json(&json!({ "error": error }));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response.into_response()
        }
    }
}

fn oid(person: &Person) -> String {
    guid(&["oid", &person.name])
}

fn account_name(person: &Person) -> String {
    format!("{}@fujie.onmicrosoft.example", person.login())
}

/// A GUID that depends on `parts` alone.
fn guid(parts: &[&str]) -> String {
    let hex = random::settled(parts, random::HEX, 32);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}
