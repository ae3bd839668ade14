//! Deliveries of a source: what is in our inbox, beside what GitHub says it sent. The difference is what did not arrive.

use std::collections::HashSet;

use fujie_client::{Github, HookDelivery, ProviderError};
use fujie_store::{Delivered, StoreError};

use super::hook_at_github::Made;
use crate::{
    page::{DeliveryRow, DeliveryState},
    server::Server,
};

/// Deliveries of our own that are listed.
const LISTED_MAX: u32 = 50;
/// Deliveries that GitHub is asked for again by one press of a button.
const AGAIN_MAX: usize = 50;

/// What came in, newest first.
pub(super) async fn received(server: &Server, integration: &str) -> Result<Vec<DeliveryRow>, StoreError> {
    Ok(server.store.deliveries(integration, None, LISTED_MAX).await?.into_iter().map(row).collect())
}

/// What GitHub says it sent, each marked whether it is here; behind it what came in and GitHub does not list any more.
pub(super) async fn compared(
    server: &Server,
    integration: &str,
    listed: Vec<HookDelivery>,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let sent = latest_attempts(listed);
    let names: Vec<_> = sent.iter().map(|attempt| attempt.guid.clone()).collect();
    let here = server.store.received(integration, &names).await?;
    let mut rows: Vec<_> = sent.into_iter().map(|attempt| attempted(attempt, &here)).collect();
    let older = server.store.deliveries(integration, None, LISTED_MAX).await?;
    rows.extend(older.into_iter().filter(|own| !names.contains(&own.delivery)).map(row));
    rows.sort_by_key(|row| std::cmp::Reverse(row.at_milliseconds));
    Ok(rows)
}

/// How many did not arrive.
pub(super) fn missing(rows: &[DeliveryRow]) -> usize {
    rows.iter().filter(|row| matches!(row.state, DeliveryState::Missing { .. })).count()
}

/// Asks GitHub to deliver again what is not here, and gives how many it was asked for. One refusal ends it, unless some
/// were asked for before.
pub(super) async fn again_all(
    server: &Server,
    integration: &str,
    api: Github<'_>,
    hook: Made<'_>,
) -> Result<Result<usize, ProviderError>, StoreError> {
    let listed = match api.hook_deliveries(hook.repository, hook.id, None).await {
        Ok(part) => part.items,
        Err(error) => return Ok(Err(error)),
    };
    let sent = latest_attempts(listed);
    let names: Vec<_> = sent.iter().map(|attempt| attempt.guid.clone()).collect();
    let here = server.store.received(integration, &names).await?;
    let is_here = |attempt: &HookDelivery| here.iter().any(|own| own.delivery == attempt.guid);
    // The oldest first: they come in the order in which they happened, as far as GitHub keeps it.
    let missing = sent.iter().rev().filter(|attempt| !is_here(attempt)).take(AGAIN_MAX);
    let mut count = 0;
    for attempt in missing {
        match api.deliver_again(hook.repository, hook.id, attempt.id).await {
            Ok(()) => count += 1,
            Err(error) if count == 0 => return Ok(Err(error)),
            Err(_) => break,
        }
    }
    Ok(Ok(count))
}

/// The last attempt of each event, in the order of the list, which has the newest first.
fn latest_attempts(listed: Vec<HookDelivery>) -> Vec<HookDelivery> {
    let mut seen = HashSet::new();
    listed.into_iter().filter(|attempt| seen.insert(attempt.guid.clone())).collect()
}

fn attempted(attempt: HookDelivery, here: &[Delivered]) -> DeliveryRow {
    let event = match &attempt.action {
        Some(action) => format!("{}.{action}", attempt.event),
        None => attempt.event,
    };
    let at = attempt.delivered_at.map_or(0, |at| at.millis());
    match here.iter().find(|own| own.delivery == attempt.guid) {
        Some(own) => DeliveryRow { event, ..row(own.clone()) },
        None => DeliveryRow {
            name: attempt.guid,
            event,
            at_milliseconds: at,
            state: DeliveryState::Missing { status: attempt.status },
            attempt: Some(attempt.id.to_string()),
        },
    }
}

fn row(own: Delivered) -> DeliveryRow {
    DeliveryRow {
        name: own.delivery,
        event: own.event,
        at_milliseconds: own.received_at.millis(),
        state: DeliveryState::Received,
        attempt: None,
    }
}
