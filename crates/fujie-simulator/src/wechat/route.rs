//! The URL table: what three hosts of the real WeChat answer.

use super::simulation::Simulation;
use super::{api, confirm, picture, poll, qrconnect};
use crate::server::{script, style};
use axum::Router;
use axum::routing::{any, get};
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        // open.weixin.qq.com
        .route("/connect/qrconnect", get(qrconnect::page))
        .route("/connect/qrConnect", get(qrconnect::page))
        .route("/connect/qrcode/{uuid}", get(picture::qr_code))
        .route("/connect/confirm", get(confirm::scan).post(confirm::decide))
        // lp.open.weixin.qq.com
        .route(poll::PATH, get(poll::answer))
        // api.weixin.qq.com
        .route("/sns/oauth2/access_token", get(api::access_token).post(api::access_token))
        .route("/sns/oauth2/refresh_token", get(api::refresh_token).post(api::refresh_token))
        .route("/sns/auth", get(api::auth).post(api::auth))
        .route("/sns/userinfo", get(api::userinfo).post(api::userinfo))
        .route("/sns/{*rest}", any(api::invalid_url))
        .route("/cgi-bin/{*rest}", any(api::invalid_url))
        // res.wx.qq.com and thirdwx.qlogo.cn
        .route("/connect/zh_CN/htmledition/js/wxLogin.js", get(|| script(WX_LOGIN)))
        .route("/mmopen/vi_32/{key}/{size}", get(picture::avatar))
        // what the QR page loads
        .route("/_simulate/assets/qrconnect.js", get(|| script(qrconnect::SCRIPT)))
        .route("/_simulate/assets/qrconnect.css", get(|| style(qrconnect::STYLE)))
}

const WX_LOGIN: &str = include_str!("../assets/wxLogin.js");
