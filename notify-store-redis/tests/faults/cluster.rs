//! A cluster that moves its slots, and one that loses a node.

use std::time::Duration;

use notify_core::delivery::State;
use notify_store_redis::RedisStore;
use notify_test_servers::{AOF_ALWAYS, RedisCluster, require};
use tokio::sync::oneshot;

use crate::worker::{TENANTS, Worker, sent_by};
use crate::world::{assert_indexes_agree, wait_until};

async fn open(cluster: &RedisCluster) -> RedisStore {
    RedisStore::builder(&cluster.url()).namespace("nf").connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move_under_load_lose_nothing_and_double_nothing() {
    let Some(cluster) = require(RedisCluster::start(&[])) else { return };
    let workers = [Worker::new(open(&cluster).await), Worker::new(open(&cluster).await)];
    workers[0].endpoints(2).await;
    let running = workers.each_ref().map(Worker::run);
    let (stop, stopped) = oneshot::channel();
    let publishing = workers[1].publish_until(stopped, "load");
    let moved = tokio::task::spawn_blocking(move || {
        let slots = cluster.slots_in_use();
        for (slot, owner) in &slots {
            cluster.move_slot(*slot, *owner, (owner + 1) % 3, || std::thread::sleep(Duration::from_millis(2)));
        }
        (cluster, slots.len())
    });
    let (cluster, slots) = moved.await.unwrap();
    stop.send(()).unwrap();
    let acknowledged = publishing.await.unwrap();
    workers[0].wait_until_settled().await;
    for run in running {
        run.stop().await;
    }
    println!("{} events published while {slots} slots moved", acknowledged.len());
    assert!(slots > 3 && !acknowledged.is_empty());
    assert_eq!(workers[0].count(State::Delivered).await, 2 * acknowledged.len() as u64);
    let sent = sent_by(&workers);
    assert_eq!((sent.len(), sent.values().max()), (2 * acknowledged.len(), Some(&1)));
    assert_indexes_agree(&open(&cluster).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_down_delays_its_own_deliveries_and_no_others() {
    let Some(mut cluster) = require(RedisCluster::start(AOF_ALWAYS)) else { return };
    let publisher = Worker::new(open(&cluster).await);
    publisher.endpoints(2).await;
    publisher.publish(20).await;
    let worker = Worker::new(open(&cluster).await);
    cluster.node_mut(0).kill();
    let running = worker.run();
    // The tenants lie in shards of their own, on more than one node.
    wait_until("what the other nodes hold", async || !worker.sent().is_empty()).await;
    cluster.node_mut(0).restart();
    cluster.wait_until_well();
    worker.wait_until_settled().await;
    running.stop().await;
    let sent = worker.sent();
    assert_eq!((sent.len(), sent.values().max()), (2 * 20 * TENANTS, Some(&1)));
    assert_indexes_agree(&open(&cluster).await).await;
}
