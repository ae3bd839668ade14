//! The birth of a grant at the authorization endpoint (RFC 6749 §4.1.2, §4.2.2).

use super::{ClientAuth, Grant, GrantBorn, Proof as _, Setting};
use crate::{
    account::Session,
    id::Id,
    random::Random,
    request::{
        authorize::{AuthorizeRequest, ResponseType},
        response_mode::{AuthorizationResponse, RedirectTarget},
    },
    secret::sha256,
    token::{code::Code, draft::ReleaseError, key_ring::KeyRing},
};

/// An authorization response that waits for its grant to be committed.
#[derive(Debug)]
#[must_use = "a draft is released with a proof"]
pub struct AuthorizeDraft {
    /// The row to commit.
    pub grant: Grant,
    target: RedirectTarget,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Code(Code),
    Token(Box<crate::token::draft::Content>),
}

/// Drafts the response to a request that is to be issued (see [`crate::request::authorize::decide`]).
pub fn draft(
    request: AuthorizeRequest,
    session: &Session,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> AuthorizeDraft {
    let now = setting.now;
    let client = &request.client;
    let is_code = request.response_type == ResponseType::Code;
    let grant = Grant {
        id: Id::new(now, random),
        account: session.account.id,
        client: client.id.clone(),
        client_epoch: client.epoch,
        session: Some(session.id),
        auth_time: session.auth_time,
        acr: None,
        amr: session.amr.clone(),
        scope: request.scope.clone(),
        resource: request.audience.joined(),
        key_binding: None,
        rotates: client.rotates(),
        client_auth: if client.is_public { ClientAuth::None } else { ClientAuth::Secret },
        parent: None,
        generation: 0,
        rotated_at: now,
        redeemed_at: (!is_code).then_some(now),
        expires_at: now + setting.policy.code,
        created_at: now,
        ended: None,
    };
    if !is_code {
        return super::implicit::draft(request, grant, session, setting, random);
    }
    let code = Code {
        grant: grant.id,
        client: grant.client.clone(),
        redirect_uri: sha256(request.target.uri().as_bytes()),
        redirect_uri_sent: request.redirect_uri_sent,
        challenge: request.challenge,
        nonce: request.nonce,
        session_expires_at: session.expires_at,
        issued_at: now,
        expires_at: grant.expires_at,
    };
    AuthorizeDraft { grant, target: request.target, content: Content::Code(code) }
}

impl AuthorizeDraft {
    /// A draft that answers with a token in the fragment.
    pub(super) fn of_token(grant: Grant, target: RedirectTarget, content: crate::token::draft::Content) -> Self {
        Self { grant, target, content: Content::Token(Box::new(content)) }
    }

    /// Gives the target back, to tell it an error instead.
    pub fn into_target(self) -> RedirectTarget {
        self.target
    }

    /// Makes the answer. The proof must be about this grant; it is spent.
    pub fn release(
        self,
        proof: GrantBorn,
        ring: &KeyRing,
        random: &mut dyn Random,
    ) -> Result<AuthorizationResponse, ReleaseError> {
        if proof.draft() != self.grant.id {
            return Err(ReleaseError);
        }
        let parameters = match self.content {
            Content::Code(code) => vec![("code", code.write(ring, random).ok_or(ReleaseError)?)],
            Content::Token(content) => {
                let response = content.write(ring, random).ok_or(ReleaseError)?;
                vec![
                    ("access_token", response.access_token),
                    ("token_type", response.token_type.to_owned()),
                    ("expires_in", response.expires_in.to_string()),
                    ("scope", response.scope),
                ]
            }
        };
        Ok(self.target.answer(parameters))
    }
}
