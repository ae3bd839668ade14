//! A sign-in from the link to the callback: begin, and judge what comes back (RFC 6749 §4.1, §4.2).
//!
//! Owns the authorization URL and the judgement of a callback. It keeps nothing: the attempt is
//! sealed in a cookie of the browser that began, because a state that is merely random does not
//! say whose browser came back.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fujie_core::random::Random;
use fujie_core::time::{Lifetime, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::error::ProviderError;
use crate::excerpt::scrub;
use crate::identity::Identity;
use crate::provider::{Denial, Pkce, StateAlphabet, Values, address_fault};
use crate::registration::Registration;
use crate::request::{encode_value, with_query, without_query};
use crate::secret::{Secret, is_equal};
use crate::token::Tokens;

/// How long a person may take between the link and the callback.
pub(crate) const ATTEMPT_LIFETIME: Lifetime = Lifetime::from_seconds(600);
/// How far the clock may have been set back since the attempt began.
const CLOCK_BACKWARDS_MAX: Lifetime = Lifetime::from_seconds(60);
/// Bytes of a callback's query, at most.
const CALLBACK_LENGTH_MAX: usize = 8 * 1024;
/// Parameters of a callback, at most.
const CALLBACK_PARAMETERS_MAX: usize = 32;
/// Bytes of a code, at most.
const CODE_LENGTH_MAX: usize = 2048;
/// Bytes of a redirect URI, at most.
const REDIRECT_URI_LENGTH_MAX: usize = 1024;
/// Characters of a state that an attempt may hold, at least: 128 bits in base64url.
const STATE_LENGTH_MIN: usize = 21;

/// Where to send the browser, and what to remember of it.
pub struct Begin {
    /// The authorization URL, for a redirect or a link.
    pub url: String,
    /// To be sealed in a cookie of this browser.
    pub attempt: Attempt,
}

/// What one browser has begun. Plain data: whoever can read it can finish the sign-in in that
/// browser's place, whoever can change it can plant one. Seal it, and let it be used once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The provider's id.
    pub provider: String,
    /// The client id, so that a code never meets another application's secret.
    pub app: String,
    /// The state that the callback must carry.
    pub state: String,
    /// The PKCE verifier (RFC 7636 §4.1), where the provider knows PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verifier: Option<String>,
    /// What the ID token must repeat (OpenID Connect Core §3.1.2.1), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Whether tokens were asked for in the callback itself (RFC 6749 §4.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implicit: bool,
    /// Where the callback was asked to go.
    pub redirect_uri: String,
    /// When it began.
    pub created_at: Timestamp,
}

/// A callback that was judged good. It is spent by redeeming it.
#[derive(Debug)]
pub struct Callback {
    pub(crate) provider: String,
    pub(crate) app: String,
    pub(crate) code: Secret,
    pub(crate) code_verifier: Option<Secret>,
    pub(crate) nonce: Option<Secret>,
    pub(crate) redirect_uri: String,
    /// What the implicit grant brought instead of a code, still as the fragment had it.
    pub(crate) implicit: Option<Secret>,
    /// What the browser brought about the person.
    pub(crate) user: Option<Person>,
}

/// What a callback says about the person. `Debug` does not.
pub(crate) struct Person(pub(crate) Value);

impl fmt::Debug for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

/// What a sign-in asks for, beside what the record says.
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The language of the provider's page (BCP 47, for example `zh-CN`), if it can be told.
    pub language: Option<&'a str>,
    /// Ask for tokens in the callback itself (RFC 6749 §4.2). Only a code keeps tokens out of the
    /// browser: use it where a provider offers nothing else.
    pub is_implicit: bool,
    /// Ask for these scopes in the place of the record's: for an act that needs more than a sign-in does.
    pub scope: Option<&'a [&'a str]>,
}

/// Who signed in, and what the provider gave us to act for them.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// The person.
    pub identity: Identity,
    /// The tokens. They belong on the server, sealed, or nowhere.
    pub tokens: Tokens,
}

