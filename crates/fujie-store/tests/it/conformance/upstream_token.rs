//! Accounts' tokens at providers.

use fujie_core::{binding::identity::Identity, id::Id};
use fujie_store::{AccountChanged, Attached, IdentityKey, Store, Unbinding, UpstreamToken};

use crate::given::{self, T0, at};

fn token(account: Id, connection: &str, provider: &str) -> UpstreamToken {
    UpstreamToken {
        account,
        connection: connection.to_owned(),
        provider: provider.to_owned(),
        scope: "write:repo_hook".to_owned(),
        sealed: vec![1, 2, 3],
        obtained_at: T0,
    }
}

/// An account with one identity at each provider, and those.
async fn bound<const N: usize>(store: &Store, providers: [&str; N]) -> (Id, [Identity; N]) {
    let session = given::signed_in(store).await;
    let identities = providers.map(|provider| Identity { provider: provider.to_owned(), ..given::identity(None) });
    for identity in &identities {
        let ticket = given::ticket(store, identity).await;
        let attached = store.attach_and_bind(ticket, session.id, T0).await.unwrap();
        assert!(matches!(attached, Attached::Bound(_)), "{attached:?}");
    }
    (session.account.id, identities)
}

async fn put(store: &Store, token: &UpstreamToken, of: &Identity) -> AccountChanged {
    store.put_upstream_token(token.clone(), IdentityKey::of(of)).await.unwrap()
}

pub async fn a_token_is_kept_and_replaced(store: &Store) {
    let (account, [github, gitee]) = bound(store, ["github", "gitee"]).await;
    let (first, other) = (token(account, "github", "github"), token(account, "gitee", "gitee"));
    for (token, of) in [(&first, &github), (&other, &gitee)] {
        assert_eq!(put(store, token, of).await, AccountChanged::Changed);
    }
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), Some(first.clone()));
    let second = UpstreamToken { scope: "repo".to_owned(), sealed: vec![9], obtained_at: at(5), ..first };
    put(store, &second, &github).await;
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), Some(second.clone()));
    assert_eq!(store.remove_upstream_token(account, "github").await.unwrap(), Some(second));
    assert_eq!(store.remove_upstream_token(account, "github").await.unwrap(), None);
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), None);
    assert_eq!(store.upstream_token(account, "gitee").await.unwrap(), Some(other));
}

pub async fn a_token_goes_with_its_identity(store: &Store) {
    let (account, [wechat, github]) = bound(store, ["wechat", "github"]).await;
    let by_two = ["wechat-app", "wechat-site"].map(|connection| token(account, connection, "wechat"));
    for token in &by_two {
        put(store, token, &wechat).await;
    }
    put(store, &token(account, "github", "github"), &github).await;
    let Unbinding::Unbound(mut gone) = given::unbound(store, account, &wechat, &["github"]).await else { panic!() };
    gone.sort_by(|one, other| one.connection.cmp(&other.connection));
    assert_eq!(gone, by_two, "whoever asked for it ends them at the provider");
    assert_eq!(store.upstream_token(account, "wechat-site").await.unwrap(), None);
    assert!(store.upstream_token(account, "github").await.unwrap().is_some());
}

pub async fn a_token_of_an_identity_that_is_not_the_accounts_is_not_kept(store: &Store) {
    let (account, [wechat, github]) = bound(store, ["wechat", "github"]).await;
    let (_, [others]) = bound(store, ["github"]).await;
    assert_eq!(put(store, &token(account, "github", "github"), &others).await, AccountChanged::Gone);
    assert_eq!(put(store, &token(account, "github", "github"), &wechat).await, AccountChanged::Gone);
    assert_eq!(given::unbound(store, account, &github, &["wechat"]).await, Unbinding::Unbound(vec![]));
    assert_eq!(put(store, &token(account, "github", "github"), &github).await, AccountChanged::Gone);
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), None);
}

pub async fn a_token_goes_with_its_account(store: &Store) {
    let (account, [identity]) = bound(store, ["github"]).await;
    let (other, [others]) = bound(store, ["github"]).await;
    for (account, identity) in [(account, &identity), (other, &others)] {
        assert_eq!(put(store, &token(account, "github", "github"), identity).await, AccountChanged::Changed);
    }
    store.disable_account(account, at(1)).await.unwrap();
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), None);
    assert_eq!(put(store, &token(account, "github", "github"), &identity).await, AccountChanged::Gone);
    assert!(store.upstream_token(other, "github").await.unwrap().is_some());
}
