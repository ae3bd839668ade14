//! Codes and tokens: what was issued to whom, and what it is still good for.
//!
//! Decides over time given as an argument; knows no HTTP. Where no source says what happens, the
//! choice is named at its line.

use super::config::{Switches, WechatConfig};
use super::errcode::Errcode;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};
use std::time::Duration;

const CODES_MAX: usize = 10_000;
const GRANTS_MAX: usize = 10_000;
const ACCESS_TOKENS_MAX: usize = 20_000;

/// All codes and tokens of one simulator.
#[derive(Debug)]
pub(crate) struct Ledger {
    lifetimes: Lifetimes,
    codes: Bounded<Code>,
    /// By refresh token.
    grants: Bounded<Grant>,
    /// The refresh token of every access token, also of those that are over.
    access_tokens: Bounded<String>,
}

#[derive(Debug)]
struct Lifetimes {
    code: Duration,
    in_app_code: Duration,
    access_token: Duration,
    refresh_token: Duration,
}

#[derive(Debug)]
struct Code {
    consent: Consent,
    expires_at: Timestamp,
    is_used: bool,
}

/// What somebody agreed to, for one app.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    pub(crate) appid: String,
    /// The person's name in the configuration.
    pub(crate) person: String,
    pub(crate) way: Way,
    /// A provisional visitor: openid and profile are not the person's.
    pub(crate) is_snapshot: bool,
}

/// The way of a sign-in, which decides what its tokens open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The QR page of a website app.
    Website,
    /// Inside WeChat; `scope` is what was asked for, separated by commas.
    InApp { scope: String },
    /// `wx.login` of a mini-program.
    MiniProgram,
}

impl Way {
    /// What the token answer says. A website app is given one scope, whatever it asked for.
    pub(crate) fn scope(&self) -> &str {
        match self {
            Self::Website => "snsapi_login",
            Self::InApp { scope } => scope,
            Self::MiniProgram => "",
        }
    }

    /// `snsapi_base` opens the openid and nothing more.
    pub(crate) fn opens_profile(&self) -> bool {
        self.scope().split(',').any(|scope| matches!(scope, "snsapi_login" | "snsapi_userinfo"))
    }

    /// Whether the unionid is told, as far as the way decides.
    pub(crate) fn opens_unionid(&self) -> bool {
        *self == Self::MiniProgram || self.opens_profile()
    }

    /// What a code begins with, as observed: nobody may rely on it.
    fn code_prefix(&self) -> Result<String, NoRandomness> {
        let digit = random::text(random::DIGIT, 1)?;
        Ok(match self {
            Self::Website | Self::InApp { .. } => format!("0{digit}1"),
            Self::MiniProgram => format!("0f{digit}"),
        })
    }
}

/// What one sign-in gave to one app.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) consent: Consent,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    access_expires_at: Timestamp,
    refresh_expires_at: Timestamp,
    /// A later sign-in ended the access token.
    is_superseded: bool,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Grant").field("appid", &self.consent.appid).finish_non_exhaustive()
    }
}

/// Why a code cannot be redeemed. Which number that is has changed over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeFault {
    Unknown,
    Expired,
    Used,
    NoRandomness,
}

impl From<NoRandomness> for CodeFault {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl CodeFault {
    pub(crate) fn errcode(self, switches: &Switches) -> Errcode {
        match self {
            Self::Expired if switches.expired_code_is_42003 => Errcode::CODE_EXPIRED,
            Self::Used if !switches.used_code_is_40029 => Errcode::CODE_BEEN_USED,
            Self::Unknown | Self::Expired | Self::Used => Errcode::INVALID_CODE,
            Self::NoRandomness => Errcode::SYSTEM_ERROR,
        }
    }
}

impl From<NoRandomness> for Errcode {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::SYSTEM_ERROR
    }
}

impl Ledger {
    pub(crate) fn new(config: &WechatConfig) -> Self {
        Self {
            lifetimes: Lifetimes {
                code: config.code_lifetime,
                in_app_code: config.in_app_code_lifetime,
                access_token: config.access_token_lifetime,
                refresh_token: config.refresh_token_lifetime,
            },
            codes: Bounded::new(CODES_MAX),
            grants: Bounded::new(GRANTS_MAX),
            access_tokens: Bounded::new(ACCESS_TOKENS_MAX),
        }
    }

    /// 32 characters.
    pub(crate) fn issue_code(&mut self, consent: Consent, now: Timestamp) -> Result<String, NoRandomness> {
        let value = format!("{}{}", consent.way.code_prefix()?, random::text(random::ALPHANUMERIC, 29)?);
        let lifetime = match consent.way {
            Way::Website => self.lifetimes.code,
            Way::InApp { .. } | Way::MiniProgram => self.lifetimes.in_app_code,
        };
        let expires_at = now.after(lifetime);
        self.codes.insert(value.clone(), Code { consent, expires_at, is_used: false });
        Ok(value)
    }

