//! Nothing accepted is lost: each delivery of an accepted event exists until it is pruned, and ends.

use std::collections::BTreeSet;

use crate::delivery::State;
use crate::store::{InsertOutcome, Inserted, MemoryStore};

use super::{Found, Invariant, Kind, Known, Ledger, Moment, Seen};

#[derive(Debug)]
pub(super) struct Conservation;

impl Invariant for Conservation {
    fn name(&self) -> &'static str {
        "conservation"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Inserted]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Inserted { batch, outcome: InsertOutcome::Stored(answers), endpoints, .. } = seen else {
            return Ok(());
        };
        for (published, answer) in batch.events.iter().zip(answers) {
            if *answer != Inserted::New {
                continue;
            }
            let event = &published.event;
            let wanted =
                endpoints.iter().filter(|endpoint| wants(endpoint.filter.patterns(), event.event_type.as_str()));
            let wanted: BTreeSet<_> = wanted.map(|endpoint| &endpoint.id).collect();
            let got: BTreeSet<_> = published.deliveries.iter().map(|new| &new.endpoint).collect();
            if wanted != got || got.len() != published.deliveries.len() {
                return Err(format!("event {} goes to {got:?}, and {wanted:?} want it", event.key.id));
            }
            let ids: BTreeSet<_> = published.deliveries.iter().map(|new| new.id).collect();
            if ids.len() != got.len() {
                return Err(format!("two deliveries of event {} have one id", event.key.id));
            }
        }
        Ok(())
    }

    fn review(&mut self, store: &MemoryStore, ledger: &Ledger, moment: Moment) -> Found {
        if moment == Moment::Between {
            return Ok(());
        }
        for (id, known) in &ledger.rows {
            let stored = super::super::ready(crate::store::Store::load(store, std::slice::from_ref(id)));
            let Some(row) = stored.ok().and_then(|rows| rows.into_iter().next()) else {
                return Err(format!("delivery {id} is gone"));
            };
            if row != known.row {
                return Err(format!("delivery {id} is {row:?}, and was written as {:?}", known.row));
            }
            let endpoint = ledger.endpoint(row.endpoint());
            let kept = row.state() == State::Held && endpoint.is_some_and(|endpoint| !endpoint.is_enabled());
            if row.state().is_open() && !kept {
                return Err(format!("delivery {id} is {} at the end", row.state().as_str()));
            }
        }
        Ok(())
    }
}

/// Written anew here, from the contract's words.
fn wants(patterns: Option<Vec<String>>, event_type: &str) -> bool {
    patterns.is_none_or(|patterns| {
        patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => event_type.starts_with(prefix),
            None => pattern == event_type,
        })
    })
}
