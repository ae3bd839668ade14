//! `fujie listen`: the events of a topic on a terminal, in a program, or at a server on this machine.
//!
//! Owns the order of things: find the server, follow the topic, handle each event to its end, then keep the cursor, which
//! stays before what was not handled; so an event is handled at least once. How events come is [`feed`]'s, what becomes of
//! one is [`handle`]'s.

mod cursor;
mod event;
mod feed;
mod forward;
mod handle;
mod program;
mod server;
mod sse;
mod wire;

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::Args;
use fujie_channel::client::BackOff;
use fujie_core::random::SystemRandom;
use fujie_receiver::command::FAILED;
use tokio::{sync::mpsc, time::timeout};

use self::{
    cursor::Cursor,
    feed::{Came, Feed},
    forward::ForwardTo,
    handle::{Handled, Handler},
    program::Program,
    server::{Server, Wish},
};
use crate::{
    client::Output,
    login::{self, Failure, Manner, Terminal},
};

/// What is listened to, and what becomes of it.
#[derive(Debug, Args)]
#[command(override_help = include_str!("help/listen.en.txt"))]
pub struct Listen {
    /// The topic.
    topic: String,
    /// The server's issuer. Default: that of the last sign-in.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Account, as at the sign-in.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// File with an access token. Default: $FUJIE_TOKEN, else the sign-in's.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Speak the line protocol there, whatever the server says: HOST:PORT or tls://HOST:PORT.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "sse")]
    line: Option<String>,
    /// Use Server-Sent Events, also where there is a line protocol.
    #[arg(long)]
    sse: bool,
    /// Where to begin: now, start, or after the event with this number.
    #[arg(long, value_name = "ID|start|now", default_value = "now")]
    from: From,
    /// Go on where an earlier run ended: with the first event that was not handled.
    #[arg(long)]
    resume: bool,
    /// End after so many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Run a program for every event, which it reads from standard input.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// How long it may run.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        requires = "exec",
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    exec_timeout: u64,
    /// More arguments of the program.
    #[arg(last = true, value_name = "ARGUMENT", requires = "exec")]
    arguments: Vec<String>,
    #[command(flatten)]
    forward: ForwardTo,
    /// Form in which events are printed. Default: text, or nothing with --exec.
    #[arg(long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    manner: Manner,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Now,
    After(i64),
}

impl FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "now" => Ok(Self::Now),
            "start" => Ok(Self::After(0)),
            id => id.parse().ok().filter(|id| *id >= 0).map(Self::After).ok_or("not now, start or a number"),
        }
    }
}

/// Listens until Ctrl-C, or until there is enough; the exit code.
pub async fn run(listen: Listen) -> i32 {
    let terminal = Terminal::new(&listen.manner);
    // Whoever feeds us holds one end: when the other says so, it has said goodbye.
    let (feeding, mut fed) = mpsc::channel::<()>(1);
    let code = login::finish(terminal, async move { listen.listen(terminal, feeding).await }).await;
    // A second Ctrl-C or a server that is gone must not hold this up.
    drop(timeout(FAREWELL, fed.recv()).await);
    code
}

impl Listen {
    async fn listen(self, terminal: Terminal, feeding: mpsc::Sender<()>) -> Result<(), Failure> {
        let handler = self.handler(terminal)?;
        let wish = Wish {
            issuer: self.issuer.as_deref(),
            account: self.account.as_deref(),
            token_file: self.token_file.as_deref(),
            line: self.line.as_deref(),
            manner: &self.manner,
        };
        let server = Arc::new(Server::find(&wish).await?);
        let kept = if self.resume { Some(Cursor::open(&server.name(), &self.topic)?) } else { None };
        let from = match self.from {
            From::Now => None,
            From::After(id) => Some(id),
        };
        let (taker, came) = mpsc::channel(AHEAD_MAX);
        let feed = Feed {
            server: Arc::clone(&server),
            topic: self.topic.clone(),
            cursor: kept.as_ref().and_then(Cursor::saved).or(from),
            is_sse: self.sse,
            back_off: BackOff::new(SystemRandom),
            taker,
        };
        tokio::spawn(async move {
            feed.run().await;
            drop(feeding);
        });
        Listening { handler, server, kept, left: self.count, failed: 0 }.take(came).await
    }

