//! Several threads at once: publishers, the engine, and a stop, in whatever order they come.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::collections::BTreeMap;

use common::{FaultStore, Running, event, fault_store};
use notify_core::testing::{Reply, ScriptedTransport};
use notify_core::{Engine, NewEndpoint};
use tokio::task::JoinSet;

const PUBLISHERS: usize = 8;
const EVENTS: usize = 100;
const ENDPOINTS: usize = 3;
const DELIVERIES: usize = PUBLISHERS * EVENTS * ENDPOINTS;

async fn engine(store: &FaultStore, transport: &ScriptedTransport) -> Engine {
    let engine = Engine::builder(store.clone()).transport(transport.clone()).per_endpoint(5).build().unwrap();
    for n in 1..=ENDPOINTS {
        engine.endpoints().create(NewEndpoint::new("r", format!("https://r{n}.test/"))).await.unwrap();
    }
    engine
}

fn publishers(engine: &Engine) -> JoinSet<()> {
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS {
        let engine = engine.clone();
        publishers.spawn(async move {
            for _ in 0..EVENTS {
                engine.publish_event(event()).await.unwrap();
            }
        });
    }
    publishers
}

/// How often each pair of event and endpoint was sent.
fn requests(transport: &ScriptedTransport) -> BTreeMap<(String, Vec<u8>), usize> {
    let mut counts = BTreeMap::new();
    for request in transport.sent() {
        *counts.entry((request.url.to_string(), request.body.to_vec())).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_event_of_many_publishers_is_sent_once_to_each_endpoint() {
    let (store, transport) = (fault_store(), ScriptedTransport::new(Reply::Status(200)));
    let engine = engine(&store, &transport).await;
    let running = Running::of(&engine);
    publishers(&engine).join_all().await;
    transport.wait_for(DELIVERIES).await;
    assert_eq!(running.stop().await.unsettled, 0);
    let requests = requests(&transport);
    assert_eq!((requests.len(), requests.values().max()), (DELIVERIES, Some(&1)));
}

/// A stop while others publish leaves no delivery leased to an engine that is gone, and none is sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_and_a_restart_in_the_middle_of_publishing_neither_lose_nor_repeat_anything() {
    let (store, transport) = (fault_store(), ScriptedTransport::new(Reply::Status(200)));
    let engine = engine(&store, &transport).await;
    let mut publishers = publishers(&engine);
    for _ in 0..5 {
        let running = Running::of(&engine);
        transport.wait_for(DELIVERIES.min(transport.sent().len() + 10)).await;
        let report = running.stop().await;
        assert_eq!((report.interrupted, report.unsettled), (0, 0));
    }
    while publishers.join_next().await.is_some() {}
    engine.run_once().await.unwrap();
    let requests = requests(&transport);
    assert_eq!((requests.len(), requests.values().max()), (DELIVERIES, Some(&1)));
}