impl Registration {
    /// Begins a sign-in. `redirect_uri` goes out exactly as given; it is https, http on
    /// loopback, or of a private-use scheme such as `com.example.app:/callback`, and has neither a fragment (some providers write the code into it) nor a
    /// parameter that the provider will add. The caller must register it with the provider.
    ///
    /// # Errors
    /// [`ProviderError::RedirectUriUnusable`], or [`ProviderError::NotOffered`] when the provider
    /// has no page, or tokens in the callback were asked for and it does not say whose they are.
    pub fn begin(
        &self,
        redirect_uri: &str,
        ask: &Ask<'_>,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Begin, ProviderError> {
        let attempt = self.new_attempt(redirect_uri, ask.is_implicit, random, now)?;
        let parameters = self.authorization_parameters(&attempt, ask);
        Ok(Begin { url: self.authorization_url(&parameters), attempt })
    }

    pub(crate) fn new_attempt(
        &self,
        redirect_uri: &str,
        is_implicit: bool,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<Attempt, ProviderError> {
        if let Some(fault) = redirect_uri_fault(redirect_uri) {
            return Err(ProviderError::RedirectUriUnusable(fault));
        }
        if self.provider.authorization_endpoint.is_empty() {
            return Err(ProviderError::NotOffered("authorization endpoint"));
        }
        if is_implicit {
            self.offers_implicit()?;
        }
        Ok(Attempt {
            provider: self.provider.id.clone(),
            app: self.client_id.clone(),
            state: self.new_state(random),
            code_verifier: match self.provider.pkce {
                Pkce::S256 if !is_implicit => Some(base64url(random, 32)),
                Pkce::S256 | Pkce::None => None,
            },
            nonce: self.provider.id_token.as_ref().map(|_| base64url(random, 32)),
            is_implicit,
            redirect_uri: redirect_uri.to_owned(),
            created_at: now,
        })
    }

    /// Judges a callback by what it came with: the whole URL, its query without the question
    /// mark, or a form body. Parameters behind `#` are read too. `attempt` must have been opened
    /// from this browser's own cookie, and be spent whatever the outcome.
    ///
    /// # Errors
    /// [`ProviderError::Denied`] when the person refused; otherwise the check that failed.
    pub fn read_callback(&self, attempt: &Attempt, came: &str, now: Timestamp) -> Result<Callback, ProviderError> {
        let query = Query::parse(came)?;
        if attempt.provider != self.provider.id || attempt.app != self.client_id {
            return Err(ProviderError::OtherClient);
        }
        // The state goes first: without it, nothing in the callback is anybody's word.
        let state = query.value("state").ok_or(ProviderError::StateMissing)?;
        if attempt.state.len() < STATE_LENGTH_MIN || !is_equal(state, &attempt.state) {
            return Err(ProviderError::StateMismatch);
        }
        let rule = &self.provider.callback;
        let is_issuer = match (query.value("iss"), rule.issuer.as_deref()) {
            (Some(named), Some(expected)) => named == expected,
            (None, Some(_)) => !rule.issuer_required,
            (_, None) => true,
        };
        if !is_issuer {
            return Err(ProviderError::IssuerMismatch);
        }
        if now >= attempt.created_at + ATTEMPT_LIFETIME || attempt.created_at > now + CLOCK_BACKWARDS_MAX {
            return Err(ProviderError::Expired);
        }
        self.refusal(&query)?;
        let has_token = query.value("access_token").is_some();
        let (code, implicit) = match (attempt.is_implicit, has_token) {
            (true, true) => (String::new(), Some(Secret::new(query.fragment.as_str()))),
            (true, false) => return Err(ProviderError::CallbackUnreadable("it has no access token")),
            // Nobody asked for it: a token from elsewhere must not sign anybody in.
            (false, true) => return Err(ProviderError::CallbackUnreadable("it has an access token, not a code")),
            (false, false) => (self.code(&query)?, None),
        };
        let user = rule.user.as_deref().and_then(|name| query.value(name));
        Ok(Callback {
            provider: attempt.provider.clone(),
            app: attempt.app.clone(),
            code: Secret::new(code),
            code_verifier: attempt.code_verifier.clone().map(Secret::new),
            nonce: attempt.nonce.clone().map(Secret::new),
            redirect_uri: attempt.redirect_uri.clone(),
            user: user.and_then(|text| serde_json::from_str(text).ok()).map(Person),
            implicit,
        })
    }

    /// A code that did not come through a browser: `wx.login` of a mini-program, or a native app.
    /// Whoever sends it must be known already, for nothing here says who it is.
    ///
    /// # Errors
    /// [`ProviderError::CallbackUnreadable`] when it is too long or not printable ASCII.
    pub fn read_code(&self, code: &str) -> Result<Callback, ProviderError> {
        Ok(Callback {
            provider: self.provider.id.clone(),
            app: self.client_id.clone(),
            code: Secret::new(printable(code)?),
            code_verifier: None,
            nonce: None,
            redirect_uri: String::new(),
            implicit: None,
            user: None,
        })
    }

    fn new_state(&self, random: &mut dyn Random) -> String {
        let rule = self.provider.state;
        match rule.alphabet {
            StateAlphabet::Base64url => base64url(random, rule.bytes()),
            StateAlphabet::Hex => {
                let mut bytes = Zeroizing::new(vec![0; rule.bytes()]);
                random.fill(&mut bytes);
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }
    }

    /// What the authorization endpoint is told, decoded, in the order of the record.
    pub(crate) fn authorization_parameters<'a>(&'a self, attempt: &Attempt, ask: &Ask<'_>) -> Vec<(&'a str, String)> {
        let provider = &self.provider;
        let scope = match ask.scope {
            Some(scope) => scope.join(&provider.scope_separator),
            None => provider.scope.join(&provider.scope_separator),
        };
        let challenge =
            attempt.code_verifier.as_ref().map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
        let subtag = ask.language.and_then(|tag| tag.split('-').next()).unwrap_or_default().to_ascii_lowercase();
        let word = provider.languages.iter().find(|(own, _)| *own == subtag).map(|(_, word)| word.as_str());
        let mut values = Values::default();
        values.set("client_id", &self.client_id);
        values.set("redirect_uri", &attempt.redirect_uri);
        values.set("response_type", if attempt.is_implicit { "token" } else { "code" });
        values.set("scope", &scope);
        values.set("state", &attempt.state);
        values.set_if("nonce", attempt.nonce.as_deref());
        values.set_if("code_challenge", challenge.as_deref());
        values.set_if("code_challenge_method", challenge.as_ref().map(|_| "S256"));
        values.set_if("language", word);
        let filled = |(name, template): &'a (String, String)| Some((name.as_str(), values.fill(template)?));
        provider.authorization_parameters.iter().filter_map(filled).collect()
    }

    pub(crate) fn authorization_url(&self, parameters: &[(&str, String)]) -> String {
        let mut url = with_query(&self.provider.authorization_endpoint, parameters);
        if let Some(fragment) = &self.provider.authorization_fragment {
            url.push('#');
            url.push_str(&encode_value(fragment));
        }
        url
    }

    /// Whether the callback says no.
    fn refusal(&self, query: &Query) -> Result<(), ProviderError> {
        let has_code = self.provider.callback.code.iter().any(|name| query.value(name).is_some());
        let has_answer = has_code || query.value("access_token").is_some();
        for denial in &self.provider.callback.denials {
            let is_denied = match denial {
                Denial::StateWithoutCode => !has_answer && query.value("error").is_none(),
                Denial::Parameter(name) => query.value(name).is_some_and(|value| value != "0"),
                Denial::Error(word) => query.value("error") == Some(word),
            };
            if is_denied {
                return Err(ProviderError::Denied);
            }
        }
        match query.value("error") {
            Some("access_denied") => Err(ProviderError::Denied),
            Some(error) => Err(ProviderError::AuthorizationRefused(scrub(error, &[self.known_secret()]))),
            None => Ok(()),
        }
    }

    fn code(&self, query: &Query) -> Result<String, ProviderError> {
        let code = self.provider.callback.code.iter().find_map(|name| query.value(name));
        printable(code.ok_or(ProviderError::CallbackUnreadable("it has no code"))?)
    }
}

/// RFC 6749 appendix A.11: printable ASCII.
fn printable(code: &str) -> Result<String, ProviderError> {
    let is_code = !code.is_empty() && code.len() <= CODE_LENGTH_MAX && code.bytes().all(|b| b.is_ascii_graphic());
    if !is_code {
        return Err(ProviderError::CallbackUnreadable("its code is too long or not printable"));
    }
    Ok(code.to_owned())
}

impl fmt::Debug for Begin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Begin").field("url", &without_query(&self.url)).field("attempt", &self.attempt).finish()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Attempt")
            .field("provider", &self.provider)
            .field("app", &self.app)
            .field("redirect_uri", &without_query(&self.redirect_uri))
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// The decoded parameters of a callback, each once. Names that mean nothing to us are ignored
/// (RFC 6749 §4.1.2), but not when they come twice.
struct Query {
    parameters: Vec<(String, Zeroizing<String>)>,
    /// What stood behind `#`, undecoded.
    fragment: String,
}

