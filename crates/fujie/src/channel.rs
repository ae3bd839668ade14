//! `fujie channel serve --echo`: an echo server with a heartbeat, as an `asyncio` tutorial has it; its words on stdout.
//!
//! How it answers is `fujie-channel`'s. Here is only where its words go: each line at once, and nowhere when nobody can
//! read them, since printing costs more than answering.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    net::SocketAddr,
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use fujie_channel::serve::{ECHO_TARGET, Listener};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use crate::{login::Terminal, serve::stop_signal};

/// What to do with the line protocol.
#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// Serve the line protocol's echo mode: ping is answered by pong, any other line comes back after "from server: ".
    Serve(ServeChannel),
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeChannel {
    /// Echo lines. Topics are served by `fujie serve`, with the key channel.listen.
    #[arg(long)]
    echo: bool,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8885")]
    listen: SocketAddr,
    /// Print nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(ChannelCommand::Serve(serve): ChannelCommand, terminal: Terminal) -> Result<()> {
    if !serve.echo {
        bail!(terminal.choose(
            "only the echo mode is served here: add --echo. Topics are served by fujie serve: set channel.listen in its \
             configuration",
            "这里只提供回显模式，请加上 --echo。话题由 fujie serve 提供，请在其配置中设置 channel.listen"
        ));
    }
    print_words(serve.quiet || nobody_reads());
    let listener = Listener::bind(serve.listen).with_context(|| {
        terminal.choose(
            format!("cannot listen on {}; is another program there? choose one with --listen", serve.listen),
            format!("无法监听 {}，可能已被其他程序占用，请用 --listen 另选", serve.listen),
        )
    })?;
    listener.echo(stop_signal()).await;
    Ok(())
}

/// The echo mode's words to stdout, warnings to stderr.
fn print_words(is_quiet: bool) {
    let words = if is_quiet { LevelFilter::OFF } else { LevelFilter::INFO };
    let words = Words.with_filter(Targets::new().with_target(ECHO_TARGET, words));
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let log = log.with_filter(Targets::new().with_default(Level::WARN).with_target(ECHO_TARGET, LevelFilter::OFF));
    tracing_subscriber::registry().with(words).with(log).init();
}

/// Is stdout `/dev/null`?
fn nobody_reads() -> bool {
    let device = |file: io::Result<fs::Metadata>| file.ok().map(|file| (file.dev(), file.rdev(), file.ino()));
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| File::from(stdout).metadata());
    device(stdout).is_some_and(|stdout| device(fs::metadata("/dev/null")) == Some(stdout))
}

/// Prints the message of every event on a line of its own.
struct Words;

impl<S: Subscriber> Layer<S> for Words {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::with_capacity(LINE_LENGTH_USUAL));
        event.record(&mut line);
        line.0.push('\n');
        // As one write, which ends with its line feed and so goes out at once. Whoever read along may have gone.
        drop(io::stdout().lock().write_all(line.0.as_bytes()));
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        true
    }
}

/// The message of an event.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            use std::fmt::Write as _;
            // Writing to memory does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Most lines are shorter.
const LINE_LENGTH_USUAL: usize = 128;
