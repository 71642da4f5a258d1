//! The store's contract as a plain struct: no IO, no lock, no clock. The memory store wraps it, and other stores
//! are compared with it.

#[cfg(any(test, feature = "testing"))]
mod check;
mod claim;
mod endpoints;
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::delivery::{Attempt, Delivery, NewDelivery, State};
use crate::endpoint::Endpoint;
use crate::event::{Event, EventKey, Fingerprint, Purpose};
use crate::id::{ChangeId, ClaimToken, DeliveryId, EndpointId, EventId, IdempotencyKey, TenantId};
use crate::machine::Change;
use crate::time::Timestamp;

use super::activity::{Activity, ActivityQuery, Tally};
use super::{ApplyOutcome, InsertOutcome, Inserted, PublishBatch, StoreError, SweepAction, SweepRequest, Swept};

/// Everything that a store keeps. Each method is one atomic step.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    events: FxHashMap<EventKey, EventRow>,
    events_by_number: BTreeMap<u64, EventKey>,
    events_by_key: BTreeMap<(TenantId, IdempotencyKey), EventId>,
    /// Boxed: a map moves its entries about.
    deliveries: FxHashMap<DeliveryId, Box<DeliveryRow>>,
    deliveries_by_number: BTreeMap<u64, DeliveryId>,
    index: Index,
    /// What past claims got, until their leases end.
    claims: FxHashMap<ClaimToken, Vec<DeliveryId>>,
    claims_by_end: BTreeSet<(Timestamp, ClaimToken)>,
    endpoints: BTreeMap<EndpointId, EndpointRow>,
    endpoints_by_number: BTreeMap<u64, EndpointId>,
    activity: Tally,
    last_number: u64,
    last_turn: u64,
    /// How often somebody wrote what another engine would want to see.
    writes: u64,
}

#[derive(Clone, Debug)]
struct EventRow {
    number: u64,
    event: Arc<Event>,
    fingerprint: Fingerprint,
    idempotency_key: Option<IdempotencyKey>,
    purpose: Purpose,
    created_at: Timestamp,
    deliveries: Vec<DeliveryId>,
}

#[derive(Clone, Debug)]
struct DeliveryRow {
    number: u64,
    delivery: Delivery,
    event: Arc<Event>,
    purpose: Purpose,
    attempts: Vec<(ChangeId, Attempt)>,
}

/// Which rows may be claimed, which are held, and how many stand where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Index {
    queues: FxHashMap<EndpointId, Queue>,
    /// In the order of the states.
    tally: BTreeMap<TenantId, [u64; State::ALL.len()]>,
}

/// One endpoint's open rows, in the order in which they may be claimed: by time, then by number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Queue {
    claimable: BTreeMap<(Timestamp, u64), DeliveryId>,
    held: BTreeMap<(Timestamp, u64), DeliveryId>,
    /// When it was served last, in turns: the one that waits longest is served next.
    turn: u64,
}

#[derive(Clone, Debug)]
struct EndpointRow {
    number: u64,
    endpoint: Arc<Endpoint>,
    deleted: bool,
}

impl Model {
    pub(super) fn insert(&mut self, batch: &PublishBatch) -> InsertOutcome {
        // Everything is judged before anything is written (S1); events of this batch count as existing.
        let mut answers = Vec::with_capacity(batch.events.len());
        let mut new: BTreeMap<&EventKey, usize> = BTreeMap::new();
        let mut new_keys: BTreeMap<(&TenantId, &IdempotencyKey), usize> = BTreeMap::new();
        for (index, published) in batch.events.iter().enumerate() {
            let key = &published.event.key;
            let by_key = published.idempotency_key.as_ref().map(|idempotency| (&key.tenant, idempotency));
            let in_batch = |index: &usize| {
                let first = &batch.events[*index];
                // A pair of event and endpoint that comes twice is one delivery.
                let pairs: BTreeSet<DeliveryId> = first.deliveries.iter().map(|new| new.id).collect();
                (first.event.key.id.clone(), first.fingerprint, pairs.len())
            };
            let stored = |row: &EventRow| (row.event.key.id.clone(), row.fingerprint, row.deliveries.len());
            // The id decides before the key, as if the events came one after the other.
            let existing = new
                .get(key)
                .map(in_batch)
                .or_else(|| self.events.get(key).map(stored))
                .or_else(|| by_key.and_then(|by_key| new_keys.get(&by_key)).map(in_batch))
                .or_else(|| by_key.and_then(|by_key| self.event_by_key(by_key)).map(stored));
            answers.push(match existing {
                None => {
                    new.insert(key, index);
                    if let Some(by_key) = by_key {
                        new_keys.insert(by_key, index);
                    }
                    Inserted::New
                }
                Some((first, fingerprint, deliveries))
                    if fingerprint == published.fingerprint || planted!(ConflictForgotten) =>
                {
                    Inserted::Duplicate { first, deliveries }
                }
                Some((existing, ..)) => return InsertOutcome::Conflict { index, existing },
            });
        }
        for (published, answer) in batch.events.iter().zip(&answers) {
            if *answer == Inserted::New {
                self.write_event(published, batch.now);
            }
        }
        InsertOutcome::Stored(answers)
    }

