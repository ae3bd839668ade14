//! Connections: which keys go with which provider, and what they make together.
//!
//! Owns the typed connection and the record that its provider is read by. Nobody is asked: what an OpenID provider says
//! of itself is fetched when somebody signs in.

use std::{fmt, sync::Arc};

use fujie_client::{Credential, Rsa2Key, openid::signing_key, provider, provider::ClientAuthentication};
use fujie_core::secret::Secret;
use fujie_server::broker::Embedding;

use super::{
    layer::{Given, Origin},
    reader::Reader,
    value::{self, Issuer},
};

/// A provider to sign in with.
#[derive(Debug)]
pub struct ConnectionConfig {
    /// Its name in our addresses: 1 to 32 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// Whose sign-in it is, as the configuration spells it.
    pub provider: &'static str,
    /// How the provider is read.
    pub record: Record,
    /// Our client identifier there.
    pub client_id: String,
    /// How we prove who we are there.
    pub proof: Arc<Proof>,
    /// The operator's words for it.
    pub label: Option<String>,
    /// Connections of one group share one account at the provider (WeChat: the open-platform account).
    pub group: Option<String>,
    /// Where the provider's endpoints are moved to, without a slash at the end. `None` when `is_simulated`.
    pub at: Option<String>,
    /// The provider's page stands inside a page of ours.
    pub embedding: Option<Embedding>,
    /// The built-in simulator is to be run for it; the issuer is on loopback then.
    pub is_simulated: bool,
}

/// How a provider is read.
#[derive(Debug)]
pub enum Record {
    /// A record that is known; `at` is not yet in it.
    Known(Box<fujie_client::Provider>),
    /// What this issuer says of itself, with these changes.
    Issuer(String, Changes),
}

/// What an operator changes in a record.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What is asked for.
    pub scope: Option<Vec<String>>,
    /// How the client proves who it is.
    pub client_authentication: Option<ClientAuthentication>,
    subject_field: Option<String>,
    name_field: Option<String>,
    picture_field: Option<String>,
}

/// How we prove who we are.
pub enum Proof {
    /// Not at all: a public client.
    None,
    /// By a secret.
    Secret(Secret),
    /// By a private key.
    Key(Key),
}

/// A private key, and what names it.
pub struct Key {
    pem: Secret,
    key_id: String,
    team_id: Option<String>,
    is_rsa2: bool,
}

impl ConnectionConfig {
    /// Whose people they are, where that is known beforehand.
    pub(super) fn record_id(&self) -> &str {
        match &self.record {
            Record::Known(record) => &record.id,
            Record::Issuer(issuer, _) => issuer,
        }
    }
}

impl Proof {
    /// As the client wants it. It was made once before, when the configuration was checked.
    ///
    /// # Errors
    /// What is wrong with the key; nothing of it is shown.
    pub fn credential(&self) -> Result<Credential, String> {
        match self {
            Self::None => Ok(Credential::None),
            Self::Secret(secret) => Ok(Credential::Secret(fujie_client::Secret::new(secret.expose()))),
            Self::Key(key) if key.is_rsa2 => {
                let read = Rsa2Key::from_pkcs8(key.pem.expose());
                read.map(Credential::Rsa2)
                    .or(Err("is no RSA key from 2,048 bits on, in PKCS #8; copy it from Alipay's tool".to_owned()))
            }
            Self::Key(key) => {
                let read = signing_key::read(key.pem.expose(), &key.key_id).map_err(|error| error.to_string())?;
                Ok(match &key.team_id {
                    Some(team_id) => Credential::Apple { team_id: team_id.clone(), key: read },
                    None => Credential::PrivateKey(read),
                })
            }
        }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret([redacted])",
            Self::Key(_) => "Key([redacted])",
        })
    }
}

impl Changes {
    /// The record with these changes.
    pub fn apply(&self, mut record: fujie_client::Provider) -> fujie_client::Provider {
        let fields = |field: &Option<String>| field.as_ref().map(|field| vec![field.clone()]);
        let rule = &mut record.identity;
        if let Some(field) = &self.subject_field {
            rule.subject = vec![field.clone()];
            // All that name the subject must agree.
            rule.token_subject = rule.token_subject.as_ref().map(|_| field.clone());
        }
        rule.nickname = fields(&self.name_field).unwrap_or(std::mem::take(&mut rule.nickname));
        rule.avatar_url = fields(&self.picture_field).unwrap_or(std::mem::take(&mut rule.avatar_url));
        record.scope = self.scope.clone().unwrap_or(record.scope);
        record.client_authentication = self.client_authentication.unwrap_or(record.client_authentication);
        record
    }
}

