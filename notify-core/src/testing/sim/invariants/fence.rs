//! A change is written if and only if version and token are those of the row; one that is refused changes nothing.

use crate::delivery::Delivery;
use crate::store::ApplyOutcome;

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Fence;

impl Invariant for Fence {
    fn name(&self) -> &'static str {
        "fencing"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Applied]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, known: Option<&Known>) -> Found {
        let Seen::Applied { change, outcome, after, .. } = seen else { return Ok(()) };
        let before = known.map(|known| &known.row);
        let fits = before.is_some_and(|row| row.version() == change.expected() && row.token() == change.token());
        let written = after.is_some_and(|row| row.as_stored() == change.next());
        let id = change.delivery();
        match outcome {
            ApplyOutcome::Applied if fits && written => Ok(()),
            // It was written before, and its answer got lost.
            ApplyOutcome::Applied if *after == before && was_written(change, known, before) => Ok(()),
            ApplyOutcome::Applied => {
                Err(format!("a change of delivery {id} was written past {:?}", before.map(Delivery::version)))
            }
            ApplyOutcome::Stale { .. } | ApplyOutcome::Missing if fits => {
                Err(format!("a good change of delivery {id} was refused"))
            }
            ApplyOutcome::Stale { .. } | ApplyOutcome::Missing if *after != before => {
                Err(format!("a refused change of delivery {id} changed it"))
            }
            ApplyOutcome::Stale { .. } | ApplyOutcome::Missing => Ok(()),
        }
    }
}

fn was_written(change: &crate::machine::Change, known: Option<&Known>, before: Option<&Delivery>) -> bool {
    let last = before.is_some_and(|row| row.as_stored().last_change == Some(change.id()));
    let log = known.map(|known| known.log.as_slice()).unwrap_or_default();
    last || change.attempts().last().is_some_and(|last| log.iter().any(|attempt| attempt == last))
}
