//! A process's time never goes back, and is never further from the true one than its clocks' drift explains: where the
//! store has a clock, jumps of the wall clock are harmless.

use crate::time::Timestamp;

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Clock {
    last: Vec<(u32, Timestamp)>,
    /// How far it may be off, in milliseconds; `None` where the wall clock matters and jumps.
    error: Option<i64>,
}

impl Clock {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let error = (!scenario.clock_is_unsure()).then(|| scenario.clock_error());
        Self { last: vec![(0, Timestamp::MIN); scenario.processes], error }
    }
}

impl Invariant for Clock {
    fn name(&self) -> &'static str {
        "clock jumps harmless"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Turned]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Turned { process, epoch, at, clock, .. } = seen else { return Ok(()) };
        let (last_epoch, last) = self.last[*process];
        if last_epoch == *epoch && *clock < last {
            return Err(format!("the time of process {process} goes back from {last} to {clock}"));
        }
        self.last[*process] = (*epoch, *clock);
        let off = clock.as_millis() - at;
        if self.error.is_some_and(|error| off.abs() > error) {
            return Err(format!("the time of process {process} is {off} ms off"));
        }
        Ok(())
    }
}
