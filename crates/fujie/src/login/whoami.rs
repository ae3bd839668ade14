//! `fujie whoami`: who the provider says is signed in, asked anew.

use clap::Args;
use fujie_client::ProviderError;
use serde_json::Value;

use super::{
    book::{Book, Which},
    failure::Failure,
    output,
    terminal::{self, Manner, Terminal},
};
use crate::client::Output;

/// Whose sign-in.
#[derive(Debug, Args)]
pub struct Whoami {
    #[command(flatten)]
    which: Which,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    manner: Manner,
}

/// Prints who is signed in; the exit code.
pub async fn run(whoami: Whoami) -> i32 {
    let terminal = Terminal::new(&whoami.manner);
    super::finish(terminal, async move { whoami.ask(terminal).await }).await
}

impl Whoami {
    async fn ask(&self, terminal: Terminal) -> Result<(), Failure> {
        let book = Book::existing(self.manner.store.as_deref())?.ok_or_else(|| self.which.nobody())?;
        let mut sign_in = book.find(&self.which)?;
        let tokens = book.fresh_tokens(&sign_in).await?;
        let mut avatar_url = None;
        match sign_in.application.client().await?.user(&tokens).await {
            // There is no such place: what was said at the sign-in counts.
            Err(ProviderError::NotOffered(_)) => {}
            identity => {
                let identity = identity?;
                sign_in.subject = Some(identity.subject);
                sign_in.nickname = identity.nickname;
                avatar_url = identity.avatar_url;
            }
        }
        let (person, place) = (sign_in.person(), sign_in.application.place.name());
        match self.output {
            Output::Text => terminal::print(
                &terminal.choose(format!("{person} at {place}\n"), format!("{person}，登录于 {place}\n")),
            ),
            Output::Json => {
                let mut object = output::person(&sign_in);
                object.insert("avatar_url".into(), avatar_url.into());
                terminal::print(&format!("{}\n", Value::Object(object)))
            }
        }
    }
}
