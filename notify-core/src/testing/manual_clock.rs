//! A clock that stands still until it is moved.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::engine::Clock;
use crate::time::Timestamp;

/// Time that only a test moves. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use notify_core::engine::Clock;
/// use notify_core::testing::ManualClock;
///
/// let clock = ManualClock::at("2026-01-01T00:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(300));
/// assert_eq!(clock.wall().to_string(), "2026-01-01T00:05:00.000Z");
/// # Ok::<(), notify_core::InvalidTimestamp>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<watch::Sender<Now>>);

#[derive(Clone, Copy, Debug)]
struct Now {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(Now { wall, monotonic: Duration::ZERO })))
    }

    /// Lets time pass: sleepers whose time has come wake up.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| {
            now.wall = now.wall.saturating_add(by);
            now.monotonic += by;
        });
    }

    /// Sets the wall clock alone, as an operator or a time server does. No time passes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.0.send_modify(|now| now.wall = wall);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        self.0.borrow().wall
    }

    fn monotonic(&self) -> Duration {
        self.0.borrow().monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let mut moves = self.0.subscribe();
        let end = moves.borrow().monotonic + duration;
        // The sender lives as long as `self`, so the wait ends only when the time has come.
        let _ = moves.wait_for(|now| now.monotonic >= end).await;
    }
}
