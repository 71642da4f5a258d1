//! How an attempt takes its time on a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::Clock as _;

use super::ManualClock;

/// So often an attempt steps back before its time passes: the others of the same moment begin first, and what ended
/// is written down.
const COURTESIES: usize = 100;

/// Moves a manual clock for attempts that last, all that began together at once. It waits until no store is being
/// asked: the engine would take the answer, which comes in no time, for one that missed its deadline.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    clock: ManualClock,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many calls of the store are under way.
    calls: usize,
    /// When attempts that last will end, on the monotonic clock.
    ends: Vec<Duration>,
}

impl Pace {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// A call of the store begins; it ends when the value is dropped.
    pub(super) fn call(&self) -> Call<'_> {
        self.state.send_modify(|state| state.calls += 1);
        Call(self)
    }

    /// Returns when `duration` has passed, and moves the clock if nothing else happens before.
    pub(super) async fn pass(&self, duration: Duration) {
        let end = self.clock.monotonic() + duration;
        let _lasting = Lasting::until(self, end);
        let mut calls = self.state.subscribe();
        loop {
            // The sender lives as long as `self`.
            let _ = calls.wait_for(|state| state.calls == 0).await;
            // Then what the answer leads to comes first: perhaps another call, and no jump.
            for _ in 0..COURTESIES {
                tokio::task::yield_now().await;
            }
            if self.clock.monotonic() >= end {
                return;
            }
            self.jump();
        }
    }

    /// To the next end of an attempt. Under the lock that a call takes when it begins: none can begin meanwhile.
    fn jump(&self) {
        self.state.send_if_modified(|state| {
            if state.calls == 0
                && let Some(end) = state.ends.iter().min()
            {
                self.clock.advance(end.saturating_sub(self.clock.monotonic()));
            }
            false
        });
    }
}

/// A call of the store.
#[derive(Debug)]
pub(super) struct Call<'a>(&'a Pace);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.calls -= 1);
    }
}

/// An attempt that lasts, also if it is dropped before its end.
struct Lasting<'a> {
    pace: &'a Pace,
    end: Duration,
}

impl<'a> Lasting<'a> {
    fn until(pace: &'a Pace, end: Duration) -> Self {
        pace.state.send_modify(|state| state.ends.push(end));
        Self { pace, end }
    }
}

impl Drop for Lasting<'_> {
    fn drop(&mut self) {
        self.pace.state.send_modify(|state| {
            if let Some(index) = state.ends.iter().position(|end| *end == self.end) {
                state.ends.swap_remove(index);
            }
        });
    }
}
