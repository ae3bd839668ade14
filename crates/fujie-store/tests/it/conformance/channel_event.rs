//! The log: one order for all, told as it grows, read from a cursor.

use std::sync::{Arc, Mutex};

use fujie_core::{
    grant::EndedWhy,
    key::{KeyFacts, KeyUse, StoredKey},
};
use fujie_store::{Appended, ChannelEvent, Ended, EventKind, NewTopic, OWN_TOPIC, Store};

use crate::given::{
    self, T0, at,
    channel::{appended, new_topic, notice, topic, topic_of},
    race,
};

fn ids(events: &[ChannelEvent]) -> Vec<i64> {
    events.iter().map(|event| event.id).collect()
}

pub async fn an_event_reads_back_as_it_was(store: &Store) {
    let mut new = notice(&topic(store).await.name, at(5));
    new.subject = Some("组会".to_owned());
    new.delivery = Some("72d3162e".to_owned());
    let id = appended(store, new.clone()).await;
    let (own, other) = (new.topic.clone(), topic(store).await.name);
    let event = ChannelEvent {
        id,
        topic: new.topic,
        at: new.at,
        event_type: new.event_type,
        source: new.source,
        subject: new.subject,
        delivery: new.delivery,
        data: new.data,
        is_kept: false,
    };
    assert_eq!(store.channel_event(&own, id).await.unwrap(), Some((event, None)));
    assert_eq!(store.channel_event(&other, id).await.unwrap(), None, "of another topic");
    assert_eq!(store.channel_event(&own, id + 1).await.unwrap(), None);
}

pub async fn the_head_rises_with_every_append(store: &Store) {
    let topic = topic(store).await;
    let mut head = store.channel_head();
    assert_eq!(*head.borrow_and_update(), 0);
    let told = Arc::new(Mutex::new(Vec::new()));
    let watching = {
        let told = Arc::clone(&told);
        tokio::spawn(async move {
            while head.changed().await.is_ok() {
                let newest = *head.borrow_and_update();
                told.lock().unwrap().push(newest);
                if newest == 64 {
                    break;
                }
            }
        })
    };
    let outcomes = race(|_| {
        let (store, new) = (store.clone(), notice(&topic.name, T0));
        async move {
            let id = appended(&store, new).await;
            (id, *store.channel_head().borrow())
        }
    })
    .await;
    watching.await.unwrap();
    assert!(outcomes.iter().all(|(id, head)| head >= id), "told before it was answered");
    assert!(told.lock().unwrap().is_sorted_by(|earlier, later| earlier < later));
    let mut given: Vec<_> = outcomes.iter().map(|(id, _)| *id).collect();
    given.sort_unstable();
    assert_eq!(given, (1..=64).collect::<Vec<_>>());
    let mut head = store.channel_head();
    store.close().await;
    assert!(head.changed().await.is_err(), "it ends with the store");
}

pub async fn events_are_read_from_a_cursor(store: &Store) {
    let (own, other) = (topic(store).await.name, topic(store).await.name);
    for topic in [&own, &other, &own, &other, &own] {
        appended(store, notice(topic, T0)).await;
    }
    let max = usize::MAX;
    assert_eq!(ids(&store.events_after(0, 10, max).await.unwrap()), [1, 2, 3, 4, 5]);
    assert_eq!(ids(&store.events_after(1, 3, max).await.unwrap()), [2, 3, 4]);
    assert_eq!(ids(&store.events_after(5, 10, max).await.unwrap()), [0; 0]);
    assert_eq!(ids(&store.events_in(&own, 0, 10, max).await.unwrap()), [1, 3, 5]);
    assert_eq!(ids(&store.events_in(&own, 1, 1, max).await.unwrap()), [3]);
    assert_eq!(ids(&store.events_in(&other, 4, 10, max).await.unwrap()), [0; 0]);
    assert_eq!(ids(&store.events_before(&own, None, 2).await.unwrap()), [5, 3]);
    assert_eq!(ids(&store.events_before(&own, Some(3), 2).await.unwrap()), [1]);
}

pub async fn a_page_ends_when_it_is_large(store: &Store) {
    let mut new = notice(&topic(store).await.name, T0);
    new.data = Some("x".repeat(1000));
    for _ in 0..4 {
        appended(store, new.clone()).await;
    }
    assert_eq!(ids(&store.events_after(0, 10, 1).await.unwrap()), [1], "one at least");
    assert_eq!(ids(&store.events_after(0, 10, 2001).await.unwrap()), [1, 2]);
    assert_eq!(ids(&store.events_in(&new.topic, 2, 10, 2001).await.unwrap()), [3, 4]);
}

