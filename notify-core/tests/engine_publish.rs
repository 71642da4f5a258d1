//! The doors of the engine: what a publish stores, refuses, and survives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::task::Poll;

use common::{Fault, Host, Op, URL, at, event, id, key, mins, secs, settle, tenant};
use notify_core::delivery::State;
use notify_core::engine::{Entropy, PublishError, RunError};
use notify_core::store::StoreError;
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, MemoryStore, NewEvent, Policy, TenantId,
};

fn other_content() -> NewEvent {
    NewEvent::new("connection.created", r#"{"connection_id":"con_2"}"#).unwrap()
}

#[tokio::test]
async fn the_same_id_and_content_again_is_a_success_that_sends_nothing() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    let named = || event().with_id("order-7").unwrap();
    let first = host.engine.publish_event(named()).await.unwrap();
    settle().await;
    let again = host.engine.publish_event(named()).await.unwrap();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!((first.event_id, first.deliveries), (again.event_id, again.deliveries));
    let conflict = host.engine.publish_event(other_content().with_id("order-7").unwrap()).await.unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "event 0 conflicts with order-7: same id or idempotency key, other content (NTF-EVENT-CONFLICT)"
    );
    settle().await;
    assert_eq!((host.sent(), host.deliveries().await.len()), (1, 1));
    assert_eq!(running.stop().await.unsettled, 0);
}

#[tokio::test]
async fn the_same_idempotency_key_answers_with_the_first_event() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let keyed = |event: NewEvent| event.with_idempotency_key("request-7").unwrap();
    let first = host.engine.publish_event(keyed(event())).await.unwrap();
    host.clock.advance(secs(5));
    let again = host.engine.publish_event(keyed(event())).await.unwrap();
    assert_eq!((&again.event_id, again.duplicate), (&first.event_id, true));
    let conflict = host.engine.publish_event(keyed(other_content())).await;
    assert!(matches!(conflict, Err(PublishError::Conflict { existing, .. }) if existing == first.event_id));
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn ids_and_keys_are_each_tenant_s_own() {
    let host = Host::new(Reply::Status(200));
    for (name, make) in [("a", event as fn() -> NewEvent), ("b", other_content)] {
        let event = make().for_tenant(tenant(name)).with_id("e").unwrap().with_idempotency_key("k").unwrap();
        assert!(!host.engine.publish_event(event).await.unwrap().duplicate);
    }
}

/// The slot of the second of two equal events in one batch was never given back: the engine waited for it at its
/// stop, and had one slot less for ever.
#[tokio::test]
async fn the_same_event_twice_in_one_batch_is_sent_once_and_leaves_no_slot_taken() {
    let host = Host::with(Reply::Status(200), |builder| builder.per_endpoint(2));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    let twin = || event().with_id("twin").unwrap();
    let receipts = host.engine.publish_all(vec![twin(), twin()]).await.unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.duplicate).collect::<Vec<_>>(), [false, true]);
    settle().await;
    assert_eq!(host.sent(), 1);
    let mut running = running;
    running.ask_to_stop().await;
    assert!(running.has_ended(), "the stop waits for a slot that nobody holds");
}

#[tokio::test]
async fn a_conflict_within_one_batch_stores_none_of_it() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    let batch = vec![event(), event().with_id("x").unwrap(), other_content().with_id("x").unwrap()];
    let refused = host.engine.publish_all(batch).await;
    assert!(matches!(refused, Err(PublishError::Conflict { index: 2, .. })));
    settle().await;
    assert_eq!((host.deliveries().await.len(), host.sent()), (0, 0));
    let mut running = running;
    running.ask_to_stop().await;
    assert!(running.has_ended());
}

