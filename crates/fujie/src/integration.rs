//! `fujie integration`: doors for webhooks, made and closed on the data folder, also while a server runs. A secret is
//! printed once and kept sealed.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use fujie_channel::webhook::{
    Secrets, secrets,
    sender::{self, Described, Invalid, LABEL_LENGTH_MAX, PREFIX_LENGTH_MAX, Sender},
};
use fujie_core::{id::Id, random::SystemRandom, secret::Secret, time::Timestamp, token::at_rest::AtRest};
use fujie_server::clock::Clock;
use fujie_store::{
    Ended, INTEGRATIONS_PER_TOPIC_MAX, Integration, IntegrationAdded, IntegrationChanged, IntegrationKind, Store,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    client::{Output, Print},
    config::Config,
    data::DataFolder,
    login::{Terminal, visible},
    topic::unknown,
};

/// What to do with integrations.
#[derive(Debug, Subcommand)]
pub enum IntegrationCommand {
    /// Make a door for webhooks and print its address and secret; the secret is shown once.
    Add(Box<AddIntegration>),
    /// List the integrations of a topic.
    List(ListIntegrations),
    /// Close a door; what came through it stays.
    Remove(NamedIntegration),
    /// Give an integration another secret and print it, once.
    Secret(ReplaceSecret),
}

/// A door to be made.
#[derive(Debug, Args)]
pub struct AddIntegration {
    /// The topic that gets what comes in.
    topic: String,
    /// Who sends, or how it is proven: hmac is HMAC-SHA256 of the body in --header, token the secret itself there.
    #[arg(long, value_enum, default_value = "github")]
    kind: KindName,
    /// The header with the signature or the token. Default: X-Signature-256 with hmac, X-Token with token.
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// What stands before the signature in its header. Default: sha256=
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// The header that names a delivery: the same name is taken once. Without it, equal bodies are, until the next
    /// minute of the clock is over.
    #[arg(long, value_name = "NAME")]
    id_header: Option<String>,
    /// The header that names what happened.
    #[arg(long, value_name = "NAME")]
    event_header: Option<String>,
    /// A word for it, for people. Default: the kind.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    #[command(flatten)]
    given: GivenSecret,
    #[command(flatten)]
    print: Print,
}

/// A kind on the command line: what is stored, and those of senders that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// GitHub, and who signs as GitHub does.
    Github,
    /// GitLab's secret token.
    Gitlab,
    /// Gitee's password.
    Gitee,
    /// HMAC-SHA256 of the body, in hexadecimal digits or Base64.
    Hmac,
    /// The secret itself in a header.
    Token,
}

/// A secret that the sender chose.
#[derive(Debug, Args)]
pub struct GivenSecret {
    /// File with the secret, when the sender chose it. Default: a random one is made.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Whose integrations.
#[derive(Debug, Args)]
pub struct ListIntegrations {
    /// The topic.
    topic: String,
    #[command(flatten)]
    print: Print,
}

/// An integration by its id.
#[derive(Debug, Args)]
pub struct NamedIntegration {
    /// Its id, as listed; the last part of its address.
    id: String,
}

/// Which integration gets another secret.
#[derive(Debug, Args)]
pub struct ReplaceSecret {
    #[command(flatten)]
    named: NamedIntegration,
    #[command(flatten)]
    given: GivenSecret,
    #[command(flatten)]
    print: Print,
}

/// Where the command works.
pub struct Place<'a> {
    /// The database.
    pub store: &'a Store,
    /// Has the key that secrets are sealed under.
    pub folder: &'a DataFolder,
    /// Knows the issuer of a server that never ran.
    pub config: &'a Config,
    /// Speaks.
    pub terminal: Terminal,
}

/// Carries the command out.
pub async fn run(command: IntegrationCommand, place: Place<'_>) -> Result<()> {
    let now = Clock::default().now();
    let (store, terminal) = (place.store, place.terminal);
    match command {
        IntegrationCommand::Add(add) => place.add(*add, now).await,
        IntegrationCommand::List(wish) => place.list(&wish).await,
        IntegrationCommand::Remove(named) => match store.remove_integration(&named.id, None, now).await? {
            Ended::Ended => Ok(()),
            Ended::Absent => Err(absent(&named.id, terminal)),
        },
        IntegrationCommand::Secret(replace) => {
            let id = &replace.named.id;
            let integration = store.integration(id).await?.ok_or_else(|| absent(id, terminal))?;
            let secret = replace.given.secret(terminal)?;
            let sealed = place.sealed(id, &secret).await?;
            match store.replace_integration_secret(id, sealed, None, now).await? {
                IntegrationChanged::Changed => place.print(&integration, &secret, replace.print.output()).await,
                IntegrationChanged::Absent => Err(absent(id, terminal)),
            }
        }
    }
}