pub async fn a_body_is_kept_aside(store: &Store) {
    let mut new = notice(&topic(store).await.name, T0);
    (new.data, new.body) = (None, Some(vec![b'['; 200_000]));
    let id = appended(store, new.clone()).await;
    let (event, body) = store.channel_event(&new.topic, id).await.unwrap().unwrap();
    assert_eq!((event.is_kept, &event.data), (true, &None));
    assert_eq!(body, new.body);
    assert_eq!(store.events_after(0, 10, 1000).await.unwrap(), [event]);
}

pub async fn an_unknown_topic_takes_no_event(store: &Store) {
    let mut new = notice("another", T0);
    new.body = Some(vec![1]);
    assert_eq!(store.append_event(new).await.unwrap(), Appended::UnknownTopic);
    assert_eq!(*store.channel_head().borrow(), 0);
    assert_eq!(appended(store, notice(&topic(store).await.name, T0)).await, 1);
}

pub async fn the_log_tells_where_it_begins(store: &Store) {
    let (one, two) = (topic(store).await.name, topic(store).await.name);
    assert_eq!(store.oldest_event_id().await.unwrap(), 1);
    for topic in [&one, &two] {
        appended(store, notice(topic, T0)).await;
    }
    assert_eq!(store.oldest_event_id().await.unwrap(), 1);
    store.delete_topic(&one, None, T0).await.unwrap();
    assert_eq!(store.oldest_event_id().await.unwrap(), 2);
    store.delete_topic(&two, None, T0).await.unwrap();
    assert_eq!(store.oldest_event_id().await.unwrap(), 3, "what comes next");
    assert_eq!(*store.channel_head().borrow(), 2);
}

pub async fn audit_rows_are_told_on_the_own_topic(store: &Store) {
    let administrator = given::account(store).await;
    assert_eq!(*store.channel_head().borrow(), 0, "nobody asked for it yet");
    topic_of(store, NewTopic { name: OWN_TOPIC.to_owned(), ..new_topic(administrator.id) }).await;
    given::session(store, &administrator).await;
    let detail = Some(r#"{"cause":"password"}"#.to_owned());
    let refused = fujie_store::Event { at: at(9), kind: EventKind::Refused, account: None, client: None, detail };
    store.record_event(refused).await.unwrap();
    let events = store.events_in(OWN_TOPIC, 0, 10, usize::MAX).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["fujie.topic_made", "fujie.signed_in", "fujie.refused"]);
    let account = administrator.id;
    let data: Vec<_> = events.iter().filter_map(|event| event.data.as_deref()).collect();
    assert_eq!(data[1], format!(r#"{{"account":"{account}","client":null,"detail":null}}"#));
    assert_eq!(data[2], r#"{"account":null,"client":null,"detail":{"cause":"password"}}"#);
    assert_eq!((events[2].at, events[2].source.as_str()), (at(9), "/"));
    assert_eq!(*store.channel_head().borrow(), events[2].id);
}

pub async fn a_verb_that_is_undone_leaves_no_event(store: &Store) {
    let account = given::account(store).await;
    topic_of(store, NewTopic { name: OWN_TOPIC.to_owned(), ..new_topic(account.id) }).await;
    let session = given::session(store, &account).await;
    let key = |id| StoredKey {
        facts: KeyFacts { id, key_use: KeyUse::Seal, created_at: T0, not_before: T0 },
        sealed: vec![1, 2, 3],
    };
    store.change_keys(vec![], vec![key(1)], vec![]).await.unwrap();
    let audited = store.events(500).await.unwrap();
    let told = *store.channel_head().borrow();
    // The first of the two is told before the second breaks a rule of the rows.
    assert!(store.change_keys(vec![1], vec![key(2), key(2)], vec![]).await.is_err());
    let twice = fujie_store::NewSession { id: session.id, ..given::new_session() };
    assert!(store.begin_session(account.id, twice, T0).await.is_err());
    assert_eq!(store.end_grant(given::id(), EndedWhy::Revoked, T0).await.unwrap(), Ended::Absent);
    assert_eq!(store.events_in(OWN_TOPIC, told, 10, usize::MAX).await.unwrap(), []);
    assert_eq!((*store.channel_head().borrow(), store.events(500).await.unwrap()), (told, audited));
    store.change_keys(vec![1], vec![key(2)], vec![]).await.unwrap();
    let events = store.events_in(OWN_TOPIC, told, 10, usize::MAX).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| (event.id, event.event_type.as_str())).collect();
    assert_eq!(types, [(told + 1, "fujie.key_rotated")], "once, and the log has no hole");
}
