//! Slots that a publish took, until it is known what became of its deliveries.

use std::sync::Arc;

use crate::delivery::{NewDelivery, Start};
use crate::dispatch::{DispatchInput, Doubt};
use crate::store::Claimed;
use crate::time::Timestamp;

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
    /// Turns those of `deliveries` that are due now and for which a slot is free into leased ones.
    pub(super) fn take<'a>(
        shared: &Arc<Shared>,
        now: Timestamp,
        deliveries: impl IntoIterator<Item = &'a mut NewDelivery>,
    ) -> Self {
        let mut slots = Vec::new();
        let mut dispatcher = lock(&shared.dispatcher);
        // Read under the dispatcher's lock: the slots are this run's and no other's.
        let run = lock(&shared.inbox).run();
        if let Some(dispatcher) = dispatcher.as_mut() {
            for delivery in deliveries {
                let due = matches!(delivery.start, Start::Due(at) if at <= now);
                if let Some(reservation) = due.then(|| dispatcher.reserve(now, &delivery.endpoint)).flatten() {
                    delivery.start = Start::Leased { token: reservation.token, until: reservation.until };
                    let (endpoint, token) = (delivery.endpoint.clone(), reservation.token);
                    slots.push(Doubt { endpoint, delivery: delivery.id, token });
                }
            }
        }
        Self { shared: Arc::clone(shared), run, slots }
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
