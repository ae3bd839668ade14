//! Answers and errors of the API, before the headers that all of them have.
//!
//! An error is 404 where somebody may not even know that the thing is there.

use crate::fault::OwnError;
use crate::github::world::World;
use crate::random::NoRandomness;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Where errors send people who read them.
const DOCUMENTATION: &str = "https://docs.github.com/rest";
const RATE_LIMITS: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
/// Seconds to wait after the secondary limit, when they are told.
const RETRY_AFTER_SECONDS: &str = "60";

/// A success.
pub(crate) struct Answer {
    status: StatusCode,
    /// Nothing for 204.
    body: Option<Value>,
    location: Option<String>,
    link: Option<String>,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), location: None, link: None }
    }

    pub(crate) fn with_status(status: StatusCode, body: Value) -> Self {
        Self { status, ..Self::ok(body) }
    }

    pub(crate) fn created(body: Value, location: String) -> Self {
        Self { status: StatusCode::CREATED, location: Some(location), ..Self::ok(body) }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, location: None, link: None }
    }

    /// A part of a list; `link` leads to the others.
    pub(crate) fn part(body: Value, link: Option<String>) -> Self {
        Self { link, ..Self::ok(body) }
    }

    pub(crate) fn respond(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, body.to_string()).into_response(),
            None => self.status.into_response(),
        };
        for (name, value) in [(header::LOCATION, self.location), (header::LINK, self.link)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A failure, as its body tells it.
#[derive(Clone, Debug)]
pub(crate) struct RestError {
    status: StatusCode,
    message: Cow<'static, str>,
    errors: Vec<Value>,
    documentation_url: &'static str,
    retry_after: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    errors: &'a [Value],
    documentation_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
}

impl RestError {
    pub(crate) const BAD_CREDENTIALS: Self = Self::of(StatusCode::UNAUTHORIZED, "Bad credentials");
    pub(crate) const REQUIRES_AUTHENTICATION: Self = Self::of(StatusCode::UNAUTHORIZED, "Requires authentication");
    pub(crate) const NOT_FOUND: Self = Self::of(StatusCode::NOT_FOUND, "Not Found");
    pub(crate) const NOT_ACCESSIBLE: Self = Self::of(StatusCode::FORBIDDEN, "Resource not accessible by integration");
    pub(crate) const MUST_BE_ADMIN: Self = Self::of(StatusCode::FORBIDDEN, "Must have admin rights to Repository.");
    pub(crate) const NOT_JSON: Self = Self::of(StatusCode::BAD_REQUEST, "Problems parsing JSON");
    pub(crate) const NOT_AN_OBJECT: Self = Self::of(StatusCode::BAD_REQUEST, "Body should be a JSON object");
    pub(crate) const TOKEN_IN_QUERY: Self = Self::of(
        StatusCode::BAD_REQUEST,
        "Must specify access token via Authorization header. \
         https://developer.github.com/changes/2020-02-10-deprecating-auth-through-query-param",
    );
    pub(crate) const SERVER_ERROR: Self = Self::of(StatusCode::INTERNAL_SERVER_ERROR, "Server Error");

    const fn of(status: StatusCode, message: &'static str) -> Self {
        let message = Cow::Borrowed(message);
        Self { status, message, errors: Vec::new(), documentation_url: DOCUMENTATION, retry_after: false }
    }

    pub(crate) fn unsupported_version(version: &str) -> Self {
        let message = format!("\"{version}\" is not a supported version of the API.").into();
        Self { message, ..Self::of(StatusCode::BAD_REQUEST, "") }
    }

    pub(crate) fn validation_failed(errors: Vec<Value>) -> Self {
        Self { errors, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed") }
    }

    /// A body whose members have wrong types or are not there.
    pub(crate) fn invalid_request(why: &str) -> Self {
        let message = format!("Invalid request.\n\n{why}").into();
        Self { message, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY, "") }
    }

    /// The primary limit. `whose` is `user ID 1` or an address.
    pub(crate) fn rate_limit(world: &World, whose: &str) -> Self {
        let message = format!("API rate limit exceeded for {whose}.").into();
        Self { message, documentation_url: RATE_LIMITS, ..Self::of(limit_status(world), "") }
    }

    pub(crate) fn secondary_rate_limit(world: &World) -> Self {
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        let retry_after = world.switches().retry_after;
        Self { documentation_url: RATE_LIMITS, retry_after, ..Self::of(limit_status(world), message) }
    }

    /// An ordered error: one of these words, or a status with a text.
    pub(crate) fn ordered(error: &OwnError) -> Option<Self> {
        let known = match error.code.as_str() {
            "bad_credentials" | "401" => Self::BAD_CREDENTIALS,
            "requires_authentication" => Self::REQUIRES_AUTHENTICATION,
            "not_accessible" | "403" => Self::NOT_ACCESSIBLE,
            "not_found" | "404" => Self::NOT_FOUND,
            "validation_failed" | "422" => {
                Self::validation_failed(vec![json!({ "resource": "Hook", "code": "invalid" })])
            }
            "server_error" | "500" => Self::SERVER_ERROR,
            other => {
                let status = other.parse::<u16>().ok().and_then(|status| StatusCode::from_u16(status).ok());
                let status = status.filter(|status| status.is_client_error() || status.is_server_error())?;
                Self::of(status, status.canonical_reason().unwrap_or("Error"))
            }
        };
        Some(match &error.description {
            Some(description) => Self { message: description.clone().into(), ..known },
            None => known,
        })
    }

    pub(crate) fn respond(&self, world: &World) -> Response {
        let body = Body {
            message: &self.message,
            errors: &self.errors,
            documentation_url: self.documentation_url,
            status: world.switches().status_in_errors.then_some(self.status.as_str()),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        let mut response = (self.status, content_type, body).into_response();
        if self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

impl From<NoRandomness> for RestError {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::SERVER_ERROR
    }
}

fn limit_status(world: &World) -> StatusCode {
    StatusCode::from_u16(world.switches().rate_limit_status).unwrap_or(StatusCode::FORBIDDEN)
}
