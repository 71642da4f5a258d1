//! Only events that have ended long enough ago are removed.

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Retention;

impl Invariant for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Pruned]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Pruned { before, gone } = seen else { return Ok(()) };
        for known in gone.iter().filter_map(|id| ledger.rows.get(id)) {
            if known.row.as_stored().settled_at.is_none_or(|at| at >= *before) {
                return Err(format!("delivery {} is removed, and is {}", known.row.id(), known.row.state().as_str()));
            }
        }
        Ok(())
    }
}
