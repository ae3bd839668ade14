//! A provider's answer by POST (OAuth 2.0 Form Post Response Mode; Apple knows no other).
//!
//! It comes from another site, so no cookie of ours comes along and nothing can be judged here. The answer goes on,
//! sealed, to our own GET, which sees the cookies and judges it as any callback: all cookies stay `SameSite=Lax`, and
//! an answer in a browser that did not begin the sign-in leads nowhere.

use fujie_core::{
    random::SystemRandom,
    request::parameters::encode,
    secret::Kind,
    time::{Lifetime, Timestamp},
    token::record::{Reader, Writer},
};

use super::Connection;
use crate::{
    http::{Request, Response, see_other},
    server::Server,
    snapshot::Snapshot,
};

/// Longest answer in bytes: sealed, it still fits into an address of ours.
const ANSWER_LENGTH_MAX: usize = 3500;

/// How long an answer may be on its way from one request to the next.
const ANSWER_LIFETIME: Lifetime = Lifetime::from_seconds(60);

/// POST. No page: it would give this browser new cookies in the place of those that did not come along.
pub fn post(server: &Server, request: &Request, connection: &Connection) -> Response {
    let id = encode(&connection.id);
    let to = match seal(server, request, connection) {
        Some(answer) => format!("/broker/{id}/callback?answer={answer}"),
        None => format!("/sign-in?error=failed&provider={id}"),
    };
    see_other(&to)
}

fn seal(server: &Server, request: &Request, connection: &Connection) -> Option<String> {
    if request.body.len() > ANSWER_LENGTH_MAX || request.form().ok()?.text("state").is_none() {
        return None;
    }
    let now = server.now();
    let expires_at = (now + ANSWER_LIFETIME).millis();
    let answer = std::str::from_utf8(&request.body).ok()?;
    let record = Writer::default().i64(expires_at).text(&connection.id).text(answer).finish();
    server.snapshot().ring.seal(Kind::Callback, &record, now, &mut SystemRandom)
}

/// The answer that came to `connection` a moment ago.
pub(super) fn open(connection: &Connection, snapshot: &Snapshot, sealed: &str, now: Timestamp) -> Option<String> {
    let record = snapshot.ring.open(Kind::Callback, sealed)?;
    let mut reader = Reader::new(&record);
    let expires_at = Timestamp::from_millis(reader.i64()?);
    let is_own = reader.text()? == connection.id;
    let answer = reader.text()?.to_owned();
    reader.end()?;
    (is_own && now < expires_at).then_some(answer)
}
