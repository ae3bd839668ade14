//! The listener: connections and how many, upgrades, and a graceful stop. What is read of each is `read`'s matter.

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::{
    channel::Running,
    http::{Body, Response, status},
    patient::Patient,
    read::{HEADERS_LENGTH_MAX, read},
    route::route,
    server::Server,
};

/// Headers must have arrived by then, also on a connection that is kept alive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at once; more wait in the backlog.
const CONNECTIONS_MAX: u32 = 10_000;
/// After `stop`, requests under way have so long.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// After `stop`, a reader of an answer that went on and on has so long to take its end.
const STREAM_STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// After a failed accept (no file descriptor left), the listener rests so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `listener` until `stop` resolves, then lets requests under way finish. Keeps clients and keys current
/// meanwhile.
pub async fn serve(server: Arc<Server>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let keeping = tokio::spawn(keep_current(Arc::clone(&server)));
    let channel = Running::start(&server);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADERS_LENGTH_MAX)
        .half_close(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, peer, place)) = accepted {
            let connection = converse(Arc::clone(&server), http.clone(), stream, peer);
            tokio::spawn(async move {
                let _place = place;
                connection.await;
            });
        }
    }
    server.stop();
    drop(listener);
    let finished = async {
        drop(places.acquire_many(CONNECTIONS_MAX).await);
        server.places.all_free().await;
        channel.end().await;
    };
    if timeout(STOP_TIMEOUT, finished).await.is_err() {
        tracing::warn!("requests were still under way when the time to stop was over");
    }
    keeping.abort();
}

/// Serves one connection, until it ends or the server stops.
async fn converse(server: Arc<Server>, http: http1::Builder, stream: tokio::net::TcpStream, peer: IpAddr) {
    let (own, streams) = (Arc::clone(&server), Arc::new(AtomicBool::new(false)));
    let is_stream = Arc::clone(&streams);
    let service = service_fn(move |request| answer(Arc::clone(&own), request, peer, Arc::clone(&is_stream)));
    let connection = http.serve_connection(TokioIo::new(Patient::new(stream)), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = server.stopped() => {
            connection.as_mut().graceful_shutdown();
            if streams.load(Ordering::Relaxed) {
                // Its end is all that is still to be sent.
                timeout(STREAM_STOP_TIMEOUT, connection).await.unwrap_or(Ok(()))
            } else {
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

type Accepted = (tokio::net::TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY");
            }
            Some((stream, peer.ip(), place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn answer(
    server: Arc<Server>,
    mut request: hyper::Request<Incoming>,
    peer: IpAddr,
    is_stream: Arc<AtomicBool>,
) -> Result<Response, Infallible> {
    let is_head = request.method() == Method::HEAD;
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let mut response = match read(&server, request, peer).await {
        Ok(request) => route(&server, &request).await,
        Err(response) => response,
    };
    if is_head {
        *response.body_mut() = Body::default();
    }
    is_stream.store(matches!(response.body(), Body::Stream(_)), Ordering::Relaxed);
    if !matches!(response.body(), Body::Upgrade(_)) {
        return Ok(response);
    }
    let act = std::mem::take(response.body_mut());
    let (Some(upgrade), Body::Upgrade(act)) = (upgrade, act) else {
        return Ok(status(StatusCode::UPGRADE_REQUIRED));
    };
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => act(upgraded).await,
            Err(error) => tracing::debug!(%error, "a connection was not upgraded"),
        }
    });
    Ok(response)
}

/// Looks every second whether clients or keys changed, and every minute whether keys are due; sweeps what is over.
async fn keep_current(server: Arc<Server>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        every.tick().await;
        if let Err(error) = server.renew(tick % 60 == 59).await {
            tracing::error!(%error, "clients and keys could not be confirmed");
        }
        if let Err(error) = server.store.renew_channel_head().await {
            tracing::warn!(%error, "the log of events could not be looked at");
        }
        // Never at the start, and only a little at a time.
        if tick % 10 == 9 {
            server.sweep().await;
        }
    }
}
