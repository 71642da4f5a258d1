//! What is counted is what the memory store counts, and it does not grow without end.

use std::time::Duration;

use notify_core::MemoryStore;
use notify_core::store::activity::Resolution;
use notify_core::testing::kit::lived::{FOUR_MONTHS, Lived, live};
use notify_store_redis::RedisStore;
use notify_test_servers::{RedisCluster, RedisServer, require};

async fn live_on(url: &str, shards: u16, events: usize) -> Lived {
    live(RedisStore::builder(url).shards(shards).connect().await.unwrap(), events).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_the_memory_store_counts_and_old_buckets_go() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let redis = live_on(&server.url(), 3, FOUR_MONTHS).await;
    assert!(redis.activity.iter().all(|rows| rows.len() > 10), "too little to compare");
    assert!(redis.failing_since.iter().any(Option::is_some) && redis.failing_since.iter().any(Option::is_none));
    assert_eq!(redis, live(MemoryStore::new(), FOUR_MONTHS).await);
    // Every bucket that is left can be read: 48 hours and 90 days, one each six hours, of two tenants.
    let kept: Duration = Resolution::ALL.into_iter().map(Resolution::kept).sum();
    let buckets = server.keys().iter().filter(|key| key.contains("}:ac:")).count() as u64;
    assert!(buckets <= 2 * (kept.as_secs() / (6 * 60 * 60) + 2), "{buckets} buckets are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_counts_what_the_memory_store_counts() {
    let Some(cluster) = require(RedisCluster::start(&[])) else { return };
    assert_eq!(live_on(&cluster.url(), 16, 20).await, live(MemoryStore::new(), 20).await);
}
