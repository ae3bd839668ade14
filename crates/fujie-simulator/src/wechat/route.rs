//! The URL table: what three hosts of the real WeChat answer.

use super::simulation::Simulation;
use super::{api, confirm, in_app, js_code, picture, poll, qrconnect};
use crate::server::{script, style};
use axum::Router;
use axum::routing::{any, get, post};
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        // open.weixin.qq.com
        .route("/connect/qrconnect", get(qrconnect::page))
        .route("/connect/qrConnect", get(qrconnect::page))
        .route("/connect/qrcode/{uuid}", get(picture::qr_code))
        .route("/connect/confirm", get(confirm::scan).post(confirm::decide))
        .route(in_app::PATH, get(in_app::authorize))
        // lp.open.weixin.qq.com
        .route(poll::PATH, get(poll::answer))
        // api.weixin.qq.com
        .route("/sns/oauth2/access_token", any(api::access_token))
        .route("/sns/oauth2/refresh_token", any(api::refresh_token))
        .route("/sns/auth", any(api::auth))
        .route("/sns/userinfo", any(api::userinfo))
        .route("/sns/jscode2session", any(api::jscode2session))
        .route("/sns/{*rest}", any(api::invalid_url))
        .route("/cgi-bin/{*rest}", any(api::invalid_url))
        // res.wx.qq.com and thirdwx.qlogo.cn
        .route("/connect/zh_CN/htmledition/js/wxLogin.js", get(|| script(WX_LOGIN)))
        .route("/mmopen/vi_32/{key}/{size}", get(picture::avatar))
        // what `wx.login` gives
        .route("/_simulate/js-codes", post(js_code::issue))
        // what the QR page loads
        .route("/_simulate/assets/qrconnect.js", get(|| script(qrconnect::SCRIPT)))
        .route("/_simulate/assets/qrconnect.css", get(|| style(qrconnect::STYLE)))
}

const WX_LOGIN: &str = include_str!("../assets/wxLogin.js");
