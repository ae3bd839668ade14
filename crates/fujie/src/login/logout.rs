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
    super::finish(terminal, async move { logout.end(terminal).await }).await
}

impl Logout {
    async fn end(&self, terminal: Terminal) -> Result<(), Failure> {
        let book = Book::existing(self.manner.store.as_deref())?.ok_or_else(|| self.which.nobody())?;
        let found = book.all_of(&self.which)?;
        let count = if self.all { found.len() } else { 1 };
        let mut first = if found.is_empty() { Err(self.which.nobody()) } else { Ok(()) };
        for sign_in in found.iter().rev().take(count) {
            match end_one(&book, sign_in, terminal).await {
                Err(failure) if first.is_ok() => first = Err(failure),
                // The first is told at the end.
                Err(failure) => drop(terminal.fail(&failure)),
                Ok(()) => {}
            }
        }
        first
    }
}

/// Forgets in any case: who signs out on a train must not stay signed in.
async fn end_one(book: &Book, sign_in: &SignIn, terminal: Terminal) -> Result<(), Failure> {
    let _locked = book.lock(sign_in).await?;
    let revoked = match book.tokens(sign_in) {
        Ok(Some(tokens)) => revoke(sign_in, &tokens).await,
        Ok(None) => Ok(true),
        Err(failure) => Err(failure),
    };
    book.remove(sign_in).await?;
    let (person, place) = (sign_in.person(), sign_in.application.place.name());
    match revoked {
        Ok(true) => terminal.say(
            &format!("Signed out of {place}: {person}. The tokens are revoked."),
            &format!("已退出 {place}：{person}，令牌已撤销。"),
        ),
        Ok(false) => terminal.say(
            &format!(
                "Signed out of {place}: {person}. The tokens are forgotten here, but fujie cannot revoke at {place}; end \
                 them in its settings if need be."
            ),
            &format!(
                "已退出 {place}：{person}，本机的令牌已删除。fujie 无法在 {place} 撤销令牌，如有需要请到其设置页面取消授权。"
            ),
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

/// Whether the provider ended the tokens; `false` when we cannot ask it to.
async fn revoke(sign_in: &SignIn, tokens: &Tokens) -> Result<bool, Failure> {
    let client = sign_in.application.client().await?;
    // Only RFC 7009 §2.1 takes tokens of either kind, and names the parameter so.
    let call = client.provider().revocation.as_ref();
    let takes_either = call.is_some_and(|call| call.parameters.iter().any(|(name, _)| name == "token"));
    match &tokens.refresh_token {
        Some(refresh_token) if takes_either => {
            // The longer-lived one first. A hint of the wrong kind does not matter.
            let refresh_token = Tokens::bare(Secret::new(refresh_token.expose()));
            Ok(revoke_one(&client, &refresh_token).await? && revoke_one(&client, tokens).await?)
        }
        Some(_) => revoke_both(&client, tokens).await,
        None => revoke_one(&client, tokens).await,
    }
}

/// Ends both tokens where only a live access token can be named, which takes its refresh token along.
async fn revoke_both(client: &Client, tokens: &Tokens) -> Result<bool, Failure> {
    let revoked = revoke_one(client, tokens).await;
    let has_ended = tokens.expires_at.is_some_and(|end| end <= client.now());
    if !has_ended || matches!(revoked, Ok(false)) {
        return revoked;
    }
    match client.refresh(tokens).await {
        Err(ProviderError::RefreshTokenRefused(_)) => Ok(true),
        fresh => revoke_one(client, &fresh?).await,
    }
}

async fn revoke_one(client: &Client, tokens: &Tokens) -> Result<bool, Failure> {
    match client.revoke(tokens).await {
        Ok(()) | Err(ProviderError::AccessTokenRefused(_) | ProviderError::RefreshTokenRefused(_)) => Ok(true),
        Err(ProviderError::NotOffered(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
