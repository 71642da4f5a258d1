//! Publishers that wait for a place to be handed over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a publish waits for a place, once: it never waits for a receiver.
const PLACE_WAIT: Duration = Duration::from_millis(20);

/// A queue: who waits longest is let in first, and no more are woken than there are places.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    waiting: AtomicUsize,
    bell: Notify,
}

/// What a try found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Places {
    /// Each delivery has a place, or would get none by waiting: older ones wait, or nothing runs.
    Settled,
    /// Places will come free for some.
    Crowded,
}

impl Crowd {
    /// Repeats `take` each time that a place may be free, until it is settled or the wait is over.
    pub(super) async fn wait(&self, mut take: impl FnMut() -> Places + Send) {
        let _waiting = Waiting::new(self);
        let tries = async {
            loop {
                // First of all: a place may have come free before this one was counted.
                if take() == Places::Settled {
                    return;
                }
                self.bell.notified().await;
            }
        };
        // Without a place a delivery is stored as due, and claimed.
        let _ = tokio::time::timeout(PLACE_WAIT, tries).await;
    }

    /// Lets as many try as there are `free` places.
    pub(super) fn let_in(&self, free: usize) {
        for _ in 0..free.min(self.waiting.load(Ordering::Relaxed)) {
            self.bell.notify_one();
        }
    }

    /// Lets all try: nothing runs any more.
    pub(super) fn disperse(&self) {
        self.let_in(usize::MAX);
    }
}

/// Counts one that waits, also if it is dropped.
struct Waiting<'a>(&'a Crowd);

impl<'a> Waiting<'a> {
    fn new(crowd: &'a Crowd) -> Self {
        crowd.waiting.fetch_add(1, Ordering::Relaxed);
        Self(crowd)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
