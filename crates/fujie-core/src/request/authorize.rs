//! The authorization request (RFC 6749 §4.1.1, §4.2.1; OpenID Connect Core 1.0 §3.1.2.1), and what comes next.
//!
//! Parsing proves the redirect target first: before that an error may only become a page. Deciding looks at the whole
//! situation each time it is asked and remembers nothing.

use std::sync::Arc;

use super::{
    parameters::{ParameterError, Parameters},
    pkce::{Challenge, PkceError},
    redirect_uri::RequestedUri,
    response_mode::{RedirectTarget, ResponseMode, TargetError},
    scope::Scope,
};
use crate::{
    account::Session,
    client::{Client, GrantType, Registry},
    error::{ErrorCode, WireError},
    time::{Lifetime, Timestamp},
    token::access_token::Audience,
};

/// Longest query of an authorization request, in bytes: sealed as a `resume` it still fits into our own addresses of
/// 6,000 characters.
pub const REQUEST_LENGTH_MAX: usize = 4300;

/// Texts in which a control character is an attack or an accident, never a wish.
const WITHOUT_CONTROL: [&str; 12] = [
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "ui_locales",
];

/// What a response type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    /// A code (RFC 6749 §4.1).
    Code,
    /// A token in the fragment (RFC 6749 §4.2).
    Token,
}

/// A valid authorization request of a known client, with a proven redirect target.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub target: RedirectTarget,
    /// The request named the redirect URI.
    pub redirect_uri_sent: bool,
    /// What is asked for.
    pub response_type: ResponseType,
    /// What the token may do.
    pub scope: Scope,
    /// Where the token may be used.
    pub audience: Audience,
    /// PKCE.
    pub challenge: Option<Challenge>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Wishes about what people are shown.
    pub prompt: Prompt,
    /// The sign-in may be at most this old.
    pub max_age: Option<Lifetime>,
    /// Languages, best first (BCP 47, space-separated).
    pub ui_locales: Option<String>,
    /// A name to put into the sign-in form; it authenticates nobody.
    pub login_hint: Option<String>,
    /// The person that the client expects, by `id_token_hint`; set by whoever can verify it.
    pub hinted_subject: Option<String>,
}

/// `prompt` (OpenID Connect Core 1.0 §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Show nothing.
    pub is_none: bool,
    /// Sign in afresh.
    pub wants_login: bool,
    /// Ask for consent even if it was given.
    pub wants_consent: bool,
}

/// Why an authorization request is refused, and where the refusal may be told.
#[derive(Debug)]
pub enum Refusal {
    /// Only on a page of ours: the redirect URI is unproven.
    Page(PageCause),
    /// By redirect, to a proven target.
    Redirect(RedirectTarget, AuthorizeError),
}

/// Causes that end on a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageCause {
    /// The parameters cannot be read.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The request is too long for an address.
    #[error("the request is longer than 4,300 characters; send it by PAR (RFC 9126)")]
    TooLong,
    /// `client_id` is missing.
    #[error("client_id is missing")]
    ClientMissing,
    /// No such client, or it is disabled.
    #[error("the client is unknown")]
    ClientUnknown,
    /// No redirect URI, and the client has not exactly one.
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    /// The redirect URI is not registered.
    #[error("redirect_uri is not registered for this client")]
    RedirectUriMismatch {
        /// Whose registrations it was held against.
        client: Arc<Client>,
        /// What was asked.
        requested: RequestedUri,
    },
}

