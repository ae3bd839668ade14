//! `fujie token`: a fresh access token on stdout, for scripts. However many ask at once, it is refreshed once.

use clap::Args;

use super::{
    book::{Book, Which},
    output::Output,
    terminal::{self, Manner, Terminal},
};

/// Whose token, and in which form.
#[derive(Debug, Args)]
pub struct Token {
    #[command(flatten)]
    which: Which,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "token")]
    output: Output,
    #[command(flatten)]
    manner: Manner,
}

/// Prints a fresh token; the exit code.
pub async fn run(token: Token) -> i32 {
    let terminal = Terminal::new(&token.manner);
    let work = async move {
        let book = Book::existing(token.manner.store.as_deref())?.ok_or_else(|| token.which.nobody())?;
        let sign_in = book.find(&token.which)?;
        let tokens = book.fresh_tokens(&sign_in).await?;
        terminal::print(&token.output.of(&sign_in, &tokens, tokens.access_token.expose()))
    };
    super::finish(terminal, work).await
}
