//! Stores, transports, clocks and processes that fail: nothing is lost, nothing stands still, nothing is sent twice
//! without a reason in the log.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a test is the host, and a host spawns")]

mod common;

use std::time::Duration;

use common::{Fault, Host, Op, URL, event, hours, mins, secs, settle, t0};
use notify_core::delivery::{Reason, State};
use notify_core::observe::{Observation, Observer};
use notify_core::testing::{ManualClock, Reply};

/// All deliveries must have arrived by now.
async fn assert_all_delivered(host: &Host, count: usize) {
    assert_eq!((host.deliveries().await.len(), host.count(State::Delivered).await), (count, count));
}

// C19: elsewhere a worker slept for twelve hours after a clock had been back for ten seconds.
#[tokio::test]
async fn a_wall_clock_that_was_back_for_ten_seconds_delays_a_retry_by_less_than_a_minute() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.pass(secs(55), secs(1)).await;
    host.clock.set_wall(t0().saturating_sub(hours(12)));
    host.pass(secs(10), secs(1)).await;
    host.clock.set_wall(t0().saturating_add(secs(65)));
    host.pass(secs(300 - 66), secs(1)).await;
    assert_eq!(host.sent(), 1, "nothing early");
    host.pass(secs(32), secs(1)).await;
    assert_eq!(host.sent(), 2);
    running.stop().await;
}

// C19
#[tokio::test]
async fn a_wall_clock_that_jumps_ahead_twelve_hours_brings_one_attempt_not_one_for_each_step() {
    let host = Host::new(Reply::Status(500));
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.pass(mins(1), secs(1)).await;
    host.clock.set_wall(t0().saturating_add(hours(12)));
    host.pass(mins(29), secs(1)).await;
    assert_eq!(host.sent(), 2);
    host.pass(mins(3), secs(1)).await;
    assert_eq!(host.sent(), 3, "the next step runs from the attempt that ran");
    running.stop().await;
}

/// A node whose clock was three hours ahead took rows three hours before they were due.
#[tokio::test]
async fn a_run_goes_by_the_clock_of_its_store_from_the_first_claim_on() {
    for ahead in [true, false] {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        host.store.between().set_clock(&host.clock);
        host.engine.publish_event(event().not_before(t0().saturating_add(mins(10)))).await.unwrap();
        let wall = if ahead { t0().saturating_add(hours(3)) } else { t0().saturating_sub(hours(3)) };
        let skewed = ManualClock::at(wall);
        let node = host.sibling_with(|builder| builder.clock(skewed.clone()));
        let running = node.start();
        settle().await;
        for _ in 0..10 {
            assert_eq!(host.sent(), 0, "ahead: {ahead}");
            skewed.advance(mins(1));
            host.advance(mins(1)).await;
        }
        // It wakes by its own timer, and may ask just before the store's clock says so.
        skewed.advance(secs(1));
        host.advance(secs(1)).await;
        assert_eq!(host.sent(), 1, "ahead: {ahead}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_store_whose_clock_fails_or_panics_stops_nothing() {
    for fault in [Fault::Fail, Fault::Hang, Fault::Panic] {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        host.store.between().fail_next(Op::Time, vec![fault; 100]);
        let running = host.start();
        host.pass(mins(5), secs(5)).await;
        host.publish().await;
        settle().await;
        assert_all_delivered(&host, 1).await;
        running.stop().await;
    }
}

// C37
#[tokio::test]
async fn a_success_whose_write_fails_three_times_is_written_without_another_request() {
    for fault in [Fault::Fail, Fault::FailAfter, Fault::Panic] {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        let running = host.start();
        settle().await;
        host.store.between().fail_next(Op::Apply, [fault; 3]);
        host.publish().await;
        settle().await;
        host.pass(mins(10), secs(1)).await;
        assert_eq!((host.sent(), host.outcomes().await), (1, vec!["success"]), "{fault:?}");
        assert_all_delivered(&host, 1).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_store_that_hangs_is_given_up_after_five_seconds_and_asked_again() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    for _ in 0..3 {
        host.publish().await;
    }
    for op in [Op::Claim, Op::Get, Op::Apply, Op::Changed] {
        host.store.between().fail_next(op, [Fault::Hang]);
    }
    let running = host.start();
    host.pass(mins(2), secs(1)).await;
    assert_all_delivered(&host, 3).await;
    running.stop().await;
}

// C45
#[tokio::test]
async fn a_transport_that_ignores_its_deadline_is_cut_off_within_the_lease() {
    let host = Host::new(Reply::Hang);
    host.endpoint(URL).await;
    let running = host.start();
    host.publish().await;
    settle().await;
    host.pass(secs(30), secs(1)).await;
    assert!(host.attempts().await.is_empty());
    host.advance(secs(1)).await;
    assert_eq!(host.outcomes().await, ["response_timeout"]);
    let delivery = host.only_delivery().await;
    assert_eq!(delivery.ready_at(), Some(t0().saturating_add(secs(31 + 300))), "counted from the attempt's end");
    host.pass(secs(299), secs(1)).await;
    assert_eq!(host.sent(), 1);
    running.stop().await;
}

// C45
#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_over_the_new_owner_s_result() {
    let cut_off = Host::new(Reply::Status(200));
    cut_off.endpoint(URL).await;
    cut_off.transport.respond(URL, [Reply::Status(500), Reply::Status(200)]);
    let first = cut_off.start();
    settle().await;
    cut_off.store.between().fail_next(Op::Apply, [Fault::Fail; 60]);
    cut_off.publish().await;
    settle().await;
    assert_eq!(cut_off.sent(), 1);
    let healthy = cut_off.stranger();
    let second = healthy.start();
    healthy.pass(secs(52), secs(1)).await;
    assert_eq!((cut_off.sent(), healthy.state().await), (2, State::Delivered));
    cut_off.pass(mins(10), secs(1)).await;
    assert_eq!(healthy.outcomes().await, ["worker_lost", "success"]);
    assert_eq!((cut_off.sent(), healthy.state().await), (2, State::Delivered));
    first.stop().await;
    second.stop().await;
}

// C48 a
#[tokio::test]
async fn a_transport_that_panics_costs_one_attempt_and_nothing_else() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Status(200), Reply::Status(200), Reply::Panic]);
    let running = host.start();
    for _ in 0..20 {
        host.publish().await;
    }
    settle().await;
    assert_eq!(host.count(State::Delivered).await, 19);
    let waiting = host.deliveries().await.into_iter().find(|delivery| delivery.state() == State::Scheduled).unwrap();
    assert_eq!(waiting.as_stored().reason, Some(Reason::TransportPanic));
    host.advance(mins(5)).await;
    assert_all_delivered(&host, 20).await;
    running.stop().await;
}