/// What is read of a section, before it is known whether all of it is there.
struct Section {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    private_key: Option<Secret>,
    key_id: Option<String>,
    team_id: Option<String>,
    agent_id: Option<String>,
    issuer: Option<String>,
    endpoints: [Option<String>; 3],
    changes: Changes,
}

impl Reader {
    pub(super) fn connection(&mut self, id: &str, issuer: Option<&Issuer>) -> Option<ConnectionConfig> {
        let key = |name: &str| format!("connection.{id}.{name}");
        let named = id.split('-').next().unwrap_or(id).to_owned();
        let named = Given { text: Some(named), origin: Origin::Derived("the connection's name") };
        let provider = self.read_or(&key("provider"), Some(named), value::provider);
        let offered = provider.map(offered).unwrap_or_default();
        for name in OWN_KEYS.into_iter().filter(|name| provider.is_some() && !offered.contains(name)) {
            if self.is_given(&key(name)) {
                self.refuse(&key(name), format!("does not go with {}; remove this line", provider.unwrap_or_default()));
            }
        }
        let mut section = self.section(id, &offered);
        let label = self.read(&key("label"), value::words);
        let group = self.read(&key("group"), value::words);
        let at = self.read_offered(id, "at", &offered, value::base);
        let embedded = self.read_offered(id, "embedded", &offered, value::switch).unwrap_or(false);
        let in_frame = self.read_offered(id, "self_redirect", &offered, value::switch).unwrap_or(false);
        if in_frame && !embedded {
            self.refuse(&key("self_redirect"), "goes with embedded = true; write that too, or remove this line");
        }
        let provider = provider?;
        let is_simulated = self.is_simulated(id, provider, &section, (issuer, at.is_some()));
        let proof = if is_simulated { Some(Proof::None) } else { self.proof(id, provider, &offered, &mut section) };
        let record = self.record(id, provider, is_simulated, &mut section);
        let embedding = match (embedded, in_frame) {
            (false, _) => None,
            (true, false) => Some(Embedding::Window),
            (true, true) => Some(Embedding::Frame),
        };
        let (client_id, proof, record) = (section.client_id?, proof?, record?);
        let id = id.to_owned();
        Some(ConnectionConfig {
            id,
            provider,
            record,
            client_id,
            proof: Arc::new(proof),
            label,
            group,
            at,
            embedding,
            is_simulated,
        })
    }

    /// A key, unless nobody may give it here: then it is not spoken of.
    fn read_offered<T>(
        &mut self,
        id: &str,
        name: &str,
        offered: &[&str],
        parse: impl FnOnce(&str) -> value::Read<T>,
    ) -> Option<T> {
        offered.contains(&name).then(|| self.read(&format!("connection.{id}.{name}"), parse)).flatten()
    }

    fn section(&mut self, id: &str, offered: &[&str]) -> Section {
        Section {
            client_id: self.require(&format!("connection.{id}.client_id"), REQUIRED, value::client_id),
            client_secret: self.read_offered(id, "client_secret", offered, value::client_secret),
            private_key: self.read_offered(id, "private_key", offered, value::private_key),
            key_id: self.read_offered(id, "key_id", offered, value::client_id),
            team_id: self.read_offered(id, "team_id", offered, value::client_id),
            agent_id: self.read_offered(id, "agent_id", offered, value::client_id),
            issuer: self.read_offered(id, "issuer", offered, value::endpoint),
            endpoints: ["authorization_endpoint", "token_endpoint", "user_endpoint"]
                .map(|name| self.read_offered(id, name, offered, value::endpoint)),
            changes: Changes {
                client_authentication: self.read_offered(
                    id,
                    "client_authentication",
                    offered,
                    value::client_authentication,
                ),
                scope: self.read_offered(id, "scope", offered, value::scope),
                subject_field: self.read_offered(id, "subject_field", offered, value::field),
                name_field: self.read_offered(id, "name_field", offered, value::field),
                picture_field: self.read_offered(id, "picture_field", offered, value::field),
            },
        }
    }

