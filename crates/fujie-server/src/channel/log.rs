//! The log of events as the hub reads it: the store's rows, each written as one line.

use std::sync::Arc;

use fujie_channel::{
    event::{Data, Event, EventError, Json, LINE_LENGTH_MAX, Parts, is_delivery},
    hub::{Log, LogError, Reading},
};
use fujie_store::{ChannelEvent, NewEvent, Store, StoreError};
use tokio::sync::watch;

/// Texts of the rows that the hub reads at once, in bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// The log over the store.
pub(super) struct StoredLog {
    pub store: Store,
    pub issuer: Arc<str>,
}

impl StoredLog {
    fn reading(
        &self,
        rows: impl Future<Output = Result<Vec<ChannelEvent>, StoreError>> + Send + 'static,
    ) -> Reading<Vec<Event>> {
        let issuer = Arc::clone(&self.issuer);
        Box::pin(async move {
            let rows = rows.await.map_err(failed)?;
            Ok(rows.iter().map(|row| event(&issuer, row)).collect())
        })
    }
}

impl Log for StoredLog {
    fn after(&self, after: i64, limit: u32) -> Reading<Vec<Event>> {
        let store = self.store.clone();
        self.reading(async move { store.events_after(after, limit, BYTES_MAX).await })
    }

    fn after_in(&self, topic: &str, after: i64, limit: u32, bytes_max: usize) -> Reading<Vec<Event>> {
        let (store, topic) = (self.store.clone(), topic.to_owned());
        self.reading(async move { store.events_in(&topic, after, limit, bytes_max).await })
    }

    fn oldest(&self) -> Reading<i64> {
        let store = self.store.clone();
        Box::pin(async move { store.oldest_event_id().await.map_err(failed) })
    }

    fn head(&self) -> watch::Receiver<i64> {
        self.store.channel_head()
    }
}

fn failed(error: StoreError) -> LogError {
    LogError(Box::new(error))
}

/// An event of the log, as it goes out. What cannot be written whole goes out with the address where its data lies:
/// a cursor must not step over an event in silence.
pub(crate) fn event(issuer: &str, row: &ChannelEvent) -> Event {
    let address = address(issuer, row);
    let line = match row.data.as_deref().map(Json::parse) {
        Some(Ok(json)) => write(row, Data::Json(json)).or_else(|_| write(row, Data::Ref(&address))),
        Some(Err(_)) => write(row, Data::Ref(&address)),
        None if row.is_kept => write(row, Data::Ref(&address)),
        None => write(row, Data::None),
    };
    let line = line.unwrap_or_else(|error| {
        tracing::error!(%error, event = row.id, "an event could not be written");
        bytes::Bytes::from_static(b"{}")
    });
    Event { id: row.id, topic: row.topic.as_str().into(), line }
}

/// Where an event's data lies.
pub(crate) fn address(issuer: &str, row: &ChannelEvent) -> String {
    format!("{issuer}/topics/{}/events/{}", row.topic, row.id)
}

fn write(row: &ChannelEvent, data: Data<'_>) -> Result<bytes::Bytes, EventError> {
    parts(row, data).render()
}

/// `new` with its data in the line if it fits there, else aside, and with its sender's name for it if that can be told.
/// An error when its data is not JSON.
pub(crate) fn fitted(mut new: NewEvent) -> Result<NewEvent, EventError> {
    new.delivery = new.delivery.filter(|name| is_delivery(name));
    let data = new.data.as_deref().map(Json::parse).transpose()?.map_or(Data::None, Data::Json);
    let parts = Parts {
        id: i64::MAX,
        topic: &new.topic,
        event_type: &new.event_type,
        source: &new.source,
        subject: new.subject.as_deref(),
        delivery: new.delivery.as_deref(),
        time: new.at,
        data,
    };
    // What is longer than a line need not be tried on one.
    let is_long = new.data.as_ref().is_some_and(|data| data.len() > LINE_LENGTH_MAX);
    if is_long || !parts.fits()? {
        new.body = new.data.take().map(String::into_bytes);
    }
    Ok(new)
}

/// What an event is made of, with this data.
pub(crate) fn parts<'a>(row: &'a ChannelEvent, data: Data<'a>) -> Parts<'a> {
    Parts {
        id: row.id,
        topic: &row.topic,
        event_type: &row.event_type,
        source: &row.source,
        subject: row.subject.as_deref(),
        delivery: row.delivery.as_deref(),
        time: row.at,
        data,
    }
}
