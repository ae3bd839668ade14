//! Targets: each walks along the log by itself, and is found when there is something for it.

use fujie_core::id::Id;
use fujie_store::{Ended, NewTarget, Role, Store, Target, TargetAdded, TargetChanged, TargetKind};

use crate::given::{
    self, T0, at,
    channel::{self, appended, member, new_target, notice, topic},
    count, race,
};

async fn due(store: &Store, seconds: u32) -> Vec<Id> {
    store.due_targets(at(seconds), 100).await.unwrap().iter().map(|target| target.id).collect()
}

async fn read(store: &Store, id: Id) -> Target {
    store.target(id).await.unwrap().unwrap()
}

pub async fn a_target_gets_what_comes_after_it(store: &Store) {
    let (own, other) = (topic(store).await, topic(store).await);
    let before = appended(store, notice(&own.name, T0)).await;
    let new = new_target(&own, TargetKind::Wecom);
    assert_eq!(store.add_target(new.clone(), at(1)).await.unwrap(), TargetAdded::Added);
    let NewTarget { id, topic, kind, account, label, address, sealed } = new;
    let (last_error, disabled_at, created_at) = (None, None, at(1));
    let fresh = Target {
        id,
        topic,
        kind,
        account,
        label,
        address,
        sealed,
        cursor: before,
        failures: 0,
        next_at: None,
        last_error,
        disabled_at,
        created_at,
    };
    assert_eq!(store.targets(&own.name).await.unwrap(), std::slice::from_ref(&fresh));
    appended(store, notice(&other.name, at(2))).await;
    assert_eq!(due(store, 99).await, [], "nothing on its topic");
    let first = appended(store, notice(&own.name, at(3))).await;
    let second = appended(store, notice(&own.name, at(4))).await;
    assert_eq!(due(store, 2).await, []);
    assert_eq!(due(store, 3).await, [id]);
    assert_eq!(store.advance_target(id, first, at(5)).await.unwrap(), TargetChanged::Changed);
    assert_eq!(due(store, 5).await, [id], "there is more");
    store.advance_target(id, second, at(6)).await.unwrap();
    assert_eq!(due(store, 99).await, []);
    assert_eq!(store.next_due(at(6)).await.unwrap(), None);
    store.advance_target(id, first, at(7)).await.unwrap();
    assert_eq!(read(store, id).await, Target { cursor: second, ..fresh }, "it never goes back");
}

pub async fn a_target_that_is_put_off_has_not_failed(store: &Store) {
    let topic = topic(store).await;
    let (id, idle) = (channel::target(store, &topic).await, Id::from_bytes([0; 16]));
    store.put_off_targets(vec![(id, at(9))]).await.unwrap();
    assert_eq!(read(store, id).await.next_at, None, "there is nothing for it");
    appended(store, notice(&topic.name, at(1))).await;
    store.put_off_targets(vec![(idle, at(9)), (id, at(5))]).await.unwrap();
    assert_eq!((due(store, 4).await, due(store, 5).await), (vec![], vec![id]));
    assert_eq!(read(store, id).await.failures, 0);
}

pub async fn a_target_that_failed_is_tried_later(store: &Store) {
    let topic = topic(store).await;
    let id = channel::target(store, &topic).await;
    let event = appended(store, notice(&topic.name, T0)).await;
    assert_eq!(store.next_due(T0).await.unwrap(), None, "it is due by now");
    assert_eq!(store.postpone_target(id, at(60), "503").await.unwrap(), TargetChanged::Changed);
    store.postpone_target(id, at(90), "504").await.unwrap();
    let target = read(store, id).await;
    assert_eq!((target.failures, target.last_error.as_deref()), (2, Some("504")));
    assert_eq!(store.next_due(at(1)).await.unwrap(), Some(at(90)));
    appended(store, notice(&topic.name, at(10))).await;
    assert_eq!(due(store, 89).await, [], "an event does not shorten the wait");
    assert_eq!(due(store, 90).await, [id]);
    store.advance_target(id, event, at(91)).await.unwrap();
    let target = read(store, id).await;
    assert_eq!((target.failures, target.last_error, target.next_at), (0, None, Some(at(91))));
}

