//! The inbox: a delivery takes effect once.

use fujie_store::{Appended, Delivered, Delivery, Ended, Member, Post, Receipt, Store};

use crate::given::{
    T0, at,
    channel::{delivery, integration, post, topic},
    count, race,
};

fn event_id(receipt: Receipt) -> i64 {
    match receipt {
        Receipt::Received { event_id } => event_id,
        other => panic!("{other:?}"),
    }
}

pub async fn a_delivery_becomes_an_event(store: &Store) {
    let topic = topic(store).await;
    let integration = integration(store, &topic).await;
    let new = delivery(&integration, "one");
    let id = event_id(store.receive(new.clone()).await.unwrap());
    let (event, body) = store.channel_event(&topic.name, id).await.unwrap().unwrap();
    let found = (event.id, event.topic, event.event_type, event.source, event.data);
    assert_eq!(found, (id, topic.name, new.append.event_type, new.append.source, new.append.data));
    assert_eq!((event.is_kept, body), (false, None));
    assert_eq!(*store.channel_head().borrow(), id, "told before it was answered");
}

pub async fn one_of_64_receives_the_delivery(store: &Store) {
    let topic = topic(store).await;
    let integration = integration(store, &topic).await;
    let outcomes = race(|_| {
        let (store, delivery) = (store.clone(), delivery(&integration, "one"));
        async move { store.receive(delivery).await.unwrap() }
    })
    .await;
    let received: Vec<_> = outcomes.iter().filter(|outcome| matches!(outcome, Receipt::Received { .. })).collect();
    let [Receipt::Received { event_id }] = received[..] else { panic!("{received:?}") };
    let again = Receipt::Duplicate { event_id: *event_id };
    assert_eq!(count(&outcomes, |outcome| *outcome == again), 63);
    let events = store.events_in(&topic.name, 0, 100, usize::MAX).await.unwrap();
    assert_eq!(events.len(), 1, "it took effect once");
}

pub async fn a_delivery_is_one_per_integration(store: &Store) {
    let topic = topic(store).await;
    let (one, two) = (integration(store, &topic).await, integration(store, &topic).await);
    let first = event_id(store.receive(delivery(&one, "same")).await.unwrap());
    let second = event_id(store.receive(delivery(&two, "same")).await.unwrap());
    assert!(second > first);
    assert_eq!(store.receive(delivery(&one, "same")).await.unwrap(), Receipt::Duplicate { event_id: first });
}

pub async fn a_delivery_may_have_come_by_an_earlier_name(store: &Store) {
    let integration = integration(store, &topic(store).await).await;
    let named = |name: &str, earlier: &str| {
        let own = delivery(&integration, name);
        store.receive(Delivery { earlier: Some(earlier.to_owned()), ..own })
    };
    let first = event_id(named("minute 1", "minute 0").await.unwrap());
    assert_eq!(named("minute 2", "minute 1").await.unwrap(), Receipt::Duplicate { event_id: first });
    // What was there before left no name of its own.
    let third = event_id(named("minute 3", "minute 2").await.unwrap());
    assert!(third > first);
}

pub async fn a_removed_integration_receives_nothing(store: &Store) {
    let (own, other) = (topic(store).await, topic(store).await);
    let integration = integration(store, &own).await;
    let mut astray = delivery(&integration, "two");
    astray.append.topic = other.name;
    assert_eq!(store.receive(astray).await.unwrap(), Receipt::UnknownIntegration, "of another topic");
    let id = event_id(store.receive(delivery(&integration, "one")).await.unwrap());
    let owner = Some(own.created_by);
    assert_eq!(store.remove_integration(&integration.id, owner, at(1)).await.unwrap(), Ended::Ended);
    assert_eq!(store.remove_integration(&integration.id, owner, at(1)).await.unwrap(), Ended::Absent);
    for name in ["one", "three"] {
        let receipt = store.receive(delivery(&integration, name)).await.unwrap();
        assert_eq!(receipt, Receipt::UnknownIntegration);
    }
    assert_eq!(store.deliveries(&integration.id, None, 10).await.unwrap(), []);
    assert!(store.channel_event(&own.name, id).await.unwrap().is_some(), "what happened stays");
    assert_eq!(*store.channel_head().borrow(), id);
}