/// Causes that the client is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// `response_type` is missing.
    #[error("response_type is missing")]
    ResponseTypeMissing,
    /// No such response type here.
    #[error("this response_type is not supported; use code")]
    ResponseType,
    /// The response type is not switched on for this client.
    #[error("this response_type is not switched on for this client")]
    ResponseTypeOff,
    /// Not `query`, `fragment` or `form_post`, or a token in a query.
    #[error("this response_mode is not supported for this response_type")]
    ResponseMode,
    /// PKCE.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// Malformed scope, or more than registered.
    #[error("the scope is malformed or not registered for this client")]
    Scope,
    /// RFC 8707.
    #[error("the resource is not an API registered here")]
    Target,
    /// A control character.
    #[error("the parameter {0} has a control character")]
    Control(&'static str),
    /// `nonce` longer than 512 characters.
    #[error("nonce may have at most 512 characters")]
    Nonce,
    /// Unknown words, or `none` with another.
    #[error("prompt is malformed, or none stands beside another value")]
    Prompt,
    /// Not a number of seconds.
    #[error("max_age is not a number of seconds")]
    MaxAge,
    /// `request` (OpenID Connect Core 1.0 §6).
    #[error("request objects are not supported")]
    RequestObject,
    /// `request_uri`.
    #[error("request_uri is not supported")]
    RequestUri,
    /// `prompt=none`, and nobody is signed in.
    #[error("the person is not signed in")]
    LoginRequired,
    /// `prompt=none`, and consent was not given.
    #[error("the person has not consented")]
    ConsentRequired,
    /// The person said no.
    #[error("the person denied the request")]
    Denied,
    /// Nothing can be written now.
    #[error("the server cannot answer now; try again soon")]
    Unavailable,
}

impl WireError for AuthorizeError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::ResponseTypeMissing
            | Self::ResponseMode
            | Self::Pkce(_)
            | Self::Control(_)
            | Self::Nonce
            | Self::Prompt
            | Self::MaxAge => ErrorCode::InvalidRequest,
            Self::ResponseType => ErrorCode::UnsupportedResponseType,
            Self::ResponseTypeOff => ErrorCode::UnauthorizedClient,
            Self::Scope => ErrorCode::InvalidScope,
            Self::Target => ErrorCode::InvalidTarget,
            Self::RequestObject => ErrorCode::RequestNotSupported,
            Self::RequestUri => ErrorCode::RequestUriNotSupported,
            Self::LoginRequired => ErrorCode::LoginRequired,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::Denied => ErrorCode::AccessDenied,
            Self::Unavailable => ErrorCode::TemporarilyUnavailable,
        }
    }
}

impl AuthorizeError {
    /// The response that tells `target`.
    pub fn answer(&self, target: RedirectTarget) -> super::response_mode::AuthorizationResponse {
        target.answer(vec![("error", self.code().as_str().to_owned()), ("error_description", self.error_description())])
    }
}

/// Reads `query` (urlencoded) as an authorization request.
pub fn parse(query: &[u8], registry: &Registry, issuer: &str) -> Result<AuthorizeRequest, Refusal> {
    if query.len() > REQUEST_LENGTH_MAX {
        return Err(Refusal::Page(PageCause::TooLong));
    }
    let parameters = Parameters::parse(query).map_err(|error| Refusal::Page(error.into()))?;
    let (client, target) = prove(&parameters, registry, issuer).map_err(Refusal::Page)?;
    match read(&parameters, client, target.clone(), registry) {
        Ok(request) => Ok(request),
        Err(error) => Err(Refusal::Redirect(target, error)),
    }
}

/// The client, and the target that its registration admits.
fn prove(
    parameters: &Parameters,
    registry: &Registry,
    issuer: &str,
) -> Result<(Arc<Client>, RedirectTarget), PageCause> {
    let id = parameters.text("client_id").ok_or(PageCause::ClientMissing)?;
    let client = registry.client(id).ok_or(PageCause::ClientUnknown)?;
    let target = RedirectTarget::prove(
        &client.redirect_uris,
        parameters.text("redirect_uri"),
        error_mode(parameters),
        parameters.text("state"),
        issuer,
    );
    match target {
        Ok(target) => Ok((Arc::clone(client), target)),
        Err(TargetError::Missing) => Err(PageCause::RedirectUriMissing),
        Err(TargetError::Mismatch(requested)) => {
            Err(PageCause::RedirectUriMismatch { client: Arc::clone(client), requested })
        }
    }
}

