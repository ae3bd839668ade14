//! A topic's events as they come: Server-Sent Events (HTML Living Standard §9.2). An event is an unnamed message with
//! its place in the log as `id`, so that a browser that reconnects goes on where it was; `dropped` tells of a gap and
//! `bye` of the end. Who reads too slowly holds nobody up: nothing is taken from the log before there is room for it.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use fujie_channel::{
    event::Event,
    hub::{Delivery, Subscription},
};
use fujie_core::channel::READ;
use fujie_store::Member;
use http::{HeaderName, HeaderValue, header};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{
    channel::access::{Credential, Denied},
    http::{Body, Response, busy},
    place::Place,
    server::Server,
};

/// A reader that was cut off comes again after so many milliseconds.
const RETRY_MILLIS: u32 = 3000;
/// A reader that is told goodbye has so long to take it.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
/// Events are sent together up to about this many bytes.
const PIECE_LENGTH: usize = 16 * 1024;

/// The answer that goes on and on, to `member`, whose `credential` was judged just now.
pub(super) async fn begin(
    server: &Arc<Server>,
    (credential, member): (Credential, &Member),
    topic: &str,
    after: Option<i64>,
) -> Response {
    let Some(place) = server.places.reader(member) else { return busy() };
    let (pieces, receiver) = mpsc::channel(1);
    let subscription = server.exchange.hub.subscribe(topic, after, server.settings.channel.overflow).await;
    let feed =
        Feed { server: Arc::clone(server), credential, judged_at: Instant::now(), subscription, pieces, _place: place };
    tokio::spawn(feed.run());
    let mut response = Response::new(Body::Stream(receiver));
    let fixed = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A proxy in front must not hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What feeds one reader. Ends when the reader goes, may not read any more, or is too slow, and when the server stops.
struct Feed {
    server: Arc<Server>,
    credential: Credential,
    judged_at: Instant,
    subscription: Subscription,
    pieces: mpsc::Sender<Bytes>,
    _place: Place,
}

/// The reader is gone, or is to go.
struct Over;

impl Feed {
    async fn run(mut self) {
        let server = Arc::clone(&self.server);
        tokio::select! {
            _over = self.feed() => return,
            () = server.stopped() => {}
        }
        // A reader that takes nothing is left.
        drop(timeout(FAREWELL_TIMEOUT, self.pieces.send(bye(None))).await);
    }

    async fn feed(&mut self) -> Result<(), Over> {
        // So that a reader who reconnects before the first event does not miss it.
        let opening = format!("retry: {RETRY_MILLIS}\nid: {}\n\n", self.subscription.cursor());
        self.send(opening.into()).await?;
        let mut beats = interval(self.server.settings.channel.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats.tick().await;
        loop {
            tokio::select! {
                () = self.pieces.closed() => return Err(Over),
                delivery = self.subscription.next() => self.deliver(delivery).await?,
                _ = beats.tick() => {
                    self.judge_again().await?;
                    self.send(Bytes::from_static(b":\n\n")).await?;
                }
            }
        }
    }

    async fn deliver(&mut self, delivery: Delivery) -> Result<(), Over> {
        match delivery {
            Delivery::Events(events) => {
                // A reader that kept us waiting long has missed the beats.
                self.judge_again().await?;
                let mut piece = BytesMut::new();
                for event in events {
                    write(&event, &mut piece);
                    if piece.len() >= PIECE_LENGTH {
                        self.send(piece.split().freeze()).await?;
                    }
                }
                if piece.is_empty() { Ok(()) } else { self.send(piece.freeze()).await }
            }
            Delivery::Dropped { after, until } => {
                let data = format!(r#"{{"after":"{after}","until":"{until}"}}"#);
                self.send(format!("event: dropped\nid: {until}\ndata: {data}\n\n").into()).await
            }
            Delivery::Cut => self.end("too_slow").await,
        }
    }

    /// May the reader still read? Asked at every second beat: when the time from the last one to the next is nearer to
    /// two than to one. A store that cannot be asked ends nothing.
    async fn judge_again(&mut self) -> Result<(), Over> {
        if self.judged_at.elapsed() < self.server.settings.channel.heartbeat * 3 / 2 {
            return Ok(());
        }
        self.judged_at = Instant::now();
        match self.credential.member(&self.server, READ, self.subscription.topic()).await {
            Ok(_) => Ok(()),
            Err(Denied::Store(error)) => {
                tracing::warn!(%error, "a reader could not be judged again");
                Ok(())
            }
            Err(Denied::NotMember) => self.end("access_denied").await,
            Err(Denied::Token(_) | Denied::Session) => self.end("invalid_token").await,
        }
    }

    async fn end(&mut self, why: &str) -> Result<(), Over> {
        self.send(bye(Some(why))).await?;
        Err(Over)
    }

    async fn send(&mut self, piece: Bytes) -> Result<(), Over> {
        self.pieces.send(piece).await.or(Err(Over))
    }
}

/// An event's line has no line feed, so it is one `data` field.
fn write(event: &Event, piece: &mut BytesMut) {
    piece.reserve(event.line.len() + 40);
    piece.put_slice(format!("id: {}\ndata: ", event.id).as_bytes());
    piece.put_slice(&event.line);
    piece.put_slice(b"\n\n");
}

fn bye(why: Option<&str>) -> Bytes {
    match why {
        Some(why) => format!("event: bye\ndata: {{\"error\":\"{why}\"}}\n\n").into(),
        None => Bytes::from_static(b"event: bye\ndata: {}\n\n"),
    }
}
