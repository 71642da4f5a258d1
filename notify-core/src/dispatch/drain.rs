//! Stopping: hand back, wait, cut off, flush.

use std::time::Duration;

use crate::id::DeliveryId;
use crate::machine::Input;
use crate::time::Timestamp;

use super::command::Command;
use super::dispatcher::{Dispatcher, Stage};
use super::outage::has_come;

/// What a stop did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct StopReport {
    /// Attempts that ended by themselves during the stop.
    pub finished: u32,
    /// Deliveries that were leased but not sent, and are due again at once.
    pub handed_back: u32,
    /// Attempts that were cut off; they are logged as interrupted, and no retry is used.
    pub interrupted: u32,
    /// Outcomes that could not be written in time: their deliveries come back when their leases end.
    pub unsettled: u32,
}

/// Whether, and how far, the engine stops.
#[derive(Debug)]
pub(super) enum Drain {
    Running,
    /// Attempts may end by themselves until `abort_at`.
    Waiting {
        grace: Duration,
        abort_at: Timestamp,
        give_up_at: Timestamp,
        report: StopReport,
    },
    /// They were cut off; what is decided is written until `give_up_at`.
    Flushing {
        grace: Duration,
        give_up_at: Timestamp,
        report: StopReport,
    },
}

impl Drain {
    pub(super) const fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    pub(super) const fn next_step_at(&self) -> Option<Timestamp> {
        match self {
            Self::Running => None,
            Self::Waiting { abort_at, .. } => Some(*abort_at),
            Self::Flushing { give_up_at, .. } => Some(*give_up_at),
        }
    }

    pub(super) const fn count_finished(&mut self) {
        if let Self::Waiting { report, .. } | Self::Flushing { report, .. } = self {
            report.finished += 1;
        }
    }

    pub(super) const fn count_handed_back(&mut self) {
        if let Self::Waiting { report, .. } | Self::Flushing { report, .. } = self {
            report.handed_back += 1;
        }
    }
}

impl Dispatcher {
    /// The report, once the stop is over: nothing is held any more, or the grace period is.
    #[must_use]
    pub fn stopped(&self, now: Timestamp) -> Option<StopReport> {
        let (Drain::Waiting { grace, give_up_at, report, .. } | Drain::Flushing { grace, give_up_at, report }) =
            self.drain
        else {
            return None;
        };
        let left = self.unsettled.len() + self.items.len();
        let over = self.holds_nothing() || has_come(give_up_at, now, grace);
        over.then_some(StopReport { unsettled: u32::try_from(left).unwrap_or(u32::MAX), ..report })
    }

    pub(super) fn stop(&mut self, now: Timestamp, grace: Duration) {
        if !self.drain.is_running() {
            return;
        }
        // The flush has its share, so that what is cut off is written down too.
        let flush = (grace / 5).min(Duration::from_secs(5));
        self.drain = Drain::Waiting {
            grace,
            abort_at: now.saturating_add(grace.saturating_sub(flush)),
            give_up_at: now.saturating_add(grace),
            report: StopReport::default(),
        };
    }

    pub(super) fn drain_step(&mut self, now: Timestamp, out: &mut Vec<Command>) {
        if self.drain.is_running() {
            return;
        }
        self.hand_back_unsent(now);
        let Drain::Waiting { grace, abort_at, give_up_at, report } = self.drain else { return };
        if has_come(abort_at, now, grace) {
            let interrupted = self.interrupt_all(now);
            if interrupted > 0 {
                out.push(Command::AbortAll);
            }
            self.drain = Drain::Flushing { grace, give_up_at, report: StopReport { interrupted, ..report } };
        }
    }

    fn hand_back_unsent(&mut self, now: Timestamp) {
        self.ready.clear();
        self.parked.clear();
        let unsent = self.items_at(|stage| matches!(stage, Stage::Parked | Stage::Unread | Stage::Ready { .. }));
        for id in unsent {
            if let Some(item) = self.items.remove(&id) {
                if !planted!(HandBackForgotten) {
                    self.hand_back(now, &item.claimed.delivery);
                }
                let endpoint = item.claimed.delivery.endpoint();
                match item.stage {
                    Stage::Parked => self.places.release(endpoint),
                    Stage::Unread | Stage::Ready { .. } | Stage::Sending { .. } | Stage::Failed { .. } => {
                        self.free_slot(endpoint);
                    }
                }
            }
        }
    }

    fn interrupt_all(&mut self, now: Timestamp) -> u32 {
        let sending = self.items_at(|stage| matches!(stage, Stage::Sending { .. }));
        for id in &sending {
            let Some(item) = self.items.remove(id) else { continue };
            if let Stage::Sending { endpoint, started_at } = item.stage {
                let input = Input::Interrupted { started_at, url: endpoint.url.shared() };
                self.write(now, &item.claimed.delivery, input, None);
                self.free_slot(item.claimed.delivery.endpoint());
            }
        }
        self.sending = 0;
        u32::try_from(sending.len()).unwrap_or(u32::MAX)
    }

    /// The items at a stage, in the order of their ids: the map's own is nobody's business.
    fn items_at(&self, wanted: impl Fn(&Stage) -> bool) -> Vec<DeliveryId> {
        let mut ids: Vec<DeliveryId> =
            self.items.iter().filter(|(_, item)| wanted(&item.stage)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}
