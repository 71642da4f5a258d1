//! An engine with nothing to do.

use std::time::{Duration, Instant};

use notify_test_servers::{RedisServer, require};

use crate::wake::listeners;
use crate::worker::{Worker, event};
use crate::world::{open, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_engine_asks_once_in_two_seconds_and_hears_of_another_engine_s_publish() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let publisher = Worker::new(open(&server.url(), "nf", 1).await);
    publisher.endpoints(1).await;
    let worker = Worker::new(open(&server.url(), "nf", 1).await);
    let running = worker.run();
    // The first claim finds nothing; from then on it is idle, and waits.
    wait_until("the first claim", async || server.calls("evalsha") > 0).await;
    wait_until("the subscription", async || listeners(std::slice::from_ref(&server)) == 1).await;
    let (looks, all) = (server.calls("hmget"), server.info("total_commands_processed"));
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (looks, all) = (server.calls("hmget") - looks, server.info("total_commands_processed") - all);
    let seconds = started.elapsed().as_secs() + 1;
    // With the few that this test makes itself.
    println!("{looks} looks and {all} commands in {seconds} s of idleness");
    assert!(looks <= seconds / 2 + 2, "{looks} looks in {seconds} s");
    // What an engine does twice a minute is a handful at once: a claim, and the server's time.
    assert!(all <= seconds / 2 + 20, "{all} commands in {seconds} s");

    let published = Instant::now();
    publisher.engine.publish_event(event(0)).await.unwrap();
    wait_until("the other engine's event", async || worker.sent().len() == 1).await;
    println!("sent {} ms after another engine published it", published.elapsed().as_millis());
    running.stop().await;
}