#[tokio::test]
async fn a_bad_event_is_refused_by_field_and_nothing_is_stored() {
    let host = Host::new(Reply::Status(200));
    let field = |result: Result<NewEvent, notify_core::InvalidInput>| result.unwrap_err().field();
    assert_eq!(field(NewEvent::new("Connection created", "1")), "event");
    assert_eq!(field(NewEvent::new("single", "1")), "event");
    assert_eq!(field(NewEvent::new("a.b", "{'no':1}")), "data");
    assert_eq!(field(event().with_id("a b")), "event_id");
    assert_eq!(field(event().with_id(&"x".repeat(65))), "event_id");
    assert_eq!(field(event().with_idempotency_key("")), "idempotency_key");
    let big = format!("\"{}\"", "x".repeat(256 * 1024));
    let refused = host.engine.publish_event(NewEvent::new("a.b", &big).unwrap()).await.unwrap_err();
    assert_eq!(refused.to_string(), "payload is 262146 bytes, the limit is 262144 (NTF-PAYLOAD-SIZE)");
    assert_eq!(host.store.between().calls(Op::Insert), 0);
    assert!(host.engine.publish_all(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_limit_counts_the_whole_envelope() {
    let host = Host::with(Reply::Status(200), |builder| builder.max_payload(200));
    let of_length = |length: usize| {
        let data = format!("\"{}\"", "x".repeat(length - 2));
        NewEvent::new("a.b", &data).unwrap().with_id("e").unwrap()
    };
    let around = r#"{"event_id":"e","event":"a.b","timestamp":"2026-01-01T00:00:00.000Z","data":}"#.len();
    let fits = host.engine.publish_event(of_length(200 - around)).await;
    assert!(fits.is_ok());
    let too_large = host.engine.publish_event(of_length(200 - around + 1)).await;
    assert!(matches!(too_large, Err(PublishError::TooLarge { bytes: 201, limit: 200 })));
}

#[tokio::test]
async fn a_closed_catalogue_refuses_a_stranger_and_names_its_neighbour() {
    let host = Host::with(Reply::Status(200), |builder| {
        builder.event_type::<ConnectionCreated>().event_type::<ConnectionUpdated>().only_registered_event_types()
    });
    let refused = host.engine.publish_event(NewEvent::new("connection.udpated", "1").unwrap()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot publish connection.udpated: no event type with that name is registered (NTF-EVENT-UNKNOWN)"
    );
    assert_eq!(refused.help().as_deref(), Some("did you mean connection.updated?"));
    let stranger = host.engine.publish_event(NewEvent::new("invoice.paid", "1").unwrap()).await.unwrap_err();
    assert_eq!(stranger.help().as_deref(), Some("register it with EngineBuilder::event_type::<T>()"));
    assert_eq!(host.store.between().calls(Op::Insert), 0);
    host.engine.publish(&ConnectionCreated::example()).await.unwrap();
}

#[derive(Debug)]
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _bytes: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::Error::other("dry"))
    }
}

#[derive(serde::Serialize)]
struct Misnamed;

impl EventPayload for Misnamed {
    const NAME: &'static str = "connection created";
    fn example() -> Self {
        Self
    }
}

#[test]
fn a_build_tells_all_its_problems_at_once() {
    let mut policy = Policy::default();
    policy.timeout = secs(0);
    let error = Engine::builder(MemoryStore::new())
        .event_type::<Misnamed>()
        .per_endpoint(0)
        .policy(policy)
        .max_payload(0)
        .entropy(NoEntropy)
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "notify cannot be built: 6 problems (NTF-BUILD)\n  \
         1. event type \"connection created\": use words of a-z 0-9 _ joined by dots\n  \
         2. no attempts at once: use at least 1 for max_in_flight and per_endpoint\n  \
         3. policy: an attempt's timeout is between 1 ms and 5 min\n  \
         4. max_payload is 0: no event would fit\n  \
         5. entropy gives no randomness: dry\n  \
         6. no transport: call .transport(HttpTransport::new()?)"
    );
    assert_eq!(error.problems().len(), 6);
    let one = Engine::builder(MemoryStore::new()).build().unwrap_err();
    assert!(one.to_string().starts_with("notify cannot be built: 1 problem (NTF-BUILD)\n"));
}

#[tokio::test]
async fn running_twice_is_refused_and_running_again_is_not() {
    let host = Host::new(Reply::Status(200));
    let running = host.start();
    settle().await;
    let twice = host.engine.run(std::future::pending()).await.unwrap_err();
    assert_eq!(twice.to_string(), "run() of this engine is being polled already (NTF-RUN-TWICE)");
    assert!(matches!(host.engine.run_once().await, Err(RunError::AlreadyRunning)));
    running.stop().await;
    host.engine.run_once().await.unwrap();
}

