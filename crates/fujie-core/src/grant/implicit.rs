//! The implicit grant (RFC 6749 §4.2): off until switched on for a client by name (RFC 9700 §2.1.2). A token in the
//! fragment, never a refresh token, never an ID token.

use super::{Grant, Setting, authorize::AuthorizeDraft};
use crate::{
    account::Session,
    random::Random,
    request::authorize::AuthorizeRequest,
    token::{
        access_token::{Subject, lifetime},
        draft::Content,
    },
};

/// Drafts the response; the grant is born redeemed and ends with its token.
pub(super) fn draft(
    request: AuthorizeRequest,
    grant: Grant,
    session: &Session,
    setting: Setting<'_>,
    random: &mut dyn Random,
) -> AuthorizeDraft {
    let life = lifetime(&request.client, request.audience.form, false, setting.policy);
    let grant = Grant { expires_at: (setting.now + life).min(session.expires_at), ..grant };
    let content = Content {
        access: grant.access_token(&grant.scope, &request.audience, grant.expires_at, setting, random),
        form: request.audience.form,
        subject: Subject::of_grant(&grant),
        refresh: None,
        id_token: None,
    };
    AuthorizeDraft::of_token(grant, request.target, content)
}