impl Place<'_> {
    async fn add(&self, add: AddIntegration, now: Timestamp) -> Result<()> {
        let mut integration = add.integration(self.terminal, now)?;
        let secret = add.given.secret(self.terminal)?;
        integration.sealed_secret = self.sealed(&integration.id, &secret).await?;
        match self.store.add_integration(integration.clone()).await? {
            IntegrationAdded::Added => self.print(&integration, &secret, add.print.output()).await,
            IntegrationAdded::UnknownTopic => Err(unknown(&add.topic, self.terminal)),
            IntegrationAdded::TooMany => bail!(self.terminal.choose(
                format!("{} has {INTEGRATIONS_PER_TOPIC_MAX} integrations, which is the most", add.topic),
                format!("话题 {} 已有 {INTEGRATIONS_PER_TOPIC_MAX} 个集成，达到上限", add.topic)
            )),
        }
    }

    async fn sealed(&self, id: &str, secret: &Secret) -> Result<Vec<u8>> {
        let master = self.folder.master_key(self.store).await?;
        Ok(master.seal_secret(AtRest::WebhookSecret, id, &Secrets::only(secret).text(), &mut SystemRandom)?)
    }

    async fn list(&self, wish: &ListIntegrations) -> Result<()> {
        if self.store.topic(&wish.topic).await?.is_none() {
            return Err(unknown(&wish.topic, self.terminal));
        }
        let mut out = std::io::stdout();
        for integration in self.store.integrations(&wish.topic).await? {
            let url = self.url(&integration).await?;
            let Integration { id, kind, label, .. } = &integration;
            match wish.print.output() {
                Output::Text => writeln!(out, "{id}  {:6}  {}  {url}", kind.as_str(), visible(label))?,
                Output::Json => writeln!(out, "{}", described(&integration, &url))?,
            }
        }
        Ok(())
    }

    async fn print(&self, integration: &Integration, secret: &Secret, output: Output) -> Result<()> {
        let (mut out, url) = (std::io::stdout(), self.url(integration).await?);
        match output {
            Output::Json => {
                let mut object = described(integration, &url);
                if let Some(members) = object.as_object_mut() {
                    members.insert("secret".to_owned(), json!(secret.expose()));
                }
                writeln!(out, "{object}")?;
            }
            Output::Text => {
                writeln!(out, "integration  {}", integration.id)?;
                writeln!(out, "url          {url}")?;
                let once = self.terminal.choose("shown once", "只显示这一次");
                writeln!(out, "secret       {}   ({once})", secret.expose())?;
            }
        }
        Ok(())
    }

    /// The door's address: of the issuer that the data belongs to, once there is one.
    async fn url(&self, integration: &Integration) -> Result<String> {
        let instance = self.store.instance().await?;
        let issuer = instance.map_or_else(|| self.config.issuer.clone(), |instance| instance.issuer);
        Ok(format!("{issuer}/hooks/{}", integration.id))
    }
}

fn described(integration: &Integration, url: &str) -> serde_json::Value {
    json!({
        "integration": integration.id, "topic": integration.topic, "kind": integration.kind.as_str(),
        "label": integration.label, "url": url, "header": integration.header, "prefix": integration.prefix,
        "id_header": integration.id_header, "event_header": integration.event_header,
        "created_at": integration.created_at.seconds(),
    })
}

