//! Stores on a server, and all that they hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use notify_core::delivery::{Attempt, Delivery};
use notify_core::store::{
    ClaimBatch, ClaimRequest, DeliveryLog, EndpointAdmin, EndpointQuery, EventQuery, EventRecord, PageRequest, Stats,
    Store, StoreError,
};
use notify_core::testing::kit::sample::{named, t};
use notify_core::{Endpoint, TenantId};
use notify_store_redis::RedisStore;

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Enough tenants for more than one of three shards.
pub(crate) const TENANTS: [&str; 4] = ["acme", "umbrella", "initech", "hooli"];

/// A store of its own on the server at `url`.
pub(crate) async fn open(url: &str, namespace: &str, shards: u16) -> RedisStore {
    RedisStore::builder(url).namespace(namespace).shards(shards).connect().await.unwrap()
}

/// All that a store shows of itself. Two stores with the same history are equal.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Contents {
    pub(crate) events: Vec<EventRecord>,
    pub(crate) attempts: Vec<Vec<Attempt>>,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    pub(crate) stats: Stats,
}

impl Contents {
    /// Reads the rows of the default tenant and of [`TENANTS`]; for small stores.
    pub(crate) async fn of(store: &RedisStore) -> Self {
        let page = PageRequest { after: None, limit: 100 };
        let (mut events, mut endpoints) = (Vec::new(), Vec::new());
        for tenant in [TenantId::default()].into_iter().chain(TENANTS.map(named)) {
            let mut query = EventQuery::default();
            (query.tenant, query.page) = (tenant.clone(), page);
            events.extend(store.events(&query).await.unwrap().items);
            endpoints.extend(store.list(&EndpointQuery { tenant, page }).await.unwrap().items);
        }
        for record in &mut events {
            record.deliveries.sort_by_key(Delivery::id);
        }
        let mut attempts = Vec::new();
        for delivery in events.iter().flat_map(|record| &record.deliveries) {
            attempts.push(store.attempts(&delivery.id()).await.unwrap());
        }
        let stats = store.stats(None, t(0)).await.unwrap();
        Self { events, attempts, endpoints, stats }
    }
}

/// Fails where an index of the store names a row that does not belong in it, or lacks one that does.
pub(crate) async fn assert_indexes_agree(store: &RedisStore) {
    let faults = store.verify_indexes().await.unwrap();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Claims until a claim gives nothing: each with a token of its own, from `first_token` on.
pub(crate) async fn claim_all(store: &RedisStore, mut request: ClaimRequest, first_token: u128) -> Vec<ClaimBatch> {
    let mut batches = Vec::new();
    for token in first_token.. {
        request.token = notify_core::id::ClaimToken::new(token);
        let batch = store.claim(&request).await.unwrap();
        if batch.claimed.is_empty() {
            break;
        }
        batches.push(batch);
    }
    batches
}

/// Repeats a call until the store answers it, as an engine does.
pub(crate) async fn repeated<A>(mut call: impl AsyncFnMut() -> Result<A, StoreError>) -> A {
    let started = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert!(started.elapsed() < PATIENCE, "it stays unavailable: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks until it is so.
pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
