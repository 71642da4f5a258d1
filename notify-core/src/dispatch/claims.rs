//! When to claim, and what an answer says about what is still waiting.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::id::EndpointId;
use crate::store::{ClaimBatch, ClaimRequest, Claimed, Free};
use crate::time::Timestamp;

use super::command::Command;
use super::config::DispatchConfig;
use super::dispatcher::Dispatcher;

/// A claim is one bounded step of the store, however many slots are free.
const MAX_CLAIM: u32 = 1000;

/// The cycle of claims: at most one runs.
#[derive(Debug)]
pub(super) struct Claims {
    running: Option<ClaimRequest>,
    /// The request of a claim that failed: it may have leased rows, so the very same is asked again.
    again: Option<ClaimRequest>,
    /// Something may have become due since the last claim was asked.
    woken: bool,
    /// What woke it may be worth a claim at once, not only a slot or two.
    eager: bool,
    /// The earliest time at which something is known to be due.
    next_ready: Option<Timestamp>,
    /// The same, noted while a claim runs or waits to be repeated: its answer may not know of it.
    due_meanwhile: Option<Timestamp>,
    /// Endpoints with slots freed while a claim runs or waits to be repeated: it was asked as if they were taken.
    freed_meanwhile: FxHashSet<EndpointId>,
    /// `None` until the first claim was answered: nobody knows what waits.
    answered_at: Option<Timestamp>,
    /// Endpoints that got all the rows they could take: more may wait, so a freed slot is a wake-up.
    capped: FxHashSet<EndpointId>,
    /// Endpoints with deliveries stored as due since the last claim was asked.
    waiting: FxHashSet<EndpointId>,
    /// The same for the claim that runs.
    asked: FxHashSet<EndpointId>,
    more_eligible: bool,
}

impl Claims {
    pub(super) fn new() -> Self {
        Self {
            running: None,
            again: None,
            woken: true,
            eager: true,
            next_ready: None,
            due_meanwhile: None,
            freed_meanwhile: FxHashSet::default(),
            answered_at: None,
            capped: FxHashSet::default(),
            waiting: FxHashSet::default(),
            asked: FxHashSet::default(),
            more_eligible: false,
        }
    }

    pub(super) const fn wake(&mut self) {
        self.woken = true;
        self.eager = true;
    }

    /// A row is known to be due at `at`.
    pub(super) fn due(&mut self, at: Timestamp) {
        let earlier = |known: Option<Timestamp>| Some(known.map_or(at, |known| known.min(at)));
        self.next_ready = earlier(self.next_ready);
        if self.is_running() {
            self.due_meanwhile = earlier(self.due_meanwhile);
        }
    }

