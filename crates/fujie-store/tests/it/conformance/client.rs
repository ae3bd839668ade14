//! Clients: registered whole, disabled with all they hold.

use fujie_core::{
    client::{Api, Client, PkcePolicy, TokenForm},
    grant::EndedWhy,
    jose::jws::Algorithm,
    request::redirect_uri::RegisteredUri,
    time::Lifetime,
};
use fujie_store::{ClientAdded, ClientChanged, Store};

use crate::given::{self, T0, at, scope};

fn api() -> Client {
    let sentences = [("en".to_owned(), "Read your notes".to_owned()), ("zh".to_owned(), "读取你的笔记".to_owned())];
    Client {
        is_public: true,
        secrets: vec![],
        redirect_uris: vec![],
        post_logout_redirect_uris: vec![RegisteredUri::parse("https://app.example/bye").unwrap()],
        pkce: PkcePolicy::PlainAllowed,
        rotates: Some(false),
        refresh_window: Lifetime::from_seconds(0),
        access_token_lifetime: Some(Lifetime::from_seconds(7200)),
        id_token_alg: Algorithm::Rs256,
        api: Some(Api {
            resource: "https://notes.example/".to_owned(),
            scope: scope("notes.read"),
            scope_words: [("notes.read".to_owned(), sentences.into())].into(),
            token: TokenForm::Jwt(Algorithm::EdDsa),
        }),
        ..given::new_client()
    }
}

pub async fn a_client_reads_back_as_it_was(store: &Store) {
    let mut two = Client { secrets: vec![given::digest(), given::digest()], ..given::new_client() };
    let api = api();
    let revision = store.revision().await.unwrap();
    assert_eq!(store.add_client(&two, T0).await.unwrap(), ClientAdded::Added);
    assert_eq!(store.add_client(&api, T0).await.unwrap(), ClientAdded::Added);
    assert_eq!(store.revision().await.unwrap(), revision + 2);
    let mut found = store.clients().await.unwrap();
    let by_bytes = |client: &mut Client| client.secrets.sort_by_key(|secret| *secret.as_bytes());
    found.iter_mut().for_each(by_bytes);
    by_bytes(&mut two);
    assert!(found.contains(&two) && found.contains(&api) && found.len() == 2);
}

pub async fn a_client_id_is_registered_once(store: &Store) {
    let client = given::client(store).await;
    let again = Client { secrets: vec![given::digest()], ..client.clone() };
    assert_eq!(store.add_client(&again, T0).await.unwrap(), ClientAdded::Taken);
    assert_eq!(store.clients().await.unwrap(), [client]);
}

pub async fn an_api_is_registered_once(store: &Store) {
    assert_eq!(store.add_client(&api(), T0).await.unwrap(), ClientAdded::Added);
    assert_eq!(store.add_client(&api(), T0).await.unwrap(), ClientAdded::Taken);
}

pub async fn a_disabled_client_loses_its_grants_and_its_epoch(store: &Store) {
    let (session, own, other) = (given::signed_in(store).await, given::client(store).await, given::client(store).await);
    let grant = given::redeemed(store, given::new_grant(&session, &own.id)).await;
    let spared = given::redeemed(store, given::new_grant(&session, &other.id)).await;
    let revision = store.revision().await.unwrap();
    assert_eq!(store.disable_client(&own.id, at(9)).await.unwrap(), ClientChanged::Changed);
    assert_eq!(store.disable_client(&own.id, at(9)).await.unwrap(), ClientChanged::Unchanged);
    assert_eq!(store.disable_client("nobody", at(9)).await.unwrap(), ClientChanged::Unchanged);
    assert_eq!(store.revision().await.unwrap(), revision + 1);
    let disabled = Client { is_disabled: true, epoch: own.epoch + 1, ..own.clone() };
    assert_eq!(store.clients().await.unwrap(), [disabled, other]);
    let ended = store.grant(grant.id).await.unwrap().unwrap().ended;
    assert_eq!(ended, Some((at(9), EndedWhy::ClientChanged)));
    assert_eq!(store.grant(spared.id).await.unwrap().unwrap().ended, None);
    assert_eq!(store.enable_client(&own.id, at(10)).await.unwrap(), ClientChanged::Changed);
    let enabled = &store.clients().await.unwrap()[0];
    assert_eq!((enabled.is_disabled, enabled.epoch), (false, own.epoch + 1));
}

pub async fn ending_all_of_a_client_leaves_it_enabled(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let grant = given::redeemed(store, given::new_grant(&session, &client.id)).await;
    assert_eq!(store.end_all_of_client(&client.id, at(9)).await.unwrap(), ClientChanged::Changed);
    assert_eq!(store.clients().await.unwrap(), [Client { epoch: client.epoch + 1, ..client }]);
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended.is_some());
}
