//! Codes, access tokens and refresh tokens: what was issued to whom, and what it is still good for.
//!
//! Decides over time given as an argument; knows no HTTP. Where no source says what happens, the choice is named at
//! its line.

use super::error::QqError;
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};
use std::time::Duration;

const CODES_MAX: usize = 10_000;
const ACCESS_TOKENS_MAX: usize = 20_000;
const REFRESH_TOKENS_MAX: usize = 20_000;
/// Codes and tokens are 32 of these.
const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";
const LENGTH: usize = 32;
/// Refreshing ends three months after the sign-in, however often it was done.
const CHAIN_LIFETIME: Duration = Duration::from_secs(7_776_000);

/// All codes and tokens of one simulator.
#[derive(Debug)]
pub(crate) struct Ledger {
    codes: Bounded<Code>,
    access_tokens: Bounded<Access>,
    refresh_tokens: Bounded<Refresh>,
}

/// Whom an app may act for, and with which APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    /// The person's name in the configuration.
    pub(crate) person: String,
    /// API names joined by commas; never empty.
    pub(crate) scope: String,
}

impl Grant {
    /// Whether the person let the app call this API.
    pub(crate) fn covers(&self, api: &str) -> bool {
        self.scope.split([',', ' ']).any(|name| name == api || name == "all")
    }
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    expires_at: Timestamp,
    is_used: bool,
}

#[derive(Debug)]
struct Access {
    grant: Grant,
    expires_at: Timestamp,
    /// A later sign-in took its place.
    is_recycled: bool,
}

#[derive(Debug)]
struct Refresh {
    grant: Grant,
    chain_ends_at: Timestamp,
    is_used: bool,
}

/// What one call of the token endpoint gives.
pub(crate) struct Tokens {
    pub(crate) grant: Grant,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// What the caller of the token endpoint says of the redirect URI.
pub(crate) enum Returned<'a> {
    /// It must be the one the code was sent to.
    Checked(&'a str),
    /// Mobile apps need not say it.
    Unchecked,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            codes: Bounded::new(CODES_MAX),
            access_tokens: Bounded::new(ACCESS_TOKENS_MAX),
            refresh_tokens: Bounded::new(REFRESH_TOKENS_MAX),
        }
    }

    pub(crate) fn issue_code(
        &mut self,
        grant: Grant,
        redirect_uri: &str,
        expires_at: Timestamp,
    ) -> Result<String, NoRandomness> {
        let value = random::text(UPPER_HEX, LENGTH)?;
        let redirect_uri = redirect_uri.to_owned();
        self.codes.insert(value.clone(), Code { grant, redirect_uri, expires_at, is_used: false });
        Ok(value)
    }

    /// Spends a code. Another app's try and a wrong redirect URI burn nothing (a choice).
    pub(crate) fn redeem_code(
        &mut self,
        client_id: &str,
        code: &str,
        returned: &Returned<'_>,
        now: Timestamp,
    ) -> Result<Grant, QqError> {
        let known = self.codes.get_mut(code).filter(|code| code.grant.client_id == client_id);
        let code = known.filter(|code| now < code.expires_at).ok_or(QqError::CODE_WRONG)?;
        if code.is_used {
            return Err(QqError::CODE_REUSED);
        }
        if matches!(returned, Returned::Checked(uri) if *uri != code.redirect_uri) {
            return Err(QqError::REDIRECT_URI);
        }
        code.is_used = true;
        Ok(code.grant.clone())
    }

    /// Spends a refresh token: unknown ones are 100022; used ones and those of an ended chain 100021.
    pub(crate) fn spend_refresh_token(
        &mut self,
        client_id: &str,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<(Grant, Timestamp), QqError> {
        let known = self.refresh_tokens.get_mut(refresh_token).filter(|one| one.grant.client_id == client_id);
        let refresh = known.ok_or(QqError::REFRESH_TOKEN_WRONG)?;
        if refresh.is_used || refresh.chain_ends_at <= now {
            return Err(QqError::REFRESH_TOKEN_USED);
        }
        refresh.is_used = true;
        Ok((refresh.grant.clone(), refresh.chain_ends_at))
    }

    /// An access token, as the implicit flow gives it.
    pub(crate) fn issue_access_token(&mut self, grant: Grant, expires_at: Timestamp) -> Result<String, NoRandomness> {
        let access_token = random::text(UPPER_HEX, LENGTH)?;
        self.access_tokens.insert(access_token.clone(), Access { grant, expires_at, is_recycled: false });
        Ok(access_token)
    }

    /// An access token and the refresh token that goes with it. Earlier access tokens live on.
    pub(crate) fn issue_tokens(
        &mut self,
        grant: Grant,
        expires_at: Timestamp,
        chain_ends_at: Timestamp,
    ) -> Result<Tokens, NoRandomness> {
        let refresh_token = random::text(UPPER_HEX, LENGTH)?;
        let access_token = self.issue_access_token(grant.clone(), expires_at)?;
        let refresh = Refresh { grant: grant.clone(), chain_ends_at, is_used: false };
        self.refresh_tokens.insert(refresh_token.clone(), refresh);
        Ok(Tokens { grant, access_token, refresh_token })
    }

    /// Ends the access tokens that earlier sign-ins of the same person gave the same app.
    pub(crate) fn recycle_access_tokens(&mut self, of: &Grant) {
        for access in self.access_tokens.values_mut() {
            access.is_recycled |= access.grant.client_id == of.client_id && access.grant.person == of.person;
        }
    }

    /// Which grant an access token stands for: 100013 for junk and recycled ones, 100014 for those whose time is over.
    pub(crate) fn open_access_token(&self, access_token: &str, now: Timestamp) -> Result<&Grant, QqError> {
        let access = self.access_tokens.get(access_token).ok_or(QqError::ACCESS_TOKEN_ILLEGAL)?;
        if access.is_recycled {
            Err(QqError::ACCESS_TOKEN_ILLEGAL)
        } else if access.expires_at <= now {
            Err(QqError::ACCESS_TOKEN_EXPIRED)
        } else {
            Ok(&access.grant)
        }
    }
}