#[tokio::test]
async fn busy_comes_through_as_itself_and_leaves_no_slot_taken() {
    let host = Host::with(Reply::Status(200), |builder| builder.per_endpoint(1));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    host.store.between().fail_next(Op::Insert, [Fault::Busy]);
    let busy = host.engine.publish_event(event()).await;
    assert!(matches!(busy, Err(PublishError::Store(StoreError::Busy { .. }))));
    host.publish().await;
    settle().await;
    assert_eq!(host.sent(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_insert_that_never_answers_is_unavailable_after_thirty_seconds_and_sends_nothing() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    host.store.between().fail_next(Op::Insert, [Fault::Hang]);
    let publisher = host.engine.publisher();
    let publish = tokio::spawn(async move { publisher.publish_event(event()).await });
    settle().await;
    host.pass(secs(29), secs(1)).await;
    assert!(!publish.is_finished());
    host.advance(secs(1)).await;
    let answer = publish.await.unwrap();
    assert!(matches!(answer, Err(PublishError::Store(StoreError::Unavailable { .. }))), "{answer:?}");
    host.pass(mins(2), secs(1)).await;
    assert_eq!((host.sent(), host.deliveries().await.len()), (0, 0));
    assert_eq!(running.stop().await.unsettled, 0);
}

#[tokio::test]
async fn an_insert_whose_answer_was_lost_is_delivered_once_and_repeating_it_is_a_duplicate() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    host.store.between().fail_next(Op::Insert, [Fault::FailAfter]);
    let named = || event().with_id("once").unwrap();
    assert!(host.engine.publish_event(named()).await.is_err());
    settle().await;
    assert!(host.engine.publish_event(named()).await.unwrap().duplicate);
    host.pass(mins(2), secs(1)).await;
    assert_eq!((host.sent(), host.state().await), (1, State::Delivered));
    assert_eq!(host.outcomes().await, ["success"], "the dispatcher found out itself: no lease was lost");
    running.stop().await;
}

#[tokio::test]
async fn a_publish_that_is_dropped_before_or_after_its_write_loses_nothing_and_blocks_nothing() {
    for stored in [false, true] {
        let host = Host::with(Reply::Status(200), |builder| builder.per_endpoint(1));
        host.endpoint(URL).await;
        let running = host.start();
        settle().await;
        host.store.between().fail_next(Op::Insert, [if stored { Fault::HangAfter } else { Fault::Hang }]);
        let publisher = host.engine.publisher();
        {
            let mut publish = Box::pin(publisher.publish_event(event()));
            let pending = std::future::poll_fn(|cx| Poll::Ready(publish.as_mut().poll(cx).is_pending())).await;
            assert!(pending, "the write is under way");
        }
        settle().await;
        host.advance(secs(1)).await;
        assert_eq!(host.sent(), usize::from(stored), "the dispatcher loads what it cannot know");
        host.publish().await;
        settle().await;
        assert_eq!(host.sent(), 1 + usize::from(stored), "its slot is free again");
        let mut running = running;
        running.ask_to_stop().await;
        assert!(running.has_ended());
    }
}

#[tokio::test]
async fn an_event_that_matches_no_endpoint_is_stored_and_visible() {
    let host = Host::new(Reply::Status(200));
    let receipt = host.publish().await;
    assert_eq!(receipt.deliveries, 0);
    let record = host.engine.history().event(&key(&receipt)).await.unwrap().unwrap();
    assert_eq!(record.status().as_str(), "no_endpoint");
}

#[tokio::test]
async fn a_delivery_with_a_later_first_attempt_waits_for_it() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    host.engine.publish_event(event().not_before(at("00:10:00"))).await.unwrap();
    host.pass(mins(10) - secs(1), secs(59)).await;
    assert_eq!(host.sent(), 0);
    host.advance(secs(1)).await;
    assert_eq!(host.sent(), 1);
    running.stop().await;
}

#[tokio::test]
async fn prune_removes_what_ended_before_and_its_idempotency_key_and_nothing_that_is_open() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let keyed = || event().with_idempotency_key("k").unwrap();
    let ended = host.engine.publish_event(keyed()).await.unwrap();
    host.engine.run_once().await.unwrap();
    host.transport.respond(URL, [Reply::Status(500)]);
    let open = host.publish().await;
    host.engine.run_once().await.unwrap();
    host.clock.advance(secs(10));
    assert_eq!(host.engine.history().prune(at("00:00:05")).await.unwrap(), 1);
    let history = host.engine.history();
    assert!(history.event(&key(&ended)).await.unwrap().is_none());
    assert!(history.event(&key(&open)).await.unwrap().is_some());
    assert!(!host.engine.publish_event(keyed()).await.unwrap().duplicate);
    assert_eq!(history.prune(at("00:00:05")).await.unwrap(), 0);
}

#[tokio::test]
async fn a_filter_decides_who_gets_an_event() {
    let host = Host::new(Reply::Status(200));
    let endpoints = host.engine.endpoints();
    let create = |url: &str, events: &[&str]| {
        endpoints.create(notify_core::NewEndpoint::new("f", url).events(events.iter().copied()))
    };
    create("https://exact.test/", &["connection.created"]).await.unwrap();
    create("https://family.test/", &["connection.*"]).await.unwrap();
    create("https://other.test/", &["invoice.*"]).await.unwrap();
    let all = host.endpoint("https://all.test/").await;
    assert_eq!(host.publish().await.deliveries, 3);
    host.engine.endpoints().delete(&TenantId::default(), id(&all)).await.unwrap();
    assert_eq!(host.publish().await.deliveries, 2);
}

/// An engine that only publishes hands nothing over: it has no dispatcher to forget about it.
#[tokio::test]
async fn an_engine_that_does_not_run_stores_deliveries_that_anybody_may_claim() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.publish().await;
    assert_eq!(host.state().await, State::Scheduled);
}

#[tokio::test]
async fn an_id_s_first_bytes_are_the_event_s_second() {
    let transport = ScriptedTransport::new(Reply::Status(200));
    let clock = ManualClock::at("2023-09-24T03:11:32Z".parse().unwrap());
    let engine = Engine::builder(MemoryStore::new()).transport(transport).clock(clock).build().unwrap();
    let receipt = engine.publish_event(event()).await.unwrap();
    assert!(receipt.event_id.as_str().starts_with("evt_ck7qhp"), "{}", receipt.event_id);
}
