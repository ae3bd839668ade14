//! `/sns/jscode2session`: a mini-program's `js_code` becomes a session key.
//!
//! Reads the query string alone: a POST form is as good as nothing. The order of the checks is that
//! of `/sns/oauth2/access_token`; the answer has neither tokens nor, in success, an `errcode`.

use super::{Call, Query, answer, unionid};
use crate::random::{self, NoRandomness};
use crate::wechat::config::openid;
use crate::wechat::errcode::Errcode;
use crate::wechat::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

/// The documented order.
#[derive(Serialize)]
struct Session {
    session_key: String,
    openid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

pub(crate) async fn jscode2session(State(simulation): State<Arc<Simulation>>, query: Query) -> Response {
    let now = simulation.now();
    let call = Call::from(query);
    answer(&simulation, |world| {
        let appid = call.authenticate(world)?;
        let js_code = call.require("js_code", Errcode::MISSING_CODE)?;
        call.grant_type("authorization_code")?;
        let redeemed = world.ledger.redeem_js_code(appid, js_code, now);
        let consent = redeemed.map_err(|fault| fault.errcode(&world.config.switches))?;
        let person = world.visitor(&consent).ok_or(Errcode::USER_LIMITED)?;
        Ok(Session { session_key: session_key()?, openid: openid(&person, appid), unionid: unionid(world, &consent) })
    })
}

/// 16 bytes in base64: 24 characters, of which the last but two has four bits to spare.
fn session_key() -> Result<String, NoRandomness> {
    Ok(format!("{}{}==", random::text(random::BASE64, 21)?, random::text(b"AQgw", 1)?))
}
