//! A new door for webhooks: which kind, and what must be known of it; for GitHub, which repository.
//!
//! Forms. `POST /topics/{topic}/integrations`: `csrf`, `id`, `preset`, `label`, `header`, `prefix`, `id_header`,
//! `event_header`; or `csrf`, `id`, `connection`, `repository` (or `repository_typed`), `event-*`.
//! `POST /broker/{connection}/connect` and `/broker/{connection}/disconnect`: `csrf`, `topic`, and where it is for one
//! integration `integration`, `scope`. `POST /broker/{connection}/start`: `csrf`, `resume`.

use serde::Serialize;

use super::{Page, Provider, ProviderKind};

/// Which kind of door?
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationChoice {
    /// The topic's name.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// Connections to GitHub: a hook can be made with one click.
    pub connections: Vec<Provider>,
}

/// What must be known of a door that the sender is told by hand.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationForm {
    /// The topic's name.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// The id that it will have: the same form sent twice makes one.
    pub id: String,
    /// Whose habits it begins with.
    pub preset: Preset,
    /// The owner's word for it.
    pub label: String,
    /// The header with the signature or the token.
    pub header: String,
    /// What stands before the signature in it.
    pub prefix: String,
    /// The header that names a delivery.
    pub id_header: String,
    /// The header that names the event.
    pub event_header: String,
    /// What is wrong.
    pub error: Option<IntegrationError>,
}

/// Whose habits a door begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Preset {
    /// GitHub, where the hook is made by hand.
    Github,
    /// GitLab's token.
    Gitlab,
    /// Gitee's password.
    Gitee,
    /// Anybody who signs with HMAC-SHA256.
    Hmac,
    /// Anybody who sends a token.
    Token,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Github, Self::Gitlab, Self::Gitee, Self::Hmac, Self::Token];

    /// Its word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitee => "gitee",
            Self::Hmac => "hmac",
            Self::Token => "token",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// Why a door was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum IntegrationError {
    /// No name, or one too long.
    LabelInvalid,
    /// Not the name of a header.
    HeaderInvalid,
    /// The header with the proof would name something too.
    HeaderTwice,
    /// Not what can stand before a signature.
    PrefixInvalid,
    /// As many as allowed are there.
    TooMany,
}

/// Which repository?
#[derive(Debug, Clone, Serialize)]
pub struct RepositoryChoice {
    /// The topic's name.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// The connection.
    pub provider: Provider,
    /// How far the person is.
    pub state: ConnectState,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// The same for the form that signs in.
    pub csrf_sign_in: String,
    /// The id that the integration will have.
    pub id: String,
    /// Repositories that the person may make hooks in.
    pub repositories: Vec<String>,
    /// What they were filtered by.
    pub filter: String,
    /// Which part of the list this is, from 1.
    pub part: u32,
    /// There is another part.
    pub has_more: bool,
    /// The repository that was typed or chosen.
    pub typed: String,
    /// What is told of.
    pub events: Vec<EventChoice>,
    /// Why it did not work.
    pub fault: Option<GithubFault>,
}

/// How far a person is on the way to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum ConnectState {
    /// This account has no identity there.
    NotBound,
    /// We have no token for this account.
    NotConnected,
    /// We have.
    Connected,
}

/// A kind of event that a hook may tell of.
#[derive(Debug, Clone, Serialize)]
pub struct EventChoice {
    /// The provider's word for it; `*` is everything.
    pub event: HookEvent,
    /// It is ticked.
    pub is_chosen: bool,
}

/// Events of GitHub that a form offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are GitHub's own")]
pub enum HookEvent {
    Push,
    Issues,
    PullRequest,
    Release,
    Star,
    WorkflowRun,
    #[serde(rename = "*")]
    Everything,
}

impl HookEvent {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Push, Self::Issues, Self::PullRequest, Self::Release, Self::Star, Self::WorkflowRun, Self::Everything];

    /// Its name at GitHub and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Issues => "issues",
            Self::PullRequest => "pull_request",
            Self::Release => "release",
            Self::Star => "star",
            Self::WorkflowRun => "workflow_run",
            Self::Everything => "*",
        }
    }
}

/// Why GitHub did not do what was asked, as far as a person can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum GithubFault {
    /// The person refused there.
    Denied,
    /// The way there and back took too long, or went astray.
    Lost,
    /// No repository was chosen, so that nothing was asked.
    NotChosen,
    /// The token is over.
    TokenOver,
    /// No such repository or hook, or the person may not manage it.
    Hidden,
    /// There is such a hook already.
    Exists,
    /// GitHub does not call this server's address.
    AddressRefused,
    /// The repository has as many hooks as it may.
    TooMany,
    /// Too many requests.
    RateLimited,
    /// No answer.
    Silent,
    /// Anything else.
    Other,
}

