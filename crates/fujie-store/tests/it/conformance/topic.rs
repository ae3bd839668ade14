//! Topics and their members: who may be in, who must stay, what goes along.

use fujie_core::id::Id;
use fujie_store::{
    AccountChanged, Appended, Ended, Member, MemberChanged, NewTarget, NewTopic, Receipt, Retention, Role, Store,
    StoreError, TargetAdded, TargetKind, TopicCreated,
};

use crate::given::{
    self, T0, at,
    channel::{self, appended, delivery, integration, member, new_target, new_topic, notice, post, topic, topic_of},
    count, race,
};

async fn add(store: &Store, topic: &str, member: &Member, role: Role) -> MemberChanged {
    store.add_member(topic, member.clone(), role, None, T0).await.unwrap()
}

async fn remove(store: &Store, topic: &str, member: &Member) -> MemberChanged {
    store.remove_member(topic, member.clone(), None, T0).await.unwrap()
}

pub async fn a_topic_is_made_with_its_owner(store: &Store) {
    let owner = given::account(store).await;
    let topic = topic_of(store, new_topic(owner.id)).await;
    assert_eq!(store.topic(&topic.name).await.unwrap(), Some(topic.clone()));
    assert_eq!(store.topic("another").await.unwrap(), None);
    let whom = Member::Account(owner.id);
    assert_eq!(store.role(&topic.name, &whom).await.unwrap(), Some(Role::Owner));
    assert_eq!(store.topics_of(&whom).await.unwrap(), [(topic.clone(), Role::Owner)]);
    assert_eq!(store.topics("").await.unwrap(), std::slice::from_ref(&topic));
    assert_eq!(store.topics(&topic.name).await.unwrap(), []);
    let members = store.members(&topic.name).await.unwrap();
    assert_eq!((members.len(), &members[0].member, &members[0].name), (1, &whom, &owner.name));
}

pub async fn one_of_64_gets_the_name(store: &Store) {
    let owner = given::account(store).await.id;
    let outcomes = race(|_| {
        let (store, new) = (store.clone(), NewTopic { name: "team".to_owned(), ..new_topic(owner) });
        async move { store.create_topic(new, T0).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, TopicCreated::Created(_))), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == TopicCreated::Taken), 63);
}

pub async fn an_account_makes_twenty_topics(store: &Store) {
    let owner = given::account(store).await.id;
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.create_topic(new_topic(owner), T0).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == TopicCreated::TooMany), 44);
    let (first, _) = store.topics_of(&Member::Account(owner)).await.unwrap().remove(0);
    assert_eq!(store.delete_topic(&first.name, Some(owner), T0).await.unwrap(), Ended::Ended);
    topic_of(store, new_topic(owner)).await;
    assert_eq!(store.create_topic(new_topic(given::id()), T0).await.unwrap(), TopicCreated::AccountGone);
    store.disable_account(owner, T0).await.unwrap();
    store.delete_topic(&store.topics("").await.unwrap()[0].name, None, T0).await.unwrap();
    assert_eq!(store.create_topic(new_topic(owner), T0).await.unwrap(), TopicCreated::AccountGone);
}

pub async fn a_topic_has_200_members(store: &Store) {
    let topic = topic(store).await;
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.extend(
            race(|_| {
                let (store, name) = (store.clone(), topic.name.clone());
                async move {
                    let whom = Member::Account(given::account(&store).await.id);
                    (add(&store, &name, &whom, Role::Member).await, whom)
                }
            })
            .await,
        );
    }
    assert_eq!(count(&outcomes, |(outcome, _)| *outcome == MemberChanged::Changed), 199);
    assert_eq!(count(&outcomes, |(outcome, _)| *outcome == MemberChanged::TooMany), 57);
    assert_eq!(store.members(&topic.name).await.unwrap().len(), 200);
    let (_, within) = outcomes.iter().find(|(outcome, _)| *outcome == MemberChanged::Changed).unwrap();
    assert_eq!(add(store, &topic.name, within, Role::Owner).await, MemberChanged::Changed, "it is within already");
}

