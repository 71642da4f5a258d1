//! An engine with nothing to do.

use std::time::{Duration, Instant};

use notify_test_servers::{RedisServer, require};

use crate::worker::{Worker, event};
use crate::world::{open, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_engine_asks_ten_times_a_second_at_most_and_hears_of_another_engine_s_publish() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let publisher = Worker::new(open(&server.url(), "nf", 1).await);
    publisher.endpoints(1).await;
    let worker = Worker::new(open(&server.url(), "nf", 1).await);
    let running = worker.run();
    // The first claim finds nothing; from then on it is idle.
    wait_until("the first claim", async || server.calls("evalsha") > 0).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = server.info("total_commands_processed");
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = server.info("total_commands_processed") - before;
    let seconds = started.elapsed().as_secs() + 1;
    // With the few that this test makes itself.
    println!("{asked} commands in {seconds} s of idleness");
    assert!(asked <= 10 * seconds, "{asked} commands in {seconds} s");

    let published = Instant::now();
    publisher.engine.publish_event(event(0)).await.unwrap();
    wait_until("the other engine's event", async || worker.sent().len() == 1).await;
    println!("sent {} ms after another engine published it", published.elapsed().as_millis());
    running.stop().await;
}
