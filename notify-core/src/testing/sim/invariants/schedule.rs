//! A retry is due exactly its delay after the end of the attempt before, is never early, and in quiet times never late.

use std::time::Duration;

use crate::delivery::{Outcome, State};
use crate::machine::SOLO_FROM_LOST_LEASES;
use crate::retry::RetrySchedule;
use crate::store::ApplyOutcome;

use super::super::scenario::Scenario;
use super::{Found, Invariant, Known, Ledger, Seen};

/// How late an attempt may be where nothing is wrong: what another process publishes is seen within two seconds.
const LATE: i64 = 3000;

#[derive(Debug)]
pub(super) struct Schedule {
    engine: RetrySchedule,
    calm: bool,
}

impl Schedule {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self { engine: scenario.config.policy.schedule.clone(), calm: scenario.calm }
    }
}

impl Invariant for Schedule {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        match seen {
            Seen::Claimed { request, batch, .. } => {
                for row in &batch.claimed {
                    let Some(known) = ledger.rows.get(&row.delivery.id()) else { continue };
                    let due = known.row.ready_at().filter(|_| known.row != row.delivery);
                    if due.is_some_and(|due| due > request.now) {
                        return Err(format!(
                            "delivery {} is claimed at {}, before {due:?}",
                            row.delivery.id(),
                            request.now
                        ));
                    }
                }
                Ok(())
            }
            Seen::Applied { change, outcome: ApplyOutcome::Applied, .. } => {
                let next = change.next();
                let Some(known) = known.filter(|known| !known.tagged) else { return Ok(()) };
                let Some(last) = change.attempts().last() else { return Ok(()) };
                let counted = matches!(last.outcome, Outcome::Failure(reason) if reason.counts());
                if !counted || known.row.version() != change.expected() {
                    return Ok(());
                }
                let own = ledger.endpoints.get(&next.endpoint).and_then(|writes| writes.first());
                let own = own
                    .and_then(|write| write.endpoint.as_ref())
                    .and_then(|endpoint| endpoint.policy.schedule.as_ref());
                let delays = own.unwrap_or(&self.engine).delays();
                let before = known
                    .log
                    .iter()
                    .filter(|attempt| attempt.round == next.round)
                    .filter(|attempt| matches!(attempt.outcome, Outcome::Failure(reason) if reason.counts()));
                let ended = last.started_at.saturating_add(last.duration);
                match (next.state, delays.get(before.count())) {
                    (State::Scheduled | State::Held, Some(delay))
                        if next.ready_at == Some(ended.saturating_add(*delay)) =>
                    {
                        Ok(())
                    }
                    (State::Cancelled, _) | (State::Failed, None) => Ok(()),
                    (state, delay) => Err(format!(
                        "delivery {} is {} and due at {:?} after an attempt that ended at {ended}, with {delay:?} to wait",
                        next.id,
                        state.as_str(),
                        next.ready_at
                    )),
                }
            }
            Seen::Requested { sent, .. } => {
                let Some(known) = known else { return Ok(()) };
                let row = known.row.as_stored();
                if row.lost_leases >= SOLO_FROM_LOST_LEASES && row.lost_leases != row.lost_logged && !known.tagged {
                    return Err(format!("delivery {} does not wait after {} lost leases", row.id, row.lost_leases));
                }
                let due = known.lease.as_ref().map(|lease| lease.due.unwrap_or(row.created_at));
                let late = due.filter(|_| self.calm).map(|due| sent.clock.since(due)).unwrap_or_default();
                if late > Duration::from_millis(LATE.unsigned_abs()) {
                    return Err(format!("delivery {} starts {late:?} late, though nothing is wrong", row.id));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
