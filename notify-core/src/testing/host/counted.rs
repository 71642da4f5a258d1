//! The store under test, its calls counted.

use std::sync::Arc;

use async_trait::async_trait;

use crate::delivery::{Delivery, NewDelivery};
use crate::endpoint::{Disabled, Endpoint};
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, EventType, TenantId};
use crate::machine::Change;
use crate::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, EndpointDirectory, InsertOutcome, Mark, PublishBatch, Store, StoreError,
    SweepRequest, Swept,
};
use crate::testing::pace::Pace;
use crate::time::Timestamp;

/// Passes every call on. The test's clock does not jump while one is under way, and the store's own clock, which
/// would defeat a manual one, is not asked.
#[derive(Debug)]
pub(super) struct Counted<T: ?Sized> {
    inner: Arc<T>,
    pace: Pace,
}

impl<T: ?Sized> Counted<T> {
    pub(super) const fn new(inner: Arc<T>, pace: Pace) -> Self {
        Self { inner, pace }
    }
}

#[async_trait]
impl Store for Counted<dyn Store> {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        let _call = self.pace.call();
        self.inner.insert(batch).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        let _call = self.pace.call();
        self.inner.claim(request).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        let _call = self.pace.call();
        self.inner.apply(changes).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let _call = self.pace.call();
        self.inner.load(ids).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        let _call = self.pace.call();
        self.inner.attach(event, deliveries).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        let _call = self.pace.call();
        self.inner.sweep(request).await
    }

    /// Not counted: a store may wait here for as long as nothing changes.
    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        self.inner.changed(since).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl EndpointDirectory for Counted<dyn EndpointDirectory> {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        let _call = self.pace.call();
        self.inner.subscribed(tenant, event_type).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        let _call = self.pace.call();
        self.inner.get(ids).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        let _call = self.pace.call();
        self.inner.disable(id, disabled).await
    }
}
