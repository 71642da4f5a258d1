//! A store with somebody between it and whoever calls it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::delivery::{Attempt, Delivery, NewDelivery};
use crate::endpoint::{Disabled, Endpoint};
use crate::event::EventKey;
use crate::id::{DeliveryId, EndpointId, EventType, TenantId, Version};
use crate::machine::Change;
use crate::store::activity::{Activity, ActivityQuery};
use crate::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Page, PageRequest, Pruned, PublishBatch, Replaced,
    Stats, Store, StoreError, SweepRequest, Swept,
};
use crate::time::Timestamp;

use super::StoreCall;

/// Who stands between a store and its callers: to fail a call before or after its work, to keep its answer back, or to
/// count it. Clones of a handle are the same one.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use notify_core::store::{Store, StoreError};
/// use notify_core::testing::{Intercept, Intercepted, StoreCall};
/// use notify_core::{MemoryStore, Timestamp};
///
/// /// A store that can be away.
/// #[derive(Debug, Default)]
/// struct Outage(AtomicBool);
///
/// impl Intercept for Outage {
///     async fn around<T: Send>(
///         &self,
///         call: StoreCall,
///         work: impl Future<Output = Result<T, StoreError>> + Send,
///     ) -> Result<T, StoreError> {
///         if self.0.load(Ordering::Relaxed) {
///             return Err(StoreError::unavailable(call.operation(), "an outage, for the test"));
///         }
///         work.await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Intercepted::new(MemoryStore::new(), Outage::default());
/// assert!(store.load(&[]).await.is_ok());
/// store.between().0.store(true, Ordering::Relaxed);
/// assert!(store.load(&[]).await.is_err());
/// # }
/// ```
pub trait Intercept: std::fmt::Debug + Send + Sync + 'static {
    /// Carries out a call: `work` is the store's own, and nothing of it is done until it is polled.
    ///
    /// # Errors
    /// The store's, or whatever is to be told instead.
    fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// [`Store::changed`], for who has an answer of its own.
    ///
    /// # Errors
    /// As [`around`](Self::around).
    fn changed<S: Store>(&self, store: &S, since: Mark) -> impl Future<Output = Result<Mark, StoreError>> + Send {
        self.around(StoreCall::Changed, store.changed(since))
    }

    /// [`Store::time`], for who has a clock of its own.
    ///
    /// # Errors
    /// As [`around`](Self::around).
    fn time<S: Store>(&self, store: &S) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send {
        self.around(StoreCall::Time, store.time())
    }

    /// [`DeliveryLog::events`], for who has pages of its own.
    ///
    /// # Errors
    /// As [`around`](Self::around).
    fn events<S: DeliveryLog>(
        &self,
        store: &S,
        query: &EventQuery,
    ) -> impl Future<Output = Result<Page<EventRecord>, StoreError>> + Send {
        async move { self.around(StoreCall::Events, store.events(query)).await }
    }

    /// [`DeliveryLog::deliveries`], for who has pages of its own.
    ///
    /// # Errors
    /// As [`around`](Self::around).
    fn deliveries<S: DeliveryLog>(
        &self,
        store: &S,
        query: &DeliveryQuery,
    ) -> impl Future<Output = Result<Page<Delivery>, StoreError>> + Send {
        async move { self.around(StoreCall::Deliveries, store.deliveries(query)).await }
    }
}

/// The store `S`, each call of which goes through `I`.
#[derive(Clone, Debug)]
pub struct Intercepted<S, I> {
    store: S,
    between: I,
}

impl<S, I> Intercepted<S, I> {
    /// Has `between` stand between `store` and its callers.
    pub const fn new(store: S, between: I) -> Self {
        Self { store, between }
    }

    /// The store itself.
    pub const fn inner(&self) -> &S {
        &self.store
    }

    /// Who stands between.
    pub const fn between(&self) -> &I {
        &self.between
    }
}

#[async_trait]
impl<S: Store, I: Intercept> Store for Intercepted<S, I> {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        self.between.around(StoreCall::Insert, self.store.insert(batch)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        self.between.around(StoreCall::Claim, self.store.claim(request)).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        self.between.around(StoreCall::Apply, self.store.apply(changes)).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.between.around(StoreCall::Load, self.store.load(ids)).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        self.between.around(StoreCall::Attach, self.store.attach(event, deliveries)).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        self.between.around(StoreCall::Sweep, self.store.sweep(request)).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        self.between.changed(&self.store, since).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.between.time(&self.store).await
    }
}

#[async_trait]
impl<S: EndpointDirectory, I: Intercept> EndpointDirectory for Intercepted<S, I> {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        self.between.around(StoreCall::Subscribed, self.store.subscribed(tenant, event_type)).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        self.between.around(StoreCall::Get, self.store.get(ids)).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        self.between.around(StoreCall::Disable, self.store.disable(id, disabled)).await
    }
}

#[async_trait]
impl<S: EndpointAdmin, I: Intercept> EndpointAdmin for Intercepted<S, I> {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.between.around(StoreCall::Create, self.store.create(endpoint)).await
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        self.between.around(StoreCall::Replace, self.store.replace(expected, next)).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        self.between.around(StoreCall::List, self.store.list(query)).await
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        self.between.around(StoreCall::Delete, self.store.delete(tenant, id, at)).await
    }
}

#[async_trait]
impl<S: DeliveryLog, I: Intercept> DeliveryLog for Intercepted<S, I> {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        self.between.around(StoreCall::Event, self.store.event(key)).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        self.between.around(StoreCall::Attempts, self.store.attempts(delivery)).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        self.between.events(&self.store, query).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        self.between.deliveries(&self.store, query).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, now: Timestamp) -> Result<Stats, StoreError> {
        self.between.around(StoreCall::Stats, self.store.stats(tenant, now)).await
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        self.between.around(StoreCall::Activity, self.store.activity(query)).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.between.around(StoreCall::FailingSince, self.store.failing_since(endpoints)).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        self.between.around(StoreCall::TenantsWithHeld, self.store.tenants_with_held(page)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        self.between.around(StoreCall::Prune, self.store.prune(before, limit)).await
    }
}