pub async fn a_clock_that_ran_ahead_delays_nobody(store: &Store) {
    const HOUR: u32 = 3600;
    let topic = topic(store).await;
    let id = channel::target(store, &topic).await;
    appended(store, notice(&topic.name, at(20 * HOUR))).await;
    assert_eq!(due(store, HOUR).await, [], "the clock was put right");
    appended(store, notice(&topic.name, at(HOUR))).await;
    assert_eq!(due(store, HOUR).await, [id]);
    // What failed under the clock that ran ahead waits for no time that no pause is as long as.
    store.postpone_target(id, at(9000 * HOUR), "503").await.unwrap();
    assert_eq!(due(store, 2 * HOUR).await, [id]);
    assert_eq!(store.next_due(at(2 * HOUR)).await.unwrap(), None, "it is due by now");
    store.postpone_target(id, at(26 * HOUR), "503").await.unwrap();
    appended(store, notice(&topic.name, at(2 * HOUR))).await;
    assert_eq!(due(store, 2 * HOUR).await, [], "a day is a pause");
}

pub async fn a_disabled_target_gets_nothing_until_it_is_renewed(store: &Store) {
    let topic = topic(store).await;
    let new = new_target(&topic, TargetKind::Dingtalk);
    store.add_target(new.clone(), T0).await.unwrap();
    appended(store, notice(&topic.name, T0)).await;
    assert_eq!(store.disable_target(new.id, "revoked", at(1)).await.unwrap(), TargetChanged::Changed);
    assert_eq!(store.disable_target(new.id, "again", at(2)).await.unwrap(), TargetChanged::Gone);
    let target = read(store, new.id).await;
    assert_eq!((target.disabled_at, target.last_error.as_deref()), (Some(at(1)), Some("revoked")));
    let missed = appended(store, notice(&topic.name, at(3))).await;
    assert_eq!(due(store, 99).await, []);
    assert_eq!(store.advance_target(new.id, missed, at(4)).await.unwrap(), TargetChanged::Gone);
    assert_eq!(store.postpone_target(new.id, at(5), "late").await.unwrap(), TargetChanged::Gone);
    assert_eq!(due(store, 99).await, []);
    let again = NewTarget { id: given::id(), sealed: vec![8], ..new.clone() };
    assert_eq!(store.add_target(again, at(6)).await.unwrap(), TargetAdded::Renewed(new.id));
    let target = read(store, new.id).await;
    assert_eq!((target.cursor, target.disabled_at, target.sealed), (missed, None, vec![8]));
    assert_eq!(due(store, 99).await, [], "what it missed is over");
    appended(store, notice(&topic.name, at(7))).await;
    assert_eq!(due(store, 7).await, [new.id]);
}

pub async fn an_address_is_one_target_per_topic(store: &Store) {
    let (own, other) = (topic(store).await, topic(store).await);
    let new = new_target(&own, TargetKind::WebPush);
    let outcomes = race(|_| {
        let (store, new) = (store.clone(), NewTarget { id: given::id(), ..new.clone() });
        async move { store.add_target(new, T0).await.unwrap() }
    })
    .await;
    let standing = store.targets(&own.name).await.unwrap();
    assert_eq!(standing.len(), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == TargetAdded::Added), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == TargetAdded::Renewed(standing[0].id)), 63);
    let (topic, account) = (other.name.clone(), Some(other.created_by));
    let elsewhere = NewTarget { id: given::id(), topic, account, ..new.clone() };
    assert_eq!(store.add_target(elsewhere, T0).await.unwrap(), TargetAdded::Added);
    // What is still to be sent is sent to whom the browser belongs now.
    appended(store, notice(&own.name, T0)).await;
    let next = member(store, &own, Role::Member).await;
    store.add_target(NewTarget { account: Some(next), ..new }, at(1)).await.unwrap();
    let target = read(store, standing[0].id).await;
    assert_eq!((target.account, target.cursor, target.next_at), (Some(next), 0, Some(at(1))));
}