    /// Both lines say so, and it can be so.
    fn is_simulated(
        &mut self,
        id: &str,
        provider: &str,
        section: &Section,
        (issuer, is_moved): (Option<&Issuer>, bool),
    ) -> bool {
        let key = |name: &str| format!("connection.{id}.{name}");
        let is_word = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose() == SIMULATED);
        let (proof, name) = match is_word(&section.private_key) {
            Some(is_word) => (Some(is_word), "private_key"),
            None => (is_word(&section.client_secret), "client_secret"),
        };
        let Some(own) = section.client_id.as_deref().map(|client_id| client_id == SIMULATED) else {
            return false;
        };
        match (own, proof) {
            (true, Some(false)) => self.refuse(&key(name), HALF_SIMULATED),
            (false, Some(true)) => self.refuse(&key("client_id"), HALF_SIMULATED),
            _ => {}
        }
        let is_simulated = own && proof == Some(true);
        if is_simulated && issuer.is_some_and(|issuer| !issuer.is_loopback) {
            self.refuse(&key("client_id"), SIMULATED_IN_PUBLIC);
        }
        if is_simulated && is_moved {
            self.refuse(&key("at"), SIMULATED_ELSEWHERE);
        }
        if is_simulated && provider == OAUTH2 {
            self.refuse(&key("client_id"), format!("there is no simulator for {provider}; {SIMULATED_INSTEAD}"));
        }
        is_simulated
    }

    fn proof(&mut self, id: &str, provider: &str, offered: &[&str], section: &mut Section) -> Option<Proof> {
        let key = |name: &str| format!("connection.{id}.{name}");
        let is_public = section.changes.client_authentication == Some(ClientAuthentication::None);
        let may_be_key = offered.contains(&"private_key");
        let proof = match (section.client_secret.take(), section.private_key.take()) {
            (Some(_), Some(_)) => {
                self.refuse(&key("private_key"), "does not go with client_secret; keep one of the two");
                return None;
            }
            (Some(secret), None) => Proof::Secret(secret),
            (None, Some(pem)) => {
                let (key_id, team_id) = (section.key_id.take(), section.team_id.take());
                if provider == APPLE && (key_id.is_none() || team_id.is_none()) {
                    let names = [("key_id", key_id.is_none()), ("team_id", team_id.is_none())];
                    for (name, _) in names.into_iter().filter(|(_, is_missing)| *is_missing) {
                        self.missing(&key(name), KEY_NAME_REQUIRED);
                    }
                    return None;
                }
                if [OPENID, OAUTH2].contains(&provider) {
                    let authentication = &mut section.changes.client_authentication;
                    *authentication = authentication.or(Some(ClientAuthentication::PrivateKeyJwt));
                }
                Proof::Key(Key { pem, key_id: key_id.unwrap_or_default(), team_id, is_rsa2: provider == ALIPAY })
            }
            (None, None) if is_public => Proof::None,
            (None, None) => {
                let name = if offered.contains(&"client_secret") { "client_secret" } else { "private_key" };
                let or = if may_be_key && name == "client_secret" { OR_KEY } else { "" };
                self.missing(&key(name), &format!("{REQUIRED}{or}"));
                return None;
            }
        };
        if let Err(what) = proof.credential() {
            self.refuse(&key("private_key"), what);
            return None;
        }
        Some(proof)
    }

    fn record(&mut self, id: &str, provider: &str, is_simulated: bool, section: &mut Section) -> Option<Record> {
        let key = |name: &str| format!("connection.{id}.{name}");
        let changes = std::mem::take(&mut section.changes);
        let mut needed = |name: &str, value: Option<String>, what: &str| {
            if value.is_none() {
                self.missing(&key(name), what);
            }
            value
        };
        let mut record = match provider {
            OPENID if is_simulated => return Some(Record::Issuer(String::new(), changes)),
            OPENID => {
                let issuer = needed("issuer", section.issuer.take(), ISSUER_REQUIRED)?;
                return Some(Record::Issuer(issuer, changes));
            }
            OAUTH2 => {
                let [page, token, user] = std::mem::take(&mut section.endpoints);
                let page = needed("authorization_endpoint", page, ENDPOINT_REQUIRED);
                let token = needed("token_endpoint", token, ENDPOINT_REQUIRED);
                let user = needed("user_endpoint", user, ENDPOINT_REQUIRED);
                let (page, token, user) = (page?, token?, user?);
                // Whose people they are, by the address that says so: another address is another provider.
                provider::oauth2(&provider::openid_id(&page), &page, &token, &user)
            }
            preset => provider::named(preset)?,
        };
        if provider == WECOM {
            let simulated = is_simulated.then(|| SIMULATED_AGENT.to_owned());
            let agent = needed("agent_id", section.agent_id.take().or(simulated), AGENT_REQUIRED)?;
            record = record.with_authorization_parameter("agentid", &agent);
        }
        if let Some(issuer) = section.issuer.take() {
            record.callback.issuer = record.callback.issuer.as_ref().map(|_| issuer.clone());
            if let Some(rule) = &mut record.id_token {
                rule.issuer = issuer;
            }
        }
        Some(Record::Known(Box::new(changes.apply(record))))
    }
}

