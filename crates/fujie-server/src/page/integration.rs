//! One door for webhooks: where it is, what came in, and for a hook of ours at GitHub what should have.
//!
//! Forms, all `POST /topics/{topic}/integrations/{id}` with `csrf` and `action`: `ping`, `again` (with `delivery`),
//! `again_all`, `secret`, `attach` (with `event-*`), `remove`, `remove_here`. The secret is
//! in the answer that made it and nowhere else.

use fujie_channel::webhook::sender::GITHUB;
use serde::Serialize;

use super::topic::SAMPLE_TIME;
use super::{EventChoice, GithubFault, HookEvent, IntegrationKind, Page, Provider, ProviderKind};

/// An integration, for the owners of its topic.
#[derive(Debug, Clone, Serialize)]
pub struct Integration {
    /// The topic's name.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// Its id in addresses.
    pub id: String,
    /// The owner's word for it.
    pub label: String,
    /// How deliveries are proven.
    pub kind: IntegrationKind,
    /// Where deliveries go.
    pub url: String,
    /// The header with the signature or the token.
    pub header: String,
    /// What stands before the signature in it.
    pub prefix: String,
    /// The header that names a delivery.
    pub id_header: Option<String>,
    /// The header that names the event.
    pub event_header: Option<String>,
    /// The secret, right after it was made.
    pub secret: Option<String>,
    /// A command that tries the door, with the secret in a variable of the shell.
    pub example: Option<String>,
    /// The token that proves the forms are ours.
    pub csrf: String,
    /// How it stands with the hook at GitHub.
    pub hook: HookState,
    /// What came in, and what should have, newest first.
    pub deliveries: Vec<DeliveryRow>,
    /// How many should have.
    pub missing: usize,
    /// What just happened.
    pub said: Option<IntegrationSaid>,
    /// Why something did not.
    pub fault: Option<GithubFault>,
}

/// How it stands with a hook at GitHub.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum HookState {
    /// The sender is told by hand.
    None,
    /// It was begun and not finished: GitHub may have the hook.
    Unfinished {
        /// Where.
        provider: Provider,
        /// `owner/name`.
        repository: String,
        /// What is told of.
        events: Vec<EventChoice>,
        /// We have a token for the person who looks.
        is_connected: bool,
    },
    /// It is there.
    Made {
        /// Where.
        provider: Provider,
        /// `owner/name`.
        repository: String,
        /// Its page there.
        url: String,
        /// What GitHub says now.
        told: HookTold,
    },
}

/// What GitHub says of a hook now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum HookTold {
    /// What it delivered.
    Deliveries,
    /// Nothing: the person who looks has not connected.
    NotConnected,
    /// Nothing: something is in the way.
    Fault {
        /// What.
        fault: GithubFault,
    },
}

/// A delivery.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRow {
    /// The sender's name for it.
    pub name: String,
    /// The sender's word for what happened.
    pub event: String,
    /// When it came in, or was sent, in Unix milliseconds.
    pub at_milliseconds: i64,
    /// Whether it is here.
    pub state: DeliveryState,
    /// The number of GitHub's last attempt, when it can be asked for another.
    pub attempt: Option<String>,
}

/// Whether a delivery is here.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It came in.
    Received,
    /// GitHub sent it, and it is not here.
    Missing {
        /// What GitHub says of its last attempt.
        status: String,
    },
}

/// What just happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum IntegrationSaid {
    /// The hook is made.
    HookMade,
    /// A ping was asked for.
    Pinged,
    /// GitHub was asked to deliver again.
    Again {
        /// How many.
        count: u32,
    },
    /// It has a new secret, here and at GitHub.
    SecretReplaced,
    /// GitHub does not let this token remove the hook.
    NotRemoved,
}

impl Page for Integration {
    const TEMPLATE: &'static str = "integration.html";

