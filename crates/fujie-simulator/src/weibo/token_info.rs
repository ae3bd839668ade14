//! `/oauth2/get_token_info` and `/oauth2/revokeoauth2`: whose a token is, and the end of one.
//!
//! `appkey` is what an app must compare with its own: it is the only check that the token was meant for it.

use super::error::WeiboError;
use super::identity;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use serde::Serialize;

/// `appkey`: a number in the documentation, a string in live answers.
#[derive(Serialize)]
#[serde(untagged)]
enum Appkey {
    Number(u64),
    Text(String),
}

/// What is told about a token. The names really are `create_at` and `expire_in`.
#[derive(Serialize)]
pub(crate) struct TokenInfo {
    uid: u64,
    appkey: Appkey,
    scope: Option<String>,
    create_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

pub(crate) fn token_info(world: &World, fields: &Fields, now: Timestamp) -> Result<TokenInfo, WeiboError> {
    let access = world.ledger.open_access_token(named(fields)?, now)?;
    let switches = &world.switches;
    let appkey = match access.grant.client_id.parse() {
        Ok(number) if !switches.appkey_string => Appkey::Number(number),
        _ => Appkey::Text(access.grant.client_id.clone()),
    };
    let left = now.until(access.expires_at).as_secs();
    Ok(TokenInfo {
        uid: identity::uid(&access.grant.person),
        appkey,
        scope: Some(access.grant.scopes.join(",")).filter(|scope| !scope.is_empty()),
        create_at: access.created_at.unix_seconds(),
        expire_in: (!switches.token_info_expires_in).then_some(left),
        expires_in: switches.token_info_expires_in.then_some(left),
    })
}

/// `result` is the string `true`.
#[derive(Serialize)]
pub(crate) struct Revoked {
    result: &'static str,
}

pub(crate) fn revoke(world: &mut World, fields: &Fields, now: Timestamp) -> Result<Revoked, WeiboError> {
    let access_token = named(fields)?;
    world.ledger.open_access_token(access_token, now)?;
    world.ledger.revoke(access_token);
    Ok(Revoked { result: "true" })
}

fn named(fields: &Fields) -> Result<&str, WeiboError> {
    fields.filled("access_token").ok_or_else(|| WeiboError::INVALID_REQUEST.described("miss access_token"))
}
