//! In which order a storm sends what, and how far it is. Pure: the same seed gives the same order.
//!
//! The order is drawn whole before it begins: four bytes for each sending, one for each delivery.

use crate::github::hook::log::Outcome;
use crate::random::Stream;
use serde::Serialize;

/// What is to be sent, and what was.
pub(crate) struct Plan {
    /// Deliveries by number, each as often as it is to be sent; the next one is the last.
    order: Vec<u32>,
    /// By number: whether it got a 2xx.
    is_acknowledged: Vec<bool>,
    progress: Progress,
    under_way: u64,
}

/// How far a storm is. `sent` is the sum of the three below it, once nothing is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Progress {
    /// Deliveries, each with a GUID of its own.
    count: u32,
    /// Attempts whose end is known.
    sent: u64,
    /// Deliveries that got a 2xx.
    acknowledged: u64,
    /// Any further 2xx of the same delivery.
    repeated: u64,
    /// Attempts that got none; each is made again.
    failed_attempts: u64,
    /// How the last of them ended.
    last_failure: Option<String>,
    done: bool,
}

impl Plan {
    pub(crate) fn draw(count: u32, repeat_max: u32, seed: u64) -> Self {
        let mut stream = Stream::of(&["storm", &seed.to_string()]);
        let below = |stream: &mut Stream, end: u32| stream.next_below(usize::try_from(end).unwrap_or(usize::MAX));
        let mut order = Vec::new();
        for number in 0..count {
            let times = 1 + below(&mut stream, repeat_max);
            order.extend(std::iter::repeat_n(number, times));
        }
        // Fisher and Yates.
        for last in (1..order.len()).rev() {
            order.swap(last, stream.next_below(last + 1));
        }
        let is_acknowledged = vec![false; usize::try_from(count).unwrap_or(usize::MAX)];
        Self { order, is_acknowledged, progress: Progress { count, ..Progress::default() }, under_way: 0 }
    }

    /// The number of the delivery to send now; `None` when all were taken.
    pub(crate) fn next(&mut self) -> Option<u32> {
        let number = self.order.pop()?;
        self.under_way += 1;
        Some(number)
    }

    /// Notes how an attempt to send a delivery ended: is that sending over?
    pub(crate) fn note(&mut self, number: u32, outcome: &Outcome) -> bool {
        let progress = &mut self.progress;
        progress.sent += 1;
        if !outcome.is_success() {
            progress.failed_attempts += 1;
            progress.last_failure = Some(outcome.status());
            return false;
        }
        let mark = usize::try_from(number).ok().and_then(|number| self.is_acknowledged.get_mut(number));
        match mark {
            Some(is_acknowledged) if !*is_acknowledged => {
                *is_acknowledged = true;
                progress.acknowledged += 1;
            }
            _ => progress.repeated += 1,
        }
        self.under_way -= 1;
        progress.done = self.under_way == 0 && self.order.is_empty();
        true
    }

    /// The numbers of deliveries that got a 2xx, ascending.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.is_acknowledged).filter(|(_, is_acknowledged)| **is_acknowledged).map(|(number, _)| number)
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut plan: Plan) -> Vec<u32> {
        std::iter::from_fn(|| plan.next()).collect()
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, headers: Vec::new(), body: String::new() }
    }

    #[test]
    fn every_delivery_is_sent_once_to_five_times_and_out_of_order() {
        let order = taken(Plan::draw(1000, 5, 7));
        let mut times = [0_u32; 1000];
        for number in &order {
            times[*number as usize] += 1;
        }
        for expected in 1..=5 {
            assert!(times.contains(&expected), "{expected}");
        }
        assert!(times.iter().all(|times| (1..=5).contains(times)));
        let descents = order.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(descents > order.len() / 3, "{descents} of {}", order.len());
    }

    #[test]
    fn the_seed_decides_the_order() {
        let order = |seed| taken(Plan::draw(100, 5, seed));
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        assert_eq!(taken(Plan::draw(3, 1, 7)).len(), 3);
    }

    #[test]
    fn a_storm_is_done_when_the_last_sending_got_its_2xx() {
        let mut plan = Plan { order: vec![0, 1, 0], ..Plan::draw(2, 1, 0) };
        let numbers = [plan.next(), plan.next()].map(Option::unwrap);
        assert_eq!(numbers, [0, 1]);
        assert!(!plan.note(0, &Outcome::ConnectionFailed) && !plan.note(0, &answered(500)));
        assert!(plan.note(0, &answered(202)) && plan.note(1, &answered(200)));
        assert!(!plan.progress().done, "one was not taken yet");
        assert_eq!(plan.next(), Some(0));
        assert!(plan.note(0, &answered(204)));
        let expected = Progress {
            count: 2,
            sent: 5,
            acknowledged: 2,
            repeated: 1,
            failed_attempts: 2,
            last_failure: Some("Invalid HTTP Response: 500".to_owned()),
            done: true,
        };
        assert_eq!(*plan.progress(), expected);
        assert_eq!(plan.next(), None);
    }
}