/// The keys of a section that not every provider has.
const OWN_KEYS: [&str; 17] = [
    "client_secret",
    "private_key",
    "key_id",
    "team_id",
    "agent_id",
    "issuer",
    "scope",
    "at",
    "embedded",
    "self_redirect",
    "client_authentication",
    "authorization_endpoint",
    "token_endpoint",
    "user_endpoint",
    "subject_field",
    "name_field",
    "picture_field",
];

/// Those that `provider` has.
fn offered(provider: &'static str) -> Vec<&'static str> {
    let fields = ["scope", "name_field", "picture_field"];
    let own: &[&str] = match provider {
        OPENID => &["client_secret", "private_key", "key_id", "issuer", "client_authentication"],
        OAUTH2 => &[
            "client_secret",
            "private_key",
            "key_id",
            "client_authentication",
            "authorization_endpoint",
            "token_endpoint",
            "user_endpoint",
            "subject_field",
        ],
        APPLE => &["private_key", "key_id", "team_id", "issuer", "at"],
        ALIPAY => &["private_key", "at", "subject_field"],
        WECOM => &["client_secret", "agent_id", "at"],
        "github" | "google" | "microsoft" => &["client_secret", "issuer", "at"],
        "wechat" => &["client_secret", "at", "embedded", "self_redirect"],
        _ => &["client_secret", "at"],
    };
    own.iter().copied().chain(fields).collect()
}

/// A provider of which only the issuer is known.
pub(super) const OPENID: &str = "openid";
/// A provider of which only the endpoints are known.
pub(super) const OAUTH2: &str = "oauth2";
const APPLE: &str = "apple";
const ALIPAY: &str = "alipay";
const WECOM: &str = "wecom";

/// Both lines say so: run the built-in simulator.
const SIMULATED: &str = "simulated";
/// The simulated WeCom looks at no agent.
const SIMULATED_AGENT: &str = "1000002";
const REQUIRED: &str = "is required; the provider gives it to you (or write \"simulated\" for both client_id and \
                        client_secret to try it without a provider)";
const OR_KEY: &str = "; or give private_key, or client_authentication = \"none\" for a public client";
const ISSUER_REQUIRED: &str = "is required; write the issuer that the provider tells, such as https://id.example.com";
const ENDPOINT_REQUIRED: &str = "is required with oauth2; the provider's documentation has it";
const KEY_NAME_REQUIRED: &str = "is required; it stands beside the key at the provider";
const AGENT_REQUIRED: &str = "is required; it is the AgentId of the application in WeCom's console";
const HALF_SIMULATED: &str = "client_id and client_secret must both be \"simulated\" or neither; change both lines";
const SIMULATED_INSTEAD: &str = "try openid or wechat, or write the client_id and client_secret of a real one";
const SIMULATED_IN_PUBLIC: &str = "the simulator lets everybody in as anybody and runs only with an issuer on loopback; \
                                   write the client_id and client_secret that the provider gave you";
const SIMULATED_ELSEWHERE: &str = "does not go with \"simulated\", which runs a simulator of its own; remove this line, \
                                   or write the client_id and client_secret that are known there";
