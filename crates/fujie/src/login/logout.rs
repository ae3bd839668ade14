//! `fujie logout`: the tokens are ended at the provider where that is possible, and forgotten here.

use clap::Args;
use fujie_client::{Client, ProviderError, Secret, Tokens};

use super::{
    book::{Book, SignIn, Which},
    failure::Failure,
    terminal::{Manner, Terminal},
};

/// Whose sign-in.
#[derive(Debug, Args)]
pub struct Logout {
    #[command(flatten)]
    which: Which,
    /// All sign-ins that fit.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    manner: Manner,
}

/// Ends sign-ins; the exit code.
pub async fn run(logout: Logout) -> i32 {
    let terminal = Terminal::new(&logout.manner);
    super::finish(terminal, logout.end(terminal)).await
}

impl Logout {
    async fn end(&self, terminal: Terminal) -> Result<(), Failure> {
        let book = Book::open(self.manner.store.as_deref())?;
        let mut sign_in = book.find(&self.which)?;
        loop {
            end_one(&book, &sign_in, terminal).await?;
            match book.find(&self.which) {
                Ok(next) if self.all => sign_in = next,
                _ => return Ok(()),
            }
        }
    }
}

/// Forgets in any case: who signs out on a train must not stay signed in.
async fn end_one(book: &Book, sign_in: &SignIn, terminal: Terminal) -> Result<(), Failure> {
    let revoked = match book.tokens(sign_in)? {
        Some(tokens) => revoke(sign_in, &tokens).await,
        None => Ok(true),
    };
    book.remove(sign_in)?;
    let (person, place) = (sign_in.person(), sign_in.application.place.name());
    match revoked {
        Ok(true) => terminal.say(
            &format!("Signed out of {place}: {person}. The tokens are revoked."),
            &format!("已退出 {place}：{person}，令牌已撤销。"),
        ),
        Ok(false) => terminal.say(
            &format!("Signed out of {place}: {person}. The tokens are forgotten here; {place} offers no revocation, so end them in its settings if need be."),
            &format!("已退出 {place}：{person}，本机的令牌已删除。{place} 不支持撤销令牌，如有需要请到其设置页面取消授权。"),
        ),
        Err(failure) => {
            return Err(Failure {
                english: format!("Signed out here, but {place} was not told: {}", failure.english),
                chinese: format!("本机已退出，但没能通知 {place} 撤销令牌：{}", failure.chinese),
                ..failure
            });
        }
    }
    Ok(())
}

/// Whether the provider ended the tokens; `false` when it offers no way to.
async fn revoke(sign_in: &SignIn, tokens: &Tokens) -> Result<bool, Failure> {
    let client = sign_in.application.client().await?;
    if let Some(refresh_token) = &tokens.refresh_token {
        // The longer-lived one first. A hint of the wrong kind does not matter (RFC 7009 §2.1).
        let refresh_token = Tokens::bare(Secret::new(refresh_token.expose()));
        if !revoke_one(&client, &refresh_token).await? {
            return Ok(false);
        }
    }
    revoke_one(&client, tokens).await
}

async fn revoke_one(client: &Client, tokens: &Tokens) -> Result<bool, Failure> {
    match client.revoke(tokens).await {
        Ok(()) | Err(ProviderError::AccessTokenRefused(_) | ProviderError::RefreshTokenRefused(_)) => Ok(true),
        Err(ProviderError::NotOffered(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
