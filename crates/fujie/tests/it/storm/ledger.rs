//! What lies in the database, read past the program that wrote it; and what of it would be wrong.

use std::{collections::HashSet, path::Path};

use rusqlite::{Connection, OpenFlags, Row, config::DbConfig};
use serde::Deserialize;

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub id: i64,
    /// The first 32 digits of the commit that a push told: its delivery's GUID. Empty when it told none.
    pub commit: String,
}

/// A delivery that was received: the event it became, and its GUID.
pub type Received = (i64, String);

/// The digits of a GUID.
const DIGITS: usize = 32;

#[derive(Deserialize)]
struct Line<'a> {
    id: &'a str,
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    after: Option<&'a str>,
}

impl Effect {
    /// As it came over the wire.
    pub fn of_line(line: &str) -> Self {
        let Line { id, data } = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let commit = data.after.map_or("", |after| &after[..DIGITS]);
        Self { id: id.parse().unwrap(), commit: commit.to_owned() }
    }
}

/// The database of a server, dead or alive.
pub struct Ledger(Connection);

impl Ledger {
    /// Leaves the write-ahead log as it is, for the server to recover from.
    pub fn open(file: &Path) -> Self {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        Self(connection)
    }

    /// What was received, in the order of its events.
    pub fn inbox(&self) -> Vec<Received> {
        self.all("SELECT event_id, delivery FROM webhook_inbox ORDER BY event_id", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The log.
    pub fn effects(&self) -> Vec<Effect> {
        let sql = "SELECT id, substr(coalesce(data ->> '$.after', ''), 1, ?1) FROM channel_event ORDER BY id";
        let sql = sql.replace("?1", &DIGITS.to_string());
        self.all(&sql, |row| Ok(Effect { id: row.get(0)?, commit: row.get(1)? }))
    }

    /// SQLite finds nothing wrong.
    pub fn is_whole(&self) {
        let said = self.all("PRAGMA integrity_check", |row| row.get::<_, String>(0));
        assert_eq!(said, ["ok"]);
        let broken = self.all("PRAGMA foreign_key_check", |row| row.get::<_, String>(0));
        assert_eq!(broken, Vec::<String>::new());
    }

    fn all<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.0.prepare(sql).unwrap();
        statement.query_map((), read).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

/// Is every delivery of the storm there, as one event that tells its commit, and nothing else but the ping before it?
pub fn judge(inbox: &[Received], effects: &[Effect], deliveries: u32) -> Result<(), String> {
    let mut guids = Vec::new();
    let mut rest = effects.iter();
    for (number, (id, guid)) in inbox.iter().enumerate() {
        let effect = rest.next().filter(|effect| effect.id == *id);
        let effect = effect.ok_or_else(|| format!("{guid} has not the event {id}"))?;
        let expected = if number == 0 { String::new() } else { guid.replace('-', "") };
        if effect.commit != expected {
            return Err(format!("the event {id} tells {}, not {expected}", effect.commit));
        }
        guids.extend((number > 0).then_some(guid.as_str()));
    }
    if let Some(effect) = rest.next() {
        return Err(format!("the event {} is nobody's", effect.id));
    }
    guids.sort_unstable();
    // A GUID counts the deliveries in its first digits; the rest is the storm's.
    let own = guids.first().map_or("", |guid| &guid[8..]);
    let wrong =
        (0..deliveries).map(|number| format!("{number:08x}{own}")).zip(&guids).find(|(sent, guid)| sent != *guid);
    match wrong {
        Some((sent, guid)) => Err(format!("{guid} in place of {sent}")),
        None if guids.len() != deliveries as usize => Err(format!("{} of {deliveries}", guids.len())),
        None => Ok(()),
    }
}

/// What was acknowledged and is not there.
pub fn lost<'a>(acknowledged: &'a [String], inbox: &[Received]) -> Vec<&'a str> {
    let received: HashSet<_> = inbox.iter().map(|(_, guid)| guid.as_str()).collect();
    acknowledged.iter().map(String::as_str).filter(|guid| !received.contains(guid)).collect()
}

/// Was somebody told everything, in order, and nothing twice? Else: where it begins to be otherwise.
pub fn compare(told: &[Effect], truth: &[Effect]) -> Result<(), String> {
    let same = told.iter().zip(truth).take_while(|(told, truth)| told == truth).count();
    if same == told.len() && same == truth.len() {
        return Ok(());
    }
    let part = |effects: &[Effect]| effects.iter().skip(same).take(3).cloned().collect::<Vec<_>>();
    Err(format!("after {same} of {}: {:?} in place of {:?}", truth.len(), part(told), part(truth)))
}

fn guid(number: u32) -> String {
    format!("{number:08x}-a1b2-11f0-8c3d-0123456789ab")
}

fn pushed(id: i64, number: u32) -> (Received, Effect) {
    ((id, guid(number)), Effect { id, commit: guid(number).replace('-', "") })
}

#[test]
fn a_delivery_that_is_missing_or_twice_or_anothers_is_found() {
    let ping = || ((1, "ping".to_owned()), Effect { id: 1, commit: String::new() });
    let check = |pushes: &[(i64, u32)]| {
        let both = std::iter::once(ping()).chain(pushes.iter().map(|(id, number)| pushed(*id, *number)));
        let (inbox, effects): (Vec<_>, Vec<_>) = both.unzip();
        (judge(&inbox, &effects, 3), inbox, effects)
    };
    let (judged, inbox, effects) = check(&[(2, 2), (3, 0), (5, 1)]);
    assert_eq!(judged, Ok(()));
    assert!(check(&[(2, 2), (3, 0)]).0.unwrap_err().contains("in place of"));
    assert!(check(&[(2, 2), (3, 0), (4, 2), (5, 1)]).0.is_err(), "twice");
    assert!(check(&[(2, 2), (3, 0), (5, 7)]).0.is_err(), "one that was not sent");
    assert!(judge(&inbox[..3], &effects, 3).unwrap_err().contains("nobody's"));
    assert!(judge(&inbox, &effects[..3], 3).unwrap_err().contains("has not the event 5"));
    let mut others = effects.clone();
    others[1].commit.clone_from(&effects[2].commit);
    assert!(judge(&inbox, &others, 3).unwrap_err().contains("the event 2 tells"));
    assert_eq!(lost(&[guid(0), guid(2)], &inbox), [""; 0]);
    assert_eq!(lost(&[guid(0), guid(2)], &inbox[..2]), [guid(0).as_str()]);
}

#[test]
fn somebody_who_missed_something_or_was_told_twice_is_found() {
    let truth: Vec<_> = (1..=4).map(|id| Effect { id, commit: id.to_string() }).collect();
    let told = |order: &[usize]| compare(&order.iter().map(|at| truth[*at].clone()).collect::<Vec<_>>(), &truth);
    assert_eq!(told(&[0, 1, 2, 3]), Ok(()));
    for wrong in [&[0, 1, 2][..], &[0, 2, 3], &[0, 1, 1, 2, 3], &[0, 2, 1, 3], &[0, 1, 2, 3, 3], &[]] {
        assert!(told(wrong).is_err(), "{wrong:?}");
    }
}
