//! Targets in memory, and a transport that is told what to answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::MutexGuard;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::*;
use crate::hub::Reading;
use crate::post::{Reach, SimulatorAt};
use crate::robot::{Kind, Robot};
use crate::web_push::Subscription;

/// What is on disk.
pub(super) struct Row {
    pub(super) holder: u32,
    pub(super) topic: &'static str,
    pub(super) to: &'static str,
    pub(super) cursor: i64,
    pub(super) due_at: Timestamp,
    pub(super) failures: u32,
    pub(super) trouble: Option<Trouble>,
    pub(super) is_disabled: bool,
}

#[derive(Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<u32, Row>,
    pub(super) log: Vec<Event>,
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

    /// A target of `topic`, of an account that has no other; `to` is `robot-…` or `push-…`.
    pub(super) fn target(&self, id: u32, topic: &'static str, to: &'static str) {
        self.target_of(id, id, topic, to);
    }

    pub(super) fn target_of(&self, holder: u32, id: u32, topic: &'static str, to: &'static str) {
        let due_at = self.now();
        let row = Row { holder, topic, to, cursor: 0, due_at, failures: 0, trouble: None, is_disabled: false };
        self.disk().rows.insert(id, row);
    }

    pub(super) fn publish(&self, topic: &'static str, titles: &[&str]) {
        for title in titles {
            let mut disk = self.disk();
            let id = disk.log.len() as i64 + 1;
            let event = json!({ "type": "notice", "data": { "kind": "notice", "title": title } });
            disk.log.push(Event { id, topic: topic.into(), line: event.to_string().into() });
            drop(disk);
            self.head.send_replace(id);
        }
    }

    pub(super) fn answer(&self, to: &'static str, answers: &[Answer]) {
        self.wire().answers.entry(to).or_default().extend(answers.iter().cloned());
    }

    pub(super) fn start(&self) -> JoinHandle<()> {
        let (clock, random) = (self.clone(), |bytes: &mut [u8]| bytes.fill(0xff));
        let outbox = Outbox::new(Arc::new(self.clone()), self.clone(), self.clone(), move || clock.now(), random);
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

impl Log for House {
    fn after(&self, _after: i64, _limit: u32) -> Reading<Vec<Event>> {
        unreachable!("a target has one topic")
    }

    fn after_in(&self, topic: &str, after: i64, limit: u32, _bytes_max: usize) -> Reading<Vec<Event>> {
        let disk = self.disk();
        let events = disk.log.iter().filter(|event| &*event.topic == topic && event.id > after);
        let events = events.take(limit as usize).cloned().collect();
        Box::pin(async { Ok(events) })
    }

    fn oldest(&self) -> Reading<i64> {
        Box::pin(async { Ok(1) })
    }

    fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }
}

impl Disk {
    /// Targets that are not disabled and have something to get.
    fn waiting(&self) -> impl Iterator<Item = (&u32, &Row)> {
        let has_more = |row: &Row| self.log.iter().any(|event| &*event.topic == row.topic && event.id > row.cursor);
        self.rows.iter().filter(move |(_, row)| !row.is_disabled && has_more(row))
    }
}

impl Targets for House {
    type Id = u32;
    type Error = &'static str;

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Target<u32>>, &'static str> {
        let disk = self.disk();
        let mut due: Vec<_> = disk.waiting().filter(|(_, row)| row.due_at <= now).collect();
        due.sort_by_key(|(_, row)| row.due_at);
        let target = |(id, row): (&u32, &Row)| Target {
            id: *id,
            holder: Some(row.holder),
            topic: row.topic.into(),
            recipient: recipient(row.to),
            language: Language::English,
            cursor: row.cursor,
            failures: row.failures,
        };
        Ok(due.into_iter().take(limit as usize).map(target).collect())
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
        Ok(self.disk().waiting().map(|(_, row)| row.due_at).filter(|due_at| *due_at > now).min())
    }

    async fn advance(&self, id: &u32, cursor: i64, now: Timestamp) -> Result<(), &'static str> {
        let _permit = self.pen.acquire().await.map_err(|_closed| "dead")?;
        if let Some(row) = self.disk().rows.get_mut(id) {
            (row.cursor, row.due_at, row.failures, row.trouble) = (cursor, now, 0, None);
        }
        Ok(())
    }

    async fn postpone(&self, id: &u32, until: Timestamp, trouble: &Trouble) -> Result<(), &'static str> {
        let mut disk = self.disk();
        let row = disk.rows.get_mut(id).unwrap();
        (row.due_at, row.failures, row.trouble) = (until, row.failures + 1, Some(trouble.clone()));
        Ok(())
    }

    async fn put_off(&self, waiting: Vec<(u32, Timestamp)>) -> Result<(), &'static str> {
        let mut disk = self.disk();
        for (id, until) in waiting {
            disk.rows.get_mut(&id).unwrap().due_at = until;
        }
        Ok(())
    }

    async fn disable(&self, id: &u32, trouble: &Trouble, _now: Timestamp) -> Result<(), &'static str> {
        let mut disk = self.disk();
        let row = disk.rows.get_mut(id).unwrap();
        (row.is_disabled, row.trouble) = (true, Some(trouble.clone()));
        Ok(())
    }

    async fn remove(&self, id: &u32, _now: Timestamp) -> Result<(), &'static str> {
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

fn recipient(to: &str) -> Recipient {
    let simulator = SimulatorAt::parse("http://127.0.0.1:9").unwrap();
    if to.starts_with("push") {
        let keys = json!({
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        });
        let subscription = json!({ "endpoint": format!("http://127.0.0.1:9/push/{to}"), "keys": keys });
        return Recipient::WebPush(Subscription::parse(subscription.to_string().as_bytes(), Some(&simulator)).unwrap());
    }
    let address = format!("http://127.0.0.1:9/cgi-bin/webhook/send?key={to}");
    Recipient::Robot(Robot::parse(Kind::Wecom, &address, None, Some(&simulator)).unwrap())
}
