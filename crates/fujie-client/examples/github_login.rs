//! Sign in with GitHub, in a web application.
//!
//! `GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… cargo run --example github_login`, then open the address that it prints.
//! With `GITHUB_AT=http://127.0.0.1:PORT` it is a simulator's people who sign in.

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Uri};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use axum::{Router, routing::get};
use fujie_client::Client;
use tokio::net::TcpListener;

struct App {
    github: Client,
    redirect_uri: String,
}

// The sign-in.
async fn login(State(app): State<Arc<App>>) -> Result<impl IntoResponse, String> {
    let begun = app.github.begin(&app.redirect_uri).map_err(|error| error.report())?;
    Ok(([(SET_COOKIE, begun.cookie.set_cookie())], Redirect::to(&begun.url)))
}

async fn callback(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<impl IntoResponse, String> {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let spent = app.github.clear_cookies(&uri.to_string(), cookie);
    let signed_in = app.github.finish(&uri.to_string(), cookie).await.map_err(|error| error.report())?;
    let person = signed_in.identity;
    let text = format!("{} is GitHub's number {}\n", person.nickname.unwrap_or_default(), person.subject);
    Ok((AppendHeaders(spent.into_iter().map(|value| (SET_COOKIE, value))), text))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = App { github: Client::from_env("github")?, redirect_uri: format!("{base}/callback") };
    eprintln!("open {base}/login");
    let routes = Router::new().route("/login", get(login)).route("/callback", get(callback));
    Ok(axum::serve(listener, routes.with_state(Arc::new(app))).await?)
}
