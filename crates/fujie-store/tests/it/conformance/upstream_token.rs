//! Accounts' tokens at providers.

use fujie_core::id::Id;
use fujie_store::{AccountChanged, CreatedAndBound, Ended, Store, Unbinding, UpstreamToken};

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

pub async fn a_token_is_kept_and_replaced(store: &Store) {
    let account = given::account(store).await.id;
    let (first, other) = (token(account, "github", "github"), token(account, "gitee", "gitee"));
    for token in [&first, &other] {
        assert_eq!(store.put_upstream_token(token.clone()).await.unwrap(), AccountChanged::Changed);
    }
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), Some(first.clone()));
    let second = UpstreamToken { scope: "repo".to_owned(), sealed: vec![9], obtained_at: at(5), ..first };
    store.put_upstream_token(second.clone()).await.unwrap();
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), Some(second));
    assert_eq!(store.remove_upstream_token(account, "github").await.unwrap(), Ended::Ended);
    assert_eq!(store.remove_upstream_token(account, "github").await.unwrap(), Ended::Absent);
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), None);
    assert_eq!(store.upstream_token(account, "gitee").await.unwrap(), Some(other));
}

pub async fn a_token_goes_with_its_identity(store: &Store) {
    let identity = given::identity(None);
    let ticket = given::ticket(store, &identity).await;
    let new = given::new_account(Some("ming"));
    let outcome = store.create_and_bind(ticket, new, given::new_session(), T0).await.unwrap();
    let CreatedAndBound::Bound(session) = outcome else { panic!("{outcome:?}") };
    let account = session.account.id;
    for (connection, provider) in [("wechat-site", "wechat"), ("github", "github")] {
        store.put_upstream_token(token(account, connection, provider)).await.unwrap();
    }
    assert_eq!(given::unbound(store, account, &identity, &[]).await, Unbinding::Unbound);
    assert_eq!(store.upstream_token(account, "wechat-site").await.unwrap(), None);
    assert!(store.upstream_token(account, "github").await.unwrap().is_some());
}

pub async fn a_token_goes_with_its_account(store: &Store) {
    let (account, other) = (given::account(store).await.id, given::account(store).await.id);
    for account in [account, other] {
        store.put_upstream_token(token(account, "github", "github")).await.unwrap();
    }
    store.disable_account(account, at(1)).await.unwrap();
    assert_eq!(store.upstream_token(account, "github").await.unwrap(), None);
    assert_eq!(store.put_upstream_token(token(account, "github", "github")).await.unwrap(), AccountChanged::Gone);
    assert!(store.upstream_token(other, "github").await.unwrap().is_some());
}
