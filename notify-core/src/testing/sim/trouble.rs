//! What goes wrong on purpose, and when it ends.

use crate::id::{DeliveryId, EventId};
use crate::store::{DeliveryLog, Store};
use crate::time::Timestamp;

use super::ending::Settling;
use super::invariants;
use super::mishaps::Mishap;
use super::ready;
use super::scenario::Trouble;
use super::seen::Seen;
use super::world::{Faults, Happening, START, World};

impl World<'_> {
    pub(super) fn disturb(&mut self, index: usize) {
        let trouble = self.scenario.disturbances[index].what;
        if self.faults == Faults::Off {
            return;
        }
        self.count_trouble(trouble);
        self.note(1, [index as u64, 0], || format!("{trouble:?}"));
        match trouble {
            Trouble::Crash { process, down } => {
                if self.rng.chance(500) {
                    let commands = self.rng.below(4);
                    self.processes[process].crash_after = Some((commands, down));
                } else {
                    self.crash(process, down);
                }
            }
            Trouble::Pause { process, millis } => {
                if self.processes[process].paused_until < self.now {
                    // Up to now it has compared its clock.
                    self.clock_of(process);
                }
                let until = self.now + millis;
                self.processes[process].paused_until = until.max(self.processes[process].paused_until);
            }
            Trouble::Stop { process, grace, down } => self.stop(process, grace, down),
            Trouble::Outage { millis } => {
                let number = self.next_serial();
                self.outage = number;
                self.after(millis, Happening::OutageEnds { number });
            }
            Trouble::DirectoryOutage { millis } => {
                let number = self.next_serial();
                self.directory_outage = number;
                self.after(millis, Happening::DirectoryEnds { number });
            }
            Trouble::Jump { millis } => self.wall_offset += millis,
            Trouble::Failover { .. } => {
                let Some((store, ledger)) = self.snapshots.remove(&index) else { return };
                self.store.fall_back_to(&store);
                self.ledger.fall_back_to(&ledger);
                self.wrote(None);
            }
            Trouble::Prune { older_than } => self.prune(older_than),
        }
    }

    fn count_trouble(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Crash { down, .. } => self.mishap(Mishap::Crash, down),
            Trouble::Pause { millis, .. } => self.mishap(Mishap::Pause, millis),
            Trouble::Stop { grace, down, .. } => self.mishap(Mishap::Stop, grace + down),
            Trouble::Outage { millis } => self.mishap(Mishap::Outage, millis),
            Trouble::DirectoryOutage { millis } => self.mishap(Mishap::DirectoryOutage, millis),
            // Nobody looks at the wall clock where the store has one.
            Trouble::Jump { .. } if self.scenario.store_clock => self.coverage.count("fault", "jump that nobody sees"),
            Trouble::Jump { millis } if millis < 0 => self.mishap(Mishap::JumpBack, 0),
            Trouble::Jump { .. } => self.mishap(Mishap::JumpAhead, 0),
            Trouble::Failover { .. } => self.mishap(Mishap::Failover, 0),
            Trouble::Prune { .. } => self.mishap(Mishap::Prune, 0),
        }
    }

    fn prune(&mut self, older_than: i64) {
        let before = Timestamp::from_millis(self.now - older_than);
        let _ = ready(self.store.prune(before, 1000));
        let old = self.ledger.rows.values().filter(|known| known.row.as_stored().created_at < before);
        let ids: Vec<DeliveryId> = old.map(|known| known.row.id()).collect();
        let left = ready(self.store.load(&ids)).unwrap_or_default();
        let left: std::collections::BTreeSet<DeliveryId> = left.iter().map(crate::delivery::Delivery::id).collect();
        let gone: Vec<DeliveryId> = ids.into_iter().filter(|id| !left.contains(id)).collect();
        self.see(&Seen::Pruned { before, gone: &gone });
        for id in &gone {
            self.ledger.forget(id);
        }
        let events: Vec<EventId> = self.ledger.events.keys().cloned().collect();
        for id in events {
            let key = crate::event::EventKey { tenant: crate::id::TenantId::default(), id };
            if ready(self.store.event(&key)).ok().flatten().is_none() {
                self.ledger.events.remove(&key.id);
                self.ledger.gone.insert(key.id);
            }
        }
    }

    pub(super) fn faults_end(&mut self) {
        self.faults = Faults::Off;
        self.recent.end(self.now);
        (self.outage, self.directory_outage) = (0, 0);
        let open = self.ledger.rows.values().filter(|known| known.row.state().is_open()).count();
        let deliveries = open + self.publishing * self.scenario.endpoints.len();
        self.deadline = self.now.saturating_add(invariants::liveness_bound(self.scenario, deliveries));
        self.settling =
            Settling { since: self.now, calls: self.called, sent: self.sent, deliveries: deliveries as u64 };
        // What an operator began at a process that stands still goes on when its pause would have ended.
        let goes_on = self.processes.iter().map(|process| process.paused_until).max().unwrap_or(0);
        for process in 0..self.processes.len() {
            let until = &mut self.processes[process].paused_until;
            *until = self.now.min(*until);
            self.at(self.now - START, Happening::Start { process });
            self.go_on(process);
        }
        self.after((goes_on - self.now + 60_000).max(120_000), Happening::Repeat);
    }
}
