//! What happens between the look at what is missing and the writes.

use std::sync::{Arc, Mutex};

use notify_core::delivery::State;
use notify_core::engine::{Backlog, ControlError, MissingRequest};
use notify_core::store::{DeliveryLog, StoreError};
use notify_core::testing::{Intercept, Intercepted, Reply, ScriptedTransport, StoreCall};
use notify_core::{EndpointId, Engine, MemoryStore, NewEndpoint, Timestamp};

use crate::common::{URL, event, id, settle};
use crate::{mine, request, send_all};

/// What happens around the next attach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Around {
    /// Nothing is done, and the answer is an error.
    Fail,
    /// It is done, and the answer is an error.
    FailAfter,
    /// It is not done before the test goes on.
    Wait,
    /// It is done, and the answer is not given before the test goes on.
    WaitAfter,
}

/// Stands before the attaches: what is planned for them, one each.
#[derive(Clone, Debug, Default)]
struct Gatekeeper(Arc<Planned>);

#[derive(Debug, Default)]
struct Planned {
    next: Mutex<Vec<Option<Around>>>,
    go: tokio::sync::Notify,
}

impl Gatekeeper {
    fn plan(&self, next: impl IntoIterator<Item = Option<Around>>) {
        *self.0.next.lock().unwrap() = next.into_iter().collect();
    }

    fn go(&self) {
        self.0.go.notify_one();
    }
}

impl Intercept for Gatekeeper {
    async fn around<T: Send>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if call != StoreCall::Attach {
            return work.await;
        }
        let planned = {
            let mut next = self.0.next.lock().unwrap();
            if next.is_empty() { None } else { next.remove(0) }
        };
        match planned {
            None => work.await,
            Some(Around::Fail) => Err(StoreError::unavailable(call.operation(), "scripted")),
            Some(Around::FailAfter) => {
                work.await.and_then(|_| Err(StoreError::unavailable(call.operation(), "scripted")))
            }
            Some(Around::Wait) => {
                self.0.go.notified().await;
                work.await
            }
            Some(Around::WaitAfter) => {
                let answer = work.await;
                self.0.go.notified().await;
                answer
            }
        }
    }
}

/// An engine whose attaches are watched, with so many events and one endpoint that came after them.
struct Watched {
    engine: Engine,
    store: MemoryStore,
    transport: ScriptedTransport,
    gate: Gatekeeper,
    late: EndpointId,
}

async fn watched(events: usize) -> Watched {
    let (store, gate) = (MemoryStore::new(), Gatekeeper::default());
    let transport = ScriptedTransport::new(Reply::Status(200));
    let engine = Engine::builder(Intercepted::new(store.clone(), gate.clone())).transport(transport.clone());
    let engine = engine.build().unwrap();
    for _ in 0..events {
        engine.publish_event(event()).await.unwrap();
    }
    let late = engine.endpoints().create(NewEndpoint::new("late", URL)).await.unwrap();
    Watched { engine, store, transport, gate, late: id(&late).clone() }
}

impl Watched {
    async fn states(&self) -> Vec<State> {
        let mut query = notify_core::store::DeliveryQuery::default();
        query.page.limit = 100;
        self.store.deliveries(&query).await.unwrap().items.iter().map(|delivery| delivery.state()).collect()
    }

    fn all(&self) -> MissingRequest {
        request(&self.late, Timestamp::EPOCH)
    }
}

#[tokio::test]
async fn two_callers_at_once_send_each_event_once() {
    let world = watched(20).await;
    world.gate.plan([Some(Around::Wait)]);
    let first = tokio::spawn({
        let (engine, all) = (world.engine.clone(), world.all());
        async move { send_all(&engine, all).await.0 }
    });
    settle().await;
    // The first has read that all of them are missing, and waits.
    let second = send_all(&world.engine, world.all()).await.0;
    world.gate.go();
    let first = first.await.unwrap();
    assert_eq!((first, second), (0, 20), "each is counted by who sent it");
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 20);
}

