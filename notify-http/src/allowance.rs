//! What a connection's peer may send before it is a flood, and whether anybody waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use notify_core::delivery::SendFailure;
use tokio::time::Instant;

/// For one attempt: the largest head, what is kept of a body, and as much again for what surrounds them. A flood of
/// frames or interim answers, none of which is too large by itself, ends here instead of at the deadline.
pub(crate) const PER_ATTEMPT: u64 = 256 * 1024;

/// One connection's account. Shared by the socket, which spends, and the attempts, which bring in.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: AtomicU64,
    most: u64,
    fault: OnceLock<SendFailure>,
    given_up: AtomicBool,
    awaited: Mutex<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    attempts: usize,
    /// When the last of them ended, or the connection was made.
    last: Instant,
}

impl Allowance {
    /// A new connection's: the handshake has an attempt's share. `attempts` may use it at a time.
    pub(crate) fn new(attempts: usize) -> Self {
        let most = PER_ATTEMPT.saturating_mul(u64::try_from(attempts).unwrap_or(u64::MAX));
        Self {
            left: AtomicU64::new(PER_ATTEMPT),
            most: most.max(PER_ATTEMPT),
            fault: OnceLock::new(),
            given_up: AtomicBool::new(false),
            awaited: Mutex::new(Awaited { attempts: 0, last: Instant::now() }),
        }
    }

    /// One more attempt reads from this connection, until the guard is dropped. What earlier ones left is kept up to a
    /// limit, since an answer's rest may still be on its way.
    pub(crate) fn begin_attempt(self: &Arc<Self>) -> Waiting {
        self.update(|left| Some(left.saturating_add(PER_ATTEMPT).min(self.most)));
        self.awaited().attempts += 1;
        Waiting { allowance: Arc::clone(self), since: Instant::now() }
    }

    /// Until when somebody waited for this connection: until now, while an attempt is under way.
    pub(crate) fn awaited_until(&self) -> Instant {
        let awaited = self.awaited();
        if awaited.attempts == 0 { awaited.last } else { Instant::now() }
    }

    /// The peer sent so many bytes; `false` if those are too many.
    #[must_use]
    pub(crate) fn spend(&self, bytes: usize) -> bool {
        self.update(|left| left.checked_sub(u64::try_from(bytes).ok()?))
    }

    /// Nobody waits for this connection any more: no byte goes over it.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// What broke the connection: HTTP/2 hands on no more than its text.
    pub(crate) fn fault(&self) -> Option<&SendFailure> {
        self.fault.get()
    }

    pub(crate) fn note_fault(&self, fault: SendFailure) {
        // The first one broke it.
        let _ = self.fault.set(fault);
    }

    fn awaited(&self) -> MutexGuard<'_, Awaited> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, next: impl FnMut(u64) -> Option<u64>) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// An attempt that waits for a connection's peer.
#[derive(Debug)]
#[must_use]
pub(crate) struct Waiting {
    allowance: Arc<Allowance>,
    since: Instant,
}

impl Waiting {
    /// How long it has had its connection.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut awaited = self.allowance.awaited();
        awaited.attempts -= 1;
        awaited.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_brings_its_share_and_what_is_left_has_a_limit() {
        let share = usize::try_from(PER_ATTEMPT).unwrap();
        let allowance = Arc::new(Allowance::new(2));
        assert!(allowance.spend(share) && !allowance.spend(1));
        for _ in 0..10 {
            drop(allowance.begin_attempt());
        }
        assert!(allowance.spend(2 * share) && !allowance.spend(1));
    }
}
