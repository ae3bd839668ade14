//! What a simulated OpenID provider is made of: whose house it is, clients, people, and a switch
//! for every open question and every lie that can be ordered.
//!
//! Does not act. Serialised names are those of the control API.

use crate::base_url;
use crate::jws::Algorithm;
use crate::people::{self, Person};
use crate::redirect_uri::LOOPBACK;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The client of the default configuration.
pub const DEFAULT_CLIENT_ID: &str = "fujie-demo";
/// Its secret; openly fake.
pub const DEFAULT_SECRET: &str = "fa4efa4efa4efa4efa4efa4efa4efa4e";
/// The account at Apple that clients belong to; openly fake.
pub const DEFAULT_TEAM_ID: &str = "FA4EFA4EFA";
/// The password of everybody, for the password grant; openly fake.
pub const DEFAULT_PASSWORD: &str = "fa4efa4e";

/// Everything the simulator starts with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// Whose paths and manners it has. No key of a file: whoever reads one says so with
    /// [`Self::playing`].
    #[serde(skip)]
    pub house: House,
    /// Registered clients. Their ids differ.
    pub apps: Vec<Client>,
    /// People who can sign in; at least one, names differ.
    #[serde(skip)]
    pub people: Vec<Person>,
    /// Who agrees to every sign-in at once, if anybody: then no page is shown.
    #[serde(skip)]
    pub auto_confirm: Option<String>,
    /// The address that documents and tokens name, when it is not the listener's. The
    /// issuer is made of it.
    #[serde(deserialize_with = "base_url::read")]
    pub base_url: Option<String>,
    /// Open questions and misbehaviour; can be changed while running.
    pub switches: Switches,
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            house: House::Plain,
            apps: vec![Client::demo()],
            people: people::default_people(),
            auto_confirm: None,
            base_url: None,
            switches: Switches::default(),
        }
    }
}

impl OidcConfig {
    /// The default configuration of a house.
    pub fn of(house: House) -> Self {
        Self::default().playing(house)
    }

    /// This configuration for a house.
    pub fn playing(self, house: House) -> Self {
        Self { house, ..self }
    }
}

/// Whose OpenID provider is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum House {
    /// Nobody's: the standards, plainly.
    #[default]
    Plain,
    /// accounts.google.com and its neighbours.
    Google,
    /// login.microsoftonline.com, v2.0, and graph.microsoft.com.
    Microsoft,
    /// appleid.apple.com.
    Apple,
    /// gitlab.com.
    Gitlab,
}

impl House {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Google, Self::Microsoft, Self::Apple, Self::Gitlab];
}

/// A registered client.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// What the token endpoint compares; use fake ones. None for a public client, and for one that
    /// signs.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Shown to people.
    #[serde(default)]
    pub name: String,
    /// Each exactly as it will be sent; `*loopback*` admits every http URL of this machine.
    /// `post_logout_redirect_uri` keeps to the same list.
    pub redirect_uris: Vec<String>,
    /// The PEM of the key behind `private_key_jwt`, or behind Apple's client secret.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The private half, when the simulator made the pair because nobody registered one: told by
    /// the control API, as a console would let it be downloaded once.
    #[serde(default)]
    pub private_key: Option<String>,
    /// Apple's ten characters for the account, the `iss` of its client secret: [`DEFAULT_TEAM_ID`]
    /// unless said.
    #[serde(default)]
    pub team_id: Option<String>,
}

impl Client {
    /// The client of the default configuration, which may be called back on loopback.
    pub fn demo() -> Self {
        Self {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: Some(DEFAULT_SECRET.to_owned()),
            name: "演示应用".to_owned(),
            redirect_uris: vec![LOOPBACK.to_owned()],
            ..Self::default()
        }
    }

