//! Topics and who belongs to them. What a role may do is decided elsewhere.

use fujie_core::{id::Id, time::Timestamp};
use rusqlite::{Connection, Row, params};

use super::{Store, audit::record, channel_event, row, writer::Effect};
use crate::{
    error::StoreError,
    outcome::{Ended, MemberChanged, TopicCreated},
    record::{
        Event, EventKind, MEMBERS_PER_TOPIC_MAX, Member, NewTopic, Role, TOPICS_PER_ACCOUNT_MAX, Topic, TopicMember,
    },
};

macro_rules! topic_columns {
    () => {
        "t.name, t.title, t.created_by, t.created_at"
    };
}

impl Store {
    /// Makes a topic with its first owner, whose account is read as alive in the same transaction.
    pub async fn create_topic(&self, new: NewTopic, now: Timestamp) -> Result<TopicCreated, StoreError> {
        self.write_whole(move |connection| {
            if let Some(refused) = refused(connection, &new)? {
                return Ok(Effect::Undo(refused));
            }
            let sql = "INSERT INTO topic (name, title, created_by, created_at) \
                       SELECT ?1, ?2, id, ?4 FROM account WHERE id = ?3 AND disabled_at IS NULL";
            if row::change(connection, sql, params![new.name, new.title, new.owner.as_bytes(), now.millis()])? == 0 {
                return Ok(Effect::Undo(TopicCreated::AccountGone));
            }
            put_member(connection, &new.name, &Member::Account(new.owner), Role::Owner, now)?;
            record(connection, &event(EventKind::TopicMade, &new.name, Some(new.owner), None, now))?;
            let NewTopic { name, title, owner: created_by } = new;
            Ok(Effect::Keep(TopicCreated::Created(Topic { name, title, created_by, created_at: now })))
        })
        .await
    }

    /// A topic.
    pub async fn topic(&self, name: &str) -> Result<Option<Topic>, StoreError> {
        let sql = concat!("SELECT ", topic_columns!(), " FROM topic t WHERE t.name = ?1");
        self.read(|connection| row::first(connection, sql, [name], topic))
    }

    /// All topics in the order of their names, at most 1,000 of those after `after`. For the operator.
    pub async fn topics(&self, after: &str) -> Result<Vec<Topic>, StoreError> {
        let sql = concat!("SELECT ", topic_columns!(), " FROM topic t WHERE t.name > ?1 ORDER BY t.name LIMIT 1000");
        self.read(|connection| row::all(connection, sql, [after], topic))
    }

    /// The topics that `member` belongs to, in the order of their names, with its role; at most 500.
    pub async fn topics_of(&self, member: &Member) -> Result<Vec<(Topic, Role)>, StoreError> {
        let sql = concat!(
            "SELECT ",
            topic_columns!(),
            ", m.role FROM topic_member m JOIN topic t ON t.name = m.topic \
             WHERE m.kind = ?1 AND m.member = ?2 ORDER BY m.topic LIMIT 500"
        );
        self.read(|connection| {
            row::all(connection, sql, params![member.kind(), member.key()], |row| Ok((topic(row)?, role(row, 4)?)))
        })
    }

    /// Deletes a topic with its members, integrations, deliveries, targets and events. `by` is who did it; `None`:
    /// the operator. Of events and deliveries about 500 go at once, and of bytes about 32 MiB, so that others need not
    /// wait: more events are left to [`Self::sweep`], and nobody gets the name before; more deliveries, which nobody
    /// can read, to their time.
    pub async fn delete_topic(&self, name: &str, by: Option<Id>, now: Timestamp) -> Result<Ended, StoreError> {
        let name = name.to_owned();
        self.write_whole(move |connection| {
            for sql in BELONGINGS {
                row::change(connection, sql, [&name])?;
            }
            if row::change(connection, "DELETE FROM topic WHERE name = ?1", [&name])? == 0 {
                return Ok(Effect::Undo(Ended::Absent));
            }
            if channel_event::delete_of(connection, &name, AT_ONCE)? >= AT_ONCE {
                row::change(connection, "INSERT INTO topic_deleted (name) VALUES (?1)", [&name])?;
            }
            record(connection, &event(EventKind::TopicDeleted, &name, by, None, now))?;
            Ok(Effect::Keep(Ended::Ended))
        })
        .await
    }

