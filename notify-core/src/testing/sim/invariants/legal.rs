//! A delivery takes only legal steps, one version at a time; an end is an end.

use crate::delivery::{Delivery, State};
use crate::store::ApplyOutcome;

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct LegalSteps;

impl Invariant for LegalSteps {
    fn name(&self) -> &'static str {
        "legal transitions"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Claimed, Kind::Applied, Kind::Swept, Kind::ByHand]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let before =
            |after: &Delivery| ledger.rows.get(&after.id()).map(|known| &known.row).filter(|row| *row != after);
        match seen {
            Seen::Claimed { batch, .. } => batch.claimed.iter().try_for_each(|claimed| {
                let after = &claimed.delivery;
                let Some(before) = before(after) else { return Ok(()) };
                let lost = u32::from(before.state() == State::InFlight);
                let counted = after.as_stored().lost_leases == before.as_stored().lost_leases + lost;
                step(before, after, || before.state().is_claimable() && after.state() == State::InFlight && counted)
            }),
            Seen::Applied { outcome: ApplyOutcome::Applied, after: Some(after), .. } => {
                let Some(before) = before(after) else { return Ok(()) };
                step(before, after, || before.state() == State::InFlight && after.state() != State::InFlight)
            }
            Seen::Swept { after, .. } => {
                let Some(before) = before(after) else { return Ok(()) };
                use State::{Cancelled, Held, Scheduled};
                let legal = matches!(
                    (before.state(), after.state()),
                    (Scheduled, Held) | (Held, Scheduled) | (Scheduled | Held, Cancelled)
                );
                step(before, after, || legal)
            }
            Seen::ByHand { after } => {
                let Some(before) = before(after) else { return Ok(()) };
                let (from, to) = (before.as_stored(), after.as_stored());
                let again = matches!(to.state, State::Scheduled | State::Held) && to.round == from.round.next();
                let cancelled = to.state == State::Cancelled && from.state.is_open() && to.round == from.round;
                step(before, after, || from.state != State::InFlight && (again || cancelled))
            }
            _ => Ok(()),
        }
    }
}

/// `legal`: whether the states are a step.
fn step(before: &Delivery, after: &Delivery, legal: impl FnOnce() -> bool) -> Found {
    if !legal() || after.version() != before.version().next() {
        return Err(format!(
            "delivery {} goes from {} (version {}) to {} (version {})",
            after.id(),
            before.state().as_str(),
            before.version(),
            after.state().as_str(),
            after.version()
        ));
    }
    Ok(())
}
