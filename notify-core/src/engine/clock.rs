//! The clock: the one place that reads the time.

use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use crate::time::Timestamp;

/// Tells the time and waits. Hosts use [`SystemClock`]; tests have one that stands still until it is moved.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The calendar's time; may jump.
    fn wall(&self) -> Timestamp;

    /// Time since some start; never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns once [`monotonic`](Self::monotonic) has advanced by `duration`.
    ///
    /// # Cancel safety
    /// Dropping it has no effect.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clocks, and tokio's timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
