//! How often each of a provider's paths was called: what a test asks when something may happen only once.
//!
//! Counts what arrives, also what a fault then spoils. Not here: `/_simulate` itself, and what a call said.

use crate::simulation::{Provider, Simulation};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::BTreeMap;
use std::sync::Arc;

/// At most so many paths; whoever makes paths up is not counted beyond.
const PATHS_MAX: usize = 1000;

/// Calls by path.
pub(crate) type Tally = BTreeMap<String, u64>;

/// Counts a call and lets it pass.
pub(crate) async fn count<P: Provider>(
    State(simulation): State<Arc<Simulation<P>>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path != "/_simulate" && !path.starts_with("/_simulate/") {
        add(&mut simulation.world().scene_mut().calls, path);
    }
    next.run(request).await
}

fn add(calls: &mut Tally, path: &str) {
    if calls.len() < PATHS_MAX || calls.contains_key(path) {
        let count = calls.entry(path.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_paths_come_to_an_end() {
        let mut calls = Tally::new();
        for number in 0..=PATHS_MAX {
            add(&mut calls, &format!("/{number}"));
        }
        add(&mut calls, "/0");
        assert_eq!((calls.len(), calls.get("/0")), (PATHS_MAX, Some(&2)));
    }
}
