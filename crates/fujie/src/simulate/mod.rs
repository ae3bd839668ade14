//! `fujie simulate`: providers on loopback, for programs in any language.
//!
//! Owns the table of providers, the order of what is printed, and the flags. What is in the file is in [`file`],
//! what to tell foreign programs in [`guide`].

mod file;
mod guide;

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
};

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use fujie_simulator::modest::Kind;
use fujie_simulator::oidc::House;
use fujie_simulator::wechat::AppKind;
use fujie_simulator::{
    Github, GithubConfig, Modest, ModestConfig, Oidc, OidcConfig, Person, Push, PushConfig, Qq, QqConfig, Robot,
    RobotConfig, Running, Wechat, WechatConfig, Weibo, WeiboConfig, default_people,
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

/// The providers, a line each: variant and word on the command line, key in the file, who plays it and from which
/// configuration, fields of an app. A player of many providers is also told which one.
macro_rules! providers {
    ($(
        $(#[$doc:meta])*
        $variant:ident $key:ident: $Player:ident($Config:ident $(, $which:expr)?) { $id:ident, $secret:ident } $guide:expr;
    )*) => {
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
                        let config = $Config { people, auto_confirm, ..file.$key.clone() }$(.playing($which))?;
                        let app = config.apps.first().map(|app| (app.$id.clone(), Option::from(app.$secret.clone())));
                        let running = $Player::start(("127.0.0.1", port), config).await?;
                        Ok(Started { guide: self.guide(), running, app })
                    })*
                }
            }
        }
    };
}

providers! {
    /// WeChat: websites, in-app pages and mini programs.
    Wechat wechat: Wechat(WechatConfig) { appid, secret } guide::WECHAT;
    /// QQ: website sign-in, with its JavaScript answers.
    Qq qq: Qq(QqConfig) { client_id, secret } guide::QQ;
    /// Weibo: sign-in and the user's data.
    Weibo weibo: Weibo(WeiboConfig) { client_id, secret } guide::WEIBO;
    /// GitHub: OAuth apps and GitHub Apps, device flow, repository hooks and their deliveries.
    Github github: Github(GithubConfig) { client_id, client_secret } guide::GITHUB;
    /// An OpenID provider after the standards, which can be told to lie.
    Oidc oidc: Oidc(OidcConfig) { client_id, client_secret } guide::OIDC;
    /// Gitee: sign-in and the user.
    Gitee gitee: Modest(ModestConfig, Kind::Gitee) { client_id, client_secret } guide::GITEE;
    /// DingTalk: sign-in with JSON calls.
    Dingtalk dingtalk: Modest(ModestConfig, Kind::Dingtalk) { client_id, client_secret } guide::DINGTALK;
    /// Feishu: sign-in with JSON calls; Lark has the same paths.
    Feishu feishu: Modest(ModestConfig, Kind::Feishu) { client_id, client_secret } guide::FEISHU;
    /// WeCom: sign-in by the application's own token.
    Wecom wecom: Modest(ModestConfig, Kind::Wecom) { client_id, client_secret } guide::WECOM;
    /// Douyin: sign-in and the user.
    Douyin douyin: Modest(ModestConfig, Kind::Douyin) { client_id, client_secret } guide::DOUYIN;
    /// Baidu: sign-in and the user.
    Baidu baidu: Modest(ModestConfig, Kind::Baidu) { client_id, client_secret } guide::BAIDU;
    /// Discord: sign-in and the user.
    Discord discord: Modest(ModestConfig, Kind::Discord) { client_id, client_secret } guide::DISCORD;
    /// Alipay: sign-in through the gateway, signed both ways.
    Alipay alipay: Modest(ModestConfig, Kind::Alipay) { client_id, client_secret } guide::ALIPAY;
    /// Apple: answers by POST, a signed client secret.
    Apple apple: Oidc(OidcConfig, House::Apple) { client_id, client_secret } guide::APPLE;
    /// Google: OpenID Connect and device flow.
    Google google: Oidc(OidcConfig, House::Google) { client_id, client_secret } guide::GOOGLE;
    /// Microsoft: OpenID Connect v2.0 with tenants.
    Microsoft microsoft: Oidc(OidcConfig, House::Microsoft) { client_id, client_secret } guide::MICROSOFT;
    /// GitLab: OpenID Connect and its user API.
    Gitlab gitlab: Oidc(OidcConfig, House::Gitlab) { client_id, client_secret } guide::GITLAB;
    /// Group robots of DingTalk, Feishu and WeCom, and their chats.
    Robot robot: Robot(RobotConfig) { token, secret } guide::ROBOT;
    /// A Web Push service.
    Push push: Push(PushConfig) { id, application_server_key } guide::PUSH;
}

