//! A process that stops claims nothing new, leaves no lease of a claim behind if it ends in time, and after it has said
//! that it stopped it does nothing.

use std::collections::BTreeSet;

use crate::delivery::State;
use crate::id::Version;

use super::super::ledger::Lease;
use super::super::scenario::{Scenario, Trouble};
use super::super::seen::StopEnd;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct NothingAfterStop {
    stopped: BTreeSet<(usize, u32)>,
    /// No answer is late and nothing is lost: a process knows of every lease that it has.
    knows_all: bool,
}

impl NothingAfterStop {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let failover = scenario.has(|trouble| matches!(trouble, Trouble::Failover { .. }));
        let knows_all = scenario.lost_replies == 0 && !failover && !scenario.clock_is_unsure();
        Self { stopped: BTreeSet::new(), knows_all }
    }
}

impl Invariant for NothingAfterStop {
    fn name(&self) -> &'static str {
        "nothing after stop"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Stopped, Kind::Asked, Kind::Requested]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        match seen {
            Seen::Stopped { process, epoch, clock, end } => {
                self.stopped.insert((*process, *epoch));
                if *end == StopEnd::CutOff || !self.knows_all {
                    return Ok(());
                }
                // A publish may still be on its way to the store: what it leases is version 1. A lease that has ended
                // is nobody's: a process that stood still for longer may never learn that a failed claim took it.
                let left = ledger.rows.values().find(|known| {
                    let held = |lease: &Lease| lease.by == Some((*process, *epoch)) && lease.until > *clock;
                    known.row.state() == State::InFlight
                        && known.lease.as_ref().is_some_and(held)
                        && known.row.version() > Version::FIRST
                });
                match left {
                    None => Ok(()),
                    Some(known) => {
                        Err(format!("process {process} stopped in time and left delivery {} leased", known.row.id()))
                    }
                }
            }
            Seen::Asked { process, stopping: true, repeated: false, .. } => {
                Err(format!("process {process} claims while it stops"))
            }
            Seen::Requested { sent, .. } if self.stopped.contains(&(sent.process, sent.epoch)) => {
                Err(format!("process {} sends after it has stopped", sent.process))
            }
            _ => Ok(()),
        }
    }
}
