//! The dispatcher itself: its state, its inputs, and the order in which things are looked at.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::endpoint::Endpoint;
use crate::id::{AttemptNumber, ClaimToken, DeliveryId, EndpointId};
use crate::store::Claimed;
use crate::time::Timestamp;

use super::claims::Claims;
use super::command::{Command, DispatchInput, Doubt, Finished};
use super::config::DispatchConfig;
use super::drain::Drain;
use super::outage::{Outage, has_come};
use super::settle::Unsettled;
use super::slots::Slots;
use super::tokens::Tokens;

/// Decides what the driver does next. Lives as long as one `run`.
#[derive(Debug)]
pub struct Dispatcher {
    pub(super) config: DispatchConfig,
    pub(super) tokens: Tokens,
    pub(super) slots: Slots,
    /// Places of fresh deliveries: while they are being stored, and until they get a slot.
    pub(super) places: Slots,
    pub(super) outage: Outage,
    /// The same for the endpoint directory, which may be the host's own: an answer of the store says nothing of it.
    pub(super) directory: Outage,
    /// What this engine holds a lease on and has not decided yet.
    /// Boxed: a map moves its entries about.
    pub(super) items: FxHashMap<DeliveryId, Box<Item>>,
    /// Items with a place and no slot yet, in order.
    pub(super) parked: VecDeque<DeliveryId>,
    /// Items whose endpoint must be read, and those of the read that is under way.
    pub(super) unread: Vec<DeliveryId>,
    pub(super) reading: Option<Vec<DeliveryId>>,
    /// Endpoints written while a read was under way: its answer does not hold for them.
    pub(super) reread: BTreeSet<EndpointId>,
    /// Items that may be sent, in order.
    pub(super) ready: VecDeque<DeliveryId>,
    pub(super) sending: u32,
    /// A delivery that must go alone is being sent.
    pub(super) solo: bool,
    /// A delivery that must go alone had to be handed back: let everything end before the next claim.
    pub(super) quiet: bool,
    pub(super) claims: Claims,
    pub(super) unsettled: Unsettled,
    pub(super) reserved: u32,
    pub(super) doubtful: Vec<Doubt>,
    pub(super) loading: Option<Vec<Doubt>>,
    pub(super) drain: Drain,
    polling: bool,
    poll_at: Option<Timestamp>,
}

/// A place that a publisher may use: store the delivery leased with this token until then, and hand it over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// The claim's token.
    pub token: ClaimToken,
    /// The end of the lease.
    pub until: Timestamp,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) claimed: Claimed,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// It was handed over and waits for a slot.
    Parked,
    /// It has a slot; its endpoint must be read before it is sent.
    Unread,
    /// It may be sent.
    Ready { endpoint: Arc<Endpoint>, number: AttemptNumber },
    /// Its attempt runs.
    Sending { endpoint: Arc<Endpoint>, started_at: Timestamp },
    /// Its attempt failed; its endpoint must be read before that is written down.
    Failed { endpoint: Arc<Endpoint>, finished: Box<Finished> },
}

impl Dispatcher {
    /// A dispatcher that holds nothing and will claim at once. `seed` is random, drawn by the driver.
    #[must_use]
    pub fn new(config: DispatchConfig, seed: u128) -> Self {
        Self {
            tokens: Tokens::new(seed),
            slots: Slots::new(config.max_in_flight, config.per_endpoint),
            places: Slots::new(
                config.max_in_flight.saturating_mul(config.places_per_slot),
                config.per_endpoint.saturating_mul(config.places_per_slot),
            ),
            outage: Outage::new(config.backoff),
            directory: Outage::new(config.backoff),
            items: FxHashMap::default(),
            parked: VecDeque::new(),
            unread: Vec::new(),
            reading: None,
            reread: BTreeSet::new(),
            ready: VecDeque::new(),
            sending: 0,
            solo: false,
            quiet: false,
            claims: Claims::new(),
            unsettled: Unsettled::default(),
            reserved: 0,
            doubtful: Vec::new(),
            loading: None,
            drain: Drain::Running,
            polling: false,
            poll_at: None,
            config,
        }
    }

    /// Takes one input in and says what to do now.
    pub fn handle(&mut self, now: Timestamp, input: DispatchInput) -> Vec<Command> {
        self.handle_all(now, [input])
    }

    /// Takes several inputs in, in order, and says what to do now: what they cause goes out together.
    pub fn handle_all(&mut self, now: Timestamp, inputs: impl IntoIterator<Item = DispatchInput>) -> Vec<Command> {
        let mut out = Vec::new();
        for input in inputs {
            self.absorb(now, input, &mut out);
        }
        self.pump(now, &mut out);
        out
    }

