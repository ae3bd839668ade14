//! `fujie simulate`: providers on loopback, for programs in any language.
//!
//! Owns the table of providers, the order of what is printed, and the flags. What is in the file is in [`file`],
//! what to tell foreign programs in [`guide`].

mod file;
mod guide;

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fujie_simulator::{
    Github, GithubConfig, Person, Qq, QqConfig, Running, Wechat, WechatConfig, Weibo, WeiboConfig, default_people,
};
use serde::Deserialize;
use serde_json::json;

use self::guide::Guide;
use crate::{client::Output, serve::stop_signal};

/// Which, and where.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Providers to simulate, each on a port of its own.
    #[arg(value_enum, required = true)]
    names: Vec<Simulated>,
    /// Port of the first on 127.0.0.1; the next ones follow. 0 takes free ones.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// People, apps and switches (TOML): [[people]], [[wechat.apps]], [wechat.switches], and so on.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Who agrees to every sign-in at once, so that no browser is needed: xiaoming, lihua, zoe, or one of the file's.
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Form of what is printed on stdout: a base URL per provider, or a JSON object per provider and line.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// The providers, a line each: variant and word on the command line, key and type in the file, fields of an app.
macro_rules! providers {
    ($($(#[$doc:meta])* $variant:ident $key:ident: $Config:ident { $id:ident, $secret:ident } $guide:expr;)*) => {
        /// A provider to simulate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub enum Simulated {
            $($(#[$doc])* $variant,)*
        }

        /// The file of `--file`: what the providers start with.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct File {
            /// Everybody who can sign in, at every provider.
            people: Vec<Person>,
            /// Who agrees to every sign-in at once, if anybody.
            auto_confirm: Option<String>,
            $($key: $Config,)*
        }

        impl Default for File {
            fn default() -> Self {
                Self { people: default_people(), auto_confirm: None, $($key: $Config::default(),)* }
            }
        }

        impl Simulated {
            fn guide(self) -> &'static Guide {
                match self {
                    $(Self::$variant => &$guide,)*
                }
            }

            async fn start(self, port: u16, file: &File) -> std::io::Result<Started> {
                let (people, auto_confirm) = (file.people.clone(), file.auto_confirm.clone());
                match self {
                    $(Self::$variant => {
                        let config = $Config { people, auto_confirm, ..file.$key.clone() };
                        let app = config.apps.first().map(|app| (app.$id.clone(), Option::from(app.$secret.clone())));
                        let running = $variant::start(("127.0.0.1", port), config).await?;
                        Ok(Started { guide: self.guide(), running, app })
                    })*
                }
            }
        }
    };
}

providers! {
    /// WeChat: sign-in of websites by QR code.
    Wechat wechat: WechatConfig { appid, secret } guide::WECHAT;
    /// QQ: website sign-in, with its JavaScript answers.
    Qq qq: QqConfig { client_id, secret } guide::QQ;
    /// Weibo: sign-in and the user's data.
    Weibo weibo: WeiboConfig { client_id, secret } guide::WEIBO;
    /// GitHub: OAuth apps and GitHub Apps, device flow, repository hooks and their deliveries.
    Github github: GithubConfig { client_id, client_secret } guide::GITHUB;
}

/// A provider that runs.
struct Started {
    guide: &'static Guide,
    running: Running,
    /// Id of the first app, if there is one, and its secret, if it has one.
    app: Option<(String, Option<String>)>,
}

/// Runs until it is told to stop; prints one base URL per provider.
pub async fn run(simulate: Simulate) -> Result<()> {
    let mut file = match &simulate.file {
        Some(path) => File::read(path)?,
        None => File::default(),
    };
    if let Some(name) = simulate.person {
        file.auto_confirm = Some(name);
    }
    file.check()?;
    let mut all = Vec::new();
    let mut port = simulate.port;
    for name in simulate.names {
        let started = name.start(port, &file).await;
        let title = name.guide().title;
        all.push(started.with_context(|| format!("cannot simulate {title} on 127.0.0.1:{port}"))?);
        port = match port {
            0 => 0,
            u16::MAX => bail!("there is no port after {port}; choose a lower one with --port"),
            port => port + 1,
        };
    }
    // The addresses last: whoever waits for them finds everything there.
    for started in &all {
        started.tell_people(&mut std::io::stderr())?;
    }
    if let Some(name) = &file.auto_confirm {
        writeln!(std::io::stderr(), "{name} agrees to every sign-in at once")?;
    }
    for started in &all {
        started.tell_programs(simulate.output, &mut std::io::stdout())?;
    }
    std::io::stdout().flush()?;
    stop_signal().await;
    for started in all {
        started.running.shutdown().await?;
    }
    Ok(())
}

impl Started {
    fn tell_programs(&self, output: Output, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let base = self.running.base_url();
        match output {
            Output::Text => writeln!(out, "{base}"),
            Output::Json => {
                let endpoints: serde_json::Map<_, _> = (self.guide.endpoints.iter())
                    .map(|(name, path)| ((*name).to_owned(), format!("{base}{path}").into()))
                    .collect();
                let told = json!({
                    "provider": self.guide.name,
                    "base_url": base,
                    "phone_url": format!("{base}/phone"),
                    "control_url": format!("{base}/_simulate"),
                    "client_id": self.app.as_ref().map(|(id, _)| id),
                    "client_secret": self.app.as_ref().and_then(|(_, secret)| secret.as_ref()),
                    "endpoints": endpoints,
                });
                writeln!(out, "{told}")
            }
        }
    }

    fn tell_people(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let (guide, base) = (self.guide, self.running.base_url());
        writeln!(out, "{}, in place of {}: {base}", guide.title, guide.hosts)?;
        writeln!(out, "  {:<16} {base}/phone", "phone")?;
        if let Some((id, secret)) = &self.app {
            let secret = secret.as_deref().unwrap_or("none: a public client");
            writeln!(out, "  {:<16} {id}\n  {:<16} {secret}", guide.id, guide.secret)?;
        }
        for (name, path) in guide.endpoints {
            writeln!(out, "  {name:<16} {base}{path}")?;
        }
        writeln!(out, "  Set these addresses as:")?;
        for (client, settings) in guide.clients {
            writeln!(out, "  {client:<16} {settings}")?;
        }
        writeln!(out)
    }
}
