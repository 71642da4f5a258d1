//! Publishing, as the engine's publisher does it: read who wants it, take places, insert, tell the dispatcher.

use std::sync::Arc;

use crate::dispatch::{DispatchInput, Doubt};
use crate::endpoint::Endpoint;
use crate::engine::parts::{Fresh, born_held, fanned_out, lease_fresh};
use crate::event::NewEvent;
use crate::id::{EndpointId, EventId, TenantId};
use crate::store::{EndpointDirectory, InsertOutcome, Inserted, PublishBatch, Store};
use crate::time::Timestamp;

use super::calls::What;
use super::ledger::Lease;
use super::mishaps::{Mishap, Taken};
use super::ready;
use super::scenario::Content;
use super::seen::Seen;
use super::world::{Faults, Happening, START, World};

/// An insert that is under way.
#[derive(Debug)]
pub(super) struct Insertion {
    index: usize,
    content: Content,
    by: Option<(usize, u32)>,
    batch: PublishBatch,
    endpoints: Vec<Arc<Endpoint>>,
    doubts: Vec<Doubt>,
    dropped: bool,
}

impl Insertion {
    /// The insertion as its answer needs it, where the store may still carry it out after that.
    pub(super) fn take(&mut self) -> Self {
        Self {
            index: self.index,
            content: self.content,
            by: self.by,
            batch: self.batch.clone(),
            endpoints: self.endpoints.clone(),
            doubts: std::mem::take(&mut self.doubts),
            dropped: self.dropped,
        }
    }
}

/// The id of the n-th planned event.
pub(super) fn event_id(index: usize) -> Option<EventId> {
    format!("e{index}").parse().ok()
}