    pub(super) fn load(&self, ids: &[DeliveryId]) -> Vec<Delivery> {
        ids.iter().filter_map(|id| self.deliveries.get(id)).map(|row| row.delivery.clone()).collect()
    }

    pub(super) fn attach(&mut self, key: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        let row = self.events.get(key).ok_or(StoreError::UnknownEvent)?;
        let (event, purpose, created_at) = (Arc::clone(&row.event), row.purpose, row.created_at);
        let mut added = 0;
        for new in deliveries {
            let written = self.write_delivery(&event, purpose, new, created_at);
            if let (Written::New, Some(row)) = (written, self.events.get_mut(key)) {
                row.deliveries.push(new.id);
                added += 1;
            }
        }
        Ok(added)
    }

    pub(super) fn sweep(&mut self, request: &SweepRequest) -> Swept {
        swept(&self.sweep_rows(request))
    }

    /// Gives the rows that it wrote.
    fn sweep_rows(&mut self, request: &SweepRequest) -> Vec<DeliveryId> {
        let Some(queue) = self.index.queues.get(&request.endpoint) else { return Vec::new() };
        let ids: Vec<DeliveryId> = match request.action {
            SweepAction::Hold => queue.claimable.values().copied().collect(),
            SweepAction::Release => queue.held.values().copied().collect(),
            SweepAction::Cancel if planted!(HeldNotCancelled) => queue.claimable.values().copied().collect(),
            SweepAction::Cancel => queue.claimable.values().chain(queue.held.values()).copied().collect(),
        };
        let mut written = Vec::new();
        for id in ids {
            if written.len() == request.limit as usize {
                break;
            }
            let Some(row) = self.deliveries.get_mut(&id) else { continue };
            // It ends at its settle or at its next claim.
            if row.delivery.state() == State::InFlight && !planted!(SweepTouchesLeased) {
                continue;
            }
            let mut next = row.delivery.as_stored().clone();
            match request.action {
                SweepAction::Hold => next.state = State::Held,
                SweepAction::Release => next.state = State::Scheduled,
                SweepAction::Cancel => {
                    next.state = State::Cancelled;
                    next.ready_at = None;
                    next.settled_at = Some(request.now);
                }
            }
            if planted!(SweepTouchesLeased) {
                next.token = None;
            }
            next.version = next.version.next();
            if let Ok(next) = Delivery::restore(next) {
                row.put(next, &mut self.index);
                self.writes += 1;
                written.push(id);
            }
        }
        written
    }

    pub(super) fn activity(&self, query: &ActivityQuery) -> Vec<Activity> {
        self.activity.activity(query)
    }

    pub(super) fn failing_since(&self, endpoints: &[EndpointId]) -> Vec<Option<Timestamp>> {
        self.activity.failing_since(endpoints)
    }

    pub(super) const fn writes(&self) -> u64 {
        self.writes
    }

    fn event_by_key(&self, (tenant, key): (&TenantId, &IdempotencyKey)) -> Option<&EventRow> {
        let id = self.events_by_key.get(&(tenant.clone(), key.clone()))?.clone();
        self.events.get(&EventKey { tenant: tenant.clone(), id })
    }

    fn write_event(&mut self, published: &super::PublishedEvent, now: Timestamp) {
        let key = published.event.key.clone();
        let number = self.next_number();
        self.events_by_number.insert(number, key.clone());
        if let Some(idempotency_key) = published.idempotency_key.as_ref().filter(|_| !planted!(KeyForgotten)) {
            self.events_by_key.insert((key.tenant.clone(), idempotency_key.clone()), key.id.clone());
        }
        let (event, purpose) = (&published.event, published.purpose);
        let mut deliveries = Vec::with_capacity(published.deliveries.len());
        for new in &published.deliveries {
            if self.write_delivery(event, purpose, new, now) == Written::New {
                deliveries.push(new.id);
            }
        }
        self.events.insert(
            key,
            EventRow {
                number,
                event: Arc::clone(event),
                fingerprint: published.fingerprint,
                idempotency_key: published.idempotency_key.clone(),
                purpose,
                created_at: now,
                deliveries,
            },
        );
    }

