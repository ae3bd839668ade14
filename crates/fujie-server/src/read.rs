//! A request, read whole within its limits. A body that is too large is refused by its declared length before any of it
//! is read, and by count when no length is declared; all large bodies together have a bound.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    http::{BODY_LENGTH_MAX, Request, Response, busy, json_text, status},
    route::allowance,
    server::Server,
};

/// Headers of a request, all together.
pub(crate) const HEADERS_LENGTH_MAX: usize = 32 * 1024;
/// A body must have arrived by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// A large body that finds no memory waits so long for it.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(2);
/// Memory for a body of no declared length is set aside in pieces of this many bytes.
const PIECE: usize = 1024 * 1024;

/// Memory for large bodies, or for large answers: 256 MiB, in KiB.
pub(crate) fn memory() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(256 * 1024))
}

/// What a request may bring.
pub(crate) struct Allowance {
    /// Bytes of its body.
    pub length_max: usize,
    /// Where memory is set aside for a large one, in each of these.
    pub memory: Vec<Arc<Semaphore>>,
}

/// An ordinary request's.
impl Default for Allowance {
    fn default() -> Self {
        Self { length_max: BODY_LENGTH_MAX, memory: Vec::new() }
    }
}

/// Memory that is set aside for a body, until it is dropped.
#[derive(Default)]
pub(crate) struct Reserved {
    permits: Vec<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Reserved {
    /// So many bytes more; `None` when there will be none.
    async fn grow(&mut self, memory: &[Arc<Semaphore>], bytes: usize) -> Option<()> {
        let size = u32::try_from(bytes.div_ceil(1024)).ok()?;
        for memory in memory {
            self.permits.push(Arc::clone(memory).acquire_many_owned(size).await.ok()?);
        }
        self.bytes += bytes;
        Some(())
    }
}

/// The request, or why it is not read.
pub(crate) async fn read(
    server: &Server,
    request: hyper::Request<Incoming>,
    peer: IpAddr,
) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    let head: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head > HEADERS_LENGTH_MAX {
        return Err(status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let declared =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut request = Request {
        method: parts.method,
        authority: parts.uri.authority().map(|authority| authority.as_str().to_owned()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: Bytes::new(),
        peer,
        memory: Reserved::default(),
    };
    let may_be_large = request.method == Method::POST && declared.is_none_or(|length| length > BODY_LENGTH_MAX);
    let allowed = if may_be_large { allowance(server, &request).await? } else { Allowance::default() };
    let most = allowed.length_max;
    if declared.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    if request.method == Method::POST {
        let collected = collect(body, declared, &allowed);
        match timeout(BODY_TIMEOUT, collected).await {
            Ok(collected) => (request.body, request.memory) = collected?,
            Err(_) => return Err(status(StatusCode::REQUEST_TIMEOUT)),
        }
    }
    Ok(request)
}

/// Reads `body` whole, with the memory that was set aside for it.
async fn collect<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    declared: Option<usize>,
    allowed: &Allowance,
) -> Result<(Bytes, Reserved), Response> {
    let mut whole = BytesMut::with_capacity(declared.unwrap_or_default().min(BODY_LENGTH_MAX));
    let mut reserved = Reserved::default();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(status(StatusCode::BAD_REQUEST)) };
        let Ok(data) = frame.into_data() else { continue };
        let length = whole.len() + data.len();
        if length > allowed.length_max {
            return Err(too_large(allowed.length_max));
        }
        while length > BODY_LENGTH_MAX.max(reserved.bytes) {
            // All that was declared at once: two bodies never wait for each other with half of it in their hands.
            let bytes = declared.unwrap_or(PIECE).max(length - reserved.bytes);
            let more = timeout(MEMORY_TIMEOUT, reserved.grow(&allowed.memory, bytes)).await;
            more.ok().flatten().ok_or_else(busy)?;
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), reserved))
}

