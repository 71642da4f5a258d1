//! Changes that are decided but not written yet.

use std::sync::Arc;

use crate::delivery::{Delivery, State};
use crate::machine::{Change, Input, Step, step};
use crate::retry::Policy;
use crate::store::ApplyOutcome;
use crate::time::Timestamp;

use super::command::Command;
use super::dispatcher::Dispatcher;

/// The buffer: what gathers while one apply runs goes out with the next.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    waiting: Vec<Change>,
    /// When the first of their leases ends.
    waiting_until: Option<Timestamp>,
    applying: Option<Batch>,
    /// The last apply failed, and may be written all the same: the very same goes out again.
    again: Option<Batch>,
}

/// The changes of one apply.
#[derive(Debug)]
struct Batch {
    changes: Arc<[Change]>,
    /// When the first of their leases ends.
    until: Option<Timestamp>,
}

impl Unsettled {
    /// `leased` is the row that the change begins from.
    pub(super) fn push(&mut self, leased: &Delivery, change: Change) {
        self.waiting_until = self.waiting_until.into_iter().chain(leased.ready_at()).min();
        // Mostly there is one: a vector that grows by itself begins with four.
        if self.waiting.is_empty() {
            self.waiting.reserve_exact(1);
        }
        self.waiting.push(change);
    }

    pub(super) fn failed(&mut self) {
        // A failure that nobody waits for must not lose what waits to be repeated.
        if let Some(batch) = self.applying.take().filter(|_| !planted!(ApplyNotRepeated)) {
            self.again = Some(batch);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.batches().map(|batch| batch.changes.len()).sum::<usize>()
    }

    /// Whether a change waits whose lease is over: a claim now could take its row, and then the outcome would be
    /// lost and the row sent again.
    pub(super) fn outlived(&self, now: Timestamp) -> bool {
        let ends = self.batches().map(|batch| batch.until).chain([self.waiting_until]);
        ends.flatten().any(|until| until <= now)
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.applying.iter().chain(&self.again)
    }

    fn next_batch(&mut self) -> Option<Batch> {
        if self.again.is_some() {
            return self.again.take();
        }
        let changes = std::mem::take(&mut self.waiting);
        (!changes.is_empty()).then(|| Batch { changes: changes.into(), until: self.waiting_until.take() })
    }
}

impl Dispatcher {
    /// Takes the machine's step for a delivery that this engine holds, and buffers what it writes. `policy` is the
    /// engine's unless given.
    pub(super) fn write(&mut self, now: Timestamp, delivery: &Delivery, input: Input, policy: Option<&Policy>) {
        let change = self.tokens.change();
        // Everything held here was leased to us, so the step is always legal; if a store says otherwise, there is
        // nothing to write.
        if let Ok(Step::Write(change)) = step(delivery, input, policy.unwrap_or(&self.config.policy), now, change) {
            self.unsettled.push(delivery, change);
        }
    }

    pub(super) fn hand_back(&mut self, now: Timestamp, delivery: &Delivery) {
        self.drain.count_handed_back();
        self.write(now, delivery, Input::HandBack, None);
    }

    pub(super) fn settle_next(&mut self, out: &mut Vec<Command>) {
        if self.unsettled.applying.is_some() {
            return;
        }
        if let Some(batch) = self.unsettled.next_batch() {
            out.push(Command::Apply(Arc::clone(&batch.changes)));
            self.unsettled.applying = Some(batch);
        }
    }

    pub(super) fn applied(&mut self, outcomes: Vec<ApplyOutcome>, out: &mut Vec<Command>) {
        let Some(Batch { changes, .. }) = self.unsettled.applying.take() else { return };
        self.outage.answered();
        for (change, outcome) in changes.iter().zip(&outcomes) {
            let next = change.next();
            if let (ApplyOutcome::Applied, State::Scheduled, Some(at)) = (outcome, next.state, next.ready_at) {
                self.claims.due(at);
            }
        }
        out.push(Command::Settled(changes, outcomes));
    }

    /// What became of reserved deliveries whose insert got no answer: those that are stored under a lease of ours
    /// are handed back, so that the next claim finds them at once. One under another token was stored by somebody
    /// else first, who may be sending it. Of one that is not there the statement may still run: it is claimed once the
    /// lease is over that it would be stored under.
    pub(super) fn loaded(&mut self, now: Timestamp, found: &[Delivery]) {
        self.outage.answered();
        for doubt in self.loading.take().into_iter().flatten() {
            if !planted!(DoubtKeepsPlace) {
                self.release_place(&doubt.endpoint);
            }
            let stored = found.iter().find(|delivery| delivery.id() == doubt.delivery);
            match stored {
                Some(delivery) if delivery.token() == Some(doubt.token) => self.hand_back(now, delivery),
                Some(_) => {}
                None => self.claims.due(now.saturating_add(self.config.lease())),
            }
        }
    }
}