impl Query {
    fn parse(came: &str) -> Result<Self, ProviderError> {
        if came.len() > CALLBACK_LENGTH_MAX {
            return Err(ProviderError::CallbackUnreadable("it is too long"));
        }
        let (before, fragment) = came.split_once('#').unwrap_or((came, ""));
        let is_url = before.starts_with('/') || before.split(['?', '=', '&']).next().is_some_and(|s| s.contains("://"));
        let query = match before.split_once('?') {
            Some((_, query)) if is_url => query,
            _ if is_url => "",
            _ => before,
        };
        // A fragment of one's own may stand before the parameters: `#/sign-in?code=…`.
        let fragment = fragment.split_once('?').map_or(fragment, |(_, parameters)| parameters);
        let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
        let decoded = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(fragment.as_bytes()));
        for (name, value) in decoded {
            if parameters.len() >= CALLBACK_PARAMETERS_MAX {
                return Err(ProviderError::CallbackUnreadable("it has too many parameters"));
            }
            if parameters.iter().any(|(earlier, _)| *earlier == name) {
                return Err(ProviderError::DuplicateParameter);
            }
            parameters.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self { parameters, fragment: fragment.to_owned() })
    }

    /// A parameter without a value counts as absent (RFC 6749 §3.1).
    fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// The state of a callback, in any shape that [`Registration::read_callback`] takes.
