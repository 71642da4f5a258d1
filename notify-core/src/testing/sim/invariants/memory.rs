//! What a process holds in memory is bounded.

use crate::dispatch::DispatchConfig;

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Memory;

/// Beyond the limit: what one claim brings, and the places that were taken before it was reached.
const fn most(config: &DispatchConfig) -> usize {
    let slots = config.max_in_flight as usize;
    config.unsettled_limit + slots + slots * config.places_per_slot as usize + 1
}

impl Invariant for Memory {
    fn name(&self) -> &'static str {
        "memory bounded"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Turned]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        match seen {
            Seen::Turned { process, held, config, .. } if *held > most(config) => {
                let most = most(config);
                Err(format!("process {process} holds {held} deliveries and changes, and {most} are the most"))
            }
            _ => Ok(()),
        }
    }
}
