//! Codes, tokens and grants as plain OAuth 2.0 has them: issued, redeemed, refreshed, revoked.
//!
//! Serves OpenID providers and the small ones; what differs between them is in [`Terms`]. Decides
//! over time given as an argument, knows no HTTP and no error's notation: a [`Reason`] is a cause,
//! and each provider has its own word for it. WeChat's ledger is another, for it renews tokens in
//! place.

use crate::bounded::Bounded;
use crate::clock::Timestamp;
use crate::jws;
use crate::random::{self, NoRandomness};
use std::fmt;
use std::time::Duration;

const ENTRIES_MAX: usize = 10_000;

/// How a provider issues: lifetimes, the looks of values, what happens on use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) code_lifetime: Duration,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) refresh_token_lifetime: Duration,
    pub(crate) code: Spelling,
    pub(crate) access_token: Spelling,
    pub(crate) refresh_token: Spelling,
    pub(crate) rotation: Rotation,
    /// A code used twice ends what it gave (RFC 6749 §4.1.2), and so does a refresh token.
    pub(crate) reuse_ends_grant: bool,
}

/// What a value looks like: a fixed beginning, then `length` letters of an alphabet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spelling {
    pub(crate) prefix: &'static str,
    pub(crate) alphabet: &'static [u8],
    pub(crate) length: usize,
}

impl Spelling {
    pub(crate) const fn of(prefix: &'static str, alphabet: &'static [u8], length: usize) -> Self {
        Self { prefix, alphabet, length }
    }

    pub(crate) fn draw(&self) -> Result<String, NoRandomness> {
        Ok(format!("{}{}", self.prefix, random::text(self.alphabet, self.length)?))
    }
}

/// What a refresh does to the token that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It stays, and keeps its end.
    Stays,
    /// A new one takes its place.
    Replaces,
    /// A new one takes its place, and the access tokens of before end too.
    ReplacesAll,
}

/// What a person, or nobody, allowed an app.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    /// The person's name; `None` when the app acts for itself.
    pub(crate) person: Option<String>,
    /// As it was granted, in the provider's own notation.
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) authenticated_at: Timestamp,
    /// Whether a refresh token comes with it.
    pub(crate) is_refreshable: bool,
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Grant").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A code as it is to be issued.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) grant: Grant,
    /// As it was sent to the authorization endpoint; `None` when it was not.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<Challenge>,
}

