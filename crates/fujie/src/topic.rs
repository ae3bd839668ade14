//! `fujie topic`: what people and machines subscribe to, and who belongs to it. Done on the data folder, also while a
//! server runs; as the operator, who needs no membership.

use std::io::Write as _;

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use fujie_channel::event::{TITLE_LENGTH_MAX, is_title, is_topic};
use fujie_core::{account::Account, id::Id, time::Timestamp};
use fujie_server::{clock::Clock, endpoint::sign_in::fold, may_belong};
use fujie_store::{
    Ended, MEMBERS_PER_TOPIC_MAX, Member, MemberChanged, NewTopic, Role, Store, TOPICS_PER_ACCOUNT_MAX, TopicCreated,
    TopicMember,
};
use serde_json::json;

use crate::{
    client::{Output, Print},
    login::{Terminal, visible},
};

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Make a topic; its first owner may add others, in the browser too.
    Add(AddTopic),
    /// List the topics.
    List(Print),
    /// Delete a topic with its events, members and integrations.
    Remove(NamedTopic),
    /// Who belongs to a topic.
    #[command(subcommand)]
    Member(MemberCommand),
}

/// A topic to be made.
#[derive(Debug, Args)]
pub struct AddTopic {
    /// Its name: lower-case letters, digits and hyphens, at most 63. The topic fujie gets the server's own events.
    #[arg(value_name = "TOPIC")]
    name: String,
    /// Its first owner: the name of an account, or its id.
    #[arg(long, value_name = "USER")]
    owner: String,
    /// What people read. Default: the name.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

/// A topic by its name.
#[derive(Debug, Args)]
pub struct NamedTopic {
    /// Its name.
    #[arg(value_name = "TOPIC")]
    name: String,
}

/// What to do with members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Let somebody read a topic and post to it.
    Add(AddMember),
    /// List the members of a topic.
    List(ListMembers),
    /// Take somebody out of a topic. Streams under way end within half a minute.
    Remove(NamedMember),
}

/// Somebody who is to belong to a topic.
#[derive(Debug, Args)]
pub struct AddMember {
    #[command(flatten)]
    named: NamedMember,
    /// As an owner, who may change members and integrations. People only.
    #[arg(long, conflicts_with = "client")]
    owner: bool,
}

/// Somebody, with regard to a topic.
#[derive(Debug, Args)]
pub struct NamedMember {
    /// The topic.
    topic: String,
    /// A person: the name of an account, or its id.
    #[arg(required_unless_present = "client", conflicts_with = "client")]
    user: Option<String>,
    /// An application, for its own tokens (client_credentials): its client_id.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
}

/// Whose members.
#[derive(Debug, Args)]
pub struct ListMembers {
    /// The topic.
    topic: String,
    #[command(flatten)]
    print: Print,
}

/// Carries the command out on the store.
pub async fn run(command: TopicCommand, store: &Store, terminal: Terminal) -> Result<()> {
    let now = Clock::default().now();
    match command {
        TopicCommand::Add(add) => create(add, store, terminal, now).await,
        TopicCommand::List(print) => list(store, print.output()).await,
        TopicCommand::Remove(named) => match store.delete_topic(&named.name, None, now).await? {
            Ended::Ended => Ok(()),
            Ended::Absent => Err(unknown(&named.name, terminal)),
        },
        TopicCommand::Member(MemberCommand::Add(add)) => {
            let member = add.named.member(store, terminal).await?;
            let topic = &add.named.topic;
            if let Member::Account(id) = &member
                && let Some(account) = store.account(*id).await?
            {
                admit(&account, topic, terminal)?;
            }
            let role = if add.owner { Role::Owner } else { Role::Member };
            let changed = store.add_member(topic, member, role, None, now).await?;
            said(changed, topic, terminal)
        }
        TopicCommand::Member(MemberCommand::List(wish)) => members(&wish, store, terminal).await,
        TopicCommand::Member(MemberCommand::Remove(named)) => {
            let member = named.member(store, terminal).await?;
            said(store.remove_member(&named.topic, member, None, now).await?, &named.topic, terminal)
        }
    }
}

/// There is no topic of this name.
pub fn unknown(topic: &str, terminal: Terminal) -> anyhow::Error {
    let topic = visible(topic);
    anyhow!(terminal.choose(
        format!("there is no topic {topic}; see fujie topic list"),
        format!("没有名为 {topic} 的话题，可用 fujie topic list 查看")
    ))
}

