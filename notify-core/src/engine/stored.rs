//! What follows once events are stored: receipts, and word to the engine.

use std::sync::Arc;

use crate::delivery::{Delivery, NewDelivery, Start};
use crate::dispatch::DispatchInput;
use crate::id::EndpointId;
use crate::observe::Observation;
use crate::store::{Claimed, Inserted, PublishBatch, PublishedEvent};
use crate::time::Timestamp;

use super::held::look_again;
use super::publisher::Receipt;
use super::reserved::Reserved;
use super::shared::Shared;

/// One receipt for each event of the batch, in order.
pub(super) fn receipts(batch: &PublishBatch, answers: Vec<Inserted>) -> Vec<Receipt> {
    let receipt = |(published, answer): (&PublishedEvent, Inserted)| match answer {
        Inserted::Duplicate { first, deliveries } => Receipt { event_id: first, deliveries, duplicate: true },
        Inserted::New => Receipt {
            event_id: published.event.key.id.clone(),
            deliveries: published.deliveries.len(),
            duplicate: false,
        },
    };
    batch.events.iter().zip(answers).map(receipt).collect()
}

/// Tells the observer and the running engine what is new, and looks again at what was born held.
pub(super) async fn announce(shared: &Shared, batch: &PublishBatch, receipts: &[Receipt], reserved: Reserved) {
    for (published, receipt) in batch.events.iter().zip(receipts).filter(|(_, receipt)| !receipt.duplicate) {
        let (event, deliveries) = (&published.event.key, receipt.deliveries);
        shared.observe(&Observation::Published { event, deliveries });
    }
    let fresh = Fresh::of(batch, receipts.iter().map(|receipt| !receipt.duplicate));
    reserved.hand_over(fresh.leased);
    for at in fresh.later {
        shared.push_if_running(DispatchInput::DueAt(at));
    }
    if !fresh.waiting.is_empty() {
        shared.push_if_running(DispatchInput::StoredDue(fresh.waiting));
    }
    look_again(shared, born_held(batch)).await;
}

/// What the dispatcher must hear of a batch that was stored.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    /// Rows that were stored under a reservation's lease.
    pub(crate) leased: Vec<Claimed>,
    /// Endpoints with deliveries that are due now.
    pub(crate) waiting: Vec<EndpointId>,
    /// When others are due.
    pub(crate) later: Vec<Timestamp>,
}

impl Fresh {
    /// `is_new` says of each event, in order, whether it is new.
    pub(crate) fn of(batch: &PublishBatch, is_new: impl IntoIterator<Item = bool>) -> Self {
        let mut fresh = Self::default();
        for (published, _) in batch.events.iter().zip(is_new).filter(|(_, is_new)| *is_new) {
            for new in &published.deliveries {
                match new.start {
                    Start::Leased { .. } => fresh.leased.push(claimed(published, new, batch.now)),
                    Start::Due(at) if at <= batch.now => fresh.waiting.push(new.endpoint.clone()),
                    Start::Due(at) => fresh.later.push(at),
                    Start::Held(_) => {}
                }
            }
        }
        fresh
    }
}

/// The endpoints with deliveries that were born held.
pub(crate) fn born_held(batch: &PublishBatch) -> Vec<EndpointId> {
    let deliveries = batch.events.iter().flat_map(|event| &event.deliveries);
    let held = deliveries.filter(|delivery| matches!(delivery.start, Start::Held(_)));
    held.map(|delivery| delivery.endpoint.clone()).collect()
}

/// The row as the insert left it.
fn claimed(published: &PublishedEvent, new: &NewDelivery, now: Timestamp) -> Claimed {
    Claimed { delivery: Delivery::begin(published.event.key.clone(), new, now), event: Arc::clone(&published.event) }
}
