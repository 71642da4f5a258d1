//! The end: when everything has ended, a quiet time, an orderly stop.

use super::world::{Faults, Happening, World};

impl World<'_> {
    pub(super) fn look_for_the_end(&mut self) {
        if self.faults == Faults::On || self.quiet_calls == Some(u64::MAX) {
            return;
        }
        if self.now > self.deadline && self.quiet_calls.is_none() {
            let open = self.ledger.rows.values().find(|known| known.row.state().is_claimable());
            let open = open.map(|known| format!("{:?}", known.row));
            self.fail("liveness without a busy loop", format!("{} deliveries do not end, {open:?}", self.ledger.open));
            return;
        }
        let busy = self.ledger.open > 0 || self.publishing > 0 || self.looking > 0 || !self.operating.is_empty();
        if !busy && self.quiet_calls.is_none() && self.repeated {
            self.quiet_calls = Some(self.called);
            self.after(QUIET, Happening::StopAll);
        }
    }

    pub(super) fn stop_all(&mut self) {
        let calls = self.called - self.quiet_calls.unwrap_or(self.called);
        let each = QUIET / i64::try_from(self.scenario.config.poll.as_millis()).unwrap_or(1500);
        let idle = QUIET / i64::try_from(self.scenario.config.idle_claim.as_millis()).unwrap_or(30_000);
        let most = (each + idle + 25).unsigned_abs() * self.processes.len() as u64;
        if calls > most {
            self.fail("liveness without a busy loop", format!("{calls} store calls in ten idle minutes, not {most}"));
        }
        self.quiet_calls = Some(u64::MAX);
        for process in 0..self.processes.len() {
            self.stop(process, 25_000, 0);
        }
        self.after(60_000, Happening::End);
    }

    pub(super) const fn mark_repeated(&mut self) {
        self.repeated = true;
    }

    /// Whether the processes stop for good.
    pub(super) fn is_over(&self) -> bool {
        self.quiet_calls == Some(u64::MAX)
    }
}

/// How long nothing happens before the end, in milliseconds.
const QUIET: i64 = 600_000;
