//! Several engines on one store.

use notify_core::delivery::State;
use notify_test_servers::{AOF_EVERY_SECOND, RedisServer, require};

use crate::worker::{TENANTS, Worker, sent_by};
use crate::world::{assert_indexes_agree, open};

const DELIVERIES: usize = 5_000;

/// C30: two pollers read the same due rows elsewhere, and both sent them.
async fn each_of_many_due_deliveries_is_sent_once_by(engines: usize, endpoints: usize, shards: u16) {
    let Some(server) = require(RedisServer::start(AOF_EVERY_SECOND)) else { return };
    let publisher = Worker::new(open(&server.url(), "nf", shards).await);
    publisher.endpoints(endpoints).await;
    publisher.publish(DELIVERIES / TENANTS / endpoints).await;
    assert_eq!(publisher.count(State::Scheduled).await, DELIVERIES as u64);
    let mut workers = Vec::new();
    for _ in 0..engines {
        workers.push(Worker::new(open(&server.url(), "nf", shards).await));
    }
    let running: Vec<_> = workers.iter().map(Worker::run).collect();
    publisher.wait_until_settled().await;
    for run in running {
        assert_eq!(run.stop().await.unsettled, 0);
    }
    let sent = sent_by(&workers);
    let twice: Vec<_> = sent.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "sent more than once: {twice:?}");
    assert_eq!(sent.len(), DELIVERIES);
    assert_eq!(publisher.count(State::Delivered).await, DELIVERIES as u64);
    assert_indexes_agree(&open(&server.url(), "nf", shards).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_send_each_of_5000_due_deliveries_once() {
    each_of_many_due_deliveries_is_sent_once_by(2, 10, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_engines_send_each_of_5000_due_deliveries_once_over_three_shards() {
    each_of_many_due_deliveries_is_sent_once_by(4, 50, 3).await;
}
