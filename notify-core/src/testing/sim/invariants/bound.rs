//! At most so many counted attempts as the schedule has, and a lost lease burns none; leases lost in a row are bounded
//! apart.

use crate::delivery::Outcome;
use crate::machine::MAX_LOST_LEASES;
use crate::retry::RetrySchedule;
use crate::store::ApplyOutcome;

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Bound {
    /// By the longest schedule that any process has: that each one keeps to its own is the schedule's sentence.
    attempts: usize,
    /// All processes have about the same time: else two may send one delivery.
    sure: bool,
}

impl Bound {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let attempts = scenario.configs().map(|config| attempts(&config.policy.schedule)).max().unwrap_or(1);
        Self { attempts, sure: !scenario.clock_is_unsure() }
    }
}

impl Invariant for Bound {
    fn name(&self) -> &'static str {
        "bound"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Requested, Kind::Applied]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        match seen {
            Seen::Requested { sent, order, .. } => {
                let Some(known) = known else {
                    if ledger.lost.contains(&sent.delivery) {
                        return Ok(());
                    }
                    return Err(format!("a request of delivery {}, which is not stored", sent.delivery));
                };
                let counted = known
                    .log
                    .iter()
                    .filter(|attempt| attempt.round == known.row.as_stored().round && counts(attempt.outcome))
                    .count();
                let most = order.endpoint.policy.schedule.as_ref().map_or(self.attempts, attempts);
                if counted >= most && !known.tagged && self.sure {
                    return Err(format!(
                        "delivery {} is sent after {counted} counted attempts of {most}",
                        sent.delivery
                    ));
                }
                let lost = known.row.as_stored().lost_leases;
                if lost >= MAX_LOST_LEASES && !known.tagged && self.sure {
                    return Err(format!("delivery {} is sent after {lost} lost leases", sent.delivery));
                }
                Ok(())
            }
            Seen::Applied { change, outcome: ApplyOutcome::Applied, .. } => {
                let next = change.next();
                let Some(known) = known else { return Ok(()) };
                let before = known.row.as_stored().failures;
                let counted = change.attempts().iter().filter(|attempt| counts(attempt.outcome)).count();
                if known.row.version() == change.expected()
                    && !known.tagged
                    && next.failures as usize != before as usize + counted
                {
                    return Err(format!(
                        "delivery {} has {} failures, with {before} before and {counted} counted attempts",
                        next.id, next.failures
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn attempts(schedule: &RetrySchedule) -> usize {
    schedule.delays().len() + 1
}

const fn counts(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failure(reason) if reason.counts())
}
