//! Health: is the process alive, and can it do its work?

use http::StatusCode;

use crate::{
    http::{Response, json_text},
    server::Server,
};

/// The process answers.
pub fn live() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The store can be written, clients and keys are current, and nobody asked us to stop.
pub async fn ready(server: &Server) -> Response {
    let fault = if server.is_stopping() {
        Some("stopping")
    } else if !server.is_current(server.now()) {
        Some("clients and keys are not current")
    } else if server.store.is_writable().await.is_err() {
        Some("the database cannot be written")
    } else {
        None
    };
    match fault {
        None => match server.store.synchronous().await {
            Ok(synchronous) => {
                json_text(StatusCode::OK, format!(r#"{{"status":"ready","synchronous":{synchronous}}}"#))
            }
            Err(_) => json_text(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"the database cannot be written"}"#),
        },
        Some(fault) => json_text(StatusCode::SERVICE_UNAVAILABLE, format!(r#"{{"status":"{fault}"}}"#)),
    }
}
