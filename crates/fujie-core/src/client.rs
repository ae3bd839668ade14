//! Clients: applications registered with this server, and the registry they are looked up in.
//!
//! A *client* here is an application that asks us. The crate `fujie-client` is we, as somebody's client.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    jose::jws::Algorithm,
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::Digest,
    time::Lifetime,
};

/// A registered application. Also the shape of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`: random, never used again.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// Raised by disabling it and by ending all its grants; part of every token.
    pub epoch: u32,
    /// A disabled client is refused everywhere.
    pub is_disabled: bool,
    /// A public client has no secret (RFC 6749 §2.1).
    pub is_public: bool,
    /// Digests of its secrets (kind [`crate::secret::Kind::ClientSecret`]); more than one while they are exchanged.
    pub secrets: Vec<Digest>,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RegisteredUri>,
    /// Where a sign-out may lead back to (OpenID RP-Initiated Logout 1.0 §3.1).
    pub post_logout_redirect_uris: Vec<RegisteredUri>,
    /// Grant types switched on for it.
    pub grant_types: Vec<GrantType>,
    /// What it may ask for.
    pub scope: Scope,
    /// Whether it must use PKCE, and how.
    pub pkce: PkcePolicy,
    /// Refresh tokens rotate: `None` means public clients rotate and confidential ones do not.
    pub rotates: Option<bool>,
    /// How long a repeated refresh token gives the same successor; at most 60 s.
    pub refresh_window: Lifetime,
    /// Lifetime of its access tokens when it wants another than the server's.
    pub access_token_lifetime: Option<Lifetime>,
    /// Algorithm of its ID tokens.
    pub id_token_alg: Algorithm,
    /// Set when this client is an API (a resource server).
    pub api: Option<Api>,
}

/// A resource server: what its tokens look like and who may be asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its identifier, an absolute URI without fragment (RFC 8707 §2): the `aud` of its tokens.
    pub resource: String,
    /// The scope tokens that it owns: asking for one of them asks for its audience.
    pub scope: Scope,
    /// Words for its scope tokens: token to sentence per language (`en`, `zh`).
    pub scope_words: BTreeMap<String, BTreeMap<String, String>>,
    /// Form of its access tokens.
    pub token: TokenForm,
}

/// Form of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// Sealed: only this server can read it.
    Opaque,
    /// A signed JWT (RFC 9068).
    Jwt(Algorithm),
}

impl TokenForm {
    /// The stored word: `opaque` or the algorithm's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Jwt(algorithm) => algorithm.as_str(),
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "opaque" {
            return Some(Self::Opaque);
        }
        Algorithm::parse(word).map(Self::Jwt)
    }
}

/// Whether a client must use PKCE (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkcePolicy {
    /// S256 on every request: the default.
    Required,
    /// S256 when it sends a challenge, for confidential clients that cannot do PKCE.
    Optional,
    /// On every request, and the method `plain` is let through.
    PlainAllowed,
}

impl PkcePolicy {
    const ALL: [Self; 3] = [Self::Required, Self::Optional, Self::PlainAllowed];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::PlainAllowed => "plain",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// A grant type that a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.2; a response type rather than a grant type, registered under this word (RFC 7591 §2).
    Implicit,
    /// RFC 6749 §4.3.
    Password,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AuthorizationCode, Self::Implicit, Self::Password, Self::ClientCredentials, Self::RefreshToken];

    /// The registered word (RFC 7591 §2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::Implicit => "implicit",
            Self::Password => "password",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Reads the registered word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

impl Client {
    /// Is `grant_type` switched on for this client?
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Do its refresh tokens rotate (RFC 9700 §2.2.2)?
    pub fn rotates(&self) -> bool {
        self.rotates.unwrap_or(self.is_public)
    }

    /// A public client on somebody's device: anyone can pretend to be it (RFC 8252 §8.6).
    pub fn is_native(&self) -> bool {
        self.is_public && !self.redirect_uris.iter().all(RegisteredUri::is_https)
    }
}

/// All clients, as one snapshot that is shared and replaced whole.
#[derive(Debug, Default)]
pub struct Registry {
    clients: HashMap<String, Arc<Client>>,
    apis: Vec<Arc<Client>>,
}

impl Registry {
    /// A registry of `clients`.
    pub fn new(clients: Vec<Client>) -> Self {
        let clients: HashMap<_, _> = clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect();
        let mut apis: Vec<_> =
            clients.values().filter(|client| client.api.is_some() && !client.is_disabled).cloned().collect();
        apis.sort_by(|a, b| a.id.cmp(&b.id));
        Self { clients, apis }
    }

    /// With an API of the server's own, which comes before all others.
    pub fn with_built_in(mut self, api: Client) -> Self {
        let api = Arc::new(api);
        self.clients.insert(api.id.clone(), Arc::clone(&api));
        self.apis.insert(0, api);
        self
    }

    /// The client with this `client_id`, unless it is disabled.
    pub fn client(&self, id: &str) -> Option<&Arc<Client>> {
        self.clients.get(id).filter(|client| !client.is_disabled)
    }

    /// Every client, enabled or not.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.clients.values()
    }

    /// The API identified by `resource`.
    pub fn api(&self, resource: &str) -> Option<&Api> {
        self.apis().find(|api| api.resource == resource)
    }

    /// The enabled APIs, in a stable order.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.iter().filter_map(|client| client.api.as_ref())
    }

    /// The API that owns the scope token `token`.
    pub fn api_of_scope(&self, token: &str) -> Option<&Api> {
        self.apis().find(|api| api.scope.contains(token))
    }

    /// Algorithms that some client or API wants.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let mut wanted = Vec::new();
        for client in self.clients.values() {
            wanted.push(client.id_token_alg);
            if let Some(Api { token: TokenForm::Jwt(algorithm), .. }) = &client.api {
                wanted.push(*algorithm);
            }
        }
        wanted.sort();
        wanted.dedup();
        wanted
    }
}
