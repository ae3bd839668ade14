//! `GET /connect/l/qrconnect`: the long poll of `lp.open.weixin.qq.com`.
//!
//! Owns the exact bytes and the holding. A poll is held while its sign-in is in the state the
//! page already knows (`last`); every other state is told at once.

use super::sign_in::{Progress, Status};
use super::simulation::Simulation;
use crate::fields::Fields;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// Where pages poll.
pub(crate) const PATH: &str = "/connect/l/qrconnect";
/// `wx_errcode` of a failing server.
const SERVER_ERROR: i32 = 500;

pub(crate) async fn answer(State(simulation): State<Arc<Simulation>>, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    // Without a uuid there is nothing to wait for; what the real server says is not known.
    let Some(uuid) = fields.filled("uuid") else {
        return script(SERVER_ERROR, "");
    };
    let (status, code) = wait(&simulation, uuid, fields.filled("last")).await;
    script(i32::from(status.wx_errcode()), &code)
}

/// Waits until there is news for a page that knows `last`, or the hold is over.
async fn wait(simulation: &Simulation, uuid: &str, last: Option<&str>) -> (Status, String) {
    let hold = simulation.world().config.poll_hold;
    let held = async {
        loop {
            // Asked for before looking, so that no change falls between the two.
            let changed = simulation.changed();
            let seen = look(simulation, uuid, last);
            let Seen::Nothing { expires_in } = seen else {
                return seen;
            };
            // Woken by a change or by expiry: either way, look again.
            let _woken = tokio::time::timeout(expires_in, changed).await;
        }
    };
    match tokio::time::timeout(hold, held).await {
        Ok(Seen::News(status, code)) => (status, code),
        Ok(Seen::Nothing { .. }) | Err(_) => (Status::Waiting, String::new()),
    }
}

enum Seen {
    Nothing { expires_in: Duration },
    News(Status, String),
}

fn look(simulation: &Simulation, uuid: &str, last: Option<&str>) -> Seen {
    if simulation.is_closing() {
        return Seen::News(Status::Waiting, String::new());
    }
    let now = simulation.now();
    let world = simulation.world();
    // A uuid that is forgotten is as good as expired: the page loads anew.
    let Some(sign_in) = world.sign_ins.get(uuid) else {
        return Seen::News(Status::Expired, String::new());
    };
    let status = sign_in.status(now);
    let is_known = match status {
        Status::Waiting => true,
        Status::Scanned => last == Some("404"),
        Status::Refused => last == Some("403"),
        Status::Confirmed | Status::Expired => false,
    };
    match &sign_in.progress {
        _ if is_known => Seen::Nothing { expires_in: now.until(sign_in.expires_at) },
        Progress::Confirmed { code, .. } => Seen::News(status, code.clone()),
        _ => Seen::News(status, String::new()),
    }
}

/// The body is a script to the byte: 40 of them while waiting.
pub(crate) fn script(wx_errcode: i32, wx_code: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript"),
        (header::CONNECTION, "close"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    let body = format!("window.wx_errcode={wx_errcode};window.wx_code='{wx_code}';");
    (headers, body).into_response()
}
