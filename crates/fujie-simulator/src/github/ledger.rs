//! Codes, tokens and refresh tokens: what was issued to whom, and what it is still good for.
//!
//! Decides over time given as an argument; knows no HTTP and no app's settings. Device codes are
//! in `device`. Where no source says what happens, the choice is named at its line.

use super::reply::OauthError;
use super::scope::Scopes;
use super::token::{self, Kind};
use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};
use std::time::Duration;

const CODES_MAX: usize = 10_000;
const TOKENS_MAX: usize = 20_000;
const AUTHORIZATIONS_MAX: usize = 10_000;
/// Live tokens of one person, app and set of scopes; one more ends the oldest.
const TOKENS_OF_A_SET_MAX: usize = 10;
/// A token that nobody used for so long is over.
const UNUSED_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// Why nothing was issued.
#[derive(Debug)]
pub(crate) enum Denial {
    Error(OauthError),
    NoRandomness,
}

impl From<OauthError> for Denial {
    fn from(error: OauthError) -> Self {
        Self::Error(error)
    }
}

impl From<NoRandomness> for Denial {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// Who is given a token, by whom, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) client_id: String,
    /// The person's name in the configuration.
    pub(crate) person: String,
    pub(crate) kind: Kind,
    pub(crate) scopes: Scopes,
    /// How long the access token and the refresh token work; `None` when they never expire.
    pub(crate) lifetimes: Option<(Duration, Duration)>,
    /// Device flow tokens are refreshed without a secret.
    pub(crate) is_of_device_flow: bool,
}

/// A code to be redeemed, and what must be known to redeem it.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) holder: Holder,
    /// The one of the request, or the registered one it stood for.
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<String>,
    expires_at: Timestamp,
    is_used: bool,
}

/// An access token of a user.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) value: String,
    pub(crate) holder: Holder,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    refresh_token: Option<String>,
    used_at: Timestamp,
    has_ended: bool,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Token").field("id", &self.id).field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Token {
    fn is_live(&self, now: Timestamp) -> bool {
        !self.has_ended && self.expires_at.is_none_or(|end| now < end) && now < self.used_at.after(UNUSED_LIFETIME)
    }
}

#[derive(Debug)]
struct Refresh {
    access_token: String,
    holder: Holder,
    expires_at: Timestamp,
    has_ended: bool,
}

/// What a token answer tells.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) scope: String,
    /// The refresh token, and the seconds that access token and refresh token work.
    pub(crate) refresh: Option<(String, u64, u64)>,
}

/// All codes and tokens of one simulator.
#[derive(Debug)]
pub(crate) struct Ledger {
    codes: Bounded<Code>,
    tokens: Bounded<Token>,
    refresh_tokens: Bounded<Refresh>,
    /// All that a person ever granted an app, until it is taken back.
    authorizations: Bounded<Scopes>,
    last_id: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            codes: Bounded::new(CODES_MAX),
            tokens: Bounded::new(TOKENS_MAX),
            refresh_tokens: Bounded::new(TOKENS_MAX),
            authorizations: Bounded::new(AUTHORIZATIONS_MAX),
            last_id: 1_500_000_000,
        }
    }
}

impl Ledger {
    /// A new code: 20 hexadecimal digits.
    pub(crate) fn issue_code(
        &mut self,
        holder: Holder,
        redirect_uri: &str,
        code_challenge: Option<String>,
        expires_at: Timestamp,
    ) -> Result<String, NoRandomness> {
        let value = random::text(random::HEX, 20)?;
        let redirect_uri = redirect_uri.to_owned();
        self.codes.insert(value.clone(), Code { holder, redirect_uri, code_challenge, expires_at, is_used: false });
        Ok(value)
    }

    /// A code that this app may still redeem; does not spend it.
    pub(crate) fn code(&self, client_id: &str, code: &str, now: Timestamp) -> Result<&Code, OauthError> {
        let known = self.codes.get(code).filter(|code| code.holder.client_id == client_id);
        known.filter(|code| !code.is_used && now < code.expires_at).ok_or(OauthError::BAD_VERIFICATION_CODE)
    }

    /// Spends a code that [`Ledger::code`] has judged.
    pub(crate) fn redeem_code(&mut self, code: &str, now: Timestamp) -> Result<Issued, Denial> {
        let code = self.codes.get_mut(code).ok_or(OauthError::BAD_VERIFICATION_CODE)?;
        code.is_used = true;
        let holder = code.holder.clone();
        Ok(self.issue(holder, now)?)
    }

    /// A new access token, and a refresh token where tokens expire.
    ///
    /// Asking for nothing gives what was granted before; the eleventh of a set ends the oldest.
    pub(crate) fn issue(&mut self, mut holder: Holder, now: Timestamp) -> Result<Issued, NoRandomness> {
        let granted = self.authorizations.get(&authorization(&holder.client_id, &holder.person));
        let all = granted.cloned().unwrap_or_default().and(&holder.scopes);
        if holder.scopes.is_empty() {
            holder.scopes = all.clone();
        }
        self.authorizations.insert(authorization(&holder.client_id, &holder.person), all);
        self.end_oldest_of_set(&holder, now);
        self.write_token(holder, now)
    }

