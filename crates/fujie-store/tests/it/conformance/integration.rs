//! Integrations: what judging a delivery needs, and the hooks at providers.

use fujie_store::{Hook, Integration, IntegrationAdded, IntegrationChanged, IntegrationKind, Store};

use crate::given::{
    T0, at,
    channel::{integration, new_integration, topic},
    count, race,
};

pub async fn an_integration_reads_back_as_it_was(store: &Store) {
    let topic = topic(store).await;
    let github = integration(store, &topic).await;
    let hook = Hook { connection: "github".to_owned(), repository: "octo/cat".to_owned(), id: Some(u64::MAX) };
    let token = Integration {
        kind: IntegrationKind::Token,
        header: "X-Gitlab-Token".to_owned(),
        prefix: String::new(),
        id_header: None,
        event_header: None,
        created_by: None,
        hook: Some(hook),
        created_at: at(1),
        ..new_integration(&topic)
    };
    assert_eq!(store.add_integration(token.clone()).await.unwrap(), IntegrationAdded::Added);
    assert_eq!(store.integration(&github.id).await.unwrap(), Some(github.clone()));
    assert_eq!(store.integrations(&topic.name).await.unwrap(), [github, token]);
    assert_eq!(store.integration("another").await.unwrap(), None);
}

pub async fn an_integration_gets_its_hook_and_another_secret(store: &Store) {
    let topic = topic(store).await;
    let (before, spared) = (integration(store, &topic).await, integration(store, &topic).await);
    let begun = Hook { connection: "github".to_owned(), repository: "octo/cat".to_owned(), id: None };
    let hook = Hook { id: Some(42), ..begun.clone() };
    assert_eq!(store.set_hook(&before.id, begun.clone()).await.unwrap(), IntegrationChanged::Changed);
    assert_eq!(store.integration(&before.id).await.unwrap().unwrap().hook, Some(begun));
    assert_eq!(store.set_hook(&before.id, hook.clone()).await.unwrap(), IntegrationChanged::Changed);
    let replaced = store.replace_integration_secret(&before.id, vec![9], None, T0).await.unwrap();
    assert_eq!(replaced, IntegrationChanged::Changed);
    let after = Integration { hook: Some(hook.clone()), sealed_secret: vec![9], ..before.clone() };
    assert_eq!(store.integration(&before.id).await.unwrap(), Some(after));
    assert_eq!(store.integration(&spared.id).await.unwrap(), Some(spared));
    assert_eq!(store.set_hook("another", hook).await.unwrap(), IntegrationChanged::Absent);
    let replaced = store.replace_integration_secret("another", vec![9], None, T0).await.unwrap();
    assert_eq!(replaced, IntegrationChanged::Absent);
}

pub async fn an_integration_needs_its_topic(store: &Store) {
    let mut new = new_integration(&topic(store).await);
    new.topic = "another".to_owned();
    assert_eq!(store.add_integration(new.clone()).await.unwrap(), IntegrationAdded::UnknownTopic);
    assert_eq!(store.integration(&new.id).await.unwrap(), None);
}

pub async fn a_topic_has_fifty_integrations(store: &Store) {
    let topic = topic(store).await;
    let outcomes = race(|_| {
        let (store, new) = (store.clone(), new_integration(&topic));
        async move { store.add_integration(new).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == IntegrationAdded::Added), 50);
    assert_eq!(store.integrations(&topic.name).await.unwrap().len(), 50);
}
