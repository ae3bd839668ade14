//! `fujie status`: all sign-ins and how long they last. Nobody is asked, and no secret is shown.

use clap::Args;
use fujie_client::{Timestamp, Tokens};
use fujie_server::clock::Clock;
use serde_json::{Value, json};

use super::{
    book::{Book, SignIn},
    failure::{Failure, visible},
    output,
    terminal::{self, Manner, Terminal},
};
use crate::client::Output;

/// In which form.
#[derive(Debug, Args)]
pub struct Status {
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    manner: Manner,
}

/// Prints the sign-ins; the exit code.
pub async fn run(status: Status) -> i32 {
    let terminal = Terminal::new(&status.manner);
    super::finish(terminal, async move { status.show(terminal) }).await
}

impl Status {
    fn show(&self, terminal: Terminal) -> Result<(), Failure> {
        let Some(book) = Book::existing(self.manner.store.as_deref())? else { return self.nobody() };
        let sign_ins = book.all()?;
        if sign_ins.is_empty() {
            return self.nobody();
        }
        let now = Clock::default().now();
        let mut lines = Vec::new();
        let mut objects = Vec::new();
        let mut whole = Ok(());
        for (index, sign_in) in sign_ins.iter().enumerate() {
            let tokens = book.tokens(sign_in).unwrap_or_else(|failure| {
                whole = Err(failure);
                None
            });
            let is_default = index + 1 == sign_ins.len();
            lines.push(line(sign_in, tokens.as_ref(), is_default, now, terminal));
            objects.push(object(sign_in, tokens.as_ref(), is_default));
        }
        match self.output {
            Output::Json => terminal::print(&format!("{}\n", Value::Array(objects)))?,
            Output::Text => terminal::print(&lines.concat())?,
        }
        let folder = book.folder().display();
        terminal.say(&format!("* is the default. Tokens: {folder}"), &format!("* 为默认账号。令牌目录：{folder}"));
        whole
    }

    fn nobody(&self) -> Result<(), Failure> {
        if self.output == Output::Json {
            terminal::print("[]\n")?;
        }
        Err(Failure::sign_in_needed("PROVIDER"))
    }
}

fn line(sign_in: &SignIn, tokens: Option<&Tokens>, is_default: bool, now: Timestamp, terminal: Terminal) -> String {
    let mark = if is_default { "*" } else { " " };
    let place = sign_in.application.place.name();
    let at = sign_in.application.place.at().map(|at| format!(" @ {at}")).unwrap_or_default();
    let person = sign_in.person();
    let has_name = sign_in.subject.as_ref() != Some(&sign_in.account);
    let account =
        if has_name && person != sign_in.account { format!(" [{}]", visible(&sign_in.account)) } else { String::new() };
    format!("{mark} {place}{at}  {person}{account}  {}\n", end(tokens, now, terminal))
}

/// How long the sign-in lasts, in words.
fn end(tokens: Option<&Tokens>, now: Timestamp, terminal: Terminal) -> String {
    let Some(tokens) = tokens else {
        return terminal.choose("tokens are missing; sign in again", "令牌缺失，请重新登录").to_owned();
    };
    let Some(left) = tokens.expires_at.map(|end| end.millis_since(now) / 1000) else {
        return terminal.choose("no expiry known", "有效期未知").to_owned();
    };
    let span = span(left, terminal);
    match (left > 0, tokens.refresh_token.is_some()) {
        (true, true) => terminal.choose(format!("fresh for {span}, then renewed"), format!("{span}后自动续期")),
        (true, false) => terminal.choose(format!("ends in {span}"), format!("{span}后失效")),
        (false, true) => terminal.choose("renewed at the next use".to_owned(), "下次使用时自动续期".to_owned()),
        (false, false) => terminal.choose("ended; sign in again".to_owned(), "已失效，请重新登录".to_owned()),
    }
}

fn span(seconds: i64, terminal: Terminal) -> String {
    match seconds {
        ..120 => terminal.choose(format!("{seconds} s"), format!("{seconds} 秒")),
        120..7200 => terminal.choose(format!("{} min", seconds / 60), format!("{} 分钟", seconds / 60)),
        7200..172_800 => terminal.choose(format!("{} h", seconds / 3600), format!("{} 小时", seconds / 3600)),
        _ => terminal.choose(format!("{} days", seconds / 86_400), format!("{} 天", seconds / 86_400)),
    }
}

fn object(sign_in: &SignIn, tokens: Option<&Tokens>, is_default: bool) -> Value {
    let mut object = output::person(sign_in);
    object.insert("signed_in_at".into(), json!(sign_in.signed_in_at.seconds()));
    object.insert("expires_at".into(), json!(tokens.and_then(|tokens| tokens.expires_at).map(|end| end.seconds())));
    object.insert("is_renewed".into(), json!(tokens.is_some_and(|tokens| tokens.refresh_token.is_some())));
    object.insert("scope".into(), json!(tokens.map(|tokens| tokens.scope.join(" "))));
    object.insert("is_default".into(), json!(is_default));
    Value::Object(object)
}
