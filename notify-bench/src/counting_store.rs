//! A store that counts how often it is called, and leaves the work to another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, NewDelivery};
use notify_core::endpoint::Disabled;
use notify_core::event::EventKey;
use notify_core::id::Version;
use notify_core::machine::Change;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Page, PageRequest, Pruned, PublishBatch, Replaced,
    Stats, Store, StoreError, SweepRequest, Swept,
};
use notify_core::{DeliveryId, Endpoint, EndpointId, EventType, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// Counts the calls of the store `S`. Clones share their counts.
#[derive(Clone, Debug)]
pub struct CountingStore<S> {
    inner: S,
    calls: Arc<Calls>,
}

impl<S> CountingStore<S> {
    /// Counts calls of `inner`, from zero.
    pub fn new(inner: S) -> Self {
        Self { inner, calls: Arc::default() }
    }

    /// The calls so far.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CallCounts {
            insert: read(&self.calls.insert),
            claim: read(&self.calls.claim),
            apply: read(&self.calls.apply),
            load: read(&self.calls.load),
            attach: read(&self.calls.attach),
            sweep: read(&self.calls.sweep),
            changed: read(&self.calls.changed),
            time: read(&self.calls.time),
            endpoints: read(&self.calls.endpoints),
            log: read(&self.calls.log),
        }
    }
}

/// How often each method was called; the directory's and the log's methods together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallCounts {
    /// `insert`.
    pub insert: u64,
    /// `claim`.
    pub claim: u64,
    /// `apply`.
    pub apply: u64,
    /// `load`.
    pub load: u64,
    /// `attach`.
    pub attach: u64,
    /// `sweep`.
    pub sweep: u64,
    /// `changed`: the hint that an idle engine asks for; no query of a table.
    pub changed: u64,
    /// `time`.
    pub time: u64,
    /// Any method of the endpoint directory or administration.
    pub endpoints: u64,
    /// Any method of the delivery log.
    pub log: u64,
}

impl CallCounts {
    /// The calls since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            insert: self.insert - earlier.insert,
            claim: self.claim - earlier.claim,
            apply: self.apply - earlier.apply,
            load: self.load - earlier.load,
            attach: self.attach - earlier.attach,
            sweep: self.sweep - earlier.sweep,
            changed: self.changed - earlier.changed,
            time: self.time - earlier.time,
            endpoints: self.endpoints - earlier.endpoints,
            log: self.log - earlier.log,
        }
    }
}

impl fmt::Display for CallCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { insert, claim, apply, load, attach, sweep, changed, time, endpoints, log } = self;
        write!(
            f,
            "insert {insert}, claim {claim}, apply {apply}, load {load}, attach {attach}, sweep {sweep}, \
             changed {changed}, time {time}, endpoints {endpoints}, log {log}"
        )
    }
}

#[derive(Debug, Default)]
struct Calls {
    insert: AtomicU64,
    claim: AtomicU64,
    apply: AtomicU64,
    load: AtomicU64,
    attach: AtomicU64,
    sweep: AtomicU64,
    changed: AtomicU64,
    time: AtomicU64,
    endpoints: AtomicU64,
    log: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[async_trait]
impl<S: Store> Store for CountingStore<S> {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        count(&self.calls.insert);
        self.inner.insert(batch).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        count(&self.calls.claim);
        self.inner.claim(request).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        count(&self.calls.apply);
        self.inner.apply(changes).await
    }

    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        count(&self.calls.load);
        self.inner.load(ids).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        count(&self.calls.attach);
        self.inner.attach(event, deliveries).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        count(&self.calls.sweep);
        self.inner.sweep(request).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        count(&self.calls.changed);
        self.inner.changed(since).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        count(&self.calls.time);
        self.inner.time().await
    }
}

#[async_trait]
impl<S: EndpointDirectory> EndpointDirectory for CountingStore<S> {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        count(&self.calls.endpoints);
        self.inner.subscribed(tenant, event_type).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        count(&self.calls.endpoints);
        self.inner.get(ids).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        count(&self.calls.endpoints);
        self.inner.disable(id, disabled).await
    }
}

#[async_trait]
impl<S: EndpointAdmin> EndpointAdmin for CountingStore<S> {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        count(&self.calls.endpoints);
        self.inner.create(endpoint).await
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        count(&self.calls.endpoints);
        self.inner.replace(expected, next).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        count(&self.calls.endpoints);
        self.inner.list(query).await
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        count(&self.calls.endpoints);
        self.inner.delete(tenant, id, at).await
    }
}

#[async_trait]
impl<S: DeliveryLog> DeliveryLog for CountingStore<S> {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        count(&self.calls.log);
        self.inner.event(key).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        count(&self.calls.log);
        self.inner.attempts(delivery).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        count(&self.calls.log);
        self.inner.events(query).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        count(&self.calls.log);
        self.inner.deliveries(query).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, now: Timestamp) -> Result<Stats, StoreError> {
        count(&self.calls.log);
        self.inner.stats(tenant, now).await
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        count(&self.calls.log);
        self.inner.activity(query).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        count(&self.calls.log);
        self.inner.failing_since(endpoints).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        count(&self.calls.log);
        self.inner.tenants_with_held(page).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        count(&self.calls.log);
        self.inner.prune(before, limit).await
    }
}