impl AddIntegration {
    /// All of it but the sealed secret.
    fn integration(&self, terminal: Terminal, now: Timestamp) -> Result<Integration> {
        let (kind, usual) = self.kind.usual();
        let is_free = matches!(self.kind, KindName::Hmac | KindName::Token);
        let own = [&self.header, &self.id_header, &self.event_header].into_iter().any(Option::is_some);
        if (own && !is_free) || (self.prefix.is_some() && self.kind != KindName::Hmac) {
            bail!(terminal.choose(
                "--header, --id-header, --event-header go with --kind hmac or token, --prefix with hmac",
                "--header、--id-header、--event-header 只用于 --kind hmac 或 token，--prefix 只用于 hmac"
            ));
        }
        fn or<'a>(given: &'a Option<String>, usual: Option<&'a str>) -> &'a str {
            given.as_deref().or(usual).unwrap_or_default()
        }
        let typed = sender::Typed {
            label: or(&self.label, Some(self.kind.label())),
            proof: or(&self.header, Some(usual.proof)),
            prefix: or(&self.prefix, Some(usual.prefix)),
            delivery: or(&self.id_header, usual.delivery),
            event: or(&self.event_header, usual.event),
        };
        let described = Described::parse(&typed).map_err(|invalid| said(invalid, terminal))?;
        Ok(Integration {
            id: Id::new(now, &mut SystemRandom).to_string(),
            topic: self.topic.clone(),
            kind,
            label: described.label,
            header: described.header,
            prefix: described.prefix,
            id_header: described.id_header,
            event_header: described.event_header,
            sealed_secret: Vec::new(),
            created_by: None,
            hook: None,
            created_at: now,
        })
    }
}

fn said(invalid: Invalid, terminal: Terminal) -> anyhow::Error {
    let (english, chinese) = match invalid {
        Invalid::Label => (
            format!("--label must be 1 to {LABEL_LENGTH_MAX} characters in one line"),
            format!("--label 应为一行 1 到 {LABEL_LENGTH_MAX} 个字符的文字"),
        ),
        Invalid::Header(name) => {
            let name = visible(&name);
            (format!("{name}: not the name of a header"), format!("{name}：不是合法的请求头名称"))
        }
        Invalid::Proof(name) => (
            format!("{name}: carries the proof and cannot name the delivery or the event as well"),
            format!("{name}：该请求头用来证明身份，不能同时用作投递编号或事件名称"),
        ),
        Invalid::Prefix => (
            format!("--prefix must be at most {PREFIX_LENGTH_MAX} letters, digits or =:._-"),
            format!("--prefix 最多 {PREFIX_LENGTH_MAX} 个字符，只能包含字母、数字和 =:._-"),
        ),
    };
    anyhow::anyhow!(terminal.choose(english, chinese))
}

impl KindName {
    /// What is stored for it, and its headers unless others are named.
    fn usual(self) -> (IntegrationKind, Sender) {
        match self {
            Self::Github => (IntegrationKind::Github, sender::GITHUB),
            Self::Gitlab => (IntegrationKind::Token, sender::GITLAB),
            Self::Gitee => (IntegrationKind::Token, sender::GITEE),
            Self::Hmac => (IntegrationKind::Hmac, sender::HMAC),
            Self::Token => (IntegrationKind::Token, sender::TOKEN),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Gitlab => "GitLab",
            Self::Gitee => "Gitee",
            Self::Hmac => "HMAC",
            Self::Token => "Token",
        }
    }
}

impl GivenSecret {
    /// The sender's own, or a random one of 256 bits.
    fn secret(&self, terminal: Terminal) -> Result<Secret> {
        let Some(path) = &self.secret_file else {
            return Ok(secrets::new(&mut SystemRandom));
        };
        let mut text = Zeroizing::new(String::new());
        let read = File::open(path).and_then(|file| file.take(SECRET_LENGTH_MAX + 2).read_to_string(&mut text));
        read.with_context(|| path.display().to_string())?;
        let secret = text.trim_end_matches(['\n', '\r']);
        let is_fit = (SECRET_LENGTH_MIN..=SECRET_LENGTH_MAX).contains(&(secret.len() as u64));
        if !is_fit || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(terminal.choose(
                format!("a secret has {SECRET_LENGTH_MIN} to {SECRET_LENGTH_MAX} visible ASCII characters"),
                format!("密钥应为 {SECRET_LENGTH_MIN} 到 {SECRET_LENGTH_MAX} 个可见的 ASCII 字符")
            ));
        }
        Ok(Secret::new(secret.to_owned()))
    }
}

fn absent(id: &str, terminal: Terminal) -> anyhow::Error {
    let id = visible(id);
    anyhow::anyhow!(terminal.choose(
        format!("there is no integration {id}; see fujie integration list TOPIC"),
        format!("没有集成 {id}，可用 fujie integration list TOPIC 查看")
    ))
}

/// Shorter ones can be guessed.
const SECRET_LENGTH_MIN: u64 = 8;
const SECRET_LENGTH_MAX: u64 = 256;
