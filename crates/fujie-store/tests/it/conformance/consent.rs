//! Remembered consent.

use fujie_core::grant::EndedWhy;
use fujie_store::{Consent, Ended, GrantBegun, Store};

use crate::given::{self, T0, at, scope};

pub async fn consent_is_remembered_and_united(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let account = session.account.id;
    assert_eq!(store.consent(account, &client.id).await.unwrap(), None);
    for (asked, remembered) in [("openid", "openid"), ("profile openid", "openid profile")] {
        let mut begin = given::new_grant(&session, &client.id);
        begin.consent = Consent::Remember(scope(asked));
        given::born(store, begin).await;
        assert_eq!(store.consent(account, &client.id).await.unwrap(), Some(scope(remembered)));
    }
    let all = store.consents_of(account).await.unwrap();
    assert_eq!((all.len(), &all[0].client, all[0].given_at), (1, &client.id, T0));
}

pub async fn withdrawn_consent_ends_the_grants(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let other = given::client(store).await;
    let mut begin = given::new_grant(&session, &client.id);
    begin.consent = Consent::Remember(scope("openid"));
    let grant = given::redeemed(store, begin).await;
    let spared = given::redeemed(store, given::new_grant(&session, &other.id)).await;
    let account = session.account.id;
    assert_eq!(store.withdraw_consent(account, &client.id, at(4)).await.unwrap(), Ended::Ended);
    assert_eq!(store.withdraw_consent(account, &client.id, at(4)).await.unwrap(), Ended::Absent);
    assert_eq!(store.consent(account, &client.id).await.unwrap(), None);
    let ended = store.grant(grant.id).await.unwrap().unwrap().ended;
    assert_eq!(ended, Some((at(4), EndedWhy::ConsentWithdrawn)));
    assert_eq!(store.grant(spared.id).await.unwrap().unwrap().ended, None);
}

pub async fn a_grant_does_not_rest_on_withdrawn_consent(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let resting = || {
        let mut begin = given::new_grant(&session, &client.id);
        begin.consent = Consent::Remembered;
        begin
    };
    assert!(matches!(store.begin_grant(resting(), T0).await.unwrap(), GrantBegun::ConsentGone));
    let mut begin = given::new_grant(&session, &client.id);
    begin.consent = Consent::Remember(scope("openid"));
    given::born(store, begin.clone()).await;
    // Remembered, but not for all that is asked.
    assert!(matches!(store.begin_grant(resting(), T0).await.unwrap(), GrantBegun::ConsentGone));
    begin.grant.id = given::id();
    begin.consent = Consent::Remember(scope("profile"));
    given::born(store, begin).await;
    given::born(store, resting()).await;
    store.withdraw_consent(session.account.id, &client.id, T0).await.unwrap();
    let gone = resting();
    let id = gone.grant.id;
    assert!(matches!(store.begin_grant(gone, T0).await.unwrap(), GrantBegun::ConsentGone));
    assert_eq!(store.grant(id).await.unwrap(), None);
}

pub async fn a_consent_too_long_to_unite_is_replaced(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    for letter in ["a", "b"] {
        let long = scope(&letter.repeat(600));
        let mut begin = given::new_grant(&session, &client.id);
        begin.consent = Consent::Remember(long.clone());
        given::born(store, begin).await;
        assert_eq!(store.consent(session.account.id, &client.id).await.unwrap(), Some(long));
    }
}
