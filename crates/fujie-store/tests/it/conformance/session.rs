//! Browser sessions.

use fujie_core::grant::EndedWhy;
use fujie_store::{Ended, NewSession, SessionBegun, Store};

use crate::given::{self, T0, at};

pub async fn a_session_is_read_with_its_account(store: &Store) {
    let account = given::account(store).await;
    let new = NewSession { fresh_for: Some([5; 32]), ..given::new_session() };
    let SessionBegun::Begun(session) = store.begin_session(account.id, new.clone(), T0).await.unwrap() else {
        panic!("the account lives");
    };
    assert_eq!((session.id, session.fresh_for, &session.account), (new.id, Some([5; 32]), &account));
    assert_eq!(store.session(new.id, at(1)).await.unwrap(), Some(session));
    assert_eq!(store.session(given::digest(), at(1)).await.unwrap(), None);
}

pub async fn a_session_ends_with_its_grants_but_not_the_offline_ones(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let other = given::session(store, &session.account).await;
    let online = given::redeemed(store, given::new_grant(&session, &client.id)).await;
    let elsewhere = given::redeemed(store, given::new_grant(&other, &client.id)).await;
    let mut begin = given::new_grant(&session, &client.id);
    begin.offline = true;
    let offline = given::redeemed(store, begin).await;
    assert_eq!(store.end_session(session.id, at(7)).await.unwrap(), Ended::Ended);
    assert_eq!(store.end_session(session.id, at(8)).await.unwrap(), Ended::Absent);
    assert_eq!(store.session(session.id, at(7)).await.unwrap(), None);
    let ended = async |id| store.grant(id).await.unwrap().unwrap().ended;
    assert_eq!(ended(online.id).await, Some((at(7), EndedWhy::SignedOut)));
    assert_eq!(ended(offline.id).await, None);
    assert_eq!(ended(elsewhere.id).await, None);
}

pub async fn a_session_expires(store: &Store) {
    let account = given::account(store).await;
    let new = NewSession { expires_at: at(10), ..given::new_session() };
    store.begin_session(account.id, new.clone(), T0).await.unwrap();
    assert!(store.session(new.id, at(9)).await.unwrap().is_some());
    assert!(store.session(new.id, at(10)).await.unwrap().is_none());
}

pub async fn sessions_of_an_account_are_listed(store: &Store) {
    let first = given::signed_in(store).await;
    let second = given::session(store, &first.account).await;
    let ended = given::session(store, &first.account).await;
    store.end_session(ended.id, at(1)).await.unwrap();
    given::signed_in(store).await;
    let listed = store.sessions_of(first.account.id, at(1)).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&first) && listed.contains(&second));
}