/// The code challenge of RFC 7636.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Plain(String),
    S256(String),
}

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`; an absent method is `plain` (§4.3).
    pub(crate) fn of(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, UnknownMethod> {
        match (challenge, method.unwrap_or("plain")) {
            (None, _) => Ok(None),
            (Some(challenge), "plain") => Ok(Some(Self::Plain(challenge.to_owned()))),
            (Some(challenge), "S256") => Ok(Some(Self::S256(challenge.to_owned()))),
            (Some(_), _) => Err(UnknownMethod),
        }
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => *challenge == jws::sha256_base64url(verifier),
        }
    }
}

/// A `code_challenge_method` that RFC 7636 does not know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownMethod;

/// What comes with a code to the token endpoint. `None` is not compared: providers differ in what
/// they ask for, and say so where they call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Redemption<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
}

/// Why a code or a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Unknown,
    OfAnotherClient,
    Expired,
    Used,
    /// Revoked, or ended by a later one or by a replay.
    Ended,
    RedirectUri,
    /// The code has a challenge, and no verifier meets it.
    Verifier,
    /// The code has no challenge, but a verifier came (RFC 9700 §2.1.1).
    NoChallenge,
    NoRandomness,
}

impl From<NoRandomness> for Reason {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// Names a grant inside the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantId(String);

/// What a refresh gives.
pub(crate) struct Refreshed {
    pub(crate) grant: Grant,
    pub(crate) access_token: String,
    /// The one that is good from now on; the same as before where nothing rotates.
    pub(crate) refresh_token: String,
}

/// Everything one simulated provider has issued.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) terms: Terms,
    codes: Bounded<Code>,
    grants: Bounded<Standing>,
    access_tokens: Bounded<Token>,
    refresh_tokens: Bounded<Token>,
}

#[derive(Debug)]
struct Code {
    draft: Draft,
    expires_at: Timestamp,
    /// The grant it became.
    redeemed: Option<GrantId>,
}

#[derive(Debug)]
struct Standing {
    grant: Grant,
    has_ended: bool,
}

#[derive(Debug)]
struct Token {
    grant: GrantId,
    expires_at: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Used,
    Ended,
}

impl Ledger {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            codes: Bounded::new(ENTRIES_MAX),
            grants: Bounded::new(ENTRIES_MAX),
            access_tokens: Bounded::new(ENTRIES_MAX),
            refresh_tokens: Bounded::new(ENTRIES_MAX),
        }
    }

    pub(crate) fn issue_code(&mut self, draft: Draft, now: Timestamp) -> Result<String, NoRandomness> {
        let value = self.terms.code.draw()?;
        let expires_at = now.after(self.terms.code_lifetime);
        self.codes.insert(value.clone(), Code { draft, expires_at, redeemed: None });
        Ok(value)
    }

    /// Spends a code: its grant stands from now on. Another client's try, or one with the wrong
    /// redirect URI or verifier, burns nothing.
    pub(crate) fn redeem(&mut self, redemption: Redemption<'_>, now: Timestamp) -> Result<GrantId, Reason> {
        let code = self.codes.get_mut(redemption.code).ok_or(Reason::Unknown)?;
        if code.draft.grant.client_id != redemption.client_id {
            return Err(Reason::OfAnotherClient);
        }
        if let Some(grant) = code.redeemed.clone() {
            if self.terms.reuse_ends_grant {
                self.end_grant(&grant);
            }
            return Err(Reason::Used);
        }
        if code.expires_at <= now {
            return Err(Reason::Expired);
        }
        if redemption.redirect_uri.is_some() && redemption.redirect_uri != code.draft.redirect_uri.as_deref() {
            return Err(Reason::RedirectUri);
        }
        match (&code.draft.challenge, redemption.verifier) {
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => {}
            (Some(_), _) => return Err(Reason::Verifier),
            (None, Some(_)) => return Err(Reason::NoChallenge),
            (None, None) => {}
        }
        let id = GrantId(random::text(random::ALPHANUMERIC, 16)?);
        code.redeemed = Some(id.clone());
        let grant = code.draft.grant.clone();
        self.grants.insert(id.0.clone(), Standing { grant, has_ended: false });
        Ok(id)
    }

    /// A grant that needs no code.
    pub(crate) fn grant(&mut self, grant: Grant) -> Result<GrantId, NoRandomness> {
        let id = GrantId(random::text(random::ALPHANUMERIC, 16)?);
        self.grants.insert(id.0.clone(), Standing { grant, has_ended: false });
        Ok(id)
    }

    /// What a grant allows.
    pub(crate) fn granted(&self, id: &GrantId) -> Result<&Grant, Reason> {
        self.grants.get(&id.0).map(|standing| &standing.grant).ok_or(Reason::Unknown)
    }

    pub(crate) fn issue_access_token(&mut self, id: &GrantId, now: Timestamp) -> Result<String, NoRandomness> {
        let value = self.terms.access_token.draw()?;
        let expires_at = now.after(self.terms.access_token_lifetime);
        self.access_tokens.insert(value.clone(), Token { grant: id.clone(), expires_at, state: State::Live });
        Ok(value)
    }

    pub(crate) fn issue_refresh_token(&mut self, id: &GrantId, now: Timestamp) -> Result<String, NoRandomness> {
        let value = self.terms.refresh_token.draw()?;
        let expires_at = now.after(self.terms.refresh_token_lifetime);
        self.refresh_tokens.insert(value.clone(), Token { grant: id.clone(), expires_at, state: State::Live });
        Ok(value)
    }

    /// A refresh token becomes a new access token, and perhaps a new refresh token. A `client_id`
    /// of `None` is not compared.
    pub(crate) fn refresh(
        &mut self,
        client_id: Option<&str>,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<Refreshed, Reason> {
        let token = self.refresh_tokens.get_mut(refresh_token).ok_or(Reason::Unknown)?;
        let standing = self.grants.get_mut(&token.grant.0).ok_or(Reason::Unknown)?;
        if client_id.is_some_and(|client_id| standing.grant.client_id != client_id) {
            return Err(Reason::OfAnotherClient);
        }
        match token.state {
            State::Used => {
                standing.has_ended |= self.terms.reuse_ends_grant;
                return Err(Reason::Used);
            }
            State::Live if standing.has_ended => return Err(Reason::Ended),
            State::Live if token.expires_at <= now => return Err(Reason::Expired),
            State::Live => {}
            State::Ended => return Err(Reason::Ended),
        }
        let (id, grant) = (token.grant.clone(), standing.grant.clone());
        if self.terms.rotation != Rotation::Stays {
            token.state = State::Used;
        }
        if self.terms.rotation == Rotation::ReplacesAll {
            for token in self.access_tokens.values_mut().filter(|token| token.grant == id) {
                token.state = State::Ended;
            }
        }
        let renewed = match self.terms.rotation {
            Rotation::Stays => refresh_token.to_owned(),
            Rotation::Replaces | Rotation::ReplacesAll => self.issue_refresh_token(&id, now)?,
        };
        Ok(Refreshed { grant, access_token: self.issue_access_token(&id, now)?, refresh_token: renewed })
    }

    /// What a refresh token belongs to, good or not.
    pub(crate) fn behind(&self, refresh_token: &str) -> Option<&Grant> {
        let token = self.refresh_tokens.get(refresh_token)?;
        self.grants.get(&token.grant.0).map(|standing| &standing.grant)
    }

    /// What an access token stands for.
    pub(crate) fn open(&self, access_token: &str, now: Timestamp) -> Result<&Grant, Reason> {
        let token = self.access_tokens.get(access_token).ok_or(Reason::Unknown)?;
        let standing = self.grants.get(&token.grant.0).ok_or(Reason::Unknown)?;
        match token.state {
            State::Live if standing.has_ended => Err(Reason::Ended),
            State::Live if token.expires_at <= now => Err(Reason::Expired),
            State::Live => Ok(&standing.grant),
            State::Used | State::Ended => Err(Reason::Ended),
        }
    }

    /// Ends a client's access token alone, or with a refresh token all that it belongs to
    /// (RFC 7009 §2.1). What is unknown, or another's, is left as it is.
    pub(crate) fn revoke(&mut self, client_id: &str, token: &str) {
        let is_own = |grants: &Bounded<Standing>, id: &GrantId| {
            grants.get(&id.0).is_some_and(|standing| standing.grant.client_id == client_id)
        };
        if let Some(access_token) = self.access_tokens.get_mut(token)
            && is_own(&self.grants, &access_token.grant)
        {
            access_token.state = State::Ended;
        } else if let Some(refresh_token) = self.refresh_tokens.get(token)
            && is_own(&self.grants, &refresh_token.grant)
        {
            let grant = refresh_token.grant.clone();
            self.end_grant(&grant);
        }
    }

    fn end_grant(&mut self, id: &GrantId) {
        if let Some(standing) = self.grants.get_mut(&id.0) {
            standing.has_ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Draft, Grant, Ledger, Reason, Redemption, Rotation, Spelling, Terms, UnknownMethod};
    use crate::clock::{Clock, Timestamp};
    use crate::random::HEX;
    use std::time::Duration;

    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(600),
        refresh_token_lifetime: Duration::from_secs(6000),
        code: Spelling::of("c.", HEX, 8),
        access_token: Spelling::of("a.", HEX, 8),
        refresh_token: Spelling::of("r.", HEX, 8),
        rotation: Rotation::Replaces,
        reuse_ends_grant: true,
    };

    fn draft(now: Timestamp, challenge: Option<Challenge>) -> Draft {
        let grant = Grant {
            client_id: "app".to_owned(),
            person: Some("xiaoming".to_owned()),
            scope: String::new(),
            nonce: None,
            authenticated_at: now,
            is_refreshable: true,
        };
        Draft { grant, redirect_uri: Some("http://localhost/".to_owned()), challenge }
    }

    #[test]
    fn a_code_is_refused_for_one_reason_at_a_time_and_only_a_replay_ends_the_grant() {
        let now = Clock::default().now();
        let mut ledger = Ledger::new(TERMS);
        let code = ledger.issue_code(draft(now, None), now).unwrap();
        let good =
            Redemption { client_id: "app", code: &code, redirect_uri: Some("http://localhost/"), verifier: None };
        let late = now.after(Duration::from_secs(60));
        for (redemption, at, reason) in [
            (Redemption { code: "c.0", ..good }, now, Reason::Unknown),
            (Redemption { client_id: "other", ..good }, now, Reason::OfAnotherClient),
            (Redemption { redirect_uri: Some("http://localhost"), ..good }, now, Reason::RedirectUri),
            (Redemption { verifier: Some("v"), ..good }, now, Reason::NoChallenge),
            (good, late, Reason::Expired),
        ] {
            assert_eq!(ledger.redeem(redemption, at), Err(reason));
        }
        let id = ledger.redeem(good, now).unwrap();
        let access_token = ledger.issue_access_token(&id, now).unwrap();
        assert!(ledger.open(&access_token, now).is_ok());
        assert_eq!(ledger.redeem(good, now), Err(Reason::Used));
        assert_eq!(ledger.open(&access_token, now).unwrap_err(), Reason::Ended);
    }

    #[test]
    fn a_challenge_is_met_by_its_verifier_alone() {
        let now = Clock::default().now();
        let mut ledger = Ledger::new(TERMS);
        let challenge = Challenge::of(Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), Some("S256")).unwrap();
        let code = ledger.issue_code(draft(now, challenge), now).unwrap();
        let with = |verifier| Redemption { client_id: "app", code: &code, redirect_uri: None, verifier };
        assert_eq!(ledger.redeem(with(None), now), Err(Reason::Verifier));
        assert_eq!(ledger.redeem(with(Some("wrong")), now), Err(Reason::Verifier));
        assert!(ledger.redeem(with(Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")), now).is_ok());
        assert_eq!(Challenge::of(Some("x"), Some("s256")), Err(UnknownMethod));
        assert_eq!(Challenge::of(Some("x"), None), Ok(Some(Challenge::Plain("x".to_owned()))));
    }

    #[test]
    fn a_refresh_token_rotates_as_the_terms_say() {
        let now = Clock::default().now();
        for (rotation, old_refreshes, old_opens) in
            [(Rotation::Stays, true, true), (Rotation::Replaces, false, true), (Rotation::ReplacesAll, false, false)]
        {
            let mut ledger = Ledger::new(Terms { rotation, reuse_ends_grant: false, ..TERMS });
            let id = ledger.grant(draft(now, None).grant).unwrap();
            let access_token = ledger.issue_access_token(&id, now).unwrap();
            let refresh_token = ledger.issue_refresh_token(&id, now).unwrap();
            assert_eq!(ledger.refresh(Some("other"), &refresh_token, now).err(), Some(Reason::OfAnotherClient));
            let refreshed = ledger.refresh(Some("app"), &refresh_token, now).ok().unwrap();
            assert!(ledger.open(&refreshed.access_token, now).is_ok());
            assert_eq!(ledger.open(&access_token, now).is_ok(), old_opens, "{rotation:?}");
            assert_eq!(ledger.refresh(None, &refresh_token, now).is_ok(), old_refreshes, "{rotation:?}");
        }
    }

    #[test]
    fn only_its_own_client_revokes_a_token() {
        let now = Clock::default().now();
        let mut ledger = Ledger::new(TERMS);
        let id = ledger.grant(draft(now, None).grant).unwrap();
        let [first, second] = [(); 2].map(|()| ledger.issue_access_token(&id, now).unwrap());
        let refresh_token = ledger.issue_refresh_token(&id, now).unwrap();
        ledger.revoke("other", &refresh_token);
        ledger.revoke("app", &first);
        assert_eq!((ledger.open(&first, now).is_ok(), ledger.open(&second, now).is_ok()), (false, true));
        ledger.revoke("app", &refresh_token);
        assert!(ledger.open(&second, now).is_err());
    }
}
