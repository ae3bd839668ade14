//! Who belongs to a topic, what comes in and where it goes: for its owners to change, for its members to see.
//!
//! Forms, all with `csrf`. `POST /topics/{topic}/members`: `action` (`add` with `kind`, `member`; `make-owner`,
//! `make-member` and `remove` with `kind`, `id`; `leave`). `POST /topics/{topic}/targets`: `kind` with `label`,
//! `address`, `secret`, or `kind=web_push` with `subscription`; `POST /topics/{topic}/targets/{id}`: `action`
//! (`remove`, `retry`). `POST /topics/{topic}/delete`: `name`. No secret is ever shown here.

use serde::Serialize;

use super::topic::SAMPLE_TIME;
use super::{Page, TopicRole};

/// The settings of a topic.
#[derive(Debug, Clone, Serialize)]
pub struct TopicSettings {
    /// As it stands in addresses.
    pub name: String,
    /// For people.
    pub title: String,
    /// What the person is there: only owners see forms that change it.
    pub role: TopicRole,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// Who belongs to it, owners first.
    pub members: Vec<MemberRow>,
    /// What comes in, oldest first.
    pub integrations: Vec<IntegrationRow>,
    /// Group robots that its events go to.
    pub robots: Vec<TargetRow>,
    /// The person's own browsers that its events go to.
    pub devices: Vec<TargetRow>,
    /// The kind of robot that was chosen.
    pub robot_kind: Option<TargetKind>,
    /// The label that was typed for a robot. Its address is a secret, and has to be typed again.
    pub robot_label: String,
    /// What just happened.
    pub said: Option<SettingsSaid>,
    /// Why something did not.
    pub error: Option<SettingsError>,
}

/// Somebody who belongs to a topic.
#[derive(Debug, Clone, Serialize)]
pub struct MemberRow {
    /// A person or a program.
    pub kind: MemberKind,
    /// Names the member in forms.
    pub id: String,
    /// Shown.
    pub name: String,
    /// What they are there.
    pub role: TopicRole,
    /// It is the person who looks.
    pub is_you: bool,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum MemberKind {
    /// A person.
    Account,
    /// A program.
    Client,
}

/// A door for webhooks, in the list.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationRow {
    /// Its id in addresses.
    pub id: String,
    /// The owner's word for it.
    pub label: String,
    /// How deliveries are proven.
    pub kind: IntegrationKind,
    /// The repository whose hook we made.
    pub repository: Option<String>,
    /// When something last came in, in Unix milliseconds.
    pub last_at_milliseconds: Option<i64>,
}

/// How deliveries to an integration are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum IntegrationKind {
    /// As GitHub signs.
    Github,
    /// A signature in a header.
    Hmac,
    /// The secret itself in a header.
    Token,
}

/// Where events go, in a list.
#[derive(Debug, Clone, Serialize)]
pub struct TargetRow {
    /// Names it in forms.
    pub id: String,
    /// What it is.
    pub kind: TargetKind,
    /// The owner's word for it.
    pub label: String,
    /// How it stands with it.
    pub state: TargetState,
    /// When it was added, in Unix milliseconds.
    pub added_at_milliseconds: i64,
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TargetKind {
    /// A robot in a group of DingTalk.
    Dingtalk,
    /// A robot in a group of Feishu.
    Feishu,
    /// A robot in a group of WeCom.
    Wecom,
    /// A browser.
    WebPush,
}

/// How it stands with a target.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TargetState {
    /// It gets what happens.
    Well,
    /// The last attempt failed; there will be another.
    Waiting {
        /// What it said.
        trouble: String,
        /// When it is tried again, in Unix milliseconds.
        next_at_milliseconds: i64,
    },
    /// Nothing goes there any more.
    Disabled {
        /// What it said.
        trouble: String,
        /// Since when, in Unix milliseconds.
        since_milliseconds: i64,
    },
}

/// What just happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SettingsSaid {
    MemberAdded,
    MemberRemoved,
    RoleChanged,
    RobotAdded,
    TargetRemoved,
    TargetRetried,
    IntegrationRemoved,
    IntegrationRemovedHere,
}

