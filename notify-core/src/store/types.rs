//! Requests and answers of the store.

use std::sync::Arc;

use crate::delivery::{Delivery, NewDelivery};
use crate::event::{Event, Fingerprint, Purpose};
use crate::id::{ClaimToken, EndpointId, EventId, IdempotencyKey, Version};
use crate::time::Timestamp;

/// Events to store together, all or nothing (S1).
#[derive(Clone, Debug)]
pub struct PublishBatch {
    /// When they are published: the deliveries' `created_at`.
    pub now: Timestamp,
    /// The events, in order.
    pub events: Vec<PublishedEvent>,
}

/// One event with its deliveries.
#[derive(Clone, Debug)]
pub struct PublishedEvent {
    /// The event, its body built.
    pub event: Arc<Event>,
    /// Decides between duplicate and conflict.
    pub fingerprint: Fingerprint,
    /// The host's key, unique for the tenant.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What it is for: the log is filtered by it.
    pub purpose: Purpose,
    /// One for each endpoint that wants it.
    pub deliveries: Vec<NewDelivery>,
}

/// What became of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InsertOutcome {
    /// It is stored; one answer for each event, in order.
    Stored(Vec<Inserted>),
    /// Nothing is stored: this event's id or key is taken by one with other content.
    Conflict {
        /// Which event of the batch.
        index: usize,
        /// The event that has the id or key.
        existing: EventId,
    },
}

/// What became of one event of a stored batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Inserted {
    /// It is new.
    New,
    /// It was there; nothing changed.
    Duplicate {
        /// The id of the event that was first.
        first: EventId,
        /// How many deliveries that one has.
        deliveries: usize,
    },
}

/// What a worker asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimRequest {
    /// The driver's time.
    pub now: Timestamp,
    /// Until when the rows are leased.
    pub lease_until: Timestamp,
    /// Fences this claim.
    pub token: ClaimToken,
    /// How many rows at most; at least 1.
    pub limit: u32,
    /// How many for each endpoint.
    pub free: Free,
}

/// How many rows an endpoint may get.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Free {
    /// For an endpoint that is not listed.
    pub default: u32,
    /// For these; 0 = none now. Sorted by id, each once.
    pub busy: Vec<(EndpointId, u32)>,
}

impl Free {
    /// How many `endpoint` may get.
    #[must_use]
    pub fn of(&self, endpoint: &EndpointId) -> u32 {
        match self.busy.binary_search_by(|(id, _)| id.cmp(endpoint)) {
            Ok(index) => self.busy[index].1,
            Err(_) => self.default,
        }
    }
}

/// One leased delivery with what it sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// The row, as the claim left it.
    pub delivery: Delivery,
    /// Its event.
    pub event: Arc<Event>,
}

/// What a worker got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimBatch {
    /// The leased rows.
    pub claimed: Vec<Claimed>,
    /// Rows that could not be read (S13).
    pub corrupt: Vec<CorruptRecord>,
    /// When to ask again (S5).
    pub next_ready_at: Option<Timestamp>,
}

/// A row that could not be read. It is not leased, and not handed out again until somebody mends it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CorruptRecord {
    /// The row's key, as far as it can be read.
    pub record: String,
    /// What is wrong.
    pub problem: String,
}

/// What became of one change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApplyOutcome {
    /// It is written, now or before.
    Applied,
    /// Somebody wrote first, or the lease went to somebody else.
    Stale {
        /// The version the row has.
        current: Version,
    },
    /// There is no such delivery.
    Missing,
}

/// Which rows of one endpoint to move, and where to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SweepRequest {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What to do.
    pub action: SweepAction,
    /// The driver's time.
    pub now: Timestamp,
    /// How many rows at most.
    pub limit: u32,
}

/// What a sweep does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SweepAction {
    /// Scheduled rows become held.
    Hold,
    /// Held rows become scheduled.
    Release,
    /// Scheduled and held rows become cancelled.
    Cancel,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Swept {
    /// How many rows it moved. Fewer than the limit = none is left.
    pub moved: u32,
}

/// A point in a store's history; see [`Store::changed`](super::Store::changed).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mark(pub u64);
