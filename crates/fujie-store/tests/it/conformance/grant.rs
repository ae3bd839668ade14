//! Grants, their codes and refresh tokens, and what may be used once.

use fujie_core::{
    account::Session,
    grant::{EndedWhy, Grant, Proof as _},
};
use fujie_store::{
    Ended, Event, EventKind, GrantBegun, NewSession, Redemption, Refresh, SessionBegun, Store, Use, UsedKind,
};

use crate::given::{self, T0, at, count, race};

async fn read(store: &Store, grant: &Grant) -> Grant {
    store.grant(grant.id).await.unwrap().unwrap()
}

async fn a_redeemed_grant(store: &Store) -> Grant {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    given::redeemed(store, given::new_grant(&session, &client.id)).await
}

async fn a_waiting_grant(store: &Store) -> Grant {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    given::born(store, given::new_grant(&session, &client.id)).await
}

pub async fn a_grant_reads_back_as_it_was(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let plain = given::new_grant(&session, &client.id);
    let mut full = given::new_grant(&session, &client.id);
    full.grant = Grant {
        session: None,
        acr: Some("urn:x".to_owned()),
        resource: "https://a.example https://b.example".to_owned(),
        key_binding: Some(given::digest()),
        rotates: false,
        parent: Some(given::id()),
        generation: 3,
        redeemed_at: Some(at(2)),
        ..full.grant
    };
    for begin in [plain, full] {
        let GrantBegun::Born(proof) = store.begin_grant(begin.clone(), T0).await.unwrap() else {
            panic!("everything lives");
        };
        assert_eq!(proof.draft(), begin.grant.id);
        assert_eq!(read(store, &begin.grant).await, begin.grant);
    }
    assert_eq!(store.grant(given::id()).await.unwrap(), None);
    assert_eq!(store.grants_of(session.account.id).await.unwrap().len(), 1, "codes that wait are not shown");
}

pub async fn a_code_is_redeemed_once(store: &Store) {
    let grant = a_waiting_grant(store).await;
    let Redemption::Redeemed(proof) = store.redeem_code(grant.id, at(900), at(59)).await.unwrap() else {
        panic!("it waits");
    };
    assert_eq!(proof.draft(), grant.id);
    let live = read(store, &grant).await;
    assert_eq!((live.redeemed_at, live.expires_at, live.ended), (Some(at(59)), at(900), None));
    // A replay is seen for as long as the grant lives, long after the code's own minute.
    assert!(matches!(store.redeem_code(grant.id, at(999), at(800)).await.unwrap(), Redemption::Replayed));
    assert_eq!(read(store, &grant).await.ended, Some((at(800), EndedWhy::CodeReplayed)));
    assert!(matches!(store.redeem_code(grant.id, at(999), at(801)).await.unwrap(), Redemption::Gone));
    let event = &store.events(1).await.unwrap()[0];
    assert_eq!(
        (event.kind, event.account, event.client.as_ref()),
        (EventKind::GrantEnded, Some(grant.account), Some(&grant.client))
    );
    assert!(event.detail.as_ref().unwrap().contains("code_replayed"));
}

pub async fn one_of_64_redeems_the_code(store: &Store) {
    let grant = a_waiting_grant(store).await;
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.redeem_code(grant.id, at(900), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, Redemption::Redeemed(_))), 1);
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, Redemption::Replayed)), 1);
    assert_eq!(read(store, &grant).await.ended, Some((at(1), EndedWhy::CodeReplayed)));
}

pub async fn an_expired_code_is_gone(store: &Store) {
    let grant = a_waiting_grant(store).await;
    assert!(matches!(store.redeem_code(grant.id, at(900), at(60)).await.unwrap(), Redemption::Gone));
    assert_eq!(read(store, &grant).await, grant);
    assert!(matches!(store.redeem_code(given::id(), at(900), at(1)).await.unwrap(), Redemption::Gone));
}

