//! The primary dies, and its replica takes over.

use std::time::{Duration, Instant};

use notify_core::delivery::State;
use notify_store_redis::{Durability, OpenError, RedisStore};
use notify_test_servers::{SentinelSet, require};
use tokio::sync::oneshot;

use crate::worker::{TENANTS, Worker, event, sent_by};
use crate::world::{PATIENCE, assert_indexes_agree, wait_until};

/// Opens the store as a host does that is restarted until it comes up: sentinels are a while in agreeing.
async fn open(set: &SentinelSet) -> RedisStore {
    let started = Instant::now();
    loop {
        match RedisStore::builder(&set.url()).namespace("nf").connect().await {
            Ok(store) => return store,
            Err(OpenError::Connect { .. }) if started.elapsed() < PATIENCE => {}
            Err(error) => panic!("{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the replica had not yet got when the primary died is lost, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn two_engines_go_on_after_a_failover_with_all_that_the_replica_had() {
    let Some(mut set) = require(SentinelSet::start(&[], 3)) else { return };
    let workers = [Worker::new(open(&set).await), Worker::new(open(&set).await)];
    workers[0].endpoints(1).await;
    let running = workers.each_ref().map(Worker::run);
    workers[0].publish(50).await;
    let replicas: u64 = set.first_mut().run(&["WAIT", "1", "10000"]);
    assert_eq!(replicas, 1);

    let (stop, stopped) = oneshot::channel();
    let publishing = workers[1].publish_until(stopped, "during");
    tokio::time::sleep(Duration::from_millis(300)).await;
    set.first_mut().kill();
    set.wait_for_failover();
    // Both engines find the new primary by themselves.
    for worker in &workers {
        wait_until("an answer of the new primary", async || worker.engine.publish_event(event(0)).await.is_ok()).await;
    }
    stop.send(()).unwrap();
    let during = publishing.await.unwrap();
    workers[0].publish(50).await;
    workers[0].wait_until_settled().await;
    for run in running {
        run.stop().await;
    }
    let sent = sent_by(&workers);
    let lost = during.iter().filter(|event| !sent.contains_key(&event.to(0))).count();
    println!("{} events acknowledged around the failover, {lost} of them never sent", during.len());
    // 50 for each tenant before and after, and the two that found the new primary.
    assert_eq!(sent.len(), 2 * 50 * TENANTS + 2 + during.len() - lost);
    assert_indexes_agree(&open(&set).await).await;
}

/// A publish that waits for a replica is not lost with the primary.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_with_a_replica_outlives_the_primary() {
    let Some(mut set) = require(SentinelSet::start(&[], 1)) else { return };
    let builder = RedisStore::builder(&set.url()).namespace("nf").durability(Durability::Replicas(1));
    let publisher = Worker::new(builder.connect().await.unwrap());
    publisher.endpoints(1).await;
    let publishing = tokio::spawn({
        let engine = publisher.engine.clone();
        async move {
            let mut acknowledged = 0_u64;
            while engine.publish_event(event(0)).await.is_ok() {
                acknowledged += 1;
            }
            acknowledged
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    set.first_mut().kill();
    let acknowledged = publishing.await.unwrap();
    assert!(acknowledged > 0);
    set.wait_for_failover();
    let worker = Worker::new(open(&set).await);
    let stored = worker.count(State::Scheduled).await;
    // The one that failed may be there too: nobody knows.
    assert!((acknowledged..=acknowledged + 1).contains(&stored), "{acknowledged} acknowledged, {stored} there");
}
