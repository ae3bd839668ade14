//! `/user/get_user_info`: somebody's profile, for a token that is used with its own openid and its own app's id.
//!
//! The app's id is called `oauth_consumer_key` here and nothing else.

use super::error::QqError;
use super::identity;
use super::profile::Profile;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;

/// The API's name, as scopes say it.
pub(crate) const GET_USER_INFO: &str = "get_user_info";

pub(crate) fn profile<'a>(
    world: &'a World,
    fields: &Fields,
    base_url: &'a str,
    now: Timestamp,
) -> Result<Profile<'a>, QqError> {
    let access_token = fields.filled("access_token").ok_or(QqError::NO_LOGIN)?;
    let client_id = fields.filled("oauth_consumer_key").ok_or(QqError::INVALID_PARAMETERS)?;
    let grant = world.ledger.open_access_token(access_token, now)?;
    if grant.client_id != client_id {
        return Err(QqError::INVALID_PARAMETERS);
    }
    if fields.filled("openid") != Some(identity::openid(client_id, &grant.person).as_str()) {
        return Err(QqError::INVALID_OPENID);
    }
    if !grant.covers(GET_USER_INFO) {
        return Err(QqError::API_UNAUTHORIZED);
    }
    let person = world.scene.person(&grant.person).ok_or(QqError::NO_LOGIN)?;
    Ok(Profile { person, client_id: &grant.client_id, base_url })
}