    fn samples() -> Vec<Self> {
        let github = sample_github();
        let told = |told| Self { hook: made(told), ..github.clone() };
        let bare = Self { deliveries: Vec::new(), missing: 0, ..github.clone() };
        let events = |event| EventChoice { event, is_chosen: event != HookEvent::Everything };
        let unfinished = |is_connected| HookState::Unfinished {
            provider: Provider::of(ProviderKind::Github),
            repository: "team/app".to_owned(),
            events: HookEvent::ALL.map(events).to_vec(),
            is_connected,
        };
        let by_hand = Self { hook: HookState::None, secret: Some(sample_secret()), ..bare.clone() };
        let hmac = sample_hmac(&bare);
        let token = Self {
            kind: IntegrationKind::Token,
            prefix: String::new(),
            id_header: None,
            event_header: Some("X-Event".to_owned()),
            ..hmac.clone()
        };
        let said = [
            IntegrationSaid::HookMade,
            IntegrationSaid::Pinged,
            IntegrationSaid::Again { count: 3 },
            IntegrationSaid::SecretReplaced,
            IntegrationSaid::NotRemoved,
        ];
        let is_here = |row: &&DeliveryRow| matches!(row.state, DeliveryState::Received);
        let here = github.deliveries.iter().filter(is_here).cloned().collect();
        let mut all = vec![
            github.clone(),
            Self { deliveries: here, ..bare.clone() },
            told(HookTold::NotConnected),
            told(HookTold::Fault { fault: GithubFault::TokenOver }),
            told(HookTold::Fault { fault: GithubFault::Hidden }),
            Self { hook: unfinished(true), ..bare.clone() },
            Self { hook: unfinished(false), ..bare.clone() },
            by_hand,
            Self { secret: None, ..hmac.clone() },
            hmac,
            token,
        ];
        all.extend(said.map(|said| Self { said: Some(said), ..bare.clone() }));
        all.extend(GithubFault::ALL.map(|fault| Self { fault: Some(fault), ..bare.clone() }));
        all
    }
}

fn made(told: HookTold) -> HookState {
    HookState::Made {
        provider: Provider::of(ProviderKind::Github),
        repository: "team/app".to_owned(),
        url: "https://github.com/team/app/settings/hooks/1".to_owned(),
        told,
    }
}

fn sample_github() -> Integration {
    let row = |number: u32, event: &str, state, attempt: Option<&str>| DeliveryRow {
        name: format!("72d3162e-cc78-11e3-81ab-4c9367dc095{number}"),
        event: event.to_owned(),
        at_milliseconds: SAMPLE_TIME - i64::from(number) * 60_000,
        state,
        attempt: attempt.map(str::to_owned),
    };
    let missing = || DeliveryState::Missing { status: "timed out".to_owned() };
    Integration {
        topic: "deploys".to_owned(),
        title: "发布与回滚".to_owned(),
        id: "0192f3a17c2e4b5f8a6d3e9c1b7f0a24".to_owned(),
        label: "team/app".to_owned(),
        kind: IntegrationKind::Github,
        url: "https://id.example.com/hooks/0192f3a17c2e4b5f8a6d3e9c1b7f0a24".to_owned(),
        header: GITHUB.proof.to_owned(),
        prefix: GITHUB.prefix.to_owned(),
        id_header: GITHUB.delivery.map(str::to_owned),
        event_header: GITHUB.event.map(str::to_owned),
        secret: None,
        example: None,
        csrf: "csrf-sample".to_owned(),
        hook: made(HookTold::Deliveries),
        deliveries: vec![
            row(1, "push", DeliveryState::Received, None),
            row(2, "issues.opened", missing(), Some("attempt-2")),
            row(3, "pull_request.opened", missing(), Some("attempt-3")),
            row(4, "ping", DeliveryState::Received, None),
        ],
        missing: 2,
        said: None,
        fault: None,
    }
}

fn sample_hmac(bare: &Integration) -> Integration {
    Integration {
        label: "CI".to_owned(),
        kind: IntegrationKind::Hmac,
        header: "X-Signature-256".to_owned(),
        id_header: Some("X-Request-Id".to_owned()),
        event_header: None,
        secret: Some(sample_secret()),
        example: Some("curl -H \"X-Signature-256: …\" -d \"$body\" https://id.example.com/hooks/1".to_owned()),
        hook: HookState::None,
        ..bare.clone()
    }
}

fn sample_secret() -> String {
    "5f0c9d1e".repeat(8)
}
