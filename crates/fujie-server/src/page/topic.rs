//! A person's topics, and what happens in one of them.
//!
//! Forms. `POST /topics`: `csrf`, `name`, `title`. `POST /topics/{topic}/events`: `csrf`, `kind`, `title`, `at`,
//! `offset`, `text`. `POST /topics/{topic}/targets` and below it: see [`super::TopicSettings`]. Scripts add what
//! happens while the page is open and offer notifications; without them the page shows the same after a reload.

use serde::Serialize;

use super::Page;

/// The topics that a person belongs to.
#[derive(Debug, Clone, Serialize)]
pub struct Topics {
    /// In the order of their names.
    pub topics: Vec<TopicRow>,
    /// The name to sign in with: what an owner adds this person by.
    pub username: Option<String>,
    /// The account's id, for those who have no such name.
    pub account_id: String,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// The name that was typed for a new one.
    pub name: String,
    /// The title that was typed for a new one.
    pub title: String,
    /// Why none was made.
    pub error: Option<TopicError>,
}

/// A topic in the list.
#[derive(Debug, Clone, Serialize)]
pub struct TopicRow {
    /// As it stands in addresses.
    pub name: String,
    /// For people.
    pub title: String,
    /// What the person is there.
    pub role: TopicRole,
    /// When something last happened, in Unix milliseconds.
    pub last_at_milliseconds: Option<i64>,
}

/// What a person is in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TopicRole {
    /// Decides who belongs to it and what comes in and goes out.
    Owner,
    /// Reads and posts.
    Member,
}

/// Why a topic was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TopicError {
    /// The name has other characters than it may, or is too long.
    NameInvalid,
    /// There is one of this name.
    NameTaken,
    /// The name belongs to the server's own events, which are for administrators.
    NameReserved,
    /// No title, or one too long.
    TitleInvalid,
    /// The person has made as many as allowed.
    TooMany,
}

/// What happens in a topic, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Topic {
    /// As it stands in addresses.
    pub name: String,
    /// For people.
    pub title: String,
    /// Events of this part of the list, newest first.
    pub cards: Vec<Card>,
    /// The newest event of the list; what comes after it is new.
    pub newest: i64,
    /// The part after this one begins before this event.
    pub older_before: Option<i64>,
    /// This is not the first part: nothing new is added to it.
    pub is_older: bool,
    /// Members may post here.
    pub may_post: bool,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// A notice, as far as it was typed.
    pub notice: NoticeDraft,
    /// Why it was not posted.
    pub error: Option<NoticeError>,
    /// What just happened.
    pub said: Option<TopicSaid>,
    /// How this browser may be notified.
    pub push: Option<PushOffer>,
}

/// An event as people read it.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    /// Its place in the log.
    pub id: i64,
    /// What happened.
    pub title: String,
    /// More of it.
    pub lines: Vec<String>,
    /// Where to read on: `http` or `https`.
    pub link: Option<CardLink>,
    /// Who says so.
    pub from: String,
    /// When, in Unix milliseconds.
    pub at_milliseconds: i64,
}

/// A link out of a card.
#[derive(Debug, Clone, Serialize)]
pub struct CardLink {
    /// The address.
    pub url: String,
    /// Its host, shown beside it.
    pub host: String,
}

/// A notice that somebody writes.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeDraft {
    /// What it is about.
    pub kind: NoticeKind,
    /// Its title.
    pub title: String,
    /// When it takes place, as the browser's own field has it.
    pub at: String,
    /// More of it.
    pub text: String,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum NoticeKind {
    /// People meet.
    Meeting,
    /// People do something together.
    Activity,
    /// People are told something.
    Notice,
}

/// Why a notice was not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum NoticeError {
    /// No title, or one too long.
    TitleInvalid,
    /// The text is too long.
    TextTooLong,
    /// The time is no time.
    AtInvalid,
}

/// What just happened, told once above the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TopicSaid {
    /// The notice is out.
    Posted,
    /// This browser is notified from now on.
    DeviceAdded,
    /// This browser is notified no more.
    DeviceRemoved,
    /// This browser's subscription cannot be used.
    DeviceRefused,
}

/// What a browser needs to be notified.
#[derive(Debug, Clone, Serialize)]
pub struct PushOffer {
    /// The key that names this server to push services: an uncompressed point of P-256 in base64url (RFC 8292 §3.2).
    pub public_key: String,
    /// Browsers of this person that are notified already.
    pub devices: Vec<PushDevice>,
}