    fn write_token(&mut self, holder: Holder, now: Timestamp) -> Result<Issued, NoRandomness> {
        let value = token::draw(holder.kind)?;
        let refresh = match holder.lifetimes {
            Some(lifetimes) => Some((token::draw(Kind::Refresh)?, lifetimes)),
            None => None,
        };
        self.last_id += 1;
        let token = Token {
            id: self.last_id,
            value: value.clone(),
            created_at: now,
            expires_at: holder.lifetimes.map(|(access, _)| now.after(access)),
            refresh_token: refresh.as_ref().map(|(value, _)| value.clone()),
            used_at: now,
            has_ended: false,
            holder: holder.clone(),
        };
        let scope = holder.scopes.in_answer();
        self.tokens.insert(value.clone(), token);
        let told = refresh.as_ref().map(|(refresh, (a, r))| (refresh.clone(), a.as_secs(), r.as_secs()));
        if let Some((refresh, (_, lifetime))) = refresh {
            let expires_at = now.after(lifetime);
            let entry = Refresh { access_token: value.clone(), holder, expires_at, has_ended: false };
            self.refresh_tokens.insert(refresh, entry);
        }
        Ok(Issued { access_token: value, scope, refresh: told })
    }

    fn end_oldest_of_set(&mut self, holder: &Holder, now: Timestamp) {
        let is_of_set = |token: &&Token| {
            token.is_live(now)
                && token.holder.client_id == holder.client_id
                && token.holder.person == holder.person
                && token.holder.scopes.same_set(&holder.scopes)
        };
        let live = self.tokens.newest_first().filter(is_of_set);
        let ending: Vec<String> = live.skip(TOKENS_OF_A_SET_MAX - 1).map(|token| token.value.clone()).collect();
        for value in ending {
            self.end_token(&value);
        }
    }

    /// Whether this refresh token came out of a device flow, which needs no secret.
    pub(crate) fn is_of_device_flow(&self, refresh_token: &str) -> bool {
        self.refresh_tokens.get(refresh_token).is_some_and(|refresh| refresh.holder.is_of_device_flow)
    }

    /// Both old tokens end at once; nothing is granted for a repetition.
    pub(crate) fn refresh(&mut self, client_id: &str, refresh_token: &str, now: Timestamp) -> Result<Issued, Denial> {
        let known = self.refresh_tokens.get(refresh_token).filter(|known| known.holder.client_id == client_id);
        let known = known.filter(|known| !known.has_ended && now < known.expires_at);
        let known = known.ok_or(OauthError::BAD_REFRESH_TOKEN)?;
        let (access_token, holder) = (known.access_token.clone(), known.holder.clone());
        self.end_token(&access_token);
        Ok(self.write_token(holder, now)?)
    }

    /// The live token of this value; it counts as used now.
    pub(crate) fn open_token(&mut self, value: &str, now: Timestamp) -> Option<&Token> {
        let token = self.tokens.get_mut(value).filter(|token| token.is_live(now))?;
        token.used_at = now;
        Some(token)
    }

    /// The live token of this value, if it belongs to this app.
    pub(crate) fn token_of(&self, client_id: &str, value: &str, now: Timestamp) -> Option<&Token> {
        self.tokens.get(value).filter(|token| token.is_live(now) && token.holder.client_id == client_id)
    }

    /// A new token in place of a live one of this app.
    pub(crate) fn reset_token(
        &mut self,
        client_id: &str,
        value: &str,
        now: Timestamp,
    ) -> Result<Option<Token>, NoRandomness> {
        let Some(holder) = self.token_of(client_id, value, now).map(|token| token.holder.clone()) else {
            return Ok(None);
        };
        self.end_token(value);
        let issued = self.write_token(holder, now)?;
        Ok(self.tokens.get(&issued.access_token).cloned())
    }

    /// Ends an access token and the refresh token that came with it. True if there was one.
    pub(crate) fn end_token(&mut self, value: &str) -> bool {
        let Some(token) = self.tokens.get_mut(value) else { return false };
        token.has_ended = true;
        let refresh_token = token.refresh_token.clone();
        if let Some(refresh) = refresh_token.and_then(|value| self.refresh_tokens.get_mut(&value)) {
            refresh.has_ended = true;
        }
        true
    }

    /// Ends a token of either kind, as its holder may. The partner of a refresh token ends too.
    pub(crate) fn revoke(&mut self, credential: &str) {
        let access_token = self.refresh_tokens.get(credential).map(|refresh| refresh.access_token.clone());
        self.end_token(access_token.as_deref().unwrap_or(credential));
    }