pub(crate) fn state_of(came: &str) -> Option<String> {
    Some(Query::parse(came).ok()?.value("state")?.to_owned())
}

fn redirect_uri_fault(redirect_uri: &str) -> Option<&'static str> {
    if redirect_uri.len() > REDIRECT_URI_LENGTH_MAX {
        return Some("is too long");
    }
    let fault = if is_private_use(redirect_uri) { text_fault(redirect_uri) } else { address_fault(redirect_uri) };
    if fault.is_some() {
        return fault;
    }
    let (_, query) = redirect_uri.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| matches!(name.as_ref(), "code" | "state" | "error" | "iss"))
        .then_some("must not contain a parameter that the provider adds")
}

/// Whether it is a redirect URI of a program on somebody's desktop (RFC 8252 §7.1): its scheme is a domain in reverse,
/// so that no two programs choose the same, and none that shows or runs what it is given.
fn is_private_use(redirect_uri: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    redirect_uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.contains('.')
            && scheme.split('.').all(is_label)
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
    })
}

fn text_fault(uri: &str) -> Option<&'static str> {
    let is_odd = |character: char| !character.is_ascii_graphic() || matches!(character, '#' | '\\' | '"' | '<' | '>');
    uri.contains(is_odd).then_some("must not contain a fragment, white space, a backslash, quotes or brackets")
}

fn base64url(random: &mut dyn Random, length: usize) -> String {
    let mut bytes = Zeroizing::new(vec![0; length]);
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(&*bytes)
}
