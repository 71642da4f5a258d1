//! A store of one's own, to copy and to change: four traits over three tables.
//!
//! The tables are maps behind a mutex, read from end to end, so that every rule of the contract stands here in a few
//! lines and nothing else does. A store on a database does the same with a transaction for the mutex and an index
//! for each `find`. The guide is `docs/guides/write-your-own-store.md`; `tests/kit.rs` proves this store.
//!
//! Left out: durability. Everything is gone with its process, and the kit's report says so.

mod claim;
mod endpoints;
mod log;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify_core::delivery::{Attempt, Delivery};
use notify_core::event::{EventKey, Fingerprint, Purpose};
use notify_core::id::{ChangeId, ClaimToken, IdempotencyKey};
use notify_core::store::activity::Tally;
use notify_core::{DeliveryId, Endpoint, EndpointId, Event, Timestamp};

/// The store. Clones share the same tables.
#[derive(Clone, Default)]
pub struct MapStore(Arc<Mutex<Tables>>);

/// Every row has a number of its own, which grows: a list's cursor is the number of a row, never an offset.
#[derive(Default)]
struct Tables {
    last_number: u64,
    events: BTreeMap<u64, EventRow>,
    deliveries: BTreeMap<u64, DeliveryRow>,
    endpoints: BTreeMap<u64, Arc<Endpoint>>,
    /// So that a `create` that is repeated after the delete does not bring the endpoint back.
    deleted: BTreeSet<EndpointId>,
    /// Past claims, until their leases end: the same token again must not lease more (S3).
    claims: BTreeMap<ClaimToken, Timestamp>,
    /// When each endpoint was last served: who waits longest is served first (S4).
    turns: BTreeMap<EndpointId, u64>,
    /// How many attempts ended when, and what they came to.
    activity: Tally,
    /// Grows with every write: what `changed` compares.
    writes: u64,
}

struct EventRow {
    event: Arc<Event>,
    fingerprint: Fingerprint,
    idempotency_key: Option<IdempotencyKey>,
    purpose: Purpose,
    created_at: Timestamp,
}

struct DeliveryRow {
    delivery: Delivery,
    /// Its event's number.
    event: u64,
    /// Each with the change that wrote it, so that a change that comes again is known (S6).
    attempts: Vec<(ChangeId, Attempt)>,
}

impl MapStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One caller at a time: every method is one atomic step, and has done all of it or nothing (S1, S6, S11).
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for a method that writes.
    fn tables_to_write(&self) -> MutexGuard<'_, Tables> {
        let mut tables = self.tables();
        tables.writes += 1;
        tables
    }
}

impl fmt::Debug for MapStore {
    /// Without the rows: they hold payloads and secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapStore").finish_non_exhaustive()
    }
}

impl Tables {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn event(&self, key: &EventKey) -> Option<(u64, &EventRow)> {
        self.events.iter().find(|(_, row)| row.event.key == *key).map(|(number, row)| (*number, row))
    }

    fn delivery(&self, id: &DeliveryId) -> Option<&DeliveryRow> {
        self.deliveries.values().find(|row| row.delivery.id() == *id)
    }

    fn delivery_mut(&mut self, id: &DeliveryId) -> Option<&mut DeliveryRow> {
        self.deliveries.values_mut().find(|row| row.delivery.id() == *id)
    }

    /// The deliveries of an event, in the order of their creation.
    fn deliveries_of(&self, event: u64) -> impl Iterator<Item = &DeliveryRow> {
        self.deliveries.values().filter(move |row| row.event == event)
    }
}