    /// The members of a topic: owners first, then by when they were added.
    pub async fn members(&self, topic: &str) -> Result<Vec<TopicMember>, StoreError> {
        let sql = "SELECT m.kind, m.member, coalesce(a.name, c.name, ''), m.role, m.added_at FROM topic_member m \
                   LEFT JOIN account a ON m.kind = 'account' AND a.id = m.member \
                   LEFT JOIN client c ON m.kind = 'client' AND c.id = CAST(m.member AS TEXT) \
                   WHERE m.topic = ?1 ORDER BY m.role <> 'owner', m.added_at, m.member";
        self.read(|connection| {
            row::all(connection, sql, [topic], |row| {
                let (member, added_at) = (member(row)?, row::time(row, 4)?);
                Ok(TopicMember { member, name: row.get(2)?, role: role(row, 3)?, added_at })
            })
        })
    }

    /// What `member` is in a topic, if it belongs to it. A point read.
    pub async fn role(&self, topic: &str, member: &Member) -> Result<Option<Role>, StoreError> {
        self.read(|connection| role_of(connection, topic, member))
    }

    /// Adds a member, or gives it another role. A client that is to be an owner breaks a rule of the rows.
    pub async fn add_member(
        &self,
        topic: &str,
        member: Member,
        role: Role,
        by: Option<Id>,
        now: Timestamp,
    ) -> Result<MemberChanged, StoreError> {
        let topic = topic.to_owned();
        self.write_whole(move |connection| {
            let standing = role_of(connection, &topic, &member)?;
            let refused = match standing {
                Some(standing) if standing == role => Some(MemberChanged::Unchanged),
                Some(_) if role != Role::Owner && !has_other_owner(connection, &topic, &member)? => {
                    Some(MemberChanged::LastOwner)
                }
                Some(_) => None,
                None => not_addable(connection, &topic, &member)?,
            };
            if let Some(refused) = refused {
                return Ok(Effect::Undo(refused));
            }
            put_member(connection, &topic, &member, role, now)?;
            record(connection, &event(EventKind::MemberAdded, &topic, by, Some((&member, role)), now))?;
            Ok(Effect::Keep(MemberChanged::Changed))
        })
        .await
    }

    /// Removes a member, with the targets it added to the topic. The last owner stays.
    pub async fn remove_member(
        &self,
        topic: &str,
        member: Member,
        by: Option<Id>,
        now: Timestamp,
    ) -> Result<MemberChanged, StoreError> {
        let topic = topic.to_owned();
        self.write_whole(move |connection| {
            let Some(role) = role_of(connection, &topic, &member)? else {
                return Ok(Effect::Undo(MemberChanged::Absent));
            };
            if role == Role::Owner && !has_other_owner(connection, &topic, &member)? {
                return Ok(Effect::Undo(MemberChanged::LastOwner));
            }
            let sql = "DELETE FROM topic_member WHERE topic = ?1 AND kind = ?2 AND member = ?3";
            row::change(connection, sql, params![topic, member.kind(), member.key()])?;
            if let Member::Account(account) = &member {
                let sql = "DELETE FROM channel_target WHERE account = ?1 AND topic = ?2";
                row::change(connection, sql, params![account.as_bytes(), topic])?;
            }
            record(connection, &event(EventKind::MemberRemoved, &topic, by, Some((&member, role)), now))?;
            Ok(Effect::Keep(MemberChanged::Changed))
        })
        .await
    }
}

/// Takes an account that ends out of every topic, with its targets and its tokens at providers. A topic may be left
/// without an owner: the operator names another.
pub(super) fn leave_all(connection: &Connection, account: Id) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM channel_target WHERE account = ?1",
        "DELETE FROM topic_member WHERE kind = 'account' AND member = ?1",
        "DELETE FROM upstream_token WHERE account = ?1",
    ] {
        row::change(connection, sql, [account.as_bytes()])?;
    }
    Ok(())
}

pub(super) fn exists(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(row::first(connection, "SELECT 1 FROM topic WHERE name = ?1", [name], |_| Ok(()))?.is_some())
}

pub(super) fn role_of(connection: &Connection, topic: &str, member: &Member) -> Result<Option<Role>, StoreError> {
    let sql = "SELECT role FROM topic_member WHERE topic = ?1 AND kind = ?2 AND member = ?3";
    row::first(connection, sql, params![topic, member.kind(), member.key()], |row| role(row, 0))
}

