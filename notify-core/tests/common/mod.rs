//! What the engine's tests share: a host in virtual time, a store that can be made to fail, and a transport that
//! counts. Time moves only when a test moves it.
#![allow(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test binary uses its own part")]

mod fault_store;
mod gauge_transport;
pub mod scripted;

use std::sync::Arc;
use std::time::Duration;

use notify_core::delivery::{Attempt, Delivery, State};
use notify_core::dispatch::StopReport;
use notify_core::engine::{CreatedEndpoint, EngineBuilder};
use notify_core::event::EventKey;
use notify_core::store::{DeliveryLog, DeliveryQuery, PageRequest};
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::transport::Transport;
use notify_core::{Endpoint, Engine, NewEndpoint, NewEvent, Receipt, TenantId, Timestamp};

pub use fault_store::{Fault, FaultStore, Op, fault_store, other_door};
pub use gauge_transport::GaugeTransport;

pub const T0: &str = "2026-01-01T00:00:00Z";
pub const URL: &str = "https://crm.test/hook";

pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub const fn mins(count: u64) -> Duration {
    secs(60 * count)
}

pub const fn hours(count: u64) -> Duration {
    mins(60 * count)
}

pub fn t0() -> Timestamp {
    T0.parse().unwrap()
}

/// `hh:mm:ss` after T0, as a time.
pub fn at(clock: &str) -> Timestamp {
    format!("2026-01-01T{clock}Z").parse().unwrap()
}

/// Lets everything happen that can happen without time passing.
pub async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// One engine with its parts in the test's hands.
pub struct Host {
    pub engine: Engine,
    pub transport: ScriptedTransport,
    pub clock: ManualClock,
    pub store: FaultStore,
}

impl Host {
    pub fn new(usual: Reply) -> Self {
        Self::with(usual, |builder| builder)
    }

    pub fn with(usual: Reply, change: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        let transport = ScriptedTransport::new(usual);
        let (clock, store) = (ManualClock::at(t0()), fault_store());
        let engine = build(&store, &clock, transport.clone(), change);
        Self { engine, transport, clock, store }
    }

    /// Another engine on the same store, clock and receivers: another process, or this one after a restart.
    pub fn sibling(&self) -> Self {
        self.sibling_with(|builder| builder)
    }

    pub fn sibling_with(&self, change: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        let engine = build(&self.store, &self.clock, self.transport.clone(), change);
        Self { engine, transport: self.transport.clone(), clock: self.clock.clone(), store: self.store.clone() }
    }

    /// The same, with its own connection to the store, which may fail alone.
    pub fn stranger(&self) -> Self {
        let store = other_door(&self.store);
        let engine = build(&store, &self.clock, self.transport.clone(), |builder| builder);
        Self { engine, transport: self.transport.clone(), clock: self.clock.clone(), store }
    }

    /// Another process's operator, whose disabling was written, but broke off before it held what was scheduled.
    pub async fn half_disabled(&self, created: &CreatedEndpoint) -> Self {
        let operator = self.stranger();
        operator.store.between().fail_next(Op::Sweep, [Fault::Fail]);
        let disabled = operator.engine.endpoints().disable(&TenantId::default(), id(created), "ops").await;
        assert!(disabled.is_err(), "the store did not answer its sweep");
        operator
    }

    pub async fn endpoint(&self, url: &str) -> CreatedEndpoint {
        self.engine.endpoints().create(NewEndpoint::new("crm", url)).await.unwrap()
    }

    pub async fn publish(&self) -> Receipt {
        self.engine.publish_event(event()).await.unwrap()
    }

    pub fn start(&self) -> Running {
        Running::of(&self.engine)
    }

    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        settle().await;
    }

    /// Lets `total` pass in steps of `step`, so that what is due in between happens in between.
    pub async fn pass(&self, total: Duration, step: Duration) {
        let mut left = total;
        while !left.is_zero() {
            let by = left.min(step);
            self.advance(by).await;
            left -= by;
        }
    }

    pub fn sent(&self) -> usize {
        self.transport.sent().len()
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        let mut query = DeliveryQuery::default();
        query.page = PageRequest { after: None, limit: 100_000 };
        self.store.inner().deliveries(&query).await.unwrap().items
    }

    pub async fn only_delivery(&self) -> Delivery {
        let deliveries = self.deliveries().await;
        let [delivery] = &deliveries[..] else { panic!("one delivery, not {}", deliveries.len()) };
        delivery.clone()
    }

    pub async fn state(&self) -> State {
        self.only_delivery().await.state()
    }

    pub async fn count(&self, state: State) -> usize {
        self.deliveries().await.iter().filter(|delivery| delivery.state() == state).count()
    }

    pub async fn attempts(&self) -> Vec<Attempt> {
        self.store.inner().attempts(&self.only_delivery().await.id()).await.unwrap()
    }

    /// The outcomes in the log of the only delivery.
    pub async fn outcomes(&self) -> Vec<&'static str> {
        self.attempts().await.iter().map(|attempt| attempt.outcome.as_str()).collect()
    }
}

fn build(
    store: &FaultStore,
    clock: &ManualClock,
    transport: impl Transport,
    change: impl FnOnce(EngineBuilder) -> EngineBuilder,
) -> Engine {
    change(Engine::builder(store.clone()).transport(transport).clock(clock.clone())).build().unwrap()
}

/// A `run` that is being polled.
pub struct Running {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<StopReport>,
}

impl Running {
    pub fn of(engine: &Engine) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let engine = engine.clone();
        let task = tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await.unwrap() });
        Self { stop: Some(stop), task }
    }

    /// Asks it to stop; time may have to pass before it has.
    pub async fn ask_to_stop(&mut self) {
        self.stop.take();
        settle().await;
    }

    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    pub async fn report(self) -> StopReport {
        self.task.await.unwrap()
    }

    /// Stops it where nothing is in flight.
    pub async fn stop(mut self) -> StopReport {
        self.ask_to_stop().await;
        self.report().await
    }

    /// Drops it in the middle of whatever it does, as a crash does.
    pub async fn kill(self) {
        self.task.abort();
        settle().await;
    }
}

pub fn event() -> NewEvent {
    NewEvent::new("connection.created", r#"{"connection_id":"con_1"}"#).unwrap()
}

pub fn key(receipt: &Receipt) -> EventKey {
    EventKey { tenant: TenantId::default(), id: receipt.event_id.clone() }
}

pub fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub fn id(endpoint: &CreatedEndpoint) -> &notify_core::EndpointId {
    let endpoint: &Arc<Endpoint> = &endpoint.endpoint;
    &endpoint.id
}
