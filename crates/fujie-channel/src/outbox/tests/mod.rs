//! The dispatcher at work; time is tokio's, paused.

mod house;

use tokio::sync::Semaphore;

use super::*;
use house::{Answer, House};

const MINUTE: Duration = Duration::from_secs(60);

const BUSY: Answer = Answer::Status(200, Some(r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#));
const WRONG: Answer = Answer::Status(200, Some(r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#));

#[tokio::test(start_paused = true)]
async fn what_is_published_is_heard_once_and_in_order() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.target(2, "other", "robot-b");
    house.target(3, "team", "push-c");
    let run = house.start();
    house.pass(MINUTE).await;
    house.publish("team", &["one", "two", "three"]);
    house.pass(MINUTE).await;
    house.publish("other", &["four"]);
    house.publish("team", &["five"]);
    house.pass(MINUTE).await;
    assert_eq!(house.heard("robot-a"), ["Notice: one", "Notice: two", "Notice: three", "Notice: five"]);
    assert_eq!(house.heard("robot-b"), ["Notice: four"]);
    assert_eq!(house.heard("push-c"), ["event-1", "event-2", "event-3", "event-5"]);
    // At once, when something was published: not at the next round.
    assert_eq!(house.times("robot-a"), [60, 60, 60, 120]);
    assert!(house.disk().rows.values().all(|row| row.trouble.is_none()));
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_later_and_later_and_forgotten_when_it_goes() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.answer("robot-a", &[Answer::Status(503, None), Answer::Silence, Answer::NoAnswer(NoAnswer::Unreachable)]);
    house.publish("team", &["one", "two"]);
    let run = house.start();
    house.pass(Duration::from_secs(3)).await;
    {
        let disk = house.disk();
        let row = &disk.rows[&1];
        assert_eq!((row.failures, row.cursor), (1, 0));
        assert_eq!(row.trouble.as_ref().unwrap().to_string(), "server_fault: HTTP 503");
    }
    house.pass(2 * MINUTE).await;
    assert_eq!(house.heard("robot-a"), ["Notice: one", "Notice: one", "Notice: one", "Notice: one", "Notice: two"]);
    // 5 s, then 10 s after an answer that did not come within 10 s, then 20 s.
    let times = house.times("robot-a");
    let near = |time: u64, expected: u64| (expected..=expected + 3).contains(&time);
    assert!(near(times[1], 5) && near(times[2], 25) && near(times[3], 45), "{times:?}");
    let disk = house.disk();
    let row = &disk.rows[&1];
    assert_eq!((row.failures, row.trouble.clone(), row.cursor), (0, None, 2));
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_asks_for_is_waited_for() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.answer("robot-a", &[BUSY]);
    house.publish("team", &["one"]);
    let run = house.start();
    house.pass(Duration::from_secs(58)).await;
    assert_eq!(house.heard("robot-a").len(), 1);
    house.pass(Duration::from_secs(10)).await;
    assert_eq!(house.heard("robot-a").len(), 2);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_dead_target_keeps_nobody_waiting() {
    let house = House::new();
    for id in 0..40 {
        let to: &'static str = format!("robot-dead-{id}").leak();
        house.target(id, "team", to);
        house.answer(to, &[Answer::Silence, Answer::Silence, Answer::Silence]);
    }
    house.target(99, "team", "robot-alive");
    house.publish("team", &["one"]);
    let run = house.start();
    // 40 dead ones before it, 16 at a time, 10 s each.
    house.pass(Duration::from_secs(40)).await;
    assert_eq!(house.heard("robot-alive"), ["Notice: one"]);
    // By now the dead ones wait longer and longer.
    house.publish("team", &["two"]);
    house.pass(Duration::from_secs(25)).await;
    assert_eq!(house.heard("robot-alive"), ["Notice: one", "Notice: two"]);
    assert!(house.wire().most_under_way <= SENDS_MAX);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn an_account_with_more_dead_targets_than_are_looked_at_keeps_no_other_waiting() {
    let house = House::new();
    for id in 0..DUE_MAX + 100 {
        let to: &'static str = format!("robot-dead-{id}").leak();
        house.target_of(7777, id, "team", to);
        house.answer(to, &[Answer::Silence]);
    }
    house.target(9999, "team", "robot-alive");
    house.publish("team", &["one"]);
    let run = house.start();
    house.pass(Duration::from_secs(5)).await;
    assert_eq!(house.heard("robot-alive"), ["Notice: one"]);
    assert_eq!(house.wire().most_under_way, SENDS_PER_HOLDER_MAX + 1);
    assert!(house.disk().rows.values().all(|row| row.failures == 0), "to wait is no failure");
    // Those that waited have their turn when the first are given up.
    house.pass(Duration::from_secs(10)).await;
    assert_eq!(house.wire().sent.len(), 2 * SENDS_PER_HOLDER_MAX + 1);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_busy_target_takes_its_turn() {
    let house = House::new();
    for id in 0..20 {
        house.target(id, "busy", format!("push-busy-{id}").leak());
    }
    house.target(99, "team", "push-quiet");
    let run = house.start();
    let titles: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    house.publish("busy", &titles.iter().map(String::as_str).collect::<Vec<_>>());
    house.pass(Duration::from_millis(100)).await;
    house.publish("team", &["one"]);
    house.pass(Duration::from_millis(300)).await;
    assert_eq!(house.heard("push-quiet"), ["event-51"]);
    let done: usize = (0..20).map(|id| house.heard(&format!("push-busy-{id}")).len()).sum();
    assert!(done < 20 * 50, "it was not over when the quiet one had its turn");
    assert!(house.wire().most_under_way <= SENDS_MAX);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn one_target_has_one_request_at_a_time() {
    let house = House::new();
    house.target(1, "team", "push-slow");
    house.publish("team", &["one", "two", "three", "four"]);
    let run = house.start();
    house.pass(Duration::from_secs(5)).await;
    assert_eq!(house.heard("push-slow"), ["event-1", "event-2", "event-3", "event-4"]);
    assert_eq!(house.wire().most_under_way, 1);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_has_ended_is_removed() {
    let house = House::new();
    house.target(1, "team", "push-a");
    house.target(2, "team", "push-b");
    house.answer("push-a", &[Answer::Status(404, None)]);
    house.answer("push-b", &[Answer::Status(201, None), Answer::Status(410, None)]);
    house.publish("team", &["one", "two"]);
    let run = house.start();
    house.pass(MINUTE).await;
    assert!(house.disk().rows.is_empty());
    assert_eq!((house.heard("push-a").len(), house.heard("push-b").len()), (1, 2));
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn three_days_of_failures_disable_a_target_and_say_why() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.answer("robot-a", &vec![WRONG; 500]);
    house.publish("team", &["one"]);
    let run = house.start();
    // Here every wait is the longest: 83 h in all. With even luck it is 72 h.
    house.pass(82 * 60 * MINUTE).await;
    assert!(!house.disk().rows[&1].is_disabled);
    assert_eq!(house.disk().rows[&1].trouble.as_ref().unwrap().cause, Cause::Address);
    house.pass(2 * 60 * MINUTE).await;
    let attempts = house.heard("robot-a").len();
    assert!(house.disk().rows[&1].is_disabled && attempts == 92, "{attempts}");
    assert_eq!(house.disk().rows[&1].trouble.as_ref().unwrap().to_string(), "address: 93000 invalid webhook url");
    house.publish("team", &["two"]);
    house.pass(5 * 60 * MINUTE).await;
    assert_eq!(house.heard("robot-a").len(), attempts);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_does_not_stop_the_next() {
    let house = House::new();
    house.target(1, "team", "push-a");
    house.answer("push-a", &[Answer::Status(413, None)]);
    house.publish("team", &["one", "two"]);
    let run = house.start();
    house.pass(MINUTE).await;
    assert_eq!(house.heard("push-a"), ["event-1", "event-2"]);
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_for_a_robot_comes_in_one_message() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    let titles: Vec<_> = (1..=30).map(|number| number.to_string()).collect();
    house.publish("team", &titles.iter().map(String::as_str).collect::<Vec<_>>());
    let run = house.start();
    house.pass(Duration::from_secs(4)).await;
    let heard = house.heard("robot-a");
    assert_eq!(heard.len(), 8);
    assert_eq!(heard[6], "Notice: 7");
    assert_eq!(heard[7], "23 more events\nNotice: 8\nNotice: 9\nNotice: 10\nNotice: 11\nNotice: 12\n… and 18 more");
    assert_eq!(house.disk().rows[&1].cursor, 30);
    // What comes while the bucket is empty waits for the next token.
    house.publish("team", &["31", "32"]);
    house.pass(Duration::from_secs(5)).await;
    assert_eq!(house.heard("robot-a")[8], "2 more events\nNotice: 31\nNotice: 32");
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn two_targets_with_one_robot_share_its_pace() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.target(2, "other", "robot-a");
    for _ in 0..100 {
        house.publish("team", &["x"]);
        house.publish("other", &["y"]);
    }
    let run = house.start();
    house.pass(Duration::from_secs(59)).await;
    assert!(house.heard("robot-a").len() <= 20, "{}", house.heard("robot-a").len());
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_answer_and_cursor_repeats_exactly_that_message() {
    let house = House::new();
    house.target(1, "team", "robot-a");
    house.target(2, "team", "push-b");
    house.publish("team", &["one", "two", "three"]);
    // Three answers are noted, whichever; then the power fails.
    house.pen.forget_permits(Semaphore::MAX_PERMITS);
    let run = house.start();
    for _ in 0..3 {
        house.pen.add_permits(1);
        house.pass(Duration::from_millis(200)).await;
        house.pen.forget_permits(1);
    }
    house.pass(MINUTE).await;
    let cursors = |house: &House| house.disk().rows.values().map(|row| row.cursor).collect::<Vec<_>>();
    let before: i64 = cursors(&house).iter().sum();
    let sent_before = house.wire().sent.len();
    run.abort();
    let _cancelled = run.await;

    house.pen.add_permits(1000);
    let run = house.start();
    house.pass(MINUTE).await;
    assert_eq!(cursors(&house), [3, 3]);
    let sent_again = house.wire().sent.len() - sent_before;
    assert_eq!(sent_again as i64, 6 - before, "from the cursors on, and nothing else");
    for (to, first) in [("robot-a", "Notice: one"), ("push-b", "event-1")] {
        let heard = house.heard(to);
        let mut once = heard.clone();
        once.dedup();
        assert_eq!((once.len(), once[0].as_str()), (3, first), "{heard:?}");
        assert!(heard.len() <= 4, "one is repeated, and it comes right behind itself: {heard:?}");
    }
    let repeated = house.heard("robot-a").len() + house.heard("push-b").len() - 6;
    assert_eq!(repeated, usize::try_from(before).unwrap().abs_diff(sent_before), "what was under way");
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn on_stopping_what_is_under_way_is_noted() {
    let house = House::new();
    house.target(1, "team", "push-slow");
    house.publish("team", &["one", "two"]);
    let (clock, random) = (house.clone(), |bytes: &mut [u8]| bytes.fill(0));
    let outbox = Outbox::new(Arc::new(house.clone()), house.clone(), house.clone(), move || clock.now(), random);
    outbox.run(sleep(Duration::from_millis(100))).await;
    assert_eq!((house.heard("push-slow").len(), house.disk().rows[&1].cursor), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn waits_after_failures_grow_to_an_hour_and_are_spread() {
    let house = House::new();
    let outbox = |fill: u8| {
        let clock = house.clone();
        let random = move |bytes: &mut [u8]| bytes.fill(fill);
        Outbox::new(Arc::new(house.clone()), house.clone(), house.clone(), move || clock.now(), random)
    };
    let (short, long) = (outbox(0), outbox(0xff));
    let seconds = |outbox: &Outbox<House, House>, failures| outbox.back_off(failures).as_secs_f64();
    assert_eq!((seconds(&short, 0), seconds(&long, 0)), (3.75, 5.0));
    assert_eq!((seconds(&short, 3), seconds(&long, 3)), (30.0, 40.0));
    assert_eq!((seconds(&short, 20), seconds(&long, u32::MAX)), (2700.0, 3600.0));
}
