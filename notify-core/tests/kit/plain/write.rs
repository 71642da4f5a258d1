//! Changes and sweeps.

use std::sync::Arc;
use std::time::Duration;

use notify_core::delivery::{Delivery, State, Timing};
use notify_core::machine::Change;
use notify_core::store::{ApplyOutcome, SweepAction, SweepRequest, Swept};

use super::{Fault, Tables};

/// A row was written now, so its attempts are to be logged; or nothing is left to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    Now,
    Before,
}

impl Tables {
    /// Writes the row, or says why not.
    pub(super) fn write_row(&mut self, change: &Change) -> Result<Written, ApplyOutcome> {
        let (ignores_version, ignores_token) = (self.has(Fault::IgnoresTheVersion), self.has(Fault::IgnoresTheToken));
        let (last_only, by_id) = (self.has(Fault::KnowsOnlyTheLastChange), self.has(Fault::KnowsNoRepeatedChange));
        let row = self.row_mut(&change.delivery()).ok_or(ApplyOutcome::Missing)?;
        let current = row.delivery.as_stored();
        let logged = !last_only && row.attempts.iter().any(|(id, _)| *id == change.id());
        if !by_id && (current.last_change == Some(change.id()) || logged) {
            return Ok(Written::Before);
        }
        let fenced = (ignores_version || current.version == change.expected())
            && (ignores_token || current.token == change.token());
        if !fenced {
            return Err(ApplyOutcome::Stale { current: current.version });
        }
        row.delivery = Delivery::restore(change.next().clone()).unwrap();
        self.writes += 1;
        Ok(Written::Now)
    }

    /// The log rows of a change whose row was written.
    pub(super) fn log(&mut self, change: &Change, outcome: Result<Written, ApplyOutcome>) {
        let stale_too = self.has(Fault::LogsStaleAttempts);
        let lost_too = !self.has(Fault::LogsNoLostAttempts);
        let repeated = outcome == Ok(Written::Before) && self.has(Fault::CountsARepeatedChangeAgain);
        if let Some(event) = self.row(&change.delivery()).map(|row| Arc::clone(&row.event))
            && (outcome == Ok(Written::Now) || repeated)
        {
            self.activity.note(&event, change);
        }
        let wanted = outcome == Ok(Written::Now) || (stale_too && outcome.is_err());
        let (last_only, as_text) = (self.has(Fault::KeepsTheLastAttemptOnly), self.has(Fault::KeepsResponsesAsText));
        let (no_timing, rounded) = (self.has(Fault::ForgetsTheTiming), self.has(Fault::KeepsTimingsInMilliseconds));
        let Some(row) = self.row_mut(&change.delivery()).filter(|_| wanted) else { return };
        if last_only && !change.attempts().is_empty() {
            row.attempts.clear();
        }
        let attempts = change.attempts().iter().filter(|attempt| lost_too || attempt.url.is_some());
        row.attempts.extend(attempts.map(|attempt| (change.id(), attempt.clone())));
        for (_, attempt) in &mut row.attempts {
            attempt.timing =
                attempt.timing.filter(|_| !no_timing).map(|timing| if rounded { whole_millis(timing) } else { timing });
        }
        for (_, attempt) in row.attempts.iter_mut().filter(|_| as_text) {
            if let Some(response) = &mut attempt.response {
                response.bytes = String::from_utf8_lossy(&response.bytes).into_owned().into();
            }
        }
    }

    pub(super) fn sweep(&mut self, request: &SweepRequest) -> Swept {
        let (leased_too, same_version) = (self.has(Fault::SweepsLeasedRows), self.has(Fault::SweepsWithoutAVersion));
        let (held_too, no_limit) = (!self.has(Fault::CancelLeavesHeldRows), self.has(Fault::SweepsWithoutALimit));
        let by_prefix = self.has(Fault::SweepsByPrefix);
        let forgets_due = self.has(Fault::HoldForgetsTheDueTime);
        let mut moved = 0;
        for row in self.rows.values_mut() {
            let delivery = &row.delivery;
            let from = match (request.action, delivery.state()) {
                (SweepAction::Hold, State::Scheduled) => true,
                (SweepAction::Release, State::Held) => true,
                (SweepAction::Cancel, State::Scheduled) => true,
                (SweepAction::Cancel, State::Held) => held_too,
                (SweepAction::Hold | SweepAction::Cancel, State::InFlight) => leased_too,
                _ => false,
            };
            let wanted = if by_prefix {
                delivery.endpoint().as_str().starts_with(request.endpoint.as_str())
            } else {
                *delivery.endpoint() == request.endpoint
            };
            if !from || !wanted || (moved == request.limit && !no_limit) {
                continue;
            }
            let mut next = delivery.as_stored().clone();
            next.token = None;
            match request.action {
                SweepAction::Hold => next.state = State::Held,
                SweepAction::Release => next.state = State::Scheduled,
                SweepAction::Cancel => {
                    next.state = State::Cancelled;
                    next.ready_at = None;
                    next.settled_at = Some(request.now);
                }
            }
            if forgets_due && request.action == SweepAction::Hold {
                next.ready_at = Some(request.now);
            }
            if !same_version {
                next.version = next.version.next();
            }
            row.delivery = Delivery::restore(next).unwrap();
            moved += 1;
        }
        self.writes += 1;
        Swept { moved }
    }
}

fn whole_millis(timing: Timing) -> Timing {
    let cut = |length: Duration| Duration::from_millis(u64::try_from(length.as_millis()).unwrap());
    timing.parts().fold(timing, |timing, (part, length)| timing.with(part, cut(length)))
}
