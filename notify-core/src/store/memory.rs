//! A store that lives and dies with the process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::delivery::{Attempt, Delivery, NewDelivery};
use crate::endpoint::{Disabled, Endpoint};
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, EventType, TenantId, Version};
use crate::machine::Change;
use crate::time::Timestamp;

use super::activity::{Activity, ActivityQuery};
use super::model::Model;
use super::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Page, PageRequest, Pruned, PublishBatch, Replaced,
    Stats, Store, StoreError, SweepRequest, Swept,
};

/// Keeps everything in memory: for tests, and for hosts that can lose what is pending with the process.
///
/// Clones share the same content. Durability (S9): none beyond the process.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Model>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The content as it is now, in a store of its own.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn snapshot(&self) -> Self {
        Self(Arc::new(Mutex::new(self.with(|model| model.clone()))))
    }

    /// Goes back to the events and deliveries of `snapshot`, as a failover to a replica that is behind does.
    /// Endpoints stay: a host may keep them elsewhere.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn fall_back_to(&self, snapshot: &Self) {
        let old = snapshot.with(|model| model.clone());
        self.with(|model| model.fall_back_to(old));
    }

    /// What is wrong with the indexes, if anything.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn check(&self) -> Result<(), String> {
        self.with(|model| model.check())
    }

    /// Applies one change, and gives the row as it is now.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn apply_and_show(&self, change: &Change) -> (ApplyOutcome, Option<Delivery>) {
        self.with(|model| (model.apply_one(change), model.load(&[change.delivery()]).pop()))
    }

    /// A step of a sweep, and the rows that it wrote, as they are now.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn sweep_and_show(&self, request: &SweepRequest) -> (Swept, Vec<Delivery>) {
        self.with(|model| model.sweep_and_show(request))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Model) -> T) -> T {
        // The model's steps do not panic; should one, its content is still the best there is.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        Ok(self.with(|model| model.insert(batch)))
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        Ok(self.with(|model| model.claim(request)))
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        // A lock for each change (S7): publishers need not wait for a whole batch.
        Ok(changes.iter().map(|change| self.with(|model| model.apply_one(change))).collect())
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.with(|model| model.load(ids)))
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.with(|model| model.attach(event, deliveries))
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        Ok(self.with(|model| model.sweep(request)))
    }

    async fn changed(&self, _since: Mark) -> Result<Mark, StoreError> {
        Ok(Mark(self.with(|model| model.writes())))
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl EndpointDirectory for MemoryStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        Ok(self.with(|model| model.subscribed(tenant, event_type)))
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        Ok(self.with(|model| model.get(ids)))
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        Ok(self.with(|model| model.disable(id, disabled)))
    }
}

#[async_trait]
impl EndpointAdmin for MemoryStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.with(|model| model.create(endpoint));
        Ok(())
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        Ok(self.with(|model| model.replace(expected, next)))
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        Ok(self.with(|model| model.list(query)))
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.with(|model| model.delete(tenant, id, at)))
    }
}

#[async_trait]
impl DeliveryLog for MemoryStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        Ok(self.with(|model| model.event(key)))
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.with(|model| model.attempts(delivery)))
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        Ok(self.with(|model| model.events(query)))
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        Ok(self.with(|model| model.deliveries(query)))
    }

    async fn stats(&self, tenant: Option<&TenantId>, _now: Timestamp) -> Result<Stats, StoreError> {
        Ok(self.with(|model| model.stats(tenant)))
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        Ok(self.with(|model| model.activity(query)))
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        Ok(self.with(|model| model.failing_since(endpoints)))
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        Ok(self.with(|model| model.tenants_with_held(page)))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        Ok(self.with(|model| model.prune(before, limit)))
    }
}

#[cfg(test)]
mod tests;
