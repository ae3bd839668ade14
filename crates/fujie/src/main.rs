//! The binary: subcommands, and the wiring of crates that know nothing of one another. No logic of its own.

mod channel;
mod client;
mod config;
mod connection;
mod data;
mod demo;
mod integration;
mod listen;
mod login;
mod manual;
mod serve;
mod simulate;
mod topic;
mod usage;
mod user;

use std::{
    ffi::OsString,
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use fujie_receiver::{command as receiver, command::Program, uri_scheme::Registration};

use crate::{
    config::{Config, LogFormat},
    data::DataFolder,
    login::{Lang, Manner, Terminal},
};

/// Sign-in for your applications: an OAuth 2.0 and OpenID Connect server, third-party sign-in, simulators.
#[derive(Debug, Parser)]
#[command(name = "fujie", version, max_term_width = 100)]
struct Fujie {
    /// Configuration file (TOML). Default: $FUJIE_CONFIG, else ./fujie.toml, else fujie.toml in the data folder.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder: database, keys. Default: ./fujie-data.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Language of messages, where there are two. Default: the system's.
    #[arg(long, global = true, value_enum, value_name = "en|zh", hide_possible_values = true)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the authorization server. Needs no argument.
    Serve(Serve),
    /// Show everything at once on this machine: server, simulated WeChat, an application, an API.
    Demo(demo::run::Demo),
    /// Run simulated providers on loopback.
    Simulate(simulate::Simulate),
    #[command(flatten)]
    Data(DataCommand),
    /// Configuration: what is set, and where it came from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Sign in through the browser and keep the tokens.
    Login(Box<login::Login>),
    /// Print a fresh access token of the last sign-in.
    Token(login::token::Token),
    /// Send an HTTP request with the access token, much as with curl.
    Call(Box<login::call::Call>),
    /// Say who is signed in.
    Whoami(login::whoami::Whoami),
    /// List the sign-ins.
    Status(login::status::Status),
    /// End a sign-in: revoke its tokens where that is possible, and forget them.
    Logout(login::logout::Logout),
    /// Receive the events of a topic: print them, run a program, forward them to a server under development.
    Listen(Box<listen::Listen>),
    /// The line protocol by itself: an echo server with a heartbeat.
    #[command(subcommand)]
    Channel(channel::ChannelCommand),
    /// Wait for one OAuth callback and print its code; --help says how.
    #[command(disable_help_flag = true)]
    Receive(Words),
    /// Register a URI scheme for this user: register, unregister or status NAME.
    #[command(disable_help_flag = true)]
    Scheme(Words),
    /// Print completions for a shell, which then completes commands and options at the Tab key.
    Completions(manual::Completions),
    /// Print the manual page, or write those of all commands.
    Man(manual::Manual),
}

/// What is done on the data folder, also while a server runs.
#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Applications that may ask this server.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Accounts with a name and a password.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Topics that events go to, and who belongs to them.
    #[command(subcommand)]
    Topic(topic::TopicCommand),
    /// Doors for webhooks.
    #[command(subcommand)]
    Integration(integration::IntegrationCommand),
}

/// Arguments that the receiver reads by itself.
#[derive(Debug, clap::Args)]
struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<OsString>,
}

