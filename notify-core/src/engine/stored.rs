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
    let (mut leased, mut waiting) = (Vec::new(), Vec::new());
    for (published, receipt) in batch.events.iter().zip(receipts).filter(|(_, receipt)| !receipt.duplicate) {
        sort_out(shared, published, batch.now, &mut leased, &mut waiting);
        let (event, deliveries) = (&published.event.key, receipt.deliveries);
        shared.observe(&Observation::Published { event, deliveries });
    }
    reserved.hand_over(leased);
    if !waiting.is_empty() {
        shared.push_if_running(DispatchInput::StoredDue(waiting));
    }
    look_again(shared, born_held(batch)).await;
}

fn sort_out(
    shared: &Shared,
    published: &PublishedEvent,
    now: Timestamp,
    leased: &mut Vec<Claimed>,
    waiting: &mut Vec<EndpointId>,
) {
    for new in &published.deliveries {
        match new.start {
            Start::Leased { .. } => leased.push(claimed(published, new, now)),
            Start::Due(at) if at <= now => waiting.push(new.endpoint.clone()),
            Start::Due(at) => shared.push_if_running(DispatchInput::DueAt(at)),
            Start::Held(_) => {}
        }
    }
}

fn born_held(batch: &PublishBatch) -> Vec<EndpointId> {
    let deliveries = batch.events.iter().flat_map(|event| &event.deliveries);
    let held = deliveries.filter(|delivery| matches!(delivery.start, Start::Held(_)));
    held.map(|delivery| delivery.endpoint.clone()).collect()
}

/// The row as the insert left it.
fn claimed(published: &PublishedEvent, new: &NewDelivery, now: Timestamp) -> Claimed {
    Claimed { delivery: Delivery::begin(published.event.key.clone(), new, now), event: Arc::clone(&published.event) }
}
