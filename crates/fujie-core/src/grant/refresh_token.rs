//! Refreshing (RFC 6749 §6, RFC 9700 §4.14.2): rotation with a window in which a repeated request gets the same
//! successor, so that two tabs, a lost answer or a crash after the commit cost nobody a sign-in.

use super::{ClientAuth, EndedWhy, Grant, Refreshed, Setting, narrowed};
use crate::{
    account::Account,
    client::GrantType,
    random::Random,
    request::{client_auth::ClientAuthenticated, parameters::Parameters, scope::Scope},
    time::{Lifetime, Timestamp},
    token::{
        access_token::{Audience, Subject, lifetime},
        draft::{Content, Draft, RefreshDraft},
        error::TokenError,
        id_token::IdTokenDraft,
        key_ring::KeyRing,
        refresh_token::RefreshToken,
    },
};

/// A clock that went back by up to this much is taken as standing still.
const CLOCK_BACK_MAX: Lifetime = Lifetime::from_seconds(60);

/// No client's window is longer than this.
const WINDOW_MAX: Lifetime = Lifetime::from_seconds(60);

/// A grant that does not rotate is extended at most once in this span, so that refreshing writes nothing.
const EXTEND_AFTER: Lifetime = Lifetime::from_days(1);

/// What the shell loads once the token is read.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The token's grant.
    pub grant: Option<&'a Grant>,
    /// That grant's account; needed only under scope `openid`.
    pub account: Option<&'a Account>,
}

/// What to do with a refresh token.
#[derive(Debug)]
pub enum Decision {
    /// Raise the generation, then release. When the store says it was lost, load again and decide again.
    Rotate {
        /// The generation that must still be valid.
        generation: u32,
        /// When the grant ends from now on.
        expires_at: Timestamp,
        /// The answer.
        draft: Box<Draft<Refreshed>>,
    },
    /// Move the grant's end, then release.
    Extend {
        /// When the grant ends from now on.
        expires_at: Timestamp,
        /// The answer.
        draft: Box<Draft<Refreshed>>,
    },
    /// Nothing to commit: release at once.
    Answer(Box<Draft<Refreshed>>, Refreshed),
    /// An old token: end the grant, then refuse.
    End {
        /// Why it ends.
        why: EndedWhy,
        /// What the client sees.
        error: TokenError,
    },
    /// Refuse; nothing changes.
    Refuse(TokenError),
}

/// Reads the refresh token of a token request, for the shell to load its grant.
pub fn read(parameters: &Parameters, ring: &KeyRing) -> Result<RefreshToken, TokenError> {
    let text = parameters.text("refresh_token").ok_or(TokenError::Missing("refresh_token"))?;
    RefreshToken::read(text, ring).ok_or(TokenError::RefreshInvalid)
}

/// Decides about `token` as presented by `client`. What fails before the generation is refused and ends nothing.
pub fn decide(
    client: &ClientAuthenticated,
    token: RefreshToken,
    parameters: &Parameters,
    facts: Facts<'_>,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Decision {
    match check(client, token, parameters, facts, setting) {
        Err(error) => Decision::Refuse(error),
        Ok((grant, asked)) => by_generation(client, token, parameters, (grant, facts.account), asked, setting, random),
    }
}

