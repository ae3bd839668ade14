//! The listener: connections, limits on what is read and for how long, and a graceful stop.

use std::{convert::Infallible, future::Future, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    http::{BODY_LENGTH_MAX, Request, Response, json_text, status},
    patient::Patient,
    route::route,
    server::Server,
};

/// Headers must have arrived by then, also on a connection that is kept alive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A body must have arrived by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Headers of a request, all together.
const HEADERS_LENGTH_MAX: usize = 32 * 1024;
/// Connections at once; more wait in the backlog.
const CONNECTIONS_MAX: usize = 10_000;
/// After `stop`, requests under way have so long.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// After a failed accept (no file descriptor left), the listener rests so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `listener` until `stop` resolves, then lets requests under way finish. Keeps clients and keys current
/// meanwhile.
pub async fn serve(server: Arc<Server>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let keeping = tokio::spawn(keep_current(Arc::clone(&server)));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
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
        let Some((stream, peer, place)) = accepted else { continue };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| answer(Arc::clone(&server), request, peer));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Patient::new(stream)), service));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    server.stop();
    drop(listener);
    if timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the time to stop was over");
    }
    keeping.abort();
}

type Accepted = (tokio::net::TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<tokio::sync::Semaphore>) -> Option<Accepted> {
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

async fn answer(server: Arc<Server>, request: hyper::Request<Incoming>, peer: IpAddr) -> Result<Response, Infallible> {
    let is_head = request.method() == Method::HEAD;
    let mut response = match read(request, peer).await {
        Ok(request) => route(&server, &request).await,
        Err(response) => response,
    };
    if is_head {
        *response.body_mut() = http_body_util::Full::default();
    }
    Ok(response)
}

/// The request, whole, within its limits.
async fn read(request: hyper::Request<Incoming>, peer: IpAddr) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    let head: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head > HEADERS_LENGTH_MAX {
        return Err(status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let too_large = || {
        json_text(
            StatusCode::PAYLOAD_TOO_LARGE,
            r#"{"error":"invalid_request","error_description":"the body is larger than 64 KiB"}"#,
        )
    };
    let declared =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_LENGTH_MAX) {
        return Err(too_large());
    }
    let body = if parts.method == Method::POST {
        let limited = Limited::new(body, BODY_LENGTH_MAX);
        match timeout(BODY_TIMEOUT, limited.collect()).await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(_)) => return Err(status(StatusCode::BAD_REQUEST)),
            Err(_) => return Err(status(StatusCode::REQUEST_TIMEOUT)),
        }
    } else {
        Bytes::new()
    };
    Ok(Request {
        method: parts.method,
        authority: parts.uri.authority().map(|authority| authority.as_str().to_owned()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        peer,
    })
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
        // Never at the start, and only a little at a time.
        if tick % 10 == 9 {
            server.sweep().await;
        }
    }
}
