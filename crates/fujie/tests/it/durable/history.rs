//! What a grant was asked and answered, and whether any house that keeps its word could have answered so.
//!
//! An answer that was read whole is a promise. A request without one may have been carried out or not, also after a
//! crash; so the judge follows every state that the grant may be in. A history that leaves none is a broken promise:
//! an acknowledged redemption, rotation or revocation was lost, or a code was redeemed twice.

/// What was asked of one grant, all of it soon enough that neither its code nor the window for a repeated refresh
/// token is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its code.
    Redeem,
    /// A refresh token of it.
    Refresh(String),
    /// A refresh token of it, to end it (RFC 7009).
    Revoke(String),
    /// The access token of its redemption, to end that.
    RevokeAccess,
    /// The access token of its redemption, at userinfo.
    UseAccess,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, read whole, with the refresh token that came with it.
    Done(Option<String>),
    /// `invalid_grant` or `invalid_token`.
    Refused,
    /// Nothing that says whether it was carried out.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub act: Act,
    pub answer: Answer,
}

/// Steps in their order; those of one moment were under way together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(pub Vec<Vec<Step>>);

/// What the grant may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Its code waits.
    Born,
    /// `now` and `before` are the refresh tokens that are answered; one that nobody was told is `None`.
    Live {
        now: Option<String>,
        before: Option<String>,
        access_is_revoked: bool,
    },
    Ended,
}

impl History {
    pub fn push(&mut self, act: Act, answer: Answer) {
        self.0.push(vec![Step { act, answer }]);
    }

    /// The newest refresh token that somebody was told.
    pub fn newest(&self) -> Option<&str> {
        let told = |step: &Step| match &step.answer {
            Answer::Done(Some(_)) => true,
            Answer::Done(None) | Answer::Refused | Answer::Unknown => false,
        };
        let step = self.0.iter().rev().flatten().find(|step| told(step))?;
        if let Answer::Done(token) = &step.answer { token.as_deref() } else { None }
    }

    /// What to ask after a crash, so that every promise made before it shows. It ends the grant.
    pub fn questions(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.newest().is_some() {
            acts.push(Act::UseAccess);
        }
        acts.extend(self.newest().map(|token| Act::Refresh(token.to_owned())));
        // A code that may still wait is redeemed, and then comes again, which ends the grant.
        acts.extend([Act::Redeem, Act::Redeem]);
        acts.extend(self.newest().map(|token| Act::Refresh(token.to_owned())));
        acts
    }

    /// The generation before the newest, when the last answer was a rotation: it is answered with the same successor.
    /// Asked first, it would hide a rotation that was lost, because rotating again spells the same token.
    pub fn repetition(&self) -> Option<Act> {
        match self.0.last()?.as_slice() {
            [Step { act, answer: Answer::Done(_) }] if matches!(act, Act::Refresh(_)) => Some(act.clone()),
            _ => None,
        }
    }

    /// What to ask of a grant that those questions ended: nothing wakes it.
    pub fn questions_to_the_dead(&self) -> Vec<Act> {
        let mut acts = vec![Act::Redeem];
        acts.extend(self.newest().map(|token| Act::Refresh(token.to_owned())));
        acts
    }

    /// Could a house that keeps its word have answered so? Else: what shows that it did not.
    pub fn judge(&self) -> Result<(), String> {
        let mut states = vec![State::Born];
        for moment in &self.0 {
            let mut next: Vec<State> = Vec::new();
            let backwards: Vec<_> = moment.iter().rev().cloned().collect();
            for order in [moment, &backwards] {
                let one = |states: Vec<State>, step| states.iter().flat_map(|state| after(state, step)).collect();
                next.extend(order.iter().fold(states.clone(), one));
            }
            if next.is_empty() {
                return Err(format!("{moment:#?}\ncannot be after\n{states:#?}\nin\n{self:#?}"));
            }
            states.clear();
            for state in next {
                if !states.contains(&state) {
                    states.push(state);
                }
            }
        }
        Ok(())
    }
}

