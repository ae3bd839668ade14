//! Sign in with WeChat, with the QR code inside a page of one's own.
//!
//! `WECHAT_CLIENT_ID=… WECHAT_CLIENT_SECRET=… cargo run --example wechat_embedded`, then open the address that it prints.
//! With `WECHAT_AT=http://127.0.0.1:PORT` it is a simulator's people who sign in. `SELF_REDIRECT=true` brings the
//! callback into the frame instead of the whole window.

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Uri};
use axum::response::{AppendHeaders, Html, IntoResponse};
use axum::{Router, routing::get};
use fujie_client::Client;
use tokio::net::TcpListener;

struct App {
    wechat: Client,
    redirect_uri: String,
    self_redirect: bool,
}

// The sign-in.
async fn login(State(app): State<Arc<App>>) -> Result<impl IntoResponse, String> {
    let (options, cookie) =
        app.wechat.begin_embedded(&app.redirect_uri, "qr", app.self_redirect).map_err(|error| error.report())?;
    Ok(([(SET_COOKIE, cookie.set_cookie())], Html(page(&app.wechat, &options.script()))))
}

async fn callback(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<impl IntoResponse, String> {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let spent = app.wechat.clear_cookies(&uri.to_string(), cookie);
    let signed_in = app.wechat.finish(&uri.to_string(), cookie).await.map_err(|error| error.report())?;
    let text = format!("{} is here\n", signed_in.identity.nickname.unwrap_or_default());
    Ok((AppendHeaders(spent.into_iter().map(|value| (SET_COOKIE, value))), text))
}

// The page, one's own.
fn page(wechat: &Client, script: &str) -> String {
    let source = wechat.provider().embedded_script().unwrap_or_default();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Sign in</title><h1>Sign in with WeChat</h1><div id=\"qr\"></div>\
         <script src=\"{source}\"></script><script>{script}</script></html>"
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = App {
        wechat: Client::from_env("wechat")?,
        redirect_uri: format!("{base}/callback"),
        self_redirect: std::env::var("SELF_REDIRECT").is_ok_and(|value| value == "true"),
    };
    eprintln!("open {base}/login");
    let routes = Router::new().route("/login", get(login)).route("/callback", get(callback));
    Ok(axum::serve(listener, routes.with_state(Arc::new(app))).await?)
}