impl GithubFault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Denied,
        Self::Lost,
        Self::NotChosen,
        Self::TokenOver,
        Self::Hidden,
        Self::Exists,
        Self::AddressRefused,
        Self::TooMany,
        Self::RateLimited,
        Self::Silent,
        Self::Other,
    ];

    /// Is it certain that nothing was done there?
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Silent | Self::Other)
    }

    /// Its word in addresses and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Lost => "lost",
            Self::NotChosen => "not-chosen",
            Self::TokenOver => "token-over",
            Self::Hidden => "hidden",
            Self::Exists => "exists",
            Self::AddressRefused => "address-refused",
            Self::TooMany => "too-many",
            Self::RateLimited => "rate-limited",
            Self::Silent => "silent",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// Somebody came back from the provider who is not this account's person.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectRefused {
    /// Where they come from.
    pub provider: Provider,
    /// What they are called there.
    pub nickname: String,
    /// The account that asked.
    pub account_name: String,
    /// The topic that it was for.
    pub topic: String,
}

impl Page for IntegrationChoice {
    const TEMPLATE: &'static str = "integration_choice.html";

    fn samples() -> Vec<Self> {
        let many = Self {
            topic: "deploys".to_owned(),
            title: "发布与回滚".to_owned(),
            connections: vec![
                Provider::of(ProviderKind::Github),
                Provider { label: Some("GitHub Enterprise".to_owned()), ..Provider::of(ProviderKind::Github) },
            ],
        };
        vec![many.clone(), Self { connections: Vec::new(), ..many }]
    }
}

impl Page for IntegrationForm {
    const TEMPLATE: &'static str = "integration_form.html";

    fn samples() -> Vec<Self> {
        let of = |preset| Self {
            topic: "deploys".to_owned(),
            title: "发布与回滚".to_owned(),
            csrf: "csrf-sample".to_owned(),
            id: "0192f3a17c2e4b5f8a6d3e9c1b7f0a24".to_owned(),
            preset,
            label: String::new(),
            header: "X-Signature-256".to_owned(),
            prefix: "sha256=".to_owned(),
            id_header: "X-Request-Id".to_owned(),
            event_header: "X-Event".to_owned(),
            error: None,
        };
        let errors = [
            IntegrationError::LabelInvalid,
            IntegrationError::HeaderInvalid,
            IntegrationError::HeaderTwice,
            IntegrationError::PrefixInvalid,
            IntegrationError::TooMany,
        ];
        let wrong = |error| Self { label: "CI".to_owned(), error: Some(error), ..of(Preset::Hmac) };
        [Preset::ALL.map(of).to_vec(), errors.map(wrong).to_vec()].concat()
    }
}

impl Page for RepositoryChoice {
    const TEMPLATE: &'static str = "repository_choice.html";

    fn samples() -> Vec<Self> {
        let choice = |event| EventChoice { event, is_chosen: event == HookEvent::Push };
        let empty = Self {
            topic: "deploys".to_owned(),
            title: "发布与回滚".to_owned(),
            provider: Provider::of(ProviderKind::Github),
            state: ConnectState::Connected,
            csrf: "csrf-sample".to_owned(),
            csrf_sign_in: "csrf-sign-in-sample".to_owned(),
            id: "0192f3a17c2e4b5f8a6d3e9c1b7f0a24".to_owned(),
            repositories: Vec::new(),
            filter: String::new(),
            part: 1,
            has_more: false,
            typed: String::new(),
            events: HookEvent::ALL.map(choice).to_vec(),
            fault: None,
        };
        let full = Self {
            repositories: ["team/app", "team/website", "xiaoming/notes"].map(str::to_owned).to_vec(),
            part: 2,
            has_more: true,
            typed: "team/website".to_owned(),
            ..empty.clone()
        };
        let filtered = Self { filter: "zzz".to_owned(), ..empty.clone() };
        let stages = [ConnectState::NotBound, ConnectState::NotConnected];
        let mut all = vec![full.clone(), empty.clone(), filtered];
        all.extend(stages.map(|state| Self { state, ..empty.clone() }));
        all.extend(GithubFault::ALL.map(|fault| Self { fault: Some(fault), ..full.clone() }));
        all
    }
}

impl Page for ConnectRefused {
    const TEMPLATE: &'static str = "connect_refused.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            provider: Provider::of(ProviderKind::Github),
            nickname: "octo-bob".to_owned(),
            account_name: "alice".to_owned(),
            topic: "deploys".to_owned(),
        }]
    }
}
