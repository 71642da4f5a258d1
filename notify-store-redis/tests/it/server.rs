//! What the store makes of its server: which it refuses, a full one, and indexes that follow every write.

use notify_core::Timestamp;
use notify_core::delivery::State;
use notify_core::store::{
    ApplyOutcome, DeliveryLog, EventQuery, InsertOutcome, Inserted, PublishBatch, PublishedEvent, Store, StoreError,
    SweepAction,
};
use notify_core::testing::kit::sample;
use notify_store_redis::{Durability, Eviction, OpenError, RedisStore};
use notify_test_servers::{Cut, CuttingProxy, RedisServer, require};

fn server(settings: &[(&str, &str)]) -> Option<RedisServer> {
    require(RedisServer::start(settings))
}

async fn store(server: &RedisServer) -> RedisStore {
    RedisStore::builder(&server.url()).connect().await.unwrap()
}

async fn publish(store: &RedisStore, events: Vec<PublishedEvent>) -> Result<InsertOutcome, StoreError> {
    store.insert(&PublishBatch { now: Timestamp::EPOCH, events }).await
}

/// Writes of every kind: publish, lease, success, retry, hold, release, cancel, lost lease, prune.
async fn work(store: &RedisStore) {
    for n in 0..30 {
        publish(store, vec![sample::event(&format!("e{n}"), 0, &["a", "b", "c"], n)]).await.unwrap();
    }
    let first = store.claim(&sample::claim(40, 1)).await.unwrap();
    let changes = first.claimed.iter().zip(0..).map(|(row, n)| match n % 4 {
        0 => sample::failed(&row.delivery, n, 40),
        1 => sample::refused(&row.delivery, n, 40),
        2 => sample::handed_back(&row.delivery, n, 40),
        _ => sample::delivered(&row.delivery, n, 40),
    });
    let changes: Vec<_> = changes.take(20).collect();
    assert!(store.apply(&changes).await.unwrap().iter().all(|outcome| *outcome == ApplyOutcome::Applied));
    store.sweep(&sample::sweep("a", SweepAction::Hold, 50, 5)).await.unwrap();
    store.sweep(&sample::sweep("a", SweepAction::Release, 50, 2)).await.unwrap();
    store.sweep(&sample::sweep("b", SweepAction::Cancel, 50, 3)).await.unwrap();
    store.claim(&sample::claim(10_000_000, 2)).await.unwrap();
    store.prune(sample::t(10_000_000), 5).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_indexes_agree_with_the_rows_after_writes_of_every_kind() {
    let Some(server) = server(&[]) else { return };
    let store = store(&server).await;
    work(&store).await;
    let stats = store.stats(None, Timestamp::EPOCH).await.unwrap();
    for state in [State::InFlight, State::Held, State::Cancelled] {
        assert!(stats.by_state.contains_key(&state), "the work left a row {state:?}: {stats:?}");
    }
    assert_eq!(store.verify_indexes().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_somebody_broke_is_told() {
    let Some(server) = server(&[]) else { return };
    let store = store(&server).await;
    publish(&store, vec![sample::event("e", 0, &["a"], 0)]).await.unwrap();
    server.run::<u32>(&["DEL", "{notify:0}:q:a"]);
    let faults = store.verify_indexes().await.unwrap();
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_has_an_end_of_its_own() {
    let Some(server) = server(&[]) else { return };
    work(&store(&server).await).await;
    for key in server.keys() {
        assert_eq!(server.run::<i64>(&["PTTL", &key]), -1, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_a_publish_and_lets_what_it_has_end() {
    let Some(server) = server(&[("maxmemory", "8mb"), ("maxmemory-policy", "noeviction")]) else { return };
    let store = store(&server).await;
    let mut stored = 0;
    let refusal = loop {
        let mut event = sample::event(&format!("e{stored}"), 0, &["a"], 0);
        let mut body = notify_core::event::Event::clone(&event.event);
        body.body = vec![b'x'; 100_000].into();
        event.event = std::sync::Arc::new(body);
        match publish(&store, vec![event]).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1000, "8 MB hold no 100 MB");
    };
    assert!(matches!(refusal, StoreError::Full { .. }), "{refusal:?}");
    let mut delivered = 0;
    for n in 1.. {
        let claimed = store.claim(&sample::claim(10, n)).await.unwrap().claimed;
        if claimed.is_empty() {
            break;
        }
        let changes: Vec<_> =
            claimed.iter().zip(0..).map(|(row, id)| sample::delivered(&row.delivery, n * 1000 + id, 10)).collect();
        delivered += store.apply(&changes).await.unwrap().len();
    }
    assert_eq!(delivered, stored);
    let pruned = store.prune(sample::t(1000), 1000).await.unwrap();
    assert_eq!(pruned.events as usize, stored);
    // The server frees memory in the background.
    for _ in 0..500 {
        match publish(&store, vec![sample::event("after", 0, &["a"], 0)]).await {
            Err(StoreError::Full { .. }) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            again => return assert_eq!(again.unwrap(), InsertOutcome::Stored(vec![Inserted::New])),
        }
    }
    panic!("it is still full: {} bytes", server.info("used_memory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_evict_is_refused_unless_that_is_tolerated() {
    let Some(server) = server(&[("maxmemory-policy", "volatile-lru"), ("appendonly", "no")]) else { return };
    let refused = RedisStore::connect(&server.url()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Evicts { ref policy } if policy == "volatile-lru"), "{refused:?}");
    let tolerated = RedisStore::builder(&server.url()).eviction(Eviction::Tolerate).connect().await.unwrap();
    assert_eq!(tolerated.warnings().len(), 2, "{:?}", tolerated.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_keeps_its_number_of_shards() {
    let Some(server) = server(&[]) else { return };
    RedisStore::builder(&server.url()).shards(3).connect().await.unwrap();
    assert_eq!(RedisStore::connect(&server.url()).await.unwrap().shards(), 3);
    let refused = RedisStore::builder(&server.url()).shards(4).connect().await.unwrap_err();
    assert!(matches!(refused, OpenError::Shards { found: 3, asked: 4 }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_layout_is_refused_and_left_alone() {
    let Some(server) = server(&[]) else { return };
    server.run::<u32>(&["HSET", "{notify:0}:meta", "layout", "9", "lowest", "9", "shards", "1"]);
    let refused = RedisStore::connect(&server.url()).await.unwrap_err();
    assert!(matches!(refused, OpenError::NewerLayout { found: 9, .. }), "{refused:?}");
    assert_eq!(server.keys(), ["{notify:0}:meta"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_whose_replicas_are_missing_is_no_success() {
    let Some(server) = server(&[]) else { return };
    let builder = RedisStore::builder(&server.url()).durability(Durability::Replicas(1));
    let store = builder.response_timeout(std::time::Duration::from_millis(200)).connect().await.unwrap();
    let answer = publish(&store, vec![sample::event("e", 0, &["a"], 0)]).await.unwrap_err();
    assert!(matches!(answer, StoreError::Unavailable { .. }), "{answer:?}");
    assert_eq!(store.load(&[sample::delivery("e", "a")]).await.unwrap().len(), 1, "S12: the work may have been done");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_gives_the_same_answer_when_its_reply_or_its_command_is_lost() {
    let Some(server) = server(&[]) else { return };
    for (n, cut) in [Cut::Reply(1), Cut::Command(1)].into_iter().enumerate() {
        let proxy = CuttingProxy::start(&server.address());
        let store = RedisStore::builder(&proxy.url()).namespace(&format!("cut{n}")).connect().await.unwrap();
        let cut_next = || proxy.arm(cut);
        cut_next();
        let answer = publish(&store, vec![sample::event("e", 0, &["a", "b"], 0)]).await.unwrap();
        assert_eq!(answer, InsertOutcome::Stored(vec![Inserted::New]), "{cut:?}");
        cut_next();
        let claimed = store.claim(&sample::claim(0, 1)).await.unwrap().claimed;
        assert_eq!(claimed.len(), 2, "{cut:?}");
        assert!(claimed.iter().all(|row| row.delivery.as_stored().lost_leases == 0), "{cut:?}");
        let changes: Vec<_> =
            claimed.iter().zip(1..).map(|(row, id)| sample::delivered(&row.delivery, id, 1)).collect();
        cut_next();
        assert_eq!(store.apply(&changes).await.unwrap(), [ApplyOutcome::Applied; 2], "{cut:?}");
        assert_eq!(store.attempts(&claimed[0].delivery.id()).await.unwrap().len(), 1, "{cut:?}");
        assert_eq!(store.verify_indexes().await.unwrap(), [], "{cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(server) = server(&[]) else { return };
    let store = store(&server).await;
    for n in 0..3 {
        server.run::<String>(&["SCRIPT", "FLUSH"]);
        publish(&store, vec![sample::event(&format!("e{n}"), 0, &["a"], 0)]).await.unwrap();
    }
    server.run::<String>(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.claim(&sample::claim(0, 1)).await.unwrap().claimed.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_is_there_after_the_server_restarts() {
    let Some(mut server) = server(&[("appendonly", "yes"), ("appendfsync", "always")]) else { return };
    let store = store(&server).await;
    publish(&store, vec![sample::event("e", 0, &["a"], 0)]).await.unwrap();
    server.kill();
    server.restart();
    assert_eq!(sample::rows(&store.claim(&sample::claim(0, 1)).await.unwrap()), ["e/a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_is_slow_though_a_thousand_endpoints_and_a_deep_backlog_are_due() {
    let Some(server) = server(&[]) else { return };
    let store = store(&server).await;
    let endpoints: Vec<String> = (0..1000).map(|n| format!("ep{n}")).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    for n in 0..5 {
        publish(&store, vec![sample::event(&format!("wide{n}"), 0, &endpoints, 0)]).await.unwrap();
    }
    let calls = server.calls("zrange");
    let batch = store.claim(&sample::claim(0, 1)).await.unwrap();
    assert!(!batch.claimed.is_empty());
    // Bounded work, not a measured time: a claim reads as many queues as it may serve, not as many as are due.
    let reads = server.calls("zrange") - calls;
    assert!(reads < 3000, "{reads} reads for one claim of {}", batch.claimed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_wide_events_is_whole_though_it_is_read_in_parts() {
    let Some(server) = server(&[]) else { return };
    let store = store(&server).await;
    let endpoints: Vec<String> = (0..600).map(|n| format!("ep{n}")).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    for n in 0..5 {
        publish(&store, vec![sample::event(&format!("wide{n}"), 0, &endpoints, 0)]).await.unwrap();
    }
    let page = store.events(&EventQuery::default()).await.unwrap();
    let shown: Vec<_> = page.items.iter().map(|found| (found.event.key.id.as_str(), found.deliveries.len())).collect();
    assert_eq!(shown, [("wide4", 600), ("wide3", 600), ("wide2", 600), ("wide1", 600), ("wide0", 600)]);
    assert_eq!(page.next, None);
}

#[test]
fn a_url_never_stands_in_an_error_or_in_debug() {
    let builder = RedisStore::builder("redis://user:hunter2@localhost");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for url in ["hunter2", "redis-sentinel://:hunter2@localhost", "nothing://hunter2"] {
        let error = runtime.block_on(RedisStore::connect(url)).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