    fn handler(&self, terminal: Terminal) -> Result<Handler, Failure> {
        if !fujie_channel::event::is_topic(&self.topic) {
            return Err(Failure::usage(
                "a topic's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -",
                "话题名只能由 1 到 63 个 a-z、0-9 和 - 组成，且不能以 - 开头",
            ));
        }
        let time = Duration::from_secs(self.exec_timeout);
        let program = self.exec.as_deref().map(|command| Program::new(command, &self.arguments, time)).transpose()?;
        let output = self.output.or(if program.is_none() { Some(Output::Text) } else { None });
        Ok(Handler { output, program, forward: self.forward.open()?, topic: self.topic.clone(), terminal })
    }
}

/// A run that is under way.
struct Listening {
    handler: Handler,
    server: Arc<Server>,
    kept: Option<Cursor>,
    left: Option<u64>,
    failed: u64,
}

impl Listening {
    /// Handles what comes, in order.
    async fn take(mut self, mut came: mpsc::Receiver<Came>) -> Result<(), Failure> {
        let terminal = self.handler.terminal;
        let mut is_known = false;
        while let Some(came) = came.recv().await {
            match came {
                Came::Began(from) => {
                    if !std::mem::replace(&mut is_known, true) {
                        let (topic, place) = (&self.handler.topic, self.server.name());
                        terminal.say(
                            &format!("Listening to {topic} at {place}, after event {from}. Ctrl-C ends."),
                            &format!("正在接收 {place} 的话题 {topic}，从事件 {from} 之后开始，按 Ctrl-C 结束。"),
                        );
                    } else {
                        terminal.say("Connected again.", "已重新连接。");
                    }
                    self.kept.as_mut().map_or(Ok(()), |kept| kept.begin(from))?;
                }
                Came::Event(event) => {
                    match self.handler.handle(&event, &self.server).await? {
                        Handled::Well => self.pass(event.id)?,
                        Handled::Badly => self.fail(event.id)?,
                        Handled::Unread => return self.done(),
                    }
                    self.left = self.left.map(|left| left - 1);
                    if self.left == Some(0) {
                        return self.done();
                    }
                }
                Came::Dropped { after, until } => {
                    terminal.insist(
                        &format!("Events after {after} up to {until} are lost: too old, or read too slowly."),
                        &format!("事件 {after} 之后到 {until} 为止的内容已丢失：过期，或接收太慢。"),
                    );
                    self.pass(until)?;
                }
                Came::Lost { why, pause } => {
                    let seconds = pause.as_secs_f32();
                    terminal.say(
                        &format!("Connection lost ({why}); again in {seconds:.1} s."),
                        &format!("连接中断（{why}），{seconds:.1} 秒后重试。"),
                    );
                }
                Came::Refused(failure) => return Err(failure),
            }
        }
        self.done()
    }

    fn pass(&mut self, id: i64) -> Result<(), Failure> {
        self.kept.as_mut().map_or(Ok(()), |kept| kept.pass(id))
    }

    /// The event `id` was not handled. What the first such means is told at once: who stops us hears no end.
    fn fail(&mut self, id: i64) -> Result<(), Failure> {
        self.failed += 1;
        if self.kept.as_mut().map_or(Ok(false), |kept| kept.hold(id))? {
            self.handler.terminal.say(
                &format!("The next --resume begins with event {id}."),
                &format!("下次用 --resume 启动时，将从事件 {id} 重新开始。"),
            );
        }
        Ok(())
    }

    fn done(&self) -> Result<(), Failure> {
        let failed = self.failed;
        let (english, chinese) = match self.kept.as_ref().and_then(Cursor::unhandled) {
            _ if failed == 0 => return Ok(()),
            None => (".".to_owned(), "。".to_owned()),
            Some(id) => (
                format!("; the next --resume begins with event {id}."),
                format!("，下次用 --resume 启动时，将从事件 {id} 重新开始。"),
            ),
        };
        Err(Failure {
            code: FAILED,
            ..Failure::new(
                format!("{failed} {} not handled{english}", if failed == 1 { "event was" } else { "events were" }),
                format!("有 {failed} 个事件没有处理成功{chinese}"),
            )
        })
    }
}

/// Events that wait while one is handled; then nothing more is read.
const AHEAD_MAX: usize = 16;
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_millis(500);
