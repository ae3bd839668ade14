//! Taking an identity from an account, with all that came by it: the union row, the identities joined to that, the
//! sessions they signed in, those sessions' grants, the provider's tokens, and tickets that wait. Never the last way
//! in.

use fujie_core::{binding::identity::Union, grant::EndedWhy, id::Id, time::Timestamp};
use rusqlite::{Connection, params};

use super::{
    super::{Store, account::event, audit::record, row, upstream_token, writer::Effect},
    parts,
};
use crate::{
    error::StoreError,
    outcome::Unbinding,
    record::{Event, EventKind, IdentityKey, Unbind, WaysIn},
};

impl Store {
    /// Takes an identity from an account and uses up the fresh sign-in that was made for it, unless the account could
    /// not be entered any more: a password or an identity that is not joined to this one must remain.
    pub async fn unbind(&self, unbind: Unbind, now: Timestamp) -> Result<Unbinding, StoreError> {
        self.write_whole(move |connection| {
            let Unbind { account, key, .. } = &unbind;
            let account = *account;
            let sql = "UPDATE account SET version = version + 1 WHERE id = ?1";
            row::change(connection, sql, [account.as_bytes()])?;
            let Some(union) = union_of(connection, account, key)? else {
                return Ok(Effect::Undo(Unbinding::Absent));
            };
            if !use_up(connection, &unbind, now)? {
                return Ok(Effect::Undo(Unbinding::FreshnessGone));
            }
            let going = Going { account, key, union: union.as_ref(), now };
            if !going.leave_a_way_in(connection, &unbind.offered)? {
                return Ok(Effect::Undo(Unbinding::LastWayIn));
            }
            going.end_sessions(connection)?;
            going.delete(connection)?;
            let tokens = upstream_token::take(connection, account, &key.provider)?;
            let detail = Some(serde_json::json!({ "provider": key.provider }).to_string());
            record(connection, &Event { detail, ..event(EventKind::IdentityUnbound, account, now) })?;
            Ok(Effect::Keep(Unbinding::Unbound(tokens)))
        })
        .await
    }

    /// Would the account have none of these ways in without this identity? False when it has no such identity.
    pub async fn is_last_way_in(
        &self,
        account: Id,
        key: &IdentityKey,
        offered: &WaysIn,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.read(|connection| {
            let Some(union) = union_of(connection, account, key)? else { return Ok(false) };
            let going = Going { account, key, union: union.as_ref(), now };
            Ok(!going.leave_a_way_in(connection, offered)?)
        })
    }
}

/// Spends the fresh sign-in; false when there is none for this act.
fn use_up(connection: &Connection, unbind: &Unbind, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE browser_session SET fresh_for = NULL WHERE id = ?1 AND account = ?2 AND fresh_for = ?3 \
               AND ended_at IS NULL AND expires_at > ?4";
    let Unbind { account, session, consume_fresh, .. } = unbind;
    let values = params![session.as_bytes(), account.as_bytes(), consume_fresh, now.millis()];
    Ok(row::change(connection, sql, values)? == 1)
}

/// The union row that the identity names, if the identity leads to this account.
fn union_of(connection: &Connection, account: Id, key: &IdentityKey) -> Result<Option<Option<Union>>, StoreError> {
    let sql = "SELECT union_group, unionid FROM identity \
               WHERE provider = ?1 AND app = ?2 AND subject = ?3 AND account = ?4";
    let IdentityKey { provider, app, subject } = key;
    row::first(connection, sql, params![provider, app, subject, account.as_bytes()], |row| {
        let union = (row.get::<_, Option<String>>(0)?).zip(row.get(1)?);
        Ok(union.map(|(group, unionid)| Union { group, unionid }))
    })
}

/// The identities that go: the one named, and those joined to its union row.
struct Going<'a> {
    account: Id,
    key: &'a IdentityKey,
    union: Option<&'a Union>,
    now: Timestamp,
}

