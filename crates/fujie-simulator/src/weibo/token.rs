//! `/oauth2/access_token`: a code becomes a token; for apps with the mobile SDK, a refresh token does as well.
//!
//! There is no `token_type` and, as a rule, no `scope`. The order of the checks is: application, grant type, the rest.

use super::config::{App, Switches};
use super::error::WeiboError;
use super::identity;
use super::ledger::Grant;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::random::NoRandomness;
use serde::Serialize;
use std::time::Duration;

/// `expires_in`: a number in all captures, a string in the documentation of 2022.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Seconds {
    Number(u64),
    Text(String),
}

/// The token answer.
#[derive(Serialize)]
pub(crate) struct Tokens {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remind_in: Option<String>,
    expires_in: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(rename = "isRealName", skip_serializing_if = "Option::is_none")]
    is_real_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// The application's own credentials, from the `Authorization` header.
pub(crate) struct Basic {
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

pub(crate) fn access_token(
    world: &mut World,
    fields: &Fields,
    basic: Option<&Basic>,
    now: Timestamp,
) -> Result<Tokens, WeiboError> {
    let app = application(world, fields, basic)?;
    match required(fields, "grant_type")? {
        "authorization_code" => redeem(world, &app, fields, now),
        "refresh_token" if app.is_mobile_sdk => refresh(world, &app, fields, now),
        // `password` was for partners.
        "refresh_token" | "password" => Err(WeiboError::UNAUTHORIZED_CLIENT),
        _ => Err(WeiboError::UNSUPPORTED_GRANT_TYPE),
    }
}

/// The fields win over the header.
fn application(world: &World, fields: &Fields, basic: Option<&Basic>) -> Result<App, WeiboError> {
    let client_id = fields.filled("client_id").or(basic.map(|basic| basic.client_id.as_str()));
    let secret = fields.filled("client_secret").or(basic.map(|basic| basic.secret.as_str()));
    let (Some(client_id), Some(secret)) = (client_id, secret) else {
        return Err(WeiboError::INVALID_REQUEST.described("miss client id or secret"));
    };
    let app = world.app(client_id);
    let app = app.ok_or_else(|| WeiboError::INVALID_CLIENT.described("client not found or client is null"))?;
    let is_right = app.secret == secret;
    if is_right { Ok(app.clone()) } else { Err(WeiboError::INVALID_CLIENT.described("client_secret error.")) }
}

fn required<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, WeiboError> {
    fields.filled(name).ok_or_else(|| WeiboError::INVALID_REQUEST.described(format!("miss {name}")))
}

fn redeem(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Tokens, WeiboError> {
    let (code, redirect_uri) = (required(fields, "code")?, required(fields, "redirect_uri")?);
    let grant = world.ledger.redeem_code(&app.client_id, code, redirect_uri, now)?;
    let refresh_token = match app.is_mobile_sdk {
        true => Some(world.ledger.issue_refresh_token(grant.clone(), now.after(world.lifetime()))?),
        false => None,
    };
    let scope = app.is_mobile_sdk.then(|| grant.scopes.join(","));
    Ok(Tokens { refresh_token, scope, ..signed_in(world, grant, now)? })
}

/// The answer has an access token and its life, nothing else, unless refresh tokens rotate.
fn refresh(world: &mut World, app: &App, fields: &Fields, now: Timestamp) -> Result<Tokens, WeiboError> {
    let (refresh_token, redirect_uri) = (required(fields, "refresh_token")?, required(fields, "redirect_uri")?);
    if !app.callback.admits(redirect_uri) {
        return Err(WeiboError::REDIRECT_URI_MISMATCH);
    }
    let grant = world.ledger.open_refresh_token(&app.client_id, refresh_token, now)?;
    let rotated = if world.switches.refresh_token_rotates {
        world.ledger.spend_refresh_token(refresh_token);
        Some(world.ledger.issue_refresh_token(grant.clone(), now.after(world.lifetime()))?)
    } else {
        None
    };
    let tokens = signed_in(world, grant, now)?;
    Ok(Tokens { remind_in: None, refresh_token: rotated, uid: None, is_real_name: None, ..tokens })
}

/// What every sign-in is answered with.
fn signed_in(world: &mut World, grant: Grant, now: Timestamp) -> Result<Tokens, WeiboError> {
    let lifetime = world.lifetime();
    let uid = identity::uid(&grant.person).to_string();
    let is_real_name = world.switches.is_real_name.map(|is| if is { "true" } else { "false" });
    Ok(Tokens {
        access_token: world.ledger.issue_access_token(grant, now, lifetime)?,
        remind_in: Some(lifetime.as_secs().to_string()),
        expires_in: seconds(lifetime, &world.switches),
        refresh_token: None,
        uid: Some(uid),
        is_real_name,
        scope: None,
    })
}

/// What the implicit flow puts into the fragment.
pub(crate) fn implicit(world: &mut World, grant: Grant, now: Timestamp) -> Result<String, NoRandomness> {
    let (seconds, uid) = (world.lifetime().as_secs(), identity::uid(&grant.person));
    let access_token = world.ledger.issue_access_token(grant, now, world.lifetime())?;
    Ok(format!("access_token={access_token}&remind_in={seconds}&expires_in={seconds}&uid={uid}"))
}

pub(crate) fn seconds(span: Duration, switches: &Switches) -> Seconds {
    match switches.expires_in_string {
        true => Seconds::Text(span.as_secs().to_string()),
        false => Seconds::Number(span.as_secs()),
    }
}
