//! Building a `TestNotify`.

use std::sync::Arc;

use crate::engine::{Engine, EngineBuilder};
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use crate::testing::pace::Pace;
use crate::testing::{ManualClock, ScriptedTransport};
use crate::time::Timestamp;

use super::TestNotify;
use super::counted::Counted;

/// 2026-01-01T00:00:00.000Z: midnight, so that the times of a test are easy to read.
const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Collects what a [`TestNotify`] is made of: see [`TestNotify::builder`].
#[derive(Debug)]
pub struct TestNotifyBuilder {
    engine: EngineBuilder,
    pace: Pace,
    clock: ManualClock,
}

impl TestNotifyBuilder {
    pub(super) fn new<S>(store: S) -> Self
    where
        S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
    {
        let clock = ManualClock::at(BEGIN);
        let pace = Pace::new(clock.clone());
        let store = Arc::new(store);
        let directory = Counted::new(Arc::clone(&store) as Arc<dyn EndpointDirectory>, pace.clone());
        let counted = Counted::new(Arc::clone(&store) as Arc<dyn Store>, pace.clone());
        let admin: Arc<dyn EndpointAdmin> = Arc::clone(&store) as _;
        let engine = EngineBuilder::from_parts(Arc::new(counted), Arc::new(directory), admin, store);
        Self { engine, pace, clock }
    }

    /// A publish delivers before it returns, and so does [`Prepared::committed`](crate::engine::Prepared::committed):
    /// for hosts whose tests do not care about time.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.engine = self.engine.deliver_inline();
        self
    }

    /// Sets the engine up as the host does: event types, policy, limits. Transport and clock are the test's.
    #[must_use]
    pub fn engine(mut self, change: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        self.engine = change(self.engine);
        self
    }

    /// When the test begins. Default: 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn begins_at(self, time: Timestamp) -> Self {
        self.clock.set_wall(time);
        self
    }

    /// The engine, and the test's hands on it.
    ///
    /// # Panics
    /// The engine cannot be built: the message names every problem.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> TestNotify {
        let transport = ScriptedTransport::strict().with_pace(self.pace);
        let engine: Result<Engine, _> = self.engine.transport(transport.clone()).clock(self.clock.clone()).build();
        match engine {
            Ok(engine) => TestNotify::of(engine, transport, self.clock),
            Err(error) => panic!("{error}"),
        }
    }
}
