//! An engine that runs, with a transport that remembers.

use std::collections::BTreeMap;
use std::time::Duration;

use notify_core::delivery::State;
use notify_core::engine::PublishError;
use notify_core::store::StoreError;
use notify_core::testing::{Reply, ScriptedTransport};
use notify_core::{Engine, NewEndpoint, NewEvent, StopReport, TenantId};
use notify_store_redis::RedisStore;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::wait_until;

/// So many tenants, which a store may keep in shards of their own.
pub(crate) const TENANTS: usize = 4;

/// An engine on a store; the transport answers 200.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) engine: Engine,
    transport: ScriptedTransport,
}

/// An engine that is being run.
#[derive(Debug)]
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<StopReport>,
}

/// An event whose publish was answered.
#[derive(Debug)]
pub(crate) struct Published {
    id: String,
    tenant: usize,
}

impl Published {
    /// How its delivery to the tenant's endpoint of this number shows in what was sent.
    pub(crate) fn to(&self, number: usize) -> String {
        format!("{} to {}", self.id, url(self.tenant, number))
    }
}

impl Worker {
    pub(crate) fn new(store: RedisStore) -> Self {
        let transport = ScriptedTransport::new(Reply::Status(200));
        let engine = Engine::builder(store).transport(transport.clone()).per_endpoint(64).build().unwrap();
        Self { engine, transport }
    }

    pub(crate) fn run(&self) -> Running {
        let (stop, stopped) = oneshot::channel();
        let engine = self.engine.clone();
        let task = tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await.unwrap() });
        Running { stop, task }
    }

    /// Registers so many endpoints for each tenant.
    pub(crate) async fn endpoints(&self, count: usize) {
        for (tenant, number) in (0..TENANTS).flat_map(|tenant| (0..count).map(move |number| (tenant, number))) {
            let new = NewEndpoint::new("crm", url(tenant, number)).tenant(name(tenant));
            self.engine.endpoints().create(new).await.unwrap();
        }
    }

    /// Publishes so many events for each tenant, in batches.
    pub(crate) async fn publish(&self, count: usize) {
        for tenant in 0..TENANTS {
            for from in (0..count).step_by(100) {
                let events = (from..count.min(from + 100)).map(|_| event(tenant)).collect();
                self.engine.publish_all(events).await.unwrap();
            }
        }
    }

    /// Publishes one event after the other, tenant by tenant, until told to stop: each with an id of its own, again
    /// until it is answered.
    pub(crate) fn publish_until(
        &self,
        mut stopped: oneshot::Receiver<()>,
        prefix: &'static str,
    ) -> JoinHandle<Vec<Published>> {
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                let number = acknowledged.len();
                let (id, tenant) = (format!("{prefix}_{number}"), number % TENANTS);
                while let Err(error) = engine.publish_event(event(tenant).with_id(&id).unwrap()).await {
                    let outage =
                        matches!(error, PublishError::Store(StoreError::Unavailable { .. } | StoreError::Busy { .. }));
                    assert!(outage, "{error:?}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                acknowledged.push(Published { id, tenant });
            }
            acknowledged
        })
    }

    /// How often each event was sent.
    pub(crate) fn sent(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.transport.sent() {
            let id = request.header("webhook-id").expect("every request has an id");
            *counts.entry(format!("{id} to {}", request.url)).or_default() += 1;
        }
        counts
    }

    pub(crate) async fn count(&self, state: State) -> u64 {
        self.engine.history().stats(None).await.map_or(0, |stats| stats.by_state.get(&state).copied().unwrap_or(0))
    }

    /// Returns once no delivery is open.
    pub(crate) async fn wait_until_settled(&self) {
        wait_until("the end of all deliveries", async || {
            self.engine.history().stats(None).await.is_ok_and(|stats| {
                [State::Scheduled, State::InFlight]
                    .iter()
                    .all(|open| stats.by_state.get(open).is_none_or(|count| *count == 0))
            })
        })
        .await;
    }
}

impl Running {
    pub(crate) async fn stop(self) -> StopReport {
        drop(self.stop);
        self.task.await.unwrap()
    }
}

/// An event of this tenant.
pub(crate) fn event(tenant: usize) -> NewEvent {
    NewEvent::new("a.b", "1").unwrap().for_tenant(name(tenant))
}

fn name(tenant: usize) -> TenantId {
    format!("tenant{tenant}").parse().unwrap()
}

fn url(tenant: usize, number: usize) -> String {
    format!("https://crm.test/{tenant}/{number}")
}

/// What several workers sent, together.
pub(crate) fn sent_by(workers: &[Worker]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (event, count) in workers.iter().flat_map(Worker::sent) {
        *counts.entry(event).or_default() += count;
    }
    counts
}