    /// Writes a delivery, unless its pair of event and endpoint exists.
    fn write_delivery(
        &mut self,
        event: &Arc<Event>,
        purpose: Purpose,
        new: &NewDelivery,
        created_at: Timestamp,
    ) -> Written {
        if self.deliveries.contains_key(&new.id) {
            return Written::Before;
        }
        let delivery = Delivery::begin(event.key.clone(), new, created_at);
        let number = self.next_number();
        self.deliveries_by_number.insert(number, new.id);
        self.index.enter(number, &delivery);
        let row = DeliveryRow { number, delivery, event: Arc::clone(event), purpose, attempts: Vec::new() };
        self.deliveries.insert(new.id, Box::new(row));
        self.writes += 1;
        Written::New
    }

    pub(super) fn apply_one(&mut self, change: &Change) -> ApplyOutcome {
        let Some(row) = self.deliveries.get_mut(&change.delivery()) else { return ApplyOutcome::Missing };
        let current = row.delivery.as_stored();
        let known = current.last_change == Some(change.id()) || row.attempts.iter().any(|(id, _)| *id == change.id());
        if known {
            return ApplyOutcome::Applied;
        }
        let fits = (current.version == change.expected() || planted!(NoFence))
            && (current.token == change.token() || planted!(NoFence) || planted!(NoTokenCheck));
        if !fits {
            return ApplyOutcome::Stale { current: current.version };
        }
        let Ok(next) = Delivery::restore(change.next().clone()) else {
            return ApplyOutcome::Stale { current: current.version };
        };
        // Mostly there is one: a vector that grows by itself begins with four.
        if row.attempts.is_empty() {
            row.attempts.reserve_exact(change.attempts().len());
        }
        if !planted!(LogForgotten) {
            row.attempts.extend(change.attempts().iter().map(|attempt| (change.id(), attempt.clone())));
        }
        self.activity.note(&row.event, change);
        row.put(next, &mut self.index);
        self.writes += 1;
        ApplyOutcome::Applied
    }

    const fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

fn swept(written: &[DeliveryId]) -> Swept {
    Swept { moved: u32::try_from(written.len()).unwrap_or(u32::MAX) }
}

/// Whether a delivery was there before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Written {
    New,
    Before,
}

impl DeliveryRow {
    /// Becomes `next`, and keeps the indexes true.
    fn put(&mut self, next: Delivery, index: &mut Index) {
        index.leave(self.number, &self.delivery);
        index.enter(self.number, &next);
        self.delivery = next;
    }
}

impl Index {
    fn leave(&mut self, number: u64, delivery: &Delivery) {
        if let (Some(at), Some(queue)) = (delivery.ready_at(), self.queues.get_mut(delivery.endpoint())) {
            queue.claimable.remove(&(at, number));
            if !planted!(RemovedFromNoQueue) {
                queue.held.remove(&(at, number));
            }
        }
        self.count(delivery, |count| *count -= 1);
    }

    fn enter(&mut self, number: u64, delivery: &Delivery) {
        if let Some(at) = delivery.ready_at() {
            if !self.queues.contains_key(delivery.endpoint()) {
                self.queues.insert(delivery.endpoint().clone(), Queue::default());
            }
            if let Some(queue) = self.queues.get_mut(delivery.endpoint()) {
                let rows = if delivery.state().is_claimable() { &mut queue.claimable } else { &mut queue.held };
                rows.insert((at, number), delivery.id());
            }
        }
        self.count(delivery, |count| *count += 1);
    }

    /// Changes how many deliveries its tenant has in its state.
    fn count(&mut self, delivery: &Delivery, change: impl FnOnce(&mut u64)) {
        let tenant = &delivery.event().tenant;
        let state = delivery.state() as usize;
        // An entry would want its key each time.
        if let Some(counts) = self.tally.get_mut(tenant) {
            change(&mut counts[state]);
        } else {
            change(&mut self.tally.entry(tenant.clone()).or_default()[state]);
        }
    }
}
