//! Words for what a story of the channel starts from.

use fujie_core::{id::Id, time::Timestamp};
use fujie_store::{
    Appended, Delivery, Integration, IntegrationAdded, IntegrationKind, Member, MemberChanged, NewEvent, NewTarget,
    NewTopic, Post, Role, Store, TargetAdded, TargetKind, Topic, TopicCreated,
};

use super::{T0, account, digest, id, number};

pub fn new_topic(owner: Id) -> NewTopic {
    NewTopic { name: format!("topic-{:08}", number()), title: "小组".to_owned(), owner }
}

/// A topic of somebody.
pub async fn topic(store: &Store) -> Topic {
    let owner = account(store).await.id;
    topic_of(store, new_topic(owner)).await
}

pub async fn topic_of(store: &Store, new: NewTopic) -> Topic {
    match store.create_topic(new, T0).await.unwrap() {
        TopicCreated::Created(topic) => topic,
        other => panic!("{other:?}"),
    }
}

/// An account that is a member.
pub async fn member(store: &Store, topic: &Topic, role: Role) -> Id {
    let account = account(store).await.id;
    let added = store.add_member(&topic.name, Member::Account(account), role, None, T0).await.unwrap();
    assert_eq!(added, MemberChanged::Changed);
    account
}

pub fn new_integration(topic: &Topic) -> Integration {
    Integration {
        id: format!("integration-{:08}", number()),
        topic: topic.name.clone(),
        kind: IntegrationKind::Github,
        label: "代码".to_owned(),
        header: "X-Hub-Signature-256".to_owned(),
        prefix: "sha256=".to_owned(),
        id_header: Some("X-GitHub-Delivery".to_owned()),
        event_header: Some("X-GitHub-Event".to_owned()),
        sealed_secret: vec![1, 2, 3],
        created_by: Some(topic.created_by),
        hook: None,
        created_at: T0,
    }
}

pub async fn integration(store: &Store, topic: &Topic) -> Integration {
    let new = new_integration(topic);
    assert_eq!(store.add_integration(new.clone()).await.unwrap(), IntegrationAdded::Added);
    new
}

pub fn delivery(integration: &Integration, name: &str) -> Delivery {
    let append = NewEvent {
        event_type: "com.github.push".to_owned(),
        source: format!("/hooks/{}", integration.id),
        ..notice(&integration.topic, T0)
    };
    let (integration, delivery) = (integration.id.clone(), name.to_owned());
    Delivery { integration, delivery, earlier: None, event: "push".to_owned(), append }
}

/// What a member posts as `/ci` by a name.
pub fn post(topic: &Topic, name: &str) -> Post {
    let (member, append) = (Member::Account(topic.created_by), notice(&topic.name, T0));
    Post { member, source: "/ci".to_owned(), id: name.to_owned(), append }
}

pub fn notice(topic: &str, at: Timestamp) -> NewEvent {
    NewEvent {
        topic: topic.to_owned(),
        at,
        event_type: "notice".to_owned(),
        source: format!("/topics/{topic}"),
        subject: None,
        delivery: None,
        data: Some(r#"{"title":"开会"}"#.to_owned()),
        body: None,
    }
}

/// Appends and gives the event's id.
pub async fn appended(store: &Store, new: NewEvent) -> i64 {
    match store.append_event(new).await.unwrap() {
        Appended::Appended { event_id } => event_id,
        other => panic!("{other:?}"),
    }
}

pub fn new_target(topic: &Topic, kind: TargetKind) -> NewTarget {
    NewTarget {
        id: id(),
        topic: topic.name.clone(),
        kind,
        account: Some(topic.created_by),
        label: "群".to_owned(),
        address: digest(),
        sealed: vec![4, 5, 6],
    }
}

/// A group robot.
pub async fn target(store: &Store, topic: &Topic) -> Id {
    let new = new_target(topic, TargetKind::Feishu);
    assert_eq!(store.add_target(new.clone(), T0).await.unwrap(), TargetAdded::Added);
    new.id
}
