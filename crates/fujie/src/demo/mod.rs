//! The demo's own programs, which know Fujie only over HTTP: "friends", an application that signs people in, and
//! the contacts API that it calls. Both are written as a stranger would write them, from the standards alone, so that
//! the demo shows the wire and not a shared type.
//!
//! Deliberately not here: the server, the WeChat simulator and the wiring, which belong to the subcommand.

pub mod contacts;
mod diagram;
pub mod friends;
mod http;
mod issuer;
mod jwt;
pub mod run;
pub mod snippet;
#[cfg(test)]
mod stub;
mod walk;
mod words;

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use fujie_core::time::Timestamp;
use tokio::{net::TcpListener, sync::watch};

/// Where the demo's programs take the time from.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Becomes `true`, or loses its sender, when the demo ends.
pub type Shutdown = watch::Receiver<bool>;

/// Serves `router` until `shutdown`, then waits [`GRACE`] at most for answers that are under way.
async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> anyhow::Result<()> {
    let ended = |mut shutdown: Shutdown| async move {
        // A sender that is gone ends the demo too.
        let _ended = shutdown.wait_for(|is_over| *is_over).await;
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(ended(shutdown.clone()));
    let mut server = pin!(std::future::IntoFuture::into_future(server));
    tokio::select! {
        outcome = &mut server => return outcome.context("the listener failed"),
        () = ended(shutdown) => {}
    }
    match tokio::time::timeout(GRACE, server).await {
        Ok(outcome) => outcome.context("the listener failed"),
        // Whoever has not finished asking by now gets no answer.
        Err(_elapsed) => Ok(()),
    }
}

/// How long answers under way may take after the demo was told to end.
const GRACE: Duration = Duration::from_secs(2);
