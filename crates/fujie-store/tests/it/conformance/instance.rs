//! The instance, keys, and the audit log.

use fujie_core::{
    key::{KeyFacts, KeyUse, StoredKey},
    time::Timestamp,
};
use fujie_store::{Event, EventKind, Instance, KeysChanged, Store};

use crate::given::{self, T0, at, count, race};

pub async fn the_instance_is_made_once(store: &Store) {
    assert_eq!(store.instance().await.unwrap(), None);
    let outcomes = race(|_| {
        let store = store.clone();
        let new = Instance { id: given::id(), issuer: "https://id.example".to_owned(), epoch: 1 };
        async move { store.create_instance(new).await.unwrap() }
    })
    .await;
    let standing = store.instance().await.unwrap().unwrap();
    assert!(outcomes.iter().all(|instance| *instance == standing));
}

fn key(id: u32, not_before: Timestamp) -> StoredKey {
    let facts = KeyFacts { id, key_use: KeyUse::Seal, created_at: T0, not_before };
    StoredKey { facts, sealed: vec![1, 2, 3] }
}

pub async fn keys_are_made_by_one_of_two(store: &Store) {
    let outcomes = race(|number| {
        let (store, id) = (store.clone(), u32::try_from(number).unwrap() + 1);
        async move { store.change_keys(vec![], vec![key(id, T0)], vec![]).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == KeysChanged::Changed), 1);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

pub async fn a_key_reads_back_as_it_was(store: &Store) {
    let revision = store.revision().await.unwrap();
    store.change_keys(vec![], vec![key(9, at(5)), key(u32::MAX, T0)], vec![]).await.unwrap();
    assert_eq!(store.keys().await.unwrap(), [key(u32::MAX, T0), key(9, at(5))]);
    assert_eq!(store.revision().await.unwrap(), revision + 1);
    assert_eq!(store.change_keys(vec![9], vec![], vec![9]).await.unwrap(), KeysChanged::Lost);
    let changed = store.change_keys(vec![9, u32::MAX], vec![], vec![9]).await.unwrap();
    assert_eq!(changed, KeysChanged::Changed);
    assert_eq!(store.keys().await.unwrap(), [key(u32::MAX, T0)]);
}

pub async fn keys_that_follow_others_are_noted(store: &Store) {
    store.change_keys(vec![], vec![key(1, T0)], vec![]).await.unwrap();
    assert_eq!(store.events(10).await.unwrap(), []);
    store.change_keys(vec![1], vec![key(2, at(5))], vec![1]).await.unwrap();
    let detail = Some(r#"{"key":2,"use":"seal"}"#.to_owned());
    let noted = Event { at: T0, kind: EventKind::KeyRotated, account: None, client: None, detail };
    assert_eq!(store.events(10).await.unwrap(), [noted]);
    store.change_keys(vec![2], vec![], vec![2]).await.unwrap();
    assert_eq!(store.events(10).await.unwrap().len(), 1, "none was made");
}

pub async fn the_database_says_that_it_can_be_written(store: &Store) {
    store.is_writable().await.unwrap();
}

pub async fn events_are_read_newest_first(store: &Store) {
    let account = given::account(store).await;
    let refused = Event {
        at: at(3),
        kind: EventKind::Refused,
        account: None,
        client: None,
        detail: Some(r#"{"cause":"password","count":12}"#.to_owned()),
    };
    store.record_event(refused.clone()).await.unwrap();
    let events = store.events(10).await.unwrap();
    assert_eq!(events[0], refused);
    assert_eq!((events[1].kind, events[1].account), (EventKind::AccountMade, Some(account.id)));
    assert_eq!(store.events(1).await.unwrap().len(), 1);
}