/// A provider that runs.
pub struct Started {
    guide: &'static Guide,
    /// Where.
    pub running: Running,
    /// Id of the first app, if there is one, and its secret, if it has one.
    pub app: Option<(String, Option<String>)>,
}

/// Starts the simulator of the provider that configurations call so, as it comes; `None` when there is none.
pub async fn start(provider: &str) -> Option<std::io::Result<Started>> {
    let mut file = File::default();
    // An app that is registered today.
    file.alipay.switches.open_id_only = true;
    let name = match provider {
        "openid" => "oidc",
        "wechat_in_app" => {
            file.wechat.apps.retain(|app| app.kind == AppKind::OfficialAccount);
            "wechat"
        }
        name => name,
    };
    let simulated = Simulated::from_str(name, false).ok()?;
    Some(simulated.start(0, &file).await)
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
    file.check_person()?;
    let mut all = Vec::new();
    let mut port = simulate.port;
    for name in simulate.names {
        let title = name.guide().title;
        let started = name.start(port, &file).await.map_err(|fault| match (&simulate.file, fault.kind()) {
            (Some(path), ErrorKind::InvalidInput) => anyhow!("{} cannot be used: {title}: {fault}", path.display()),
            _ => anyhow!("cannot simulate {title} on 127.0.0.1:{port}: {fault}"),
        });
        all.push(started?);
        port = match port {
            0 => 0,
            u16::MAX => bail!("there is no port after {port}; choose a lower one with --port"),
            port => port + 1,
        };
    }
    // The addresses last: whoever waits for them finds everything there, and may end it.
    let stop = stop_signal();
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
    stop.await;
    for started in all {
        started.running.shutdown().await?;
    }
    Ok(())
}

impl Started {
    /// The name that people read.
    pub const fn title(&self) -> &'static str {
        self.guide.title
    }

    /// Where it listens; its own pages and answers name the base URL instead.
    fn listener(&self) -> String {
        format!("http://{}", self.running.address())
    }

    /// What the first app sends to prove itself, if it sends anything.
    fn secret(&self) -> Option<&str> {
        let (_, secret) = self.app.as_ref().filter(|_| self.guide.secret != guide::PRIVATE_KEY)?;
        secret.as_deref().filter(|secret| !secret.is_empty())
    }

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
                    "listener_url": self.listener(),
                    "phone_url": format!("{base}/phone"),
                    "control_url": format!("{base}/_simulate"),
                    "client_id": self.app.as_ref().map(|(id, _)| id),
                    "client_secret": self.secret(),
                    "endpoints": endpoints,
                });
                writeln!(out, "{told}")
            }
        }
    }

    fn tell_people(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let (guide, base) = (self.guide, self.running.base_url());
        writeln!(out, "{}, in place of {}: {base}", guide.title, guide.hosts)?;
        if self.listener() != base {
            writeln!(out, "  {:<16} {}", "listens at", self.listener())?;
        }
        writeln!(out, "  {:<16} {base}/phone", "phone")?;
        if let Some((id, _)) = &self.app {
            let secret = match self.secret() {
                Some(secret) => secret.to_owned(),
                None if guide.secret == guide::PRIVATE_KEY => format!("see {base}/_simulate"),
                None if !guide.is_sign_in() => "none".to_owned(),
                None => "none: a public client".to_owned(),
            };
            writeln!(out, "  {:<16} {id}\n  {:<16} {secret}", guide.id, guide.secret)?;
        }
        for (name, path) in guide.endpoints {
            writeln!(out, "  {name:<16} {base}{path}")?;
        }
        writeln!(out, "  Set these addresses as:")?;
        for (client, settings) in guide.clients {
            writeln!(out, "  {client:<16} {settings}")?;
        }
        for (program, settings) in guide.ours(base) {
            writeln!(out, "  {program:<16} {settings}")?;
        }
        writeln!(out)
    }
}