    /// Spends a code. One that has expired is told as such even if it was used; another app's
    /// try burns nothing, nor does one at the other endpoint.
    fn spend_code(
        &mut self,
        (appid, code): (&str, &str),
        is_meant: impl FnOnce(&Way) -> bool,
        now: Timestamp,
    ) -> Result<Consent, CodeFault> {
        let known = self.codes.get_mut(code).filter(|code| code.consent.appid == appid);
        let code = known.filter(|code| is_meant(&code.consent.way)).ok_or(CodeFault::Unknown)?;
        if code.expires_at <= now {
            Err(CodeFault::Expired)
        } else if std::mem::replace(&mut code.is_used, true) {
            Err(CodeFault::Used)
        } else {
            Ok(code.consent.clone())
        }
    }

    /// A code of the QR page or of in-app authorization becomes tokens.
    pub(crate) fn redeem_code(&mut self, appid: &str, code: &str, now: Timestamp) -> Result<Grant, CodeFault> {
        let consent = self.spend_code((appid, code), |way| *way != Way::MiniProgram, now)?;
        let refresh_token = token()?;
        let grant = Grant {
            consent,
            access_token: token()?,
            refresh_token: refresh_token.clone(),
            access_expires_at: now.after(self.lifetimes.access_token),
            refresh_expires_at: now.after(self.lifetimes.refresh_token),
            is_superseded: false,
        };
        self.access_tokens.insert(grant.access_token.clone(), refresh_token.clone());
        self.grants.insert(refresh_token, grant.clone());
        Ok(grant)
    }

    /// A mini-program's code tells who it is, and is not followed by tokens.
    pub(crate) fn redeem_js_code(&mut self, appid: &str, code: &str, now: Timestamp) -> Result<Consent, CodeFault> {
        self.spend_code((appid, code), |way| *way == Way::MiniProgram, now)
    }

    /// Ends the access tokens that earlier sign-ins of the same person gave the same app.
    pub(crate) fn supersede_before(&mut self, latest: &Grant) {
        for earlier in self.grants.values_mut() {
            earlier.is_superseded |= earlier.consent.appid == latest.consent.appid
                && earlier.consent.person == latest.consent.person
                && earlier.refresh_token != latest.refresh_token;
        }
    }

    /// A live access token is renewed and stays the same; a dead one is replaced. The refresh
    /// token stays the same and ends when it always would have.
    pub(crate) fn refresh(&mut self, appid: &str, refresh_token: &str, now: Timestamp) -> Result<Grant, Errcode> {
        let known = self.grants.get_mut(refresh_token).filter(|grant| grant.consent.appid == appid);
        let grant = known.ok_or(Errcode::INVALID_REFRESH_TOKEN)?;
        if grant.refresh_expires_at <= now {
            return Err(Errcode::REFRESH_TOKEN_EXPIRED);
        }
        if grant.access_expires_at <= now || grant.is_superseded {
            grant.access_token = token()?;
            grant.is_superseded = false;
            self.access_tokens.insert(grant.access_token.clone(), refresh_token.to_owned());
        }
        grant.access_expires_at = now.after(self.lifetimes.access_token);
        Ok(grant.clone())
    }

    /// Which grant an access token stands for. What never looked like a token is 40014, what is
    /// unknown or not the latest 40001, what has ended 42001 (a choice: all three are seen).
    pub(crate) fn open_access_token(&self, access_token: &str, now: Timestamp) -> Result<&Grant, Errcode> {
        let Some(refresh_token) = self.access_tokens.get(access_token) else {
            let looks_like_one = access_token
                .split_once('_')
                .is_some_and(|(number, rest)| number.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() >= 64);
            return Err(if looks_like_one { Errcode::INVALID_CREDENTIAL } else { Errcode::INVALID_ACCESS_TOKEN });
        };
        let grant = self.grants.get(refresh_token).ok_or(Errcode::INVALID_CREDENTIAL)?;
        if grant.is_superseded {
            Err(Errcode::INVALID_CREDENTIAL)
        } else if grant.access_token != access_token || grant.access_expires_at <= now {
            Err(Errcode::ACCESS_TOKEN_EXPIRED)
        } else {
            Ok(grant)
        }
    }

    pub(crate) fn access_token_lifetime_seconds(&self) -> u64 {
        self.lifetimes.access_token.as_secs()
    }
}

/// Two digits, `_`, 100 characters of base64url.
fn token() -> Result<String, NoRandomness> {
    let number = random::text(b"123456789", 2)?;
    Ok(format!("{number}_{}", random::text(random::BASE64URL, 100)?))
}
