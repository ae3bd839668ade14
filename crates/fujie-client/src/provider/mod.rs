//! A provider as a record of data: where it answers and in what it departs from RFC 6749.
//!
//! Owns the record's fields. `call` has the requests, `change` reading and changing records,
//! `check` refusing those that would be unsafe. A new provider is a new file beside `wechat`
//! and a line in [`named`].

mod alipay;
mod apple;
mod baidu;
mod call;
mod change;
mod check;
mod dingtalk;
mod discord;
mod douyin;
mod feishu;
mod field;
mod gitee;
mod github;
mod gitlab;
mod google;
mod microsoft;
mod oauth2;
mod openid;
mod qq;
mod wechat;
mod wecom;
mod weibo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use alipay::alipay;
pub use apple::apple;
pub use baidu::baidu;
pub use call::{Call, CallMethod};
pub(crate) use call::{PLACEHOLDERS, Values};
pub use check::RecordError;
pub(crate) use check::{address_fault, is_loopback};
pub use dingtalk::dingtalk;
pub use discord::discord;
pub use douyin::douyin;
pub use feishu::feishu;
pub use gitee::gitee;
pub use github::github;
pub use gitlab::gitlab;
pub use google::google;
pub use microsoft::microsoft;
pub use oauth2::oauth2;
pub use openid::{openid, openid_id};
pub use qq::qq;
pub use wechat::{wechat, wechat_in_app, wechat_mini_program};
pub use wecom::wecom;
pub use weibo::weibo;

/// All that we know about one provider. It holds no secret.
///
/// It reads from and writes to any serde format and refuses unknown fields. [`Provider::with`]
/// changes single fields of a preset.
///
/// Parameters and headers are templates: `{code}` and its like stand for what this sign-in
/// brings ([`Call`] lists them), and a parameter with a placeholder that has no value is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name under which identities are kept. Changing it makes strangers of everybody.
    pub id: String,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// The parameters of the authorization URL, in this order: names and templates.
    pub authorization_parameters: Vec<(String, String)>,
    /// A fragment behind the authorization URL, without `#`.
    pub authorization_fragment: Option<String>,
    /// What `{language}` stands for: primary subtag (BCP 47, lower case) and the provider's own
    /// word. Other languages are not sent.
    pub languages: Vec<(String, String)>,
    /// What is asked for.
    pub scope: Vec<String>,
    /// What stands between two scopes: a space in RFC 6749 §3.3, a comma at many providers.
    pub scope_separator: String,
    /// What the provider lets through as `state`.
    pub state: StateRule,
    /// Whether the provider checks PKCE (RFC 7636).
    pub pkce: Pkce,
    /// What comes back through the browser.
    pub callback: CallbackRule,
    /// How we prove who we are.
    pub client_authentication: ClientAuthentication,
    /// Redeems a code (RFC 6749 §4.1.3).
    pub token: Call,
    /// Makes a fresh access token (RFC 6749 §6), if that is possible.
    pub refresh: Option<Call>,
    /// Asks whether an access token is good, if that is possible.
    pub check: Option<Call>,
    /// Asks whom a token is about, where neither the token answer nor the user answer says so.
    pub subject: Option<Call>,
    /// Describes the signed-in person, if there is such a place.
    pub user: Option<Call>,
    /// Ends a token (RFC 7009), if that is possible.
    pub revocation: Option<Call>,
    /// Where a device asks for its code (RFC 8628 §3.1).
    pub device_authorization_endpoint: Option<String>,
    /// Where requests are left before the browser is sent (RFC 9126).
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Whether the provider takes no other requests (RFC 9126 §5).
    pub pushed_authorization_request_required: bool,
    /// How the token answer names what RFC 6749 §5.1 names otherwise.
    pub token_fields: TokenFields,
    /// How answers say that something failed.
    pub errors: ErrorShape,
    /// Where answers say who signed in.
    pub identity: IdentityRule,
    /// How an ID token is checked, for an OpenID provider.
    pub id_token: Option<IdTokenRule>,
    /// Where the provider's API begins: what a session's addresses are relative to.
    pub base_url: String,
    /// How a session carries the access token.
    pub token_placement: TokenPlacement,
}

/// What the browser brings back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackRule {
    /// The names under which the code may come; the first that is there counts.
    pub code: Vec<String>,
    /// How a callback says that the person refused, beside `error=access_denied`.
    pub denials: Vec<Denial>,
    /// The `iss` of this provider's callbacks (RFC 9207). Another one is refused.
    pub issuer: Option<String>,
    /// Whether a callback without `iss` is refused too: the provider promises one.
    pub issuer_required: bool,
    /// A parameter with a JSON object about the person; Apple sends it once and never again.
    pub user: Option<String>,
}

/// How a client proves who it is (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// As the templates of the calls write it: the provider has its own names.
    InTemplates,
    /// `client_id` and `client_secret` in the form (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// The `Authorization` header (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
    /// Only `client_id`: a public client.
    None,
}

/// What the token answer calls its fields; dots lead into objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFields {
    /// `access_token` in RFC 6749.
    pub access_token: String,
    /// `refresh_token` in RFC 6749.
    pub refresh_token: String,
    /// `expires_in` in RFC 6749, in seconds.
    pub expires_in: String,
    /// `scope` in RFC 6749.
    pub scope: String,
}

