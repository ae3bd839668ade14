//! Answers of the OAuth endpoints in three formats, and the errors they tell.
//!
//! The status is 200 for success and most failures alike, so that clients have to look for
//! `error`. The order of fields is the real one in each format.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use url::form_urlencoded;

use crate::random;

/// What the caller's `Accept` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Form,
    Json,
    Xml,
}

impl Format {
    /// The first media type that is known counts; without one, and for `*/*`, it is a form.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let known =
            accepted.flat_map(|line| line.split(',')).find_map(|range| match range.split(';').next().map(str::trim) {
                Some("application/json") => Some(Self::Json),
                Some("application/xml") => Some(Self::Xml),
                Some("application/x-www-form-urlencoded" | "*/*") => Some(Self::Form),
                _ => None,
            });
        known.unwrap_or(Self::Form)
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
        }
    }
}

/// Fields of an answer, in the order JSON tells them.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    fields: Vec<(&'static str, Value)>,
}

impl Reply {
    pub(crate) fn ok(fields: Vec<(&'static str, Value)>) -> Self {
        Self { status: StatusCode::OK, fields }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The values of an error's three fields.
    pub(crate) fn first_three(&self) -> [Value; 3] {
        let value = |at: usize| self.fields.get(at).map(|(_, value)| value.clone()).unwrap_or_default();
        [value(0), value(1), value(2)]
    }

    /// The body in a format.
    pub(crate) fn body(&self, format: Format) -> String {
        match format {
            Format::Form => self.form(),
            Format::Json => self.json(),
            Format::Xml => self.xml(),
        }
    }

    /// Alphabetical.
    fn form(&self) -> String {
        let mut fields: Vec<_> = self.fields.iter().map(|(name, value)| (*name, text(value))).collect();
        fields.sort_unstable();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }

    fn json(&self) -> String {
        let members = self.fields.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// As JSON, but the token comes last.
    fn xml(&self) -> String {
        let (token, others): (Vec<_>, Vec<_>) = self.fields.iter().partition(|(name, _)| *name == "access_token");
        let element =
            |(name, value): &&(&str, Value)| format!("<{name}>{}</{name}>", crate::page::escape(&text(value)));
        let elements: String = others.iter().chain(&token).map(element).collect();
        format!("<OAuth>{elements}</OAuth>")
    }

    /// The whole answer, with the headers a live one has.
    pub(crate) fn respond(&self, format: Format) -> Response {
        let etag = random::settled(&["etag", &self.form()], random::HEX, 32);
        let mut response = (self.status, self.body(format)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        for (name, value) in [
            (header::CACHE_CONTROL, "max-age=0, private, must-revalidate"),
            (header::VARY, "X-PJAX, Accept-Encoding"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "deny"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        insert(headers, header::ETAG, &format!("W/\"{etag}\""));
        let session = random::settled(&["session", &self.form()], random::ALPHANUMERIC, 40);
        for cookie in [
            format!("_gh_sess={session}; path=/; secure; HttpOnly; SameSite=Lax"),
            "logged_in=no; path=/; secure; HttpOnly; SameSite=Lax".to_owned(),
        ] {
            if let Ok(value) = HeaderValue::try_from(cookie) {
                headers.append(header::SET_COOKIE, value);
            }
        }
        response
    }
}

/// Sets a header; a value that cannot stand in one is left out.
pub(crate) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The answer to an unknown client_id: JSON, whatever was accepted.
pub(crate) fn unknown_client() -> Response {
    let reply = Reply { status: StatusCode::NOT_FOUND, fields: vec![("error", "Not Found".into())] };
    reply.respond(Format::Json)
}

/// An error of the OAuth endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OauthError {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
    pub(crate) uri: &'static str,
}

macro_rules! errors {
    ($($name:ident = $error:literal $description:literal $uri:expr;)*) => {
        impl OauthError {
            $(pub(crate) const $name: Self = Self { error: $error, description: $description, uri: $uri };)*
            const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

/// Where the documentation tells about errors of the authorization page.
macro_rules! at_authorize {
    ($fragment:literal) => {
        concat!(
            "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#",
            $fragment
        )
    };
}

/// Where the documentation tells about errors of the token endpoint.
macro_rules! at_token {
    ($fragment:literal) => {
        concat!(
            "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#",
            $fragment
        )
    };
}

/// Where older documentation tells about the device flow; answers still name it.
const DEVICE_ERRORS: &str =
    "https://docs.github.com/developers/apps/authorizing-oauth-apps#error-codes-for-the-device-flow";
const DOCS: &str = "https://docs.github.com";

// No published text or address is known for INVALID_REQUEST, EXPIRED_TOKEN, DEVICE_DENIED,
// INCORRECT_DEVICE_CODE, UNSUPPORTED_GRANT_TYPE and the address of BAD_REFRESH_TOKEN: choices.
errors! {
    ACCESS_DENIED = "access_denied" "The user has denied your application access." at_authorize!("access-denied");
    REDIRECT_URI_MISMATCH_AT_AUTHORIZE = "redirect_uri_mismatch"
        "The redirect_uri MUST match the registered callback URL for this application."
        at_authorize!("redirect-uri-mismatch");
    APPLICATION_SUSPENDED = "application_suspended"
        "Your application has been suspended. Contact support@github.com." at_authorize!("application-suspended");
    INVALID_REQUEST = "invalid_request" "The code_challenge must be 43 characters long and its method S256." DOCS;
    INCORRECT_CLIENT_CREDENTIALS = "incorrect_client_credentials"
        "The client_id and/or client_secret passed are incorrect." at_token!("incorrect-client-credentials");
    REDIRECT_URI_MISMATCH = "redirect_uri_mismatch"
        "The redirect_uri MUST match the registered callback URL for this application."
        at_authorize!("redirect-uri-mismatch2");
    BAD_VERIFICATION_CODE = "bad_verification_code"
        "The code passed is incorrect or expired." at_token!("bad-verification-code");
    UNVERIFIED_USER_EMAIL = "unverified_user_email"
        "The user must have a verified primary email." at_token!("unverified_user_email");
    BAD_REFRESH_TOKEN = "bad_refresh_token"
        "The refresh token passed is incorrect or expired." at_token!("bad-verification-code");
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type" "The grant type is not supported." DOCS;
    DEVICE_FLOW_DISABLED = "device_flow_disabled" "Device Flow must be explicitly enabled for this App" DOCS;
    AUTHORIZATION_PENDING = "authorization_pending" "The authorization request is still pending." DEVICE_ERRORS;
    SLOW_DOWN = "slow_down" "Too many requests have been made in the same timeframe." DOCS;
    EXPIRED_TOKEN = "expired_token" "The device code has expired." DEVICE_ERRORS;
    DEVICE_DENIED = "access_denied" "The authorization request was denied." DEVICE_ERRORS;
    INCORRECT_DEVICE_CODE = "incorrect_device_code" "The device_code provided is not valid." DEVICE_ERRORS;
}

impl OauthError {
    /// The error of a name, for ordered faults.
    pub(crate) fn named(error: &str) -> Option<Self> {
        Self::ALL.iter().rev().find(|known| known.error == error).copied()
    }

    pub(crate) fn reply(self) -> Reply {
        Reply::ok(vec![
            ("error", self.error.into()),
            ("error_description", self.description.into()),
            ("error_uri", self.uri.into()),
        ])
    }

    /// The new interval is told after the usual three.
    pub(crate) fn reply_with_interval(self, interval_seconds: u64) -> Reply {
        let mut reply = self.reply();
        reply.fields.push(("interval", interval_seconds.into()));
        reply
    }
}

/// The answer of an ordered error: a known one as it is, another with its own text.
pub(crate) fn ordered(known: Option<OauthError>, error: &str, description: Option<&str>) -> Reply {
    let usual = known.map_or("", |known| known.description);
    Reply::ok(vec![
        ("error", error.into()),
        ("error_description", description.unwrap_or(usual).into()),
        ("error_uri", known.map_or(DOCS, |known| known.uri).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::{Format, OauthError, Reply};
    use axum::http::{HeaderMap, HeaderValue, header};

    fn tokens() -> Reply {
        Reply::ok(vec![
            ("access_token", "gho_x".into()),
            ("token_type", "bearer".into()),
            ("scope", "repo,gist".into()),
        ])
    }

    #[test]
    fn every_format_has_its_own_order() {
        let reply = tokens();
        assert_eq!(reply.body(Format::Form), "access_token=gho_x&scope=repo%2Cgist&token_type=bearer");
        assert_eq!(reply.body(Format::Json), r#"{"access_token":"gho_x","token_type":"bearer","scope":"repo,gist"}"#);
        assert_eq!(
            reply.body(Format::Xml),
            "<OAuth><token_type>bearer</token_type><scope>repo,gist</scope><access_token>gho_x</access_token></OAuth>"
        );
    }

    #[test]
    fn an_error_tells_its_address() {
        assert_eq!(
            OauthError::BAD_VERIFICATION_CODE.reply().body(Format::Form),
            "error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.\
             &error_uri=https%3A%2F%2Fdocs.github.com%2Fapps%2Fmanaging-oauth-apps%2F\
             troubleshooting-oauth-app-access-token-request-errors%2F%23bad-verification-code"
        );
        assert!(OauthError::SLOW_DOWN.reply_with_interval(10).body(Format::Json).ends_with(r#","interval":10}"#));
    }

    #[test]
    fn the_first_known_media_type_counts() {
        let cases = [
            ("application/json", Format::Json),
            ("application/json, text/plain, */*", Format::Json),
            ("application/xml;q=0.9", Format::Xml),
            ("text/html, application/json", Format::Json),
            ("*/*", Format::Form),
            ("application/vnd.github+json", Format::Form),
        ];
        assert_eq!(Format::of(&HeaderMap::new()), Format::Form);
        for (accept, format) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Format::of(&headers), format, "{accept}");
        }
    }
}
