//! The engine's way, once round, with the memory store and a scripted transport.
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::{ConnectionCreated, Engine, EventPayload, MemoryStore, NewEndpoint, Verifier};

#[tokio::test]
async fn a_published_event_arrives_signed() {
    let transport = ScriptedTransport::new(Reply::Status(200));
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let engine = Engine::builder(MemoryStore::new()).transport(transport.clone()).clock(clock).build().unwrap();
    let created = engine.endpoints().create(NewEndpoint::new("crm", "https://crm.test/hook")).await.unwrap();
    let receipt = engine.publish(&ConnectionCreated::example()).await.unwrap();
    assert_eq!(receipt.deliveries, 1);
    let round = engine.run_once().await.unwrap();
    assert_eq!(round.delivered, 1);
    let [request] = &transport.sent()[..] else { panic!("one request") };
    Verifier::new([created.secret]).verify(&request.body, request.header("x-notify-signature").unwrap()).unwrap();
}

#[tokio::test]
async fn a_running_engine_takes_a_fresh_event_over_in_memory() {
    let transport = ScriptedTransport::new(Reply::Status(200));
    let engine = Engine::builder(MemoryStore::new()).transport(transport.clone()).build().unwrap();
    engine.endpoints().create(NewEndpoint::new("crm", "https://crm.test/hook")).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run(async { drop(stopped.await) }).await }
    });
    for _ in 0..100 {
        engine.publish(&ConnectionCreated::example()).await.unwrap();
    }
    transport.wait_for(100).await;
    stop.send(()).unwrap();
    let report = run.await.unwrap().unwrap();
    assert_eq!(report.unsettled, 0);
    let stats = engine.history().stats(None).await.unwrap();
    assert_eq!(stats.by_state.into_iter().collect::<Vec<_>>(), [(notify_core::delivery::State::Delivered, 100)]);
}
