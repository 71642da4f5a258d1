//! A process's time never goes back, and where the store has a clock it is that clock's: jumps of the wall clock are
//! harmless.

use crate::time::Timestamp;

use super::super::scenario::Scenario;
use super::{Found, Invariant, Known, Ledger, Seen};

/// Half the longest round trip of asking for the store's time.
const ERROR: i64 = 100;

#[derive(Debug)]
pub(super) struct Clock {
    last: Vec<(u32, Timestamp)>,
    by_store: bool,
    steady: bool,
}

impl Clock {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let steady = !scenario.clock_is_unsure();
        Self { last: vec![(0, Timestamp::MIN); scenario.processes], by_store: scenario.store_clock, steady }
    }
}

impl Invariant for Clock {
    fn name(&self) -> &'static str {
        "clock jumps harmless"
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Turned { process, epoch, at, clock, .. } = seen else { return Ok(()) };
        let (last_epoch, last) = self.last[*process];
        if last_epoch == *epoch && *clock < last {
            return Err(format!("the time of process {process} goes back from {last} to {clock}"));
        }
        self.last[*process] = (*epoch, *clock);
        let off = clock.as_millis() - at;
        if (self.by_store || self.steady) && off.abs() > ERROR {
            return Err(format!("the time of process {process} is {off} ms off"));
        }
        Ok(())
    }
}
