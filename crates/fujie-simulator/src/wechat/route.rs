//! The URL table: what three hosts of the real WeChat answer, then what is the simulator's own.

use super::simulation::Simulation;
use super::{api, confirm, control, js_code, overview, picture, poll, qrconnect};
use crate::{page, phone};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use std::sync::Arc;

/// Nobody sends more than this.
const BODY_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn router(simulation: Arc<Simulation>) -> Router {
    Router::new()
        // open.weixin.qq.com
        .route("/connect/qrconnect", get(qrconnect::page))
        .route("/connect/qrConnect", get(qrconnect::page))
        .route("/connect/qrcode/{uuid}", get(picture::qr_code))
        .route("/connect/confirm", get(confirm::scan).post(confirm::decide))
        // lp.open.weixin.qq.com
        .route("/connect/l/qrconnect", get(poll::answer))
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
        // the phone in the browser
        .route("/", get(|| async { Redirect::to("/phone") }))
        .route("/phone", get(overview::page))
        .route("/phone/{uuid}", post(overview::act))
        // control
        .route("/_simulate", get(control::index))
        .route("/_simulate/sign-ins", get(control::sign_ins))
        .route("/_simulate/sign-ins/{uuid}", get(control::sign_in))
        .route("/_simulate/sign-ins/{uuid}/{act}", post(control::act))
        .route("/_simulate/clock", post(control::clock))
        .route("/_simulate/switches", get(control::switches).post(control::set_switches))
        .route("/_simulate/apps", post(control::add_app))
        .route("/_simulate/people", post(control::add_person))
        .route("/_simulate/js-codes", post(js_code::issue))
        .route("/_simulate/faults", post(control::add_fault).delete(control::clear_faults))
        .route("/_simulate/assets/qrconnect.js", get(|| script(qrconnect::SCRIPT)))
        .route("/_simulate/assets/qrconnect.css", get(|| style(qrconnect::STYLE)))
        .route("/_simulate/assets/phone.js", get(|| script(phone::SCRIPT)))
        .route("/_simulate/assets/phone.css", get(|| style(phone::STYLE)))
        .layer(middleware::from_fn(page::refuse_cross_site_posts))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(simulation)
}

const WX_LOGIN: &str = include_str!("../assets/wxLogin.js");

async fn script(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text)
}

async fn style(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text)
}
