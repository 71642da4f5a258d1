//! Events in, changes in, rows out. Claiming has a file of its own.

use async_trait::async_trait;
use notify_core::delivery::{Delivery, NewDelivery, State};
use notify_core::event::EventKey;
use notify_core::machine::Change;
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, InsertOutcome, Inserted, Mark, PublishBatch, PublishedEvent, Store,
    StoreError, SweepAction, SweepRequest, Swept,
};
use notify_core::{DeliveryId, Timestamp};

use crate::{DeliveryRow, EventRow, MapStore, Tables};

#[async_trait]
impl Store for MapStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        Ok(self.tables_to_write().insert(batch))
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        Ok(self.tables().claim(request))
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        let mut tables = self.tables_to_write();
        Ok(changes.iter().map(|change| tables.apply(change)).collect())
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let tables = self.tables();
        Ok(ids.iter().filter_map(|id| tables.delivery(id)).map(|row| row.delivery.clone()).collect())
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        let mut tables = self.tables_to_write();
        let (number, row) = tables.event(event).ok_or(StoreError::UnknownEvent)?;
        let created_at = row.created_at;
        Ok(deliveries.iter().filter(|new| tables.add_delivery(number, event, new, created_at)).count())
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        Ok(self.tables_to_write().sweep(request))
    }

    /// Answers at once; the engine asks again after a pause.
    async fn changed(&self, _since: Mark) -> Result<Mark, StoreError> {
        Ok(Mark(self.tables().writes))
    }

    /// A map has no clock.
    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

impl Tables {
    /// S1. Without a transaction to roll back, rows of this batch are the ones with a higher number.
    fn insert(&mut self, batch: &PublishBatch) -> InsertOutcome {
        let before = self.last_number;
        let mut answers = Vec::new();
        for (index, new) in batch.events.iter().enumerate() {
            let answer = match self.twin_of(new) {
                None => {
                    self.add_event(new, batch.now);
                    Inserted::New
                }
                Some((number, twin)) if twin.fingerprint == new.fingerprint => Inserted::Duplicate {
                    first: twin.event.key.id.clone(),
                    deliveries: self.deliveries_of(number).count(),
                },
                Some((_, twin)) => {
                    let existing = twin.event.key.id.clone();
                    self.events.split_off(&(before + 1));
                    self.deliveries.split_off(&(before + 1));
                    return InsertOutcome::Conflict { index, existing };
                }
            };
            answers.push(answer);
        }
        InsertOutcome::Stored(answers)
    }

    /// The event that has this one's id already, or its idempotency key. Both are unique for their tenant.
    fn twin_of(&self, new: &PublishedEvent) -> Option<(u64, &EventRow)> {
        let key = &new.event.key;
        let same_key = |row: &EventRow| {
            new.idempotency_key.is_some()
                && row.idempotency_key == new.idempotency_key
                && row.event.key.tenant == key.tenant
        };
        let by_key = || self.events.iter().find(|(_, row)| same_key(row)).map(|(number, row)| (*number, row));
        self.event(key).or_else(by_key)
    }

    fn add_event(&mut self, new: &PublishedEvent, created_at: Timestamp) {
        let (number, event) = (self.next_number(), std::sync::Arc::clone(&new.event));
        let (fingerprint, idempotency_key, purpose) = (new.fingerprint, new.idempotency_key.clone(), new.purpose);
        self.events.insert(number, EventRow { event, fingerprint, idempotency_key, purpose, created_at });
        for delivery in &new.deliveries {
            self.add_delivery(number, &new.event.key, delivery, created_at);
        }
    }

    /// Adds a delivery unless it exists (S14), and says whether it did not.
    fn add_delivery(&mut self, event: u64, key: &EventKey, new: &NewDelivery, created_at: Timestamp) -> bool {
        if self.delivery(&new.id).is_some() {
            return false;
        }
        let (number, delivery) = (self.next_number(), Delivery::begin(key.clone(), new, created_at));
        self.deliveries.insert(number, DeliveryRow { delivery, event, attempts: Vec::new() });
        true
    }

    /// S6, S8: row and log rows together, if and only if version and token are the expected ones.
    fn apply(&mut self, change: &Change) -> ApplyOutcome {
        let Some(row) = self.delivery_mut(&change.delivery()) else { return ApplyOutcome::Missing };
        let is_last = row.delivery.as_stored().last_change == Some(change.id());
        if is_last || row.attempts.iter().any(|(id, _)| *id == change.id()) {
            return ApplyOutcome::Applied; // it came again: its first answer was lost
        }
        let stale = ApplyOutcome::Stale { current: row.delivery.version() };
        if row.delivery.version() != change.expected() || row.delivery.token() != change.token() {
            return stale;
        }
        let Ok(next) = Delivery::restore(change.next().clone()) else { return stale };
        row.delivery = next;
        row.attempts.extend(change.attempts().iter().map(|attempt| (change.id(), attempt.clone())));
        let event = row.event;
        if let Some(row) = self.events.get(&event) {
            self.activity.note(&row.event, change);
        }
        ApplyOutcome::Applied
    }

    /// S14: rows in flight are skipped, they end at their settle or at the next claim.
    fn sweep(&mut self, request: &SweepRequest) -> Swept {
        let mut moved = 0;
        for row in self.deliveries.values_mut().filter(|row| *row.delivery.endpoint() == request.endpoint) {
            if moved == request.limit {
                break;
            }
            let mut next = row.delivery.as_stored().clone();
            next.state = match (request.action, next.state) {
                (SweepAction::Hold, State::Scheduled) => State::Held,
                (SweepAction::Release, State::Held) => State::Scheduled,
                (SweepAction::Cancel, State::Scheduled | State::Held) => State::Cancelled,
                _ => continue,
            };
            if request.action == SweepAction::Cancel {
                next.ready_at = None;
                next.settled_at = Some(request.now);
            }
            next.version = next.version.next();
            if let Ok(next) = Delivery::restore(next) {
                row.delivery = next;
                moved += 1;
            }
        }
        Swept { moved }
    }
}
