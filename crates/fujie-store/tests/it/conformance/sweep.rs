//! The sweep: what is over goes, what lives stays, a little at a time.

use fujie_core::{grant::EndedWhy, time::Lifetime};
use fujie_store::{Appended, Receipt, Refresh, Retention, Store, Use, UsedKind};

use crate::given::{
    self, T0, at,
    channel::{delivery, integration, notice, post, topic},
};

const HOUR: u32 = 3600;
const DAY: u32 = 86_400;

pub async fn the_sweep_takes_what_is_over(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let waiting = given::born(store, given::new_grant(&session, &client.id)).await;
    let ended = given::redeemed(store, given::new_grant(&session, &client.id)).await;
    let ticket = given::ticket(store, &given::identity(None)).await;
    store.end_grant(ended.id, EndedWhy::Revoked, at(10)).await.unwrap();
    store.use_once(UsedKind::Par, b"par", at(60)).await.unwrap();
    let is_there = async |id| store.grant(id).await.unwrap().is_some();

    assert_eq!(store.sweep(at(59), Retention::default(), 500).await.unwrap(), 0);
    assert_eq!(store.sweep(at(1800), Retention::default(), 500).await.unwrap(), 1, "the ticket");
    assert!(store.pending(ticket, T0).await.unwrap().is_none());
    assert_eq!(store.sweep(at(60 + HOUR - 1), Retention::default(), 500).await.unwrap(), 0);
    assert_eq!(store.sweep(at(60 + HOUR), Retention::default(), 500).await.unwrap(), 2, "the code and what was used");
    assert!(!is_there(waiting.id).await);
    assert_eq!(store.use_once(UsedKind::Par, b"par", at(60)).await.unwrap(), Use::First);
    assert_eq!(store.sweep(at(7 * DAY + 9), Retention::default(), 500).await.unwrap(), 2, "the flow, and par again");
    assert!(is_there(ended.id).await);
    assert_eq!(store.sweep(at(7 * DAY + 10), Retention::default(), 500).await.unwrap(), 1);
    assert!(!is_there(ended.id).await);
    assert_eq!(store.sweep(at(14 * DAY), Retention::default(), 500).await.unwrap(), 1, "the session");
}

pub async fn the_sweep_spares_what_was_refreshed(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let grant = given::redeemed(store, given::new_grant(&session, &client.id)).await;
    assert!(matches!(store.rotate(grant.id, 0, at(30 * DAY), at(DAY - 1)).await.unwrap(), Refresh::Refreshed(_)));
    // It would have been over now; the sweep looks, and puts it off.
    assert_eq!(store.sweep(at(8 * DAY), Retention::default(), 500).await.unwrap(), 1);
    assert_eq!(store.sweep(at(8 * DAY), Retention::default(), 500).await.unwrap(), 0);
    assert!(store.grant(grant.id).await.unwrap().unwrap().is_live(at(8 * DAY)));
    store.rotate(grant.id, 1, at(60 * DAY), at(20 * DAY)).await.unwrap();
    store.end_grant(grant.id, EndedWhy::Revoked, at(36 * DAY)).await.unwrap();
    store.sweep(at(37 * DAY), Retention::default(), 500).await.unwrap();
    assert!(store.grant(grant.id).await.unwrap().is_some(), "a week for the account page");
    assert_eq!(store.sweep(at(43 * DAY), Retention::default(), 500).await.unwrap(), 1);
    assert!(store.grant(grant.id).await.unwrap().is_none());
}

pub async fn the_sweep_keeps_its_limit(store: &Store) {
    for number in 0..25_u32 {
        store.use_once(UsedKind::Flow, &number.to_be_bytes(), T0).await.unwrap();
    }
    for expected in [10, 10, 5, 0] {
        assert_eq!(store.sweep(at(DAY), Retention::default(), 10).await.unwrap(), expected);
    }
}

pub async fn the_sweep_takes_old_events_from_the_front(store: &Store) {
    let topic = topic(store).await;
    let mut ids = Vec::new();
    // The third is older than the second: a clock went back.
    for (seconds, body) in [(0, Some(vec![1])), (20, None), (10, None), (30, Some(vec![2]))] {
        let mut new = notice(&topic.name, at(seconds));
        new.body = body;
        ids.push(given::channel::appended(store, new).await);
    }
    let retention = Retention { events: Lifetime::from_seconds(100) };
    let sweep = async |seconds| store.sweep(at(seconds), retention, 500).await.unwrap();
    assert_eq!(sweep(99).await, 0);
    assert_eq!(sweep(110).await, 1, "the third waits for the second");
    assert_eq!(store.oldest_event_id().await.unwrap(), ids[1]);
    assert!(store.channel_event(&topic.name, ids[0]).await.unwrap().is_none());
    assert_eq!(sweep(129).await, 2);
    let (_, body) = store.channel_event(&topic.name, ids[3]).await.unwrap().unwrap();
    assert_eq!(body, Some(vec![2]));
    assert_eq!(sweep(130).await, 1);
    let next = given::channel::appended(store, notice(&topic.name, at(130))).await;
    assert!(next > ids[3], "no id is given twice");
}

