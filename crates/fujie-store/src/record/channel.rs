//! What goes into the verbs of the channel and comes out of them: topics, integrations, events, targets, tokens of
//! providers. Whatever is called sealed is opaque here.

use fujie_core::{
    id::Id,
    secret::{Digest, hex, sha256},
    time::{Lifetime, Timestamp},
};

/// The topic of the server's own events: every audit row is told there too, once the topic was made.
pub const OWN_TOPIC: &str = "fujie";
/// Topics that one account may have made.
pub const TOPICS_PER_ACCOUNT_MAX: u32 = 20;
/// Members of one topic.
pub const MEMBERS_PER_TOPIC_MAX: u32 = 200;
/// Integrations of one topic.
pub const INTEGRATIONS_PER_TOPIC_MAX: u32 = 50;
/// Group robots of one topic.
pub const ROBOTS_PER_TOPIC_MAX: u32 = 50;
/// Web Push subscriptions of one account on one topic: its browsers.
pub const PUSHES_PER_MEMBER_MAX: u32 = 10;

/// What the events of one topic weigh together, in bytes, with their bodies and about 512 for each. Who posts may fill
/// half of it; the rest is for deliveries. The server's own topic has no such bound, since what happened is always told
/// there.
pub const TOPIC_WEIGHT_MAX: i64 = 1024 * 1024 * 1024;

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name, as the caller found it good.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// Who makes it, and owns it first.
    pub owner: Id,
}

/// What people and machines subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// Who made it.
    pub created_by: Id,
    /// When.
    pub created_at: Timestamp,
}

/// Who belongs to a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// A person.
    Account(Id),
    /// A client, by its `client_id`.
    Client(String),
}

impl Member {
    /// The stored word for what it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Client(_) => "client",
        }
    }

    /// The account's id or the bytes of the `client_id`, as stored.
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Account(id) => id.as_bytes(),
            Self::Client(id) => id.as_bytes(),
        }
    }
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything. Accounts only.
    Owner,
    /// Read, and write what its token lets it.
    Member,
}

impl Role {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Member].into_iter().find(|own| own.as_str() == word)
    }
}

/// A member of a topic, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMember {
    /// Who.
    pub member: Member,
    /// The account's or the client's name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when it belongs.
    pub added_at: Timestamp,
}

/// How deliveries to an integration are proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// As GitHub signs: `X-Hub-Signature-256`.
    Github,
    /// HMAC-SHA256 of the body, in hexadecimal digits or Base64, in a header to choose.
    Hmac,
    /// The secret itself, in a header to choose.
    Token,
}

impl IntegrationKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Hmac => "hmac",
            Self::Token => "token",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Github, Self::Hmac, Self::Token].into_iter().find(|own| own.as_str() == word)
    }
}

/// A door for webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Its id in our address, random; the caller draws it.
    pub id: String,
    /// Where its events go.
    pub topic: String,
    /// How deliveries are proven.
    pub kind: IntegrationKind,
    /// The owner's word for it.
    pub label: String,
    /// The header with the signature or the token.
    pub header: String,
    /// What stands before the signature in it; often nothing.
    pub prefix: String,
    /// The header that names a delivery, if there is one.
    pub id_header: Option<String>,
    /// The header that names the event, if there is one.
    pub event_header: Option<String>,
    /// The secret, sealed.
    pub sealed_secret: Vec<u8>,
    /// Who made it; `None`: the operator.
    pub created_by: Option<Id>,
    /// The hook at the provider, if we make it.
    pub hook: Option<Hook>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A hook that we make at a provider. The row has it before the provider does, so that one whose making is cut short is
/// found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The connection whose token makes it.
    pub connection: String,
    /// The provider's word for the repository, such as `owner/name`.
    pub repository: String,
    /// The provider's number for it; `None` until the provider has told us.
    pub id: Option<u64>,
}

/// An event to be appended to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Its topic.
    pub topic: String,
    /// When it happened, or came in.
    pub at: Timestamp,
    /// The `type` of CloudEvents.
    pub event_type: String,
    /// The `source` of CloudEvents.
    pub source: String,
    /// The `subject` of CloudEvents, if it has one.
    pub subject: Option<String>,
    /// The name that its sender gave it, if it gave one that is to be told.
    pub delivery: Option<String>,
    /// Its data, when that fits in a line.
    pub data: Option<String>,
    /// Its data as it came, when it does not. Kept aside, as long as the event.
    pub body: Option<Vec<u8>>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// Its place in the log: ascending in the order of commits, over all topics, never given twice.
    pub id: i64,
    /// As in [`NewEvent`].
    pub topic: String,
    /// As in [`NewEvent`].
    pub at: Timestamp,
    /// As in [`NewEvent`].
    pub event_type: String,
    /// As in [`NewEvent`].
    pub source: String,
    /// As in [`NewEvent`].
    pub subject: Option<String>,
    /// As in [`NewEvent`].
    pub delivery: Option<String>,
    /// As in [`NewEvent`].
    pub data: Option<String>,
    /// Its data lies aside: [`crate::Store::channel_event`] gives it.
    pub is_kept: bool,
}

