//! `/sns/oauth2/access_token`: a code becomes tokens.
//!
//! `redirect_uri`, `scope` and `code_verifier` are ignored, as by the real one. The order of the
//! checks is 41002, 40013, 41004, 40125, 41008, 40002, then the code itself.

use super::{Call, Tokens, answer, unionid};
use crate::wechat::errcode::Errcode;
use crate::wechat::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub(crate) async fn access_token(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let now = simulation.now();
    answer(&simulation, |world| {
        let appid = call.authenticate(world)?;
        let code = call.require("code", Errcode::MISSING_CODE)?;
        call.grant_type("authorization_code")?;
        let redeemed = world.ledger.redeem_code(appid, code, now);
        let grant = redeemed.map_err(|fault| fault.errcode(&world.config.switches))?;
        if world.config.switches.invalidate_previous_token {
            world.ledger.supersede_before(&grant);
        }
        let unionid = unionid(world, &grant.consent);
        let is_snapshotuser = grant.consent.is_snapshot.then_some(1);
        Ok(Tokens { unionid, is_snapshotuser, ..Tokens::of(world, grant)? })
    })
}