impl Words {
    /// The words, and before them the language, which the whole program's arguments took away.
    fn with(self, lang: Option<Lang>) -> Vec<OsString> {
        let lang = lang.map(|lang| match lang {
            Lang::En => "--lang=en",
            Lang::Zh => "--lang=zh",
        });
        lang.map(OsString::from).into_iter().chain(self.words).collect()
    }
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// The server's own address as others see it, for example https://id.example.com.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Address and port to listen on. Default: 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every setting and where it came from; secrets are not shown.
    Show,
    /// Check the configuration and say all that is wrong with it.
    Check,
    /// Print a commented sample file.
    Sample,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // What follows `scheme-open` was written by a stranger: nothing else may read it.
    if let Some(code) = receiver::run_scheme(RECEIVER, &arguments) {
        return exit(code);
    }
    let is_chinese = login::is_chinese(&arguments);
    let fujie = command(is_chinese).try_get_matches().and_then(|found| Fujie::from_arg_matches(&found));
    match fujie {
        Ok(fujie) => match start(fujie) {
            Ok(code) => exit(code),
            Err(error) => {
                // Nothing can be done about a closed stderr.
                drop(writeln!(std::io::stderr(), "fujie: {error:#}"));
                ExitCode::FAILURE
            }
        },
        Err(said) => {
            match usage::in_chinese(&said).filter(|_| is_chinese) {
                Some(line) => drop(writeln!(std::io::stderr(), "fujie: {line}")),
                None => drop(said.print()),
            }
            if said.use_stderr() { exit(receiver::USAGE) } else { ExitCode::SUCCESS }
        }
    }
}

/// The command line as clap knows it, for parsing, completions and manual pages.
fn command(is_chinese: bool) -> clap::Command {
    let command = Fujie::command();
    if is_chinese { login::in_chinese(command).override_help(include_str!("help.zh.txt")) } else { command }
}

fn exit(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Carries the command out; the exit code.
fn start(fujie: Fujie) -> Result<i32> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads()).enable_all().build()?;
    let config = |flags: Vec<(String, String)>| load(fujie.config.clone(), fujie.data_dir.as_ref(), flags);
    let terminal = Terminal::new(&Manner { lang: fujie.lang, ..Manner::default() });
    let done = match fujie.command {
        Command::Login(login) => return Ok(end(runtime, login::run(*login))),
        Command::Token(token) => return Ok(end(runtime, login::token::run(token))),
        Command::Call(call) => return Ok(end(runtime, login::call::run(*call))),
        Command::Whoami(whoami) => return Ok(end(runtime, login::whoami::run(whoami))),
        Command::Status(status) => return Ok(end(runtime, login::status::run(status))),
        Command::Logout(logout) => return Ok(end(runtime, login::logout::run(logout))),
        Command::Listen(listen) => return Ok(end(runtime, listen::run(*listen))),
        Command::Receive(words) => return Ok(receiver::run(RECEIVER, &words.with(fujie.lang))),
        Command::Scheme(words) => {
            let words: Vec<_> = std::iter::once("scheme".into()).chain(words.with(fujie.lang)).collect();
            return Ok(receiver::run(RECEIVER, &words));
        }
        Command::Serve(serve) => {
            let mut flags = Vec::new();
            flags.extend(serve.issuer.map(|issuer| ("issuer".to_owned(), issuer)));
            flags.extend(serve.listen.map(|listen| ("listen".to_owned(), listen.to_string())));
            let config = config(flags)?;
            log(&config);
            runtime.block_on(serve::run(config))
        }
        Command::Demo(demo) => runtime.block_on(demo::run::run(demo)),
        Command::Simulate(simulate) => runtime.block_on(simulate::run(simulate)),
        Command::Data(command) => runtime.block_on(on_data(command, config(Vec::new())?, terminal)),
        Command::Channel(command) => runtime.block_on(channel::run(command, terminal)),
        Command::Config(ConfigCommand::Sample) => Ok(std::io::stdout().write_all(config::SAMPLE.as_bytes())?),
        Command::Config(ConfigCommand::Show) => Ok(std::io::stdout().write_all(config(Vec::new())?.show().as_bytes())?),
        Command::Config(ConfigCommand::Check) => config(Vec::new()).map(drop),
        Command::Completions(completions) => manual::complete(&completions, command(false)),
        Command::Man(man) => manual::write(&man, command(false)),
    };
    done.map(|()| receiver::DONE)
}

