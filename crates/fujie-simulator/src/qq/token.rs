//! `/oauth2.0/token`: a code or a refresh token becomes tokens.
//!
//! The order of the checks is a choice: application, grant type, then what is handed in.

use super::answer::TokenFacts;
use super::config::App;
use super::error::QqError;
use super::identity;
use super::ledger::{Grant, Returned, chain_end};
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::random::NoRandomness;

pub(crate) fn token(world: &mut World, fields: &Fields, now: Timestamp) -> Result<TokenFacts, QqError> {
    let app = application(world, fields)?.clone();
    let (grant, chain_ends_at) = match fields.filled("grant_type") {
        Some("authorization_code") => {
            let code = fields.filled("code").ok_or(QqError::CODE_MISSING)?;
            let returned = returned(&app, fields)?;
            let grant = world.ledger.redeem_code(&app.client_id, code, &returned, now)?;
            if world.switches.invalidate_previous_token {
                world.ledger.recycle_access_tokens(&grant);
            }
            (grant, chain_end(now))
        }
        Some("refresh_token") => {
            let refresh_token = fields.filled("refresh_token").ok_or(QqError::REFRESH_TOKEN_MISSING)?;
            world.ledger.spend_refresh_token(&app.client_id, refresh_token, now)?
        }
        _ => return Err(QqError::GRANT_TYPE),
    };
    let tokens = world.ledger.issue_tokens(grant, now.after(world.lifetime()), chain_ends_at)?;
    let is_openid_wanted = fields.sent("need_openid") == Some("1");
    Ok(TokenFacts {
        openid: is_openid_wanted.then(|| identity::openid(&tokens.grant.client_id, &tokens.grant.person)),
        access_token: tokens.access_token,
        expires_in: world.lifetime().as_secs(),
        refresh_token: tokens.refresh_token,
    })
}

fn application<'a>(world: &'a World, fields: &Fields) -> Result<&'a App, QqError> {
    let client_id = fields.filled("client_id").ok_or(QqError::CLIENT_ID)?;
    let secret = fields.filled("client_secret").ok_or(QqError::CLIENT_SECRET_MISSING)?;
    let app = app_of(world, client_id)?;
    if app.secret == secret { Ok(app) } else { Err(QqError::CLIENT_SECRET_WRONG) }
}

/// What is no number cannot be an appid at all.
pub(crate) fn app_of<'a>(world: &'a World, client_id: &str) -> Result<&'a App, QqError> {
    let is_number = !client_id.is_empty() && client_id.bytes().all(|byte| byte.is_ascii_digit());
    let fault = if is_number { QqError::APPID_UNKNOWN } else { QqError::CLIENT_ID };
    world.app(client_id).ok_or(fault)
}

fn returned<'a>(app: &App, fields: &'a Fields) -> Result<Returned<'a>, QqError> {
    match fields.filled("redirect_uri") {
        Some(redirect_uri) => Ok(Returned::Checked(redirect_uri)),
        None if app.is_mobile_app => Ok(Returned::Unchecked),
        None => Err(QqError::REDIRECT_URI),
    }
}

/// What the implicit flow puts into the fragment.
pub(crate) fn implicit(world: &mut World, grant: Grant, now: Timestamp) -> Result<String, NoRandomness> {
    let lifetime = world.lifetime();
    let access_token = world.ledger.issue_access_token(grant, now.after(lifetime))?;
    Ok(format!("access_token={access_token}&expires_in={}", lifetime.as_secs()))
}