pub async fn deliveries_are_listed_newest_first(store: &Store) {
    let topic = topic(store).await;
    let (listed, other) = (integration(store, &topic).await, integration(store, &topic).await);
    let mut all = Vec::new();
    for name in ["a", "b", "c"] {
        let event_id = event_id(store.receive(delivery(&listed, name)).await.unwrap());
        store.receive(delivery(&other, name)).await.unwrap();
        let (delivery, event) = (name.to_owned(), "push".to_owned());
        all.insert(0, Delivered { event_id, delivery, event, received_at: T0 });
    }
    assert_eq!(store.deliveries(&listed.id, None, 10).await.unwrap(), all);
    assert_eq!(store.deliveries(&listed.id, None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.deliveries(&listed.id, Some(all[1].event_id), 10).await.unwrap(), all[2..]);
}

fn appended_id(appended: Appended) -> i64 {
    match appended {
        Appended::Appended { event_id } => event_id,
        other => panic!("{other:?}"),
    }
}

pub async fn a_named_post_is_appended_once(store: &Store) {
    let (own, other) = (topic(store).await, topic(store).await);
    let first = post(&own, "one");
    let id = appended_id(store.append_event_once(first.clone()).await.unwrap());
    let again = Post { append: post(&own, "two").append, ..first.clone() };
    assert_eq!(store.append_event_once(again).await.unwrap(), Appended::Duplicate { event_id: id });
    // What stands beside each other is not run together: "/ci" and "one" are not "/cio" and "ne".
    let named = |source: &str, id: &str| Post { source: source.to_owned(), id: id.to_owned(), ..first.clone() };
    let client = Member::Client("ci".to_owned());
    for another in [
        named("/cio", "ne"),
        named("/ci", "two"),
        named("one", "/ci"),
        Post { member: client, ..first.clone() },
        Post { append: post(&other, "one").append, ..first.clone() },
    ] {
        assert!(appended_id(store.append_event_once(another).await.unwrap()) > id);
    }
    let astray = Post { append: crate::given::channel::notice("another", T0), ..first };
    assert_eq!(store.append_event_once(astray).await.unwrap(), Appended::UnknownTopic);
    assert_eq!(store.events_after(0, 100, usize::MAX).await.unwrap().len(), 6);
}

pub async fn one_of_64_appends_the_post(store: &Store) {
    let topic = topic(store).await;
    let outcomes = race(|_| {
        let (store, post) = (store.clone(), post(&topic, "one"));
        async move { store.append_event_once(post).await.unwrap() }
    })
    .await;
    let appended: Vec<_> = outcomes.iter().filter(|outcome| matches!(outcome, Appended::Appended { .. })).collect();
    let [Appended::Appended { event_id }] = appended[..] else { panic!("{appended:?}") };
    let again = Appended::Duplicate { event_id: *event_id };
    assert_eq!(count(&outcomes, |outcome| *outcome == again), 63);
    assert_eq!(store.events_in(&topic.name, 0, 100, usize::MAX).await.unwrap().len(), 1);
}

pub async fn a_post_and_a_delivery_are_not_confused(store: &Store) {
    let topic = topic(store).await;
    let integration = integration(store, &topic).await;
    let posted = appended_id(store.append_event_once(post(&topic, "one")).await.unwrap());
    let delivered = event_id(store.receive(delivery(&integration, "one")).await.unwrap());
    assert!(delivered > posted);
    assert_eq!(store.deliveries(&integration.id, None, 10).await.unwrap().len(), 1);
    // An integration that goes leaves what members posted known.
    store.remove_integration(&integration.id, None, at(1)).await.unwrap();
    let again = store.append_event_once(post(&topic, "one")).await.unwrap();
    assert_eq!(again, Appended::Duplicate { event_id: posted });
}
