//! Resource owner password credentials (RFC 6749 §4.3): off until switched on for a client by name (RFC 9700 §2.4).

use super::{Grant, GrantBorn, Setting};
use crate::{
    account::Account,
    client::GrantType,
    id::Id,
    random::Random,
    request::{client_auth::ClientAuthenticated, parameters::Parameters, scope::Scope},
    token::{
        access_token::{Audience, Subject, lifetime},
        draft::{Content, Draft, RefreshDraft},
        error::TokenError,
        id_token::IdTokenDraft,
        refresh_token::RefreshToken,
    },
};

/// Name and password of a request, for the shell to verify.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `username`.
    pub username: &'a str,
    /// `password`.
    pub password: &'a str,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

/// Reads the credentials, once it is sure that this client may send any.
pub fn read<'a>(client: &ClientAuthenticated, parameters: &'a Parameters) -> Result<Credentials<'a>, TokenError> {
    if !client.client().may_use(GrantType::Password) {
        return Err(TokenError::GrantTypeOff);
    }
    Ok(Credentials {
        username: parameters.text("username").ok_or(TokenError::Missing("username"))?,
        password: parameters.text("password").ok_or(TokenError::Missing("password"))?,
    })
}

/// Decides for the account whose password was verified just now. The grant is to be stored as it is, born redeemed.
pub fn decide(
    client: &ClientAuthenticated,
    parameters: &Parameters,
    account: &Account,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Result<(Grant, Box<Draft<GrantBorn>>), TokenError> {
    let (registered, now) = (client.client(), setting.now);
    if !registered.may_use(GrantType::Password) {
        return Err(TokenError::GrantTypeOff);
    }
    if account.disabled_at.is_some() {
        return Err(TokenError::PasswordWrong);
    }
    let scope = match parameters.text("scope") {
        None => registered.scope.tokens().filter(|token| *token != "offline_access").collect(),
        Some(text) => {
            Scope::parse(text).ok().filter(|asked| registered.scope.admits(asked)).ok_or(TokenError::Scope)?
        }
    };
    let audience =
        Audience::resolve(setting.registry, &scope, parameters.all("resource")).or(Err(TokenError::Target))?;
    let is_refreshable = registered.may_use(GrantType::RefreshToken);
    let life = lifetime(registered, audience.form, is_refreshable, setting.policy);
    let grant = Grant {
        id: Id::new(now, random),
        account: account.id,
        client: registered.id.clone(),
        client_epoch: registered.epoch,
        session: None,
        auth_time: now,
        acr: None,
        amr: "pwd".to_owned(),
        scope: scope.clone(),
        resource: audience.joined(),
        key_binding: None,
        rotates: registered.rotates(),
        client_auth: client.method(),
        parent: None,
        generation: 0,
        rotated_at: now,
        redeemed_at: Some(now),
        expires_at: now + if is_refreshable { setting.policy.refresh_idle } else { life },
        created_at: now,
        ended: None,
    };
    let content = Content {
        access: grant.access_token(&scope, &audience, now + life, setting, random),
        form: audience.form,
        subject: Subject::of_grant(&grant),
        refresh: is_refreshable.then_some(RefreshDraft::New(RefreshToken { grant: grant.id, generation: 0 }, now)),
        id_token: IdTokenDraft::of_grant(&grant, account, registered.id_token_alg, setting),
    };
    let draft = Box::new(Draft::new(grant.id, content));
    Ok((grant, draft))
}