pub async fn a_refresh_token_rotates_once(store: &Store) {
    let grant = a_redeemed_grant(store).await;
    let Refresh::Refreshed(proof) = store.rotate(grant.id, 0, at(99_000), at(50)).await.unwrap() else {
        panic!("it is the generation");
    };
    assert_eq!(proof.draft(), grant.id);
    let rotated = read(store, &grant).await;
    assert_eq!((rotated.generation, rotated.rotated_at, rotated.expires_at), (1, at(50), at(99_000)));
    assert!(matches!(store.rotate(grant.id, 0, at(99_001), at(51)).await.unwrap(), Refresh::Lost));
    assert!(matches!(store.rotate(grant.id, 2, at(99_001), at(51)).await.unwrap(), Refresh::Lost));
    assert_eq!(read(store, &grant).await, rotated);
    assert!(matches!(store.extend(grant.id, at(99_500), at(52)).await.unwrap(), Refresh::Refreshed(_)));
    let extended = read(store, &grant).await;
    assert_eq!((extended.generation, extended.rotated_at, extended.expires_at), (1, at(52), at(99_500)));
}

pub async fn one_of_64_rotates_the_generation(store: &Store) {
    let grant = a_redeemed_grant(store).await;
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.rotate(grant.id, 0, at(900), at(2)).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, Refresh::Refreshed(_))), 1);
    let after = read(store, &grant).await;
    assert!(after.generation == 1 && after.is_live(at(2)));
}

pub async fn an_ended_grant_is_not_refreshed(store: &Store) {
    let (ended, expired) = (a_redeemed_grant(store).await, a_redeemed_grant(store).await);
    assert_eq!(store.end_grant(ended.id, EndedWhy::Revoked, at(5)).await.unwrap(), Ended::Ended);
    assert_eq!(store.end_grant(ended.id, EndedWhy::RefreshReused, at(6)).await.unwrap(), Ended::Absent);
    assert_eq!(read(store, &ended).await.ended, Some((at(5), EndedWhy::Revoked)));
    for (grant, now) in [(ended, at(7)), (expired, at(86_400))] {
        assert!(matches!(store.rotate(grant.id, 0, at(90_000), now).await.unwrap(), Refresh::Lost));
        assert!(matches!(store.extend(grant.id, at(90_000), now).await.unwrap(), Refresh::Lost));
    }
}

pub async fn only_an_unredeemed_grant_ends_by_misuse(store: &Store) {
    let (waiting, redeemed) = (a_waiting_grant(store).await, a_redeemed_grant(store).await);
    let end = async |id| store.end_unredeemed_grant(id, EndedWhy::CodeMisused, at(3)).await.unwrap();
    assert_eq!(end(waiting.id).await, Ended::Ended);
    assert_eq!(end(redeemed.id).await, Ended::Absent);
    assert!(matches!(store.redeem_code(waiting.id, at(900), at(4)).await.unwrap(), Redemption::Gone));
    assert!(read(store, &redeemed).await.is_live(at(4)));
}

/// Births and the end of what they rest on, in whatever order: nothing live is left.
pub async fn a_grant_does_not_outlive_an_account_disabled_meanwhile(store: &Store) {
    let (first, client) = (given::signed_in(store).await, given::client(store).await);
    let second = given::signed_in(store).await;
    let (begins, sessions) = (given::new_grant(&first, &client.id), [first.clone(), second.clone()]);
    race(|number| {
        let (store, session) = (store.clone(), sessions[number % 2].clone());
        let mut begin = given::new_grant(&session, &begins.grant.client);
        // Born redeemed, so that the bound on waiting codes does not decide.
        begin.grant.redeemed_at = Some(T0);
        async move {
            match number {
                30 => drop(store.disable_account(session.account.id, T0).await.unwrap()),
                31 => drop(store.end_session(session.id, T0).await.unwrap()),
                _ => drop(store.begin_grant(begin, T0).await.unwrap()),
            }
        }
    })
    .await;
    for session in sessions {
        let grants = store.grants_of(session.account.id).await.unwrap();
        assert_eq!(count(&grants, |grant| grant.is_live(T0)), 0);
    }
}

pub async fn a_fresh_sign_in_counts_once(store: &Store) {
    let (account, client) = (given::account(store).await, given::client(store).await);
    let new = NewSession { fresh_for: Some([9; 32]), ..given::new_session() };
    let SessionBegun::Begun(session) = store.begin_session(account.id, new, T0).await.unwrap() else {
        panic!("the account lives");
    };
    let consuming = |demand| {
        let mut begin = given::new_grant(&session, &client.id);
        begin.consume_fresh = Some(demand);
        begin
    };
    assert!(matches!(store.begin_grant(consuming([8; 32]), T0).await.unwrap(), GrantBegun::FreshnessGone));
    let outcomes = race(|_| {
        let (store, begin) = (store.clone(), consuming([9; 32]));
        async move { store.begin_grant(begin, T0).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, GrantBegun::Born(_))), 1);
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, GrantBegun::FreshnessGone)), 63);
    assert_eq!(store.session(session.id, T0).await.unwrap().unwrap().fresh_for, None);
}

