//! `/sns/oauth2/refresh_token`: a live access token is renewed, a dead one replaced.
//!
//! No secret is asked for; one that is sent is ignored.

use super::{Call, Tokens, answer};
use crate::wechat::errcode::Errcode;
use crate::wechat::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub(crate) async fn refresh_token(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let now = simulation.now();
    answer(&simulation, |world| {
        let appid = call.appid(world)?;
        call.grant_type("refresh_token")?;
        let refresh_token = call.require("refresh_token", Errcode::REFRESH_TOKEN_MISSING)?;
        let grant = world.ledger.refresh(appid, refresh_token, now)?;
        let mut tokens = Tokens::of(world, grant)?;
        if world.config.switches.scope_ends_with_comma {
            tokens.scope.push(',');
        }
        Ok(tokens)
    })
}