fn too_large(most: usize) -> Response {
    let most = most / 1024;
    let body = format!(r#"{{"error":"invalid_request","error_description":"the body is larger than {most} KiB"}}"#);
    json_text(StatusCode::PAYLOAD_TOO_LARGE, body)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;
    use crate::http::Body as Answer;

    const MIB: usize = 1024 * 1024;

    fn of(memory: &[&Arc<Semaphore>]) -> Allowance {
        Allowance { length_max: 25 * MIB, memory: memory.iter().map(|memory| Arc::clone(memory)).collect() }
    }

    /// A body that comes in pieces, and the hand that sends them.
    fn in_pieces() -> (tokio::sync::mpsc::Sender<Bytes>, Answer) {
        let (pieces, receiver) = tokio::sync::mpsc::channel(64);
        (pieces, Answer::Stream(receiver))
    }

    #[tokio::test]
    async fn a_large_body_takes_memory_once_it_is_one_and_gives_it_back() {
        let memory = Arc::new(Semaphore::new(8 * 1024));
        let (pieces, body) = in_pieces();
        let (allowed, declared) = (of(&[&memory]), Some(3 * MIB + BODY_LENGTH_MAX));
        let reading = tokio::spawn(async move { collect(body, declared, &allowed).await });
        pieces.send(vec![0; BODY_LENGTH_MAX].into()).await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(memory.available_permits(), 8 * 1024, "an ordinary body is not counted, whatever was declared");
        for _ in 0..3 {
            pieces.send(vec![0; MIB].into()).await.unwrap();
        }
        drop(pieces);
        let (whole, reserved) = reading.await.unwrap().unwrap();
        assert_eq!((whole.len(), memory.available_permits()), (3 * MIB + BODY_LENGTH_MAX, 5 * 1024 - 64));
        drop(reserved);
        assert_eq!(memory.available_permits(), 8 * 1024);
    }

    #[tokio::test]
    async fn a_large_body_without_memory_is_asked_to_come_again() {
        let memory = Arc::new(Semaphore::new(2 * 1024));
        let body = || Full::new(Bytes::from(vec![0; 2 * MIB]));
        let (_, reserved) = collect(body(), None, &of(&[&memory])).await.unwrap();
        let refused = collect(body(), None, &of(&[&memory])).await.err().unwrap();
        assert_eq!(
            (refused.status(), refused.headers()["retry-after"].to_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, "2")
        );
        drop(reserved);
        assert!(collect(body(), None, &of(&[&memory])).await.is_ok());
    }

    #[tokio::test]
    async fn large_bodies_at_once_follow_one_another() {
        let memory = Arc::new(Semaphore::new(5 * 1024));
        let bodies = (0..3).map(|_| {
            let (pieces, body) = in_pieces();
            let allowed = of(&[&memory]);
            let reading =
                tokio::spawn(async move { collect(body, Some(2 * MIB), &allowed).await.map(|(whole, _)| whole.len()) });
            (pieces, reading)
        });
        let bodies: Vec<_> = bodies.collect();
        for _ in 0..2 {
            for (pieces, _) in &bodies {
                pieces.send(vec![0; MIB].into()).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        for (pieces, reading) in bodies {
            drop(pieces);
            assert_eq!(reading.await.unwrap().ok(), Some(2 * MIB));
        }
    }

    #[tokio::test]
    async fn large_bodies_to_one_place_leave_memory_for_those_to_others() {
        let [whole, first, second] = [8, 2, 2].map(|mib| Arc::new(Semaphore::new(mib * 1024)));
        let body = || Full::new(Bytes::from(vec![0; 2 * MIB]));
        let held = collect(body(), None, &of(&[&first, &whole])).await.unwrap();
        assert_eq!(whole.available_permits(), 6 * 1024);
        assert!(collect(body(), None, &of(&[&first, &whole])).await.is_err());
        assert!(collect(body(), None, &of(&[&second, &whole])).await.is_ok());
        drop(held);
        assert_eq!(whole.available_permits(), 8 * 1024);
    }

    #[tokio::test]
    async fn a_body_is_counted_when_no_length_is_declared() {
        let allowed = Allowance { length_max: MIB, memory: vec![memory()] };
        let taken = collect(Full::new(Bytes::from(vec![0; MIB])), None, &allowed).await.unwrap();
        assert_eq!(taken.0.len(), MIB);
        let refused = collect(Full::new(Bytes::from(vec![0; MIB + 1])), None, &allowed).await.err().unwrap();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
