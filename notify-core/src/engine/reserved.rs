//! Slots that a publish took, until it is known what became of its deliveries.

use std::sync::Arc;

use crate::delivery::Start;
use crate::dispatch::{DispatchInput, Dispatcher, Doubt, Reservation};
use crate::store::{Claimed, PublishBatch};

use super::crowd::Places;
use super::shared::{RunNumber, Shared, lock};

/// If it is dropped undecided (the publish's future was dropped, or the store did not answer), the dispatcher finds
/// out what was stored.
#[derive(Debug)]
pub(super) struct Reserved {
    shared: Arc<Shared>,
    run: RunNumber,
    slots: Vec<Doubt>,
}

impl Reserved {
    pub(super) fn none(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), run: RunNumber::default(), slots: Vec::new() }
    }

    /// Turns those of the batch's deliveries that are due now and find a place into leased ones. May be called again
    /// for the others.
    pub(super) fn take(&mut self, batch: &mut PublishBatch) -> Places {
        let mut dispatcher = lock(&self.shared.dispatcher);
        // Read under the dispatcher's lock: the places are this run's and no other's.
        let run = lock(&self.shared.inbox).run();
        let Some(dispatcher) = dispatcher.as_mut().filter(|_| self.slots.is_empty() || self.run == run) else {
            return Places::Settled;
        };
        self.run = run;
        lease_fresh(dispatcher, batch, &mut self.slots)
    }

    /// Nothing was stored.
    pub(super) fn release_all(mut self) {
        self.release();
    }

    /// These were stored under their lease; nothing was stored for the others. Told apart by the token: a batch may
    /// name the same event twice, and then only one of the two is stored.
    pub(super) fn hand_over(mut self, stored: Vec<Claimed>) {
        self.slots.retain(|slot| !stored.iter().any(|claimed| claimed.delivery.token() == Some(slot.token)));
        self.release();
        if !stored.is_empty() {
            self.shared.push(self.run, DispatchInput::Handed(stored));
        }
    }

    fn release(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        if !slots.is_empty() {
            let endpoints = slots.into_iter().map(|slot| slot.endpoint).collect();
            self.shared.push(self.run, DispatchInput::Released(endpoints));
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        if !slots.is_empty() {
            self.shared.push(self.run, DispatchInput::Doubtful(slots));
        }
    }
}

/// Turns those of the batch's deliveries that are due now and find a place into leased ones, and notes each.
pub(crate) fn lease_fresh(dispatcher: &mut Dispatcher, batch: &mut PublishBatch, taken: &mut Vec<Doubt>) -> Places {
    let (now, mut places) = (batch.now, Places::Settled);
    for delivery in batch.events.iter_mut().flat_map(|event| &mut event.deliveries) {
        if !matches!(delivery.start, Start::Due(at) if at <= now) {
            continue;
        }
        if let Some(Reservation { token, until }) = dispatcher.reserve(now, &delivery.endpoint) {
            delivery.start = Start::Leased { token, until };
            taken.push(Doubt { endpoint: delivery.endpoint.clone(), delivery: delivery.id, token });
        } else if dispatcher.is_crowded(now, &delivery.endpoint) {
            places = Places::Crowded;
        }
    }
    places
}