impl SettingsSaid {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::RoleChanged,
        Self::RobotAdded,
        Self::TargetRemoved,
        Self::TargetRetried,
        Self::IntegrationRemoved,
        Self::IntegrationRemovedHere,
    ];

    /// Its word in addresses and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemberAdded => "member-added",
            Self::MemberRemoved => "member-removed",
            Self::RoleChanged => "role-changed",
            Self::RobotAdded => "robot-added",
            Self::TargetRemoved => "target-removed",
            Self::TargetRetried => "target-retried",
            Self::IntegrationRemoved => "integration-removed",
            Self::IntegrationRemovedHere => "integration-removed-here",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// Why something did not happen, with what was typed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum SettingsError {
    /// Nobody has this name or id.
    MemberUnknown {
        /// What was typed.
        member: String,
    },
    /// The topic of the server's own events is for administrators.
    MemberNotAdministrator,
    /// The topic would be left without an owner.
    LastOwner,
    /// As many members as allowed are there.
    TooManyMembers,
    /// Not an address of such a robot.
    RobotAddress,
    /// On another host than the provider's.
    RobotHost,
    /// Not a secret of such a robot.
    RobotSecret,
    /// As many as allowed are there.
    TooManyTargets,
    /// The name that was typed is not the topic's.
    NameDiffers,
}

impl Page for TopicSettings {
    const TEMPLATE: &'static str = "topic_settings.html";

    fn samples() -> Vec<Self> {
        let owner = sample();
        let lonely = Self {
            members: owner.members.iter().take(1).cloned().collect(),
            integrations: Vec::new(),
            robots: Vec::new(),
            devices: Vec::new(),
            ..owner.clone()
        };
        let is_own = |row: &MemberRow| MemberRow { is_you: row.name == "李华", ..row.clone() };
        let member =
            Self { role: TopicRole::Member, members: owner.members.iter().map(is_own).collect(), ..owner.clone() };
        let errors = [
            SettingsError::MemberUnknown { member: "bob".to_owned() },
            SettingsError::MemberNotAdministrator,
            SettingsError::LastOwner,
            SettingsError::TooManyMembers,
            SettingsError::RobotAddress,
            SettingsError::RobotHost,
            SettingsError::RobotSecret,
            SettingsError::TooManyTargets,
            SettingsError::NameDiffers,
        ];
        let again = Self {
            robot_kind: Some(TargetKind::Feishu),
            robot_label: "值班群".to_owned(),
            error: Some(SettingsError::RobotSecret),
            ..lonely.clone()
        };
        let mut all = vec![owner, member, lonely.clone(), again];
        all.extend(SettingsSaid::ALL.map(|said| Self { said: Some(said), ..lonely.clone() }));
        all.extend(errors.map(|error| Self { error: Some(error), ..lonely.clone() }));
        all
    }
}

fn sample() -> TopicSettings {
    let member = |kind, id: &str, name: &str, role, is_you| MemberRow {
        kind,
        id: id.to_owned(),
        name: name.to_owned(),
        role,
        is_you,
    };
    let integration = |kind, label: &str, repository: Option<&str>, last_at_milliseconds| IntegrationRow {
        id: format!("id-{label}"),
        label: label.to_owned(),
        kind,
        repository: repository.map(str::to_owned),
        last_at_milliseconds,
    };
    let target = |kind, label: &str, state| TargetRow {
        id: format!("id-{label}"),
        kind,
        label: label.to_owned(),
        state,
        added_at_milliseconds: SAMPLE_TIME,
    };
    let trouble = || "310000 keywords not in content".to_owned();
    let (waiting, disabled) = (
        TargetState::Waiting { trouble: trouble(), next_at_milliseconds: SAMPLE_TIME + 60_000 },
        TargetState::Disabled { trouble: trouble(), since_milliseconds: SAMPLE_TIME },
    );
    TopicSettings {
        name: "deploys".to_owned(),
        title: "发布与回滚".to_owned(),
        role: TopicRole::Owner,
        csrf: "csrf-sample".to_owned(),
        members: vec![
            member(MemberKind::Account, "account-1", "小明🌟", TopicRole::Owner, true),
            member(MemberKind::Account, "account-3", "Zoe", TopicRole::Owner, false),
            member(MemberKind::Account, "account-2", "李华", TopicRole::Member, false),
            member(MemberKind::Client, "client-1", "Deploy Bot", TopicRole::Member, false),
        ],
        integrations: vec![
            integration(IntegrationKind::Github, "team/app", Some("team/app"), Some(SAMPLE_TIME)),
            integration(IntegrationKind::Hmac, "CI", None, None),
            integration(IntegrationKind::Token, "gitlab.example.com", None, Some(SAMPLE_TIME)),
        ],
        robots: vec![
            target(TargetKind::Dingtalk, "研发群", TargetState::Well),
            target(TargetKind::Feishu, "值班群", waiting),
            target(TargetKind::Wecom, "全员群", disabled),
        ],
        devices: vec![target(TargetKind::WebPush, "Chrome, Android", TargetState::Well)],
        robot_kind: None,
        robot_label: String::new(),
        said: None,
        error: None,
    }
}
