//! `/sns/auth`: whether an access token works for an openid. Its success has an errcode, 0.

use super::{Call, Failure, answer};
use crate::wechat::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

pub(crate) async fn auth(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    answer(&simulation, |world| {
        call.grant(&simulation, world)?;
        Ok(Failure { errcode: 0, errmsg: "ok" })
    })
}
