//! No request starts after a success of its delivery is stored, or after any other end.

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct NoneAfterSuccess {
    /// All processes have about the same time: else a lease may end early for another one, who settles it.
    sure: bool,
}

impl NoneAfterSuccess {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self { sure: !scenario.clock_is_unsure() }
    }
}

impl Invariant for NoneAfterSuccess {
    fn name(&self) -> &'static str {
        "none after success"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Requested]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, known: Option<&Known>) -> Found {
        let Seen::Requested { sent, .. } = seen else { return Ok(()) };
        let Some(known) = known.filter(|known| !known.tagged && self.sure) else {
            return Ok(());
        };
        if !known.row.state().is_open() {
            return Err(format!("delivery {} is sent, and is {} already", sent.delivery, known.row.state().as_str()));
        }
        let round = known.row.as_stored().round;
        // It was settled truly, so a success that its sender wrote down ends it.
        let told = known
            .log
            .iter()
            .any(|attempt| attempt.round == round && attempt.outcome == crate::delivery::Outcome::Success);
        if told { Err(format!("delivery {} is sent after a success in its log", sent.delivery)) } else { Ok(()) }
    }
}
