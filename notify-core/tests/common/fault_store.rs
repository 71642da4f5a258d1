//! The memory store behind a door that counts calls and can be made to fail, to answer late, or never.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, NewDelivery};
use notify_core::endpoint::Disabled;
use notify_core::engine::Clock;
use notify_core::event::EventKey;
use notify_core::id::Version;
use notify_core::machine::Change;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Operation, Page, PageRequest, Pruned, PublishBatch,
    Replaced, Stats, Store, StoreError, SweepRequest, Swept,
};
use notify_core::testing::ManualClock;
use notify_core::{DeliveryId, Endpoint, EndpointId, EventType, MemoryStore, TenantId, Timestamp};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Op {
    Insert,
    Claim,
    Apply,
    Load,
    Sweep,
    Changed,
    Time,
    Subscribed,
    Get,
    Admin,
    Delete,
    Held,
}

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing was done, and the answer is an error.
    Fail,
    /// It was done, and the answer is an error.
    FailAfter,
    /// Nothing was done, and no answer ever comes.
    Hang,
    /// It was done, and no answer ever comes.
    HangAfter,
    /// It is done, but not at once.
    Late,
    /// The store has too much to do.
    Busy,
    /// The store panics.
    Panic,
}

#[derive(Clone, Debug, Default)]
pub struct FaultStore {
    memory: MemoryStore,
    doors: Arc<Mutex<Doors>>,
}

#[derive(Debug, Default)]
struct Doors {
    next: BTreeMap<Op, VecDeque<Fault>>,
    always: Option<Fault>,
    calls: BTreeMap<Op, usize>,
    clock: Option<ManualClock>,
}

impl FaultStore {
    pub fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// The same content behind a door of its own: another process's connection.
    pub fn other_door(&self) -> Self {
        Self { memory: self.memory.clone(), doors: Arc::default() }
    }

    /// The next calls of `op` meet these faults, one each.
    pub fn fail_next(&self, op: Op, faults: impl IntoIterator<Item = Fault>) {
        self.doors().next.entry(op).or_default().extend(faults);
    }

    /// Gives the store a clock of its own.
    pub fn set_clock(&self, clock: &ManualClock) {
        self.doors().clock = Some(clock.clone());
    }

    /// Every call meets this, until told otherwise.
    pub fn always(&self, fault: Option<Fault>) {
        self.doors().always = fault;
    }

    pub fn calls(&self, op: Op) -> usize {
        self.doors().calls.get(&op).copied().unwrap_or(0)
    }

    pub fn all_calls(&self) -> BTreeMap<Op, usize> {
        self.doors().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.doors().calls.clear();
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap()
    }

    async fn meet<T>(&self, op: Op, work: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let fault = {
            let mut doors = self.doors();
            *doors.calls.entry(op).or_default() += 1;
            doors.next.get_mut(&op).and_then(VecDeque::pop_front).or(doors.always)
        };
        let down = || StoreError::unavailable(operation(op), "scripted");
        match fault {
            None => work.await,
            Some(Fault::Fail) => Err(down()),
            Some(Fault::FailAfter) => work.await.and(Err(down())),
            Some(Fault::HangAfter) => {
                let _ = work.await;
                std::future::pending().await
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Late) => {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                work.await
            }
            Some(Fault::Busy) => Err(StoreError::Busy { operation: operation(op) }),
            Some(Fault::Panic) => panic!("scripted panic of the store"),
        }
    }
}

const fn operation(op: Op) -> Operation {
    match op {
        Op::Insert => Operation::Insert,
        Op::Claim => Operation::Claim,
        Op::Apply => Operation::Apply,
        Op::Load => Operation::Load,
        Op::Sweep => Operation::Sweep,
        Op::Changed | Op::Time => Operation::Poll,
        Op::Subscribed | Op::Get | Op::Admin | Op::Delete => Operation::Endpoints,
        Op::Held => Operation::Log,
    }
}

#[async_trait]
impl Store for FaultStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        self.meet(Op::Insert, self.memory.insert(batch)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        self.meet(Op::Claim, self.memory.claim(request)).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        self.meet(Op::Apply, self.memory.apply(changes)).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.meet(Op::Load, self.memory.load(ids)).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.memory.attach(event, deliveries).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        self.meet(Op::Sweep, self.memory.sweep(request)).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        self.meet(Op::Changed, self.memory.changed(since)).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        let clock = self.doors().clock.clone();
        self.meet(Op::Time, async { Ok(clock.map(|clock| clock.wall())) }).await
    }
}

#[async_trait]
impl EndpointDirectory for FaultStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        self.meet(Op::Subscribed, self.memory.subscribed(tenant, event_type)).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        self.meet(Op::Get, self.memory.get(ids)).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        self.meet(Op::Admin, self.memory.disable(id, disabled)).await
    }
}

#[async_trait]
impl EndpointAdmin for FaultStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.meet(Op::Admin, self.memory.create(endpoint)).await
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        self.meet(Op::Admin, self.memory.replace(expected, next)).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        self.meet(Op::Admin, self.memory.list(query)).await
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        self.meet(Op::Delete, self.memory.delete(tenant, id, at)).await
    }
}

#[async_trait]
impl DeliveryLog for FaultStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        self.memory.event(key).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        self.memory.attempts(delivery).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        self.memory.events(query).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        self.memory.deliveries(query).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, now: Timestamp) -> Result<Stats, StoreError> {
        self.memory.stats(tenant, now).await
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        self.memory.activity(query).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.memory.failing_since(endpoints).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        self.meet(Op::Held, self.memory.tenants_with_held(page)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        self.memory.prune(before, limit).await
    }
}