    /// The person takes back all that the app was granted.
    pub(crate) fn end_authorization(&mut self, client_id: &str, person: &str) {
        self.authorizations.insert(authorization(client_id, person), Scopes::default());
        let is_of_both = |holder: &Holder| holder.client_id == client_id && holder.person == person;
        for token in self.tokens.values_mut().filter(|token| is_of_both(&token.holder)) {
            token.has_ended = true;
        }
        for refresh in self.refresh_tokens.values_mut().filter(|refresh| is_of_both(&refresh.holder)) {
            refresh.has_ended = true;
        }
        for code in self.codes.values_mut().filter(|code| is_of_both(&code.holder)) {
            code.is_used = true;
        }
    }
}

/// A line end occurs in neither, so two pairs never share a key.
fn authorization(client_id: &str, person: &str) -> String {
    format!("{client_id}\n{person}")
}

#[cfg(test)]
mod tests {
    use super::{Holder, Ledger};
    use crate::clock::{Clock, Timestamp};
    use crate::github::scope::Asked;
    use crate::github::token::Kind;
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(86_400);

    fn holder(scope: &str) -> Holder {
        Holder {
            client_id: "app".to_owned(),
            person: "zoe".to_owned(),
            kind: Kind::OauthApp,
            scopes: Asked::of(scope).scopes,
            lifetimes: None,
            is_of_device_flow: false,
        }
    }

    fn now() -> Timestamp {
        Clock::default().now()
    }

    #[test]
    fn a_code_is_redeemed_once_by_its_app_in_time() {
        let (mut ledger, now) = (Ledger::default(), now());
        let code = ledger.issue_code(holder(""), "http://a", None, now.after(DAY)).unwrap();
        assert_eq!((code.len(), code.bytes().all(|b| b.is_ascii_hexdigit())), (20, true));
        assert!(ledger.code("other", &code, now).is_err());
        assert!(ledger.code("app", &code, now.after(DAY)).is_err());
        assert!(ledger.code("app", &code, now).is_ok());
        assert!(ledger.redeem_code(&code, now).is_ok());
        assert!(ledger.code("app", &code, now).is_err());
    }

    #[test]
    fn an_eleventh_token_ends_the_oldest_of_its_set_alone() {
        let (mut ledger, now) = (Ledger::default(), now());
        let other = ledger.issue(holder("gist"), now).unwrap().access_token;
        let all: Vec<_> = (0..11).map(|_| ledger.issue(holder("repo"), now).unwrap().access_token).collect();
        let live = all.iter().map(|token| ledger.open_token(token, now).is_some()).collect::<Vec<_>>();
        assert_eq!((live.first(), live.iter().filter(|live| **live).count()), (Some(&false), 10));
        assert!(ledger.open_token(&other, now).is_some());
    }

    #[test]
    fn asking_for_nothing_gives_all_that_was_granted_before() {
        let (mut ledger, now) = (Ledger::default(), now());
        assert_eq!(ledger.issue(holder(""), now).unwrap().scope, "");
        assert_eq!(ledger.issue(holder("gist"), now).unwrap().scope, "gist");
        assert_eq!(ledger.issue(holder("user:email"), now).unwrap().scope, "user:email");
        assert_eq!(ledger.issue(holder(""), now).unwrap().scope, "gist,user:email");
        ledger.end_authorization("app", "zoe");
        assert_eq!(ledger.issue(holder(""), now).unwrap().scope, "");
    }

    #[test]
    fn a_refresh_ends_both_old_tokens_at_once() {
        let (mut ledger, now) = (Ledger::default(), now());
        let expiring = Holder { lifetimes: Some((DAY, DAY * 10)), ..holder("repo") };
        let first = ledger.issue(expiring, now).unwrap();
        let (refresh_token, access_seconds, refresh_seconds) = first.refresh.unwrap();
        assert_eq!((access_seconds, refresh_seconds), (86_400, 864_000));
        assert!(ledger.refresh("other", &refresh_token, now).is_err());
        assert!(ledger.refresh("app", &refresh_token, now.after(DAY * 10)).is_err());
        let second = ledger.refresh("app", &refresh_token, now.after(DAY)).unwrap();
        assert!(ledger.refresh("app", &refresh_token, now).is_err());
        assert!(ledger.open_token(&first.access_token, now).is_none());
        assert!(ledger.open_token(&second.access_token, now).is_some());
        assert_eq!(second.scope, "repo");
    }

    #[test]
    fn a_token_nobody_used_for_a_year_is_over() {
        let (mut ledger, now) = (Ledger::default(), now());
        let token = ledger.issue(holder(""), now).unwrap().access_token;
        let half_a_year = now.after(DAY * 180);
        assert!(ledger.open_token(&token, half_a_year).is_some());
        assert!(ledger.open_token(&token, half_a_year.after(DAY * 364)).is_some());
        assert!(ledger.open_token(&token, half_a_year.after(DAY * (364 + 365))).is_none());
    }
}
