//! Words for what a story starts from. Everything is named by a counter, so stories never meet.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fujie_core::{
    account::{Account, Session},
    binding::identity::{Identity, Pending, Union},
    client::{Client, GrantType, PkcePolicy},
    grant::{ClientAuth, Grant},
    id::Id,
    jose::jws::Algorithm,
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::{Digest, Secret},
    time::{Lifetime, Timestamp},
};
use fujie_store::{
    AccountCreated, BeginGrant, ClientAdded, Consent, Flow, GrantBegun, IdentityKey, NewAccount, NewSession,
    PendingStored, Redemption, SessionBegun, Store, Unbind, Unbinding, Username, WayIn, WaysIn,
};
use tokio::sync::Barrier;

pub mod channel;

/// The time at which stories start.
pub const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn at(seconds: u32) -> Timestamp {
    T0 + Lifetime::from_seconds(seconds)
}

pub fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn id() -> Id {
    Id::from_bytes(u128::from(number()).to_be_bytes())
}

pub fn digest() -> Digest {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number().to_be_bytes());
    Digest::from_bytes(bytes)
}

pub fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

/// Runs 64 of `act` at the same time and gives what each ended with.
pub async fn race<T, F, A>(mut act: A) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
    A: FnMut(usize) -> F,
{
    let start = Arc::new(Barrier::new(64));
    let racers: Vec<_> = (0..64)
        .map(|number| {
            let (start, act) = (Arc::clone(&start), act(number));
            tokio::spawn(async move {
                start.wait().await;
                act.await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for racer in racers {
        outcomes.push(racer.await.unwrap());
    }
    outcomes
}

pub fn count<T>(outcomes: &[T], is_one: impl Fn(&T) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is_one(outcome)).count()
}

pub fn new_account(username: Option<&str>) -> NewAccount {
    NewAccount {
        id: id(),
        username: username.map(|name| Username { shown: name.to_owned(), folded: name.to_lowercase() }),
        name: username.unwrap_or("小明").to_owned(),
        picture: None,
        password_hash: username.map(|_| Secret::new("$argon2id$test".to_owned())),
        is_administrator: false,
    }
}

/// An account with a password.
pub async fn account(store: &Store) -> Account {
    let name = format!("Person{}", number());
    match store.create_account(new_account(Some(&name)), T0).await.unwrap() {
        AccountCreated::Created(account) => account,
        other => panic!("{other:?}"),
    }
}

pub fn new_session() -> NewSession {
    NewSession {
        id: digest(),
        auth_time: T0,
        amr: "pwd".to_owned(),
        fresh_for: None,
        expires_at: at(14 * 86_400),
        replaces: None,
    }
}

pub async fn session(store: &Store, account: &Account) -> Session {
    match store.begin_session(account.id, new_session(), T0).await.unwrap() {
        SessionBegun::Begun(session) => session,
        other => panic!("{other:?}"),
    }
}

/// A connection to `provider`, by the application of [`identity`].
pub fn way_in(provider: &str) -> WayIn {
    WayIn { provider: provider.to_owned(), app: Some("wx-site".to_owned()), group: None }
}

/// What takes an identity from an account by a session that was freshly begun for it, where a password and these
/// providers are offered.
pub async fn unbind(store: &Store, account: Id, identity: &Identity, providers: &[&str]) -> Unbind {
    let new = NewSession { fresh_for: Some([4; 32]), ..new_session() };
    let SessionBegun::Begun(session) = store.begin_session(account, new, T0).await.unwrap() else { panic!() };
    Unbind {
        account,
        key: IdentityKey::of(identity),
        session: session.id,
        consume_fresh: [4; 32],
        offered: WaysIn { password: true, connections: providers.iter().map(|provider| way_in(provider)).collect() },
    }
}

/// The same, done.
pub async fn unbound(store: &Store, account: Id, identity: &Identity, providers: &[&str]) -> Unbinding {
    let unbind = unbind(store, account, identity, providers).await;
    store.unbind(unbind, at(5)).await.unwrap()
}

/// An account with a session.
pub async fn signed_in(store: &Store) -> Session {
    let account = account(store).await;
    session(store, &account).await
}

pub fn new_client() -> Client {
    Client {
        id: format!("client-{:08}", number()),
        name: "应用".to_owned(),
        epoch: 1,
        is_disabled: false,
        is_public: false,
        secrets: vec![digest()],
        redirect_uris: vec![RegisteredUri::parse("https://app.example/cb").unwrap()],
        post_logout_redirect_uris: vec![],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scope: scope("openid profile"),
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: Lifetime::from_seconds(30),
        access_token_lifetime: None,
        id_token_alg: Algorithm::Es256,
        api: None,
    }
}

pub async fn client(store: &Store) -> Client {
    let client = new_client();
    assert_eq!(store.add_client(&client, T0).await.unwrap(), ClientAdded::Added);
    client
}

/// A grant whose code waits for 60 s.
pub fn new_grant(session: &Session, client: &str) -> BeginGrant {
    let grant = Grant {
        id: id(),
        account: session.account.id,
        client: client.to_owned(),
        client_epoch: 1,
        session: Some(session.id),
        auth_time: session.auth_time,
        acr: None,
        amr: session.amr.clone(),
        scope: scope("openid profile"),
        resource: String::new(),
        key_binding: None,
        rotates: true,
        client_auth: ClientAuth::Secret,
        parent: None,
        generation: 0,
        rotated_at: T0,
        redeemed_at: None,
        expires_at: at(60),
        created_at: T0,
        ended: None,
    };
    BeginGrant { grant, consent: Consent::Once, consume_fresh: None, offline: false }
}

pub async fn born(store: &Store, begin: BeginGrant) -> Grant {
    let grant = begin.grant.clone();
    assert!(matches!(store.begin_grant(begin, T0).await.unwrap(), GrantBegun::Born(_)));
    grant
}

pub async fn redeemed(store: &Store, begin: BeginGrant) -> Grant {
    let grant = born(store, begin).await;
    assert!(matches!(store.redeem_code(grant.id, at(86_400), at(1)).await.unwrap(), Redemption::Redeemed(_)));
    store.grant(grant.id).await.unwrap().unwrap()
}

pub fn flow() -> Flow {
    Flow { id: number().to_be_bytes().to_vec(), until: at(600) }
}

pub fn union() -> Union {
    Union { group: "main".to_owned(), unionid: format!("union-{}", number()) }
}

pub fn identity(union: Option<Union>) -> Identity {
    Identity {
        provider: "wechat".to_owned(),
        app: "wx-site".to_owned(),
        subject: format!("openid-{}", number()),
        union,
        nickname: Some("小明".to_owned()),
        picture: None,
    }
}

/// The identity waits; gives its ticket.
pub async fn ticket(store: &Store, identity: &Identity) -> Digest {
    let pending = Pending {
        identity: identity.clone(),
        connection: "wechat-site".to_owned(),
        ticket: digest(),
        expires_at: at(1800),
    };
    let ticket = pending.ticket;
    assert_eq!(store.store_pending(flow(), pending).await.unwrap(), PendingStored::Stored);
    ticket
}
