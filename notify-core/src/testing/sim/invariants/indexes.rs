//! What the store's indexes and counts say is what its rows say.

use crate::store::MemoryStore;

use super::{Found, Invariant, Kind, Known, Ledger, Moment, Seen};

#[derive(Debug)]
pub(super) struct Indexes;

impl Invariant for Indexes {
    fn name(&self) -> &'static str {
        "indexes consistent"
    }

    fn watches(&self) -> &'static [Kind] {
        &[]
    }

    fn see(&mut self, _seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        Ok(())
    }

    fn review(&mut self, store: &MemoryStore, _ledger: &Ledger, _moment: Moment) -> Found {
        store.check()
    }
}