impl World<'_> {
    pub(super) fn publish(&mut self, index: usize, content: Content) {
        let plan = &self.scenario.publishes[index];
        let by = plan.by.filter(|by| {
            let process = &self.processes[*by];
            process.dispatcher.is_some() && process.paused_until <= self.now
        });
        let now = self.clock_by(by);
        let event = self.new_event(index, content);
        let (Some(event), true) = (event, self.directory_outage == 0) else {
            return self.publish_again(index, content);
        };
        let endpoints = self.subscribed(&event);
        let id = event.id().cloned().or_else(|| event_id(index));
        let Some(id) = id else { return };
        let built = event.build(id, now);
        let mut batch = PublishBatch { now, events: vec![fanned_out(&event, built, &endpoints, now)] };
        let mut doubts = Vec::new();
        if let Some(dispatcher) = by.and_then(|by| self.processes[by].dispatcher.as_mut()) {
            let _ = lease_fresh(dispatcher, &mut batch, &mut doubts);
        }
        let by = by.map(|by| (by, self.processes[by].epoch));
        let dropped = plan.dropped && self.faults == Faults::On;
        if !doubts.is_empty() {
            self.coverage.count("publish", "handed over");
        }
        if let Some((process, _)) = by.filter(|_| dropped) {
            self.mishap(Mishap::PublishDropped, 0);
            // Its future is gone: what it had reserved is doubtful.
            self.push(process, DispatchInput::Doubtful(std::mem::take(&mut doubts)));
        }
        let insertion = Insertion { index, content, by, batch, endpoints, doubts, dropped };
        self.call_by(by, What::Insert(Box::new(insertion)));
    }

    fn subscribed(&self, event: &NewEvent) -> Vec<Arc<Endpoint>> {
        if !self.scenario.loose_directory {
            return ready(self.store.subscribed(&TenantId::default(), event.event_type())).unwrap_or_default();
        }
        let ids: Vec<EndpointId> = self.ledger.endpoints.keys().cloned().collect();
        ready(self.store.get(&ids)).unwrap_or_default().into_iter().flatten().collect()
    }

    fn new_event(&self, index: usize, content: Content) -> Option<NewEvent> {
        let plan = &self.scenario.publishes[index];
        let data = match content {
            Content::Same => format!("{{\"n\":{index}}}"),
            Content::Other => format!("{{\"n\":{index},\"other\":true}}"),
        };
        let mut event = NewEvent::new(plan.event_type, &data).ok()?;
        // With a key, the second publish is told from the first by it alone.
        let again = plan.keyed && content == Content::Other;
        event = event.with_id(&if again { format!("e{index}-again") } else { format!("e{index}") }).ok()?;
        if plan.keyed {
            event = event.with_idempotency_key(&format!("key {index}")).ok()?;
        }
        if let Some(later) = plan.not_before {
            event = event.not_before(Timestamp::from_millis(START + plan.at + later));
        }
        Some(event)
    }

    /// The host tries again after a while.
    fn publish_again(&mut self, index: usize, content: Content) {
        let after = self.rng.spread(100, 60_000);
        self.after(after, Happening::Publish { index, content });
    }

    /// The store carries the insert out.
    pub(super) fn insert(&mut self, insertion: &Insertion) -> Option<InsertOutcome> {
        let batch = &insertion.batch;
        let outcome = ready(self.store.insert(batch)).ok()?;
        self.see(&Seen::Inserted { batch, outcome: &outcome, endpoints: &insertion.endpoints });
        self.note(20, [insertion.index as u64, 0], || format!("event e{} is inserted: {outcome:?}", insertion.index));
        let InsertOutcome::Stored(answers) = &outcome else {
            self.coverage.count("publish", "conflict");
            return Some(outcome);
        };
        for (published, answer) in batch.events.iter().zip(answers) {
            if *answer != Inserted::New {
                self.coverage.count("publish", "duplicate");
                self.step(Taken::Duplicate);
                continue;
            }
            let ids: Vec<_> = published.deliveries.iter().map(|new| new.id).collect();
            let rows = ready(self.store.load(&ids)).unwrap_or_default();
            if rows.len() != ids.len() {
                self.fail(
                    "conservation",
                    format!("event e{} has {} of its {} deliveries", insertion.index, rows.len(), ids.len()),
                );
            }
            self.ledger.events.insert(published.event.key.id.clone(), published.fingerprint);
            for row in rows {
                self.step(Taken::birth(row.state()));
                let until = row.ready_at().filter(|_| row.token().is_some());
                let lease = until.map(|until| Lease { by: insertion.by, since: self.now, until, due: None });
                self.ledger.enter(row, lease);
            }
        }
        self.wrote(insertion.by.map(|(process, _)| process));
        Some(outcome)
    }

    /// The insert's answer has come, or none in time.
    pub(super) fn inserted(&mut self, insertion: Insertion, outcome: Option<InsertOutcome>) {
        let Insertion { index, content, by, batch, doubts, dropped, .. } = insertion;
        let lives = by.is_none_or(|(process, epoch)| self.processes[process].epoch == epoch);
        let alive = by.filter(|_| lives);
        let tell = |world: &mut Self, input| {
            if let Some(by) = alive {
                world.push_to(by, input);
            }
        };
        match outcome {
            Some(InsertOutcome::Stored(answers)) => {
                self.accepted(&batch, &answers);
                if !dropped {
                    let fresh = Fresh::of(&batch, answers.iter().map(|answer| *answer == Inserted::New));
                    let stored =
                        |doubt: &Doubt| fresh.leased.iter().any(|row| row.delivery.token() == Some(doubt.token));
                    let unused: Vec<EndpointId> =
                        doubts.iter().filter(|doubt| !stored(doubt)).map(|doubt| doubt.endpoint.clone()).collect();
                    if !unused.is_empty() {
                        tell(self, DispatchInput::Released(unused));
                    }
                    if !fresh.leased.is_empty() {
                        tell(self, DispatchInput::Handed(fresh.leased));
                    }
                    fresh.later.into_iter().for_each(|at| tell(self, DispatchInput::DueAt(at)));
                    if !fresh.waiting.is_empty() {
                        tell(self, DispatchInput::StoredDue(fresh.waiting));
                    }
                }
                self.publishing -= 1;
                self.look_later(by, born_held(&batch));
            }
            Some(InsertOutcome::Conflict { .. }) => {
                tell(self, DispatchInput::Released(doubts.into_iter().map(|doubt| doubt.endpoint).collect()));
                self.publishing -= 1;
            }
            None => {
                if !doubts.is_empty() {
                    tell(self, DispatchInput::Doubtful(doubts));
                }
                self.publish_again(index, content);
            }
        }
    }

    fn accepted(&mut self, batch: &PublishBatch, answers: &[Inserted]) {
        for (published, answer) in batch.events.iter().zip(answers) {
            if *answer == Inserted::New {
                for new in &published.deliveries {
                    if let Some(known) = self.ledger.rows.get_mut(&new.id) {
                        known.accepted = true;
                    }
                }
            }
        }
    }
}