#[tokio::test]
async fn where_the_store_fails_half_way_the_same_call_again_sends_the_rest() {
    for fault in [Around::Fail, Around::FailAfter] {
        let world = watched(5).await;
        world.gate.plan([None, None, Some(fault)]);
        let broke = world.engine.deliveries().send_missing(&world.all()).await;
        assert!(matches!(broke, Err(ControlError::Store(StoreError::Unavailable { .. }))), "{broke:?}");
        let done = if fault == Around::Fail { 2 } else { 3 };
        assert_eq!(world.states().await.len(), done);
        assert_eq!(send_all(&world.engine, world.all()).await.0 as usize, 5 - done);
        world.engine.run_once().await.unwrap();
        assert_eq!(world.transport.sent_to(URL).len(), 5, "{fault:?}");
    }
}

#[tokio::test]
async fn a_dropped_call_has_sent_some_and_the_same_call_again_sends_the_rest() {
    for around in [Around::Wait, Around::WaitAfter] {
        for at in 0..5_usize {
            let world = watched(5).await;
            world.gate.plan((0..at).map(|_| None).chain([Some(around)]));
            let (engine, all) = (world.engine.clone(), world.all());
            let call = tokio::spawn(async move { engine.deliveries().send_missing(&all).await });
            settle().await;
            call.abort();
            assert!(call.await.unwrap_err().is_cancelled());
            assert_eq!(world.states().await.len(), at + usize::from(around == Around::WaitAfter));
            send_all(&world.engine, world.all()).await;
            world.engine.run_once().await.unwrap();
            assert_eq!(world.transport.sent_to(URL).len(), 5, "{around:?} at {at}");
        }
    }
}

/// What the endpoint is by the time the delivery is written decides, not what it was when it was read.
#[tokio::test]
async fn whoever_changes_the_endpoint_meanwhile_wins() {
    // Disabled when it was read, and enabled before the held row is written: nobody else would release it.
    let world = watched(1).await;
    let endpoints = world.engine.endpoints();
    endpoints.disable(&mine(), &world.late, "ops").await.unwrap();
    let enable = async || drop(endpoints.enable(&mine(), &world.late, Backlog::Resume).await.unwrap());
    assert_eq!(world.while_it_waits(enable).await, [State::Scheduled]);

    let world = watched(1).await;
    let endpoints = world.engine.endpoints();
    let disable = async || drop(endpoints.disable(&mine(), &world.late, "ops").await.unwrap());
    world.while_it_waits(disable).await;
    world.engine.run_once().await.unwrap();
    assert_eq!(world.states().await, [State::Held]);

    for disabled in [false, true] {
        let world = watched(1).await;
        let endpoints = world.engine.endpoints();
        if disabled {
            endpoints.disable(&mine(), &world.late, "ops").await.unwrap();
        }
        world.while_it_waits(async || endpoints.delete(&mine(), &world.late).await.unwrap()).await;
        world.engine.run_once().await.unwrap();
        assert_eq!(world.states().await, [State::Cancelled], "disabled: {disabled}");
        assert!(world.transport.sent().is_empty());
    }
}

#[tokio::test]
async fn what_is_pruned_between_look_and_write_is_left_out() {
    let world = watched(3).await;
    let history = world.engine.history();
    let prune = async || assert_eq!(history.prune(Timestamp::from_millis(i64::MAX)).await.unwrap(), 3);
    assert!(world.while_it_waits(prune).await.is_empty(), "the call ends well, and sends nothing");
}

impl Watched {
    /// Sends what is missing, has `meanwhile` happen between its look and its first write, and tells where the
    /// deliveries stand then.
    async fn while_it_waits(&self, meanwhile: impl AsyncFnOnce()) -> Vec<State> {
        self.gate.plan([Some(Around::Wait)]);
        let (engine, all) = (self.engine.clone(), self.all());
        let call = tokio::spawn(async move { engine.deliveries().send_missing(&all).await.unwrap() });
        settle().await;
        meanwhile().await;
        self.gate.go();
        call.await.unwrap();
        self.states().await
    }
}
