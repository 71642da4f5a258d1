//! For the simulator: whether the indexes say what the rows say, which rows a sweep wrote, and a fall back to
//! an earlier state.

use std::collections::BTreeMap;

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
        let rows = written.iter().filter_map(|number| self.deliveries.get(number)).map(|row| row.delivery.clone());
        (swept(&written), rows.collect())
    }

    /// # Errors
    /// What an index says that the rows do not.
    pub(in super::super) fn check(&self) -> Result<(), String> {
        // Each entry of a queue is an open row's own, and there are as many as open rows: so none is missing.
        let mut tally: BTreeMap<TenantId, [u64; State::ALL.len()]> = BTreeMap::new();
        let mut open = 0;
        for (number, row) in &self.deliveries {
            let delivery = &row.delivery;
            if self.numbers.get(&delivery.id()) != Some(number) {
                return Err(format!("{} is not found by its id", delivery.id()));
            }
            let tenant = &delivery.event().tenant;
            match tally.get_mut(tenant) {
                Some(counts) => counts[delivery.state() as usize] += 1,
                None => tally.entry(tenant.clone()).or_default()[delivery.state() as usize] += 1,
            }
            open += usize::from(delivery.state().is_open());
        }
        let mut queued = 0;
        for (endpoint, queue) in &self.index.queues {
            let entries =
                queue.claimable.iter().map(|entry| (entry, true)).chain(queue.held.iter().map(|entry| (entry, false)));
            for ((at, number), claimable) in entries {
                queued += 1;
                let right = self.deliveries.get(number).is_some_and(|row| {
                    let delivery = &row.delivery;
                    delivery.ready_at() == Some(*at)
                        && delivery.state().is_claimable() == claimable
                        && delivery.endpoint() == endpoint
                });
                if !right {
                    return Err(format!("a queue of {endpoint} has row {number} at {at}, and the row says otherwise"));
                }
            }
        }
        if queued != open {
            return Err(format!("{queued} rows are in queues, and {open} are open"));
        }
        let counted = self.index.tally.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        if !counted.eq(&tally) {
            return Err("the counts differ from the rows".into());
        }
        let events = self.events.values().map(|row| row.deliveries.len()).sum::<usize>();
        if self.numbers.len() != self.deliveries.len() || events != self.deliveries.len() {
            return Err(format!("{} ids, {events} of events, {} rows", self.numbers.len(), self.deliveries.len()));
        }
        Ok(())
    }
}