// C48 b
#[tokio::test]
async fn one_claim_that_fails_is_asked_again_and_leases_nothing_twice() {
    for fault in [Fault::Fail, Fault::FailAfter, Fault::Panic] {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        for _ in 0..20 {
            host.publish().await;
        }
        host.store.between().fail_next(Op::Claim, [fault]);
        let running = host.start();
        host.pass(secs(2), secs(1)).await;
        assert_all_delivered(&host, 20).await;
        assert_eq!(host.sent(), 20, "{fault:?}");
        running.stop().await;
    }
}

// C48 c
#[tokio::test]
async fn a_store_that_is_down_for_two_minutes_is_asked_with_pauses_and_everything_arrives_afterwards() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    for _ in 0..10 {
        host.publish().await;
    }
    host.store.between().always(Some(Fault::Fail));
    let running = host.start();
    host.pass(mins(2), Duration::from_millis(100)).await;
    let asked = host.store.between().calls(Op::Claim);
    assert!((10..=40).contains(&asked), "{asked} claims in two minutes of outage");
    assert!(host.engine.publish_event(event()).await.is_err());
    assert!(host.engine.health().await.is_err());
    host.store.between().always(None);
    host.pass(secs(6), secs(1)).await;
    for _ in 0..10 {
        host.publish().await;
    }
    settle().await;
    assert_all_delivered(&host, 20).await;
    assert!(host.engine.health().await.unwrap().running);
    running.stop().await;
}

#[tokio::test]
async fn endpoints_that_cannot_be_read_send_nothing_and_burn_no_retry() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.publish().await;
    host.store.between().fail_next(Op::Get, [Fault::Fail; 3]);
    let running = host.start();
    host.pass(secs(10), Duration::from_millis(100)).await;
    assert_eq!(host.outcomes().await, ["success"]);
    running.stop().await;
}

/// It asked a dead store for ever: a cron job never ended.
#[tokio::test]
async fn run_once_on_a_dead_store_ends_with_an_error_that_says_so() {
    for fault in [Fault::Fail, Fault::Hang] {
        let host = Host::new(Reply::Status(200));
        host.endpoint(URL).await;
        host.publish().await;
        host.store.between().always(Some(fault));
        let engine = host.engine.clone();
        let round = tokio::spawn(async move { engine.run_once().await });
        host.pass(mins(2), Duration::from_millis(500)).await;
        assert!(round.is_finished(), "{fault:?}");
        let error = round.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "run_once gave up: the store does not answer (NTF-RUN-STORE)");
        host.store.between().always(None);
        assert_eq!(host.engine.run_once().await.unwrap().delivered, 1);
    }
}