fn refused(connection: &Connection, new: &NewTopic) -> Result<Option<TopicCreated>, StoreError> {
    let sql = "SELECT 1 FROM topic_deleted WHERE name = ?1";
    let is_going = row::first(connection, sql, [&new.name], |_| Ok(()))?.is_some();
    if is_going || exists(connection, &new.name)? {
        return Ok(Some(TopicCreated::Taken));
    }
    let sql = "SELECT count(*) FROM topic WHERE created_by = ?1";
    let made = row::count(connection, sql, [new.owner.as_bytes()])?;
    Ok((made >= TOPICS_PER_ACCOUNT_MAX).then_some(TopicCreated::TooMany))
}

fn not_addable(connection: &Connection, topic: &str, member: &Member) -> Result<Option<MemberChanged>, StoreError> {
    let (account, client) = match member {
        Member::Account(id) => (Some(id.as_bytes()), None),
        Member::Client(id) => (None, Some(id)),
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM topic WHERE name = ?1) \
               AND (EXISTS (SELECT 1 FROM account WHERE id = ?2 AND disabled_at IS NULL) \
               OR EXISTS (SELECT 1 FROM client WHERE id = ?3))";
    if row::count(connection, sql, params![topic, account, client])? == 0 {
        return Ok(Some(MemberChanged::Absent));
    }
    let members = row::count(connection, "SELECT count(*) FROM topic_member WHERE topic = ?1", [topic])?;
    Ok((members >= MEMBERS_PER_TOPIC_MAX).then_some(MemberChanged::TooMany))
}

fn has_other_owner(connection: &Connection, topic: &str, member: &Member) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM topic_member \
               WHERE topic = ?1 AND role = 'owner' AND (kind, member) <> (?2, ?3) LIMIT 1";
    Ok(row::first(connection, sql, params![topic, member.kind(), member.key()], |_| Ok(()))?.is_some())
}

fn put_member(
    connection: &Connection,
    topic: &str,
    member: &Member,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO topic_member (topic, kind, member, role, added_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (topic, kind, member) DO UPDATE SET role = excluded.role";
    row::change(connection, sql, params![topic, member.kind(), member.key(), role.as_str(), now.millis()])?;
    Ok(())
}

fn event(kind: EventKind, topic: &str, by: Option<Id>, whom: Option<(&Member, Role)>, at: Timestamp) -> Event {
    let detail = match whom {
        None => serde_json::json!({ "topic": topic }),
        Some((Member::Account(id), role)) => {
            serde_json::json!({ "topic": topic, "account": id.to_string(), "role": role.as_str() })
        }
        Some((Member::Client(id), role)) => serde_json::json!({ "topic": topic, "client": id, "role": role.as_str() }),
    };
    Event { at, kind, account: by, client: None, detail: Some(detail.to_string()) }
}

fn topic(row: &Row<'_>) -> Result<Topic, StoreError> {
    Ok(Topic { name: row.get(0)?, title: row.get(1)?, created_by: row::id(row, 2)?, created_at: row::time(row, 3)? })
}

/// A member from two columns (kind, member).
fn member(row: &Row<'_>) -> Result<Member, StoreError> {
    let damaged = StoreError::Damaged { table: "topic_member", column: "member" };
    match row.get_ref(0)?.as_str() {
        Ok("account") => Ok(Member::Account(row::id(row, 1)?)),
        Ok("client") => match String::from_utf8(row.get(1)?) {
            Ok(id) => Ok(Member::Client(id)),
            Err(_) => Err(damaged),
        },
        _ => Err(damaged),
    }
}

fn role(row: &Row<'_>, column: usize) -> Result<Role, StoreError> {
    row::word(row, column, Role::parse, ("topic_member", "role"))
}

/// What goes with a topic, before the topic itself.
const BELONGINGS: [&str; 4] = [
    "DELETE FROM topic_member WHERE topic = ?1",
    "DELETE FROM channel_target WHERE topic = ?1",
    "DELETE FROM webhook_inbox WHERE event_id IN (SELECT w.event_id FROM integration i \
     JOIN webhook_inbox w ON w.integration = i.id WHERE i.topic = ?1 LIMIT 500)",
    "DELETE FROM integration WHERE topic = ?1",
];

/// Events that go in the transaction that deletes their topic, as [`channel_event::cost`] counts them.
const AT_ONCE: u32 = 500;
