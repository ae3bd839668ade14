//! Account binding: one person, one account, whatever comes when.

use fujie_core::{
    account::{Account, Session},
    binding::identity::{Bound, Identity, Union},
    secret::{Digest, Secret},
};
use fujie_store::{
    Attached, CreatedAndBound, Ended, EventKind, IdentityKey, NewAccount, PendingStored, SignIn, Store, Unbind,
    Unbinding, Use, UsedKind, WayIn, WaysIn,
};

use crate::given::{self, T0, at, count, race};

/// A person new to us made an account with this identity.
async fn bound_account(store: &Store, identity: &Identity) -> Session {
    let ticket = given::ticket(store, identity).await;
    match create(store, ticket).await {
        CreatedAndBound::Bound(session) => session,
        other => panic!("{other:?}"),
    }
}

async fn create(store: &Store, ticket: Digest) -> CreatedAndBound {
    store.create_and_bind(ticket, given::new_account(None), given::new_session(), at(1)).await.unwrap()
}

async fn sign_in(store: &Store, identity: &Identity) -> SignIn {
    store.sign_in_by_identity(given::flow(), identity.clone(), given::new_session(), at(2)).await.unwrap()
}

async fn signs_in_to(store: &Store, identity: &Identity) -> Account {
    match sign_in(store, identity).await {
        SignIn::SignedIn(session) => session.account,
        other => panic!("{other:?}"),
    }
}

/// The same person under another application of the same group.
fn in_another_app(identity: &Identity) -> Identity {
    Identity { app: "wx-phone".to_owned(), ..given::identity(identity.union.clone()) }
}

fn both(account: &Account) -> Bound {
    Bound { identity: Some(account.id), union: Some(account.id) }
}

pub async fn an_identity_is_bound_and_signs_in(store: &Store) {
    let identity = given::identity(Some(given::union()));
    assert_eq!(sign_in(store, &identity).await, SignIn::NotBound);
    let ticket = given::ticket(store, &identity).await;
    assert_eq!(store.pending(ticket, T0).await.unwrap().unwrap().identity, identity);
    let CreatedAndBound::Bound(session) = create(store, ticket).await else { panic!("it is new") };
    assert_eq!(store.session(session.id, at(2)).await.unwrap().unwrap().account, session.account);
    assert_eq!(store.bound(&identity).await.unwrap(), both(&session.account));
    assert_eq!(create(store, ticket).await, CreatedAndBound::TicketGone);
    let renamed = Identity { nickname: Some("新名字".to_owned()), ..identity };
    assert_eq!(signs_in_to(store, &renamed).await.id, session.account.id);
    let listed = store.identities_of(session.account.id).await.unwrap();
    assert_eq!((listed.len(), &listed[0].identity, listed[0].bound_at), (1, &renamed, at(1)));
    let kinds: Vec<_> = store.events(4).await.unwrap().into_iter().map(|event| event.kind).collect();
    use EventKind::{AccountMade, IdentityBound, SignedIn};
    assert_eq!(kinds, [SignedIn, SignedIn, IdentityBound, AccountMade]);
}

pub async fn one_of_64_spends_the_ticket(store: &Store) {
    let identity = given::identity(Some(given::union()));
    let ticket = given::ticket(store, &identity).await;
    let outcomes = race(|_| {
        let store = store.clone();
        async move { create(&store, ticket).await }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, CreatedAndBound::Bound(_))), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == CreatedAndBound::TicketGone), 63);
}