    /// Whether a claim is under way, or failed and waits to be repeated: it may have leased rows.
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some() || self.again.is_some()
    }

    pub(super) fn failed(&mut self) {
        // A failure that nobody waits for must not lose what waits to be repeated.
        if let Some(request) = self.running.take() {
            self.again = Some(request);
        }
    }

    /// Whether a fresh delivery may go ahead: nothing older of its endpoint is known to wait.
    pub(super) fn allow_reservation(&self, now: Timestamp, endpoint: &EndpointId) -> bool {
        self.answered_at.is_some()
            && !self.more_eligible
            && self.next_ready.is_none_or(|at| at > now)
            && !self.capped.contains(endpoint)
            && !self.waiting.contains(endpoint)
            && !self.asked.contains(endpoint)
    }

    pub(super) fn wanted(&self, now: Timestamp, config: &DispatchConfig) -> bool {
        self.woken || self.again.is_some() || self.due_at(config) <= now || self.clock_went_back(now)
    }

    /// When the next claim is due, woken or not.
    pub(super) fn due_at(&self, config: &DispatchConfig) -> Timestamp {
        if self.again.is_some() {
            return Timestamp::MIN;
        }
        let idle = self.answered_at.map_or(Timestamp::MIN, |at| at.saturating_add(config.idle_claim));
        self.next_ready.map_or(idle, |at| at.min(idle))
    }

    /// Until when a claim waits so that more slots come free: a claim for each slot would cost more than the
    /// attempts. `half_free`: half of all slots are.
    fn paced_until(&self, now: Timestamp, half_free: HalfFree, config: &DispatchConfig) -> Option<Timestamp> {
        let worth_it = half_free == HalfFree::Yes && (self.eager || self.due_at(config) <= now);
        if worth_it || self.again.is_some() || self.clock_went_back(now) {
            return None;
        }
        self.answered_at.map(|at| at.saturating_add(config.claim_pause)).filter(|at| *at > now)
    }

    fn clock_went_back(&self, now: Timestamp) -> bool {
        self.answered_at.is_some_and(|at| at > now)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum HalfFree {
    Yes,
    No,
}

impl Dispatcher {
    /// Deliveries to these endpoints were stored as due now.
    pub(super) fn stored_due(&mut self, endpoints: Vec<EndpointId>) {
        for endpoint in endpoints {
            if self.slots.free_for(&endpoint) > 0 {
                self.claims.wake();
            } else {
                // It could get nothing now: the next freed slot is the wake-up.
                self.claims.capped.insert(endpoint.clone());
            }
            self.claims.waiting.insert(endpoint);
        }
    }

    /// When the next claim is due, as far as is known.
    pub(super) fn claim_due_at(&self, now: Timestamp) -> Timestamp {
        let known = self.claims.due_at(&self.config).max(now);
        let due = if self.claims.woken { now } else { known };
        match self.claims.paced_until(now, self.half_free(), &self.config) {
            None => due,
            // The pause is for freed slots: with half of them free, a row is claimed when it is due.
            Some(paced) if self.half_free() == HalfFree::Yes => due.max(paced.min(known)),
            Some(paced) => due.max(paced),
        }
    }

    const fn half_free(&self) -> HalfFree {
        if self.slots.free() >= self.config.max_in_flight.div_ceil(2) { HalfFree::Yes } else { HalfFree::No }
    }

    /// Whether a claim could be asked at all, wanted or not. One that failed is asked again also while stopping:
    /// what it leased must be handed back.
    pub(super) fn may_claim(&self, now: Timestamp) -> bool {
        let fresh =
            (self.drain.is_running() || planted!(ClaimsWhileStopping)) && self.slots.free() > 0 && self.may_take_more();
        self.claims.running.is_none() && (self.claims.again.is_some() || fresh) && !self.unsettled.outlived(now)
    }

    pub(super) fn claim_next(&mut self, now: Timestamp, out: &mut Vec<Command>) {
        let paced = self.claims.paced_until(now, self.half_free(), &self.config).is_some();
        if paced || !self.may_claim(now) || !self.claims.wanted(now, &self.config) {
            return;
        }
        if planted!(ClaimTokenRenewed) && self.claims.again.take().is_some() {
            self.claims.woken = true;
        }
        let request = match self.claims.again.take() {
            // What woke since it was first asked may not be in its answer.
            Some(request) => request,
            None => self.fresh_claim(now),
        };
        out.push(Command::Claim(request.clone()));
        self.claims.running = Some(request);
    }

    fn fresh_claim(&mut self, now: Timestamp) -> ClaimRequest {
        // Read before the claim is asked: what wakes from now on may not be in its answer.
        self.claims.woken = false;
        self.claims.eager = false;
        self.claims.asked = std::mem::take(&mut self.claims.waiting);
        ClaimRequest {
            now,
            lease_until: now.saturating_add(self.config.lease()),
            token: self.tokens.claim(),
            limit: self.slots.free().min(MAX_CLAIM),
            free: self.slots.as_free(),
        }
    }

    pub(super) fn claimed(&mut self, now: Timestamp, batch: ClaimBatch, out: &mut Vec<Command>) {
        let Some(request) = self.claims.running.take() else { return };
        if planted!(WakeUpLost) {
            (self.claims.woken, self.claims.eager, self.claims.due_meanwhile) = (false, false, None);
        }
        self.outage.answered();
        self.claims.answered_at = Some(now);
        self.claims.asked.clear();
        let meanwhile = self.claims.due_meanwhile.take();
        self.claims.more_eligible = batch.next_ready_at.is_some_and(|at| at <= request.now);
        // Rows that others have locked just now are eligible, yet nobody gets them: asking at once would spin.
        let spins = self.claims.more_eligible && batch.claimed.is_empty();
        let next = if spins { Some(now.saturating_add(self.config.backoff.0)) } else { batch.next_ready_at };
        self.claims.next_ready = next.into_iter().chain(meanwhile).min();
        self.claims.capped = filled(&request.free, &batch.claimed);
        out.extend(batch.corrupt.into_iter().map(Command::Corrupt));
        for row in &batch.claimed {
            self.slots.take(row.delivery.endpoint());
        }
        let freed = std::mem::take(&mut self.claims.freed_meanwhile);
        for endpoint in &freed {
            self.freed(endpoint);
        }
        self.take_in(batch.claimed);
    }

    /// Frees the slot of an attempt that ended or will not be made.
    pub(super) fn free_slot(&mut self, endpoint: &EndpointId) {
        self.slots.release(endpoint);
        self.freed(endpoint);
        if self.claims.is_running() {
            self.claims.freed_meanwhile.insert(endpoint.clone());
        }
    }

    /// More may wait behind what a full endpoint got.
    fn freed(&mut self, endpoint: &EndpointId) {
        if self.claims.capped.contains(endpoint) {
            self.claims.woken = true;
            self.claims.eager |= self.slots.free_for(endpoint) >= self.config.per_endpoint.div_ceil(2);
        }
    }
}

/// The endpoints that got as many rows as the claim allowed them. What was freed meanwhile does not count: the store
/// was asked as if it were taken.
fn filled(free: &Free, rows: &[Claimed]) -> FxHashSet<EndpointId> {
    let mut got: FxHashMap<&EndpointId, u32> = FxHashMap::default();
    for row in rows {
        *got.entry(row.delivery.endpoint()).or_default() += 1;
    }
    // Some can take none, and so got as many as they can.
    let full = free.busy.iter().filter(|(_, free)| *free == 0).map(|(id, _)| id);
    let filled = got.into_iter().filter(|(id, count)| *count >= free.of(id)).map(|(id, _)| id);
    full.chain(filled).cloned().collect()
}