    /// The name, or the id where there is none.
    pub(crate) fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.client_id } else { &self.name }
    }

    /// Neither a secret nor a key: nothing to authenticate with.
    pub(crate) fn is_public(&self) -> bool {
        self.client_secret.is_none() && self.public_key.is_none()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

/// Open questions first, then the lies a client must not believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// What id_tokens are signed with; the JWK set has a key for each.
    pub id_token_alg: Algorithm,
    /// Whether a refresh token is good once only; null is as the house does it.
    pub refresh_rotates: Option<bool>,
    /// A refresh token comes only with `offline_access` in the scope, where the house has it.
    pub refresh_needs_offline_access: bool,
    /// The token endpoint knows `grant_type=password`; everybody's password is [`DEFAULT_PASSWORD`].
    pub password_grant: bool,
    /// A request without a code challenge is refused.
    pub pkce_required: bool,
    /// `code_challenge_method=plain` is accepted, as RFC 7636 has it and RFC 9700 dislikes.
    pub pkce_plain: bool,
    /// A request that was not pushed is refused (RFC 9126 §5), where the house takes pushed ones.
    pub pushed_requests_required: bool,
    /// A DPoP proof needs a nonce of the provider's (RFC 9449 §8).
    pub dpop_nonce_required: bool,
    /// The ways in which a client may authenticate; discovery tells them.
    pub token_endpoint_auth_methods: Vec<AuthMethod>,
    /// Everybody's address counts as verified.
    pub email_verified: bool,
    /// `email_verified` comes as `"true"`, a string, as from Apple.
    pub email_verified_as_string: bool,
    /// The issuer in discovery has `{tenantid}` in it, tokens have the tenant and a `tid` claim,
    /// as at Microsoft's `common`, where it is so without this switch.
    pub tenant_templated_issuer: bool,
    /// `iss` in callbacks (RFC 9207).
    pub callback_iss: CallbackIss,
    /// Discovery says another issuer than the one it was asked at.
    pub discovery_of_another_issuer: bool,
    /// What is wrong with every id_token from now on.
    pub id_token_fault: Option<IdTokenFault>,
    /// Userinfo tells of somebody else.
    pub userinfo_of_another_sub: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            id_token_alg: Algorithm::Rs256,
            refresh_rotates: None,
            refresh_needs_offline_access: true,
            password_grant: false,
            pkce_required: false,
            pkce_plain: false,
            pushed_requests_required: false,
            dpop_nonce_required: false,
            token_endpoint_auth_methods: AuthMethod::ALL.to_vec(),
            email_verified: true,
            email_verified_as_string: false,
            tenant_templated_issuer: false,
            callback_iss: CallbackIss::Sent,
            discovery_of_another_issuer: false,
            id_token_fault: None,
            userinfo_of_another_sub: false,
        }
    }
}

/// How a client proves itself at the token endpoint (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Form-encoded id and secret in `Authorization: Basic`.
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
    /// Not at all: a public client.
    None,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt, Self::None];
}

/// `iss` in the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackIss {
    /// The issuer, and discovery promises it, where the house does so.
    Sent,
    /// Promised and not sent.
    Missing,
    /// Another provider's, as in a mix-up attack.
    Wrong,
}

/// What can be wrong with an id_token. Everything else in it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenFault {
    /// The token answer has none.
    Absent,
    /// `iss` is another provider's.
    WrongIss,
    /// `aud` is another client's.
    WrongAud,
    /// `aud` is a list with a stranger in it, without `azp`.
    ManyAud,
    /// `azp` is another client's.
    WrongAzp,
    /// `nonce` is not the one of the request.
    WrongNonce,
    /// No `nonce`, though one was sent.
    MissingNonce,
    /// `exp` was an hour ago.
    Expired,
    /// No `exp`.
    MissingExp,
    /// `iat` and `nbf` are an hour ahead.
    NotYetValid,
    /// No `sub`.
    MissingSub,
    /// `at_hash` is of another token.
    WrongAtHash,
    /// `alg` is `none`, the signature empty.
    AlgNone,
    /// `alg` is HS256, the secret is the PEM of the published RSA key.
    Hs256PublicKey,
    /// `kid` is of no published key.
    UnknownKid,
    /// No `kid`, though several keys are published; legal, and a client may or may not cope.
    MissingKid,
    /// Signed by a key that the header brings along as `jwk`.
    EmbeddedKey,
    /// The signature is of another text.
    BadSignature,
}