async fn create(add: AddTopic, store: &Store, terminal: Terminal, now: Timestamp) -> Result<()> {
    if !is_topic(&add.name) {
        bail!(terminal.choose(
            "a topic's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -",
            "话题名只能由 1 到 63 个 a-z、0-9 和 - 组成，且不能以 - 开头"
        ));
    }
    let owner = account(&add.owner, store, terminal).await?;
    admit(&owner, &add.name, terminal)?;
    let title = add.title.unwrap_or_else(|| add.name.clone());
    if !is_title(&title) {
        bail!(terminal.choose(
            format!("--title must be 1 to {TITLE_LENGTH_MAX} characters in one line"),
            format!("--title 应为一行 1 到 {TITLE_LENGTH_MAX} 个字符的文字")
        ));
    }
    let name = add.name.clone();
    match store.create_topic(NewTopic { name: add.name, title, owner: owner.id }, now).await? {
        TopicCreated::Created(_) => Ok(()),
        TopicCreated::Taken => {
            bail!(terminal.choose(format!("there is a topic {name} already"), format!("已经有名为 {name} 的话题")))
        }
        TopicCreated::TooMany => bail!(terminal.choose(
            format!("this account has made {TOPICS_PER_ACCOUNT_MAX} topics, which is the most"),
            format!("该账号已创建 {TOPICS_PER_ACCOUNT_MAX} 个话题，达到上限")
        )),
        TopicCreated::AccountGone => bail!(terminal.choose("this account is disabled", "该账号已停用")),
    }
}

async fn list(store: &Store, output: Output) -> Result<()> {
    let (mut out, mut after) = (std::io::stdout(), String::new());
    loop {
        let topics = store.topics(&after).await?;
        let Some(last) = topics.last() else { return Ok(()) };
        after.clone_from(&last.name);
        for topic in &topics {
            match output {
                Output::Text => writeln!(out, "{:24}  {}", topic.name, visible(&topic.title))?,
                Output::Json => {
                    let line = json!({
                        "topic": topic.name, "title": topic.title, "created_by": topic.created_by.to_string(),
                        "created_at": topic.created_at.seconds(),
                    });
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
}

async fn members(wish: &ListMembers, store: &Store, terminal: Terminal) -> Result<()> {
    if store.topic(&wish.topic).await?.is_none() {
        return Err(unknown(&wish.topic, terminal));
    }
    let mut out = std::io::stdout();
    for TopicMember { member, name, role, added_at } in store.members(&wish.topic).await? {
        let (kind, id, role) = (member.kind(), id_of(&member), role.as_str());
        match wish.print.output() {
            Output::Text => writeln!(out, "{id:32}  {kind:7}  {role:6}  {}", visible(&name))?,
            Output::Json => {
                let line = json!({
                    "kind": kind, "id": id, "name": name, "role": role, "added_at": added_at.seconds(),
                });
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

fn id_of(member: &Member) -> String {
    match member {
        Member::Account(id) => id.to_string(),
        Member::Client(id) => id.clone(),
    }
}

impl NamedMember {
    async fn member(&self, store: &Store, terminal: Terminal) -> Result<Member> {
        match (&self.client, &self.user) {
            (Some(client), _) => Ok(Member::Client(client.clone())),
            (None, user) => {
                Ok(Member::Account(account(user.as_deref().unwrap_or_default(), store, terminal).await?.id))
            }
        }
    }
}

/// The account of this name, or else of this id: who signs in with a third party alone has no name.
async fn account(name: &str, store: &Store, terminal: Terminal) -> Result<Account> {
    if let Some(account) = store.account_named(&fold(name)).await? {
        return Ok(account);
    }
    let by_id = match Id::parse(name) {
        Some(id) => store.account(id).await?,
        None => None,
    };
    let name = visible(name);
    by_id.ok_or_else(|| {
        anyhow!(terminal.choose(
            format!("there is no account {name}: give the name it signs in with, or its id"),
            format!("没有账号 {name}：请填写登录用的名称，或账号的 id")
        ))
    })
}

/// May this account own or join this topic? The server's own events tell who signs in where.
fn admit(account: &Account, topic: &str, terminal: Terminal) -> Result<()> {
    if may_belong(account, topic) {
        return Ok(());
    }
    bail!(terminal.choose(
        "the topic fujie has the server's own events, and is for administrators",
        "话题 fujie 的内容是服务器自身的事件，只能由管理员加入"
    ))
}

fn said(changed: MemberChanged, topic: &str, terminal: Terminal) -> Result<()> {
    let (english, chinese) = match changed {
        MemberChanged::Changed | MemberChanged::Unchanged => return Ok(()),
        MemberChanged::Absent => (
            format!("there is no such member of {topic}, or no such topic, account or client"),
            format!("没有话题 {topic}，或没有这个账号、应用或成员"),
        ),
        MemberChanged::LastOwner => {
            (format!("{topic} would be left without an owner"), format!("话题 {topic} 至少要有一名所有者"))
        }
        MemberChanged::TooMany => (
            format!("{topic} has {MEMBERS_PER_TOPIC_MAX} members, which is the most"),
            format!("话题 {topic} 已有 {MEMBERS_PER_TOPIC_MAX} 名成员，达到上限"),
        ),
    };
    bail!(terminal.choose(english, chinese))
}
