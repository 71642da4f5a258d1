//! The memory store behind a door: it can be shut, or be shut for one call alone.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, NewDelivery};
use notify_core::endpoint::Disabled;
use notify_core::event::EventKey;
use notify_core::id::Version;
use notify_core::machine::Change;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Operation, Page, PageRequest, Pruned, PublishBatch,
    Replaced, Stats, Store, StoreError, SweepRequest, Swept,
};
use notify_core::{DeliveryId, Endpoint, EndpointId, EventType, MemoryStore, TenantId, Timestamp};

/// What a driver says, and no page may.
pub(crate) const INTERNALS: &str = "tcp://cache.internal.example:6379 refused us";

#[derive(Clone, Debug, Default)]
pub(crate) struct FaultStore {
    memory: MemoryStore,
    door: Arc<Mutex<Door>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Door {
    #[default]
    Open,
    Shut,
    /// This many more calls pass, then one fails, and from then on all pass.
    After(u32),
}

impl FaultStore {
    /// Every call fails from now on.
    pub(crate) fn shut(&self) {
        self.set(Door::Shut);
    }

    /// Of the calls that come now, only the one after `passing` others fails.
    #[allow(dead_code, reason = "the gallery shuts it for good")]
    pub(crate) fn fail_after(&self, passing: u32) {
        self.set(Door::After(passing));
    }

    /// Whether no call was left over to fail; every call passes from now on.
    #[allow(dead_code, reason = "the gallery shuts it for good")]
    pub(crate) fn open(&self) -> bool {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(std::mem::take(&mut *door), Door::Open)
    }

    fn set(&self, next: Door) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    async fn pass<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fails = {
            let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            match *door {
                Door::Open => false,
                Door::Shut => true,
                Door::After(0) => {
                    *door = Door::Open;
                    true
                }
                Door::After(passing) => {
                    *door = Door::After(passing - 1);
                    false
                }
            }
        };
        if fails { Err(StoreError::unavailable(operation, INTERNALS)) } else { work.await }
    }
}

#[async_trait]
impl Store for FaultStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        self.pass(Operation::Insert, self.memory.insert(batch)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        self.pass(Operation::Claim, self.memory.claim(request)).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        self.pass(Operation::Apply, self.memory.apply(changes)).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.pass(Operation::Load, self.memory.load(ids)).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.pass(Operation::Attach, self.memory.attach(event, deliveries)).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        self.pass(Operation::Sweep, self.memory.sweep(request)).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        self.pass(Operation::Poll, self.memory.changed(since)).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.pass(Operation::Poll, self.memory.time()).await
    }
}

#[async_trait]
impl EndpointDirectory for FaultStore {
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
impl EndpointAdmin for FaultStore {
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
impl DeliveryLog for FaultStore {
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
