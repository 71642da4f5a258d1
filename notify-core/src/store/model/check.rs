//! For the simulator: whether the indexes say what the rows say, which rows a sweep wrote, and a fall back to
//! an earlier state.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;

use crate::delivery::{Delivery, State};
use crate::id::TenantId;

use super::super::{SweepRequest, Swept};
use super::{Model, swept};

impl Model {
    /// Takes everything but the endpoints from `old`. Numbers go on: a row's number is never given twice.
    pub(in super::super) fn fall_back_to(&mut self, old: Self) {
        let now = std::mem::take(self);
        *self = Self {
            endpoints: now.endpoints,
            endpoints_by_number: now.endpoints_by_number,
            last_number: now.last_number,
            writes: now.writes + 1,
            ..old
        };
    }

    /// A step of a sweep, and the rows that it wrote, as they are now.
    pub(in super::super) fn sweep_and_show(&mut self, request: &SweepRequest) -> (Swept, Vec<Delivery>) {
        let written = self.sweep_rows(request);
        let rows = written.iter().filter_map(|id| self.deliveries.get(id)).map(|row| row.delivery.clone());
        (swept(&written), rows.collect())
    }

    /// # Errors
    /// What an index says that the rows do not.
    pub(in super::super) fn check(&self) -> Result<(), String> {
        // The simulator asks this again and again, of all rows: one by one only where the sums differ.
        let (rows, indexes) = (self.rows_say(), self.indexes_say());
        if rows == indexes {
            return Ok(());
        }
        self.first_difference()?;
        Err(format!("the rows say {rows:?}, and the indexes {indexes:?}"))
    }

    fn rows_say(&self) -> Said<'_> {
        let mut said = Said { rows: self.deliveries.len(), ..Said::default() };
        for (id, row) in &self.deliveries {
            let delivery = &row.delivery;
            add(&mut said.numbered, (row.number, id, &delivery.id()));
            if let Some(at) = delivery.ready_at() {
                let queue = if delivery.state().is_claimable() { &mut said.claimable } else { &mut said.held };
                add(queue, (delivery.endpoint(), (at, row.number), id));
            }
            said.by_state.entry(&delivery.event().tenant).or_default()[delivery.state() as usize] += 1;
        }
        said
    }

    fn indexes_say(&self) -> Said<'_> {
        let counted = self.index.tally.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        let mut said = Said {
            rows: self.events.values().map(|row| row.deliveries.len()).sum(),
            by_state: counted.map(|(tenant, counts)| (tenant, *counts)).collect(),
            ..Said::default()
        };
        self.deliveries_by_number.iter().for_each(|(number, id)| add(&mut said.numbered, (*number, id, id)));
        for (endpoint, queue) in &self.index.queues {
            queue.claimable.iter().for_each(|(place, id)| add(&mut said.claimable, (endpoint, *place, id)));
            queue.held.iter().for_each(|(place, id)| add(&mut said.held, (endpoint, *place, id)));
        }
        said
    }

    fn first_difference(&self) -> Result<(), String> {
        for (number, id) in &self.deliveries_by_number {
            if self.deliveries.get(id).is_none_or(|row| row.number != *number || row.delivery.id() != *id) {
                return Err(format!("delivery {id} is not found, or is not number {number}"));
            }
        }
        let mut queued = 0;
        for (endpoint, queue) in &self.index.queues {
            let entries =
                queue.claimable.iter().map(|entry| (entry, true)).chain(queue.held.iter().map(|entry| (entry, false)));
            for (((at, number), id), claimable) in entries {
                queued += 1;
                let right = self.deliveries.get(id).is_some_and(|row| {
                    let delivery = &row.delivery;
                    row.number == *number
                        && delivery.ready_at() == Some(*at)
                        && delivery.state().is_claimable() == claimable
                        && delivery.endpoint() == endpoint
                });
                if !right {
                    return Err(format!("a queue of {endpoint} has {id} at {at}, and the row says otherwise"));
                }
            }
        }
        let open = self.deliveries.values().filter(|row| row.delivery.state().is_open()).count();
        if queued == open { Ok(()) } else { Err(format!("{queued} rows are in queues, and {open} are open")) }
    }
}

/// What the rows say, or what the indexes say: the same, where nothing is wrong. Of a set, how many and the sum of their
/// hashes.
#[derive(Debug, Default, Eq, PartialEq)]
struct Said<'a> {
    rows: usize,
    /// Number, the id under which it is found, its own id.
    numbered: (usize, u64),
    /// Endpoint, time and number, id.
    claimable: (usize, u64),
    held: (usize, u64),
    by_state: BTreeMap<&'a TenantId, [u64; State::ALL.len()]>,
}

fn add(sum: &mut (usize, u64), entry: impl Hash) {
    *sum = (sum.0 + 1, sum.1.wrapping_add(FxBuildHasher.hash_one(entry)));
}

#[cfg(test)]
mod tests;