    /// When the driver must come back with a `Tick` if nothing else happens.
    #[must_use]
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let (outage, directory) = (self.outage.pause(now), self.directory.pause(now));
        let claim = self.may_claim(now).then(|| self.claim_due_at(now));
        let claim = claim.filter(|_| outage.is_none() && directory.is_none());
        let poll = self.poll_at.filter(|_| !self.polling && outage.is_none() && self.drain.is_running());
        let unpark = self.unpark_at().filter(|_| !self.claims.is_running());
        [outage, directory, claim, poll, unpark, self.drain.next_step_at()].into_iter().flatten().min()
    }

    /// How many attempts run.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.sending
    }

    /// Whether nothing is held, nothing is under way, and nothing is due.
    #[must_use]
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.holds_nothing() && !self.claims.wanted(now, &self.config)
    }

    pub(super) fn holds_nothing(&self) -> bool {
        self.items.is_empty() && self.unsettled.is_empty() && self.reserved == 0 && !self.claims.is_running()
    }

    /// Whether more leases may be taken: memory is bounded, and a delivery that goes alone is left alone.
    pub(super) fn may_take_more(&self) -> bool {
        let waits_for_quiet = self.quiet || self.solo || self.ready_must_wait();
        (self.held() < self.config.unsettled_limit || planted!(BufferUnbounded)) && !waits_for_quiet
    }

    /// How many deliveries and changes are in memory.
    pub(crate) fn held(&self) -> usize {
        self.items.len() + self.unsettled.len() + self.doubtful.len()
    }

    fn absorb(&mut self, now: Timestamp, input: DispatchInput, out: &mut Vec<Command>) {
        match input {
            DispatchInput::Tick => {}
            DispatchInput::Wake => self.claims.wake(),
            DispatchInput::StoredDue(endpoints) => self.stored_due(endpoints),
            DispatchInput::DueAt(at) => self.claims.due(at),
            DispatchInput::Handed(claimed) => self.handed(claimed),
            DispatchInput::Released(_) if planted!(PlaceKept) => {}
            DispatchInput::Released(endpoints) => {
                endpoints.iter().for_each(|endpoint| self.release_place(endpoint));
            }
            DispatchInput::Doubtful(_) if planted!(DoubtForgotten) => {}
            DispatchInput::Doubtful(doubts) => self.doubtful.extend(doubts),
            DispatchInput::Claimed(batch) => self.claimed(now, batch, out),
            DispatchInput::ClaimFailed => {
                self.outage.failed(now);
                self.claims.failed();
            }
            DispatchInput::Endpoints(endpoints) => self.endpoints_read(now, endpoints),
            DispatchInput::EndpointsFailed => self.endpoints_failed(now),
            DispatchInput::Finished(finished) => self.finished(now, *finished),
            DispatchInput::Applied(outcomes) => self.applied(outcomes, out),
            DispatchInput::ApplyFailed => {
                self.outage.failed(now);
                self.unsettled.failed();
            }
            DispatchInput::Loaded(deliveries) => self.loaded(now, &deliveries),
            DispatchInput::LoadFailed => {
                self.outage.failed(now);
                self.doubtful.extend(self.loading.take().into_iter().flatten());
            }
            DispatchInput::SomebodyWrote => {
                self.polling = false;
                self.claims.wake();
            }
            DispatchInput::NobodyWrote => self.polling = false,
            DispatchInput::Stop { grace } => self.stop(now, grace),
        }
    }

    fn pump(&mut self, now: Timestamp, out: &mut Vec<Command>) {
        self.drain_step(now, out);
        self.unpark(now);
        self.start_ready(now, out);
        if self.outage.pause(now).is_some() {
            return;
        }
        self.settle_next(out);
        self.load_next(out);
        // What is claimed must be read: without the directory it would only be handed back.
        if self.directory.pause(now).is_none() {
            self.read_next(out);
            self.claim_next(now, out);
        }
        self.poll_next(now, out);
    }

    fn load_next(&mut self, out: &mut Vec<Command>) {
        if self.loading.is_none() && !self.doubtful.is_empty() {
            let doubts = std::mem::take(&mut self.doubtful);
            out.push(Command::Load(doubts.iter().map(|doubt| doubt.delivery).collect()));
            self.loading = Some(doubts);
        }
    }

    fn poll_next(&mut self, now: Timestamp, out: &mut Vec<Command>) {
        let due = self.poll_at.is_none_or(|at| has_come(at, now, self.config.poll));
        if due && !self.polling && self.drain.is_running() {
            self.polling = true;
            self.poll_at = Some(now.saturating_add(self.config.poll));
            out.push(Command::Poll);
        }
    }
}

#[cfg(test)]
mod tests;
