//! For the simulator: whether the indexes say what the rows say, and a fall back to an earlier state.

use super::{Index, Model};

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

    /// # Errors
    /// What an index says that the rows do not.
    pub(in super::super) fn check(&self) -> Result<(), String> {
        let mut rebuilt = Index::default();
        for (number, row) in &self.deliveries {
            rebuilt.enter(*number, &row.delivery);
            if self.numbers.get(&row.delivery.id()) != Some(number) {
                return Err(format!("{} is not found by its id", row.delivery.id()));
            }
        }
        let filled = |index: &Index| {
            let queues = index.queues.iter().filter(|(_, queue)| !queue.claimable.is_empty() || !queue.held.is_empty());
            let queues: Vec<_> =
                queues.map(|(id, queue)| (id.clone(), queue.claimable.clone(), queue.held.clone())).collect();
            let tally = index
                .tally
                .iter()
                .flat_map(|(tenant, counts)| counts.iter().map(move |(state, n)| (tenant.clone(), *state, *n)));
            (queues, tally.filter(|(_, _, n)| *n > 0).collect::<Vec<_>>())
        };
        if filled(&rebuilt) != filled(&self.index) {
            return Err("the queues or the counts differ from the rows".into());
        }
        let events = self.events.values().map(|row| row.deliveries.len()).sum::<usize>();
        if self.numbers.len() != self.deliveries.len() || events != self.deliveries.len() {
            return Err(format!("{} ids, {events} of events, {} rows", self.numbers.len(), self.deliveries.len()));
        }
        Ok(())
    }
}
