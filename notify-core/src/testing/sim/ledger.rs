//! What an onlooker knows: every row as it was written, every request as it was made. Kept apart from the store, which
//! is compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::delivery::{Attempt, Delivery, Outcome, State};
use crate::endpoint::Endpoint;
use crate::event::Fingerprint;
use crate::id::{ClaimToken, DeliveryId, EndpointId, EventId};
use crate::store::{ClaimBatch, ClaimRequest};
use crate::time::Timestamp;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) process: usize,
    pub(super) epoch: u32,
    pub(super) delivery: DeliveryId,
    /// The true time, and its sender's.
    pub(super) at: i64,
    pub(super) clock: Timestamp,
    /// What its sender heard, and when; `None` while it runs, and for ever if the sender died.
    pub(super) ended: Option<Ended>,
    /// Whether the answer was a success by the endpoint's rule, judged here.
    pub(super) success: bool,
}

/// The end of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// The true time.
    pub(super) at: i64,
    /// How long it took by its sender's clock.
    pub(super) duration: Duration,
    pub(super) outcome: Outcome,
}

/// One delivery.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) row: Delivery,
    /// The publisher was told that it is stored.
    pub(super) accepted: bool,
    pub(super) log: Vec<Attempt>,
    pub(super) requests: Vec<Sent>,
    pub(super) lease: Option<Lease>,
    /// A failover lost a write to it: some promises are void.
    pub(super) tagged: bool,
}

/// Who holds a delivery, as far as the store knows.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) by: Option<(usize, u32)>,
    pub(super) since: i64,
    pub(super) until: Timestamp,
    /// When it was due, if it was scheduled before.
    pub(super) due: Option<Timestamp>,
}

/// One write to an endpoint; `None` = it is deleted.
#[derive(Clone, Debug)]
pub(super) struct EndpointWrite {
    pub(super) at: i64,
    pub(super) by: usize,
    pub(super) epoch: u32,
    /// The process that wrote it has told its dispatcher.
    pub(super) told: bool,
    pub(super) endpoint: Option<Arc<Endpoint>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Boxed: a map moves its entries about.
    pub(super) rows: FxHashMap<DeliveryId, Box<Known>>,
    /// The content of each event that is stored.
    pub(super) events: FxHashMap<EventId, Fingerprint>,
    pub(super) by_endpoint: FxHashMap<EndpointId, BTreeSet<DeliveryId>>,
    /// For each endpoint its rows that are scheduled or in flight, by the time from which they may be claimed.
    claimable: FxHashMap<EndpointId, BTreeSet<(Timestamp, DeliveryId)>>,
    pub(super) endpoints: BTreeMap<EndpointId, Vec<EndpointWrite>>,
    pub(super) claims: FxHashMap<ClaimToken, Vec<DeliveryId>>,
    /// How often the store fell back.
    pub(super) failovers: u64,
    /// How many are scheduled or in flight.
    pub(super) open: usize,
    pub(super) settled: u64,
    /// Deliveries that a failover lost, and events that are gone: what is known of them is void.
    pub(super) lost: BTreeSet<DeliveryId>,
    pub(super) gone: BTreeSet<EventId>,
}

impl Ledger {
    pub(super) fn enter(&mut self, row: Delivery, lease: Option<Lease>) {
        let id = row.id();
        self.by_endpoint.entry(row.endpoint().clone()).or_default().insert(id);
        self.note_claimable(&row);
        let known = Known {
            row,
            accepted: false,
            log: Vec::new(),
            requests: Vec::new(),
            lease,
            // Published anew after a failover lost it: somebody may still send the first one.
            tagged: self.lost.contains(&id),
        };
        self.rows.insert(id, Box::new(known));
    }

    pub(super) fn write(&mut self, after: &Delivery) {
        self.write_with(&[], after);
    }