/// The mode in which an error is told before the request is known to be valid.
fn error_mode(parameters: &Parameters) -> ResponseMode {
    let asked = parameters.text("response_mode").and_then(ResponseMode::parse);
    let wants_token =
        parameters.text("response_type").is_some_and(|text| text.split(' ').any(|word| word.ends_with("token")));
    match asked {
        Some(ResponseMode::Query) if wants_token => ResponseMode::Fragment,
        Some(mode) => mode,
        None if wants_token => ResponseMode::Fragment,
        None => ResponseMode::Query,
    }
}

fn read(
    parameters: &Parameters,
    client: Arc<Client>,
    target: RedirectTarget,
    registry: &Registry,
) -> Result<AuthorizeRequest, AuthorizeError> {
    if let Some(name) = parameters.with_control(&WITHOUT_CONTROL) {
        return Err(AuthorizeError::Control(name));
    }
    if parameters.text("request").is_some() {
        return Err(AuthorizeError::RequestObject);
    }
    if parameters.text("request_uri").is_some() {
        return Err(AuthorizeError::RequestUri);
    }
    let response_type = response_type(parameters, &client)?;
    let target = match (parameters.text("response_mode").map(ResponseMode::parse), response_type) {
        (Some(None), _) | (Some(Some(ResponseMode::Query)), ResponseType::Token) => {
            return Err(AuthorizeError::ResponseMode);
        }
        (Some(Some(mode)), _) => target.with_mode(mode),
        (None, ResponseType::Code) => target.with_mode(ResponseMode::Query),
        (None, ResponseType::Token) => target.with_mode(ResponseMode::Fragment),
    };
    let challenge = match response_type {
        ResponseType::Token => None,
        ResponseType::Code => {
            Challenge::parse(parameters.text("code_challenge"), parameters.text("code_challenge_method"), client.pkce)?
        }
    };
    let scope = scope(parameters, &client)?;
    // No code, nothing to come back with: offline access is ignored (OpenID Connect Core 1.0 §11).
    let scope = match response_type {
        ResponseType::Code => scope,
        ResponseType::Token => scope.tokens().filter(|token| *token != "offline_access").collect(),
    };
    let audience = Audience::resolve(registry, &scope, parameters.all("resource")).or(Err(AuthorizeError::Target))?;
    let nonce = parameters.text("nonce").map(str::to_owned);
    if nonce.as_ref().is_some_and(|nonce| nonce.len() > 512) {
        return Err(AuthorizeError::Nonce);
    }
    Ok(AuthorizeRequest {
        client,
        target,
        redirect_uri_sent: parameters.text("redirect_uri").is_some(),
        response_type,
        scope,
        audience,
        challenge,
        nonce,
        prompt: prompt(parameters)?,
        max_age: max_age(parameters)?,
        ui_locales: parameters.text("ui_locales").map(str::to_owned),
        login_hint: parameters.text("login_hint").map(|hint| hint.chars().take(255).collect()),
        hinted_subject: None,
    })
}

fn response_type(parameters: &Parameters, client: &Client) -> Result<ResponseType, AuthorizeError> {
    let (response_type, grant_type) = match parameters.text("response_type") {
        None => return Err(AuthorizeError::ResponseTypeMissing),
        Some("code") => (ResponseType::Code, GrantType::AuthorizationCode),
        Some("token") => (ResponseType::Token, GrantType::Implicit),
        Some(_) => return Err(AuthorizeError::ResponseType),
    };
    client.may_use(grant_type).then_some(response_type).ok_or(AuthorizeError::ResponseTypeOff)
}

