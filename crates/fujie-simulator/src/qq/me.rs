//! `/oauth2.0/me`: whose an access token is.
//!
//! Unlike the API, it says 100016 for a token whose time is over.

use super::answer::Me;
use super::error::QqError;
use super::identity;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;

pub(crate) fn me(world: &World, fields: &Fields, now: Timestamp) -> Result<Me, QqError> {
    let access_token = fields.filled("access_token").ok_or(QqError::ACCESS_TOKEN_MISSING)?;
    let grant = world.ledger.open_access_token(access_token, now).map_err(|error| match error {
        QqError::ACCESS_TOKEN_EXPIRED => QqError::ACCESS_TOKEN_CHECK,
        other => other,
    })?;
    let unionid = match fields.sent("unionid") {
        Some("1") if world.switches.unionid => {
            let app = world.app(&grant.client_id).ok_or(QqError::ACCESS_TOKEN_CHECK)?;
            Some(identity::unionid(&app.developer, &grant.person))
        }
        Some("1") => return Err(QqError::NO_UNIONID),
        _ => None,
    };
    let openid = identity::openid(&grant.client_id, &grant.person);
    Ok(Me { client_id: grant.client_id.clone(), openid, unionid })
}
