//! A session without a socket, on a clock that is moved by hand: tokens that end, members who leave.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use fujie_channel::{
    gate::Refusal,
    hub::{Hub, Overflow},
    line::Output,
    session::{Exchange, Session},
};
use tokio::time::{advance, timeout};

use crate::{
    house::Doorman,
    memory::{Handle, Memory},
};

struct Talk {
    session: Session<Arc<Doorman>>,
    output: Output,
    doorman: Arc<Doorman>,
    memory: Arc<Memory>,
    is_over: bool,
}

impl Talk {
    /// Alice, who reads `team` and `quiet`.
    async fn of_alice() -> Self {
        let (doorman, memory) = (Doorman::new(), Memory::new());
        let hub = Hub::new(Arc::new(Handle(Arc::clone(&memory))));
        let running = Arc::clone(&hub);
        tokio::spawn(async move { running.run(std::future::pending()).await });
        let exchange = Arc::new(Exchange { hub, gate: Arc::clone(&doorman), overflow: Overflow::Cut });
        let session = Session::new(exchange);
        let mut talk = Self { session, output: Output::default(), doorman, memory, is_over: false };
        assert_eq!(talk.says("auth of-alice").await, ["ok auth"]);
        assert_eq!(talk.says("subscribe team").await, ["ok subscribe team 0"]);
        assert_eq!(talk.says("subscribe quiet").await, ["ok subscribe quiet 0"]);
        talk
    }

    /// Says a line; what is answered.
    async fn says(&mut self, line: &str) -> Vec<String> {
        let mut flow = self.session.receive(line, &mut self.output);
        while self.session.is_asking() && flow.is_continue() {
            flow = self.session.next(&mut self.output).await;
        }
        self.heard(flow)
    }

    /// What comes of itself.
    async fn hears(&mut self) -> Vec<String> {
        let mut flow = ControlFlow::Continue(());
        while let Ok(next) = timeout(Duration::from_millis(1), self.session.next(&mut self.output)).await {
            flow = next;
            if flow.is_break() {
                break;
            }
        }
        self.heard(flow)
    }

    fn heard(&mut self, flow: ControlFlow<()>) -> Vec<String> {
        self.is_over = flow.is_break();
        let lines = self.output.take_lines();
        lines.into_iter().map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
    }

    /// The events of `topic` that come now.
    async fn reads(&mut self, topic: &'static str) -> usize {
        self.memory.append(topic);
        self.hears().await.iter().filter(|line| line.starts_with("event ")).count()
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_and_members_are_asked_about_again_at_a_heartbeat_after_twenty_seconds() {
    let mut talk = Talk::of_alice().await;
    talk.doorman.set("of-alice", Err(Refusal::InvalidToken));
    advance(Duration::from_secs(19)).await;
    assert_eq!(talk.says("ping").await, ["pong"]);
    assert_eq!(talk.reads("team").await, 1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(talk.says("ping").await, ["pong", "error invalid_token the token is not valid here"]);
    assert!(talk.is_over);
}

#[tokio::test(start_paused = true)]
async fn a_member_who_left_reads_no_more_of_that_topic() {
    let mut talk = Talk::of_alice().await;
    talk.doorman.members.lock().unwrap().remove(&("alice", "team"));
    advance(Duration::from_secs(30)).await;
    let answers = talk.says("ping").await;
    assert_eq!(answers, ["pong", "error access_denied team: not a member of this topic"]);
    assert!(!talk.is_over);
    assert_eq!((talk.reads("team").await, talk.reads("quiet").await), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn who_only_reads_is_asked_about_all_the_same_before_it_reads_on() {
    let mut talk = Talk::of_alice().await;
    advance(Duration::from_secs(29)).await;
    assert_eq!(talk.reads("team").await, 1);
    talk.doorman.set("of-alice", Err(Refusal::InvalidToken));
    advance(Duration::from_secs(1)).await;
    assert_eq!(talk.reads("team").await, 0);
    assert!(talk.is_over);
}

#[tokio::test(start_paused = true)]
async fn to_say_again_who_one_is_puts_no_question_off() {
    let mut talk = Talk::of_alice().await;
    talk.doorman.members.lock().unwrap().remove(&("alice", "team"));
    for _ in 0..3 {
        advance(Duration::from_secs(15)).await;
        assert_eq!(talk.says("auth of-alice").await.first().unwrap(), "ok auth");
    }
    assert_eq!((talk.reads("team").await, talk.reads("quiet").await), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_cannot_decide_ends_nothing_for_two_minutes() {
    let mut talk = Talk::of_alice().await;
    talk.doorman.set("of-alice", Err(Refusal::Unavailable));
    for _ in 0..4 {
        advance(Duration::from_secs(29)).await;
        assert_eq!(talk.says("ping").await, ["pong"]);
        assert_eq!(talk.reads("team").await, 1);
    }
    advance(Duration::from_secs(20)).await;
    assert_eq!(talk.says("ping").await, ["pong", "error temporarily_unavailable not now, come again later"]);
    assert!(talk.is_over);
}

#[tokio::test(start_paused = true)]
async fn a_session_may_take_a_newer_token_before_the_first_ends() {
    let mut talk = Talk::of_alice().await;
    talk.doorman.set("newer", Ok("alice"));
    advance(Duration::from_secs(20)).await;
    assert_eq!(talk.says("auth newer").await, ["ok auth"]);
    talk.doorman.set("of-alice", Err(Refusal::InvalidToken));
    advance(Duration::from_secs(30)).await;
    assert_eq!(talk.says("ping").await, ["pong"]);
    assert_eq!(talk.reads("team").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_beyond_the_log_begins_at_its_head() {
    let mut talk = Talk::of_alice().await;
    for _ in 0..3 {
        talk.reads("team").await;
    }
    assert_eq!(talk.says("subscribe team 1000").await, ["ok subscribe team 3"]);
    assert_eq!(talk.reads("team").await, 1);
}
