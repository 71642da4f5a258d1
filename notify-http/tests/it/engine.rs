//! An engine over real sockets: what hostile receivers do to others, to the log, and to the schedule.

use std::collections::BTreeMap;
use std::time::Duration;

use notify_core::delivery::{Attempt, Outcome, State};
use notify_core::engine::Receipt;
use notify_core::event::EventKey;
use notify_core::retry::RetryAfterRule;
use notify_core::store::EventRecord;
use notify_core::testing::ManualClock;
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, MemoryStore, NewEndpoint, Policy, RetrySchedule,
    Secret, TenantId, Timestamp,
};
use notify_http::testing::{Ending, HostileReceiver, Shape, SignatureCheck, TestReceiver};
use tokio::sync::oneshot;

use crate::receiver::{Answer, Receiver, loopback};

async fn record(engine: &Engine, receipt: &Receipt) -> EventRecord {
    let key = EventKey { tenant: TenantId::default(), id: receipt.event_id.clone() };
    engine.history().event(&key).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_receiver_at_once_delays_no_delivery_of_a_healthy_one() {
    const EVENTS: usize = 100;
    let mut hostile = Vec::new();
    let mut transport = loopback();
    for shape in Shape::ALL {
        let receiver = HostileReceiver::start(*shape).await.unwrap();
        transport = receiver.root_pem().into_iter().fold(transport, |transport, pem| transport.extra_root_pem(pem));
        hostile.push(receiver);
    }
    let healthy = TestReceiver::start().await.unwrap();
    let mut policy = Policy::default();
    policy.schedule = RetrySchedule::never();
    policy.timeout = Duration::from_secs(10);
    let engine =
        Engine::builder(MemoryStore::new()).transport(transport.build().unwrap()).policy(policy).build().unwrap();

    let mut shapes = BTreeMap::new();
    for receiver in &hostile {
        let new = NewEndpoint::new(receiver.shape().name(), receiver.url()).events(["connection.created"]);
        shapes.insert(engine.endpoints().create(new).await.unwrap().endpoint.id.clone(), receiver.shape());
    }
    let created = engine.endpoints().create(NewEndpoint::new("healthy", healthy.url())).await.unwrap();
    healthy.trust([created.secret]);

    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run(async { drop(stopped.await) }).await.unwrap() }
    });
    let receipt = engine.publish(&ConnectionCreated::example()).await.unwrap();
    for _ in 1..EVENTS {
        engine.publish(&ConnectionUpdated::example()).await.unwrap();
    }
    // Those that hang do so for the whole timeout yet.
    tokio::time::timeout(Duration::from_secs(60), healthy.wait_for(EVENTS)).await.unwrap();
    let requests = healthy.requests();
    assert_eq!(requests.len(), EVENTS);
    assert!(requests.iter().all(|request| request.signature == SignatureCheck::Verified), "{requests:?}");

    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap().unsettled, 0);
    let mut wrong = Vec::new();
    for delivery in record(&engine, &receipt).await.deliveries {
        let attempts = engine.history().attempts(&delivery.id()).await.unwrap();
        let shape = shapes.get(delivery.endpoint());
        wrong.extend(fault(shape.copied(), delivery.state(), &attempts));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is wrong with a delivery's end and its log, if anything.
fn fault(shape: Option<Shape>, state: State, attempts: &[Attempt]) -> Option<String> {
    let ending = shape.map_or(Ending::Status(200), Shape::ending);
    let name = shape.map_or("healthy", Shape::name);
    let [attempt] = attempts else { return Some(format!("{name}: {attempts:?}")) };
    let as_said = match ending {
        Ending::Status(200) => state == State::Delivered && attempt.outcome == Outcome::Success,
        Ending::Status(status) => state == State::Failed && attempt.status_code == Some(status),
        Ending::Failure(_) | Ending::Tls(_) => {
            state == State::Failed && ending.reason().map(Outcome::Failure) == Some(attempt.outcome)
        }
    };
    // What the owner is told names no address of ours.
    let discreet = attempt.error.as_ref().is_none_or(|error| !error.contains("127.0.0.1"));
    (!as_said || !discreet).then(|| format!("{name}: {state:?}, {attempt:?}"))
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// An engine whose clock stands still, with one endpoint at this receiver.
async fn standing(receiver: &Receiver) -> Engine {
    standing_with(receiver, &Policy::default()).await
}

async fn standing_with(receiver: &Receiver, policy: &Policy) -> Engine {
    let engine = Engine::builder(MemoryStore::new()).transport(loopback().build().unwrap());
    let engine = engine.policy(policy.clone()).clock(ManualClock::at(start())).build().unwrap();
    engine.endpoints().create(NewEndpoint::new("crm", receiver.url("/"))).await.unwrap();
    engine
}

/// C65: odd values overflowed, went back in time, or shortened the wait. By default the table alone counts; where the
/// policy heeds the header, it only lengthens the wait, and only up to the cap.
#[tokio::test]
async fn a_retry_after_counts_only_where_the_policy_heeds_it_and_never_makes_a_retry_earlier() {
    let lines = [
        ("retry-after: 0", "00:05:00"),
        ("retry-after: 120", "00:05:00"),
        ("retry-after: 900", "00:15:00"),
        ("Retry-After:  900 ", "00:15:00"),
        ("retry-after: Thu, 01 Jan 2026 00:20:00 GMT", "00:20:00"),
        ("retry-after: Thursday, 01-Jan-26 00:20:00 GMT", "00:20:00"),
        ("retry-after: Fri, 31 Dec 2027 23:59:59 GMT", "01:00:00"),
        ("retry-after: Thu, 01 Jan 1970 00:00:00 GMT", "00:05:00"),
        ("retry-after: -5", "00:05:00"),
        ("retry-after: 1.5", "00:05:00"),
        ("retry-after: 99999999999999999999", "01:00:00"),
        ("retry-after: soon", "00:05:00"),
        ("retry-after: 1\r\nretry-after: 9999", "00:05:00"),
        ("retry-after: Fri, 31 Dec 9999 23:59:59 GMT", "01:00:00"),
    ];
    let mut heeds = Policy::default();
    heeds.retry_after = RetryAfterRule::UpTo(Duration::from_secs(3600));
    for status in [429, 503] {
        for (line, heeded) in lines {
            let answer = format!("HTTP/1.1 {status} X\r\n{line}\r\ncontent-length: 0\r\n\r\n");
            let receiver = Receiver::always(Answer::Write(answer.into_bytes())).await;
            for (policy, due) in [(&Policy::default(), "00:05:00"), (&heeds, heeded)] {
                let engine = standing_with(&receiver, policy).await;
                let receipt = engine.publish(&ConnectionCreated::example()).await.unwrap();
                engine.run_once().await.unwrap();
                let due = format!("2026-01-01T{due}Z").parse().unwrap();
                let delivery = &record(&engine, &receipt).await.deliveries[0];
                assert_eq!(delivery.ready_at(), Some(due), "{status} {line} {:?}", policy.retry_after);
            }
        }
    }
}

/// C66: an endpoint was disabled by a 410 while its other deliveries stayed behind in no state at all.
#[tokio::test]
async fn a_410_is_a_failure_like_any_other_for_every_delivery_that_waits() {
    for status in [410, 404, 400, 401, 429] {
        let receiver = Receiver::always(Answer::status(status)).await;
        let engine = standing(&receiver).await;
        let mut receipts = Vec::new();
        for _ in 0..4 {
            receipts.push(engine.publish(&ConnectionCreated::example()).await.unwrap());
        }
        engine.run_once().await.unwrap();
        for receipt in &receipts {
            let delivery = &record(&engine, receipt).await.deliveries[0];
            let due = start().saturating_add(Duration::from_secs(300));
            assert_eq!((delivery.state(), delivery.ready_at()), (State::Scheduled, Some(due)), "{status}");
            let id = delivery.endpoint();
            assert!(engine.endpoints().get(&TenantId::default(), id).await.unwrap().is_enabled(), "{status}");
        }
        assert_eq!(receiver.requests().len(), receipts.len());
    }
}

#[tokio::test]
async fn a_test_receiver_refuses_what_no_secret_of_its_signed_and_answers_as_it_is_told() {
    let receiver = TestReceiver::start().await.unwrap();
    let transport = loopback().build().unwrap();
    let engine = Engine::builder(MemoryStore::new()).transport(transport).clock(ManualClock::at(start()));
    let engine = engine.build().unwrap();
    let created = engine.endpoints().create(NewEndpoint::new("crm", receiver.url())).await.unwrap();
    let mut seen = Vec::new();
    for step in 0..4 {
        match step {
            1 => receiver.trust([Secret::new("that of somebody else").unwrap()]),
            2 => receiver.trust([created.secret.clone()]),
            3 => receiver.respond([418]),
            _ => {}
        }
        let receipt = engine.publish(&ConnectionCreated::example()).await.unwrap();
        engine.run_once().await.unwrap();
        let delivery = record(&engine, &receipt).await.deliveries.remove(0);
        let attempts = engine.history().attempts(&delivery.id()).await.unwrap();
        let signature = receiver.requests().pop().unwrap().signature;
        seen.push((attempts[0].status_code.unwrap(), matches!(signature, SignatureCheck::Verified)));
    }
    assert_eq!(seen, [(200, false), (401, false), (200, true), (418, true)]);
    // Signed years ago by the system's clock.
    receiver.require_fresh(Duration::from_secs(300));
    engine.publish(&ConnectionCreated::example()).await.unwrap();
    engine.run_once().await.unwrap();
    receiver.wait_for(5).await;
    assert!(matches!(receiver.requests()[4].signature, SignatureCheck::Refused(_)));
}