/// Everything that is checked before the generation: the grant, and the scope and audience asked for.
fn check<'a>(
    client: &ClientAuthenticated,
    token: RefreshToken,
    parameters: &Parameters,
    facts: Facts<'a>,
    setting: Setting<'_>,
) -> Result<(&'a Grant, (Scope, Audience)), TokenError> {
    let registered = client.client();
    if !registered.may_use(GrantType::RefreshToken) {
        return Err(TokenError::GrantTypeOff);
    }
    let grant = facts.grant.ok_or(TokenError::RefreshInvalid)?;
    let is_own = grant.id == token.grant
        && grant.client == registered.id
        && grant.client_epoch == registered.epoch
        // A grant never accepts weaker authentication than it was born with.
        && (grant.client_auth == ClientAuth::None || client.method() == ClientAuth::Secret);
    if !is_own || !grant.is_live(setting.now) {
        return Err(TokenError::RefreshInvalid);
    }
    let is_alive = match facts.account {
        Some(account) => account.id == grant.account && account.disabled_at.is_none(),
        None => !grant.scope.contains("openid"),
    };
    if !is_alive {
        return Err(TokenError::RefreshInvalid);
    }
    let scope = match parameters.text("scope") {
        None => grant.scope.clone(),
        Some(text) => Scope::parse(text).ok().filter(|scope| grant.scope.admits(scope)).ok_or(TokenError::Scope)?,
    };
    let audience = narrowed(grant, &scope, parameters, setting.registry)?;
    Ok((grant, (scope, audience)))
}

fn by_generation(
    client: &ClientAuthenticated,
    token: RefreshToken,
    parameters: &Parameters,
    (grant, account): (&Grant, Option<&Account>),
    asked: (Scope, Audience),
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Decision {
    let now = setting.now;
    let idle_end = if grant.is_offline() {
        (now + setting.policy.refresh_idle).min(grant.created_at + setting.policy.refresh_total)
    } else {
        grant.expires_at
    };
    let mut draft = |refresh, from| Box::new(answer(client, (grant, account), &asked, refresh, from, setting, random));
    if token.generation == grant.generation && !grant.rotates {
        let same = RefreshDraft::Same(parameters.text("refresh_token").unwrap_or_default().to_owned());
        let draft = draft(same, now);
        return if idle_end > grant.expires_at && now.millis_since(grant.rotated_at) > EXTEND_AFTER.millis() {
            Decision::Extend { expires_at: idle_end, draft }
        } else {
            Decision::Answer(draft, Refreshed::assertion(grant.id))
        };
    }
    if token.generation == grant.generation {
        let next = RefreshToken { grant: grant.id, generation: grant.generation.saturating_add(1) };
        let draft = draft(RefreshDraft::New(next, now), now);
        return Decision::Rotate { generation: grant.generation, expires_at: idle_end, draft };
    }
    let since = now.millis_since(grant.rotated_at);
    if token.generation.checked_add(1) == Some(grant.generation) {
        if since < -CLOCK_BACK_MAX.millis() {
            return Decision::Refuse(TokenError::Unavailable);
        }
        if since.max(0) <= client.client().refresh_window.min(WINDOW_MAX).millis() {
            let successor = RefreshToken { grant: grant.id, generation: grant.generation };
            let draft = draft(RefreshDraft::New(successor, grant.rotated_at), grant.rotated_at);
            return Decision::Answer(draft, Refreshed::assertion(grant.id));
        }
    }
    Decision::End { why: EndedWhy::RefreshReused, error: TokenError::RefreshReused }
}

/// The answer; its access token ends with that of the answer given at `from`.
fn answer(
    client: &ClientAuthenticated,
    (grant, account): (&Grant, Option<&Account>),
    (scope, audience): &(Scope, Audience),
    refresh: RefreshDraft,
    from: Timestamp,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Draft<Refreshed> {
    let registered = client.client();
    let life = lifetime(registered, audience.form, true, setting.policy);
    let last = if grant.is_offline() { grant.created_at + setting.policy.refresh_total } else { grant.expires_at };
    let end = (from + life).min(last);
    let id_token = account
        .filter(|_| scope.contains("openid"))
        .and_then(|account| IdTokenDraft::of_grant(grant, account, registered.id_token_alg, setting));
    Draft::new(
        grant.id,
        Content {
            access: grant.access_token(scope, audience, end, setting, random),
            form: audience.form,
            subject: Subject::of_grant(grant),
            refresh: Some(refresh),
            id_token,
        },
    )
}
