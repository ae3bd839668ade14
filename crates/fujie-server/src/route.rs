//! The URL table, on one screen.

use std::sync::Arc;

use fujie_channel::event::is_topic;
use fujie_core::{channel::path as built_in, discovery::path as standard};
use http::{Method, StatusCode, header};

use crate::{
    bearer::of_header,
    broker,
    endpoint::{
        account, asset, authorize, bind, consent, discovery, health, hooks, integration, integration_new, introspect,
        member, revoke, setup, sign_in, sign_out, target, token, topic, topic_events, topic_settings, topic_socket,
        topics, unbind, userinfo,
    },
    form::{Visit, identity_reference},
    http::{Request, Response, json_text, preflight, see_other, with_header},
    page::ErrorKind,
    read::Allowance,
    server::Server,
};

/// Answers a request.
pub async fn route(server: &Arc<Server>, request: &Request) -> Response {
    let (get, post, options) = (Method::GET, Method::POST, Method::OPTIONS);
    // HEAD is safe (RFC 9110 §9.2.1): where a GET may grant or spend something, it is no method at all.
    let may_act = request.path == standard::AUTHORIZE || request.path.starts_with("/broker/");
    let method = if request.method == Method::HEAD && !may_act { &get } else { &request.method };
    let path = request.path.as_str();
    // Probes speak to an address, not to the issuer's host.
    match (method, path) {
        (m, "/healthz") if *m == get => return health::live(),
        (m, "/readyz") if *m == get => return health::ready(server).await,
        _ if !is_ours(server, request) => return wrong_host(server, request),
        _ => {}
    }
    match path {
        // Asked by clients.
        standard::OPENID_CONFIGURATION | standard::AUTHORIZATION_SERVER if *method == get => {
            discovery::metadata(server)
        }
        standard::JWKS if *method == get => discovery::jwks(server),
        standard::TOKEN if *method == post => token::post(server, request).await,
        standard::INTROSPECT if *method == post => introspect::post(server, request).await,
        standard::REVOKE if *method == post => revoke::post(server, request).await,
        standard::USERINFO if *method == get || *method == post => userinfo::answer(server, request).await,
        standard::TOKEN
        | standard::REVOKE
        | standard::USERINFO
        | standard::JWKS
        | standard::OPENID_CONFIGURATION
        | standard::AUTHORIZATION_SERVER
            if *method == options =>
        {
            preflight()
        }
        built_in::SOCKET if *method == get => topic_socket::get(server, request).await,
        // Seen by people.
        standard::AUTHORIZE if *method == get || *method == post => authorize::answer(server, request).await,
        "/sign-in" if *method == get => sign_in::get(server, request).await,
        "/sign-in" if *method == post => sign_in::post(server, request).await,
        "/sign-in/other" if *method == post => sign_in::other(server, request).await,
        "/consent" if *method == post => consent::post(server, request).await,
        "/bind" if *method == get => bind::get(server, request).await,
        "/bind" if *method == post => bind::post(server, request).await,
        standard::SIGN_OUT if *method == get => sign_out::get(server, request).await,
        standard::SIGN_OUT if *method == post => sign_out::post(server, request).await,
        "/account" if *method == get => account::get(server, request).await,
        "/account/revoke" if *method == post => account::revoke(server, request).await,
        _ if identity_reference(path).is_some() && *method == get => unbind::get(server, request).await,
        _ if identity_reference(path).is_some() && *method == post => unbind::post(server, request).await,
        "/topics" if *method == get => topics::get(server, request).await,
        "/topics" if *method == post => topics::post(server, request).await,
        "/setup" if *method == get => setup::get(server, request).await,
        "/setup" if *method == post => setup::post(server, request).await,
        "/" if *method == get => see_other("/account"),
        _ => match below(server, request, method).await {
            Some(response) => response,
            None if *method == get => match asset::get(request) {
                Some(response) => response,
                None => unknown(server, request),
            },
            None => unknown(server, request),
        },
    }
}

/// What lies below a path that names something.
async fn below(server: &Arc<Server>, request: &Request, method: &Method) -> Option<Response> {
    match channel(server, request, method).await {
        Some(response) => Some(response),
        None => broker(server, request, method).await,
    }
}

/// Webhooks, and topics with their events.
async fn channel(server: &Arc<Server>, request: &Request, method: &Method) -> Option<Response> {
    if let Some(id) = request.path.strip_prefix("/hooks/") {
        return if *method == Method::POST { Some(hooks::post(server, request, id).await) } else { None };
    }
    let below = request.path.strip_prefix("/topics/")?;
    let (topic, rest) = below.split_once('/').unwrap_or((below, ""));
    if !is_topic(topic) {
        return None;
    }
    match (method.as_str(), rest.split_once('/').unwrap_or((rest, ""))) {
        ("GET", ("events", "")) => Some(topic_events::get(server, request, topic).await),
        // What a page's form posts is the page's; no form brings a token along.
        ("POST", ("events", "")) if request.media_type() != FORM || of_header(request).is_some() => {
            Some(topic_events::post(server, request, topic).await)
        }
        ("GET", ("events", id)) => Some(topic_events::get_one(server, request, topic, id).await),
        (method, (part, id)) => page_of_topic(server, request, (method, topic, part, id)).await,
    }
}

