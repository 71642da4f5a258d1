//! At every time at most one lease of a delivery is good; an attempt ends, with a margin, before its lease does; and a
//! claim that is repeated gets the same rows.

use crate::delivery::State;
use crate::dispatch::DispatchConfig;

use super::super::scenario::{Scenario, Trouble};
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct ExclusiveLease {
    /// Processes are never paused and clocks never jump: then a lease is never taken from one that still sends.
    steady: bool,
    /// All processes have about the same time: else a lease may end early for another one.
    sure: bool,
    /// How far from the true time another process may be, in milliseconds.
    error: i64,
}

impl ExclusiveLease {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let sure = !scenario.clock_is_unsure();
        let pauses = scenario.has(|trouble| matches!(trouble, Trouble::Pause { .. }));
        Self { steady: sure && !pauses, sure, error: scenario.clock_error() }
    }
}

impl Invariant for ExclusiveLease {
    fn name(&self) -> &'static str {
        "exclusive lease"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Claimed, Kind::Requested]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, known: Option<&Known>) -> Found {
        match seen {
            Seen::Claimed { at, request, batch } => {
                // One that is carried out after its own lease has ended is a new one, of no use and no harm.
                let repeats = self.sure && request.lease_until.as_millis() > *at + self.error;
                let before = ledger.claims.get(&request.token).filter(|_| repeats);
                for row in &batch.claimed {
                    let id = row.delivery.id();
                    if before.is_some_and(|before| !before.contains(&id)) {
                        return Err(format!("the claim {:?} was repeated and leased delivery {id} too", request.token));
                    }
                    let Some(known) = ledger.rows.get(&id) else {
                        return Err(format!("delivery {id} is claimed, and was never stored"));
                    };
                    if known.row == row.delivery {
                        continue;
                    }
                    if before.is_some() && !known.tagged {
                        return Err(format!(
                            "the claim {:?} was repeated and leased delivery {id} anew",
                            request.token
                        ));
                    }
                    if known.row.state() == State::InFlight
                        && known.row.ready_at().is_none_or(|until| until > request.now)
                    {
                        return Err(format!("delivery {id} is claimed at {}, while its lease is good", request.now));
                    }
                }
                Ok(())
            }
            Seen::Requested { sent, order, .. } => {
                let known = known.filter(|known| !known.tagged && self.sure);
                let Some(known) = known else { return Ok(()) };
                let Some(lease) = &known.lease else {
                    return Err(format!("delivery {} is sent without a lease", sent.delivery));
                };
                let by = Some((sent.process, sent.epoch));
                if self.steady && lease.by != by {
                    return Err(format!("delivery {} is sent by another process than holds its lease", sent.delivery));
                }
                let latest = sent.clock.saturating_add(order.timeout).saturating_add(DispatchConfig::MARGIN);
                if lease.by == by && latest > lease.until {
                    return Err(format!(
                        "delivery {} is sent at {} under a lease to {}",
                        sent.delivery, sent.clock, lease.until
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