pub async fn a_client_is_a_member_and_no_owner(store: &Store) {
    let (topic, client) = (topic(store).await, given::client(store).await);
    let whom = Member::Client(client.id);
    assert_eq!(add(store, &topic.name, &whom, Role::Member).await, MemberChanged::Changed);
    assert_eq!(add(store, &topic.name, &whom, Role::Member).await, MemberChanged::Unchanged);
    let listed = store.members(&topic.name).await.unwrap().remove(1);
    assert_eq!((listed.member, listed.name, listed.role), (whom.clone(), client.name, Role::Member));
    assert_eq!(store.topics_of(&whom).await.unwrap(), [(topic.clone(), Role::Member)]);
    let owner = store.add_member(&topic.name, whom.clone(), Role::Owner, None, T0).await;
    assert!(matches!(owner, Err(StoreError::Constraint(_))));
    assert_eq!(add(store, "another", &whom, Role::Member).await, MemberChanged::Absent);
    let nobody = Member::Client("nobody".to_owned());
    assert_eq!(add(store, &topic.name, &nobody, Role::Member).await, MemberChanged::Absent);
    assert_eq!(remove(store, &topic.name, &whom).await, MemberChanged::Changed);
    assert_eq!(remove(store, &topic.name, &whom).await, MemberChanged::Absent);
    assert_eq!(store.role(&topic.name, &whom).await.unwrap(), None);
}

pub async fn the_last_owner_stays(store: &Store) {
    let topic = topic(store).await;
    let first = Member::Account(topic.created_by);
    let second = Member::Account(member(store, &topic, Role::Member).await);
    assert_eq!(remove(store, &topic.name, &first).await, MemberChanged::LastOwner);
    assert_eq!(add(store, &topic.name, &first, Role::Member).await, MemberChanged::LastOwner);
    assert_eq!(add(store, &topic.name, &second, Role::Owner).await, MemberChanged::Changed);
    assert_eq!(add(store, &topic.name, &first, Role::Member).await, MemberChanged::Changed);
    assert_eq!(remove(store, &topic.name, &second).await, MemberChanged::LastOwner);
    assert_eq!(remove(store, &topic.name, &first).await, MemberChanged::Changed);
    assert_eq!(store.members(&topic.name).await.unwrap().len(), 1);
}

pub async fn one_of_two_owners_who_remove_each_other_stays(store: &Store) {
    let topic = topic(store).await;
    let owners = [topic.created_by, member(store, &topic, Role::Owner).await];
    let outcomes = race(|number| {
        let (store, name) = (store.clone(), topic.name.clone());
        async move { remove(&store, &name, &Member::Account(owners[number % 2])).await }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == MemberChanged::Changed), 1);
    assert_eq!(store.members(&topic.name).await.unwrap().len(), 1);
}

pub async fn who_leaves_takes_the_targets_along(store: &Store) {
    let (topic, other) = (topic(store).await, topic(store).await);
    let leaver = member(store, &topic, Role::Member).await;
    let stays = channel::target(store, &topic).await;
    add(store, &other.name, &Member::Account(leaver), Role::Member).await;
    let browser = |topic| NewTarget { account: Some(leaver), ..new_target(topic, TargetKind::WebPush) };
    let elsewhere = browser(&other);
    for new in [elsewhere.clone(), browser(&topic)] {
        assert_eq!(store.add_target(new, T0).await.unwrap(), TargetAdded::Added);
    }
    assert_eq!(remove(store, &topic.name, &Member::Account(leaver)).await, MemberChanged::Changed);
    let left: Vec<Id> = store.targets(&topic.name).await.unwrap().iter().map(|target| target.id).collect();
    assert_eq!(left, [stays]);
    assert!(store.target(elsewhere.id).await.unwrap().is_some());
}

