//! The configuration of the server: defaults, then the file, then the environment, then flags; checked as a whole.
//!
//! Owns the typed values and the rules that hold between them. Names and defaults are in `schema`, where values come
//! from is in `layer`, what each means in `value`. Nothing global is read: the environment and the flags are arguments.

mod channel;
mod connection;
mod fault;
mod layer;
mod reader;
mod schema;
mod value;

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use fujie_core::time::Lifetime;

pub use channel::{ChannelConfig, LineConfig};
pub use connection::{ConnectionConfig, Record};
pub use fault::Faults;
use layer::Origin;
use reader::Reader;

/// A commented sample file. Every key stands in it with its default, after a `#` without a space.
pub const SAMPLE: &str = include_str!("sample.toml");

/// What a configuration is read from.
#[derive(Default)]
pub struct Sources {
    /// `--config`. Else the variable `FUJIE_CONFIG` names the file; else it is `fujie.toml` here, or in the data folder.
    pub file: Option<PathBuf>,
    /// Environment variables. Those that begin with `FUJIE__` are keys, and refused when they are not.
    pub environment: Vec<(String, String)>,
    /// Flags: a key's path, such as `log.level`, and its value.
    pub flags: Vec<(String, String)>,
}

/// A configuration in which all values are valid and fit each other.
#[derive(Debug)]
pub struct Config {
    /// The issuer: scheme, host and port, without a slash at the end.
    pub issuer: String,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The data folder. It may not exist yet.
    pub data_dir: PathBuf,
    /// What people call this server.
    pub name: String,
    /// Ways to sign in that are ours.
    pub sign_in: SignIn,
    /// How long things live.
    pub lifetime: Lifetimes,
    /// The log.
    pub log: Log,
    /// Events that reach people.
    pub channel: ChannelConfig,
    /// Providers to sign in with, in the order in which they are offered.
    pub connections: Vec<ConnectionConfig>,
    issuer_follows_listen: bool,
    settings: Vec<Setting>,
}

/// Ways to sign in that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Name and password.
    pub password: bool,
}

/// How long things live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An opaque access token.
    pub access_token: Lifetime,
    /// A JWT access token that comes with a refresh token.
    pub access_token_jwt: Lifetime,
    /// A refresh token that is not used.
    pub refresh_idle: Lifetime,
    /// A grant in all; never less than `refresh_idle`.
    pub refresh_total: Lifetime,
    /// A browser session.
    pub session: Lifetime,
}

/// The log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// How much is logged.
    pub level: tracing::Level,
    /// How it is written.
    pub format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A line of [`Config::show`].
#[derive(Debug)]
struct Setting {
    key: String,
    /// As the file would write it; `None` when it is not set.
    shown: Option<String>,
    origin: Origin,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All faults together; none of them holds a secret's value.
    pub fn load(sources: Sources) -> Result<Self, Faults> {
        Self::load_below(Path::new(""), sources)
    }

    /// As [`Config::load`], with relative paths taken below `base`.
    fn load_below(base: &Path, sources: Sources) -> Result<Self, Faults> {
        let layers = layer::Layers::read(base, &sources);
        if layers.file_is_lost {
            // What would be said of missing keys may be wrong.
            return Err(Faults::new(layers.faults));
        }
        let mut reader = Reader::new(base, layers);
        let config = reader.config();
        let (settings, faults) = reader.finish();
        match config {
            Some(config) if faults.is_empty() => Ok(Self { settings, ..config }),
            _ => Err(Faults::new(faults)),
        }
    }

    /// To be called when the server listens: with port 0, the port is known only now, and an issuer that was not given
    /// follows it.
    pub fn listening_on(&mut self, address: SocketAddr) {
        self.listen = address;
        if self.issuer_follows_listen {
            self.issuer = value::issuer_of(address);
        }
    }

    /// Every key, its value and where it came from, one a line. Secrets are `[redacted]`.
    pub fn show(&self) -> String {
        let line = |setting: &Setting| match &setting.shown {
            Some(shown) => format!("{} = {shown}", setting.key),
            None => format!("# {} is not set", setting.key),
        };
        let lines: Vec<_> = self.settings.iter().map(|setting| (line(setting), setting)).collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(SHOWN_WIDTH_MAX);
        let mut text = String::new();
        for (line, setting) in lines {
            if setting.shown.is_some() {
                text.push_str(&format!("{line:width$}  # {}\n", setting.origin));
            } else {
                text.push_str(&format!("{line}\n"));
            }
        }
        text
    }
}

/// Origins stand in one column, if values are not longer than this.
const SHOWN_WIDTH_MAX: usize = 64;
