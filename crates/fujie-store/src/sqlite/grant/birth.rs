//! The birth of a grant: with its code, in the transaction that reads account, session and consent as alive.

use fujie_core::{
    grant::{Grant, GrantBorn},
    request::scope::Scope,
    time::Timestamp,
};
use rusqlite::{Connection, params};

use super::{
    super::{Store, audit::record, row, writer::Effect},
    KEPT, KEPT_UNREDEEMED,
};
use crate::{
    error::StoreError,
    outcome::GrantBegun,
    record::{BeginGrant, Consent, Event, EventKind},
};

impl Store {
    /// Bears a grant: with `redeemed_at: None` it waits for its code, else it is live at once. Remembers consent and
    /// uses up a demanded sign-in when asked to. At most 20 codes of one session wait at a time.
    pub async fn begin_grant(&self, begin: BeginGrant, now: Timestamp) -> Result<GrantBegun, StoreError> {
        let id = begin.grant.id;
        let refusal = self.write_whole(move |connection| bear(connection, &begin, now)).await?;
        Ok(match refusal {
            None => GrantBegun::Born(GrantBorn::assertion(id)),
            Some(Refusal::SessionEnded) => GrantBegun::SessionEnded,
            Some(Refusal::AccountGone) => GrantBegun::AccountGone,
            Some(Refusal::ConsentGone) => GrantBegun::ConsentGone,
            Some(Refusal::FreshnessGone) => GrantBegun::FreshnessGone,
            Some(Refusal::TooManyUnredeemed) => GrantBegun::TooManyUnredeemed,
        })
    }
}

enum Refusal {
    SessionEnded,
    AccountGone,
    ConsentGone,
    FreshnessGone,
    TooManyUnredeemed,
}

fn bear(connection: &Connection, begin: &BeginGrant, now: Timestamp) -> Result<Effect<Option<Refusal>>, StoreError> {
    let remembered = match facts(connection, &begin.grant, now)?.judge(begin) {
        Ok(remembered) => remembered,
        Err(refusal) => return Ok(Effect::Undo(Some(refusal))),
    };
    insert(connection, begin)?;
    if let Consent::Remember(scope) = &begin.consent {
        // What was remembered before is let go when both together would be longer than a scope may be.
        let united = remembered.unwrap_or_default().union(scope);
        let united = Scope::parse(united.as_str()).unwrap_or_else(|_| scope.clone());
        remember(connection, &begin.grant, &united, now)?;
    }
    if let Some(demand) = begin.consume_fresh {
        let session = begin.grant.session.as_ref().map(|session| session.as_bytes());
        let sql = "UPDATE browser_session SET fresh_for = NULL WHERE id = ?1 AND fresh_for = ?2";
        if row::change(connection, sql, params![session, demand])? == 0 {
            return Ok(Effect::Undo(Some(Refusal::FreshnessGone)));
        }
    }
    Ok(Effect::Keep(None))
}

/// What a birth rests on, as read in its own transaction.
struct Facts {
    account_is_alive: bool,
    session_is_alive: bool,
    unredeemed: u32,
    remembered: Option<Scope>,
}

impl Facts {
    /// The consent remembered so far, or why the grant is not to be born.
    fn judge(self, begin: &BeginGrant) -> Result<Option<Scope>, Refusal> {
        if !self.account_is_alive {
            return Err(Refusal::AccountGone);
        }
        if begin.grant.session.is_some() && !self.session_is_alive {
            return Err(Refusal::SessionEnded);
        }
        if begin.grant.redeemed_at.is_none() && self.unredeemed >= UNREDEEMED_MAX {
            return Err(Refusal::TooManyUnredeemed);
        }
        let admits = |scope: &Scope| scope.admits(&begin.grant.scope);
        if begin.consent == Consent::Remembered && !self.remembered.as_ref().is_some_and(admits) {
            return Err(Refusal::ConsentGone);
        }
        Ok(self.remembered)
    }
}

fn facts(connection: &Connection, grant: &Grant, now: Timestamp) -> Result<Facts, StoreError> {
    let sql = "SELECT a.disabled_at IS NULL, s.id IS NOT NULL, \
               (SELECT count(*) FROM \"grant\" g WHERE g.session = ?2 AND g.redeemed_at IS NULL \
               AND g.ended_at IS NULL AND g.expires_at > ?4), c.scope FROM account a \
               LEFT JOIN browser_session s ON s.id = ?2 AND s.account = a.id AND s.ended_at IS NULL \
               AND s.expires_at > ?4 \
               LEFT JOIN consent c ON c.account = a.id AND c.client = ?3 WHERE a.id = ?1";
    let session = grant.session.as_ref().map(|session| session.as_bytes());
    let values = params![grant.account.as_bytes(), session, grant.client, now.millis()];
    let found = row::first(connection, sql, values, |row| {
        let has_consent = row.get_ref(3)? != rusqlite::types::ValueRef::Null;
        Ok(Facts {
            account_is_alive: row.get(0)?,
            session_is_alive: row.get(1)?,
            unredeemed: row.get(2)?,
            remembered: if has_consent { Some(row::scope(row, 3, "consent")?) } else { None },
        })
    })?;
    Ok(found.unwrap_or(Facts { account_is_alive: false, session_is_alive: false, unredeemed: 0, remembered: None }))
}

fn insert(connection: &Connection, begin: &BeginGrant) -> Result<(), StoreError> {
    let sql = "INSERT INTO \"grant\" (id, account, client, client_epoch, session, auth_time, acr, amr, scope, \
               resource, key_binding, rotates, client_auth, parent, generation, rotated_at, redeemed_at, \
               expires_at, created_at, offline, sweep_after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
               ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
    let grant = &begin.grant;
    let kept = if grant.redeemed_at.is_some() { KEPT } else { KEPT_UNREDEEMED };
    let values = params![
        grant.id.as_bytes(),
        grant.account.as_bytes(),
        grant.client,
        grant.client_epoch,
        grant.session.as_ref().map(|session| session.as_bytes()),
        grant.auth_time.millis(),
        grant.acr,
        grant.amr,
        grant.scope.as_str(),
        grant.resource,
        grant.key_binding.as_ref().map(|key| key.as_bytes()),
        grant.rotates,
        grant.client_auth.as_str(),
        grant.parent.as_ref().map(|parent| parent.as_bytes()),
        grant.generation,
        grant.rotated_at.millis(),
        grant.redeemed_at.map(Timestamp::millis),
        grant.expires_at.millis(),
        grant.created_at.millis(),
        begin.offline,
        (grant.expires_at + kept).millis(),
    ];
    row::change(connection, sql, values)?;
    Ok(())
}

fn remember(connection: &Connection, grant: &Grant, scope: &Scope, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO consent (account, client, scope, given_at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (account, client) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at";
    let (account, client) = (grant.account, &grant.client);
    row::change(connection, sql, params![account.as_bytes(), client, scope.as_str(), now.millis()])?;
    let detail = serde_json::json!({ "scope": scope.as_str() }).to_string();
    let (kind, client) = (EventKind::ConsentGiven, Some(client.clone()));
    record(connection, &Event { at: now, kind, account: Some(account), client, detail: Some(detail) })
}

/// So many codes of one session may wait.
const UNREDEEMED_MAX: u32 = 20;
