//! What was never sent to an endpoint is sent to it in bulk, and nothing twice.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use common::{Host, URL, event, hours, id, key, mins, secs, settle, t0, tenant};
use notify_core::delivery::State;
use notify_core::engine::{Backlog, ControlError, MissingRequest, SentMissing};
use notify_core::store::{DeliveryLog, StoreError};
use notify_core::testing::{Intercept, Intercepted, Reply, ScriptedTransport, StoreCall};
use notify_core::{EndpointId, EndpointPatch, Engine, MemoryStore, NewEndpoint, NewEvent, TenantId, Timestamp};
use proptest::prelude::*;

const OTHER: &str = "https://other.example.com/hook";

fn mine() -> TenantId {
    TenantId::default()
}

fn request(endpoint: &EndpointId, since: Timestamp) -> MissingRequest {
    MissingRequest::new(mine(), endpoint.clone(), since)
}

/// How many were sent by all calls, and by how many calls.
async fn send_all(engine: &Engine, mut request: MissingRequest) -> (u32, usize) {
    let mut sent = 0;
    for calls in 1..1_000 {
        let SentMissing { sent: more, next, .. } = engine.deliveries().send_missing(&request).await.unwrap();
        sent += more;
        request.page.after = next;
        if next.is_none() {
            return (sent, calls);
        }
    }
    panic!("the calls end")
}

/// How many are missing, by all pages.
async fn missing(engine: &Engine, mut request: MissingRequest) -> usize {
    let mut found = 0;
    loop {
        let page = engine.deliveries().missing(&request).await.unwrap();
        found += page.items.len();
        request.page.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn what_was_published_before_an_endpoint_existed_is_sent_to_it_page_by_page_and_once() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(OTHER).await;
    let mut bodies = BTreeSet::new();
    for _ in 0..5 {
        let receipt = host.publish().await;
        bodies.insert(host.store.inner().event(&key(&receipt)).await.unwrap().unwrap().event.body.to_vec());
    }
    host.engine.run_once().await.unwrap();
    let late = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    assert_eq!(host.transport.sent_to(URL).len(), 1);

    let mut pages = request(id(&late), t0());
    pages.page.limit = 2;
    assert_eq!(missing(&host.engine, pages.clone()).await, 5);
    let (sent, calls) = send_all(&host.engine, pages.clone()).await;
    assert_eq!((sent, calls >= 3), (5, true));
    assert_eq!(host.count(State::Scheduled).await, 5);
    host.engine.run_once().await.unwrap();
    let arrived = host.transport.sent_to(URL);
    assert_eq!(arrived.len(), 6);
    let arrived: BTreeSet<Vec<u8>> = arrived.iter().map(|request| request.body.to_vec()).collect();
    assert!(bodies.is_subset(&arrived), "the same bytes as the others got");
    assert_eq!(missing(&host.engine, pages.clone()).await, 0);
    assert_eq!(send_all(&host.engine, pages).await.0, 0, "nothing is sent twice");
}

#[tokio::test]
async fn only_what_the_filter_wants_and_nothing_that_is_a_test_or_another_tenant_s_is_sent() {
    let host = Host::new(Reply::Status(200));
    let other = host.endpoint(OTHER).await;
    host.publish().await;
    host.engine.publish_event(NewEvent::new("invoice.paid", "{}").unwrap()).await.unwrap();
    host.engine.publish_event(event().for_tenant(tenant("theirs"))).await.unwrap();
    host.engine.endpoints().ping(&mine(), id(&other)).await.unwrap();
    let late = host.endpoint(URL).await;
    let mut patch = EndpointPatch::default();
    patch.events = Some(Some(vec!["connection.*".into(), "endpoint.*".into()]));
    host.engine.endpoints().update(&mine(), id(&late), &patch).await.unwrap();
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 1);
    let to_late = host.deliveries().await.into_iter().filter(|delivery| delivery.endpoint() == id(&late)).count();
    assert_eq!(to_late, 1);
}

