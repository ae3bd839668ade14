//! The headers of every answer of the API, and the answer that says nothing is new.
//!
//! Names and values are those of live answers. Which scopes an address accepts is told even where
//! the call was refused.

use super::{Call, Caller, VERSION, limited};
use crate::github::config::AppKind;
use crate::github::date;
use crate::github::hook::signature::hex;
use crate::github::limit::Standing;
use crate::github::reply::insert;
use crate::github::world::World;
use crate::random;
use aws_lc_rs::digest;
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

const EXPOSED: &str = "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, \
                       X-RateLimit-Used, X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, \
                       X-Accepted-OAuth-Scopes, X-Poll-Interval, X-GitHub-Media-Type, X-GitHub-SSO, \
                       X-GitHub-Request-Id, Deprecation, Sunset";

/// Adds what every answer has. A GET whose answer the caller has already costs nothing.
pub(crate) fn complete(
    response: Response,
    parts: &Parts,
    call: &Call<'_>,
    world: &mut World,
    mut standing: Standing,
) -> Response {
    let (mut head, body) = response.into_parts();
    let (etag, mut body) = tagged(body);
    let is_read = call.method == Method::GET && head.status == StatusCode::OK;
    if is_read {
        insert(&mut head.headers, header::ETAG, &etag);
        let scope = if matches!(call.caller, Caller::Nobody) { "public" } else { "private" };
        insert(&mut head.headers, header::CACHE_CONTROL, &format!("{scope}, max-age=60, s-maxage=60"));
    }
    if is_read && has_already(&parts.headers, &etag) {
        head.status = StatusCode::NOT_MODIFIED;
        body = Body::empty();
        world.limits.refund(&limited(call));
        standing.used = standing.used.saturating_sub(1);
    } else if head.status != StatusCode::NO_CONTENT {
        insert(&mut head.headers, header::CONTENT_TYPE, "application/json; charset=utf-8");
    }
    general(&mut head.headers, call, standing);
    version(&mut head.headers, parts);
    caller(&mut head.headers, call);
    Response::from_parts(head, body)
}

/// The body again, and what tells it from others. Answers are whole in memory: one frame.
fn tagged(body: Body) -> (String, Body) {
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    let mut body = body;
    let frame = match std::pin::Pin::new(&mut body).poll_frame(&mut context) {
        std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Default::default(),
    };
    let etag = format!("\"{}\"", hex(digest::digest(&digest::SHA256, &frame).as_ref()));
    (etag, Body::from(frame))
}

fn has_already(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').any(|known| known.trim().trim_start_matches("W/") == etag)
}

fn general(headers: &mut HeaderMap, call: &Call<'_>, standing: Standing) {
    let request_id = random::text(b"0123456789ABCDEF", 20).unwrap_or_default();
    let parts = [(0, 4), (4, 9), (9, 14), (14, 20)];
    let request_id = parts.map(|(from, to)| request_id.get(from..to).unwrap_or("0").to_owned()).join(":");
    let named: [(&'static str, String); 15] = [
        ("server", "GitHub.com".to_owned()),
        ("vary", "Accept, Authorization, Cookie, X-GitHub-OTP".to_owned()),
        ("x-accepted-oauth-scopes", accepted(call).scopes.to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-ratelimit-limit", standing.limit.to_string()),
        ("x-ratelimit-remaining", standing.remaining().to_string()),
        ("x-ratelimit-reset", standing.reset.to_string()),
        ("x-ratelimit-used", standing.used.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("access-control-allow-origin", "*".to_owned()),
        ("access-control-expose-headers", EXPOSED.to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-frame-options", "deny".to_owned()),
        ("referrer-policy", "origin-when-cross-origin, strict-origin-when-cross-origin".to_owned()),
        ("x-github-request-id", request_id),
    ];
    for (name, value) in named {
        insert(headers, HeaderName::from_static(name), &value);
    }
}

fn version(headers: &mut HeaderMap, parts: &Parts) {
    let asked = parts.headers.get("x-github-api-version").cloned();
    let selected = asked.unwrap_or(HeaderValue::from_static(VERSION));
    headers.insert(HeaderName::from_static("x-github-api-version-selected"), selected);
}

/// What the token may do; a GitHub App's has permissions in place of scopes.
fn caller(headers: &mut HeaderMap, call: &Call<'_>) {
    let Caller::User(user) = &call.caller else { return };
    match user.app.kind {
        AppKind::OauthApp => {
            insert(headers, HeaderName::from_static("x-oauth-scopes"), &user.token.holder.scopes.in_header());
        }
        AppKind::GithubApp => {
            headers.remove("x-accepted-oauth-scopes");
            let accepted = accepted(call).permissions;
            insert(headers, HeaderName::from_static("x-accepted-github-permissions"), accepted);
        }
    }
    if let Some(expires_at) = user.token.expires_at {
        let name = HeaderName::from_static("github-authentication-token-expiration");
        insert(headers, name, &date::spaced(expires_at.unix_seconds()));
    }
}

/// What an address accepts.
struct Accepted {
    scopes: &'static str,
    permissions: &'static str,
}

fn accepted(call: &Call<'_>) -> Accepted {
    let (scopes, permissions) = match (call.method.as_str(), call.segments.as_slice()) {
        (_, ["user", "emails"]) => ("user, user:email", "emails=read"),
        (_, ["user", "orgs"]) => ("admin:org, read:org, repo, user, write:org", "allows_permissionless_access=true"),
        (method, ["repos", _, _, rest @ ..] | ["repositories", _, rest @ ..]) => match (method, rest) {
            (_, []) => ("repo", "metadata=read"),
            ("GET", ["hooks", ..]) => {
                ("admin:repo_hook, public_repo, read:repo_hook, repo, write:repo_hook", "repository_hooks=read")
            }
            ("DELETE", ["hooks", ..]) => ("admin:repo_hook, public_repo, repo", "repository_hooks=write"),
            _ => ("admin:repo_hook, public_repo, repo, write:repo_hook", "repository_hooks=write"),
        },
        _ => ("", "allows_permissionless_access=true"),
    };
    Accepted { scopes, permissions }
}
