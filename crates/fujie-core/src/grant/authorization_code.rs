//! Redeeming an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 9700 §2.1.1).

use super::{ClientAuth, CodeRedeemed, EndedWhy, Grant, Setting, narrowed};
use crate::{
    account::Account,
    client::GrantType,
    id::Id,
    random::Random,
    request::{client_auth::ClientAuthenticated, parameters::Parameters},
    time::Timestamp,
    token::{
        access_token::{Audience, Subject, lifetime},
        code::Code,
        draft::{Content, Draft, RefreshDraft},
        error::TokenError,
        id_token::IdTokenDraft,
        key_ring::KeyRing,
        refresh_token::RefreshToken,
    },
};

/// What the shell loads once the code is open.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The code's grant.
    pub grant: Option<&'a Grant>,
    /// That grant's account.
    pub account: Option<&'a Account>,
}

/// What to do with a code.
#[derive(Debug)]
pub enum Decision {
    /// Redeem it: commit, then release the draft.
    Redeem {
        /// When the grant ends from now on.
        expires_at: Timestamp,
        /// The answer.
        draft: Box<Draft<CodeRedeemed>>,
    },
    /// The right client misused its own code: end the grant unless it was redeemed, then refuse.
    End {
        /// The grant.
        grant: Id,
        /// Why it ends.
        why: EndedWhy,
        /// What the client sees.
        error: TokenError,
    },
    /// The code may have been redeemed before: let the store find out, end the grant if so, then refuse.
    Replayed {
        /// The grant.
        grant: Id,
    },
    /// Refuse; nothing changes.
    Refuse(TokenError),
}

/// Reads the code of a token request, for the shell to load its grant.
pub fn read(parameters: &Parameters, ring: &KeyRing) -> Result<Code, TokenError> {
    let text = parameters.text("code").ok_or(TokenError::Missing("code"))?;
    Code::read(text, ring).ok_or(TokenError::CodeInvalid)
}

/// Decides about `code` as presented by `client`.
pub fn decide(
    client: &ClientAuthenticated,
    code: &Code,
    parameters: &Parameters,
    facts: Facts<'_>,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Decision {
    if !client.client().may_use(GrantType::AuthorizationCode) {
        return Decision::Refuse(TokenError::GrantTypeOff);
    }
    // Another client burns nothing: it does not own the code.
    if code.client != client.client().id {
        return Decision::Refuse(TokenError::CodeInvalid);
    }
    let Some(grant) = facts.grant.filter(|grant| grant.id == code.grant && grant.client == code.client) else {
        return Decision::Refuse(TokenError::CodeInvalid);
    };
    if grant.redeemed_at.is_some() {
        // Whoever has the code but not its verifier cannot end what the right one redeemed.
        return match fits_request(code, parameters) {
            Ok(()) => Decision::Replayed { grant: grant.id },
            Err(error) => Decision::Refuse(error),
        };
    }
    if !is_open(client, code, grant, setting.now) {
        return Decision::Refuse(TokenError::CodeInvalid);
    }
    if let Err(error) = fits_request(code, parameters) {
        return Decision::End { grant: grant.id, why: EndedWhy::CodeMisused, error };
    }
    let account = facts.account.filter(|own| own.id == grant.account && own.disabled_at.is_none());
    let Some(account) = account else {
        return Decision::Refuse(TokenError::CodeInvalid);
    };
    match narrowed(grant, &grant.scope, parameters, setting.registry) {
        Ok(audience) => redeem(client, code, (grant, account), &audience, setting, random),
        Err(error) => Decision::Refuse(error),
    }
}

/// Neither the code nor what it hangs on has ended, and the client authenticates no weaker than at birth.
fn is_open(client: &ClientAuthenticated, code: &Code, grant: &Grant, now: Timestamp) -> bool {
    now < code.expires_at
        && now < grant.expires_at
        && (grant.is_offline() || now < code.session_expires_at)
        && grant.ended.is_none()
        && grant.client_epoch == client.client().epoch
        && (grant.client_auth == ClientAuth::None || client.method() == ClientAuth::Secret)
}

/// The token request repeats what the authorization request promised.
fn fits_request(code: &Code, parameters: &Parameters) -> Result<(), TokenError> {
    if !code.admits_redirect_uri(parameters.text("redirect_uri")) {
        return Err(TokenError::RedirectUriMismatch);
    }
    match (&code.challenge, parameters.text("code_verifier")) {
        (Some(challenge), Some(verifier)) if challenge.admits(verifier) => Ok(()),
        (None, None) => Ok(()),
        // A verifier without a challenge: the challenge was stripped on its way (RFC 9700 §4.8.2).
        _ => Err(TokenError::VerifierMismatch),
    }
}

fn redeem(
    client: &ClientAuthenticated,
    code: &Code,
    (grant, account): (&Grant, &Account),
    audience: &Audience,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Decision {
    let (registered, policy, now) = (client.client(), setting.policy, setting.now);
    let is_refreshable = registered.may_use(GrantType::RefreshToken);
    let life = lifetime(registered, audience.form, is_refreshable, policy);
    let expires_at = match (is_refreshable, grant.is_offline()) {
        (false, true) => now + life,
        (false, false) => (now + life).min(code.session_expires_at),
        (true, true) => (now + policy.refresh_idle).min(grant.created_at + policy.refresh_total),
        (true, false) => code.session_expires_at,
    };
    let refresh = RefreshToken { grant: grant.id, generation: grant.generation };
    let content = Content {
        access: grant.access_token(&grant.scope, audience, (now + life).min(expires_at), setting, random),
        form: audience.form,
        subject: Subject::of_grant(grant),
        refresh: is_refreshable.then_some(RefreshDraft::New(refresh, now)),
        id_token: IdTokenDraft::of_grant(grant, account, registered.id_token_alg, setting)
            .map(|draft| IdTokenDraft { nonce: code.nonce.clone(), ..draft }),
    };
    Decision::Redeem { expires_at, draft: Box::new(Draft::new(grant.id, content)) }
}
