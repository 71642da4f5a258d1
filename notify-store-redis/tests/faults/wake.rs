//! Who waits hears of a write by a message; what a lost message or a lost subscription costs is a look at the counters.

use std::slice;
use std::time::Instant;

use notify_core::store::{EndpointAdmin as _, InsertOutcome, Inserted, Mark, Store as _};
use notify_core::testing::kit::sample::{batch, endpoint, event, event_of};
use notify_store_redis::RedisStore;
use notify_test_servers::{AOF_ALWAYS, RedisCluster, RedisServer, require};
use tokio::task::JoinHandle;

use crate::world::{TENANTS, open, wait_until};

/// How many connections hear of writes to the namespace `nf`.
pub(crate) fn listeners(servers: &[RedisServer]) -> u64 {
    let on = |server: &RedisServer| server.run::<(String, u64)>(&["PUBSUB", "NUMSUB", "nf:changed"]).1;
    servers.iter().map(on).sum()
}

fn waiting(store: &RedisStore, since: Mark) -> JoinHandle<Mark> {
    let store = store.clone();
    tokio::spawn(async move {
        // An answer without a change is the end of its patience: asked again.
        loop {
            let mark = store.changed(since).await.unwrap();
            if mark != since {
                return mark;
            }
        }
    })
}

/// Waits on the store, tells one node after the other of a write that there was not, and counts the looks.
async fn hears_each_message(store: &RedisStore, servers: &[RedisServer]) -> (Mark, JoinHandle<Mark>) {
    const MESSAGES: u64 = 12;
    let looks = || servers.iter().map(|server| server.calls("hmget")).sum::<u64>() / store.shards() as u64;
    let mark = store.changed(Mark::default()).await.unwrap();
    assert_eq!(listeners(servers), 0, "nobody has waited yet");
    let wait = waiting(store, mark);
    wait_until("the subscription", async || listeners(servers) == 1).await;
    let (before, started) = (looks(), Instant::now());
    for (message, server) in (1..=MESSAGES).zip(servers.iter().cycle()) {
        let _: u64 = server.run(&["PUBLISH", "nf:changed", ""]);
        wait_until("a look", async || looks() - before >= message).await;
    }
    // Without messages there would be one look each two seconds.
    let unasked = started.elapsed().as_secs() / 2 + 1;
    assert!(unasked < MESSAGES, "so many looks need no message: {unasked}");
    (mark, wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_brings_a_look_and_all_that_wait_on_a_store_share_a_subscription() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let servers = slice::from_ref(&server);
    let store = open(&server.url(), "nf", 1).await;
    let (mark, first) = hears_each_message(&store, servers).await;
    let others = [waiting(&store, mark), waiting(&store.clone(), mark)];
    open(&server.url(), "nf", 1).await.create(&endpoint("ep_1")).await.unwrap();
    let seen = first.await.unwrap();
    for other in others {
        assert_eq!(other.await.unwrap(), seen);
    }
    assert_eq!(listeners(servers), 1);
    drop(store);
    wait_until("the end of the subscription with its store", async || listeners(servers) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_what_any_node_is_told_is_heard_and_a_write_there_wakes_who_waits() {
    let Some(cluster) = require(RedisCluster::start(&[])) else { return };
    let open = async || RedisStore::builder(&cluster.url()).namespace("nf").connect().await.unwrap();
    let (store, other) = (open().await, open().await);
    let (_, mut wait) = hears_each_message(&store, cluster.nodes()).await;
    // The tenants lie in shards of their own, on more than one node.
    for tenant in TENANTS {
        let insert = batch(0, vec![event_of(tenant, "evt_1", 1, &["ep_1"], 0)]);
        assert_eq!(other.insert(&insert).await.unwrap(), InsertOutcome::Stored(vec![Inserted::New]));
        let mark = wait.await.unwrap();
        wait = waiting(&store, mark);
    }
    wait.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_was_lost_comes_back_and_what_was_written_meanwhile_is_seen() {
    let Some(mut server) = require(RedisServer::start(AOF_ALWAYS)) else { return };
    let (store, other) = (open(&server.url(), "nf", 1).await, open(&server.url(), "nf", 1).await);
    let mark = store.changed(Mark::default()).await.unwrap();
    let wait = waiting(&store, mark);
    wait_until("the subscription", async || listeners(slice::from_ref(&server)) == 1).await;
    assert_eq!(server.run::<u64>(&["CLIENT", "KILL", "TYPE", "pubsub"]), 1);
    other.create(&endpoint("ep_1")).await.unwrap();
    let mark = wait.await.unwrap();

    let wait = waiting(&store, mark);
    wait_until("the subscription again", async || listeners(slice::from_ref(&server)) == 1).await;
    server.restart();
    other.create(&endpoint("ep_2")).await.unwrap();
    assert_ne!(wait.await.unwrap(), mark);
    let _wait = waiting(&store, mark);
    wait_until("the subscription after a restart", async || listeners(slice::from_ref(&server)) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_channel_loses_no_write_and_still_sees_those_of_others() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let () = server.run(&["ACL", "SETUSER", "mute", "on", ">word", "~*", "+@all", "resetchannels"]);
    let mute = open(&server.url().replace("redis://", "redis://mute:word@"), "nf", 1).await;
    let mark = mute.changed(Mark::default()).await.unwrap();
    let insert = batch(0, vec![event("evt_1", 1, &["ep_1"], 0)]);
    assert_eq!(mute.insert(&insert).await.unwrap(), InsertOutcome::Stored(vec![Inserted::New]));
    let after = mute.changed(mark).await.unwrap();
    assert_ne!(after, mark);
    let wait = waiting(&mute, after);
    open(&server.url(), "nf", 1).await.create(&endpoint("ep_1")).await.unwrap();
    assert_ne!(wait.await.unwrap(), after);
    assert_eq!(listeners(slice::from_ref(&server)), 0);
}
