//! Account binding: which account an identity at a provider leads to, and every way to change that.
//!
//! An identity has two rows: its own, and one it shares with the other applications of its group. Whatever binds
//! raises the account's version first, inserts the union row, then the identity, reads both again in a new statement
//! and is undone whole unless both lead to the intended account. What is left of an account when identities go is in
//! `unbind`; identities that wait for the person are in `pending`.

use fujie_core::{
    binding::{
        decision::{Decision, decide},
        identity::{Bound, Identity, Union},
    },
    id::Id,
    secret::Digest,
    time::Timestamp,
};
use rusqlite::{Connection, Row, params};

use super::{
    Store,
    account::{self, event},
    audit::record,
    row, session,
    used::use_once,
    writer::Effect,
};
use crate::{
    error::StoreError,
    outcome::{Attached, CreatedAndBound, SignIn, Use},
    record::{BoundIdentity, Event, EventKind, Flow, NewAccount, NewSession, UsedKind},
};

mod pending;
mod unbind;

impl Store {
    /// Where the two rows of `identity` lead.
    pub async fn bound(&self, identity: &Identity) -> Result<Bound, StoreError> {
        self.read(|connection| Ok(bound(connection, identity)?.0))
    }

    /// Signs in by an identity that a provider vouched for in `flow`, which is used up. Adds the row that is missing
    /// when only one of the two leads to the account, and takes the nickname over.
    pub async fn sign_in_by_identity(
        &self,
        flow: Flow,
        identity: Identity,
        new: NewSession,
        now: Timestamp,
    ) -> Result<SignIn, StoreError> {
        self.write_whole(move |connection| {
            if use_once(connection, UsedKind::Flow, &flow.id, flow.until)? == Use::Again {
                return Ok(Effect::Undo(SignIn::FlowUsed));
            }
            sign_in(connection, &identity, &new, now)
        })
        .await
    }

    /// Signs in by a pending identity that was bound since it was stored; the ticket is used up.
    pub async fn sign_in_by_ticket(
        &self,
        ticket: Digest,
        new: NewSession,
        now: Timestamp,
    ) -> Result<SignIn, StoreError> {
        self.write_whole(move |connection| match pending::spend(connection, ticket, now)? {
            Some(identity) => sign_in(connection, &identity, &new, now),
            None => Ok(Effect::Undo(SignIn::FlowUsed)),
        })
        .await
    }

    /// Makes an account, binds the pending identity to it and begins its session; the ticket is used up.
    pub async fn create_and_bind(
        &self,
        ticket: Digest,
        account: NewAccount,
        session: NewSession,
        now: Timestamp,
    ) -> Result<CreatedAndBound, StoreError> {
        self.write_whole(move |connection| {
            let Some(identity) = pending::spend(connection, ticket, now)? else {
                return Ok(Effect::Undo(CreatedAndBound::TicketGone));
            };
            if !account::insert(connection, &account, now)? {
                return Ok(Effect::Undo(CreatedAndBound::UsernameTaken));
            }
            record(connection, &event(EventKind::AccountMade, account.id, now))?;
            let found = bind(connection, account.id, &identity, now)?;
            if !leads_to(&found, &identity, account.id) {
                // Seen from before this verb, where the account does not exist.
                let elsewhere = |id: &Id| *id != account.id;
                let found = Bound { identity: found.identity.filter(elsewhere), union: found.union.filter(elsewhere) };
                return Ok(Effect::Undo(CreatedAndBound::AlreadyBound(found)));
            }
            Ok(match session::begin(connection, account.id, &session, Some(&identity), now)? {
                Some(session) => Effect::Keep(CreatedAndBound::Bound(session)),
                // A session that is over before it begins.
                None => Effect::Undo(CreatedAndBound::TicketGone),
            })
        })
        .await
    }

    /// Binds the pending identity to the account of this session; the ticket is used up. Done as well when it was
    /// bound to that account before.
    pub async fn attach_and_bind(
        &self,
        ticket: Digest,
        session: Digest,
        now: Timestamp,
    ) -> Result<Attached, StoreError> {
        self.write_whole(move |connection| {
            let Some(identity) = pending::spend(connection, ticket, now)? else {
                return Ok(Effect::Undo(Attached::TicketGone));
            };
            let Some(account) = session::session(connection, session, now)?.map(|session| session.account.id) else {
                return Ok(Effect::Undo(Attached::SessionEnded));
            };
            let found = bind(connection, account, &identity, now)?;
            if !leads_to(&found, &identity, account) {
                return Ok(Effect::Undo(Attached::AlreadyBoundElsewhere));
            }
            Ok(match session::session(connection, session, now)? {
                Some(session) => Effect::Keep(Attached::Bound(session.account)),
                None => Effect::Undo(Attached::SessionEnded),
            })
        })
        .await
    }

    /// The identities that lead to an account, oldest first.
    pub async fn identities_of(&self, account: Id) -> Result<Vec<BoundIdentity>, StoreError> {
        let sql = "SELECT provider, app, subject, union_group, unionid, nickname, picture, bound_at FROM identity \
                   WHERE account = ?1 ORDER BY bound_at, provider, app, subject";
        self.read(|connection| {
            row::all(connection, sql, [account.as_bytes()], |row| {
                Ok(BoundIdentity { identity: identity(row, 0)?, bound_at: row::time(row, 7)? })
            })
        })
    }
}