pub async fn two_tickets_of_one_identity_make_one_account(store: &Store) {
    let identity = given::identity(Some(given::union()));
    // The same person in another application: only the union row is shared.
    let elsewhere = in_another_app(&identity);
    let mut tickets = Vec::new();
    for number in 0..64 {
        let identity = if number % 2 == 0 { &identity } else { &elsewhere };
        tickets.push(given::ticket(store, identity).await);
    }
    let outcomes = race(|number| {
        let (store, ticket) = (store.clone(), tickets[number]);
        async move { create(&store, ticket).await }
    })
    .await;
    let winners: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            CreatedAndBound::Bound(session) => Some(session.account.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(winners.len(), 1);
    let lost = |outcome: &CreatedAndBound| matches!(outcome, CreatedAndBound::AlreadyBound(bound) if bound.union == Some(winners[0].id));
    assert_eq!(count(&outcomes, lost), 63);
    // Who lost goes on as an ordinary sign-in, with the ticket that still works, once.
    for expected in [true, false] {
        for ticket in &tickets {
            let signed_in = store.sign_in_by_ticket(*ticket, given::new_session(), at(2)).await.unwrap();
            match signed_in {
                SignIn::SignedIn(session) => assert!(expected && session.account.id == winners[0].id),
                other => assert_eq!(other, SignIn::FlowUsed),
            }
        }
    }
    assert_eq!(store.identities_of(winners[0].id).await.unwrap().len(), 2);
}

pub async fn a_flow_is_used_once(store: &Store) {
    let (identity, flow) = (given::identity(None), given::flow());
    let session = bound_account(store, &identity).await;
    let outcomes = race(|_| {
        let (store, flow, identity) = (store.clone(), flow.clone(), identity.clone());
        async move { store.sign_in_by_identity(flow, identity, given::new_session(), at(2)).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, SignIn::SignedIn(_))), 1);
    assert_eq!(count(&outcomes, |outcome| *outcome == SignIn::FlowUsed), 63);
    // A flow that led nowhere is not used up: it goes on to the bind page.
    let (unknown, flow) = (given::identity(None), given::flow());
    let nobody = store.sign_in_by_identity(flow.clone(), unknown, given::new_session(), T0).await.unwrap();
    assert_eq!(nobody, SignIn::NotBound);
    assert_eq!(store.use_once(UsedKind::Flow, &flow.id, flow.until).await.unwrap(), Use::First);
    let pending = store.pending(given::ticket(store, &given::identity(None)).await, T0).await.unwrap().unwrap();
    let again = fujie_core::binding::identity::Pending { ticket: given::digest(), ..pending.clone() };
    assert_eq!(store.store_pending(flow, again).await.unwrap(), PendingStored::FlowUsed);
    let known = fujie_core::binding::identity::Pending { identity, ticket: given::digest(), ..pending };
    let bound = Bound { identity: Some(session.account.id), union: None };
    assert_eq!(store.store_pending(given::flow(), known).await.unwrap(), PendingStored::AlreadyBound(bound));
}

pub async fn a_unionid_that_appears_later_is_added(store: &Store) {
    let before = given::identity(None);
    let session = bound_account(store, &before).await;
    let after = Identity { union: Some(given::union()), ..before.clone() };
    let account = signs_in_to(store, &after).await;
    assert_eq!((account.id, account.version), (session.account.id, session.account.version + 1));
    assert_eq!(store.bound(&after).await.unwrap(), both(&account));
    // From now on another application leads to the same account, and a provider that forgets the unionid does too.
    assert_eq!(signs_in_to(store, &in_another_app(&after)).await.id, account.id);
    assert_eq!(signs_in_to(store, &before).await.id, account.id);
    assert_eq!(store.bound(&after).await.unwrap(), both(&account));
}

pub async fn a_new_openid_of_a_known_union_is_added(store: &Store) {
    let site = given::identity(Some(given::union()));
    let session = bound_account(store, &site).await;
    let phone = in_another_app(&site);
    let account = signs_in_to(store, &phone).await;
    assert_eq!((account.id, account.version), (session.account.id, session.account.version + 1));
    assert_eq!(store.bound(&phone).await.unwrap(), both(&account));
    assert_eq!(store.identities_of(account.id).await.unwrap().len(), 2);
    assert_eq!(signs_in_to(store, &phone).await.version, account.version, "an ordinary sign-in binds nothing");
}

pub async fn two_rows_of_two_accounts_are_a_conflict_and_change_nothing(store: &Store) {
    let (site, phone) = (given::identity(None), given::identity(Some(given::union())));
    let (a, b) = (bound_account(store, &site).await.account, bound_account(store, &phone).await.account);
    let torn = Identity { union: phone.union.clone(), ..site.clone() };
    let events = store.events(500).await.unwrap().len();
    let flow = given::flow();
    for _ in 0..2 {
        let outcome = store.sign_in_by_identity(flow.clone(), torn.clone(), given::new_session(), at(2)).await.unwrap();
        assert_eq!(outcome, SignIn::Conflict { identity: a.id, union: b.id });
    }
    assert_eq!(store.account(a.id).await.unwrap().unwrap(), a);
    assert_eq!(store.account(b.id).await.unwrap().unwrap(), b);
    assert_eq!(store.identities_of(a.id).await.unwrap()[0].identity, site);
    assert_eq!(store.events(500).await.unwrap().len(), events);
}

pub async fn a_taken_username_leaves_the_ticket(store: &Store) {
    let taken = given::account(store).await;
    let ticket = given::ticket(store, &given::identity(Some(given::union()))).await;
    let named = NewAccount { ..given::new_account(taken.username.as_deref()) };
    let outcome = store.create_and_bind(ticket, named, given::new_session(), at(1)).await.unwrap();
    assert_eq!(outcome, CreatedAndBound::UsernameTaken);
    assert!(matches!(create(store, ticket).await, CreatedAndBound::Bound(_)));
}

pub async fn an_identity_is_attached_to_the_session(store: &Store) {
    let session = given::signed_in(store).await;
    let identity = given::identity(Some(given::union()));
    let (first, second) = (given::ticket(store, &identity).await, given::ticket(store, &identity).await);
    let Attached::Bound(account) = store.attach_and_bind(first, session.id, at(1)).await.unwrap() else {
        panic!("it is free");
    };
    assert_eq!((account.id, account.version), (session.account.id, session.account.version + 1));
    assert_eq!(signs_in_to(store, &identity).await.id, account.id);
    assert_eq!(store.attach_and_bind(first, session.id, at(1)).await.unwrap(), Attached::TicketGone);
    let again = store.attach_and_bind(second, session.id, at(1)).await.unwrap();
    assert!(matches!(again, Attached::Bound(same) if same.id == account.id));
}

pub async fn an_identity_of_another_is_not_attached(store: &Store) {
    let (session, identity) = (given::signed_in(store).await, given::identity(Some(given::union())));
    let phone = in_another_app(&identity);
    let (direct, by_union) = (given::ticket(store, &identity).await, given::ticket(store, &phone).await);
    let owner = bound_account_by(store, &identity).await;
    for ticket in [direct, by_union] {
        let outcome = store.attach_and_bind(ticket, session.id, at(2)).await.unwrap();
        assert_eq!(outcome, Attached::AlreadyBoundElsewhere);
        assert!(store.pending(ticket, at(2)).await.unwrap().is_some());
    }
    assert_eq!(store.identities_of(session.account.id).await.unwrap(), []);
    assert_eq!(store.account(session.account.id).await.unwrap().unwrap(), session.account);
    assert_eq!(store.bound(&phone).await.unwrap(), Bound { identity: None, union: Some(owner.id) });
    store.end_session(session.id, at(2)).await.unwrap();
    let ended = store.attach_and_bind(direct, session.id, at(3)).await.unwrap();
    assert_eq!(ended, Attached::SessionEnded);
}

async fn bound_account_by(store: &Store, identity: &Identity) -> Account {
    bound_account(store, identity).await.account
}

pub async fn one_of_two_accounts_attaches_the_identity(store: &Store) {
    let sessions = [given::signed_in(store).await, given::signed_in(store).await];
    let identity = given::identity(Some(given::union()));
    let mut tickets = Vec::new();
    for _ in 0..64 {
        tickets.push(given::ticket(store, &identity).await);
    }
    race(|number| {
        let (store, ticket, session) = (store.clone(), tickets[number], sessions[number % 2].id);
        async move { store.attach_and_bind(ticket, session, at(1)).await.unwrap() }
    })
    .await;
    let bound = store.bound(&identity).await.unwrap();
    assert!(bound.identity.is_some() && bound.identity == bound.union);
    let mut listed = 0;
    for session in sessions {
        listed += store.identities_of(session.account.id).await.unwrap().len();
    }
    assert_eq!(listed, 1);
}

pub async fn a_disabled_account_is_not_entered_by_identity(store: &Store) {
    let identity = given::identity(Some(given::union()));
    let account = bound_account_by(store, &identity).await;
    store.disable_account(account.id, at(2)).await.unwrap();
    assert_eq!(sign_in(store, &identity).await, SignIn::AccountDisabled);
    assert_eq!(sign_in(store, &in_another_app(&identity)).await, SignIn::AccountDisabled);
}

pub async fn the_last_way_in_stays(store: &Store) {
    let site = given::identity(Some(given::union()));
    let account = bound_account_by(store, &site).await;
    let phone = in_another_app(&site);
    signs_in_to(store, &phone).await;
    let unbind = async |identity: &Identity| given::unbound(store, account.id, identity, &["wechat", "github"]).await;
    // What is joined by one union row is one way in.
    assert_eq!(unbind(&site).await, Unbinding::LastWayIn);
    assert_eq!(unbind(&given::identity(None)).await, Unbinding::Absent);
    assert_eq!(store.account(account.id).await.unwrap().unwrap().version, account.version + 1);
    let github = Identity { provider: "github".to_owned(), ..given::identity(None) };
    let (ticket, session) = (given::ticket(store, &github).await, given::session(store, &account).await);
    assert!(matches!(store.attach_and_bind(ticket, session.id, at(6)).await.unwrap(), Attached::Bound(_)));
    assert_eq!(unbind(&github).await, Unbinding::Unbound(vec![]));
    // A hash without a name to give it is no way in.
    store.set_password(account.id, Secret::new("$argon2id$x".to_owned()), at(6)).await.unwrap();
    assert_eq!(unbind(&site).await, Unbinding::LastWayIn);
    let other = given::account(store).await;
    assert_eq!(given::unbound(store, other.id, &site, &["wechat"]).await, Unbinding::Absent);
}

/// An account with a password, a WeChat and a GitHub, and a session of it.
async fn with_two_identities(store: &Store) -> (Session, Identity, Identity) {
    let (session, wechat) = (given::signed_in(store).await, given::identity(None));
    let github = Identity { provider: "github".to_owned(), ..wechat.clone() };
    for identity in [&wechat, &github] {
        attach(store, &session, identity).await;
    }
    let password = Secret::new("$argon2id$x".to_owned());
    store.set_password(session.account.id, password, at(1)).await.unwrap();
    (session, wechat, github)
}

async fn attach(store: &Store, session: &Session, identity: &Identity) {
    let ticket = given::ticket(store, identity).await;
    let attached = store.attach_and_bind(ticket, session.id, at(1)).await.unwrap();
    assert!(matches!(attached, Attached::Bound(_)), "{attached:?}");
}

pub async fn a_way_in_that_is_not_offered_is_none(store: &Store) {
    let (session, wechat, _) = with_two_identities(store).await;
    let account = session.account.id;
    for (password, providers, is_last) in [
        (false, vec![], true),
        (false, vec!["wechat"], true),
        (false, vec!["wechat", "github"], false),
        (true, vec![], false),
    ] {
        let unbind = given::unbind(store, account, &wechat, &providers).await;
        let unbind = Unbind { offered: WaysIn { password, ..unbind.offered }, ..unbind };
        let told = store.is_last_way_in(account, &unbind.key, &unbind.offered, at(2)).await.unwrap();
        assert_eq!(told, is_last, "{:?}", unbind.offered);
        let expected = if is_last { Unbinding::LastWayIn } else { Unbinding::Unbound(vec![]) };
        assert_eq!(store.unbind(unbind, at(2)).await.unwrap(), expected);
        if !is_last {
            attach(store, &given::session(store, &session.account).await, &wechat).await;
        }
    }
}

/// What an application that was replaced knew people by, the next one does not, unless a group joins them.
pub async fn a_way_in_of_another_application_is_none(store: &Store) {
    let (session, wechat, github) = with_two_identities(store).await;
    let account = session.account.id;
    let joined = given::identity(Some(given::union()));
    attach(store, &given::session(store, &session.account).await, &joined).await;
    let way = |app: Option<&str>, group: Option<&str>| WayIn {
        app: app.map(str::to_owned),
        group: group.map(str::to_owned),
        ..given::way_in("wechat")
    };
    for (connections, is_last) in [
        (vec![way(Some("wx-next"), None)], true),
        (vec![way(Some("wx-next"), Some("next"))], true),
        (vec![way(Some("wx-next"), Some("main"))], false),
        (vec![way(Some("wx-next"), None), way(Some("wx-site"), None)], false),
        (vec![way(None, None)], false),
    ] {
        let offered = WaysIn { password: false, connections };
        let [github, wechat] = [&github, &wechat].map(IdentityKey::of);
        assert_eq!(store.is_last_way_in(account, &github, &offered, at(2)).await.unwrap(), is_last, "{offered:?}");
        assert_eq!(store.is_last_way_in(account, &wechat, &offered, at(2)).await.unwrap(), is_last, "{offered:?}");
    }
}

pub async fn a_fresh_sign_in_unbinds_once(store: &Store) {
    let (session, wechat, github) = with_two_identities(store).await;
    let account = session.account.id;
    let fresh = async || given::unbind(store, account, &wechat, &[]).await;
    let unbind = async |unbind: Unbind| store.unbind(unbind, at(3)).await.unwrap();
    assert_eq!(unbind(Unbind { consume_fresh: [5; 32], ..fresh().await }).await, Unbinding::FreshnessGone);
    let somebody = given::account(store).await.id;
    let theirs = given::unbind(store, somebody, &wechat, &[]).await;
    assert_eq!(unbind(Unbind { session: theirs.session, ..fresh().await }).await, Unbinding::FreshnessGone);
    let ended = fresh().await;
    store.end_session(ended.session, at(3)).await.unwrap();
    assert_eq!(unbind(ended).await, Unbinding::FreshnessGone);
    let good = fresh().await;
    assert_eq!(unbind(good.clone()).await, Unbinding::Unbound(vec![]));
    assert_eq!(unbind(good.clone()).await, Unbinding::Absent);
    // It is good neither for another identity nor for the same once that is bound again.
    attach(store, &given::session(store, &session.account).await, &wechat).await;
    assert_eq!(unbind(Unbind { key: IdentityKey::of(&github), ..good.clone() }).await, Unbinding::FreshnessGone);
    assert_eq!(unbind(good).await, Unbinding::FreshnessGone);
    assert_eq!(store.identities_of(account).await.unwrap().len(), 2);
}

pub async fn unbinding_takes_the_union_and_the_sessions(store: &Store) {
    let (by_password, site) = (given::signed_in(store).await, given::identity(Some(given::union())));
    let ticket = given::ticket(store, &site).await;
    store.attach_and_bind(ticket, by_password.id, at(1)).await.unwrap();
    let account = &by_password.account;
    let SignIn::SignedIn(by_phone) = sign_in(store, &in_another_app(&site)).await else { panic!("it is joined") };
    let client = given::client(store).await;
    let grant = given::redeemed(store, given::new_grant(&by_phone, &client.id)).await;
    assert_eq!(given::unbound(store, account.id, &site, &[]).await, Unbinding::Unbound(vec![]));
    assert_eq!(store.identities_of(account.id).await.unwrap(), []);
    assert_eq!(store.bound(&site).await.unwrap(), Bound::default());
    assert_eq!(store.session(by_phone.id, at(9)).await.unwrap(), None);
    assert!(store.session(by_password.id, at(9)).await.unwrap().is_some());
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended.is_some());
    assert_eq!(sign_in(store, &site).await, SignIn::NotBound);
    let next = bound_account_by(store, &site).await;
    assert_ne!(next.id, account.id);
}

