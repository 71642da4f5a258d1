//! A retry is due exactly its delay after the end of the attempt before, is never early, and in quiet times never late.

use std::time::Duration;

use crate::delivery::{Attempt, Outcome, State};
use crate::machine::SOLO_FROM_LOST_LEASES;
use crate::retry::RetrySchedule;
use crate::store::ApplyOutcome;

use super::super::ledger::Sent;
use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

/// How late an attempt may be where nothing is wrong: what another process publishes is seen within two seconds.
const LATE: i64 = 3000;

#[derive(Debug)]
pub(super) struct Schedule {
    /// Of each configuration that a process may have.
    engines: Vec<RetrySchedule>,
    calm: bool,
    /// How late an attempt may be where nothing is wrong, in milliseconds.
    late: i64,
    /// How far from each other two processes' times are, in milliseconds; `None` where the wall clock jumps.
    apart: Option<i64>,
}

impl Schedule {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let engines: Vec<_> = scenario.configs().map(|config| config.policy.schedule.clone()).collect();
        // A timer is as wrong as its clock, and no timer is longer than the longest delay.
        let longest = engines.iter().chain(scenario.endpoints.iter().filter_map(|endpoint| endpoint.schedule.as_ref()));
        let longest = longest.flat_map(|schedule| schedule.delays()).max().copied().unwrap_or_default();
        let later = scenario.publishes.iter().filter_map(|publish| publish.not_before).max().unwrap_or(0);
        let longest = later.max(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX));
        let late = LATE + scenario.clock_error() + scenario.drifted(longest);
        let apart = (!scenario.clock_is_unsure()).then(|| scenario.clock_error() * 2);
        Self { engines, calm: scenario.calm, late, apart }
    }
}

impl Invariant for Schedule {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Claimed, Kind::Applied, Kind::Requested]
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
            Seen::Applied { change, outcome: ApplyOutcome::Applied, config, .. } => {
                let next = change.next();
                let Some(known) = known.filter(|known| !known.tagged) else { return Ok(()) };
                let Some(last) = change.attempts().last() else { return Ok(()) };
                let counted = matches!(last.outcome, Outcome::Failure(reason) if reason.counts());
                if !counted || known.row.version() != change.expected() {
                    return Ok(());
                }
                // The policy of the process that applies it, whatever others have.
                let own = ledger.endpoints.get(&next.endpoint).and_then(|writes| writes.first());
                let own = own
                    .and_then(|write| write.endpoint.as_ref())
                    .and_then(|endpoint| endpoint.policy.schedule.as_ref());
                let delays = own.unwrap_or(&config.policy.schedule).delays();
                let ended = last.started_at.saturating_add(last.duration);
                match (next.state, delays.get(counted_failures(known).count())) {
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
            Seen::Requested { sent, order, .. } => {
                let Some(known) = known else { return Ok(()) };
                let row = known.row.as_stored();
                if row.lost_leases >= SOLO_FROM_LOST_LEASES && row.lost_leases != row.lost_logged && !known.tagged {
                    return Err(format!("delivery {} does not wait after {} lost leases", row.id, row.lost_leases));
                }
                let due = known.lease.as_ref().map(|lease| lease.due.unwrap_or(row.created_at));
                let late = due.filter(|_| self.calm).map(|due| sent.clock.since(due)).unwrap_or_default();
                if late > Duration::from_millis(self.late.unsigned_abs()) {
                    return Err(format!("delivery {} starts {late:?} late, though nothing is wrong", row.id));
                }
                self.waits_in_true_time(sent, known, order.endpoint.policy.schedule.as_ref())
            }
            _ => Ok(()),
        }
    }
}

impl Schedule {
    /// Whoever sent the last one, and by whatever clock.
    fn waits_in_true_time(&self, sent: &Sent, known: &Known, own: Option<&RetrySchedule>) -> Found {
        let Some(apart) = self.apart.filter(|_| !known.tagged) else { return Ok(()) };
        let Some(last) = counted_failures(known).last() else { return Ok(()) };
        let ended = known.requests.iter().rev().find(|before| before.clock == last.started_at);
        let Some(ended) = ended.and_then(|before| before.ended) else { return Ok(()) };
        let schedules = self.engines.iter().filter(|_| own.is_none()).chain(own);
        let index = counted_failures(known).count() - 1;
        // Of the process that wrote it down: with several configurations, the shortest.
        let Some(delay) = schedules.filter_map(|schedule| schedule.delays().get(index)).min() else { return Ok(()) };
        let waited = sent.at - ended.at;
        if waited + apart < i64::try_from(delay.as_millis()).unwrap_or(i64::MAX) {
            return Err(format!("delivery {} waits {waited} ms, and not {delay:?}", sent.delivery));
        }
        Ok(())
    }
}

/// The attempts of this round that burnt a retry.
fn counted_failures(known: &Known) -> impl Iterator<Item = &Attempt> {
    let round = known.row.as_stored().round;
    known
        .log
        .iter()
        .filter(move |attempt| attempt.round == round)
        .filter(|attempt| matches!(attempt.outcome, Outcome::Failure(reason) if reason.counts()))
}
