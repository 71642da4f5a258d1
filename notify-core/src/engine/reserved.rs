//! Slots that a publish took, until it is known what became of its deliveries.

use std::sync::Arc;

use crate::delivery::{NewDelivery, Start};
use crate::dispatch::{DispatchInput, Doubt};
use crate::store::Claimed;
use crate::time::Timestamp;

use super::shared::{Shared, lock};

/// If it is dropped undecided (the publish's future was dropped, or the store did not answer), the dispatcher finds
/// out what was stored.
#[derive(Debug)]
pub(super) struct Reserved {
    shared: Arc<Shared>,
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
        if let Some(dispatcher) = lock(&shared.dispatcher).as_mut() {
            for delivery in deliveries {
                let due = matches!(delivery.start, Start::Due(at) if at <= now);
                if let Some(reservation) = due.then(|| dispatcher.reserve(now, &delivery.endpoint)).flatten() {
                    delivery.start = Start::Leased { token: reservation.token, until: reservation.until };
                    let (endpoint, token) = (delivery.endpoint.clone(), reservation.token);
                    slots.push(Doubt { endpoint, delivery: delivery.id, token });
                }
            }
        }
        Self { shared: Arc::clone(shared), slots }
    }

    /// Nothing was stored.
    pub(super) fn release_all(mut self) {
        self.release();
    }

    /// These were stored under their lease; nothing was stored for the others.
    pub(super) fn hand_over(mut self, stored: Vec<Claimed>) {
        self.slots.retain(|slot| !stored.iter().any(|claimed| claimed.delivery.id() == slot.delivery));
        self.release();
        if !stored.is_empty() {
            self.shared.push(DispatchInput::Handed(stored));
        }
    }

    fn release(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        if !slots.is_empty() {
            self.shared.push(DispatchInput::Released(slots.into_iter().map(|slot| slot.endpoint).collect()));
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        if !slots.is_empty() {
            self.shared.push(DispatchInput::Doubtful(slots));
        }
    }
}
