//! Targets in memory, and a transport that is told what to answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::MutexGuard;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::*;
use crate::post::{Reach, SimulatorAt};
use crate::robot::Kind;

/// What is on disk.
pub(super) struct Row {
    pub(super) topic: &'static str,
    pub(super) to: &'static str,
    pub(super) cursor: i64,
    pub(super) due_at: Timestamp,
    pub(super) failures: u32,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) trouble: Option<Trouble>,
    pub(super) is_disabled: bool,
}

#[derive(Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<u32, Row>,
    pub(super) log: Vec<(i64, &'static str, Bytes)>,
}

/// What was sent, and what is answered.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) sent: Vec<(Duration, String, String)>,
    pub(super) answers: BTreeMap<&'static str, VecDeque<Answer>>,
    pub(super) under_way: usize,
    pub(super) most_under_way: usize,
}

#[derive(Clone)]
pub(super) enum Answer {
    Status(u16, Option<&'static str>),
    Silence,
    NoAnswer(NoAnswer),
}

#[derive(Clone)]
pub(super) struct House {
    pub(super) disk: Arc<Mutex<Disk>>,
    pub(super) wire: Arc<Mutex<Wire>>,
    pub(super) head: watch::Sender<i64>,
    pub(super) began: Instant,
    /// Whether answers may be noted; closed, the server dies before.
    pub(super) pen: Arc<Semaphore>,
}

impl House {
    pub(super) fn new() -> Self {
        let head = watch::Sender::new(0);
        let pen = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { disk: Arc::default(), wire: Arc::default(), head, began: Instant::now(), pen }
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    pub(super) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000) + self.began.elapsed()
    }

    /// A target of `topic`; `to` is `robot-…` or `push-…`.
    pub(super) fn target(&self, id: u32, topic: &'static str, to: &'static str) {
        let due_at = self.now();
        let row =
            Row { topic, to, cursor: 0, due_at, failures: 0, failing_since: None, trouble: None, is_disabled: false };
        self.disk().rows.insert(id, row);
    }

    pub(super) fn publish(&self, topic: &'static str, titles: &[&str]) {
        for title in titles {
            let mut disk = self.disk();
            let id = disk.log.len() as i64 + 1;
            let event = json!({ "type": "notice", "data": { "kind": "notice", "title": title } });
            disk.log.push((id, topic, event.to_string().into()));
            drop(disk);
            self.head.send_replace(id);
        }
    }

    pub(super) fn answer(&self, to: &'static str, answers: &[Answer]) {
        self.wire().answers.entry(to).or_default().extend(answers.iter().cloned());
    }

    pub(super) fn start(&self) -> JoinHandle<()> {
        let (clock, random) = (self.clone(), |bytes: &mut [u8]| bytes.fill(0xff));
        let outbox = Outbox::new(self.clone(), self.clone(), move || clock.now(), random);
        tokio::spawn(outbox.run(std::future::pending()))
    }

    /// Lets everything that can happen in this time happen: a paused clock goes from timer to timer.
    pub(super) async fn pass(&self, span: Duration) {
        sleep(span).await;
    }

    /// The titles that came to `to`.
    pub(super) fn heard(&self, to: &str) -> Vec<String> {
        self.wire().sent.iter().filter(|(_, host, _)| host == to).map(|(_, _, title)| title.clone()).collect()
    }

    /// When they came, in seconds since the beginning.
    pub(super) fn times(&self, to: &str) -> Vec<u64> {
        self.wire().sent.iter().filter(|(_, host, _)| host == to).map(|(at, ..)| at.as_secs()).collect()
    }
}

impl Targets for House {
    type Id = u32;
    type Error = &'static str;

    fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Target<u32>>, &'static str> {
        let disk = self.disk();
        let has_more = |row: &Row| disk.log.iter().any(|(id, topic, _)| *topic == row.topic && *id > row.cursor);
        let mut due: Vec<_> =
            disk.rows.iter().filter(|(_, row)| !row.is_disabled && row.due_at <= now && has_more(row)).collect();
        due.sort_by_key(|(_, row)| row.due_at);
        let target = |(id, row): (&u32, &Row)| Target {
            id: *id,
            topic: row.topic.into(),
            channel: channel(row.to),
            language: Language::English,
            cursor: row.cursor,
            failures: row.failures,
            failing_since: row.failing_since,
        };
        Ok(due.into_iter().take(limit).map(target).collect())
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
        let disk = self.disk();
        let has_more = |row: &&Row| disk.log.iter().any(|(id, topic, _)| *topic == row.topic && *id > row.cursor);
        let waiting = disk.rows.values().filter(|row| !row.is_disabled && row.due_at > now).filter(has_more);
        Ok(waiting.map(|row| row.due_at).min())
    }

    async fn events_in(&self, topic: &str, after: i64, limit: u32) -> Result<Vec<Entry>, &'static str> {
        let disk = self.disk();
        let events = disk.log.iter().filter(|(id, own, _)| *own == topic && *id > after);
        Ok(events.take(limit as usize).map(|(id, _, line)| Entry { id: *id, line: line.clone() }).collect())
    }

    async fn advance(&self, id: &u32, cursor: i64, due_at: Timestamp) -> Result<(), &'static str> {
        let _permit = self.pen.acquire().await.map_err(|_closed| "dead")?;
        if let Some(row) = self.disk().rows.get_mut(id) {
            (row.cursor, row.due_at, row.failures, row.failing_since, row.trouble) = (cursor, due_at, 0, None, None);
        }
        Ok(())
    }

    async fn postpone(&self, id: &u32, setback: &Setback) -> Result<(), &'static str> {
        let mut disk = self.disk();
        let row = disk.rows.get_mut(id).unwrap();
        (row.due_at, row.failures) = (setback.until, setback.failures);
        (row.failing_since, row.trouble) = (Some(setback.failing_since), Some(setback.trouble.clone()));
        Ok(())
    }

    async fn disable(&self, id: &u32, trouble: &Trouble) -> Result<(), &'static str> {
        let mut disk = self.disk();
        let row = disk.rows.get_mut(id).unwrap();
        (row.is_disabled, row.trouble) = (true, Some(trouble.clone()));
        Ok(())
    }

    async fn remove(&self, id: &u32) -> Result<(), &'static str> {
        self.disk().rows.remove(id);
        Ok(())
    }

    fn authorization(&self, audience: &str, _now: Timestamp) -> Option<String> {
        Some(format!("vapid t={audience}, k=x"))
    }
}

/// A request under way; one that is given up is not under way any more.
struct Flight<'a>(&'a House);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.wire().under_way -= 1;
    }
}

impl Transport for House {
    async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        assert_eq!(request.reach, Reach::Loopback);
        let to = request.url.as_str().rsplit(['=', '/']).next().unwrap().to_owned();
        let title = match serde_json::from_slice::<Value>(&request.body) {
            Ok(body) => body["markdown"]["content"].as_str().unwrap().replace("**", ""),
            // Nobody can read a push message here; its `Topic` names the event.
            Err(_) => request.headers.iter().find(|(name, _)| *name == "topic").unwrap().1.clone(),
        };
        let answer = {
            let mut wire = self.wire();
            wire.sent.push((self.began.elapsed(), to.clone(), title));
            wire.under_way += 1;
            wire.most_under_way = wire.most_under_way.max(wire.under_way);
            wire.answers.get_mut(to.as_str()).and_then(VecDeque::pop_front).unwrap_or(Answer::Status(200, None))
        };
        let _flight = Flight(self);
        // An answer takes a while.
        sleep(Duration::from_millis(if to.starts_with("push-slow") { 500 } else { 20 })).await;
        let response = |status, body: &str| Response { status, retry_after: None, body: body.into() };
        match answer {
            Answer::Silence => std::future::pending().await,
            Answer::NoAnswer(why) => Err(why),
            Answer::Status(200, None) => Ok(response(200, r#"{"errcode":0,"errmsg":"ok"}"#)),
            Answer::Status(status, None) => Ok(response(status, "")),
            Answer::Status(status, Some(body)) => Ok(response(status, body)),
        }
    }
}

fn channel(to: &str) -> Channel {
    let simulator = SimulatorAt::parse("http://127.0.0.1:9").unwrap();
    if to.starts_with("push") {
        let keys = json!({
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        });
        let subscription = json!({ "endpoint": format!("http://127.0.0.1:9/push/{to}"), "keys": keys });
        return Channel::WebPush(Subscription::parse(subscription.to_string().as_bytes(), Some(&simulator)).unwrap());
    }
    let address = format!("http://127.0.0.1:9/cgi-bin/webhook/send?key={to}");
    Channel::Robot(Robot::parse(Kind::Wecom, &address, None, Some(&simulator)).unwrap())
}