/// A topic as people see it.
async fn page_of_topic(
    server: &Server,
    request: &Request,
    (method, name, part, id): (&str, &str, &str, &str),
) -> Option<Response> {
    Some(match (method, part, id) {
        ("GET", "", "") => topic::get(server, request, name).await,
        ("POST", "events", "") => topic::post(server, request, name).await,
        ("GET", "cards", "") => topic::cards_after(server, request, name).await,
        ("GET", "settings", "") => topic_settings::get(server, request, name).await,
        ("POST", "delete", "") => topic_settings::delete(server, request, name).await,
        ("POST", "members", "") => member::post(server, request, name).await,
        ("POST", "targets", "") => target::post(server, request, name).await,
        ("POST", "targets", id) => target::post_one(server, request, name, id).await,
        ("POST", "integrations", "") => integration_new::post(server, request, name).await,
        ("GET", "integrations", "new") => integration_new::get(server, request, name).await,
        ("GET", "integrations", id) if !id.is_empty() => integration::get(server, request, name, id).await,
        ("POST", "integrations", id) => integration::post(server, request, name, id).await,
        _ => return None,
    })
}

/// The media type of a page's form.
const FORM: &str = "application/x-www-form-urlencoded";

/// What a large request may bring; or the answer, when its body need not be read for that.
pub(crate) async fn allowance(server: &Server, request: &Request) -> Result<Allowance, Response> {
    match request.path.strip_prefix("/hooks/") {
        None => Ok(Allowance::default()),
        Some(_) if !is_ours(server, request) => Err(wrong_host(server, request)),
        Some(id) => hooks::allowance(server, request, id).await,
    }
}

/// Below `/broker/{connection}/`.
async fn broker(server: &Server, request: &Request, method: &Method) -> Option<Response> {
    let (id, act) = request.path.strip_prefix("/broker/")?.split_once('/')?;
    let connection = server.connection(id)?;
    match (method.as_str(), act) {
        ("POST", "start") => Some(broker::start::post(server, request, connection).await),
        ("GET", "embedded") if connection.embedding.is_some() => {
            Some(broker::embedded::get(server, request, connection).await)
        }
        ("GET", "callback") => Some(broker::callback::get(server, request, connection).await),
        ("POST", "connect") if connection.is_github() => Some(broker::connect::post(server, request, connection).await),
        ("POST", "disconnect") if connection.is_github() => {
            Some(broker::connect::disconnect(server, request, connection).await)
        }
        ("POST", "callback") if connection.upstream.answers_by_post() => {
            Some(broker::form_post::post(server, request, connection))
        }
        _ => None,
    }
}

/// A Host that is not the issuer's is another server's business: nothing of ours is built from it.
fn is_ours(server: &Server, request: &Request) -> bool {
    let is_own = |authority: &str| authority.eq_ignore_ascii_case(&server.authority);
    request.header(header::HOST).is_some_and(is_own) && request.authority.as_deref().is_none_or(is_own)
}

fn wrong_host(server: &Server, request: &Request) -> Response {
    Visit::new(server, request).error(ErrorKind::WrongHost { issuer: server.issuer().to_owned() })
}

/// 405 where another method would do (RFC 9110 §15.5.6), else 404: JSON for clients, a page for people.
fn unknown(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    match allowed(server, &request.path) {
        None => visit.error(ErrorKind::NotFound),
        Some((allow, Asker::Person)) => with_header(visit.error(ErrorKind::MethodNotAllowed), header::ALLOW, allow),
        Some((allow, Asker::Client)) => {
            let body = format!(r#"{{"error":"invalid_request","error_description":"use {allow}"}}"#);
            with_header(json_text(StatusCode::METHOD_NOT_ALLOWED, body), header::ALLOW, allow)
        }
    }
}

/// Who asks at a path.
enum Asker {
    Client,
    Person,
}

/// The methods of a path, as in the table above; `None` when there is nothing.
fn allowed(server: &Server, path: &str) -> Option<(&'static str, Asker)> {
    Some(match path {
        standard::TOKEN | standard::INTROSPECT | standard::REVOKE => ("POST", Asker::Client),
        standard::USERINFO => ("GET, POST", Asker::Client),
        standard::JWKS | standard::OPENID_CONFIGURATION | standard::AUTHORIZATION_SERVER => ("GET", Asker::Client),
        built_in::SOCKET => ("GET", Asker::Client),
        standard::AUTHORIZE | standard::SIGN_OUT | "/sign-in" | "/bind" | "/setup" => ("GET, POST", Asker::Person),
        "/sign-in/other" | "/consent" | "/account/revoke" => ("POST", Asker::Person),
        "/account" | "/" => ("GET", Asker::Person),
        _ if identity_reference(path).is_some() => ("GET, POST", Asker::Person),
        _ if path.starts_with("/hooks/") => ("POST", Asker::Client),
        "/topics" => ("GET, POST", Asker::Person),
        _ if path.starts_with("/topics/") => {
            let below = path.strip_prefix("/topics/")?;
            let (topic, rest) = below.split_once('/').unwrap_or((below, ""));
            match rest.split_once('/').unwrap_or((rest, "")) {
                _ if !is_topic(topic) => return None,
                ("events", "") => ("GET, POST", Asker::Client),
                ("events", _) => ("GET", Asker::Client),
                ("" | "settings" | "cards", "") | ("integrations", "new") => ("GET", Asker::Person),
                ("delete" | "members" | "integrations", "") | ("targets", _) => ("POST", Asker::Person),
                ("integrations", _) => ("GET, POST", Asker::Person),
                _ => return None,
            }
        }
        _ => {
            let (id, act) = path.strip_prefix("/broker/")?.split_once('/')?;
            let connection = server.connection(id)?;
            match act {
                "start" => ("POST", Asker::Person),
                "connect" | "disconnect" if connection.is_github() => ("POST", Asker::Person),
                "embedded" if connection.embedding.is_some() => ("GET", Asker::Person),
                "callback" if connection.upstream.answers_by_post() => ("GET, POST", Asker::Person),
                "callback" => ("GET", Asker::Person),
                _ => return None,
            }
        }
    })
}