/// OpenID requests lose what is not registered (§3.1.2.1 says to ignore it); others are refused for it.
fn scope(parameters: &Parameters, client: &Client) -> Result<Scope, AuthorizeError> {
    let Some(text) = parameters.text("scope") else {
        return Ok(client.scope.tokens().filter(|token| !["openid", "offline_access"].contains(token)).collect());
    };
    let asked = Scope::parse(text).or(Err(AuthorizeError::Scope))?;
    if asked.contains("openid") && client.scope.contains("openid") {
        return Ok(asked.intersection(&client.scope));
    }
    client.scope.admits(&asked).then_some(asked).ok_or(AuthorizeError::Scope)
}

fn prompt(parameters: &Parameters) -> Result<Prompt, AuthorizeError> {
    let mut prompt = Prompt::default();
    let Some(text) = parameters.text("prompt") else { return Ok(prompt) };
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    for word in &words {
        match *word {
            "none" if words.len() == 1 => prompt.is_none = true,
            // Choosing an account is a sign-in too: the page offers every way.
            "login" | "select_account" => prompt.wants_login = true,
            "consent" => prompt.wants_consent = true,
            _ => return Err(AuthorizeError::Prompt),
        }
    }
    Ok(prompt)
}

fn max_age(parameters: &Parameters) -> Result<Option<Lifetime>, AuthorizeError> {
    parameters
        .text("max_age")
        // `parse` alone would take a plus sign.
        .map(|text| text.parse().ok().filter(|_| !text.starts_with('+')).ok_or(AuthorizeError::MaxAge))
        .map(|seconds| seconds.map(Lifetime::from_seconds))
        .transpose()
}

/// What the person answered on the consent page, in the request at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Was not asked in this request.
    None,
    /// Pressed "allow".
    Allow,
    /// Pressed "deny".
    Deny,
}

/// The situation as loaded.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who is signed in in this browser.
    pub session: Option<&'a Session>,
    /// What this person let this client do before.
    pub consented: Option<&'a Scope>,
    /// An identity waits to be bound in this browser.
    pub has_pending: bool,
    /// Digest of the `resume` that this request came back with.
    pub resumed: Option<[u8; 32]>,
    /// What the consent form says.
    pub answer: Answer,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Sign in (again).
    SignIn,
    /// Say what to do with the identity that waits.
    Bind,
    /// Ask for consent.
    Consent,
    /// Issue.
    Issue,
}

/// Judges the request as if it had just arrived.
pub fn decide(request: &AuthorizeRequest, facts: Facts<'_>, now: Timestamp) -> Result<Next, AuthorizeError> {
    if facts.has_pending && !request.prompt.is_none {
        return Ok(Next::Bind);
    }
    let is_signed_in = facts.session.is_some_and(|session| {
        // A sign-in that this very request demanded counts, once: issuing spends the mark.
        let is_fresh = facts.resumed.is_some() && session.fresh_for == facts.resumed;
        let is_young = request.max_age.is_none_or(|age| now < session.auth_time + age);
        let is_expected = request.hinted_subject.as_ref().is_none_or(|sub| *sub == session.account.id.to_string());
        is_expected && (is_fresh || (!request.prompt.wants_login && is_young))
    });
    if !is_signed_in {
        return if request.prompt.is_none { Err(AuthorizeError::LoginRequired) } else { Ok(Next::SignIn) };
    }
    match facts.answer {
        Answer::Deny => return Err(AuthorizeError::Denied),
        Answer::Allow => return Ok(Next::Issue),
        Answer::None => {}
    }
    let is_remembered = facts.consented.is_some_and(|scope| scope.admits(&request.scope))
        // Anyone can pretend to be a native client (RFC 8252 §8.6): people are always asked.
        && !request.client.is_native();
    if is_remembered && !request.prompt.wants_consent {
        return Ok(Next::Issue);
    }
    if request.prompt.is_none { Err(AuthorizeError::ConsentRequired) } else { Ok(Next::Consent) }
}
