//! The memory store behind a door that fails, is slow, and loses answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::delivery::{Attempt, Delivery, NewDelivery};
use crate::endpoint::{Disabled, Endpoint};
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, EventType, TenantId, Version};
use crate::machine::Change;
use crate::store::activity::{Activity, ActivityQuery};
use crate::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, MemoryStore, Operation, Page, PageRequest, Pruned,
    PublishBatch, Replaced, Stats, Store, StoreError, SweepRequest, Swept,
};
use crate::time::Timestamp;

use super::super::super::rng::Rng;
use super::super::super::scenario::Scenario;
use super::TestClock;

/// How long a poll waits for a change.
const POLL: Duration = Duration::from_secs(50);

#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) memory: MemoryStore,
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
        Self { memory: MemoryStore::new(), inner: Arc::new(inner) }
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

    async fn pass<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let (latency, fate) = self.draw(operation);
        sleep(latency).await;
        let down = || StoreError::unavailable(operation, "simulated");
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

    /// The same for a call that changes something that another engine would want to see.
    async fn write<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let seen = async {
            let done = work.await;
            self.inner.wrote.notify_waiters();
            done
        };
        self.pass(operation, seen).await
    }
}

#[async_trait]
impl Store for Door {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        self.write(Operation::Insert, self.memory.insert(batch)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        self.pass(Operation::Claim, self.memory.claim(request)).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        self.write(Operation::Apply, self.memory.apply(changes)).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.pass(Operation::Load, self.memory.load(ids)).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.write(Operation::Insert, self.memory.attach(event, deliveries)).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        self.write(Operation::Sweep, self.memory.sweep(request)).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        let poll = async {
            let wait = sleep(POLL);
            tokio::pin!(wait);
            loop {
                let wrote = self.inner.wrote.notified();
                let mark = self.memory.changed(since).await?;
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
        self.pass(Operation::Poll, poll).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        let time = self.inner.store_clock.then(|| self.inner.clock.true_time());
        self.pass(Operation::Poll, async { Ok(time) }).await
    }
}

#[async_trait]
impl EndpointDirectory for Door {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        self.pass(Operation::Endpoints, self.memory.subscribed(tenant, event_type)).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        self.pass(Operation::Endpoints, self.memory.get(ids)).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        self.pass(Operation::Endpoints, self.memory.disable(id, disabled)).await
    }
}

#[async_trait]
impl EndpointAdmin for Door {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.pass(Operation::Endpoints, self.memory.create(endpoint)).await
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        self.pass(Operation::Endpoints, self.memory.replace(expected, next)).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        self.pass(Operation::Endpoints, self.memory.list(query)).await
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        self.pass(Operation::Endpoints, self.memory.delete(tenant, id, at)).await
    }
}

#[async_trait]
impl DeliveryLog for Door {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        self.pass(Operation::Log, self.memory.event(key)).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        self.pass(Operation::Log, self.memory.attempts(delivery)).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        self.pass(Operation::Log, self.memory.events(query)).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        self.pass(Operation::Log, self.memory.deliveries(query)).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, now: Timestamp) -> Result<Stats, StoreError> {
        self.pass(Operation::Log, self.memory.stats(tenant, now)).await
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        self.pass(Operation::Log, self.memory.activity(query)).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.pass(Operation::Log, self.memory.failing_since(endpoints)).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        self.pass(Operation::Log, self.memory.tenants_with_held(page)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        self.pass(Operation::Log, self.memory.prune(before, limit)).await
    }
}
