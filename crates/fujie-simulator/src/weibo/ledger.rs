//! Codes, access tokens and refresh tokens of one simulated Weibo.
//!
//! Decides over time given as an argument; knows no HTTP. What no source settles is named at its line.

use super::error::WeiboError;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};
use std::time::Duration;

const CODES_MAX: usize = 10_000;
const TOKENS_MAX: usize = 20_000;
const CODE_LENGTH: usize = 32;
/// What every token begins with.
const TOKEN_START: &str = "2.00";
/// The characters behind it: 32 in all.
const TOKEN_REST: usize = 28;

/// All codes and tokens of one simulator.
#[derive(Debug)]
pub(crate) struct Ledger {
    codes: Bounded<Code>,
    access_tokens: Bounded<Access>,
    refresh_tokens: Bounded<Refresh>,
}

/// Whom an app may act for, and what the person let it do beyond the ordinary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    /// The person's name in the configuration.
    pub(crate) person: String,
    /// Scopes that were granted, perhaps fewer than asked for.
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    expires_at: Timestamp,
    is_used: bool,
}

/// An access token's facts.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) grant: Grant,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    is_revoked: bool,
}

#[derive(Debug)]
struct Refresh {
    grant: Grant,
    expires_at: Timestamp,
    is_used: bool,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            codes: Bounded::new(CODES_MAX),
            access_tokens: Bounded::new(TOKENS_MAX),
            refresh_tokens: Bounded::new(TOKENS_MAX),
        }
    }

    /// 32 lowercase hexadecimal digits.
    pub(crate) fn issue_code(
        &mut self,
        grant: Grant,
        redirect_uri: &str,
        expires_at: Timestamp,
    ) -> Result<String, NoRandomness> {
        let value = random::text(random::HEX, CODE_LENGTH)?;
        let redirect_uri = redirect_uri.to_owned();
        self.codes.insert(value.clone(), Code { grant, redirect_uri, expires_at, is_used: false });
        Ok(value)
    }

    /// Spends a code. Another app's try and a wrong redirect URI burn nothing (a choice).
    pub(crate) fn redeem_code(
        &mut self,
        client_id: &str,
        code: &str,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Grant, WeiboError> {
        let known = self.codes.get_mut(code).filter(|known| known.grant.client_id == client_id);
        let Some(known) = known.filter(|known| now < known.expires_at && !known.is_used) else {
            return Err(WeiboError::INVALID_GRANT.described(format!("invalid authorization code:{code}")));
        };
        if known.redirect_uri != redirect_uri {
            return Err(WeiboError::REDIRECT_URI_MISMATCH);
        }
        known.is_used = true;
        Ok(known.grant.clone())
    }

    pub(crate) fn issue_access_token(
        &mut self,
        grant: Grant,
        created_at: Timestamp,
        lifetime: Duration,
    ) -> Result<String, NoRandomness> {
        let value = token()?;
        let expires_at = created_at.after(lifetime);
        self.access_tokens.insert(value.clone(), Access { grant, created_at, expires_at, is_revoked: false });
        Ok(value)
    }

    /// For apps with the mobile SDK; it lives as long as its access token.
    pub(crate) fn issue_refresh_token(&mut self, grant: Grant, expires_at: Timestamp) -> Result<String, NoRandomness> {
        let value = token()?;
        self.refresh_tokens.insert(value.clone(), Refresh { grant, expires_at, is_used: false });
        Ok(value)
    }

    /// Whose refresh token this is.
    pub(crate) fn open_refresh_token(
        &self,
        client_id: &str,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<Grant, WeiboError> {
        let known = self.refresh_tokens.get(refresh_token).filter(|known| known.grant.client_id == client_id);
        match known {
            Some(known) if known.expires_at <= now => Err(WeiboError::EXPIRED_TOKEN.described("refresh token expired")),
            Some(known) if !known.is_used => Ok(known.grant.clone()),
            _ => Err(WeiboError::INVALID_GRANT.described("invalid refresh token")),
        }
    }

    pub(crate) fn spend_refresh_token(&mut self, refresh_token: &str) {
        if let Some(known) = self.refresh_tokens.get_mut(refresh_token) {
            known.is_used = true;
        }
    }

    /// What an access token stands for. A revoked one is as good as an unknown one (a choice).
    pub(crate) fn open_access_token(&self, access_token: &str, now: Timestamp) -> Result<&Access, WeiboError> {
        let known = self.access_tokens.get(access_token).filter(|access| !access.is_revoked);
        let access = known.ok_or(WeiboError::INVALID_ACCESS_TOKEN)?;
        if access.expires_at <= now { Err(WeiboError::EXPIRED_TOKEN) } else { Ok(access) }
    }

    pub(crate) fn revoke(&mut self, access_token: &str) {
        if let Some(access) = self.access_tokens.get_mut(access_token) {
            access.is_revoked = true;
        }
    }
}

fn token() -> Result<String, NoRandomness> {
    Ok(format!("{TOKEN_START}{}", random::text(random::ALPHANUMERIC, TOKEN_REST)?))
}

#[cfg(test)]
mod tests {
    use super::{Grant, Ledger};
    use crate::clock::{Clock, Timestamp};
    use std::time::Duration;

    fn grant() -> Grant {
        Grant { client_id: "1".to_owned(), person: "zoe".to_owned(), scopes: vec![] }
    }

    fn ledger() -> (Ledger, Timestamp) {
        (Ledger::new(), Clock::default().now())
    }

    fn later(now: Timestamp, seconds: u64) -> Timestamp {
        now.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_code_is_spent_once_by_its_app_at_its_address() {
        let (mut ledger, now) = ledger();
        let code = ledger.issue_code(grant(), "http://a/", later(now, 600)).unwrap();
        assert!(code.len() == 32 && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        let mut redeem = |client_id: &str, uri: &str, at| {
            ledger.redeem_code(client_id, &code, uri, at).map_err(|error| (error.number, error.description))
        };
        let invalid = Err((21_325, Some(format!("invalid authorization code:{code}"))));
        assert_eq!(redeem("2", "http://a/", now), invalid);
        assert_eq!(redeem("1", "http://a/", later(now, 600)), invalid);
        assert_eq!(redeem("1", "http://b/", now), Err((21_322, None)));
        assert_eq!(redeem("1", "http://a/", now), Ok(grant()));
        assert_eq!(redeem("1", "http://a/", now), invalid);
    }

    #[test]
    fn an_access_token_ends_by_time_or_by_revocation() {
        let (mut ledger, now) = ledger();
        let token = ledger.issue_access_token(grant(), now, Duration::from_secs(60)).unwrap();
        assert!(token.starts_with("2.00") && token.len() == 32);
        let number = |ledger: &Ledger, at| ledger.open_access_token(&token, at).err().map(|error| error.number);
        assert_eq!(number(&ledger, later(now, 59)), None);
        assert_eq!(number(&ledger, later(now, 60)), Some(21_327));
        ledger.revoke(&token);
        assert_eq!(number(&ledger, now), Some(21_332));
    }
}
