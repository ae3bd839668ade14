//! Sign in with GitHub, then have it tell us what happens in a repository.
//!
//! `GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… cargo run --example github_webhook -- OWNER/NAME URL`, then open the
//! address that it prints. With `GITHUB_AT=http://127.0.0.1:PORT` it is a simulator's people and repositories.

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Uri};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use axum::{Router, routing::get};
use fujie_client::{Client, Hook};
use tokio::net::TcpListener;

struct App {
    github: Client,
    redirect_uri: String,
    repository: String,
    url: String,
}

// The sign-in, and the hook.
async fn login(State(app): State<Arc<App>>) -> Result<impl IntoResponse, String> {
    let begun = app.github.begin(&app.redirect_uri).map_err(|error| error.report())?;
    Ok(([(SET_COOKIE, begun.cookie.set_cookie())], Redirect::to(&begun.url)))
}

async fn callback(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<impl IntoResponse, String> {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let spent = app.github.clear_cookies(&uri.to_string(), cookie);
    let signed_in = app.github.finish(&uri.to_string(), cookie).await.map_err(|error| error.report())?;
    let events = ["push", "commit_comment", "pull_request", "issues", "issue_comment"];
    let hook = Hook { url: &app.url, events: &events, secret: None };
    let made = app.github.create_hook(&signed_in.tokens, &app.repository, &hook).await;
    let made = made.map_err(|error| error.report())?;
    let text = format!("hook {} on {}\n", made.get("id").cloned().unwrap_or_default(), app.repository);
    Ok((AppendHeaders(spent.into_iter().map(|value| (SET_COOKIE, value))), text))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("which OWNER/NAME URL?".into());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let github = Client::from_env("github")?.with_scope(&["admin:repo_hook"]);
    let app = App { github, redirect_uri: format!("{base}/callback"), repository, url };
    eprintln!("open {base}/login");
    let routes = Router::new().route("/login", get(login)).route("/callback", get(callback));
    Ok(axum::serve(listener, routes.with_state(Arc::new(app))).await?)
}