pub async fn only_members_have_targets(store: &Store) {
    let topic = topic(store).await;
    let stranger = given::account(store).await.id;
    let new = NewTarget { account: Some(stranger), ..new_target(&topic, TargetKind::WebPush) };
    assert_eq!(store.add_target(new.clone(), T0).await.unwrap(), TargetAdded::NotMember);
    let nowhere = NewTarget { topic: "another".to_owned(), account: None, ..new.clone() };
    assert_eq!(store.add_target(nowhere, T0).await.unwrap(), TargetAdded::NotMember);
    let operators = NewTarget { account: None, ..new };
    assert_eq!(store.add_target(operators, T0).await.unwrap(), TargetAdded::Added);
}

pub async fn targets_are_limited(store: &Store) {
    let topic = topic(store).await;
    let other = member(store, &topic, Role::Member).await;
    let add = async |kind, account| {
        let outcomes = race(|_| {
            let (store, new) = (store.clone(), NewTarget { account, ..new_target(&topic, kind) });
            async move { store.add_target(new, T0).await.unwrap() }
        });
        let outcomes = outcomes.await;
        (count(&outcomes, |o| *o == TargetAdded::Added), count(&outcomes, |o| *o == TargetAdded::TooMany))
    };
    assert_eq!(add(TargetKind::Feishu, Some(topic.created_by)).await, (50, 14));
    assert_eq!(add(TargetKind::WebPush, Some(topic.created_by)).await, (10, 54));
    assert_eq!(add(TargetKind::WebPush, Some(other)).await, (10, 54), "one cannot shut out another");
    assert_eq!(add(TargetKind::Dingtalk, Some(other)).await, (0, 64));
}

pub async fn a_removed_target_is_gone(store: &Store) {
    let topic = topic(store).await;
    let (removed, spared) = (channel::target(store, &topic).await, channel::target(store, &topic).await);
    let event = appended(store, notice(&topic.name, T0)).await;
    assert_eq!(store.remove_target(removed, None, at(1)).await.unwrap(), Ended::Ended);
    assert_eq!(store.remove_target(removed, None, at(1)).await.unwrap(), Ended::Absent);
    assert_eq!(store.advance_target(removed, event, at(1)).await.unwrap(), TargetChanged::Gone);
    assert_eq!(store.postpone_target(removed, at(2), "x").await.unwrap(), TargetChanged::Gone);
    assert_eq!(store.disable_target(removed, "x", at(2)).await.unwrap(), TargetChanged::Gone);
    assert_eq!(due(store, 1).await, [spared]);
}

pub async fn no_event_is_lost_between_append_and_advance(store: &Store) {
    let topic = topic(store).await;
    let id = channel::target(store, &topic).await;
    let serving = {
        let (store, topic) = (store.clone(), topic.name.clone());
        tokio::spawn(async move {
            let (mut head, mut got) = (store.channel_head(), Vec::new());
            while got.len() < 64 {
                head.mark_unchanged();
                let due = store.due_targets(T0, 1).await.unwrap();
                let Some(target) = due.first() else {
                    // Had the append not woken it, nobody would ever.
                    head.changed().await.unwrap();
                    continue;
                };
                let events = store.events_in(&topic, target.cursor, 5, usize::MAX).await.unwrap();
                got.extend(events.iter().map(|event| event.id));
                store.advance_target(id, *got.last().unwrap(), T0).await.unwrap();
            }
            got
        })
    };
    let mut appended_ids = race(|_| {
        let (store, new) = (store.clone(), notice(&topic.name, T0));
        async move { appended(&store, new).await }
    })
    .await;
    appended_ids.sort_unstable();
    assert_eq!(serving.await.unwrap(), appended_ids, "each once, in order");
}
