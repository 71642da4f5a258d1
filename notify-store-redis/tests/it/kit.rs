//! The kit's cases, on one shard, on three shards of one node, and on a cluster.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use notify_core::DeliveryId;
use notify_core::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use notify_core::testing::kit::{self, CaseResult, FixtureError, Offer, OpenedStore, StoreFixture};
use notify_store_redis::{RedisStore, redis};
use notify_test_servers::{RedisCluster, RedisServer, StartError};

/// A server with an append-only file for all cases of this process; each case has a namespace of its own.
#[derive(Debug)]
struct OneNode {
    shards: u16,
}

#[derive(Debug)]
struct Cluster;

#[async_trait]
impl StoreFixture for OneNode {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        static SERVER: OnceLock<Result<RedisServer, StartError>> = OnceLock::new();
        let server = SERVER.get_or_init(|| RedisServer::start(&[("appendonly", "yes")]));
        open(server.as_ref().map(RedisServer::url), self.shards).await
    }
}

#[async_trait]
impl StoreFixture for Cluster {
    async fn open(&self) -> Result<Box<dyn OpenedStore>, FixtureError> {
        static CLUSTER: OnceLock<Result<RedisCluster, StartError>> = OnceLock::new();
        let cluster = CLUSTER.get_or_init(|| RedisCluster::start(&[("appendonly", "yes")]));
        open(cluster.as_ref().map(RedisCluster::url), 16).await
    }
}

async fn open(url: Result<String, &StartError>, shards: u16) -> Result<Box<dyn OpenedStore>, FixtureError> {
    static CASES: AtomicU32 = AtomicU32::new(0);
    let url = url.map_err(|error| FixtureError::Skipped(error.to_string()))?;
    let namespace = format!("kit.{}", CASES.fetch_add(1, Ordering::Relaxed));
    let place = Place { url, namespace, shards };
    Ok(Box::new(Opened { store: place.connect().await?, place }))
}

#[derive(Debug)]
struct Place {
    url: String,
    namespace: String,
    shards: u16,
}

impl Place {
    async fn connect(&self) -> Result<RedisStore, FixtureError> {
        let builder = RedisStore::builder(&self.url).namespace(&self.namespace).shards(self.shards);
        builder.connect().await.map_err(FixtureError::failed)
    }
}

#[derive(Debug)]
struct Opened {
    store: RedisStore,
    place: Place,
}

#[async_trait]
impl OpenedStore for Opened {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn directory(&self) -> Arc<dyn EndpointDirectory> {
        Arc::new(self.store.clone())
    }

    fn admin(&self) -> Offer<Arc<dyn EndpointAdmin>> {
        Offer::Yes(Arc::new(self.store.clone()))
    }

    fn log(&self) -> Offer<Arc<dyn DeliveryLog>> {
        Offer::Yes(Arc::new(self.store.clone()))
    }

    async fn another(&self) -> Result<Offer<Arc<dyn Store>>, FixtureError> {
        Ok(Offer::Yes(Arc::new(self.place.connect().await?)))
    }

    async fn reopen(&mut self) -> Result<Offer<()>, FixtureError> {
        self.store = self.place.connect().await?;
        Ok(Offer::Yes(()))
    }

    async fn corrupt(&self, delivery: &DeliveryId) -> Result<Offer<()>, FixtureError> {
        // The shard is not known here: the key exists in one of them.
        let mut changed = 0;
        for shard in 0..self.place.shards {
            let key = format!("{{{}:{shard}}}:d:{delivery}", self.place.namespace);
            let script = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
                          redis.call('HSET', KEYS[1], 'rs', 'no such reason') return 1";
            let mut cmd = redis::cmd("EVAL");
            cmd.arg(script).arg(1).arg(&key);
            changed += run(&self.place.url, &cmd).await.map_err(FixtureError::failed)?;
        }
        assert_eq!(changed, 1, "the row is there");
        Ok(Offer::Yes(()))
    }
}

async fn run(url: &str, cmd: &redis::Cmd) -> Result<u32, redis::RedisError> {
    use redis::{Client, cluster::ClusterClient};
    match url.strip_prefix("redis-cluster://") {
        Some(nodes) => {
            let nodes = nodes.split(',').map(|node| format!("redis://{node}"));
            let mut connection = ClusterClient::new(nodes)?.get_async_connection().await?;
            cmd.query_async(&mut connection).await
        }
        None => {
            let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
            cmd.query_async(&mut connection).await
        }
    }
}

mod on_one_shard {
    notify_core::store_conformance!(super::OneNode { shards: 1 });
}

mod on_three_shards_of_one_node {
    notify_core::store_conformance!(super::OneNode { shards: 3 });
}

/// One test, and so one cluster: a cluster takes two seconds to be ready, and runners that give each test a process of its
/// own would start one for each case.
#[test]
fn all_cases_hold_on_a_cluster() {
    let report = kit::report(&Cluster);
    println!("{report}");
    assert!(report.is_green(), "see the report above: a case that it calls FAILED");
    let skipped = report.results().iter().find(|(_, result)| matches!(result, CaseResult::Skipped(_)));
    if let Some((_, CaseResult::Skipped(why))) = skipped {
        assert!(std::env::var_os("NOTIFY_REQUIRE_SERVERS").is_none(), "{why}");
        println!("SKIPPED: {why}");
    }
}

#[test]
fn random_calls_to_one_shard_have_the_answers_of_the_model() {
    kit::compare_with_model(&OneNode { shards: 1 }, 1_000);
}

#[test]
fn random_calls_to_three_shards_have_the_answers_of_the_model() {
    kit::compare_with_model(&OneNode { shards: 3 }, 100);
}

#[test]
fn random_calls_to_a_cluster_have_the_answers_of_the_model() {
    kit::compare_with_model(&Cluster, 100);
}