/// A browser that is notified, for the script that looks whether it is this one.
#[derive(Debug, Clone, Serialize)]
pub struct PushDevice {
    /// The target's id.
    pub id: String,
    /// SHA-256 of the subscription's endpoint, in hexadecimal digits.
    pub address: String,
}

impl NoticeDraft {
    /// Nothing typed yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { kind: NoticeKind::Notice, title: String::new(), at: String::new(), text: String::new() }
    }
}

impl Page for Topics {
    const TEMPLATE: &'static str = "topics.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, title: &str, role, last_at_milliseconds| TopicRow {
            name: name.to_owned(),
            title: title.to_owned(),
            role,
            last_at_milliseconds,
        };
        let empty = Self {
            topics: Vec::new(),
            username: None,
            account_id: "0192f3a17c2e4b5f8a6d3e9c1b7f0a24".to_owned(),
            csrf: "csrf-sample".to_owned(),
            name: String::new(),
            title: String::new(),
            error: None,
        };
        let full = Self {
            topics: vec![
                row("deploys", "发布与回滚", TopicRole::Owner, Some(SAMPLE_TIME)),
                row("team", "Team", TopicRole::Member, None),
            ],
            username: Some("alice".to_owned()),
            ..empty.clone()
        };
        let wrong =
            |error| Self { name: "Team!".to_owned(), title: "Team".to_owned(), error: Some(error), ..full.clone() };
        let errors = [
            TopicError::NameInvalid,
            TopicError::NameTaken,
            TopicError::NameReserved,
            TopicError::TitleInvalid,
            TopicError::TooMany,
        ];
        [vec![full.clone(), empty], errors.map(wrong).to_vec()].concat()
    }
}

impl Page for Topic {
    const TEMPLATE: &'static str = "topic.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            name: "deploys".to_owned(),
            title: "发布与回滚".to_owned(),
            cards: Vec::new(),
            newest: 0,
            older_before: None,
            is_older: false,
            may_post: true,
            csrf: "csrf-sample".to_owned(),
            notice: NoticeDraft::empty(),
            error: None,
            said: None,
            push: None,
        };
        let devices = vec![PushDevice { id: "device-sample".to_owned(), address: "ab12".repeat(16) }];
        let full = Self {
            cards: sample_cards(),
            newest: 41,
            older_before: Some(38),
            push: Some(PushOffer { public_key: "BNcRdreALRFXTkOOUHK1EtK2".to_owned(), devices }),
            ..empty.clone()
        };
        let older = Self { is_older: true, may_post: false, older_before: None, ..full.clone() };
        let wrong = |error| Self {
            notice: NoticeDraft {
                kind: NoticeKind::Meeting,
                title: "周会".to_owned(),
                at: "2026-11-23T10:00".to_owned(),
                text: "议题：发布计划".to_owned(),
            },
            error: Some(error),
            ..full.clone()
        };
        let errors = [NoticeError::TitleInvalid, NoticeError::TextTooLong, NoticeError::AtInvalid];
        let said = [TopicSaid::Posted, TopicSaid::DeviceAdded, TopicSaid::DeviceRemoved, TopicSaid::DeviceRefused];
        let says = |said| Self { said: Some(said), ..empty.clone() };
        let mut all = vec![full.clone(), empty.clone(), older];
        all.extend(errors.map(wrong));
        all.extend(said.map(says));
        all
    }
}

fn sample_cards() -> Vec<Card> {
    let card = |id, title: &str, lines: &[&str], link: Option<&str>, from: &str| Card {
        id,
        title: title.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        link: link.map(|url| CardLink { url: url.to_owned(), host: "github.com".to_owned() }),
        from: from.to_owned(),
        at_milliseconds: SAMPLE_TIME + id,
    };
    let (compare, issue) = ("https://github.com/team/app/compare/1", "https://github.com/team/app/issues/7");
    vec![
        card(
            41,
            "【会议】周会",
            &["时间：2026-11-23 10:00 UTC+08", "议题：发布计划", "发布人：小明🌟"],
            None,
            "小明🌟",
        ),
        card(
            40,
            "小明🌟 向 team/app 的 main 推送了 2 个提交",
            &["1a2b3c4 修复登录跳转", "5d6e7f8 补充测试"],
            Some(compare),
            "team/app",
        ),
        card(39, "李华 新建了议题 team/app#7", &["手机上按钮太小"], Some(issue), "team/app"),
        card(38, "deploy.finished", &[], None, "CI"),
    ]
}

pub(super) const SAMPLE_TIME: i64 = 1_795_183_380_000;