pub async fn a_disabled_account_leaves_its_topics(store: &Store) {
    let topic = topic(store).await;
    let (owner, other) = (topic.created_by, member(store, &topic, Role::Member).await);
    let target = channel::target(store, &topic).await;
    let integration = integration(store, &topic).await;
    assert_eq!(store.disable_account(owner, at(1)).await.unwrap(), AccountChanged::Changed);
    assert_eq!(store.role(&topic.name, &Member::Account(owner)).await.unwrap(), None);
    assert_eq!(store.target(target).await.unwrap(), None);
    assert_eq!(add(store, &topic.name, &Member::Account(owner), Role::Member).await, MemberChanged::Absent);
    assert!(store.integration(&integration.id).await.unwrap().is_some(), "the topic's, not the person's");
    assert_eq!(add(store, &topic.name, &Member::Account(other), Role::Owner).await, MemberChanged::Changed);
}

pub async fn a_deleted_topic_leaves_nothing(store: &Store) {
    let (topic, other) = (topic(store).await, topic(store).await);
    let (door, target) = (integration(store, &topic).await, channel::target(store, &topic).await);
    let mut long = delivery(&door, "one");
    long.append.body = Some(vec![7; 100_000]);
    let Receipt::Received { event_id } = store.receive(long.clone()).await.unwrap() else { panic!("it is new") };
    let named = post(&topic, "one");
    assert!(matches!(store.append_event_once(named.clone()).await.unwrap(), Appended::Appended { .. }));
    let spared = appended(store, notice(&other.name, T0)).await;
    assert_eq!(store.delete_topic(&topic.name, None, at(1)).await.unwrap(), Ended::Ended);
    assert_eq!(store.delete_topic(&topic.name, None, at(1)).await.unwrap(), Ended::Absent);
    assert_eq!(store.integration(&door.id).await.unwrap(), None);
    assert_eq!(store.deliveries(&door.id, None, 10).await.unwrap(), []);
    assert_eq!(store.receive(long).await.unwrap(), Receipt::UnknownIntegration);
    assert_eq!(store.target(target).await.unwrap(), None);
    assert_eq!(store.members(&topic.name).await.unwrap(), []);
    assert_eq!(store.channel_event(&topic.name, event_id).await.unwrap(), None);
    assert!(store.channel_event(&other.name, spared).await.unwrap().is_some());
    // The name is free, and whoever takes it finds nothing of before.
    let again = NewTopic { name: topic.name.clone(), ..new_topic(other.created_by) };
    topic_of(store, again).await;
    assert_eq!(store.events_in(&topic.name, 0, 10, 1000).await.unwrap(), []);
    assert!(appended(store, notice(&topic.name, T0)).await > spared);
    assert!(matches!(store.append_event_once(named).await.unwrap(), Appended::Appended { .. }), "nor names of posts");
}

pub async fn a_large_topic_goes_bit_by_bit(store: &Store) {
    let topic = topic(store).await;
    for _ in 0..9 {
        race(|_| {
            let (store, new) = (store.clone(), notice(&topic.name, T0));
            async move { appended(&store, new).await }
        })
        .await;
    }
    assert_eq!(store.delete_topic(&topic.name, None, T0).await.unwrap(), Ended::Ended);
    assert_eq!(store.events_in(&topic.name, 0, 1000, usize::MAX).await.unwrap().len(), 9 * 64 - 500);
    let again = NewTopic { name: topic.name.clone(), ..new_topic(topic.created_by) };
    let before = store.create_topic(again.clone(), T0).await.unwrap();
    assert_eq!(before, TopicCreated::Taken, "whoever takes the name must find nothing of before");
    for expected in [50, 26, 0] {
        assert_eq!(store.sweep(T0, Retention::default(), 50).await.unwrap(), expected);
    }
    topic_of(store, again).await;
    assert_eq!(store.events_in(&topic.name, 0, 1000, usize::MAX).await.unwrap(), []);
}