/// An identity from seven columns (provider, app, subject, union_group, unionid, nickname, picture).
fn identity(row: &Row<'_>, at: usize) -> Result<Identity, StoreError> {
    let union = match (row.get(at + 3)?, row.get(at + 4)?) {
        (Some(group), Some(unionid)) => Some(Union { group, unionid }),
        _ => None,
    };
    Ok(Identity {
        provider: row.get(at)?,
        app: row.get(at + 1)?,
        subject: row.get(at + 2)?,
        union,
        nickname: row.get(at + 5)?,
        picture: row.get(at + 6)?,
    })
}

/// Where the two rows lead, and whether the identity's own row names the union row that was vouched for.
fn bound(connection: &Connection, identity: &Identity) -> Result<(Bound, bool), StoreError> {
    let sql = "SELECT i.account, u.account, i.union_group IS ?4 AND i.unionid IS ?5 FROM (SELECT 1) \
               LEFT JOIN identity i ON i.provider = ?1 AND i.app = ?2 AND i.subject = ?3 \
               LEFT JOIN union_identity u ON u.provider = ?1 AND u.union_group = ?4 AND u.unionid = ?5";
    let Identity { provider, app, subject, union, .. } = identity;
    let (group, unionid) = parts(union.as_ref());
    let found = row::first(connection, sql, params![provider, app, subject, group, unionid], |row| {
        let bound = Bound { identity: row::id_if_any(row, 0)?, union: row::id_if_any(row, 1)? };
        Ok((bound, row.get(2)?))
    })?;
    Ok(found.unwrap_or_default())
}

fn parts(union: Option<&Union>) -> (Option<&str>, Option<&str>) {
    union.map(|union| (union.group.as_str(), union.unionid.as_str())).unzip()
}

/// Do all rows that `identity` should have lead to `account`?
fn leads_to(found: &Bound, identity: &Identity, account: Id) -> bool {
    found.identity == Some(account) && (identity.union.is_none() || found.union == Some(account))
}

fn sign_in(
    connection: &Connection,
    identity: &Identity,
    new: &NewSession,
    now: Timestamp,
) -> Result<Effect<SignIn>, StoreError> {
    let (found, is_joined) = bound(connection, identity)?;
    let account = match decide(found) {
        Decision::SignIn(account) => account,
        Decision::Pending => return Ok(Effect::Undo(SignIn::NotBound)),
        Decision::Conflict { identity, union } => return Ok(Effect::Undo(SignIn::Conflict { identity, union })),
    };
    if is_disabled(connection, account)? {
        return Ok(Effect::Undo(SignIn::AccountDisabled));
    }
    if found.identity.is_none() || (identity.union.is_some() && !is_joined) {
        let found = bind(connection, account, identity, now)?;
        if let Decision::Conflict { identity, union } = decide(found) {
            return Ok(Effect::Undo(SignIn::Conflict { identity, union }));
        }
    } else {
        take_over_profile(connection, identity)?;
    }
    Ok(match session::begin(connection, account, new, Some(identity), now)? {
        Some(session) => Effect::Keep(SignIn::SignedIn(session)),
        None => Effect::Undo(SignIn::AccountDisabled),
    })
}

/// Raises the account's version, inserts what is missing, and reads both rows again. An identity of this account
/// that names no union row, or another, is joined to the one that was vouched for; one of another account is left as
/// it is. The caller compares where the rows lead now, and undoes the verb if it is not where they should.
fn bind(connection: &Connection, account: Id, identity: &Identity, now: Timestamp) -> Result<Bound, StoreError> {
    let sql = "UPDATE account SET version = version + 1 WHERE id = ?1";
    row::change(connection, sql, [account.as_bytes()])?;
    let Identity { provider, app, subject, union, nickname, picture } = identity;
    let (group, unionid) = parts(union.as_ref());
    let (owner, at) = (account.as_bytes(), now.millis());
    if union.is_some() {
        let sql = "INSERT INTO union_identity (provider, union_group, unionid, account, bound_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        row::change(connection, sql, params![provider, group, unionid, owner, at])?;
    }
    let sql = "INSERT INTO identity (provider, app, subject, account, union_group, unionid, nickname, picture, \
               bound_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (provider, app, subject) DO UPDATE \
               SET union_group = coalesce(excluded.union_group, union_group), \
               unionid = coalesce(excluded.unionid, unionid), nickname = excluded.nickname, \
               picture = excluded.picture WHERE identity.account = excluded.account";
    row::change(connection, sql, params![provider, app, subject, owner, group, unionid, nickname, picture, at])?;
    let detail = Some(serde_json::json!({ "provider": provider }).to_string());
    record(connection, &Event { detail, ..event(EventKind::IdentityBound, account, now) })?;
    Ok(bound(connection, identity)?.0)
}

/// Takes over the name and picture the provider shows now; writes nothing when they are as before.
fn take_over_profile(connection: &Connection, identity: &Identity) -> Result<(), StoreError> {
    let sql = "UPDATE identity SET nickname = ?4, picture = ?5 WHERE provider = ?1 AND app = ?2 AND subject = ?3 \
               AND (nickname IS NOT ?4 OR picture IS NOT ?5)";
    let Identity { provider, app, subject, nickname, picture, .. } = identity;
    row::change(connection, sql, params![provider, app, subject, nickname, picture])?;
    Ok(())
}

fn is_disabled(connection: &Connection, account: Id) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM account WHERE id = ?1 AND disabled_at IS NOT NULL";
    Ok(row::first(connection, sql, [account.as_bytes()], |_| Ok(()))?.is_some())
}
