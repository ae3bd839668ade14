//! The gate before what is the simulator's own: the control API and the phone.
//!
//! A web page anywhere can make a visitor's browser call this machine, under the page's own `Origin` or, by a name that
//! was bound anew to a loopback address, under a `Host` of its choice. Neither comes in. A program that sends no
//! `Origin` does. Not here: the provider's endpoints, which are as open as the real ones.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use url::{Host, Origin, Url};

/// What the gate knows of the address that it stands at.
pub(crate) struct Gate {
    /// The origin of the base URL.
    pub(crate) own: Origin,
    /// The listener's port.
    pub(crate) port: u16,
}

/// Lets a request pass or says why not.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match gate.refusal(&request) {
        Some((status, error)) => (status, Json(json!({ "error": error }))).into_response(),
        None => next.run(request).await,
    }
}

impl Gate {
    fn refusal(&self, request: &Request) -> Option<(StatusCode, String)> {
        let (path, headers) = (request.uri().path(), request.headers());
        let own = self.own.ascii_serialization();
        if path.starts_with("/_simulate") || path.starts_with("/phone") {
            if !all(headers, header::HOST, |host| self.is_own_host(host)) {
                let error =
                    format!("this simulator is called {own}; to call it by another host, set that as its base_url");
                return Some((StatusCode::MISDIRECTED_REQUEST, error));
            }
            if !all(headers, header::ORIGIN, |origin| self.is_own_origin(origin)) {
                let error =
                    format!("a page of another origin may not do this; the own one is {own}, and base_url sets it");
                return Some((StatusCode::FORBIDDEN, error));
            }
        }
        // What stands among the provider's endpoints is pressed on the provider's pages alone.
        let is_cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let error = || "cross-site POST refused".to_owned();
        (is_cross_site && request.method() == Method::POST).then(|| (StatusCode::FORBIDDEN, error()))
    }

    fn is_own_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else {
            return false;
        };
        let is_named = |host: Host<&str>| matches!(&self.own, Origin::Tuple(_, own, _) if host == own.clone());
        url.host().is_some_and(|host| is_loopback(&host) || is_named(host))
    }

    fn is_own_origin(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        let is_listener = url.scheme() == "http" && url.port_or_known_default() == Some(self.port);
        url.origin() == self.own || is_listener && url.host().is_some_and(|host| is_loopback(&host))
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether every header of this name, if there is any, is so.
fn all(headers: &HeaderMap, name: HeaderName, is_so: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(&is_so))
}