/// What came in at an integration, judged as good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The integration.
    pub integration: String,
    /// The sender's name for this delivery, or one of ours where it gave none, at most 128 bytes: the same name is the
    /// same delivery.
    pub delivery: String,
    /// Another name that the same delivery may have come in by.
    pub earlier: Option<String>,
    /// The sender's word for what happened, for the list of deliveries.
    pub event: String,
    /// What is appended, on the integration's topic.
    pub append: NewEvent,
}

/// What a member posts by a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Who posts it.
    pub member: Member,
    /// The `source` of CloudEvents as the member wrote it. With the `id` it is the name: what the same member posts to
    /// the same topic by the same name is the same event.
    pub source: String,
    /// The `id` of CloudEvents as the member wrote it.
    pub id: String,
    /// What is appended.
    pub append: NewEvent,
}

impl Post {
    /// Its name among all that are posted to the topic. Every part has its own digest, so that none runs into the next.
    pub(crate) fn name(&self) -> String {
        let parts = [self.member.kind().as_bytes(), self.member.key(), self.source.as_bytes(), self.id.as_bytes()];
        hex(&sha256(parts.map(sha256).as_flattened()))
    }
}

/// What came in, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The event it became, which may have been swept.
    pub event_id: i64,
    /// As in [`Delivery`].
    pub delivery: String,
    /// As in [`Delivery`].
    pub event: String,
    /// When it came in.
    pub received_at: Timestamp,
}

/// Where a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A group robot of DingTalk.
    Dingtalk,
    /// A group robot of Feishu.
    Feishu,
    /// A group robot of WeCom.
    Wecom,
    /// A member's browser (RFC 8030).
    WebPush,
}

impl TargetKind {
    const ALL: [Self; 4] = [Self::Dingtalk, Self::Feishu, Self::Wecom, Self::WebPush];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Wecom => "wecom",
            Self::WebPush => "web_push",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// A target to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTarget {
    /// Its id.
    pub id: Id,
    /// The topic whose events go there.
    pub topic: String,
    /// Where it is.
    pub kind: TargetKind,
    /// Whose it is: a member of the topic, with whose membership it goes. `None`: the operator's.
    pub account: Option<Id>,
    /// The owner's word for it.
    pub label: String,
    /// SHA-256 of the address: once per topic.
    pub address: Digest,
    /// Address and keys, sealed.
    pub sealed: Vec<u8>,
}

/// Where a topic's events go for people who are not connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As in [`NewTarget`].
    pub id: Id,
    /// As in [`NewTarget`].
    pub topic: String,
    /// As in [`NewTarget`].
    pub kind: TargetKind,
    /// As in [`NewTarget`].
    pub account: Option<Id>,
    /// As in [`NewTarget`].
    pub label: String,
    /// As in [`NewTarget`].
    pub address: Digest,
    /// As in [`NewTarget`].
    pub sealed: Vec<u8>,
    /// The last event that it got, or that it need not get.
    pub cursor: i64,
    /// Attempts that failed since the last that succeeded.
    pub failures: u32,
    /// When it is to be tried next; `None` while there is nothing for it.
    pub next_at: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
    /// Since when nothing goes there any more.
    pub disabled_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// An account's token at a provider, for acting there on its behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamToken {
    /// Whose.
    pub account: Id,
    /// The connection that it was obtained by.
    pub connection: String,
    /// The `provider` that identities of this connection have: unbinding one takes the token along.
    pub provider: String,
    /// What the provider granted, in its own words.
    pub scope: String,
    /// The token, sealed.
    pub sealed: Vec<u8>,
    /// When it was obtained.
    pub obtained_at: Timestamp,
}

/// How long the channel remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events, with the bodies kept aside: who comes back within this time misses nothing.
    pub events: Lifetime,
}

impl Default for Retention {
    /// A week.
    fn default() -> Self {
        Self { events: Lifetime::from_days(7) }
    }
}
