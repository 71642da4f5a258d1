//! A door in front of the memory store that fails, is slow, and loses answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::store::{Mark, Operation, Store, StoreError};
use crate::testing::{Intercept, StoreCall};
use crate::time::Timestamp;

use super::super::super::rng::Rng;
use super::super::super::scenario::Scenario;
use super::TestClock;

/// How long a poll waits for a change.
const POLL: Duration = Duration::from_secs(50);

#[derive(Clone, Debug)]
pub(super) struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    wrote: Notify,
    clock: TestClock,
    store_clock: bool,
    latency: i64,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    faults: u32,
    lost: u32,
    /// Outages under way.
    outages: usize,
    directory_outages: usize,
    /// How often a call failed or got no answer.
    failed: u64,
}

enum Fate {
    Fine,
    FailsBefore,
    FailsAfter,
    LostBefore,
    LostAfter,
}

impl Door {
    pub(super) fn new(scenario: &Scenario, clock: TestClock) -> Self {
        let state = State {
            rng: Rng::stream(scenario.seed, 10),
            faults: scenario.store_faults,
            lost: scenario.lost_replies,
            outages: 0,
            directory_outages: 0,
            failed: 0,
        };
        let (latency, store_clock) = (scenario.latency, scenario.store_clock);
        let inner = Inner { state: Mutex::new(state), wrote: Notify::new(), clock, store_clock, latency };
        Self { inner: Arc::new(inner) }
    }

    /// Every call fails for so long.
    pub(super) async fn outage(&self, millis: u64) {
        self.state().outages += 1;
        sleep(Duration::from_millis(millis)).await;
        let mut state = self.state();
        state.outages = state.outages.saturating_sub(1);
    }

    /// Every call of the directory fails for so long.
    pub(super) async fn directory_outage(&self, millis: u64) {
        self.state().directory_outages += 1;
        sleep(Duration::from_millis(millis)).await;
        let mut state = self.state();
        state.directory_outages = state.directory_outages.saturating_sub(1);
    }

    /// From now on nothing fails.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        (state.faults, state.lost, state.outages, state.directory_outages) = (0, 0, 0, 0);
    }

    pub(super) fn failed(&self) -> u64 {
        self.state().failed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, operation: Operation) -> (Duration, Fate) {
        let mut state = self.state();
        let millis = state.rng.between(0, self.inner.latency);
        let down = state.outages > 0 || operation == Operation::Endpoints && state.directory_outages > 0;
        let (faults, lost) = (state.faults, state.lost);
        let after = state.rng.chance(500);
        let fate = if down {
            Fate::FailsBefore
        } else if state.rng.chance(faults) {
            if after { Fate::FailsAfter } else { Fate::FailsBefore }
        } else if state.rng.chance(lost) {
            if after { Fate::LostAfter } else { Fate::LostBefore }
        } else {
            Fate::Fine
        };
        state.failed += u64::from(!matches!(fate, Fate::Fine));
        (Duration::from_millis(millis.unsigned_abs()), fate)
    }
}

impl Intercept for Door {
    async fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let (latency, fate) = self.draw(call.operation());
        sleep(latency).await;
        let down = || StoreError::unavailable(call.operation(), "simulated");
        let work = async {
            let done = work.await;
            if matches!(call, StoreCall::Insert | StoreCall::Apply | StoreCall::Attach | StoreCall::Sweep) {
                // Another engine would want to see it.
                self.inner.wrote.notify_waiters();
            }
            done
        };
        match fate {
            Fate::Fine => work.await,
            Fate::FailsBefore => Err(down()),
            Fate::FailsAfter => work.await.and(Err(down())),
            Fate::LostBefore => std::future::pending().await,
            Fate::LostAfter => {
                let _ = work.await;
                std::future::pending().await
            }
        }
    }

    async fn changed<S: Store>(&self, store: &S, since: Mark) -> Result<Mark, StoreError> {
        let poll = async {
            let wait = sleep(POLL);
            tokio::pin!(wait);
            loop {
                let wrote = self.inner.wrote.notified();
                let mark = store.changed(since).await?;
                if mark != since {
                    return Ok(mark);
                }
                tokio::select! {
                    biased;
                    () = wrote => {}
                    () = &mut wait => return Ok(mark),
                }
            }
        };
        self.around(StoreCall::Changed, poll).await
    }

    async fn time<S: Store>(&self, _: &S) -> Result<Option<Timestamp>, StoreError> {
        let time = self.inner.store_clock.then(|| self.inner.clock.true_time());
        self.around(StoreCall::Time, async { Ok(time) }).await
    }
}