pub async fn a_ticket_expires_and_is_discarded(store: &Store) {
    let ticket = given::ticket(store, &given::identity(None)).await;
    assert!(store.pending(ticket, at(1800)).await.unwrap().is_none());
    let late = store.create_and_bind(ticket, given::new_account(None), given::new_session(), at(1800)).await.unwrap();
    assert_eq!(late, CreatedAndBound::TicketGone);
    assert_eq!(store.discard_pending(ticket).await.unwrap(), Ended::Ended);
    assert_eq!(store.discard_pending(ticket).await.unwrap(), Ended::Absent);
    assert_eq!(create(store, ticket).await, CreatedAndBound::TicketGone);
}

pub async fn an_identity_changes_its_union(store: &Store) {
    let old = given::identity(Some(given::union()));
    let account = bound_account_by(store, &old).await;
    let moved = Identity { union: Some(Union { group: "next".to_owned(), ..given::union() }), ..old.clone() };
    assert_eq!(signs_in_to(store, &moved).await.id, account.id);
    assert_eq!(store.bound(&moved).await.unwrap(), both(&account));
    let session = given::session(store, &account).await;
    let ticket = given::ticket(store, &given::identity(None)).await;
    store.attach_and_bind(ticket, session.id, at(3)).await.unwrap();
    // No union row is left behind that would still lead here.
    assert_eq!(given::unbound(store, account.id, &old, &["wechat"]).await, Unbinding::Unbound(vec![]));
    assert_eq!(store.bound(&old).await.unwrap(), Bound::default());
    assert_eq!(store.bound(&moved).await.unwrap(), Bound::default());
}
