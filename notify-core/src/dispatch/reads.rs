//! Between the claim and the attempt, and between a failure and its settling: the endpoint is read anew.

use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::id::{DeliveryId, EndpointId};
use crate::machine::{Gate, Input, Step, step};
use crate::store::Claimed;
use crate::time::Timestamp;

use super::command::{Command, Finished};
use super::dispatcher::{Dispatcher, Item, Stage};

impl Dispatcher {
    /// Leased deliveries whose slots are taken already.
    pub(super) fn take_in(&mut self, claimed: Vec<Claimed>) {
        for claimed in claimed {
            let id = claimed.delivery.id();
            let Some(item) = self.items.get_mut(&id) else {
                self.unread.push(id);
                self.items.insert(id, Box::new(Item { claimed, stage: Stage::Unread }));
                continue;
            };
            // Claimed again while we hold it: its first lease is over, the clock having jumped or the store having
            // been slow. From now on the later lease counts, also for an attempt that runs: nothing is sent twice, and
            // no outcome is lost.
            let endpoint = claimed.delivery.endpoint().clone();
            item.claimed = claimed;
            match item.stage {
                Stage::Parked => {
                    // It has a slot now: the claim's.
                    self.places.release(&endpoint);
                    item.stage = Stage::Unread;
                    self.unread.push(id);
                    continue;
                }
                Stage::Ready { .. } => {
                    item.stage = Stage::Unread;
                    self.unread.push(id);
                }
                Stage::Unread | Stage::Sending { .. } | Stage::Failed { .. } => {}
            }
            self.free_slot(&endpoint);
        }
    }

    pub(super) fn read_next(&mut self, out: &mut Vec<Command>) {
        if self.reading.is_some() || self.unread.is_empty() {
            return;
        }
        let mut items = std::mem::take(&mut self.unread);
        items.retain(|id| self.items.contains_key(id));
        if items.is_empty() {
            return;
        }
        let mut endpoints: Vec<EndpointId> = items
            .iter()
            .filter_map(|id| self.items.get(id))
            .map(|item| item.claimed.delivery.endpoint().clone())
            .collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        self.reading = Some(items);
        out.push(Command::ReadEndpoints(endpoints));
    }

    /// This endpoint was written: nothing that was read of it before starts an attempt from now on, neither an answer
    /// that is under way nor what waits to be sent. What must be done about it comes out with the next input.
    pub fn endpoint_changed(&mut self, endpoint: EndpointId) {
        if planted!(EndpointCached) {
            return;
        }
        let stale: Vec<DeliveryId> = self
            .ready
            .iter()
            .copied()
            .filter(|id| self.items.get(id).is_some_and(|item| *item.claimed.delivery.endpoint() == endpoint))
            .collect();
        for id in stale {
            self.ready.retain(|ready| *ready != id);
            self.unread.push(id);
            if let Some(item) = self.items.get_mut(&id) {
                item.stage = Stage::Unread;
            }
        }
        if self.reading.is_some() {
            self.reread.insert(endpoint);
        }
    }

    pub(super) fn endpoints_read(&mut self, now: Timestamp, mut read: Vec<(EndpointId, Option<Arc<Endpoint>>)>) {
        self.directory.answered();
        // In the order in which they were asked, so this is one look at each.
        read.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let reread = std::mem::take(&mut self.reread);
        for id in self.reading.take().into_iter().flatten() {
            let Some(item) = self.items.get(&id) else { continue };
            if reread.contains(item.claimed.delivery.endpoint()) {
                self.unread.push(id);
                continue;
            }
            let found = read.binary_search_by(|(id, _)| id.cmp(item.claimed.delivery.endpoint()));
            let endpoint = found.ok().and_then(|index| read[index].1.clone());
            match &item.stage {
                Stage::Unread => self.decide_start(now, id, endpoint),
                Stage::Failed { .. } => self.decide_failure(now, id, Found::Read(endpoint)),
                Stage::Parked | Stage::Ready { .. } | Stage::Sending { .. } => {}
            }
        }
    }

    /// Nobody knows the endpoints: what was not sent goes back, what failed is settled and checked at its next claim.
    pub(super) fn endpoints_failed(&mut self, now: Timestamp) {
        self.directory.failed(now);
        self.reread.clear();
        for id in self.reading.take().into_iter().flatten() {
            match self.items.get(&id).map(|item| &item.stage) {
                Some(Stage::Unread) => {
                    if let Some(item) = self.items.remove(&id) {
                        self.hand_back(now, &item.claimed.delivery);
                        self.free_slot(item.claimed.delivery.endpoint());
                    }
                }
                Some(Stage::Failed { .. }) => self.decide_failure(now, id, Found::Unknown),
                Some(Stage::Parked | Stage::Ready { .. } | Stage::Sending { .. }) | None => {}
            }
        }
    }

    fn decide_start(&mut self, now: Timestamp, id: DeliveryId, endpoint: Option<Arc<Endpoint>>) {
        let Some(item) = self.items.get_mut(&id) else { return };
        let (change, gate) = (self.tokens.change(), Gate::of(endpoint.as_deref()));
        let decided = step(&item.claimed.delivery, Input::Start(gate), &self.config.policy, now, change);
        if let (Ok(Step::Send(number)), Some(endpoint)) = (&decided, endpoint) {
            item.stage = Stage::Ready { endpoint, number: *number };
            self.ready.push_back(id);
            return;
        }
        let Some(item) = self.items.remove(&id) else { return };
        self.free_slot(item.claimed.delivery.endpoint());
        // A row that is not in flight is no claim; without an endpoint the gate is never open.
        if let Ok(Step::Write(change)) = decided {
            self.unsettled.push(&item.claimed.delivery, change);
        }
    }

    fn decide_failure(&mut self, now: Timestamp, id: DeliveryId, found: Found) {
        let Some(item) = self.items.remove(&id) else { return };
        let Stage::Failed { endpoint: sent_to, finished } = item.stage else { return };
        let (gate, endpoint) = match found {
            Found::Read(endpoint) => (Gate::of(endpoint.as_deref()), endpoint),
            Found::Unknown => (Gate::Open, None),
        };
        let policy = endpoint.as_ref().unwrap_or(&sent_to).policy.over(&self.config.policy);
        self.write(now, &item.claimed.delivery, finished_input(gate, *finished, &sent_to), Some(&policy));
    }
}

/// What is known of an endpoint after an attempt that failed.
enum Found {
    /// It was read; `None` = it is deleted.
    Read(Option<Arc<Endpoint>>),
    /// The directory did not answer.
    Unknown,
}

pub(super) fn finished_input(gate: Gate, finished: Finished, sent_to: &Endpoint) -> Input {
    Input::Finished {
        gate,
        started_at: finished.started_at,
        duration: finished.duration,
        url: sent_to.url.shared(),
        verdict: Box::new(finished.verdict),
    }
}
