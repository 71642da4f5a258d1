//! What a process holds in memory is bounded.

use super::super::scenario::Scenario;
use super::{Found, Invariant, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Memory {
    most: usize,
}

impl Memory {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let config = &scenario.config;
        // Beyond the limit: what one claim brings, and the places that were taken before it was reached.
        let slots = config.max_in_flight as usize;
        Self { most: config.unsettled_limit + slots + slots * config.places_per_slot as usize + 1 }
    }
}

impl Invariant for Memory {
    fn name(&self) -> &'static str {
        "memory bounded"
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        match seen {
            Seen::Turned { process, held, .. } if *held > self.most => {
                Err(format!("process {process} holds {held} deliveries and changes, and {} are the most", self.most))
            }
            _ => Ok(()),
        }
    }
}