pub async fn a_swept_delivery_is_still_known(store: &Store) {
    let topic = topic(store).await;
    let integration = integration(store, &topic).await;
    let first = delivery(&integration, "one");
    let Receipt::Received { event_id } = store.receive(first.clone()).await.unwrap() else { panic!("it is new") };
    assert_eq!(store.sweep(at(7 * DAY), Retention::default(), 500).await.unwrap(), 1, "the event");
    assert_eq!(store.receive(first.clone()).await.unwrap(), Receipt::Duplicate { event_id });
    assert_eq!(store.sweep(at(30 * DAY - 1), Retention::default(), 500).await.unwrap(), 0);
    assert_eq!(store.sweep(at(30 * DAY), Retention::default(), 500).await.unwrap(), 1, "the delivery");
    assert!(matches!(store.receive(first).await.unwrap(), Receipt::Received { event_id: later } if later > event_id));
}

pub async fn a_post_is_known_as_long_as_its_event(store: &Store) {
    let named = post(&topic(store).await, "one");
    let Appended::Appended { event_id } = store.append_event_once(named.clone()).await.unwrap() else {
        panic!("it is new")
    };
    assert_eq!(store.sweep(at(7 * DAY - 1), Retention::default(), 500).await.unwrap(), 0);
    assert_eq!(store.append_event_once(named.clone()).await.unwrap(), Appended::Duplicate { event_id });
    assert_eq!(store.sweep(at(7 * DAY), Retention::default(), 500).await.unwrap(), 1, "the event, with the name");
    let later = store.append_event_once(named).await.unwrap();
    assert!(matches!(later, Appended::Appended { event_id: later } if later > event_id));
}

pub async fn an_event_stamped_ahead_goes_with_those_after_it(store: &Store) {
    let topic = topic(store).await;
    let mut ids = Vec::new();
    for seconds in [0, 365 * DAY, 10, 365 * DAY] {
        ids.push(given::channel::appended(store, notice(&topic.name, at(seconds))).await);
    }
    let retention = Retention { events: Lifetime::from_days(7) };
    let sweep = async |seconds| store.sweep(at(seconds), retention, 500).await.unwrap();
    assert_eq!(sweep(7 * DAY).await, 1);
    assert_eq!(sweep(7 * DAY + 9).await, 0, "what came after it is young");
    assert_eq!(sweep(7 * DAY + 10).await, 2, "one that is over tells the age of those before it");
    assert_eq!(store.oldest_event_id().await.unwrap(), ids[3], "and nothing tells that of the last");
    given::channel::appended(store, notice(&topic.name, at(20))).await;
    assert_eq!(sweep(7 * DAY + 20).await, 2);
}

pub async fn many_events_stamped_ahead_do_not_stop_the_sweep(store: &Store) {
    let topic = topic(store).await;
    for _ in 0..10 {
        given::channel::appended(store, notice(&topic.name, at(365 * DAY))).await;
    }
    given::channel::appended(store, notice(&topic.name, at(0))).await;
    let retention = Retention { events: Lifetime::from_days(7) };
    let mut swept = Vec::new();
    for _ in 0..3 {
        swept.push(store.sweep(at(7 * DAY), retention, 5).await.unwrap());
    }
    assert_eq!(swept, [5, 5, 1]);
}

pub async fn a_delivery_stamped_ahead_does_not_keep_the_others(store: &Store) {
    let topic = topic(store).await;
    let integration = integration(store, &topic).await;
    for (name, seconds) in [("one", 0), ("two", 365 * DAY), ("three", 10)] {
        let mut delivery = delivery(&integration, name);
        delivery.append.at = at(seconds);
        assert!(matches!(store.receive(delivery).await.unwrap(), Receipt::Received { .. }));
    }
    store.sweep(at(30 * DAY + 10), Retention::default(), 500).await.unwrap();
    assert_eq!(store.deliveries(&integration.id, None, 10).await.unwrap(), []);
}

pub async fn a_part_of_the_sweep_is_bounded_in_bytes(store: &Store) {
    let (own, other) = (topic(store).await, topic(store).await);
    let mut new = notice(&own.name, T0);
    new.body = Some(vec![0; 12 * 1024 * 1024]);
    for _ in 0..8 {
        given::channel::appended(store, new.clone()).await;
    }
    let retention = Retention { events: Lifetime::from_days(7) };
    let left = async || store.events_after(0, 500, usize::MAX).await.unwrap().len();
    assert!(store.sweep(at(7 * DAY), retention, 500).await.unwrap() >= 500, "there is more");
    assert_eq!(left().await, 5, "three of 12 MiB are enough at once");
    store.delete_topic(&own.name, None, T0).await.unwrap();
    assert_eq!(left().await, 2);
    given::channel::appended(store, notice(&other.name, at(1))).await;
    assert!(store.sweep(T0, retention, 500).await.unwrap() < 500);
    assert_eq!(left().await, 1, "that of another topic");
}