#[tokio::test]
async fn run_once_outlasts_a_store_that_fails_for_a_moment() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.publish().await;
    host.store.between().fail_next(Op::Claim, [Fault::Fail; 4]);
    host.store.between().fail_next(Op::Apply, [Fault::Fail; 2]);
    let engine = host.engine.clone();
    let round = tokio::spawn(async move { engine.run_once().await });
    host.pass(secs(10), Duration::from_millis(100)).await;
    assert_eq!(round.await.unwrap().unwrap().delivered, 1);
}

/// A delivery that had failed before and was handed back unsent was counted as one more failure.
#[tokio::test]
async fn run_once_counts_no_retry_where_nothing_was_sent() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Status(500)]);
    host.publish().await;
    assert_eq!(host.engine.run_once().await.unwrap().retried, 1);
    host.clock.advance(mins(5));
    host.store.between().fail_next(Op::Get, [Fault::Fail]);
    let engine = host.engine.clone();
    let round = tokio::spawn(async move { engine.run_once().await.unwrap() });
    host.pass(secs(5), Duration::from_millis(100)).await;
    let round = round.await.unwrap();
    assert_eq!((round.delivered, round.retried), (1, 0));
}

#[derive(Debug)]
struct PanickingObserver;

impl Observer for PanickingObserver {
    fn observe(&self, _observation: &Observation<'_>) {
        panic!("scripted panic of the observer");
    }
}

/// An observer that panicked ended `run`; while a transport's panic was being unwound, the whole process.
#[tokio::test]
async fn an_observer_that_panics_stops_nothing() {
    let host = Host::with(Reply::Status(200), |builder| builder.observer(PanickingObserver));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Panic]);
    let running = host.start();
    host.publish().await;
    host.publish().await;
    settle().await;
    host.advance(mins(5)).await;
    assert_all_delivered(&host, 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_dropped_run_loses_nothing_and_the_next_sends_again_when_the_lease_has_ended() {
    let host = Host::new(Reply::Status(200));
    host.endpoint(URL).await;
    host.transport.respond(URL, [Reply::Hang]);
    let first = host.start();
    host.publish().await;
    settle().await;
    assert_eq!(host.sent(), 1);
    first.kill().await;
    let second = host.start();
    host.pass(secs(49), secs(1)).await;
    assert_eq!(host.sent(), 1, "nobody knows yet that the first is gone");
    host.pass(secs(2), secs(1)).await;
    assert_eq!((host.sent(), host.outcomes().await), (2, vec!["worker_lost", "success"]));
    second.stop().await;
}

/// A publish that had reserved a slot of one run gave it back to the next, which then sent more at once than it may.
#[tokio::test]
async fn what_belongs_to_a_dropped_run_does_not_reach_the_next() {
    let host = Host::with(Reply::Hang, |builder| builder.per_endpoint(1));
    host.endpoint(URL).await;
    let first = host.start();
    settle().await;
    host.store.between().fail_next(Op::Insert, [Fault::Hang]);
    let publisher = host.engine.publisher();
    let stuck = tokio::spawn(async move { publisher.publish_event(event()).await });
    settle().await;
    first.kill().await;
    let second = host.start();
    settle().await;
    host.publish().await;
    settle().await;
    assert_eq!(host.sent(), 1);
    stuck.abort();
    settle().await;
    host.publish().await;
    settle().await;
    assert_eq!(host.sent(), 1, "one at once");
    second.kill().await;
}

#[tokio::test]
async fn a_delivery_that_kills_its_worker_ten_times_ends_failed_with_every_loss_in_the_log() {
    let host = Host::new(Reply::Hang);
    host.endpoint(URL).await;
    host.publish().await;
    for lost in 0..10 {
        let running = host.start();
        while host.sent() == lost {
            host.advance(secs(10)).await;
        }
        running.kill().await;
    }
    let running = host.start();
    host.pass(hours(1), mins(1)).await;
    let delivery = host.only_delivery().await;
    assert_eq!((delivery.state(), delivery.as_stored().reason), (State::Failed, Some(Reason::WorkerLost)));
    assert_eq!((host.sent(), host.outcomes().await), (10, vec!["worker_lost"; 10]));
    running.stop().await;
}