    /// The row as it is now, with what was logged; gives the state it was in, if this changes it.
    pub(super) fn write_with(&mut self, attempts: &[Attempt], after: &Delivery) -> Option<State> {
        let known = self.rows.get_mut(&after.id()).filter(|known| known.row != *after)?;
        known.log.extend(attempts.iter().cloned());
        self.settled += u64::from(known.row.state().is_open() && !after.state().is_open());
        if after.state() != State::InFlight {
            known.lease = None;
        }
        let before = std::mem::replace(&mut known.row, after.clone());
        self.forget_claimable(&before);
        self.note_claimable(after);
        Some(before.state())
    }

    fn note_claimable(&mut self, row: &Delivery) {
        let Some(at) = row.ready_at().filter(|_| row.state().is_claimable()) else { return };
        self.open += 1;
        match self.claimable.get_mut(row.endpoint()) {
            Some(rows) => rows.insert((at, row.id())),
            None => self.claimable.entry(row.endpoint().clone()).or_default().insert((at, row.id())),
        };
    }

    fn forget_claimable(&mut self, row: &Delivery) {
        let Some(at) = row.ready_at().filter(|_| row.state().is_claimable()) else { return };
        self.open -= 1;
        if let Some(rows) = self.claimable.get_mut(row.endpoint()) {
            rows.remove(&(at, row.id()));
        }
    }

    /// How many rows of each endpoint may be claimed at `now`; no more than `most` are counted.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> impl Iterator<Item = (&EndpointId, usize)> {
        let due = move |rows: &BTreeSet<(Timestamp, DeliveryId)>| {
            rows.iter().take(most).take_while(|(at, _)| *at <= now).count()
        };
        self.claimable.iter().map(move |(endpoint, rows)| (endpoint, due(rows)))
    }

    pub(super) fn forget(&mut self, id: &DeliveryId) {
        if let Some(known) = self.rows.remove(id) {
            self.forget_claimable(&known.row);
            if let Some(ids) = self.by_endpoint.get_mut(known.row.endpoint()) {
                ids.remove(id);
            }
        }
    }

    pub(super) fn leased(&mut self, by: Option<(usize, u32)>, at: i64, request: &ClaimRequest, batch: &ClaimBatch) {
        if !batch.claimed.is_empty() {
            let ids = batch.claimed.iter().map(|row| row.delivery.id()).collect();
            self.claims.entry(request.token).or_insert(ids);
        }
        for row in &batch.claimed {
            let Some(known) = self.rows.get(&row.delivery.id()) else { continue };
            if known.row == row.delivery {
                continue; // The same claim again.
            }
            let due = known.row.ready_at().filter(|_| known.row.state() == State::Scheduled);
            self.write(&row.delivery);
            if let Some(known) = self.rows.get_mut(&row.delivery.id()) {
                known.lease = Some(Lease { by, since: at, until: request.lease_until, due });
            }
        }
    }

    /// The endpoint as it is now.
    pub(super) fn endpoint(&self, id: &EndpointId) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(id).and_then(|writes| writes.last()).and_then(|write| write.endpoint.as_ref())
    }

    /// Everything goes back to `old` but requests and endpoints; what differs is tagged.
    pub(super) fn fall_back_to(&mut self, old: &Self) {
        let lost: Vec<DeliveryId> = self.rows.keys().filter(|id| !old.rows.contains_key(id)).copied().collect();
        for id in &lost {
            self.forget(id);
        }
        let events = self.events.keys().filter(|id| !old.events.contains_key(*id)).cloned();
        self.gone.extend(events);
        self.lost.extend(lost);
        let mut back = old.clone();
        for (id, known) in &mut back.rows {
            if let Some(now) = self.rows.remove(id) {
                known.tagged |= now.tagged || now.row != known.row;
                known.requests = now.requests;
                known.accepted = now.accepted;
            } else {
                known.tagged = true;
            }
        }
        back.endpoints = std::mem::take(&mut self.endpoints);
        back.settled = self.settled;
        back.failovers = self.failovers + 1;
        (back.lost, back.gone) = (std::mem::take(&mut self.lost), std::mem::take(&mut self.gone));
        *self = back;
    }
}
