//! GitLab (Doorkeeper with OpenID): a refresh token always, which ends what was before, `created_at`,
//! `/api/v4/user`, and two shapes of errors.

use super::{Facts, Manners, Paths, Routes};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::ledger::{Rotation, Spelling, Terms};
use crate::oidc::answer;
use crate::oidc::config::Switches;
use crate::oidc::failure::Failure;
use crate::oidc::world::{Object, World};
use crate::people::Person;
use crate::random::{self, DIGIT, HEX};
use crate::simulation::{Simulation, Title};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Gitlab;

impl Manners for Gitlab {
    const NAME: &'static str = "gitlab";
    const TITLE: Title = Title { chinese: "GitLab", english: "GitLab" };
    const PATHS: Paths = Paths {
        discovery: "/.well-known/openid-configuration",
        authorize: "/oauth/authorize",
        token: "/oauth/token",
        jwks: "/oauth/discovery/keys",
        userinfo: Some("/oauth/userinfo"),
        revoke: Some("/oauth/revoke"),
        device_authorization: Some("/oauth/authorize_device"),
        pushed_authorization_request: None,
        end_session: None,
    };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(600),
        access_token_lifetime: Duration::from_secs(7200),
        refresh_token_lifetime: Duration::from_secs(10 * 366 * 86_400),
        code: Spelling::of("", HEX, 64),
        access_token: Spelling::of("", HEX, 64),
        refresh_token: Spelling::of("", HEX, 64),
        rotation: Rotation::ReplacesAll,
        reuse_ends_grant: false,
    };
    const READS_QUERY: bool = true;
    const SCOPES: &'static [&'static str] = &["api", "read_user", "openid", "profile", "email"];

    /// The id in digits, as a string.
    fn sub(person: &Person, _client_id: &str) -> String {
        id(person).to_string()
    }

    fn is_refreshable(_scope: &str, _request: &Fields, _is_first: bool, _switches: &Switches) -> bool {
        true
    }

    fn denial() -> Vec<(&'static str, String)> {
        let description = "The resource owner or authorization server denied the request.";
        vec![("error", "access_denied".to_owned()), ("error_description", description.to_owned())]
    }

    fn tokens(facts: &Facts<'_>, answer: &mut Object) {
        answer.insert("created_at".to_owned(), json!(facts.now.unix_seconds()));
    }

    fn failure(failure: &Failure, _now: Timestamp) -> Value {
        let description = match &*failure.error {
            "invalid_grant" => {
                "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI \
                 used in the authorization request, or was issued to another client."
            }
            "invalid_client" => {
                "Client authentication failed due to unknown client, no client authentication included, or \
                 unsupported authentication method."
            }
            _ => &failure.description,
        };
        json!({ "error": failure.error, "error_description": description })
    }

    fn routes(routes: Routes<Self>) -> Routes<Self> {
        routes.route("/api/v4/user", get(user))
    }
}

/// `GET /api/v4/user`: the token as `Bearer`, or in the query as old clients send it.
async fn user(State(simulation): State<Arc<Simulation<World<Gitlab>>>>, call: Call) -> Response {
    let now = simulation.now();
    let query = call.asked();
    let world = simulation.world();
    let token = call.bearer().or(query.filled("access_token"));
    let refuse = |body: Value| {
        let mut response = answer::json(&body);
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response
    };
    let Some(token) = token else {
        return refuse(json!({ "message": "401 Unauthorized" }));
    };
    let grant = world.ledger.open(token, now).ok();
    let person = grant.and_then(|grant| world.scene.person(grant.person.as_deref()?).map(|person| (grant, person)));
    let Some((grant, person)) = person else {
        let description = "Token was revoked. You have to re-authorize from the user.";
        return refuse(json!({ "error": "invalid_token", "error_description": description }));
    };
    let confirmed_at = world.switches.email_verified.then_some("2020-01-01T00:00:00.000Z");
    answer::json(&json!({
        "id": id(person),
        "username": person.login(),
        "name": person.nickname,
        "state": "active",
        "avatar_url": world.facts(grant, person, now).picture(),
        "web_url": format!("{}/{}", world.base_url, person.login()),
        "email": person.email,
        "confirmed_at": confirmed_at,
    }))
}

fn id(person: &Person) -> u32 {
    random::settled(&["gitlab", &person.name], DIGIT, 7).trim_start_matches('0').parse().unwrap_or(1)
}
