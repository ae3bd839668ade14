//! Accounts, passwords and the set-up link.

use fujie_core::{grant::EndedWhy, secret::Secret};
use fujie_store::{AccountChanged, AccountCreated, NewAccount, SessionBegun, SetupLinkPut, SetupLinkSpent, Store};

use crate::given::{self, T0, at, count, race};

pub async fn usernames_are_unique_in_whatever_case(store: &Store) {
    let made = store.create_account(given::new_account(Some("Ming")), T0).await.unwrap();
    assert!(matches!(made, AccountCreated::Created(_)));
    let again = store.create_account(given::new_account(Some("MING")), T0).await.unwrap();
    assert_eq!(again, AccountCreated::UsernameTaken);
    for _ in 0..2 {
        let nameless = store.create_account(given::new_account(None), T0).await.unwrap();
        assert!(matches!(nameless, AccountCreated::Created(_)));
    }
}

pub async fn one_of_64_gets_the_username(store: &Store) {
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.create_account(given::new_account(Some("ming")), T0).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == AccountCreated::UsernameTaken), 63);
}

pub async fn the_setup_link_is_spent_once(store: &Store) {
    let link = given::digest();
    assert!(!store.has_administrator().await.unwrap());
    assert_eq!(store.put_setup_link(link, at(3600)).await.unwrap(), SetupLinkPut::Waiting);
    let outcomes = race(|number| {
        let (store, new) = (store.clone(), given::new_account(Some(&format!("admin{number}"))));
        async move { store.spend_setup_link(link, new, at(1)).await.unwrap() }
    })
    .await;
    let made = |outcome: &SetupLinkSpent| matches!(outcome, SetupLinkSpent::Made(account) if account.is_administrator);
    assert_eq!(count(&outcomes, made), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == SetupLinkSpent::Refused), 63);
    assert!(store.has_administrator().await.unwrap());
    assert_eq!(store.put_setup_link(link, at(3600)).await.unwrap(), SetupLinkPut::Refused);
}

pub async fn the_setup_link_expires_and_is_replaced(store: &Store) {
    let (old, new) = (given::digest(), given::digest());
    let spend = async |link, now| {
        let account = given::new_account(Some("Ming"));
        store.spend_setup_link(link, account, now).await.unwrap()
    };
    assert_eq!(spend(old, T0).await, SetupLinkSpent::Refused);
    store.put_setup_link(old, at(3600)).await.unwrap();
    store.put_setup_link(new, at(3600)).await.unwrap();
    assert_eq!(spend(old, T0).await, SetupLinkSpent::Refused);
    assert_eq!(spend(new, at(3600)).await, SetupLinkSpent::Refused);
    store.create_account(given::new_account(Some("ming")), T0).await.unwrap();
    assert_eq!(spend(new, at(3599)).await, SetupLinkSpent::UsernameTaken);
    assert!(!store.has_administrator().await.unwrap());
    let other = store.spend_setup_link(new, given::new_account(Some("hong")), at(3599)).await.unwrap();
    assert!(matches!(other, SetupLinkSpent::Made(_)));
}

pub async fn the_setup_link_is_closed_by_any_administrator(store: &Store) {
    let link = given::digest();
    store.put_setup_link(link, at(3600)).await.unwrap();
    let administrator = NewAccount { is_administrator: true, ..given::new_account(Some("root")) };
    store.create_account(administrator, T0).await.unwrap();
    let spent = store.spend_setup_link(link, given::new_account(Some("thief")), T0).await.unwrap();
    assert_eq!(spent, SetupLinkSpent::Refused);
}

pub async fn a_new_password_ends_sessions_and_grants(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let mut begin = given::new_grant(&session, &client.id);
    begin.offline = true;
    let grant = given::redeemed(store, begin).await;
    let hash = Secret::new("$argon2id$new".to_owned());
    let changed = store.set_password(session.account.id, hash, at(5)).await.unwrap();
    assert_eq!(changed, AccountChanged::Changed);
    assert_eq!(store.session(session.id, at(5)).await.unwrap(), None);
    let ended = store.grant(grant.id).await.unwrap().unwrap().ended;
    assert_eq!(ended, Some((at(5), EndedWhy::AccountChanged)));
    let folded = session.account.username.as_ref().unwrap().to_lowercase();
    let (account, hash) = store.password_of(&folded).await.unwrap().unwrap();
    assert_eq!((account.version, hash.expose()), (session.account.version + 1, "$argon2id$new"));
}

pub async fn a_disabled_account_can_do_nothing(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let grant = given::redeemed(store, given::new_grant(&session, &client.id)).await;
    let account = session.account.id;
    assert_eq!(store.disable_account(account, at(5)).await.unwrap(), AccountChanged::Changed);
    assert_eq!(store.disable_account(account, at(6)).await.unwrap(), AccountChanged::Gone);
    assert_eq!(store.account(account).await.unwrap().unwrap().disabled_at, Some(at(5)));
    assert_eq!(store.session(session.id, at(5)).await.unwrap(), None);
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended.is_some());
    let begun = store.begin_session(account, given::new_session(), at(6)).await.unwrap();
    assert_eq!(begun, SessionBegun::AccountGone);
    let set = store.set_password(account, Secret::new("x".to_owned()), at(6)).await.unwrap();
    assert_eq!(set, AccountChanged::Gone);
    let nobody = store.begin_session(given::id(), given::new_session(), at(6)).await.unwrap();
    assert_eq!(nobody, SessionBegun::AccountGone);
}

pub async fn a_password_is_found_by_the_folded_name(store: &Store) {
    let AccountCreated::Created(account) = store.create_account(given::new_account(Some("Ming")), T0).await.unwrap()
    else {
        panic!("the name was free");
    };
    let (found, hash) = store.password_of("ming").await.unwrap().unwrap();
    assert_eq!((&found, hash.expose()), (&account, "$argon2id$test"));
    assert!(store.password_of("hong").await.unwrap().is_none());
    assert_eq!(store.account_named("ming").await.unwrap(), Some(account));
    assert_eq!(store.account_named("Ming").await.unwrap(), None, "names are folded by the caller");
}