#[tokio::test]
async fn what_has_a_delivery_is_left_alone_however_that_ended() {
    let host = Host::new(Reply::Status(200));
    let crm = host.endpoint(URL).await;
    host.publish().await;
    host.engine.run_once().await.unwrap();
    host.transport.respond_always(URL, Reply::Status(500));
    host.publish().await;
    host.engine.run_once().await.unwrap();
    host.publish().await;
    let scheduled = host.deliveries().await.into_iter().find(|delivery| delivery.state() == State::Scheduled).unwrap();
    host.engine.deliveries().cancel(&mine(), &scheduled.id()).await.unwrap();
    let before = host.deliveries().await;
    assert_eq!(send_all(&host.engine, request(id(&crm), t0())).await.0, 0);
    assert_eq!(host.deliveries().await, before);
}

#[tokio::test]
async fn only_events_of_the_asked_time_are_sent() {
    let host = Host::new(Reply::Status(200));
    for _ in 0..3 {
        host.publish().await;
        host.clock.advance(hours(1));
    }
    let late = host.endpoint(URL).await;
    let mut first = request(id(&late), t0());
    // The end is not in it, the beginning is.
    first.until = Some(t0().saturating_add(hours(1)));
    assert_eq!(send_all(&host.engine, first).await.0, 1);
    let mut middle = request(id(&late), t0().saturating_add(hours(1)));
    middle.until = Some(t0().saturating_add(mins(90)));
    assert_eq!(send_all(&host.engine, middle).await.0, 1);
    assert_eq!(host.count(State::Scheduled).await, 2);
}

#[tokio::test]
async fn for_a_disabled_endpoint_it_is_held_until_it_is_enabled() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&late), "ops").await.unwrap();
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 1);
    assert_eq!(host.state().await, State::Held);
    host.engine.endpoints().enable(&mine(), id(&late), Backlog::Resume).await.unwrap();
    host.engine.run_once().await.unwrap();
    assert_eq!(host.state().await, State::Delivered);
}

#[tokio::test]
async fn a_running_engine_sends_at_once_what_was_missing() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    send_all(&host.engine, request(id(&late), t0())).await;
    settle().await;
    assert_eq!(host.state().await, State::Delivered);
    running.stop().await;
}

#[tokio::test]
async fn what_is_pruned_is_not_there_to_be_sent() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    host.clock.advance(hours(1));
    assert_eq!(host.engine.history().prune(host.engine.now()).await.unwrap(), 1);
    assert_eq!(send_all(&host.engine, request(id(&late), t0())).await.0, 0);
}

#[tokio::test]
async fn another_tenant_s_endpoint_or_a_deleted_one_looks_missing_and_a_bad_request_is_named() {
    let host = Host::new(Reply::Status(200));
    host.publish().await;
    let late = host.endpoint(URL).await;
    let gone = host.endpoint(OTHER).await;
    host.engine.endpoints().delete(&mine(), id(&gone)).await.unwrap();
    let send = async |edit: &dyn Fn(&mut MissingRequest)| {
        let mut request = request(id(&late), t0());
        edit(&mut request);
        (host.engine.deliveries().send_missing(&request).await, host.engine.deliveries().missing(&request).await)
    };
    for (what, edit) in [
        ("theirs", &(|request: &mut MissingRequest| request.tenant = tenant("theirs")) as &dyn Fn(&mut MissingRequest)),
        ("deleted", &|request| request.endpoint = id(&gone).clone()),
    ] {
        let (sent, seen) = send(edit).await;
        assert!(matches!(sent, Err(ControlError::NotFound)), "{what}: {sent:?}");
        assert!(matches!(seen, Err(ControlError::NotFound)), "{what}: {seen:?}");
    }
    for (edit, field) in [
        (&(|request: &mut MissingRequest| request.page.limit = 0) as &dyn Fn(&mut MissingRequest), "limit"),
        (&|request| request.page.limit = 101, "limit"),
        (&|request| request.until = Some(t0()), "until"),
    ] {
        let (sent, seen) = send(edit).await;
        assert!(matches!(&sent, Err(ControlError::Invalid(invalid)) if invalid.field() == field), "{sent:?}");
        assert!(matches!(&seen, Err(ControlError::Invalid(invalid)) if invalid.field() == field), "{seen:?}");
    }
    assert!(host.deliveries().await.is_empty(), "nothing was sent");
}

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