async fn on_data(command: DataCommand, config: Config, terminal: Terminal) -> Result<()> {
    let folder = DataFolder::open(&config.data_dir)?;
    let store = folder.store()?;
    let done = match command {
        DataCommand::Client(command) => client::run(command, &store).await,
        DataCommand::User(command) => user::run(command, &store).await,
        DataCommand::Topic(command) => topic::run(command, &store, terminal).await,
        DataCommand::Integration(command) => {
            let place = integration::Place { store: &store, folder: &folder, config: &config, terminal };
            integration::run(command, place).await
        }
    };
    store.close().await;
    done
}

/// Runs it to its end, and does not wait for threads that still read.
fn end(runtime: tokio::runtime::Runtime, command: impl Future<Output = i32>) -> i32 {
    let code = runtime.block_on(command);
    runtime.shutdown_background();
    code
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(16)
}

fn load(file: Option<PathBuf>, data_dir: Option<&PathBuf>, mut flags: Vec<(String, String)>) -> Result<Config> {
    flags.extend(data_dir.map(|path| ("data_dir".to_owned(), path.to_string_lossy().into_owned())));
    // A variable that is not Unicode is none of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let sources = config::Sources { file, environment, flags };
    Ok(Config::load(sources)?)
}

/// Logs to stderr. Messages never hold a token, a code, a secret or a provider's subject.
fn log(config: &Config) {
    use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let filter = Targets::new().with_default(tracing::Level::WARN).with_target("fujie", config.log.level);
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => registry.with(layer).init(),
        LogFormat::Json => registry.with(layer.json()).init(),
    }
}

/// The receiver, as its messages know it here.
const RECEIVER: Program = Program { name: "fujie receive", scheme: "fujie scheme", render: Some(Registration::render) };

#[cfg(test)]
mod tests {
    #[test]
    fn the_chinese_help_leaves_no_command_out() {
        let help = include_str!("help.zh.txt");
        for command in super::command(true).get_subcommands() {
            assert!(help.contains(&format!("\n  {} ", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn the_written_help_leaves_no_flag_out() {
        let mut command = super::command(false);
        command.build();
        for (name, texts) in [
            ("login", [include_str!("login/help/login.en.txt"), include_str!("login/help/login.zh.txt")]),
            ("listen", [include_str!("listen/help/listen.en.txt"), include_str!("listen/help/listen.zh.txt")]),
        ] {
            let flags = command.find_subcommand(name).unwrap().get_arguments().filter_map(|flag| flag.get_long());
            let flags: Vec<_> = flags.filter(|flag| !["config", "data-dir", "help"].contains(flag)).collect();
            assert!(flags.len() > 15, "{flags:?}");
            for (flag, help) in flags.iter().flat_map(|flag| texts.map(|help| (flag, help))) {
                // A comma may follow it at once.
                let is_there = help.split([' ', ',', '\n']).any(|word| word == format!("--{flag}"));
                assert!(is_there, "{name}: --{flag}");
            }
        }
    }

    #[test]
    fn the_chinese_help_of_commands_with_commands_leaves_none_out() {
        let mut command = super::command(true);
        command.build();
        for (name, help) in [
            ("channel", include_str!("help/channel.zh.txt")),
            ("topic", include_str!("help/topic.zh.txt")),
            ("integration", include_str!("help/integration.zh.txt")),
        ] {
            let top = command.find_subcommand(name).unwrap();
            let below = top.get_subcommands().flat_map(|one| std::iter::once(one).chain(one.get_subcommands()));
            for one in below.filter(|one| one.get_name() != "help") {
                assert!(help.contains(one.get_name()), "{name} {}", one.get_name());
                let flags = one.get_arguments().filter_map(|flag| flag.get_long());
                for flag in flags.filter(|flag| !["config", "data-dir", "lang", "help"].contains(flag)) {
                    assert!(help.contains(&format!("--{flag}")), "{name} {}: --{flag}", one.get_name());
                }
            }
        }
    }
}