/// How an answer says that something failed, whatever its HTTP status. Dots lead into objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorShape {
    /// The fields with the code. The first that is there and does not say success tells a failure.
    pub code: Vec<String>,
    /// Codes that say success, as text.
    pub success: Vec<String>,
    /// The fields with the text, the first that is there. It is for people: only codes are compared.
    pub message: Vec<String>,
    /// What each code means. A code that is not here is a refusal without a known cause.
    pub refusals: BTreeMap<String, Refusal>,
}

/// What a provider's error code means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The code is unknown, expired or another application's.
    Code,
    /// The code was redeemed before.
    CodeUsed,
    /// The client's id or secret.
    Credentials,
    /// The access token, or its subject.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// The code or the refresh token: whichever was sent (`invalid_grant`, RFC 6749 §5.2).
    Grant,
    /// Too many requests.
    RateLimit,
    /// The provider is busy.
    Busy,
    /// The application lacks a permission.
    Permission,
    /// The person's account is restricted.
    Account,
    /// The request was not understood: this record is wrong.
    Request,
    /// The person refused, or has taken the permission back.
    Denied,
}

/// Where answers say who signed in. Dots lead into objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// The fields with the subject, the first that is there: a string or a whole number, stable
    /// and unique. They are fields of the subject answer where there is one, else of
    /// the user answer; empty where the token answer or the ID token names the person.
    pub subject: Vec<String>,
    /// The field of the token answer with the subject. All that name one must agree.
    pub token_subject: Option<String>,
    /// The field of the subject answer and the check answer that must be our client id: tokens of
    /// other applications are refused.
    pub subject_audience: Option<String>,
    /// Whether every application is told another subject of the same person, as an openid is. Else
    /// the subject is the person at this provider, whoever asks, and survives a new client id.
    pub is_per_application: bool,
    /// The field with an identifier that several applications of one owner share.
    pub union_subject: Option<String>,
    /// The fields with a name to show, the first that is there; with spaces between them several
    /// are one, a given name before a family name.
    pub nickname: Vec<String>,
    /// The fields with the address of a picture, the first that is there.
    pub avatar_url: Vec<String>,
    /// A field that is 1 or true when the visitor is not a real account.
    pub provisional: Option<String>,
}

/// How an ID token is checked (OpenID Connect Core §3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdTokenRule {
    /// The issuer it must name; `{tenantid}` stands for the claim `tid`, as Microsoft has it.
    pub issuer: String,
    /// Where the issuer's keys are (RFC 7517 §5).
    pub jwks_uri: String,
    /// The signature algorithms that are accepted (RFC 7518 §3.1).
    pub algorithms: Vec<String>,
    /// The claims that name the subject together, joined by a colon; `sub` alone almost everywhere.
    pub subject: Vec<String>,
}

/// How a session carries the access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenPlacement {
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    Bearer,
    /// Another header.
    Header {
        /// Its name.
        name: String,
        /// What stands before the token, a space included: `OAuth2 `.
        prefix: String,
    },
    /// A query parameter (RFC 6750 §2.3), where the provider knows no other way.
    Query {
        /// Its name.
        name: String,
    },
}

/// How answers are written. The `Content-Type` is never asked: providers mislabel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFormat {
    /// A JSON object.
    Json,
    /// A JSON object, or such an object as the argument of a JavaScript call.
    Jsonp,
    /// Form text, or one of the two above: some providers fail in JSON only.
    Form,
}

/// What the provider lets through as `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRule {
    /// Permitted characters.
    pub alphabet: StateAlphabet,
    /// Longest state in bytes. Ours has 256 random bits where there is room and never fewer
    /// than 128.
    pub length_max: usize,
}

/// Characters of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAlphabet {
    /// `0-9a-f`, which every provider lets through.
    Hex,
    /// `A-Za-z0-9-_`.
    Base64url,
}

/// Whether PKCE is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pkce {
    /// The provider does not know it.
    #[serde(rename = "none")]
    None,
    /// With `code_challenge_method=S256` (RFC 7636 §4.2).
    S256,
}

/// A way to say no that RFC 6749 does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Denial {
    /// The right state, no code and no error.
    StateWithoutCode,
    /// A parameter of this name that is neither empty nor `0`.
    Parameter(String),
    /// `error` with this value instead of `access_denied`.
    Error(String),
}

/// Random bytes in a state where there is room.
const STATE_BYTES_MAX: usize = 32;

impl StateRule {
    /// How many random bytes a state is made of.
    pub(crate) fn bytes(self) -> usize {
        let room = match self.alphabet {
            StateAlphabet::Hex => self.length_max / 2,
            StateAlphabet::Base64url => self.length_max.saturating_mul(3) / 4,
        };
        room.min(STATE_BYTES_MAX)
    }
}

type Preset = fn() -> Provider;

/// Every preset that needs nothing but a client id and its secret or key, in the order in which
/// they are offered. OpenID providers are made by discovery, everything else with [`oauth2()`].
const PRESETS: &[(&str, Preset)] = &[
    ("wechat", wechat),
    ("wechat_in_app", wechat_in_app),
    ("wechat_mini_program", wechat_mini_program),
    ("qq", qq),
    ("weibo", weibo),
    ("github", github),
    ("gitee", gitee),
    ("dingtalk", dingtalk),
    ("feishu", feishu),
    ("wecom", wecom),
    ("douyin", douyin),
    ("alipay", alipay),
    ("baidu", baidu),
    ("google", google),
    ("microsoft", microsoft),
    ("apple", apple),
    ("gitlab", gitlab),
    ("discord", discord),
];

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The preset of this name, if there is one.
pub fn named(name: &str) -> Option<Provider> {
    let (_, preset) = PRESETS.iter().find(|(known, _)| *known == name)?;
    Some(preset())
}
