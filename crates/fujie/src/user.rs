//! `fujie user`: accounts that sign in by name and password.

use std::io::{Read as _, Write as _};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use fujie_core::{id::Id, random::SystemRandom, secret::Secret};
use fujie_server::{
    clock::Clock,
    endpoint::{setup::is_username, sign_in::fold},
    password::{PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, Passwords},
};
use fujie_store::{AccountChanged, AccountCreated, NewAccount, Store, Username};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account with a name and a password.
    Add(AddUser),
    /// Set a new password; everywhere the account is signed in, it is signed out.
    Password(AddUser),
    /// Disable an account and end all that it granted.
    Disable(NamedUser),
}

/// An account by its name.
#[derive(Debug, Args)]
pub struct NamedUser {
    /// The name it signs in with.
    name: String,
}

/// A name, and a password from standard input.
#[derive(Debug, Args)]
pub struct AddUser {
    /// The name to sign in with.
    name: String,
    /// Read the password from standard input; without it, a random one is made and printed.
    #[arg(long)]
    password_stdin: bool,
}

/// Carries the command out on the store.
pub async fn run(command: UserCommand, store: &Store) -> Result<()> {
    let now = Clock::default().now();
    let mut out = std::io::stdout();
    match command {
        UserCommand::Add(add) => {
            let (hash, made) = password(&add).await?;
            let account = create(store, &add.name, hash).await?;
            writeln!(out, "{account}")?;
            if let Some(made) = made {
                writeln!(std::io::stderr(), "password: {}   (shown once)", made.expose())?;
            }
        }
        UserCommand::Password(set) => {
            let account = find(store, &set.name).await?;
            let (hash, made) = password(&set).await?;
            if store.set_password(account, hash, now).await? == AccountChanged::Gone {
                bail!("the account {} is disabled", set.name);
            }
            if let Some(made) = made {
                writeln!(std::io::stderr(), "password: {}   (shown once)", made.expose())?;
            }
        }
        UserCommand::Disable(named) => {
            let account = find(store, &named.name).await?;
            if store.disable_account(account, now).await? == AccountChanged::Gone {
                bail!("the account {} is disabled already", named.name);
            }
        }
    }
    Ok(())
}

/// Makes an account with this name and password hash.
pub async fn create(store: &Store, name: &str, hash: Secret) -> Result<Id> {
    if !is_username(name) {
        bail!("{name:?}: a name has 1 to 64 letters, digits, or . - _ @ +");
    }
    let now = Clock::default().now();
    let new = NewAccount {
        id: Id::new(now, &mut SystemRandom),
        username: Some(Username { shown: name.to_owned(), folded: fold(name) }),
        name: name.to_owned(),
        picture: None,
        password_hash: Some(hash),
        is_administrator: false,
    };
    match store.create_account(new, now).await? {
        AccountCreated::Created(account) => Ok(account.id),
        AccountCreated::UsernameTaken => bail!("there is an account {name} already"),
    }
}

async fn find(store: &Store, name: &str) -> Result<Id> {
    match store.password_of(&fold(name)).await? {
        Some((account, _)) => Ok(account.id),
        None => bail!("there is no account {name} with a password"),
    }
}

/// The password's hash, and the password itself when it was made here.
async fn password(add: &AddUser) -> Result<(Secret, Option<Secret>)> {
    let (text, is_made) = if add.password_stdin {
        let mut text = String::new();
        std::io::stdin().take(PASSWORD_LENGTH_MAX as u64 + 2).read_to_string(&mut text)?;
        (Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()), false)
    } else {
        (random_password(), true)
    };
    let length = text.expose().chars().count();
    if length < PASSWORD_LENGTH_MIN || text.expose().len() > PASSWORD_LENGTH_MAX {
        bail!("a password has at least {PASSWORD_LENGTH_MIN} characters and at most {PASSWORD_LENGTH_MAX} bytes");
    }
    let hash = Passwords::default().hash(text.expose()).await?;
    Ok((hash, is_made.then_some(text)))
}

/// 20 letters and digits that nobody takes for one another: over 100 bits.
pub fn random_password() -> Secret {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = fujie_core::random::bytes::<20>(&mut SystemRandom);
    let text = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied()).map(char::from).collect();
    Secret::new(text)
}
