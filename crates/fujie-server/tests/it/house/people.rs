//! People with an account and a password.

use fujie_core::{id::Id, random::SystemRandom, secret::Secret};
use fujie_server::{endpoint::sign_in::fold, password::Passwords};
use fujie_store::{NewAccount, Username};

use super::{House, PASSWORD};

impl House {
    /// An account with [`PASSWORD`].
    pub async fn person(&self, name: &str) -> Id {
        let new = self.new_account(name).await;
        self.enter(new).await
    }

    /// The same with the right to see what this server itself does.
    pub async fn administrator(&self, name: &str) -> Id {
        let new = self.new_account(name).await;
        self.enter(NewAccount { is_administrator: true, ..new }).await
    }

    async fn enter(&self, new: NewAccount) -> Id {
        let id = new.id;
        self.server.store().create_account(new, self.clock.now()).await.unwrap();
        id
    }

    async fn new_account(&self, name: &str) -> NewAccount {
        static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        let hash = || async { Passwords::default().hash(PASSWORD).await.unwrap().expose().to_owned() };
        let hash = HASH.get_or_init(hash).await.clone();
        NewAccount {
            id: Id::new(self.clock.now(), &mut SystemRandom),
            username: Some(Username { shown: name.to_owned(), folded: fold(name) }),
            name: name.to_owned(),
            picture: None,
            password_hash: Some(Secret::new(hash)),
            is_administrator: false,
        }
    }
}
