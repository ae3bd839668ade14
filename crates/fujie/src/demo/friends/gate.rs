//! What every request passes before it is served: it must be meant for this origin, and a form must come from our own
//! page. What every answer gets: headers that keep it out of caches, frames and other sites.
//!
//! The page shows secrets of the demo, so a name that was made to resolve to this machine (DNS rebinding) gets nothing.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

/// The facts that requests are compared with.
pub(super) struct Gate {
    origin: String,
    authority: String,
    content_security_policy: HeaderValue,
}

impl Gate {
    /// For an application at `origin` that sends people to `issuer`.
    pub(super) fn new(origin: &str, issuer: &str) -> anyhow::Result<Self> {
        let issuer = Url::parse(issuer)?.origin().ascii_serialization();
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {issuer}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        Ok(Self {
            origin: origin.to_owned(),
            authority: origin.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default(),
            content_security_policy: HeaderValue::from_str(&policy)?,
        })
    }

    fn is_for_us(&self, headers: &HeaderMap) -> bool {
        headers.get(header::HOST).is_some_and(|host| host.as_bytes() == self.authority.as_bytes())
    }

    /// Browsers say where a form comes from; a program that says nothing has no cookie of anybody else.
    fn is_from_us(&self, headers: &HeaderMap) -> bool {
        match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin.as_bytes() == self.origin.as_bytes(),
            (None, None) => true,
        }
    }
}

/// Lets a request through, or not.
pub(super) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let mut response = if !gate.is_for_us(request.headers()) {
        let advice = format!("This application is at {}/\n", gate.origin);
        (StatusCode::MISDIRECTED_REQUEST, advice).into_response()
    } else if request.method() == Method::POST && !gate.is_from_us(request.headers()) {
        (StatusCode::FORBIDDEN, "This form does not come from our page.\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, gate.content_security_policy.clone());
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: browsers would then say `Origin: null` with our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];
