//! The end: when everything has ended, a quiet time, an orderly stop.

use super::world::{Faults, Happening, World};

/// How long nothing happens before the end, in milliseconds.
const QUIET: i64 = 600_000;

/// Calls of the store that one request, or one row that ends without one, has reasons for in each process: a claim, two
/// reads, an apply, and as many again for those whom it wakes.
const CALLS_A_REQUEST: u64 = 8;

/// The moment at which nothing goes wrong any more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settling {
    pub(super) since: i64,
    /// Store calls and requests so far.
    pub(super) calls: u64,
    pub(super) sent: u64,
    /// Deliveries that are open or still to be published.
    pub(super) deliveries: u64,
}

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
            self.check_calls_of_settling();
            self.quiet_calls = Some(self.called);
            self.after(QUIET, Happening::StopAll);
        }
    }

    /// Since the last fault nobody has called the store more often than there was work and time for.
    fn check_calls_of_settling(&mut self) {
        let Settling { since, calls, sent, deliveries } = self.settling;
        let calls = self.called - calls;
        let work = (self.sent - sent + deliveries) * self.processes.len() as u64;
        let most = self.idle_calls(self.now - since) + CALLS_A_REQUEST * work;
        if calls > most {
            let requests = self.sent - sent;
            let problem = format!("{calls} store calls for {requests} requests, not {most}, after the last fault");
            self.fail("liveness without a busy loop", problem);
        }
    }

    /// How often all processes together call the store at most in so many milliseconds without any work.
    fn idle_calls(&self, millis: i64) -> u64 {
        let of = |process: usize| {
            let config = self.config_of((process, self.processes[process].epoch));
            let each = millis / i64::try_from(config.poll.as_millis()).unwrap_or(1500);
            let idle = millis / i64::try_from(config.idle_claim.as_millis()).unwrap_or(30_000);
            (each + idle + 25).unsigned_abs()
        };
        (0..self.processes.len()).map(of).sum()
    }

    pub(super) fn stop_all(&mut self) {
        let calls = self.called - self.quiet_calls.unwrap_or(self.called);
        let most = self.idle_calls(QUIET);
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
