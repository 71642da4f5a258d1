//! Starting attempts, and what follows their end.

use std::sync::Arc;

use crate::delivery::Outcome;
use crate::machine::{Gate, must_go_alone};
use crate::time::Timestamp;

use super::command::{Command, Finished, SendOrder};
use super::config::DispatchConfig;
use super::dispatcher::{Dispatcher, Stage};
use super::reads::finished_input;

impl Dispatcher {
    /// Whether a delivery that must go alone waits for the others to end.
    pub(super) fn ready_must_wait(&self) -> bool {
        self.ready.iter().filter_map(|id| self.items.get(id)).any(|item| must_go_alone(&item.claimed.delivery))
    }

    pub(super) fn start_ready(&mut self, now: Timestamp, out: &mut Vec<Command>) {
        if self.quiet && self.sending == 0 && self.items.is_empty() && self.unsettled.is_empty() {
            self.quiet = false;
        }
        if self.sending == 0 {
            self.move_solo_to_front();
        }
        while let Some(id) = self.ready.pop_front() {
            let Some(item) = self.items.get_mut(&id) else { continue };
            let Stage::Ready { endpoint, number } = &item.stage else { continue };
            let timeout = endpoint.policy.timeout_under(&self.config.policy);
            let latest_end = now.saturating_add(timeout).saturating_add(DispatchConfig::MARGIN);
            let solo = must_go_alone(&item.claimed.delivery) && !planted!(SoloForgotten);
            if item.claimed.delivery.ready_at().is_none_or(|lease_until| latest_end > lease_until)
                && !planted!(SendsTooLate)
            {
                // Too late: the lease could end before the attempt does.
                self.quiet |= solo;
                if let Some(item) = self.items.remove(&id) {
                    self.hand_back(now, &item.claimed.delivery);
                    self.free_slot(item.claimed.delivery.endpoint());
                }
                continue;
            }
            if self.solo || (solo && self.sending > 0) {
                self.ready.push_front(id);
                break;
            }
            self.solo = solo;
            self.sending += 1;
            let endpoint = Arc::clone(endpoint);
            out.push(Command::Send(Box::new(SendOrder {
                delivery: id,
                event: Arc::clone(&item.claimed.event),
                endpoint: Arc::clone(&endpoint),
                number: *number,
                timeout,
            })));
            item.stage = Stage::Sending { endpoint, started_at: now };
        }
    }

    /// Nothing runs: the moment for a delivery that must go alone, or it would wait behind others for ever.
    fn move_solo_to_front(&mut self) {
        let is_solo = |id| self.items.get(id).is_some_and(|item| must_go_alone(&item.claimed.delivery));
        let index = self.ready.iter().position(is_solo);
        if let Some(id) = index.and_then(|index| self.ready.remove(index)) {
            self.ready.push_front(id);
        }
    }

    pub(super) fn finished(&mut self, now: Timestamp, finished: Finished) {
        let id = finished.delivery;
        let Some(item) = self.items.get_mut(&id) else { return };
        let Stage::Sending { endpoint, .. } = &item.stage else { return };
        let (endpoint, slot_of) = (Arc::clone(endpoint), item.claimed.delivery.endpoint().clone());
        self.sending -= 1;
        self.solo = false;
        self.drain.count_finished();
        match finished.verdict.outcome {
            Outcome::Success => {
                if let Some(item) = self.items.remove(&id) {
                    self.write(now, &item.claimed.delivery, finished_input(Gate::Open, finished, &endpoint), None);
                }
            }
            // It may have been disabled or deleted meanwhile: then it is held or cancelled, not scheduled.
            Outcome::Failure(_) => {
                item.stage = Stage::Failed { endpoint, finished: Box::new(finished) };
                self.unread.push(id);
            }
        }
        if !planted!(SlotKept) {
            self.free_slot(&slot_of);
        }
    }
}
