//! A server that forgets its scripts, that is killed and comes back, that does not answer.

use std::time::Duration;

use notify_core::delivery::State;
use notify_core::store::{DeliveryLog as _, EndpointAdmin as _, Store as _, StoreError};
use notify_core::testing::kit::sample::{batch, claim, delivered, endpoint, event, key, t};
use notify_store_redis::RedisStore;
use notify_test_servers::{AOF_ALWAYS, CuttingProxy, RedisServer, require};
use tokio::sync::oneshot;

use crate::worker::{TENANTS, Worker, sent_by};
use crate::world::{assert_indexes_agree, open, repeated, wait_until};

/// C32: every scripted call failed after a restart elsewhere, until the host was restarted.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_the_server_forgets_between_any_two_calls_are_sent_again() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let store = open(&server.url(), "nf", 1).await;
    let forget = || {
        let () = server.run(&["SCRIPT", "FLUSH"]);
    };
    forget();
    store.create(&endpoint("ep_1")).await.unwrap();
    forget();
    store.insert(&batch(0, vec![event("evt_1", 1, &["ep_1"], 0)])).await.unwrap();
    forget();
    let claimed = store.claim(&claim(0, 1)).await.unwrap().claimed;
    forget();
    store.apply(&[delivered(&claimed[0].delivery, 1, 5)]).await.unwrap();
    forget();
    assert!(store.event(&key("evt_1")).await.unwrap().is_some());
    forget();
    store.prune(t(1_000), 10).await.unwrap();
    assert!(store.event(&key("evt_1")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_are_flushed_under_load_cost_no_publish_and_no_delivery() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let workers = [Worker::new(open(&server.url(), "nf", 1).await), Worker::new(open(&server.url(), "nf", 1).await)];
    workers[0].endpoints(1).await;
    let running = workers.each_ref().map(Worker::run);
    let (stop, stopped) = oneshot::channel();
    let flushing = tokio::task::spawn_blocking({
        let url = server.url();
        move || flush_scripts_until(&url, stopped)
    });
    for _ in 0..10 {
        // Each publish must be answered: the scripts are sent again by the store.
        workers[0].publish(100).await;
    }
    workers[0].wait_until_settled().await;
    stop.send(()).unwrap();
    assert!(flushing.await.unwrap() > 0);
    for run in running {
        run.stop().await;
    }
    let sent = sent_by(&workers);
    let published = 10 * 100 * TENANTS;
    assert_eq!((sent.len(), sent.values().sum::<usize>()), (published, published));
}

fn flush_scripts_until(url: &str, mut stopped: oneshot::Receiver<()>) -> usize {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut times = 0;
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        let () = redis::cmd("SCRIPT").arg("FLUSH").query(&mut connection).unwrap();
        times += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    times
}

/// With `appendfsync always` nothing that was acknowledged is lost, however often the server is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load_comes_back_with_all_that_was_acknowledged() {
    let Some(mut server) = require(RedisServer::start(AOF_ALWAYS)) else { return };
    let workers = [Worker::new(open(&server.url(), "nf", 1).await), Worker::new(open(&server.url(), "nf", 1).await)];
    workers[0].endpoints(2).await;
    let running = workers.each_ref().map(Worker::run);
    let (stop, stopped) = oneshot::channel();
    let (stop_too, stopped_too) = oneshot::channel();
    let publishing = [workers[0].publish_until(stopped, "one"), workers[1].publish_until(stopped_too, "two")];
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.send(()).unwrap();
    stop_too.send(()).unwrap();
    let mut acknowledged = Vec::new();
    for publisher in publishing {
        acknowledged.extend(publisher.await.unwrap());
    }
    workers[0].wait_until_settled().await;
    for run in running {
        run.stop().await;
    }
    assert!(!acknowledged.is_empty());
    assert_eq!(workers[0].count(State::Delivered).await, 2 * acknowledged.len() as u64, "two deliveries an event");
    let sent = sent_by(&workers);
    assert_eq!(sent.len(), 2 * acknowledged.len(), "each was sent");
    for event in &acknowledged {
        assert!(sent.contains_key(&event.to(0)) && sent.contains_key(&event.to(1)), "{event:?}");
    }
    let twice = sent.values().filter(|count| **count > 1).count();
    println!("{} events, {twice} deliveries sent twice over 3 kills", acknowledged.len());
    assert_indexes_agree(&open(&server.url(), "nf", 1).await).await;
}

/// A server that is there and says nothing is an outage, not a wait without end.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_reply_does_not_come_is_unavailable_and_may_be_repeated() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let short = Duration::from_millis(200);
    let store = RedisStore::builder(&proxy.url()).response_timeout(short).patience(short).connect().await.unwrap();
    store.create(&endpoint("ep_1")).await.unwrap();
    let insert = batch(0, vec![event("evt_1", 1, &["ep_1"], 0)]);
    proxy.hold();
    let error = store.insert(&insert).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    proxy.release();
    repeated(async || store.insert(&insert).await).await;
    assert_eq!(repeated(async || store.claim(&claim(0, 1)).await).await.claimed.len(), 1);
}

/// A call that meets a server which cannot answer now waits, and is answered once it can.
async fn waits_out(server: &RedisServer, begin: impl AsyncFnOnce(), end: impl FnOnce()) {
    let store = open(&server.url(), "nf", 1).await;
    store.create(&endpoint("ep_1")).await.unwrap();
    begin().await;
    let insert = tokio::spawn({
        let store = store.clone();
        async move { store.insert(&batch(0, vec![event("evt_1", 1, &["ep_1"], 0)])).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!insert.is_finished(), "it was answered at once: {:?}", insert.await);
    end();
    insert.await.unwrap().unwrap();
    assert_eq!(store.claim(&claim(0, 1)).await.unwrap().claimed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_s_endless_script_is_waited_out() {
    let Some(server) = require(RedisServer::start(&[("busy-reply-threshold", "20")])) else { return };
    let url = server.url();
    let begin = async || {
        tokio::task::spawn_blocking(move || {
            let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
            redis::cmd("EVAL").arg("while true do end").arg(0).query::<()>(&mut connection).unwrap_err()
        });
        wait_until("BUSY", async || {
            server.try_run::<String>(&["PING"]).is_err_and(|error| error.to_string().contains("BUSY"))
        })
        .await;
    };
    waits_out(&server, begin, || server.run(&["SCRIPT", "KILL"])).await;
}

/// After a failover by hand a store may still be connected to what is a replica now.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_not_write_is_waited_for_until_it_leads_again() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    // Nobody listens there, so its data stay as they are.
    let begin = async || server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    waits_out(&server, begin, || server.run(&["REPLICAOF", "NO", "ONE"])).await;
}
