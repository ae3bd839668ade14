//! WeChat's pictures: the QR code of a sign-in, and the avatars of `thirdwx.qlogo.cn`.

use super::simulation::Simulation;
use crate::people::{Avatar, Person};
use crate::picture;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `GET /connect/qrcode/{uuid}`
pub(crate) async fn qr_code(State(simulation): State<Arc<Simulation>>, Path(uuid): Path<String>) -> Response {
    if simulation.world().sign_ins.get(&uuid).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    picture::qr_code(&confirm_url(simulation.base_url(), &uuid))
}

/// What the phone opens. The real host is `open.weixin.qq.com`.
pub(crate) fn confirm_url(base_url: &str, uuid: &str) -> String {
    format!("{base_url}/connect/confirm?uuid={uuid}")
}

/// `GET /mmopen/vi_32/{key}/{size}`: size 0 means 640.
pub(crate) async fn avatar(Path((key, size)): Path<(String, String)>) -> Response {
    let side = match size.as_str() {
        "0" => 640,
        "46" => 46,
        "64" => 64,
        "96" => 96,
        "132" => 132,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    picture::avatar(&key, side)
}

/// The avatar's address, its last segment being the size; empty when there is none.
pub(crate) fn headimgurl(person: &Person, base_url: &str, size: u16) -> String {
    match &person.avatar {
        Avatar::Drawn => format!("{base_url}/mmopen/vi_32/{}/{size}", person.avatar_key()),
        Avatar::None => String::new(),
        Avatar::Url(url) => url.clone(),
    }
}
