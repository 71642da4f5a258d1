//! Whatever the schedule and whatever the receivers answer: the attempts are those of the table, never early, and the
//! same again from the same inputs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::{Host, URL, hours, secs, settle, t0};
use notify_core::delivery::{Outcome, Reason, State};
use notify_core::testing::Reply;
use notify_core::{EndpointPatch, RetrySchedule, TenantId, Timestamp};
use proptest::prelude::*;

/// One attempt in the log, as far as it can be foretold: begin, end, word.
type Row = (Timestamp, Timestamp, &'static str);

fn reply() -> impl Strategy<Value = Reply> {
    let reasons: Vec<Reason> = Reason::ALL.into_iter().filter(|reason| reason.counts()).collect();
    prop_oneof![
        1 => Just(Reply::Status(200)),
        4 => (100u16..600).prop_map(Reply::Status),
        3 => prop::sample::select(reasons).prop_map(Reply::Failure),
        1 => Just(Reply::Hang),
    ]
}

fn is_success(reply: &Reply) -> bool {
    matches!(reply, Reply::Status(200))
}

/// Runs one delivery to its end on this schedule and these answers (then 500s) and gives back its log.
fn run(delays: &[u64], script: &[Reply]) -> (Vec<Row>, State) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let host = Host::new(Reply::Status(500));
        let created = host.endpoint(URL).await;
        let mut patch = EndpointPatch::default();
        patch.schedule = Some(Some(RetrySchedule::new(delays.iter().map(|delay| secs(*delay))).unwrap()));
        host.engine.endpoints().update(&TenantId::default(), common::id(&created), &patch).await.unwrap();
        host.transport.respond(URL, script.iter().cloned());
        let running = host.start();
        host.publish().await;
        settle().await;
        for _ in 0..=2 * delays.len() {
            let sent = host.sent();
            let delivery = host.only_delivery().await;
            match (delivery.state(), delivery.ready_at()) {
                (State::Scheduled, Some(due)) => {
                    let wait = due.since(host.engine.now());
                    if wait > Duration::ZERO {
                        host.advance(wait.saturating_sub(Duration::from_millis(1))).await;
                        assert_eq!(host.sent(), sent, "an attempt ran early");
                    }
                    host.advance(Duration::from_millis(1)).await;
                }
                (State::InFlight, _) => host.advance(secs(31)).await,
                _ => break,
            }
        }
        if host.state().await == State::InFlight {
            host.advance(secs(31)).await;
        }
        host.pass(hours(3), hours(1)).await;
        let log = host.attempts().await;
        assert_eq!(log.len(), host.sent(), "each request is in the log");
        let rows = log.iter().map(|row| (row.started_at, row.ended_at(), row.outcome.as_str())).collect();
        let state = host.state().await;
        running.stop().await;
        (rows, state)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attempts_are_those_of_the_table_and_stop_at_the_first_success(
        delays in prop::collection::vec(0u64..7_200, 0..6),
        script in prop::collection::vec(reply(), 0..8),
    ) {
        let (rows, state) = run(&delays, &script);
        let success = script.iter().take(delays.len() + 1).position(is_success);
        prop_assert_eq!(rows.len(), success.map_or(delays.len() + 1, |index| index + 1));
        prop_assert_eq!(state, if success.is_some() { State::Delivered } else { State::Failed });
        prop_assert_eq!(rows[0].0, t0());
        for (index, pair) in rows.windows(2).enumerate() {
            let waited = pair[1].0.since(pair[0].1);
            prop_assert!(waited >= secs(delays[index]), "attempt {} ran early", index + 2);
            prop_assert!(waited <= secs(delays[index]) + Duration::from_millis(1));
        }
        for (row, reply) in rows.iter().zip(&script) {
            let expected = match reply {
                Reply::Failure(reason) => Some(Outcome::Failure(*reason).as_str()),
                Reply::Hang => Some("response_timeout"),
                Reply::Status(200) => Some("success"),
                _ => None,
            };
            prop_assert!(expected.is_none_or(|expected| expected == row.2), "{:?} became {}", reply, row.2);
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_log(
        delays in prop::collection::vec(0u64..7_200, 0..5),
        script in prop::collection::vec(reply(), 0..6),
    ) {
        prop_assert_eq!(run(&delays, &script), run(&delays, &script));
    }
}
