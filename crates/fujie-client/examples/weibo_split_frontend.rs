//! Sign in with Weibo where front end and back end are apart: the back end hands out the address, the front end goes
//! there, comes back, and brings what it came back with.
//!
//! `WEIBO_CLIENT_ID=… WEIBO_CLIENT_SECRET=… cargo run --example weibo_split_frontend`, then open the address that it
//! prints. With `WEIBO_AT=http://127.0.0.1:PORT` it is a simulator's people who sign in.

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use fujie_client::Client;
use serde_json::json;
use tokio::net::TcpListener;

struct App {
    weibo: Client,
    redirect_uri: String,
}

// The sign-in, at the back end. The cookie stays in this browser: a code that somebody planted signs nobody in.
async fn address(State(app): State<Arc<App>>) -> Result<impl IntoResponse, String> {
    let begun = app.weibo.begin(&app.redirect_uri).map_err(|error| error.report())?;
    Ok(([(SET_COOKIE, begun.cookie.set_cookie())], Json(json!({"url": begun.url}))))
}

async fn sign_in(State(app): State<Arc<App>>, headers: HeaderMap, query: String) -> Result<impl IntoResponse, String> {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let spent = app.weibo.clear_cookies(&query, cookie);
    let signed_in = app.weibo.finish(&query, cookie).await.map_err(|error| error.report())?;
    let person = Json(json!({"uid": signed_in.identity.subject, "name": signed_in.identity.nickname}));
    Ok((AppendHeaders(spent.into_iter().map(|value| (SET_COOKIE, value))), person))
}

// The front end, which may be a page of any origin that the back end lets in.
const FRONT_END: &str = r#"<!DOCTYPE html><html lang="en"><title>Split</title><h1 id="who">…</h1><script>
const post = (path, body) => fetch(path, { method: "POST", body }).then((answer) => answer.json());
location.search
  ? post("/api/sign-in", location.search.slice(1)).then((person) => { who.textContent = person.name; })
  : post("/api/address").then((answer) => { location = answer.url; });
</script></html>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = App { weibo: Client::from_env("weibo")?, redirect_uri: format!("{base}/") };
    eprintln!("open {base}/");
    let routes = Router::new()
        .route("/", get(|| async { Html(FRONT_END) }))
        .route("/api/address", post(address))
        .route("/api/sign-in", post(sign_in));
    Ok(axum::serve(listener, routes.with_state(Arc::new(app))).await?)
}