/// The states that `step` may leave behind; none when it could not have been answered so.
fn after(state: &State, step: &Step) -> Vec<State> {
    match (&step.answer, carried_out(state, &step.act)) {
        // Not carried out, or carried out whatever came of it; a token that came of it is nobody's.
        (Answer::Unknown, carried) => vec![state.clone(), carried.state],
        (Answer::Refused, carried) if carried.is_refused => vec![carried.state],
        (Answer::Done(token), carried) if !carried.is_refused => match (carried.state, &step.act) {
            (State::Live { now, before, access_is_revoked }, Act::Redeem | Act::Refresh(_)) => {
                // A successor that was told before must be the same one.
                let is_same = now.is_none() || now == *token;
                let now = token.clone();
                if is_same { vec![State::Live { now, before, access_is_revoked }] } else { Vec::new() }
            }
            (state, _) => vec![state],
        },
        _ => Vec::new(),
    }
}

struct Carried {
    state: State,
    is_refused: bool,
}

/// What a house that keeps its word makes of `act`.
fn carried_out(state: &State, act: &Act) -> Carried {
    let done = |state: State| Carried { state, is_refused: false };
    let refused = |state: State| Carried { state, is_refused: true };
    let State::Live { now, before, access_is_revoked } = state else {
        return match (state, act) {
            (State::Born, Act::Redeem) => done(State::Live { now: None, before: None, access_is_revoked: false }),
            // Revoking what is over already is as good as done (RFC 7009 §2.2).
            (State::Ended, Act::Revoke(_) | Act::RevokeAccess) => done(State::Ended),
            _ => refused(state.clone()),
        };
    };
    match act {
        // The code came again.
        Act::Redeem => refused(State::Ended),
        Act::Refresh(token) if before.as_ref() == Some(token) => done(state.clone()),
        Act::Refresh(token) if now.as_ref() == Some(token) => {
            let access_is_revoked = *access_is_revoked;
            done(State::Live { now: None, before: Some(token.clone()), access_is_revoked })
        }
        // A generation too old, or one that the house forgot.
        Act::Refresh(_) => refused(State::Ended),
        Act::Revoke(_) => done(State::Ended),
        Act::RevokeAccess => done(State::Live { now: now.clone(), before: before.clone(), access_is_revoked: true }),
        Act::UseAccess if *access_is_revoked => refused(state.clone()),
        Act::UseAccess => done(state.clone()),
    }
}

/// A house in a few lines, to show that the questions and the judge find what a crash takes away.
struct Pretended {
    memory: Row,
    disk: Row,
    commits_before_it_answers: bool,
}

#[derive(Clone, Copy)]
struct Row {
    is_redeemed: bool,
    generation: u32,
    access_is_revoked: bool,
    is_ended: bool,
}

impl Pretended {
    fn new(commits_before_it_answers: bool) -> Self {
        let row = Row { is_redeemed: false, generation: 0, access_is_revoked: false, is_ended: false };
        Self { memory: row, disk: row, commits_before_it_answers }
    }

    fn answer(&mut self, act: &Act) -> Answer {
        // What was answered too early is committed at last, unless a crash came first.
        self.disk = self.memory;
        let row = &mut self.memory;
        let token = |generation: u32| Answer::Done(Some(generation.to_string()));
        let answer = match act {
            Act::Redeem if row.is_redeemed => {
                row.is_ended = true;
                Answer::Refused
            }
            Act::Redeem => {
                row.is_redeemed = true;
                token(0)
            }
            Act::Revoke(_) => {
                row.is_ended = true;
                Answer::Done(None)
            }
            _ if row.is_ended => Answer::Refused,
            Act::Refresh(old) if *old == row.generation.to_string() => {
                row.generation += 1;
                token(row.generation)
            }
            Act::Refresh(old) if old.parse() == Ok(row.generation.wrapping_sub(1)) => token(row.generation),
            Act::Refresh(_) => {
                row.is_ended = true;
                Answer::Refused
            }
            Act::RevokeAccess => {
                row.access_is_revoked = true;
                Answer::Done(None)
            }
            Act::UseAccess if row.access_is_revoked => Answer::Refused,
            Act::UseAccess => Answer::Done(None),
        };
        if self.commits_before_it_answers {
            self.disk = self.memory;
        }
        answer
    }

