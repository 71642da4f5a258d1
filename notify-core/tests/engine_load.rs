//! Many deliveries: caps, fairness, the way in memory, and an idle engine that leaves its store alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{GaugeTransport, Host, Op, URL, event, mins, secs, settle, t0};
use notify_core::delivery::State;
use notify_core::testing::Reply;

fn gauged(
    takes: u64,
    change: impl FnOnce(notify_core::EngineBuilder) -> notify_core::EngineBuilder,
) -> (Host, GaugeTransport) {
    let host = Host::new(Reply::Status(200));
    let transport = GaugeTransport::new(&host.clock, secs(takes));
    let host = host.sibling_with(|builder| change(builder.transport(transport.clone())));
    (host, transport)
}

// C41
#[tokio::test]
async fn five_hanging_endpoints_delay_nobody_else() {
    let (host, transport) = gauged(0, |builder| builder);
    let hanging: Vec<String> = (1..=5).map(|n| format!("https://hang{n}.test/")).collect();
    let fast = "https://fast.test/";
    for url in &hanging {
        host.endpoint(url).await;
    }
    for _ in 0..200 {
        host.publish().await;
    }
    let running = host.start();
    settle().await;
    assert_eq!(transport.most_for_one(), 8);
    host.endpoint(fast).await;
    for _ in 0..200 {
        host.publish().await;
    }
    host.pass(secs(2), secs(1)).await;
    assert_eq!(transport.answered(fast), 200);
    assert_eq!((transport.most_for_one(), transport.running()), (8, 40));
    running.kill().await;
}

#[tokio::test]
async fn neither_the_engine_s_cap_nor_an_endpoint_s_is_ever_exceeded() {
    let (host, transport) = gauged(1, |builder| builder.max_in_flight(10).per_endpoint(3));
    for n in 1..=4 {
        host.endpoint(&format!("https://r{n}.test/")).await;
    }
    for _ in 0..10 {
        host.publish().await;
    }
    let running = host.start();
    for _ in 0..10 {
        host.publish().await;
        host.advance(secs(1)).await;
    }
    host.pass(secs(20), secs(1)).await;
    assert_eq!(host.count(State::Delivered).await, 80);
    assert_eq!((transport.most(), transport.most_for_one()), (10, 3));
    running.stop().await;
}

#[tokio::test]
async fn a_fresh_event_on_an_idle_running_engine_is_sent_without_a_claim() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    settle().await;
    host.store.between().forget_calls();
    for count in 1..=50 {
        host.publish().await;
        settle().await;
        assert_eq!(host.sent(), count);
    }
    assert_eq!(host.store.between().calls(Op::Claim), 0);
    assert_eq!(
        (host.store.between().calls(Op::Insert), host.store.between().calls(Op::Apply)),
        (50, 50),
        "one write in, one write out"
    );
    assert_eq!(host.count(State::Delivered).await, 50);
    running.stop().await;
}

#[tokio::test]
async fn an_idle_engine_claims_twice_a_minute_polls_once_a_second_and_does_nothing_else() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let later = t0().saturating_add(mins(60));
    for _ in 0..1000 {
        host.engine.publish_event(event().not_before(later)).await.unwrap();
    }
    let running = host.start();
    settle().await;
    host.store.between().forget_calls();
    host.pass(mins(10), secs(1)).await;
    let mut calls = host.store.between().all_calls();
    calls.remove(&Op::Time);
    // Every ten minutes it looks whether something is held that need not be: one call, since nothing is.
    assert!(calls.remove(&Op::Held).unwrap_or(0) <= 1);
    let (claims, polls) = (calls.remove(&Op::Claim).unwrap_or(0), calls.remove(&Op::Changed).unwrap_or(0));
    assert!((1..=20).contains(&claims), "{claims} claims");
    assert!((1..=600).contains(&polls), "{polls} polls");
    assert!(calls.is_empty(), "{calls:?}");
    assert_eq!(host.sent(), 0);
    running.stop().await;
}

#[tokio::test]
async fn what_an_engine_that_only_publishes_stores_is_sent_by_another_within_two_seconds() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let running = host.start();
    host.pass(secs(5), secs(1)).await;
    let publisher = host.sibling();
    for count in 1..=5 {
        publisher.publish().await;
        host.pass(secs(2), std::time::Duration::from_millis(500)).await;
        assert_eq!(host.sent(), count);
    }
    running.stop().await;
}

#[tokio::test]
async fn two_engines_on_one_store_send_each_delivery_once() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    let other = host.stranger();
    for _ in 0..300 {
        host.publish().await;
    }
    let (first, second) = (host.start(), other.start());
    for _ in 0..300 {
        other.publish().await;
    }
    host.pass(secs(5), secs(1)).await;
    assert_eq!((host.sent(), host.count(State::Delivered).await), (600, 600));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn run_once_sends_a_thousand_due_deliveries_through_eight_slots() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    for _ in 0..1000 {
        host.publish().await;
    }
    assert_eq!(host.engine.run_once().await.unwrap().delivered, 1000);
    assert_eq!(host.sent(), 1000);
}