pub async fn twenty_codes_of_a_session_wait_at_most(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let begin = || given::new_grant(&session, &client.id);
    let first = given::born(store, begin()).await;
    for _ in 1..20 {
        given::born(store, begin()).await;
    }
    assert!(matches!(store.begin_grant(begin(), T0).await.unwrap(), GrantBegun::TooManyUnredeemed));
    store.redeem_code(first.id, at(900), at(1)).await.unwrap();
    given::born(store, begin()).await;
    assert!(matches!(store.begin_grant(begin(), at(59)).await.unwrap(), GrantBegun::TooManyUnredeemed));
    assert!(matches!(store.begin_grant(begin(), at(60)).await.unwrap(), GrantBegun::Born(_)));
}

pub async fn a_session_of_another_account_bears_nothing(store: &Store) {
    let (session, client) = (given::signed_in(store).await, given::client(store).await);
    let other = given::account(store).await;
    let stolen = Session { account: other, ..session.clone() };
    let begin = given::new_grant(&stolen, &client.id);
    assert!(matches!(store.begin_grant(begin, T0).await.unwrap(), GrantBegun::SessionEnded));
    let expired = given::new_grant(&session, &client.id);
    let outcome = store.begin_grant(expired, session.expires_at).await.unwrap();
    assert!(matches!(outcome, GrantBegun::SessionEnded));
    let mut nobody = given::new_grant(&session, &client.id);
    nobody.grant.account = given::id();
    assert!(matches!(store.begin_grant(nobody, T0).await.unwrap(), GrantBegun::AccountGone));
}

pub async fn a_revoked_token_is_known_with_its_grant(store: &Store) {
    let grant = a_redeemed_grant(store).await;
    for seconds in [8, 9] {
        let whose = (Some(grant.account), grant.client.clone());
        store.revoke_token([4; 16], at(3600), whose, at(seconds)).await.unwrap();
    }
    let kind = EventKind::TokenRevoked;
    let told =
        Event { at: at(8), kind, account: Some(grant.account), client: Some(grant.client.clone()), detail: None };
    let events = store.events(500).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == kind).collect::<Vec<_>>(), [&told], "once");
    let found = async |token| store.grant_and_revoked(grant.id, token).await.unwrap().unwrap();
    assert_eq!(found([4; 16]).await, (grant.clone(), true));
    assert_eq!(found([5; 16]).await, (grant.clone(), false));
    assert!(store.is_revoked([4; 16]).await.unwrap() && !store.is_revoked([5; 16]).await.unwrap());
    assert_eq!(store.grant_and_revoked(given::id(), [4; 16]).await.unwrap(), None);
}

pub async fn one_of_64_uses_it_once(store: &Store) {
    assert!(!store.is_used(UsedKind::DpopJti, b"jti").await.unwrap());
    let outcomes = race(|_| {
        let store = store.clone();
        async move { store.use_once(UsedKind::DpopJti, b"jti", at(60)).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == Use::First), 1);
    let is_used = async |kind| store.is_used(kind, b"jti").await.unwrap();
    assert!(is_used(UsedKind::DpopJti).await && !is_used(UsedKind::AssertionJti).await);
    let other = store.use_once(UsedKind::AssertionJti, b"jti", at(60)).await.unwrap();
    assert_eq!(other, Use::First, "each kind has its own ids");
}

pub async fn a_repeated_refresh_is_noted_once(store: &Store) {
    let grant = a_redeemed_grant(store).await;
    for (generation, expected) in [(1, Use::First), (1, Use::Again), (2, Use::First)] {
        assert_eq!(store.note_refresh_repeated(grant.id, generation, at(9)).await.unwrap(), expected);
    }
    let events = store.events(500).await.unwrap();
    assert_eq!(count(&events, |event| event.kind == EventKind::RefreshRepeated), 2);
}