    /// Lets `acts` happen, the last without an answer if so, crashes, and asks what there is to ask.
    fn live_through(mut self, acts: &[Act], is_last_answered: bool) -> History {
        let mut history = History::default();
        for (index, act) in acts.iter().enumerate() {
            let answer = self.answer(act);
            let is_heard = is_last_answered || index + 1 < acts.len();
            history.push(act.clone(), if is_heard { answer } else { Answer::Unknown });
        }
        self.memory = self.disk;
        let questions = [history.questions(), history.questions_to_the_dead()].concat();
        for act in questions {
            let answer = self.answer(&act);
            history.push(act, answer);
        }
        history
    }
}

/// Lives that end in each kind of act.
fn lives() -> [Vec<Act>; 6] {
    let refresh = |generation: &str| Act::Refresh(generation.to_owned());
    let revoke = Act::Revoke("1".to_owned());
    [
        vec![Act::Redeem],
        vec![Act::Redeem, refresh("0")],
        vec![Act::Redeem, refresh("0"), refresh("1")],
        vec![Act::Redeem, refresh("0"), revoke.clone()],
        vec![Act::Redeem, Act::RevokeAccess],
        vec![Act::Redeem, Act::RevokeAccess, refresh("0"), revoke],
    ]
}

#[test]
fn a_house_that_commits_before_it_answers_is_believed() {
    for acts in lives() {
        for is_last_answered in [true, false] {
            let history = Pretended::new(true).live_through(&acts, is_last_answered);
            assert_eq!(history.judge(), Ok(()), "{acts:?}");
        }
    }
    assert_eq!(Pretended::new(true).live_through(&[], true).judge(), Ok(()));
}

#[test]
fn one_acknowledged_answer_that_a_crash_took_away_is_found() {
    for acts in lives() {
        let history = Pretended::new(false).live_through(&acts, true);
        assert!(history.judge().is_err(), "{acts:?} was lost and nobody saw it: {history:#?}");
        // What nobody was told may be lost.
        let history = Pretended::new(false).live_through(&acts, false);
        assert_eq!(history.judge(), Ok(()), "{acts:?}");
    }
}

#[test]
fn a_code_that_gives_tokens_twice_is_found() {
    let step = |answer| Step { act: Act::Redeem, answer };
    let done = |token: &str| step(Answer::Done(Some(token.to_owned())));
    let judge = |moments: &[&[Step]]| History(moments.iter().map(|moment| moment.to_vec()).collect()).judge();
    assert!(judge(&[&[done("a")], &[done("b")]]).is_err());
    assert!(judge(&[&[done("a"), done("b")]]).is_err());
    assert!(judge(&[&[step(Answer::Refused)]]).is_err(), "a code that was issued and never presented is good");
    assert_eq!(judge(&[&[step(Answer::Refused), done("a")]]), Ok(()), "one of two that came together");
    assert_eq!(judge(&[&[step(Answer::Unknown)], &[done("a")], &[step(Answer::Refused)]]), Ok(()));
    assert_eq!(judge(&[&[step(Answer::Unknown)], &[step(Answer::Refused)]]), Ok(()));
}

#[test]
fn another_successor_for_the_same_refresh_token_is_found() {
    let mut history = History::default();
    history.push(Act::Redeem, Answer::Done(Some("a".to_owned())));
    history.push(Act::Refresh("a".to_owned()), Answer::Done(Some("b".to_owned())));
    let (mut other, repetition) = (history.clone(), history.repetition());
    assert_eq!(repetition, Some(Act::Refresh("a".to_owned())));
    history.push(repetition.unwrap(), Answer::Done(Some("b".to_owned())));
    assert_eq!(history.judge(), Ok(()));
    other.push(Act::Refresh("a".to_owned()), Answer::Done(Some("c".to_owned())));
    assert!(other.judge().is_err());
}