/// When the chain of refresh tokens that begins now ends.
pub(crate) fn chain_end(now: Timestamp) -> Timestamp {
    now.after(CHAIN_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::{Grant, Ledger, Returned, chain_end};
    use crate::clock::{Clock, Timestamp};
    use crate::qq::error::QqError;
    use std::time::Duration;

    fn grant() -> Grant {
        Grant { client_id: "1".to_owned(), person: "zoe".to_owned(), scope: "get_user_info".to_owned() }
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
        assert_eq!(code.len(), 32);
        let mut redeem = |client_id: &str, uri: &str, at| {
            ledger.redeem_code(client_id, &code, &Returned::Checked(uri), at).map_err(|error| error.number)
        };
        assert_eq!(redeem("2", "http://a/", now), Err(100_019));
        assert_eq!(redeem("1", "http://b/", now), Err(100_010));
        assert_eq!(redeem("1", "http://a/", later(now, 600)), Err(100_019));
        assert_eq!(redeem("1", "http://a/", now), Ok(grant()));
        assert_eq!(redeem("1", "http://a/", now), Err(100_020));
    }

    #[test]
    fn a_refresh_token_is_spent_once_and_its_chain_ends_three_months_after_the_sign_in() {
        let (mut ledger, now) = ledger();
        let first = ledger.issue_tokens(grant(), later(now, 60), chain_end(now)).unwrap();
        let (grant, end) = ledger.spend_refresh_token("1", &first.refresh_token, now).unwrap();
        let again = ledger.spend_refresh_token("1", &first.refresh_token, now);
        assert_eq!(again.unwrap_err(), QqError::REFRESH_TOKEN_USED);
        let second = ledger.issue_tokens(grant, later(now, 60), end).unwrap();
        let mut spend = |client_id: &str, at| ledger.spend_refresh_token(client_id, &second.refresh_token, at);
        assert_eq!(spend("2", now).unwrap_err(), QqError::REFRESH_TOKEN_WRONG);
        assert_eq!(spend("1", later(now, 7_776_000)).unwrap_err(), QqError::REFRESH_TOKEN_USED);
        assert!(spend("1", later(now, 7_775_999)).is_ok());
    }

    #[test]
    fn a_scope_is_a_list_of_api_names_or_all() {
        let covers = |scope: &str| Grant { scope: scope.to_owned(), ..grant() }.covers("get_user_info");
        assert!(covers("get_user_info") && covers("list_album,get_user_info") && covers("all"));
        assert!(!covers("list_album") && !covers("get_user_info2"));
    }
}
