//! Client credentials (RFC 6749 §4.4): a confidential client acts for itself. No refresh token, nothing stored.

use super::Setting;
use crate::{
    client::GrantType,
    random::Random,
    request::{client_auth::ClientAuthenticated, parameters::Parameters, scope::Scope},
    token::{
        access_token::{AccessToken, Audience, Subject, lifetime},
        draft::{Content, ReleaseError, TokenResponse},
        error::TokenError,
        key_ring::KeyRing,
    },
};

/// Scope tokens about a person, which a client acting for itself has not.
const OF_A_PERSON: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A decided request. The client's authentication is its proof, and it is part of it.
#[derive(Debug)]
#[must_use = "release it"]
pub struct Authenticated {
    content: Content,
    _client: ClientAuthenticated,
}

/// Decides, spending the client's authentication.
pub fn decide(
    client: ClientAuthenticated,
    parameters: &Parameters,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> Result<Authenticated, TokenError> {
    let registered = client.client();
    if registered.is_public {
        return Err(TokenError::PublicClient);
    }
    if !registered.may_use(GrantType::ClientCredentials) {
        return Err(TokenError::GrantTypeOff);
    }
    let own: Scope = registered.scope.tokens().filter(|token| !OF_A_PERSON.contains(token)).collect();
    let scope = match parameters.text("scope") {
        None => own,
        Some(text) => Scope::parse(text).ok().filter(|asked| own.admits(asked)).ok_or(TokenError::Scope)?,
    };
    let audience =
        Audience::resolve(setting.registry, &scope, parameters.all("resource")).or(Err(TokenError::Target))?;
    let access = AccessToken {
        id: AccessToken::new_id(random),
        grant: None,
        client: registered.id.clone(),
        client_epoch: registered.epoch,
        scope,
        audience: audience.resources.clone(),
        issued_at: setting.now,
        expires_at: setting.now + lifetime(registered, audience.form, false, setting.policy),
    };
    let subject = Subject::of_client(registered);
    let content = Content { access, form: audience.form, subject, refresh: None, id_token: None };
    Ok(Authenticated { content, _client: client })
}

impl Authenticated {
    /// Makes the answer.
    pub fn release(self, ring: &KeyRing, random: &mut dyn Random) -> Result<TokenResponse, ReleaseError> {
        self.content.write(ring, random).ok_or(ReleaseError)
    }
}