impl Going<'_> {
    fn leave_a_way_in(&self, connection: &Connection, offered: &WaysIn) -> Result<bool, StoreError> {
        let sql = "SELECT ?7 AND password_hash IS NOT NULL AND username_folded IS NOT NULL OR EXISTS ( \
                   SELECT 1 FROM identity i WHERE i.account = ?1 \
                   AND EXISTS (SELECT 1 FROM json_each(?8) way WHERE i.provider = way.value ->> 0 \
                   AND (i.app = '' OR i.app = ifnull(way.value ->> 1, i.app) OR i.union_group = way.value ->> 2)) \
                   AND (i.provider, i.app, i.subject) IS NOT (?2, ?3, ?4) \
                   AND (?6 IS NULL OR (i.provider, i.union_group, i.unionid) IS NOT (?2, ?5, ?6))) \
                   FROM account WHERE id = ?1";
        let IdentityKey { provider, app, subject } = self.key;
        let (group, unionid) = parts(self.union);
        let ways = offered.connections.iter().map(|way| (&way.provider, &way.app, &way.group)).collect::<Vec<_>>();
        let ways = serde_json::json!(ways).to_string();
        let values = params![self.account.as_bytes(), provider, app, subject, group, unionid, offered.password, ways];
        let found = row::first(connection, sql, values, |row| Ok(row.get(0)?))?;
        Ok(found.unwrap_or(false))
    }

    /// Sessions first, then their grants that do not outlive them.
    fn end_sessions(&self, connection: &Connection) -> Result<(), StoreError> {
        let (account, at) = (self.account.as_bytes(), self.now.millis());
        let IdentityKey { provider, app, subject } = self.key;
        let (group, unionid) = parts(self.union);
        let sql = "UPDATE browser_session SET ended_at = ?7 WHERE account = ?1 AND ended_at IS NULL \
                   AND (via_provider, via_app, via_subject) IN (SELECT provider, app, subject FROM identity \
                   WHERE account = ?1 AND (provider, app, subject) = (?2, ?3, ?4) \
                   OR account = ?1 AND (provider, union_group, unionid) = (?2, ?5, ?6)) RETURNING id";
        let values = params![account, provider, app, subject, group, unionid, at];
        let ended = row::all(connection, sql, values, |row| row::digest(row, 0))?;
        for session in ended {
            let whose = super::super::grant::Whose::Session(session);
            super::super::grant::end_all(connection, whose, EndedWhy::SignedOut, self.now)?;
        }
        Ok(())
    }

    /// Tickets, identities, then every union row of the account that no identity names any more.
    fn delete(&self, connection: &Connection) -> Result<(), StoreError> {
        let tickets = "DELETE FROM pending_identity WHERE ?1 IS NOT NULL AND ((provider, app, subject) = (?2, ?3, ?4) \
                       OR (provider, union_group, unionid) = (?2, ?5, ?6))";
        self.run(tickets, |sql, values| row::change(connection, sql, values))?;
        let identities = "DELETE FROM identity WHERE account = ?1 AND ((provider, app, subject) = (?2, ?3, ?4) \
                          OR (provider, union_group, unionid) = (?2, ?5, ?6))";
        self.run(identities, |sql, values| row::change(connection, sql, values))?;
        let unions = "DELETE FROM union_identity AS u WHERE u.account = ?1 AND NOT EXISTS (SELECT 1 FROM identity i \
                      WHERE i.provider = u.provider AND i.union_group = u.union_group AND i.unionid = u.unionid)";
        row::change(connection, unions, [self.account.as_bytes()])?;
        Ok(())
    }

    /// Hands `sql` its six values: account, provider, app, subject, group, unionid.
    fn run<T>(
        &self,
        sql: &'static str,
        run: impl FnOnce(&'static str, &[&dyn rusqlite::ToSql]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let IdentityKey { provider, app, subject } = self.key;
        let (group, unionid) = parts(self.union);
        run(sql, params![self.account.as_bytes(), provider, app, subject, group, unionid])
    }
}
