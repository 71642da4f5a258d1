//! Stopping: what is in flight may end, what is left is cut off and written down, and nothing is lost.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use common::{Fault, Host, URL, secs, settle};
use notify_core::delivery::State;
use notify_core::observe::{Observation, Observer};
use notify_core::testing::{Reply, ScriptedTransport};

#[tokio::test]
async fn a_stop_ends_within_its_grace_period_and_everything_is_delivered_after_a_restart() {
    let host = Host::with(Reply::Hang, |builder| builder.max_in_flight(50).per_endpoint(50));
    host.endpoint(URL).await;
    for _ in 0..1050 {
        host.publish().await;
    }
    let mut running = host.start();
    settle().await;
    assert_eq!(host.sent(), 50);
    running.ask_to_stop().await;
    host.pass(secs(19), secs(1)).await;
    assert!(!running.has_ended(), "attempts may end by themselves");
    host.pass(secs(6), secs(1)).await;
    assert!(running.has_ended());
    let report = running.report().await;
    assert_eq!((report.interrupted, report.unsettled, report.finished), (50, 0, 0));
    assert_eq!((host.sent(), host.count(State::Scheduled).await), (50, 1050));
    let deliveries = host.deliveries().await;
    assert!(deliveries.iter().all(|delivery| delivery.as_stored().failures == 0), "no retry is used");
    assert_eq!(deliveries.iter().filter(|delivery| delivery.as_stored().attempts == 1).count(), 50);

    let restarted = host.sibling_with(|builder| builder.transport(ScriptedTransport::new(Reply::Status(200))));
    assert_eq!(restarted.engine.run_once().await.unwrap().delivered, 1050);
    assert_eq!(restarted.count(State::Delivered).await, 1050);
}

#[tokio::test]
async fn a_stop_waits_for_attempts_that_end_in_time() {
    let host = Host::new(Reply::Hang);
    let transport = common::GaugeTransport::new(&host.clock, secs(10));
    let host = host.sibling_with(|builder| builder.transport(transport));
    host.endpoint(URL).await;
    let mut running = host.start();
    host.publish().await;
    settle().await;
    running.ask_to_stop().await;
    host.pass(secs(9), secs(1)).await;
    assert!(!running.has_ended());
    host.advance(secs(1)).await;
    let report = running.report().await;
    assert_eq!((report.finished, report.interrupted, report.unsettled), (1, 0, 0));
    assert_eq!(host.state().await, State::Delivered);
}

#[tokio::test]
async fn a_stop_with_a_dead_store_gives_up_at_the_end_of_the_grace_period_and_says_so() {
    let host = Host::new(Reply::Hang);
    host.endpoint(URL).await;
    let mut running = host.start();
    for _ in 0..5 {
        host.publish().await;
    }
    settle().await;
    host.store.between().always(Some(Fault::Fail));
    running.ask_to_stop().await;
    host.pass(secs(24), secs(1)).await;
    assert!(!running.has_ended());
    host.advance(secs(1)).await;
    assert!(running.has_ended());
    let report = running.report().await;
    assert_eq!((report.interrupted, report.unsettled), (5, 5));

    host.store.between().always(None);
    host.clock.advance(secs(26));
    let restarted = host.sibling_with(|builder| builder.transport(ScriptedTransport::new(Reply::Status(200))));
    assert_eq!(restarted.engine.run_once().await.unwrap().delivered, 5);
}

#[tokio::test]
async fn an_event_published_during_a_stop_is_stored_for_whoever_claims_it() {
    let host = Host::new(Reply::Hang);
    host.endpoint(URL).await;
    let mut running = host.start();
    host.publish().await;
    settle().await;
    running.ask_to_stop().await;
    host.publish().await;
    settle().await;
    assert_eq!((host.sent(), host.count(State::Scheduled).await), (1, 1));
    let other = host.sibling_with(|builder| builder.transport(ScriptedTransport::new(Reply::Status(200))));
    assert_eq!(other.engine.run_once().await.unwrap().delivered, 1);
    host.pass(secs(25), secs(1)).await;
    assert!(running.has_ended());
}

#[tokio::test]
async fn an_attempt_that_a_stop_cuts_off_is_observed_as_interrupted() {
    let seen = Seen::default();
    let host = Host::with(Reply::Hang, |builder| builder.observer(seen.clone()));
    host.endpoint(URL).await;
    let mut running = host.start();
    host.publish().await;
    settle().await;
    running.ask_to_stop().await;
    host.pass(secs(25), secs(1)).await;
    assert_eq!(running.report().await.interrupted, 1);
    assert_eq!(*seen.0.lock().unwrap(), ["interrupted"]);
}

/// The outcomes of attempts, as they were observed.
#[derive(Clone, Debug, Default)]
struct Seen(std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>);

impl Observer for Seen {
    fn observe(&self, observation: &Observation<'_>) {
        if let Observation::AttemptFinished { outcome, .. } = observation {
            self.0.lock().unwrap().push(outcome.as_str());
        }
    }
}