/// One thing that happens in the world of the model.
#[derive(Clone, Debug)]
enum Act {
    /// A live event of one of three types is published.
    Publish(usize),
    /// A test is sent to one of the endpoints.
    Ping(usize),
    /// An endpoint that wants one of the types, or all, comes to be.
    Create(Option<usize>),
    /// What is missing of all time, or of the last seconds, is sent to one of the endpoints.
    Send { to: usize, last: Option<u64>, limit: u32 },
}

const TYPES: [&str; 3] = ["a.one", "a.two", "b.one"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..TYPES.len()).prop_map(Act::Publish),
        1 => (0usize..8).prop_map(Act::Ping),
        2 => prop::option::of(0..TYPES.len()).prop_map(Act::Create),
        3 => (0usize..8, prop::option::of(1u64..20), 1u32..6).prop_map(|(to, last, limit)| Act::Send { to, last, limit }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model is a set of pairs: which event is for which endpoint.
    #[test]
    fn an_event_is_sent_to_whom_a_plain_set_of_pairs_says(acts in prop::collection::vec(act(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (found, expected) = runtime.block_on(async {
            let host = Host::new(Reply::Status(200));
            let mut endpoints: Vec<(EndpointId, Option<usize>)> = Vec::new();
            let mut events: Vec<(String, usize, Timestamp)> = Vec::new();
            let mut pairs: BTreeSet<(String, EndpointId)> = BTreeSet::new();
            for act in acts {
                // So that no publish uses what an earlier one read of the endpoints.
                host.clock.advance(secs(2));
                let now = host.engine.now();
                match act {
                    Act::Publish(of) => {
                        let event = NewEvent::new(TYPES[of], "{}").unwrap();
                        let event = host.engine.publish_event(event).await.unwrap().event_id.to_string();
                        let wanting = endpoints.iter().filter(|(_, wants)| wants.is_none_or(|wanted| wanted == of));
                        pairs.extend(wanting.map(|(endpoint, _)| (event.clone(), endpoint.clone())));
                        events.push((event, of, now));
                    }
                    Act::Ping(to) if to < endpoints.len() => {
                        let receipt = host.engine.endpoints().ping(&mine(), &endpoints[to].0).await.unwrap();
                        pairs.insert((receipt.event_id.to_string(), endpoints[to].0.clone()));
                    }
                    Act::Create(wants) => {
                        let created = host.endpoint(URL).await;
                        let mut patch = EndpointPatch::default();
                        patch.events = wants.map(|of| Some(vec![TYPES[of].into()]));
                        host.engine.endpoints().update(&mine(), id(&created), &patch).await.unwrap();
                        endpoints.push((id(&created).clone(), wants));
                    }
                    Act::Send { to, last, limit } if to < endpoints.len() => {
                        let (endpoint, wants) = &endpoints[to];
                        let since = last.map_or(t0(), |seconds| now.saturating_sub(secs(seconds)));
                        let mut request = request(endpoint, since);
                        request.page.limit = limit;
                        let wanted = events.iter().filter(|(_, of, at)| {
                            *at >= since && wants.is_none_or(|wanted| wanted == *of)
                        });
                        let before = pairs.len();
                        pairs.extend(wanted.map(|(event, ..)| (event.clone(), endpoint.clone())));
                        assert_eq!(missing(&host.engine, request.clone()).await, pairs.len() - before);
                        assert_eq!(send_all(&host.engine, request).await.0 as usize, pairs.len() - before);
                    }
                    Act::Ping(_) | Act::Send { .. } => {}
                }
            }
            let found: Vec<_> = host.deliveries().await.into_iter().map(|delivery| {
                (delivery.event().id.to_string(), delivery.endpoint().clone())
            }).collect();
            (found, pairs)
        });
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
