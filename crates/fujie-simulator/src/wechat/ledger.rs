//! Codes and tokens: what was issued to whom, and what it is still good for.
//!
//! Decides over time given as an argument; knows no HTTP. Where no source says what happens, the
//! choice is named at its line.

use super::config::WechatConfig;
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
    access_token: Duration,
    refresh_token: Duration,
}

#[derive(Debug)]
struct Code {
    appid: String,
    person: String,
    expires_at: Timestamp,
    is_used: bool,
}

/// What one sign-in gave to one app.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) appid: String,
    /// The person's name in the configuration.
    pub(crate) person: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    access_expires_at: Timestamp,
    refresh_expires_at: Timestamp,
    /// A later sign-in ended the access token.
    is_superseded: bool,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Grant").field("appid", &self.appid).finish_non_exhaustive()
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
                access_token: config.access_token_lifetime,
                refresh_token: config.refresh_token_lifetime,
            },
            codes: Bounded::new(CODES_MAX),
            grants: Bounded::new(GRANTS_MAX),
            access_tokens: Bounded::new(ACCESS_TOKENS_MAX),
        }
    }

    /// 32 characters, beginning with `0`, a digit, `1` as those of websites do.
    pub(crate) fn issue_code(&mut self, appid: &str, person: &str, now: Timestamp) -> Result<String, NoRandomness> {
        let digit = random::text(random::DIGIT, 1)?;
        let value = format!("0{digit}1{}", random::text(random::ALPHANUMERIC, 29)?);
        let (appid, person) = (appid.to_owned(), person.to_owned());
        let expires_at = now.after(self.lifetimes.code);
        self.codes.insert(value.clone(), Code { appid, person, expires_at, is_used: false });
        Ok(value)
    }

    /// Spends a code. An expired one is 40029 even if it was used: real ones say so (42003 was
    /// seen in tests only). Another app's try burns nothing.
    pub(crate) fn redeem_code(&mut self, appid: &str, code: &str, now: Timestamp) -> Result<Grant, Errcode> {
        let known = self.codes.get_mut(code).filter(|code| code.appid == appid);
        let code = known.filter(|code| now < code.expires_at).ok_or(Errcode::INVALID_CODE)?;
        if code.is_used {
            return Err(Errcode::CODE_BEEN_USED);
        }
        let refresh_token = token()?;
        let grant = Grant {
            appid: appid.to_owned(),
            person: code.person.clone(),
            access_token: token()?,
            refresh_token: refresh_token.clone(),
            access_expires_at: now.after(self.lifetimes.access_token),
            refresh_expires_at: now.after(self.lifetimes.refresh_token),
            is_superseded: false,
        };
        code.is_used = true;
        self.access_tokens.insert(grant.access_token.clone(), refresh_token.clone());
        self.grants.insert(refresh_token, grant.clone());
        Ok(grant)
    }

    /// Ends the access tokens that earlier sign-ins of the same person gave the same app.
    pub(crate) fn supersede_before(&mut self, latest: &Grant) {
        for earlier in self.grants.values_mut() {
            earlier.is_superseded |= earlier.appid == latest.appid
                && earlier.person == latest.person
                && earlier.refresh_token != latest.refresh_token;
        }
    }

    /// A live access token is renewed and stays the same; a dead one is replaced. The refresh
    /// token stays the same and ends when it always would have.
    pub(crate) fn refresh(&mut self, appid: &str, refresh_token: &str, now: Timestamp) -> Result<Grant, Errcode> {
        let known = self.grants.get_mut(refresh_token).filter(|grant| grant.appid == appid);
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
