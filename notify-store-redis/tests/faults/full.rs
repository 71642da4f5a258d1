//! A server whose memory is limited: full, allowed to evict, or silent about it.

use std::time::Duration;

use notify_core::NewEvent;
use notify_core::delivery::State;
use notify_core::engine::PublishError;
use notify_core::store::{DeliveryLog as _, EndpointAdmin as _, Store as _, StoreError, SweepAction};
use notify_core::testing::kit::sample::{batch, claim, endpoint, event, failed, sweep, with_key};
use notify_store_redis::{Eviction, OpenError, RedisStore};
use notify_test_servers::{RedisServer, require};

use crate::worker::Worker;
use crate::world::{assert_indexes_agree, open, wait_until};

/// C34: what was accepted ends, and room that is made is used again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_publishes_finishes_what_it_has_and_takes_more_after_a_prune() {
    let Some(server) = require(RedisServer::start(&[("maxmemory", "8mb")])) else { return };
    let store = open(&server.url(), "nf", 1).await;
    let worker = Worker::new(store.clone());
    worker.endpoints(2).await;
    let data = format!("\"{}\"", "x".repeat(20_000));
    let publish = async || {
        worker.engine.publish_event(NewEvent::new("a.b", &data).unwrap().for_tenant("tenant0".parse().unwrap())).await
    };
    let mut accepted = 0;
    let refusal = loop {
        match publish().await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 1_000, "20 MB do not fit into 8");
    };
    assert!(matches!(refusal, PublishError::Store(StoreError::Full { .. })), "{refusal:?}");
    assert!(accepted > 50, "only {accepted} events fit");

    let running = worker.run();
    worker.wait_until_settled().await;
    assert_eq!(worker.count(State::Delivered).await, 2 * accepted);
    assert!(matches!(publish().await, Err(PublishError::Store(StoreError::Full { .. }))), "nothing was pruned yet");

    let later = worker.engine.now().saturating_add(Duration::from_secs(60));
    let mut pruned = 0;
    while pruned < accepted {
        let step = store.prune(later, 100).await.unwrap().events;
        assert!(step > 0, "{pruned} of {accepted} events are pruned");
        pruned += u64::from(step);
    }
    wait_until("room for another event", async || publish().await.is_ok()).await;
    worker.wait_until_settled().await;
    running.stop().await;
    assert_eq!(worker.sent().len() as u64, 2 * (accepted + 1));
    assert_indexes_agree(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_evict_is_refused_unless_the_host_insists() {
    for policy in ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"] {
        let Some(server) = require(RedisServer::start(&[("maxmemory-policy", policy)])) else { return };
        let refusal = RedisStore::connect(&server.url()).await.unwrap_err();
        assert!(matches!(&refusal, OpenError::Evicts { policy: found, .. } if found == policy), "{refusal:?}");
        assert!(refusal.to_string().contains(policy), "{refusal}");
        RedisStore::builder(&server.url()).eviction(Eviction::Tolerate).connect().await.unwrap();
    }
}

/// Some hosts of Redis hide INFO and CONFIG from their users.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hides_its_settings_is_used() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let () = server.run(&["ACL", "SETUSER", "app", "on", ">pass", "~*", "&*", "+@all", "-info", "-config"]);
    let url = server.url().replace("redis://", "redis://app:pass@");
    let store = RedisStore::connect(&url).await.unwrap();
    assert!(store.warnings().iter().any(|warning| warning.contains("INFO")), "{:?}", store.warnings());
    store.create(&endpoint("ep_1")).await.unwrap();
    store.insert(&batch(0, vec![event("evt_1", 1, &["ep_1"], 0)])).await.unwrap();
    assert_eq!(store.claim(&claim(0, 1)).await.unwrap().claimed.len(), 1);
}

/// C34b: with a volatile policy that a host insisted on, a key with a TTL may go at any time.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_that_an_unfinished_delivery_needs_has_a_ttl() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let store = open(&server.url(), "nf", 3).await;
    for name in ["ep_1", "ep_2", "ep_3", "ep_4"] {
        store.create(&endpoint(name)).await.unwrap();
    }
    let first = with_key(event("evt_1", 1, &["ep_1", "ep_2", "ep_3", "ep_4"], 0), "key");
    store.insert(&batch(0, vec![first])).await.unwrap();
    let leased = store.claim(&claim(0, 1)).await.unwrap().claimed;
    assert_eq!(leased.len(), 4);
    // One is due again, one held, two are in flight.
    store.apply(&[failed(&leased[0].delivery, 1, 5), failed(&leased[1].delivery, 2, 5)]).await.unwrap();
    let held = leased[1].delivery.endpoint().to_string();
    store.sweep(&sweep(&held, SweepAction::Hold, 6, 10)).await.unwrap();
    // What a claim got is listed for the caller that repeats it; without the list its rows come back with their lease.
    let needed: Vec<String> = server.keys().into_iter().filter(|key| !key.contains("}:c:")).collect();
    assert!(needed.len() > 10, "{needed:?}");
    for key in needed {
        let left: i64 = server.run(&["PTTL", &key]);
        assert_eq!(left, -1, "{key} goes in {left} ms");
    }
}
