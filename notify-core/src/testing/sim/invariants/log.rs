//! The log is complete and true: numbered 1..n, a row for each request, each row's outcome the one that its sender heard,
//! and no row of a lost lease where nothing could lose one.

use crate::delivery::{Attempt, Outcome, Reason, State};
use crate::store::{DeliveryLog, MemoryStore};

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Moment, Seen};

#[derive(Debug)]
pub(super) struct TrueLog {
    loses_no_lease: bool,
}

impl TrueLog {
    pub(super) fn of(scenario: &Scenario) -> Self {
        // With many failed calls in a row an outcome can come too late for its lease.
        Self { loses_no_lease: scenario.loses_no_lease() && scenario.store_faults <= 50 }
    }
}

impl Invariant for TrueLog {
    fn name(&self) -> &'static str {
        "log complete and true"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Claimed, Kind::Applied]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        if let Seen::Claimed { batch, .. } = seen {
            let lost = |known: &Known| known.row.state() == State::InFlight;
            let claimed = batch
                .claimed
                .iter()
                .filter_map(|row| ledger.rows.get(&row.delivery.id()).filter(|known| known.row != row.delivery));
            if let Some(known) = claimed.into_iter().find(|known| self.loses_no_lease && lost(known)) {
                return Err(format!("delivery {} lost its lease, though nothing could lose it", known.row.id()));
            }
        }
        let Seen::Applied { change, outcome: crate::store::ApplyOutcome::Applied, .. } = seen else { return Ok(()) };
        let Some(known) = known else { return Ok(()) };
        if known.row.version() != change.expected() {
            return Ok(());
        }
        let first = known.log.last().map_or(0, |last| last.number.get());
        for (index, attempt) in change.attempts().iter().enumerate() {
            let number = first + u32::try_from(index).unwrap_or(u32::MAX) + 1;
            if attempt.number.get() != number {
                return Err(format!(
                    "attempt {} of delivery {} comes after {}",
                    attempt.number,
                    known.row.id(),
                    number - 1
                ));
            }
            if !known.tagged {
                true_to_its_request(known, attempt)?;
            }
        }
        let lost = known.row.lost_unlogged() as usize;
        let rows =
            change.attempts().iter().filter(|attempt| attempt.outcome == Outcome::Failure(Reason::WorkerLost)).count();
        if rows != lost {
            return Err(format!(
                "{rows} rows of delivery {} say that a worker was lost, and {lost} were",
                known.row.id()
            ));
        }
        let success = change.attempts().last().is_some_and(|last| last.outcome == Outcome::Success);
        if success != (change.next().state == State::Delivered) {
            return Err(format!(
                "delivery {} is {} after {:?}",
                known.row.id(),
                change.next().state.as_str(),
                change.attempts().last()
            ));
        }
        Ok(())
    }

    fn review(&mut self, store: &MemoryStore, ledger: &Ledger, moment: Moment) -> Found {
        if moment == Moment::Between {
            return Ok(());
        }
        for (id, known) in &ledger.rows {
            let log = super::super::ready(store.attempts(id)).unwrap_or_default();
            if log != known.log {
                return Err(format!(
                    "the log of delivery {id} has {} rows, and {} were written",
                    log.len(),
                    known.log.len()
                ));
            }
            if known.requests.len() > log.len() && !known.tagged && !known.row.state().is_open() {
                return Err(format!("{} requests of delivery {id} have {} rows", known.requests.len(), log.len()));
            }
        }
        Ok(())
    }
}

fn true_to_its_request(known: &Known, attempt: &Attempt) -> Found {
    let started = |sent: &&super::super::ledger::Sent| sent.clock == attempt.started_at;
    let told = match attempt.outcome {
        Outcome::Failure(Reason::WorkerLost) => return Ok(()),
        Outcome::Failure(Reason::Interrupted) => known.requests.iter().filter(started).any(|sent| sent.ended.is_none()),
        outcome => {
            let heard = |sent: &super::super::ledger::Sent| {
                sent.ended.is_some_and(|ended| (ended.duration, ended.outcome) == (attempt.duration, outcome))
            };
            let judged = |sent: &super::super::ledger::Sent| sent.success == (outcome == Outcome::Success);
            known.requests.iter().filter(started).any(|sent| heard(sent) && judged(sent))
        }
    };
    if told {
        Ok(())
    } else {
        Err(format!("no request of delivery {} is as its row says: {attempt:?}", known.row.id()))
    }
}
