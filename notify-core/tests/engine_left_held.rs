//! Held deliveries whose writer died before it looked again whether they still had to be held: a run finds them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use common::{Fault, Host, Op, URL, event, id, mins, secs, settle};
use notify_core::delivery::State;
use notify_core::engine::Backlog;
use notify_core::testing::Reply;
use notify_core::{EndpointId, TenantId};

fn mine() -> TenantId {
    TenantId::default()
}

/// An engine that has not seen that the endpoint was enabled publishes, and dies before it looks again.
async fn left_held(host: &Host) -> EndpointId {
    let created = host.endpoint(URL).await;
    host.engine.endpoints().disable(&mine(), id(&created), "ops").await.unwrap();
    let other = host.stranger();
    other.publish().await;
    host.engine.endpoints().enable(&mine(), id(&created), Backlog::Cancel).await.unwrap();
    other.store.between().fail_next(Op::Get, [Fault::Hang]);
    let engine = other.engine.clone();
    let dying = tokio::spawn(async move { engine.publish_event(event()).await });
    settle().await;
    dying.abort();
    settle().await;
    assert_eq!((host.count(State::Cancelled).await, host.count(State::Held).await), (1, 1));
    id(&created).clone()
}

#[tokio::test]
async fn a_delivery_that_a_dead_publisher_left_held_is_sent_by_the_next_run() {
    let host = Host::new(Reply::Status(200));
    left_held(&host).await;
    let running = host.start();
    settle().await;
    assert_eq!(host.count(State::Delivered).await, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_delivery_that_a_dead_publisher_left_held_is_sent_by_run_once() {
    let host = Host::new(Reply::Status(200));
    left_held(&host).await;
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn a_run_that_is_under_way_finds_it_within_ten_minutes_also_where_the_store_failed_once() {
    let host = Host::new(Reply::Status(200));
    let running = host.start();
    settle().await;
    left_held(&host).await;
    host.store.between().fail_next(Op::Held, [Fault::Fail]);
    host.pass(mins(11), secs(5)).await;
    assert_eq!((host.store.between().calls(Op::Held), host.count(State::Held).await), (2, 1));
    host.pass(mins(10), secs(5)).await;
    assert_eq!(host.count(State::Delivered).await, 1);
    running.stop().await;
}

#[tokio::test]
async fn what_was_left_held_for_an_endpoint_that_was_deleted_is_cancelled() {
    let host = Host::new(Reply::Status(200));
    let endpoint = left_held(&host).await;
    // As the deletion of one who died before its sweep.
    let operator = host.stranger();
    operator.store.between().fail_next(Op::Sweep, [Fault::Fail]);
    assert!(operator.engine.endpoints().delete(&mine(), &endpoint).await.is_err());
    let running = host.start();
    settle().await;
    assert_eq!((host.count(State::Cancelled).await, host.sent()), (2, 0));
    running.stop().await;
}

/// The same in a worker: it wrote that the delivery is held after the endpoint had been enabled, and died.
#[tokio::test]
async fn a_delivery_that_a_dead_worker_left_held_is_sent_by_the_next_run() {
    let host = Host::new(Reply::Status(200));
    let created = host.endpoint(URL).await;
    host.publish().await;
    let operator = host.half_disabled(&created).await;
    host.store.between().fail_next(Op::Apply, [Fault::Fail]);
    // The first read decides that it is held, the second is the look.
    host.store.between().fail_next(Op::Get, [Fault::Late, Fault::Hang]);
    let running = host.start();
    settle().await;
    operator.engine.endpoints().enable(&mine(), id(&created), Backlog::Resume).await.unwrap();
    host.pass(secs(2), secs(1)).await;
    assert_eq!((host.state().await, host.store.between().calls(Op::Sweep)), (State::Held, 0));
    running.kill().await;
    let running = host.start();
    settle().await;
    assert_eq!(host.state().await, State::Delivered);
    running.stop().await;
}

/// One look reads a bounded part, and the next goes on there.
#[tokio::test]
async fn behind_ten_thousand_deliveries_that_are_rightly_held_it_is_found_by_the_second_look() {
    let host = Host::new(Reply::Status(200));
    left_held(&host).await;
    let other = host.endpoint("https://other.example/hook").await;
    host.engine.endpoints().disable(&mine(), id(&other), "ops").await.unwrap();
    host.clock.advance(secs(2));
    // For the first endpoint they are due much later.
    let later = host.engine.now().saturating_add(mins(600));
    for _ in 0..100 {
        host.engine.publish_all((0..101).map(|_| event().not_before(later)).collect()).await.unwrap();
    }
    let first = host.count(State::Held).await;
    assert_eq!(first, 1 + 100 * 101);
    let running = host.start();
    host.pass(mins(5), secs(30)).await;
    assert_eq!(host.count(State::Held).await, first);
    host.pass(mins(6), secs(30)).await;
    assert_eq!(host.count(State::Held).await, first - 1);
    running.stop().await;
}

/// Nobody is asked for what is held where nothing is.
#[tokio::test]
async fn a_look_is_one_call_where_nothing_is_held() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    for _ in 0..300 {
        host.engine.publish_event(event().not_before(host.engine.now().saturating_add(mins(600)))).await.unwrap();
    }
    let running = host.start();
    host.pass(mins(59), secs(30)).await;
    assert_eq!((host.store.between().calls(Op::Held), host.store.between().calls(Op::Get)), (6, 0));
    running.stop().await;
}
